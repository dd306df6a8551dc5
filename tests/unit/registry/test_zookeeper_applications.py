"""Providers that are registered by application alone, in a real ZooKeeper: found, followed, and told from nonsense."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kazoo.security import make_digest_acl

from bench.ports import free_port
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import GatewayError
from gateway.plugins.catalog import Catalog
from gateway.runtime.registry_host import DubboRegistryHost
from gateway.spi.registry import Freshness
from gateway.spi.registry_host import HostedRegistry
from registry.metadata import MAX_METADATA
from registry.metadata_service import MetadataInfo, MetadataService, ServiceInfo
from registry.zookeeper.plugin import PLUGIN
from registry.zookeeper.registry import ZookeeperRegistry
from tests.support.dubbo_instance import instance, metadata
from tests.support.metadata_provider import NONSENSE, answering, babbling
from tests.support.zookeeper_client import eventually, fresh_ports, next_that, node_of, other_client, running
from tests.support.zookeeper_server import ZookeeperServer, zookeeper_server

SERVICE = ServiceKey("demo.Catalog")
CATALOG = ("demo.Catalog", "", "")
MAPPING = "/dubbo/mapping/demo.Catalog"
_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZookeeperServer]:
    with zookeeper_server(tmp_path_factory.mktemp("zookeeper")) as server:
        yield server


@pytest.fixture
def place(server: ZookeeperServer) -> str:
    """An address with a path of its own, so that tests do not see each other's nodes."""
    path = f"/t{next(_NUMBERS)}"
    with other_client(server.address) as other:
        other.create(path)
    return server.address + path


@pytest.fixture
def other(place: str) -> Iterator[Any]:
    with other_client(place) as other:
        yield other


def put(client: Any, path: str, data: bytes) -> None:
    """Makes the node, or changes what it holds."""
    client.ensure_path(path)
    client.set(path, data)


def put_instance(client: Any, application: str, port: int, data: bytes | None = None, **said: Any) -> None:
    put(client, f"/services/{application}/127.0.0.1:{port}", data or instance(application, port, **said))


def put_metadata(client: Any, application: str, *services: tuple[str, str, str], revision: str = "r1") -> None:
    put(client, f"/dubbo/metadata/{application}/{revision}", metadata(*services, revision=revision))


@asynccontextmanager
async def watching(
    place: str, service: ServiceKey = SERVICE, **options: Any
) -> AsyncIterator[tuple[ZookeeperRegistry, Any]]:
    async with running(place, **options) as registry, aclosing(registry.watch(service)) as snapshots:
        yield registry, snapshots


def info(*interfaces: str, revision: str = "r1") -> MetadataInfo:
    services: dict[str, ServiceInfo | None] = {
        f"{each}:dubbo": ServiceInfo(each, None, None, "dubbo", each, {"side": "provider", "nothing": None})
        for each in interfaces
    }
    return MetadataInfo("shop", revision, services)


@asynccontextmanager
async def no_long_turns() -> AsyncIterator[None]:
    """Fails where anything kept the loop for 50 ms; of the processor, since others may keep the machine busy."""
    longest = 0.0

    async def measure() -> None:
        nonlocal longest
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - began)
            await asyncio.sleep(0.001)

    measuring = asyncio.create_task(measure())
    try:
        yield
    finally:
        measuring.cancel()
    assert longest < 0.05


def watches(server: ZookeeperServer) -> int:
    """How many things the server watches, for everybody."""
    with socket.create_connection(("127.0.0.1", server.port)) as asking:
        asking.sendall(b"mntr")
        said = b"".join(iter(partial(asking.recv, 65_536), b"")).decode()
    return int(next(line.split()[1] for line in said.splitlines() if line.startswith("zk_watch_count")))


