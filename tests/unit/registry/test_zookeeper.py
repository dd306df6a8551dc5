"""The registry in ZooKeeper, on a server that keeps running. What happens when it stops: test_zookeeper_outage.py."""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing

import pytest
from kazoo.exceptions import NoAuthError

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import RegistryError
from gateway.spi.registry import Freshness
from gateway.spi.registry_ability import ConsumerRegistry, DiagnosableRegistry, EditableRegistry, ListedRegistry
from registry.entries import MAX_ENTRY
from registry.zookeeper.layout import parse_ensemble
from registry.zookeeper.plugin import PLUGIN
from tests.support.zookeeper_client import at, eventually, fresh_ports, next_that, node_of, other_client, running
from tests.support.zookeeper_server import ZookeeperServer, zookeeper_server

SERVICE = ServiceKey("demo.Catalog")
JAVA_URL = (
    "dubbo://10.0.0.1:20880/demo.Catalog?anyhost=true&application=shop&deprecated=false&dubbo=2.0.2&dynamic=true"
    "&generic=false&interface=demo.Catalog&methods=find,put&pid=77&release=2.7.23&side=provider&timestamp=1700000000000"
)
JAVA_NODE = (
    "dubbo%3A%2F%2F10.0.0.1%3A20880%2Fdemo.Catalog%3Fanyhost%3Dtrue%26application%3Dshop%26deprecated%3Dfalse"
    "%26dubbo%3D2.0.2%26dynamic%3Dtrue%26generic%3Dfalse%26interface%3Ddemo.Catalog%26methods%3Dfind%2Cput%26pid%3D77"
    "%26release%3D2.7.23%26side%3Dprovider%26timestamp%3D1700000000000"
)
"""As ZookeeperRegistry of Dubbo 2.7 made it of the URL above."""
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


async def test_a_chroot_that_is_not_there_is_made(server: ZookeeperServer) -> None:
    async with running(f"{server.address}/made/here", group="acme/dubbo") as registry:
        await registry.register(at(1, SERVICE))
        with other_client(server.address) as other:
            assert len(other.get_children("/made/here/acme/dubbo/demo.Catalog/providers")) == 1


async def test_a_provider_is_announced_as_java_would_and_gone_when_withdrawn(place: str) -> None:
    async with running(place) as registry:
        with other_client(place) as other:
            endpoint = at(20880, SERVICE, application="shop", timestamp="1")
            await registry.register(endpoint)
            assert other.get_children("/dubbo") == ["demo.Catalog"]
            (name,) = other.get_children("/dubbo/demo.Catalog/providers")
            assert name == (
                "dubbo%3A%2F%2F127.0.0.1%3A20880%2Fdemo.Catalog%3Fapplication%3Dshop%26category%3Dproviders"
                "%26dubbo%3D2.0.2%26dynamic%3Dtrue%26interface%3Ddemo.Catalog%26side%3Dprovider%26timestamp%3D1"
            )
            stat = other.exists(f"/dubbo/demo.Catalog/providers/{name}")
            assert stat.ephemeralOwner != 0
            assert other.exists("/dubbo/demo.Catalog/providers").ephemeralOwner == 0
            await registry.unregister(endpoint)
            assert other.get_children("/dubbo/demo.Catalog/providers") == []
            await registry.unregister(endpoint)


@pytest.mark.serial("within 0.2 s")
async def test_others_see_it_soon(place: str) -> None:
    async with running(place) as ours, running(place) as theirs, aclosing(theirs.watch(SERVICE)) as snapshots:
        assert (await anext(snapshots)).freshness is Freshness.UNKNOWN
        await next_that(snapshots, fresh_ports())
        seen_s, gone_s = [], []
        for port in (1, 2, 3):
            started = time.perf_counter()
            await ours.register(at(port, SERVICE))
            await next_that(snapshots, fresh_ports(*range(1, port + 1)))
            seen_s.append(time.perf_counter() - started)
        for port in (3, 2, 1):
            started = time.perf_counter()
            await ours.unregister(at(port, SERVICE))
            shown = await next_that(snapshots, fresh_ports(*range(1, port)))
            gone_s.append(time.perf_counter() - started)
            assert shown.withdrawn == frozenset()
        # A machine that is busy may be slow now and then.
        assert min(seen_s) < 0.2
        assert min(gone_s) < 0.2


async def test_another_weight_replaces_the_node_at_one_stroke(place: str) -> None:
    async with running(place) as registry:
        with other_client(place) as other:
            await registry.register(Endpoint("dubbo", "127.0.0.1", 1, SERVICE, 100))
            seen: list[list[str]] = []
            folder = "/dubbo/demo.Catalog/providers"

            @other.ChildrenWatch(folder)
            def _(children: list[str]) -> None:
                seen.append(children)

            for weight in (50, 0, 70):
                await registry.register(Endpoint("dubbo", "127.0.0.1", 1, SERVICE, weight))
            await eventually(lambda: "weight%3D70" in seen[-1][0])
            assert [len(each) for each in seen] == [1] * len(seen)


