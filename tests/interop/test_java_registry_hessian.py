"""Stock Dubbo 2.7 and the gateway find each other over hessian:// in a real ZooKeeper."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager

import pytest

from gateway import calling
from gateway.demo.catalog import Catalog, OutOfStock, ProductNotFound
from gateway.demo.types import Types
from gateway.model.endpoint import ServiceKey
from gateway.runtime.app import App
from tests.support.demo_gateway import hosted, remote
from tests.support.java_peer import BUILD_TIMEOUT, Peers, Provider, require_java
from tests.support.running import running
from tests.support.zookeeper_client import fresh_ports, next_that
from tests.support.zookeeper_client import running as zookeeper_registry
from tests.support.zookeeper_server import ZookeeperServer, zookeeper_server

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

LOOPBACK = "2130706433"
"""127.0.0.1 in a form that Dubbo does not recognise: it takes that one in a registry for a mistake."""
MODULE = "27-hessian"


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Dubbo keeps files of what was known last in the home of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_OPTS", f"-Duser.home={tmp_path_factory.mktemp('home')}")
        yield


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZookeeperServer]:
    require_java()
    with zookeeper_server(tmp_path_factory.mktemp("zookeeper")) as found:
        yield found


@pytest.fixture(scope="module")
def java(server: ZookeeperServer) -> Iterator[Peers]:
    """Programs that end before their registry does."""
    own = Peers()
    yield own
    own.close()


def java_option(server: ZookeeperServer) -> str:
    return f"registry=zookeeper://{server.address}?file.cache=false"


@asynccontextmanager
async def gateway(server: ZookeeperServer, services: str) -> AsyncIterator[App]:
    """The listener `dubbo` that these sections name speaks hessian:// here."""
    text = f"""
application: {{name: interop}}
listeners:
  dubbo: {{protocol: hessian, host: "{LOOPBACK}", port: 0}}
registries:
  shared: {{type: zookeeper, options: {{address: "{server.address}", session: 2s}}}}
services:{services}
"""
    async with running(text) as app:
        yield app


def passed_on(group: str, there: str, announce: str = "[]") -> str:
    return remote(group, "registries: [shared]", announce, there=there, callbacks=False)


@pytest.mark.direction("us → Java, found in ZooKeeper", wire="hessian", peer="dubbo hessian", quick=True)
@pytest.mark.parametrize("said", ["", "&contextpath=shop/v1"])
async def test_we_find_a_java_provider_at_its_path(said: str, server: ZookeeperServer) -> None:
    there = f"java{len(said)}"
    provider = Provider(MODULE, f"{java_option(server)}&protocol=hessian&group={there}{said}")
    port = int(provider.address.rpartition(":")[2])
    context = said.partition("contextpath=")[2].partition("&")[0]
    try:
        async with (
            zookeeper_registry(server.address) as ours,
            aclosing(ours.watch(ServiceKey("demo.Catalog", there))) as snapshots,
        ):
            (endpoint,) = (await next_that(snapshots, fresh_ports(port))).endpoints
            assert (endpoint.protocol, endpoint.path) == ("hessian", context and f"{context}/demo.Catalog")
        async with gateway(server, passed_on("found", there)) as app:
            catalog, types = app.reference("foundcatalog", Catalog), app.reference("foundtypes", Types)
            assert await catalog.count() >= 3
            with pytest.raises(OutOfStock) as empty:
                await catalog.reserve(1, "north", 1_000_000)
            assert (empty.value.warehouse, empty.value.missing) == ("north", 999_990)
            with pytest.raises(ProductNotFound) as missing:
                await catalog.find(-5)
            assert missing.value.product_id == -5
            assert await calling(types, attachments={"user": "ann"}).echo_attachments("user") == "ann"
    finally:
        provider.close()


@pytest.mark.direction("Java → us, found in ZooKeeper", wire="hessian", peer="dubbo hessian", quick=True)
@pytest.mark.parametrize("hessian2", ["false", "true"], ids=["mixed", "hessian2"])
async def test_a_java_consumer_finds_us(hessian2: str, server: ZookeeperServer, java: Peers) -> None:
    group = f"ours{hessian2}"
    options = f"{java_option(server)}&group={group}&warehouse=berlin&decimals=lost&hessian2.request={hessian2}"
    async with gateway(server, hosted(group, announce="[shared]", callbacks=False)) as app:
        assert app.listening[0].address.startswith(LOOPBACK)
        (await java.consumer(MODULE).run("json,json-generic,attachments-fields", "unused:1", options)).check()


@pytest.mark.direction("Java → gateway → Java, found in ZooKeeper", wire="hessian", peer="dubbo hessian", quick=True)
async def test_java_consumers_and_providers_meet_in_our_gateway(server: ZookeeperServer, java: Peers) -> None:
    java.provider(MODULE, f"{java_option(server)}&protocol=hessian&group=behind&contextpath=shop")
    async with gateway(server, passed_on("bridged", "behind", "[shared]")):
        options = f"{java_option(server)}&group=bridged&warehouse=north&decimals=lost"
        (await java.consumer(MODULE).run("json,attachments-fields", "unused:1", options)).check()


async def test_dubbo_shows_no_token_over_hessian_not_even_to_itself(server: ZookeeperServer, java: Peers) -> None:
    """Why services with a token cannot be called by Dubbo over this wire, nor its own services with one by us."""
    options = f"{java_option(server)}&group=guarded"
    provider = Provider(MODULE, f"{options}&protocol=hessian&token=t0ken")
    try:
        report = await java.consumer(MODULE).run("attachments-fields", "unused:1", options)
    finally:
        provider.close()
    assert report.summary == "0 of 4 checks"
    assert all("consumer incorrect token is null" in line for line in report.failures)