async def test_instances_are_followed_as_they_come_change_and_go(place: str, other: Any) -> None:
    async with watching(place) as (_, snapshots):
        await next_that(snapshots, fresh_ports())
        # Nothing is made for what is not there.
        assert set(other.get_children("/")) == set()
        put_metadata(other, "shop", CATALOG)
        put_instance(other, "shop", 1)
        put(other, MAPPING, b"shop")
        await next_that(snapshots, fresh_ports(1))
        put_instance(other, "shop", 2)
        await next_that(snapshots, fresh_ports(1, 2))
        # The mapping gains an application whose instances come later.
        put(other, MAPPING, b"shop,stock")
        put_metadata(other, "stock", CATALOG)
        put_instance(other, "stock", 3)
        await next_that(snapshots, fresh_ports(1, 2, 3))
        # Another revision, that does not provide it any more; and one that does, at another port.
        put_metadata(other, "shop", ("demo.Types", "", ""), revision="r2")
        put_instance(other, "shop", 1, revision="r2")
        await next_that(snapshots, fresh_ports(2, 3))
        put_instance(other, "shop", 2, dubbo_endpoints='[{"port":22,"protocol":"dubbo"}]')
        await next_that(snapshots, fresh_ports(3, 22))
        other.delete("/services/shop/127.0.0.1:2")
        await next_that(snapshots, fresh_ports(3))
        put(other, MAPPING, b"shop")
        await next_that(snapshots, fresh_ports())
        put(other, MAPPING, b"stock")
        await next_that(snapshots, fresh_ports(3))
        other.delete(MAPPING)
        await next_that(snapshots, fresh_ports())


async def test_groups_and_versions_count_as_always(place: str, other: Any) -> None:
    put(other, MAPPING, b"shop")
    put_metadata(other, "shop", ("demo.Catalog", "a", "1.0"), revision="r1")
    put_metadata(other, "shop", ("demo.Catalog", "b", "1.0"), ("demo.Catalog", "", ""), revision="r2")
    put_instance(other, "shop", 1, revision="r1")
    put_instance(other, "shop", 2, revision="r2")
    expected = {
        ServiceKey("demo.Catalog"): [2],
        ServiceKey("demo.Catalog", "a", "1.0"): [1],
        ServiceKey("demo.Catalog", "b", "1.0"): [2],
        ServiceKey("demo.Catalog", "*", "1.0"): [1, 2],
        ServiceKey("demo.Catalog", "a,b", "1.0"): [1, 2],
        ServiceKey("demo.Catalog", "a"): [],
    }
    async with running(place) as registry:
        for service, ports in expected.items():
            async with aclosing(registry.watch(service)) as snapshots:
                await next_that(snapshots, fresh_ports(*ports))


async def test_one_that_is_registered_both_ways_is_one_and_the_later_word_counts(place: str, other: Any) -> None:
    put(other, MAPPING, b"shop")
    put_metadata(other, "shop", CATALOG)
    put_instance(other, "shop", 1, timestamp="200", tag="instance")
    by_interface = "/dubbo/demo.Catalog/providers"
    url = "dubbo://127.0.0.1:1/demo.Catalog?interface=demo.Catalog&timestamp={}&tag=interface"
    other.create(f"{by_interface}/{node_of(url.format(200))}", makepath=True)

    async with watching(place) as (registry, snapshots):
        (endpoint,) = (await next_that(snapshots, fresh_ports(1))).endpoints
        assert endpoint.parameters["tag"] == "interface"
        assert [each.port for each in (await registry.listing()).endpoints] == [1]
        assert not (await registry.listing()).by_application
        # It was started again, and the node of its former life is still there.
        put_instance(other, "shop", 1, timestamp="201", tag="instance")
        (endpoint,) = (await next_that(snapshots, lambda it: it.endpoints[0].parameters["tag"] == "instance")).endpoints
        other.delete(f"{by_interface}/{node_of(url.format(200))}")
        put_instance(other, "shop", 2)
        await next_that(snapshots, fresh_ports(1, 2))
        listing = await registry.listing()
        assert {each.port for each in listing.endpoints} == {1, 2}
        assert set(listing.by_application) == {each.identity for each in listing.endpoints}


