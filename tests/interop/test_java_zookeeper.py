"""Stock Dubbo and the gateway find each other in a real ZooKeeper; nobody is given an address of anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing

import pytest

from gateway.demo.catalog import Catalog, ProductNotFound
from gateway.model.endpoint import ServiceKey
from tests.support.demo_gateway import gateway, hosted, remote
from tests.support.java_peer import BUILD_TIMEOUT, DUBBO_VERSIONS, Peers, require_java
from tests.support.zookeeper_client import fresh_ports, next_that, running
from tests.support.zookeeper_server import ZookeeperServer, zookeeper_server

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

VERSIONS = ["27", "33"]
LOOPBACK = "2130706433"
"""127.0.0.1 in a form that Dubbo does not recognise: it takes that one in a registry for a mistake."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZookeeperServer]:
    require_java()
    # Dubbo keeps files of what was known last in the home of whoever runs it.
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch, zookeeper_server(tmp_path_factory.mktemp("zookeeper")) as found:
        patch.setenv("JAVA_OPTS", f"-Duser.home={home}")
        yield found


@pytest.fixture(scope="module")
def java(server: ZookeeperServer) -> Iterator[Peers]:
    """Programs that end before their registry does."""
    own = Peers()
    yield own
    own.close()


def java_group(version: str) -> str:
    return f"java{version}"


def java_option(server: ZookeeperServer) -> str:
    return f"registry=zookeeper://{server.address}?file.cache=false"


def java_provider(java: Peers, version: str, server: ZookeeperServer) -> int:
    """The port of a Java provider that is registered."""
    address = java.provider(version, f"{java_option(server)}&group={java_group(version)}")
    return int(address.rpartition(":")[2])


def our_option(server: ZookeeperServer) -> str:
    return f"  shared: {{type: zookeeper, options: {{address: '{server.address}', session: 2s}}}}"


@pytest.mark.direction("us → Java, found in ZooKeeper", quick=True)
@pytest.mark.parametrize("version", VERSIONS)
async def test_we_find_a_java_provider(version: str, server: ZookeeperServer, java: Peers) -> None:
    port = java_provider(java, version, server)
    there = java_group(version)
    async with running(server.address) as ours, aclosing(ours.watch(ServiceKey("demo.Catalog", there))) as snapshots:
        (endpoint,) = (await next_that(snapshots, fresh_ports(port))).endpoints
        assert endpoint.parameters["release"] == DUBBO_VERSIONS[version]
        assert "priceHistory" in endpoint.parameters["methods"].split(",")
        assert (await ours.listing()).skipped == []
    source = remote("found", "registries: [shared]", there=there)
    async with gateway(source, registries=our_option(server)) as app:
        catalog = app.reference("foundcatalog", Catalog)
        count = await catalog.count()
        product = (await catalog.search("", 1))[0]
        assert await catalog.find(product.id) == product
        assert await catalog.count() == count
        assert await catalog.slow(20) == "slept 20 ms"
        with pytest.raises(ProductNotFound) as missing:
            await catalog.find(-5)
        assert missing.value.product_id == -5


@pytest.mark.direction("Java → us, found in ZooKeeper", quick=True)
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_java_consumer_finds_us(version: str, server: ZookeeperServer, java: Peers) -> None:
    group = f"ours{version}"
    consumer, options = java.consumer(version), f"{java_option(server)}&group={group}"
    async with gateway(hosted(group, announce="[shared]"), registries=our_option(server), host=LOOPBACK):
        (await consumer.run("basic", "unused:1", options)).check()
        async with running(server.address) as ours, consumer.start("heartbeat", "unused:1", options):
            await consumer.wait_for("idle")
            listing = await ours.listing()
            assert listing.skipped == []
            assert ("interop", f"{group}/demo.Catalog") in {
                (each.application, str(each.service)) for each in listing.consumers
            }
            consumer.say("go on")
            (await consumer.finish()).check()


@pytest.mark.direction("Java → gateway → Java, found in ZooKeeper", quick=True)
@pytest.mark.parametrize("version", VERSIONS)
async def test_java_consumers_and_providers_meet_in_our_gateway(
    version: str, server: ZookeeperServer, java: Peers
) -> None:
    java_provider(java, version, server)
    group = f"bridged{version}"
    services = remote(group, "registries: [shared]", announce="[shared]", there=java_group(version))
    async with gateway(services, registries=our_option(server), host=LOOPBACK) as app:
        report = await java.consumer(version).run("basic", "unused:1", f"{java_option(server)}&group={group}")
        report.check()
        assert app.listening[0].address.startswith(LOOPBACK)