async def test_a_provider_that_is_static_stays_and_is_withdrawn_all_the_same(place: str) -> None:
    async with running(place) as registry:
        with other_client(place) as other:
            endpoint = at(1, SERVICE, dynamic="false")
            await registry.register(endpoint)
            (name,) = other.get_children("/dubbo/demo.Catalog/providers")
            assert other.exists(f"/dubbo/demo.Catalog/providers/{name}").ephemeralOwner == 0
            await registry.unregister(endpoint)
            assert other.get_children("/dubbo/demo.Catalog/providers") == []


async def test_nodes_of_java_are_read_and_what_is_wrong_is_left_out_with_a_reason(
    place: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = [JAVA_NODE, node_of("rest://10.0.0.2:8080/demo.Catalog?interface=demo.Catalog&weight=7")]
    bad = [
        "not%20a%20url",
        "%FF%FE",
        node_of("dubbo://10.0.0.1:99999/demo.Catalog"),
        node_of("script://0.0.0.0/demo.Catalog?rule=System.exit(0)"),
        node_of("dubbo://10.0.0.1:1/demo.Catalog?x=!!python/object/apply:os.system\x00"),
        node_of("dubbo://10.0.0.1:1/demo.Catalog?x=" + "y" * MAX_ENTRY),
    ]
    folder = "/dubbo/demo.Catalog/providers"
    with other_client(place) as other:
        for name in [*good, *bad, node_of("dubbo://10.0.0.1:1/demo.Other")]:
            other.create(f"{folder}/{name}", makepath=True)
        async with running(place) as registry, aclosing(registry.watch(SERVICE)) as snapshots:
            with caplog.at_level(logging.WARNING, "polyport.registry"):
                shown = await next_that(snapshots, fresh_ports(8080, 20880))
            assert [(each.protocol, each.address, each.weight) for each in shown.endpoints] == [
                ("dubbo", "10.0.0.1:20880", 100),
                ("rest", "10.0.0.2:8080", 7),
            ]
            assert shown.endpoints[0].parameters["release"] == "2.7.23"
            assert sum("skipped" in each.message for each in caplog.records) == len(bad)
            # Once, however often the list is read.
            caplog.clear()
            other.create(f"{folder}/{node_of('dubbo://10.0.0.3:3/demo.Catalog')}")
            await next_that(snapshots, fresh_ports(3, 8080, 20880))
            assert caplog.records == []


async def test_of_a_provider_that_was_started_again_the_later_life_counts(place: str) -> None:
    with other_client(place) as other:
        for timestamp, token in (("1700000000000", "a-old"), ("1800000000000", "Z-new"), ("99", "z-oldest")):
            url = f"dubbo://10.0.0.1:1/demo.Catalog?timestamp={timestamp}&token={token}"
            other.create(f"/dubbo/demo.Catalog/providers/{node_of(url)}", makepath=True)
        async with running(place) as registry, aclosing(registry.watch(SERVICE)) as snapshots:
            (endpoint,) = (await next_that(snapshots, fresh_ports(1))).endpoints
            assert endpoint.parameters["token"] == "Z-new"


async def test_rules_arrive_as_text(place: str) -> None:
    override = "override://0.0.0.0/demo.Catalog?category=configurators&dynamic=false&weight=0"
    route = "condition://0.0.0.0/demo.Catalog?category=routers&rule=%3D%3E+host+%21%3D+10.0.0.1"
    async with running(place) as registry, aclosing(registry.watch(SERVICE)) as snapshots:
        await next_that(snapshots, fresh_ports())
        with other_client(place) as other:
            other.create(f"/dubbo/demo.Catalog/configurators/{node_of(override)}", makepath=True)
            assert (await next_that(snapshots, lambda each: bool(each.configurators))).configurators == (override,)
            other.create(f"/dubbo/demo.Catalog/routers/{node_of(route)}", makepath=True)
            shown = await next_that(snapshots, lambda each: bool(each.routers))
            assert (shown.routers, shown.configurators) == ((route,), (override,))
            other.delete(f"/dubbo/demo.Catalog/configurators/{node_of(override)}")
            await next_that(snapshots, lambda each: not each.configurators)


async def test_a_service_nobody_has_heard_of_is_watched_without_a_trace(place: str) -> None:
    async with running(place) as registry, aclosing(registry.watch(SERVICE)) as snapshots:
        await next_that(snapshots, fresh_ports())
        with other_client(place) as other:
            assert other.exists("/dubbo") is None
            folder = "/dubbo/demo.Catalog/providers"
            other.create(f"{folder}/{JAVA_NODE}", makepath=True)
            await next_that(snapshots, fresh_ports(20880))
            other.delete(folder, recursive=True)
            await next_that(snapshots, fresh_ports())
            other.create(f"{folder}/{JAVA_NODE}", makepath=True)
            await next_that(snapshots, fresh_ports(20880))


async def test_groups_and_versions_are_told_apart(place: str) -> None:
    blue, green = ServiceKey("demo.Catalog", "blue", "1.0"), ServiceKey("demo.Catalog", "green", "1.0")
    async with running(place) as registry:
        for port, service in enumerate((blue, green, SERVICE), 1):
            await registry.register(at(port, service))
        for asked, ports in ((blue, [1]), (SERVICE, [3]), (ServiceKey("demo.Catalog", "*", "1.0"), [1, 2])):
            async with aclosing(registry.watch(asked)) as snapshots:
                await next_that(snapshots, fresh_ports(*ports))


async def test_a_node_of_another_session_is_replaced_by_one_of_ours(place: str) -> None:
    endpoint = at(1, SERVICE)
    async with running(place) as first:
        await first.register(endpoint)
        with other_client(place) as other:
            (name,) = other.get_children("/dubbo/demo.Catalog/providers")
    path = f"/dubbo/demo.Catalog/providers/{name}"
    with other_client(place) as judge:
        with other_client(place) as former:
            former.create(path, ephemeral=True)
            async with running(place) as registry:
                await registry.register(endpoint)
                assert judge.exists(path).ephemeralOwner not in {0, former.client_id[0]}
                former.stop()
                # The former session is gone, and everything that was its own.
                assert judge.exists(path) is not None
        assert judge.exists(path) is None


async def test_a_node_that_somebody_deletes_is_made_again(place: str) -> None:
    async with running(place) as registry:
        await registry.register(at(1, SERVICE))
        with other_client(place) as other:
            (name,) = other.get_children("/dubbo/demo.Catalog/providers")
            for _ in range(2):
                # The second time it takes two seconds: whoever keeps deleting it does not keep us busy.
                other.delete(f"/dubbo/demo.Catalog/providers/{name}")
                await eventually(lambda: other.get_children("/dubbo/demo.Catalog/providers") == [name])


async def test_two_registries_that_announce_the_same_do_not_chase_each_other(place: str) -> None:
    async with running(place) as one, running(place) as two:
        await one.register(at(1, SERVICE))
        await two.register(at(1, SERVICE))
        with other_client(place) as other:
            (name,) = other.get_children("/dubbo/demo.Catalog/providers")
            # Made by one, and replaced by two: it cannot know whether the other is alive. One can.
            await asyncio.sleep(0.5)
            assert other.exists("/dubbo/demo.Catalog/providers").cversion == 3
            assert other.exists(f"/dubbo/demo.Catalog/providers/{name}").ephemeralOwner == two._session.session_id
            await two.unregister(at(1, SERVICE))
            await eventually(lambda: other.get_children("/dubbo/demo.Catalog/providers") == [name])
            await one.unregister(at(1, SERVICE))
            assert other.get_children("/dubbo/demo.Catalog/providers") == []


async def test_nodes_made_with_a_credential_are_for_its_holders_alone(place: str) -> None:
    async with running(place, credential="shop:secret") as registry:
        await registry.register(at(1, SERVICE))
        with other_client(place, auth_data=[("digest", "shop:secret")]) as holder:
            (name,) = holder.get_children("/dubbo/demo.Catalog/providers")
            ((permissions, identity),) = holder.get_acls(f"/dubbo/demo.Catalog/providers/{name}")[0]
            # CREATOR_ALL_ACL: all five permissions, of the digest of the creator.
            assert (permissions, identity.scheme, identity.id.partition(":")[0]) == (31, "digest", "shop")
        with other_client(place) as stranger, pytest.raises(NoAuthError):
            stranger.get_children("/dubbo/demo.Catalog/providers")
        async with running(place, credential="shop:secret") as same:
            async with aclosing(same.watch(SERVICE)) as snapshots:
                await next_that(snapshots, fresh_ports(1))
            assert {each.what: each.is_well for each in await same.diagnose()}["permission"]
        async with running(place) as stranger_registry:
            with pytest.raises(RegistryError, match="does not permit"):
                await stranger_registry.listing()
            findings = await stranger_registry.diagnose()
            assert [each.what for each in findings if not each.is_well] == ["answers"]


async def test_consumers_are_shown_and_everything_can_be_listed(place: str) -> None:
    consumer = Consumer(SERVICE, "shop", "10.0.0.9", "dubbo")
    async with running(place) as registry:
        assert isinstance(registry, ConsumerRegistry)
        assert isinstance(registry, ListedRegistry)
        assert isinstance(registry, DiagnosableRegistry)
        await registry.register(at(1, SERVICE))
        await registry.register(at(2, ServiceKey("demo.Other", "blue")))
        await registry.register_consumer(consumer)
        with other_client(place) as other:
            other.create(f"/dubbo/demo.Catalog/consumers/{node_of('x')}")
            other.create("/dubbo/config/dubbo/demo.Catalog.configurators", makepath=True)
        listing = await registry.listing()
        assert sorted(each.port for each in listing.endpoints) == [1, 2]
        assert [(each.identity, each.protocol) for each in listing.consumers] == [(consumer.identity, "dubbo")]
        assert len(listing.skipped) == 1
        await registry.unregister_consumer(consumer)
        assert (await registry.listing()).consumers == []


async def test_what_others_announced_can_be_taken_back(place: str) -> None:
    with other_client(place) as other:
        for url in (JAVA_URL, JAVA_URL.replace("=77", "=78"), JAVA_URL + "&group=blue"):
            other.create(f"/dubbo/demo.Catalog/providers/{node_of(url)}", makepath=True)
        async with running(place) as registry:
            assert isinstance(registry, EditableRegistry)
            assert await registry.remove(Endpoint("dubbo", "10.0.0.1", 20880, SERVICE))
            assert len(other.get_children("/dubbo/demo.Catalog/providers")) == 1
            assert not await registry.remove(Endpoint("dubbo", "10.0.0.1", 20880, SERVICE))
            assert not await registry.remove(Endpoint("dubbo", "10.0.0.1", 20880, ServiceKey("demo.Unknown")))


async def test_what_is_wrong_is_found(place: str) -> None:
    async with running(place) as registry:
        named = {each.what: each for each in await registry.diagnose()}
        assert [each.what for each in named.values() if not each.is_well] == ["root"]
        await registry.register(at(1, SERVICE))
        with other_client(place) as other:
            other.create(f"/dubbo/demo.Catalog/providers/{JAVA_NODE.replace('10.0.0.1', '127.0.0.1')}")
            other.create("/dubbo/demo.Catalog/providers/rubbish")
        named = {each.what: each for each in await registry.diagnose()}
        assert [each.what for each in named.values() if not each.is_well] == [
            "entries",
            "stale nodes",
            "providers' ports",
        ]
        assert named["stale nodes"].detail == "1: dubbo://127.0.0.1:20880/demo.Catalog"
        assert all(each.advice for each in named.values() if not each.is_well)
        with other_client(place) as other:
            assert [each for each in other.get_children("/dubbo") if "probe" in each] == []


async def test_closing_takes_everything_back_and_ends_watches(place: str) -> None:
    with other_client(place) as other:
        async with running(place) as registry:
            snapshots = registry.watch(SERVICE)
            await registry.register(at(1, SERVICE))
            await next_that(snapshots, fresh_ports(1))
            await registry.aclose()
            assert await anext(snapshots, None) is None
            assert other.get_children("/dubbo/demo.Catalog/providers") == []
            assert [each async for each in registry.watch(SERVICE)] == []
            await registry.unregister(at(1, SERVICE))
            with pytest.raises(RuntimeError, match="closed"):
                await registry.register(at(1, SERVICE))


async def test_a_watch_that_nobody_reads_costs_nothing_more(place: str) -> None:
    async with running(place) as registry:
        tasks = len(asyncio.all_tasks())
        async with aclosing(registry.watch(SERVICE)) as one, aclosing(registry.watch(SERVICE)) as two:
            await next_that(one, fresh_ports())
            await next_that(two, fresh_ports())
            assert len(asyncio.all_tasks()) == tasks + 1
        assert len(asyncio.all_tasks()) == tasks
        assert registry._session._watchers == {}


def test_the_plugin_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    ensemble = parse_ensemble("127.0.0.1:1")
    # Whoever reads or makes a configuration sees to it: tests/unit/config/test_plugin_check.py, runtime/test_build.py.
    assert PLUGIN.options["address"].required
    with pytest.raises(RegistryError, match="user:password"):
        PLUGIN.build({"address": ensemble, "credential": "secret"})
    for name in [each for each in sys.modules if each.startswith(("kazoo", "registry.zookeeper.registry"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "registry.zookeeper.session")
    monkeypatch.setitem(sys.modules, "kazoo", None)
    with pytest.raises(RegistryError, match=r"polyport\[zookeeper\]"):
        PLUGIN.build({"address": ensemble})