async def test_processes_are_asked_once_for_all_services_and_instances_of_a_revision(place: str, other: Any) -> None:
    async with answering("shop", r1=info("demo.Catalog", "demo.Types")) as metadata_of, running(place) as registry:
        for interface in ("demo.Catalog", "demo.Types"):
            put(other, f"/dubbo/mapping/{interface}", b"shop")
        for port in (1, 2):
            put_instance(other, "shop", port, storage=None, asked_at=metadata_of.port)
        async with (
            aclosing(registry.watch(SERVICE)) as catalogs,
            aclosing(registry.watch(ServiceKey("demo.Types"))) as types,
        ):
            await next_that(catalogs, fresh_ports(1, 2))
            await next_that(types, fresh_ports(1, 2))
            put_instance(other, "shop", 3, storage="local", asked_at=metadata_of.port)
            await next_that(types, fresh_ports(1, 2, 3))
        assert metadata_of.asked == ["r1"]


async def test_a_process_that_does_not_answer_holds_up_nobody_and_is_asked_again(place: str, other: Any) -> None:
    put(other, MAPPING, b"shop,stock")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        refusing = free_port()
        put_instance(other, "shop", 1, revision="hangs", storage="local", asked_at=mute.getsockname()[1])
        put_instance(other, "shop", 2, revision="refuses", storage="local", asked_at=refusing)
        put_instance(other, "stock", 3, revision="nowhere", storage="local")
        async with answering("shop", r1=info("demo.Catalog")) as well:
            put_instance(other, "shop", 4, revision="r1", storage="local", asked_at=well.port)
            async with watching(place) as (registry, snapshots):
                started = time.monotonic()
                await next_that(snapshots, fresh_ports(4))
                assert time.monotonic() - started < 2.0
                async with answering("shop", refusing, refuses=info("demo.Catalog", revision="refuses")):
                    await next_that(snapshots, fresh_ports(2, 4))
                put_metadata(other, "stock", CATALOG, revision="nowhere")
                await next_that(snapshots, fresh_ports(2, 3, 4))
                skipped = (await registry.listing()).skipped
                assert [each.entry for each in skipped] == ["1 of shop", "1 of shop"]


async def test_no_provider_is_not_said_before_somebody_was_asked(place: str, other: Any) -> None:
    put(other, MAPPING, b"shop")
    async with answering("shop", r1=info("demo.Catalog")) as well:
        put_instance(other, "shop", 1, storage="local", asked_at=well.port)
        async with watching(place) as (_, snapshots):
            assert (await anext(snapshots)).freshness is Freshness.UNKNOWN
            assert fresh_ports(1)(await anext(snapshots))


