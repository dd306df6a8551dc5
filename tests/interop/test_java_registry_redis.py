"""Stock Dubbo 2.7 and the gateway find each other in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from gateway.demo.catalog import Catalog
from gateway.model.endpoint import Endpoint, ServiceKey
from tests.support.demo_gateway import gateway, hosted, remote
from tests.support.java_peer import BUILD_TIMEOUT, Peers, Provider, require_java
from tests.support.redis_registry import eventually, redis_registry, watching
from tests.support.redis_server import RedisServer, redis_server

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

CATALOG = ServiceKey("demo.Catalog")
JAVA_S = 20.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    require_java()
    with redis_server(tmp_path_factory.mktemp("redis"), append=False) as found:
        yield found


def option(server: RedisServer) -> str:
    # No file of what was known last in the home of whoever runs the tests.
    return f"registry=redis://127.0.0.1:{server.port}?file.cache=false"


@pytest.mark.direction("Java ↔ us, registry in Redis", wire="dubbo", peer="Dubbo 2.7", quick=True)
async def test_a_java_provider_is_found_called_and_seen_to_go(server: RedisServer, peers: Peers) -> None:
    async with redis_registry(server.url) as ours, watching(ours, CATALOG) as watcher:
        provider = Provider("27", option(server))
        try:
            await eventually(lambda: len(watcher.ports) == 1, JAVA_S)
            assert watcher.ports == [int(provider.address.rpartition(":")[2])]
            (endpoint,) = watcher.snapshots[-1].endpoints
            assert endpoint.parameters["release"] == "2.7.23"
            shared = f"  shared: {{type: redis, options: {{address: '{server.url}'}}}}"
            async with gateway(remote("bridged", "registries: [shared]"), registries=shared) as app:
                assert await app.reference("bridgedcatalog", Catalog).count() >= 3
        finally:
            provider.close()
        await eventually(lambda: watcher.ports == [], JAVA_S)
        assert watcher.withdrawn == [endpoint.port]


@pytest.mark.direction("Java ↔ us, registry in Redis", wire="dubbo", peer="Dubbo 2.7", quick=True)
async def test_a_java_consumer_finds_us(server: RedisServer, peers: Peers) -> None:
    async with gateway(hosted()) as app, redis_registry(server.url) as ours:
        port = int(app.listening[0].address.rpartition(":")[2])
        for name in ("demo.Catalog", "demo.Types", "demo.Reports"):
            # Dubbo takes 127.0.0.1 in a registry for a mistake.
            await ours.register(Endpoint("dubbo", "2130706433", port, ServiceKey(name)))
        consumers: set[tuple[str, str]] = set()

        async def look() -> None:
            while True:
                listing = await ours.listing()
                assert listing.skipped == []
                consumers.update((each.application, str(each.service)) for each in listing.consumers)
                await asyncio.sleep(0.05)

        looking = asyncio.create_task(look())
        report = await peers.consumer("27").run("basic", "unused:1", option(server))
        report.check()
        assert not looking.done()
        looking.cancel()
        assert ("interop", "demo.Catalog") in consumers
