"""Stock Dubbo 2.6 and 2.7 use a gateway as their registry, with the `dubbo://` registry they bring along."""

from __future__ import annotations

import asyncio

import pytest

from gateway.demo.catalog import Catalog
from gateway.model.endpoint import Endpoint, ServiceKey
from tests.support.demo_gateway import gateway, hosted, remote
from tests.support.java_peer import BUILD_TIMEOUT, DUBBO_VERSIONS, Peers, Provider, require_java
from tests.support.simple_registry import seeing, simple, until

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

CATALOG = ServiceKey("demo.Catalog")
JAVA_S = 20.0
LOOPBACK = "2130706433"
VERSIONS = pytest.mark.parametrize(
    "version",
    [
        pytest.param(
            each,
            marks=pytest.mark.direction(
                "Java ↔ us, simple registry", wire="dubbo", peer=f"Dubbo {DUBBO_VERSIONS[each][:3]}", quick=True
            ),
        )
        for each in ("26", "27")
    ],
)


@pytest.fixture(scope="module", autouse=True)
def _java() -> None:
    require_java()


def option(address: str) -> str:
    # Dubbo takes 127.0.0.1 for a mistake. No file of what was known last in the home of whoever runs the tests.
    return f"registry=dubbo://{address.replace('127.0.0.1', LOOPBACK)}?file.cache=false"


@VERSIONS
async def test_a_java_provider_is_found_called_and_seen_to_go(version: str) -> None:
    async with simple(serve="127.0.0.1:0") as ours, simple(ours.address) as other, seeing(other, CATALOG) as seen:
        provider = await asyncio.to_thread(Provider, version, option(ours.address))
        try:
            port = int(provider.address.rpartition(":")[2])
            await until(lambda: seen.shows(port), JAVA_S)
            shared = f"  shared: {{type: simple, options: {{address: '{ours.address}'}}}}"
            async with gateway(remote("bridged", "registries: [shared]"), registries=shared) as app:
                assert await app.reference("bridgedcatalog", Catalog).count() >= 3
        finally:
            await asyncio.to_thread(provider.close)
        await until(lambda: seen.shows(), JAVA_S)
        assert {each[2] for each in seen.withdrawn} == {port}


@VERSIONS
async def test_a_java_consumer_finds_us(version: str, peers: Peers) -> None:
    async with simple(serve="127.0.0.1:0") as ours, gateway(hosted()) as app:
        port = int(app.listening[0].address.rpartition(":")[2])
        for name in ("demo.Catalog", "demo.Types", "demo.Reports"):
            await ours.register(Endpoint("dubbo", LOOPBACK, port, ServiceKey(name)))
        report = await peers.consumer(version).run("basic", "unused:1", option(ours.address))
        report.check()
        listing = await ours.listing()
        assert listing.skipped == []