async def test_an_instance_stays_what_it_was_until_its_new_revision_is_known(place: str, other: Any) -> None:
    put(other, MAPPING, b"shop")
    put_metadata(other, "shop", CATALOG)
    put_instance(other, "shop", 1)
    async with watching(place) as (_, snapshots):
        await next_that(snapshots, fresh_ports(1))
        put_instance(other, "shop", 1, revision="r2")
        put_instance(other, "shop", 2)
        # Never without the first.
        assert fresh_ports(1, 2)(await anext(snapshots))
        put_metadata(other, "shop", ("demo.Catalog", "g", ""), revision="r2")
        await next_that(snapshots, fresh_ports(2))
        # One without services says so.
        put_instance(other, "shop", 2, revision="0")
        await next_that(snapshots, fresh_ports())


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 1_000_000,
        b'{"a":' * 200_000,
        b"[" * 1_000_000,
        b"[" + b"{}," * 300_000 + b"{}]",
        b'"' + b"\\u0041" * 170_000 + b'"',
        b'{"payload":{"metadata":{"dubbo.endpoints":"' + b"[" * 900_000 + b'"}}}',
        b"1" * 1_000_000,
    ],
    ids=["zeros", "objects", "lists", "wide", "text", "inner", "number"],
)
async def test_nonsense_of_any_size_keeps_nobody_from_anything(place: str, other: Any, data: bytes) -> None:
    assert len(data) < MAX_METADATA
    put_metadata(other, "shop", CATALOG)
    put_instance(other, "shop", 1)
    async with watching(place) as (registry, snapshots):
        await next_that(snapshots, fresh_ports())
        put_instance(other, "shop", 2, data)
        put(other, "/dubbo/metadata/shop/bad", data)
        put_instance(other, "shop", 3, revision="bad")
        put(other, "/dubbo/mapping/demo.Types", data)
        async with no_long_turns():
            put(other, MAPPING, b"shop")
            await next_that(snapshots, fresh_ports(1))
            async with aclosing(registry.watch(ServiceKey("demo.Types"))) as types:
                await next_that(types, fresh_ports())
            listing = await registry.listing()
        # As metadata, what says nothing of services is that of an application without any.
        assert len(listing.skipped) >= 2
        assert all(len(each.entry) + len(each.reason) < 3_000 for each in listing.skipped)


async def test_half_a_character_hides_nobody_else(place: str, other: Any) -> None:
    put(other, MAPPING, b"shop")
    put_metadata(other, "shop", CATALOG)
    put(other, "/dubbo/metadata/shop/bad", metadata(("demo.Catalog", "", "\ud800"), ("demo.Catalog", "", "1.0")))
    async with watching(place) as (registry, snapshots):
        put_instance(other, "shop", 1, tag="\udfff")
        put_instance(other, "shop", 2, revision="bad")
        put_instance(other, "shop", 3)
        await next_that(snapshots, fresh_ports(3))
        listing = await registry.listing()
        assert {(each.port, each.service.version) for each in listing.endpoints} == {(2, "1.0"), (3, "")}
        assert len(listing.skipped) == 2


async def test_no_provider_is_not_said_because_another_group_has_one(place: str, other: Any) -> None:
    url = "dubbo://127.0.0.1:9/demo.Catalog?interface=demo.Catalog&group=b"
    other.create(f"/dubbo/demo.Catalog/providers/{node_of(url)}", makepath=True)
    put(other, MAPPING, b"shop")
    async with answering("shop", r1=info("demo.Catalog")) as well:
        put_instance(other, "shop", 1, storage="local", asked_at=well.port)
        async with watching(place) as (_, snapshots):
            assert (await anext(snapshots)).freshness is Freshness.UNKNOWN
            assert fresh_ports(1)(await anext(snapshots))


async def test_an_instance_that_may_not_be_read_hides_no_other(place: str, other: Any) -> None:
    put(other, MAPPING, b"shop")
    put_metadata(other, "shop", CATALOG)
    other.ensure_path("/services/shop")
    secret = [make_digest_acl("somebody", "else", all=True)]
    other.create("/services/shop/127.0.0.1:1", instance("shop", 1), acl=secret)
    put_instance(other, "shop", 2)
    put_instance(other, "shop", 3)
    async with watching(place) as (_, snapshots):
        await next_that(snapshots, fresh_ports(2, 3))
        other.delete("/services/shop/127.0.0.1:3")
        await next_that(snapshots, fresh_ports(2))
        # It is tried again.
        other.delete("/services/shop/127.0.0.1:1")
        put_instance(other, "shop", 1)
        await next_that(snapshots, fresh_ports(1, 2))


async def test_a_folder_that_may_not_be_read_does_not_hide_the_other(place: str, other: Any) -> None:
    put(other, MAPPING, b"shop")
    put_metadata(other, "shop", CATALOG)
    other.ensure_path("/services")
    other.create("/services/shop", acl=[make_digest_acl("somebody", "else", all=True)])
    put(other, "/dubbo/shop/127.0.0.1:1", instance("shop", 1))
    async with watching(place) as (_, snapshots):
        await next_that(snapshots, fresh_ports(1))
        put(other, "/dubbo/shop/127.0.0.1:2", instance("shop", 2))
        await next_that(snapshots, fresh_ports(1, 2))


