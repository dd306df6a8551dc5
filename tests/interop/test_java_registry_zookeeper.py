"""Stock Dubbo and the gateway find each other in ZooKeeper."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing

import pytest

from gateway.demo.catalog import Catalog
from gateway.model.endpoint import Endpoint, ServiceKey
from tests.support.demo_gateway import gateway, hosted, remote
from tests.support.java_peer import BUILD_TIMEOUT, Peers, Provider, require_java
from tests.support.zookeeper_client import fresh_ports, next_that, other_client, running
from tests.support.zookeeper_server import ZookeeperServer, zookeeper_server

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

CATALOG = ServiceKey("demo.Catalog")
VERSIONS = ("2.7", "3.3")
JAVA_S = 30.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZookeeperServer]:
    require_java()
    with zookeeper_server(tmp_path_factory.mktemp("zookeeper")) as found:
        yield found


def option(server: ZookeeperServer) -> str:
    # No file of what was known last in the home of whoever runs the tests.
    return f"registry=zookeeper://{server.address}?file.cache=false"


@pytest.mark.direction("Java ↔ us, registry in ZooKeeper", wire="dubbo", quick=True)
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_java_provider_is_found_called_and_seen_to_go(server: ZookeeperServer, version: str) -> None:
    async with running(server.address) as ours, aclosing(ours.watch(CATALOG)) as snapshots:
        provider = Provider(version.replace(".", ""), option(server))
        try:
            port = int(provider.address.rpartition(":")[2])
            (endpoint,) = (await next_that(snapshots, fresh_ports(port), JAVA_S)).endpoints
            assert endpoint.parameters["release"].startswith(version)
            shared = f"  shared: {{type: zookeeper, options: {{address: '{server.address}'}}}}"
            async with gateway(remote("bridged", "registries: [shared]"), registries=shared) as app:
                assert await app.reference("bridgedcatalog", Catalog).count() >= 3
        finally:
            provider.close()
        await next_that(snapshots, fresh_ports(), JAVA_S)


@pytest.mark.direction("Java ↔ us, registry in ZooKeeper", wire="dubbo", quick=True)
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_java_consumer_finds_us(server: ZookeeperServer, version: str, peers: Peers) -> None:
    async with gateway(hosted()) as app, running(server.address) as ours:
        port = int(app.listening[0].address.rpartition(":")[2])
        for name in ("demo.Catalog", "demo.Types", "demo.Reports"):
            # Dubbo takes 127.0.0.1 in a registry for a mistake.
            await ours.register(Endpoint("dubbo", "2130706433", port, ServiceKey(name)))
        report = await peers.consumer(version.replace(".", "")).run("basic", "unused:1", option(server))
        report.check()
        with other_client(server.address) as other:
            # Dubbo made them, for consumers.
            assert "consumers" in other.get_children("/dubbo/demo.Catalog")
        assert (await ours.listing()).skipped == []