async def test_instances_that_come_and_go_leave_nothing_behind(place: str, other: Any, server: ZookeeperServer) -> None:
    def come_and_go() -> None:
        for port in range(2, 502):
            put_instance(other, "shop", port)
            other.delete(f"/services/shop/127.0.0.1:{port}")
        put_instance(other, "shop", 1_000)

    put(other, MAPPING, b"shop")
    put_metadata(other, "shop", CATALOG)
    put_instance(other, "shop", 1)
    async with watching(place) as (_, snapshots):
        await next_that(snapshots, fresh_ports(1))
        before = watches(server)
        await asyncio.to_thread(come_and_go)
        await next_that(snapshots, fresh_ports(1, 1_000))
        assert watches(server) == before + 1


async def test_an_instance_that_is_made_again_at_once_is_found_again(place: str, other: Any) -> None:
    put(other, MAPPING, b"shop")
    put_metadata(other, "shop", CATALOG)
    put_instance(other, "shop", 1)
    async with watching(place) as (_, snapshots):
        await next_that(snapshots, fresh_ports(1))
        for tag in map(str, range(50)):
            other.delete("/services/shop/127.0.0.1:1")
            put_instance(other, "shop", 1, tag=tag)
            await next_that(
                snapshots, lambda it, tag=tag: fresh_ports(1)(it) and it.endpoints[0].parameters.get("tag") == tag
            )


async def test_however_many_are_wrong_the_log_stays_short(
    place: str, other: Any, caplog: pytest.LogCaptureFixture
) -> None:
    put(other, MAPPING, b"shop")
    put(other, "/dubbo/metadata/shop/r1", metadata(CATALOG, weight="much"))
    for port in range(2, 22):
        put_instance(other, "shop", port)
        put_instance(other, "shop", 100 + port, json.dumps({"name": f"other{port}"}).encode())
        put_instance(other, "shop", 200 + port, revision=f"nowhere{port}")
    put_instance(other, "shop", 1, revision="well")
    put_metadata(other, "shop", CATALOG, revision="well")
    async with watching(place) as (_, snapshots):
        await next_that(snapshots, fresh_ports(1))
        put_instance(other, "shop", 23, revision="well")
        await next_that(snapshots, fresh_ports(1, 23))
    lines = [each.getMessage() for each in caplog.records if "skipped" in each.message or "no metadata" in each.message]
    assert len(lines) == 3, lines


async def test_one_that_cannot_be_asked_is_no_line_for_every_question(
    place: str, other: Any, caplog: pytest.LogCaptureFixture
) -> None:
    put(other, MAPPING, b"shop")
    put_metadata(other, "shop", CATALOG, revision="well")
    put_instance(other, "shop", 1, revision="well")
    with caplog.at_level(logging.WARNING):
        async with babbling(NONSENSE["more than is taken"]) as breaking, watching(place) as (registry, snapshots):
            for number, port in enumerate([breaking, *(free_port() for _ in range(10))]):
                put_instance(other, "shop", 2 + number, revision=f"r{number}", storage="local", asked_at=port)
            await next_that(snapshots, fresh_ports(1))
            assert len((await registry.listing()).skipped) == 11
    assert [each.name for each in caplog.records if each.levelno >= logging.WARNING] == ["polyport.registry.zookeeper"]


async def test_an_answer_of_many_elements_is_not_read_to_its_end() -> None:
    host = DubboRegistryHost(Catalog([]), "test", "test")
    async with babbling(NONSENSE["a wide map"]) as port:
        client = host.connect(("127.0.0.1", port), MetadataService, "", 3.0, 60.0, message_bytes=MAX_METADATA)
        try:
            with pytest.raises(GatewayError, match="expected at most 87381 elements, found more"):
                await client.proxy.getMetadataInfo("r1")
        finally:
            await client.aclose()


async def test_whatever_a_process_answers_hides_nobody_else(place: str, other: Any) -> None:
    put(other, MAPPING, b"shop")
    async with AsyncExitStack() as stack:
        for number, body in enumerate([None, *NONSENSE.values()]):
            port = await stack.enter_async_context(babbling(body))
            put_instance(other, "shop", 100 + number, revision=f"bad{number}", storage="local", asked_at=port)
        well = await stack.enter_async_context(answering("shop", r1=info("demo.Catalog")))
        put_instance(other, "shop", 1, storage="local", asked_at=well.port)
        registry, snapshots = await stack.enter_async_context(watching(place))
        async with no_long_turns():
            await next_that(snapshots, fresh_ports(1))
            listing = await registry.listing()
        assert [each.port for each in listing.endpoints] == [1]
        # What says that it has no services is believed, and one of its services may be skipped alone.
        believed = len(NONSENSE) + 1 - len(listing.skipped)
        assert believed <= 1, [each.reason for each in listing.skipped]


@pytest.mark.parametrize(
    "names", [b"..", b"/", b"../../zookeeper", b"shop,", b",", b"\xff", b"a\x00", "\ud7ff".encode(), b"*", b"mapping"]
)
async def test_a_mapping_may_name_anything(place: str, other: Any, names: bytes) -> None:
    put(other, MAPPING, names)
    url = "dubbo://127.0.0.1:1/demo.Catalog?interface=demo.Catalog"
    other.create(f"/dubbo/demo.Catalog/providers/{node_of(url)}", makepath=True)
    async with watching(place) as (registry, snapshots):
        await next_that(snapshots, fresh_ports(1))
        assert [each.port for each in (await registry.listing()).endpoints] == [1]
        put_metadata(other, "well", CATALOG)
        put_instance(other, "well", 2)
        put(other, MAPPING, b"well")
        await next_that(snapshots, fresh_ports(1, 2))


async def test_what_may_not_be_read_hides_nothing_else(place: str, other: Any) -> None:
    other.ensure_path("/dubbo/mapping")
    other.create(MAPPING, b"shop", acl=[make_digest_acl("somebody", "else", all=True)])
    other.ensure_path("/services")
    other.create("/services/stock", acl=[make_digest_acl("somebody", "else", all=True)])
    put(other, "/dubbo/mapping/demo.Types", b"stock")
    async with running(place) as registry:
        for interface in ("demo.Catalog", "demo.Types"):
            async with aclosing(registry.watch(ServiceKey(interface))) as snapshots:
                await next_that(snapshots, fresh_ports())
                url = f"dubbo://127.0.0.1:1/{interface}?interface={interface}"
                other.create(f"/dubbo/{interface}/providers/{node_of(url)}", makepath=True)
                await next_that(snapshots, fresh_ports(1))
        listing = await registry.listing()
        assert [each.port for each in listing.endpoints] == [1, 1]
        assert [each.entry for each in listing.skipped] == ["applications"]


async def test_they_can_be_left_out(place: str, other: Any) -> None:
    put(other, MAPPING, b"shop")
    put_metadata(other, "shop", CATALOG)
    put_instance(other, "shop", 1)
    made = PLUGIN.build({"address": PLUGIN.options["address"].parse(place), "applications": False})  # type: ignore[misc]
    assert isinstance(made, HostedRegistry)
    await made.start()
    try:
        async with aclosing(made.watch(SERVICE)) as snapshots:
            await next_that(snapshots, fresh_ports())
        assert isinstance(made, ZookeeperRegistry)
        assert (await made.listing()).endpoints == []
    finally:
        await made.aclose()


async def test_the_doctor_knows_them(place: str, other: Any) -> None:
    put(other, MAPPING, b"shop")
    put_metadata(other, "shop", CATALOG)
    put_instance(other, "shop", 1)
    async with running(place) as registry:
        well = {each.what: each for each in await registry.diagnose()}
        assert well["applications"].is_well
        assert well["root"].is_well
        put_instance(other, "shop", 2, b"{}")
        ill = {each.what: each for each in await registry.diagnose()}
        assert not ill["applications"].is_well
        assert "127.0.0.1:2" in ill["applications"].detail


async def test_the_doctor_is_not_stopped_by_a_host_that_none_can_have(place: str, other: Any) -> None:
    url = "dubbo://a..b:1/demo.Catalog?interface=demo.Catalog"
    other.create(f"/dubbo/demo.Catalog/providers/{node_of(url)}", makepath=True)
    async with running(place) as registry:
        ill = {each.what: each for each in await registry.diagnose()}
    assert "a..b:1" in ill["providers' ports"].detail
    assert not ill["providers' ports"].is_well


async def test_nothing_goes_on_after_the_last_watch(place: str, other: Any) -> None:
    put(other, MAPPING, b"shop")
    put_instance(other, "shop", 1, revision="never")

    def tasks() -> Sequence[str]:
        return sorted(each.get_name() for each in asyncio.all_tasks())

    async with running(place) as registry:
        before = tasks()
        async with aclosing(registry.watch(SERVICE)) as snapshots:
            await next_that(snapshots, fresh_ports())
            assert any("metadata" in each for each in tasks())
        async with asyncio.timeout(5.0):
            while tasks() != before:
                await asyncio.sleep(0.01)


async def test_nothing_goes_on_after_a_watch_whose_end_is_cancelled(place: str, other: Any) -> None:
    put(other, MAPPING, b"shop")
    put_instance(other, "shop", 1, revision="never")

    async def follow(registry: ZookeeperRegistry) -> None:
        async with aclosing(registry.watch(SERVICE)) as snapshots:
            await next_that(snapshots, fresh_ports())
            await anext(snapshots)

    async with running(place) as registry:
        before = asyncio.all_tasks()
        following = asyncio.create_task(follow(registry))
        await eventually(lambda: any("metadata" in each.get_name() for each in asyncio.all_tasks()))
        following.cancel()
        await asyncio.sleep(0)
        following.cancel()
        await asyncio.wait([following])
        await eventually(lambda: asyncio.all_tasks() == before)


async def test_what_changes_while_the_servers_are_away_is_known_afterwards(tmp_path: Path) -> None:
    def register(*ports: int) -> None:
        # A client that has seen former data, or a former session, would be turned away.
        with other_client(server.address) as other:
            put(other, MAPPING, b"shop")
            put_metadata(other, "shop", CATALOG)
            for port in ports:
                put_instance(other, "shop", port, dubbo_endpoints=None)

    with zookeeper_server(tmp_path) as server:
        register(1)
        async with watching(server.address) as (_, snapshots):
            await next_that(snapshots, fresh_ports(1))
            await asyncio.to_thread(server.stop)
            shown = await next_that(snapshots, lambda it: it.freshness is Freshness.STALE)
            assert [each.port for each in shown.endpoints] == [1]
            await asyncio.to_thread(server.start)
            await next_that(snapshots, fresh_ports(1))
            # Watched as before.
            register(1, 2)
            await next_that(snapshots, fresh_ports(1, 2))
            with other_client(server.address) as other:
                put_instance(other, "shop", 2, dubbo_endpoints=json.dumps([{"port": 22, "protocol": "dubbo"}]))
            await next_that(snapshots, fresh_ports(1, 22))
            await asyncio.to_thread(server.stop)
            server.wipe()
            await asyncio.to_thread(server.start)
            await next_that(snapshots, fresh_ports())
            register(3)
            await next_that(snapshots, fresh_ports(3))
