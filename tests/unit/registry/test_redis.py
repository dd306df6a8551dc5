"""The registry over a real Redis server: what is announced is found, whatever the server goes through."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import RegistryError
from gateway.spi.registry import Freshness
from gateway.spi.registry_ability import ConsumerRegistry, DiagnosableRegistry, EditableRegistry, ListedRegistry
from registry.entries import MAX_ENTRY
from registry.redis.plugin import PLUGIN
from tests.support.redis_registry import (
    KEY,
    SERVICE,
    eventually,
    java_url,
    provider,
    redis_registry,
    stock,
    watching,
)
from tests.support.redis_server import RedisServer, redis_server

SOON_S = 0.2


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis"), append=False) as server:
        yield server


@pytest.fixture
async def server(shared: RedisServer) -> RedisServer:
    """One that holds nothing."""
    async with stock(shared.url) as client:
        await client.flushall()
    return shared


def lease(seconds: float) -> str:
    return str(int((time.time() + seconds) * 1000))


async def test_what_is_announced_is_seen_soon_and_withdrawn_by_its_own_word(server: RedisServer) -> None:
    async with redis_registry(server.url) as ours, redis_registry(server.url) as theirs, watching(theirs) as watcher:
        await watcher.sees()
        await ours.register(provider(1))
        await watcher.sees(1, within_s=SOON_S)
        await ours.register(provider(1, weight=7))
        await eventually(lambda: [each.weight for each in watcher.snapshots[-1].endpoints] == [7], SOON_S)
        await ours.register(provider(2))
        await watcher.sees(1, 2, within_s=SOON_S)
        assert watcher.withdrawn == []
        await ours.unregister(provider(1))
        await watcher.sees(2, within_s=SOON_S)
        assert watcher.withdrawn == [1]
        await ours.unregister(provider(9))


async def test_the_layout_is_that_of_dubbo(server: RedisServer) -> None:
    consumer = Consumer(SERVICE, "shop", "10.0.0.9", "dubbo")
    async with stock(server.url) as client, redis_registry(server.url) as ours, watching(ours) as watcher:
        await watcher.sees()
        pubsub = client.pubsub()
        await pubsub.psubscribe("/dubbo/demo.Catalog/*")
        await pubsub.get_message(timeout=1.0)
        await ours.register(provider(1))
        await ours.register_consumer(consumer)
        assert sorted(await client.keys("*")) == ["/dubbo/demo.Catalog/consumers", KEY]
        ((field, value),) = (await client.hgetall(KEY)).items()
        assert field.startswith("dubbo://10.0.0.1:1/demo.Catalog?category=providers&")
        assert 58_000 < int(value) - time.time() * 1000 <= 60_000
        assert await client.ttl(KEY) == -1
        assert list(await client.hgetall("/dubbo/demo.Catalog/consumers")) == [consumer.url]
        await ours.unregister(provider(1))
        await ours.unregister_consumer(consumer)
        assert await client.keys("*") == []
        messages = [await pubsub.get_message(timeout=1.0) for _ in range(4)]
        assert [(each["channel"], each["data"]) for each in messages if each] == [
            (KEY, "register"),
            ("/dubbo/demo.Catalog/consumers", "register"),
            (KEY, "unregister"),
            ("/dubbo/demo.Catalog/consumers", "unregister"),
        ]
        await pubsub.aclose()


async def test_what_java_writes_is_read(server: RedisServer) -> None:
    """Field and value as in RedisRegistry.doRegister of Dubbo 2.7; the rules as dubbo-admin writes them."""
    route = "route://0.0.0.0/demo.Catalog?category=routers&dynamic=false&name=r&rule=host%20%3D%20a%20%3D%3E%20&runtime=false"
    override = "override://0.0.0.0/demo.Catalog?category=configurators&dynamic=false&timeout=7"
    async with stock(server.url) as client, redis_registry(server.url) as ours, watching(ours) as watcher:
        await watcher.sees()
        await client.hset(KEY, java_url(1), lease(60))
        await client.publish(KEY, "register")
        await watcher.sees(1, within_s=SOON_S)
        (found,) = watcher.snapshots[-1].endpoints
        assert (found.host, found.parameters["release"], found.parameters["methods"]) == (
            "10.0.0.2",
            "2.7.23",
            "find,put",
        )
        for rule, category in ((route, "routers"), (override, "configurators")):
            await client.hset(f"/dubbo/demo.Catalog/{category}", rule, lease(-60))
            await client.publish(f"/dubbo/demo.Catalog/{category}", "register")
        await eventually(lambda: watcher.snapshots[-1].routers == (route,), SOON_S)
        await eventually(lambda: watcher.snapshots[-1].configurators == (override,), SOON_S)
        await client.hdel(KEY, java_url(1))
        await client.publish(KEY, "unregister")
        await watcher.sees(within_s=SOON_S)
        assert watcher.withdrawn == [1]


async def test_groups_and_versions_of_an_interface_are_told_apart(server: RedisServer) -> None:
    blue, red = ServiceKey("demo.Catalog", "blue", "1.0"), ServiceKey("demo.Catalog", "red", "1.0")
    any_group = ServiceKey("demo.Catalog", "*", "1.0")
    async with redis_registry(server.url) as ours, watching(ours, blue) as one, watching(ours, any_group) as every:
        await ours.register(Endpoint("dubbo", "10.0.0.1", 1, blue))
        await ours.register(Endpoint("dubbo", "10.0.0.1", 2, red))
        await one.sees(1)
        await every.sees(1, 2)
        async with watching(ours, red) as late:
            await late.sees(2)


async def test_an_interface_with_signs_of_patterns_is_one_as_all_others(server: RedisServer) -> None:
    odd = ServiceKey("demo.*[x]?")
    async with redis_registry(server.url) as ours, watching(ours, odd) as watcher:
        await watcher.sees()
        await ours.register(Endpoint("dubbo", "10.0.0.1", 1, odd))
        await watcher.sees(1, within_s=SOON_S)


async def test_an_entry_whose_lease_ends_vanishes_without_a_message(server: RedisServer) -> None:
    async with stock(server.url) as client, redis_registry(server.url) as ours, watching(ours) as watcher:
        await client.hset(KEY, java_url(1), lease(0.5))
        await client.hset(KEY, java_url(2), lease(60))
        await client.hset(KEY, java_url(3), lease(-1))
        await client.hset(KEY, java_url(4, "&dynamic=false").replace("dynamic=true&", ""), lease(-1))
        await watcher.sees(1, 2, 4)
        await watcher.sees(2, 4, within_s=1.0)
        assert watcher.withdrawn == []


async def test_leases_are_renewed_at_half_life(server: RedisServer) -> None:
    async with (
        stock(server.url) as client,
        redis_registry(server.url, session_s=1.0) as ours,
        redis_registry(server.url) as theirs,
        watching(theirs) as watcher,
    ):
        await ours.register(provider(1))
        await watcher.sees(1)
        values = set()
        deadline = time.monotonic() + 1.6
        while time.monotonic() < deadline:
            ((_, value),) = (await client.hgetall(KEY)).items()
            values.add(value)
            assert int(value) > time.time() * 1000
            await asyncio.sleep(0.05)
        assert len(values) >= 3
        assert [snapshot for snapshot in watcher.snapshots if snapshot.endpoints == ()] in ([], watcher.snapshots[:1])
        assert watcher.ports == [1]


async def test_a_server_that_is_emptied_is_told_again_and_nobody_loses_a_provider(server: RedisServer) -> None:
    async with (
        stock(server.url) as client,
        redis_registry(server.url, session_s=1.0) as ours,
        redis_registry(server.url) as theirs,
        watching(theirs) as watcher,
    ):
        await ours.register(provider(1))
        await ours.register(provider(2))
        await watcher.sees(1, 2)
        shown = len(watcher.snapshots)
        await client.flushall()
        deadline = time.monotonic() + 1.0
        while await client.hlen(KEY) != 2:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        await ours.register(provider(3))
        await watcher.sees(1, 2, 3)
        assert [each.port for each in watcher.snapshots[shown].endpoints] == [1, 2, 3]
        assert watcher.withdrawn == []


async def test_a_clock_of_ours_that_is_five_minutes_off_does_no_harm(server: RedisServer) -> None:
    def wall() -> float:
        return time.time() - 300

    async with (
        stock(server.url) as client,
        redis_registry(server.url, wall=wall) as late,
        redis_registry(server.url, wall=lambda: time.time() + 300) as early,
        watching(late) as seen_by_late,
        watching(early) as seen_by_early,
    ):
        await late.register(provider(1))
        await early.register(provider(2))
        await client.hset(KEY, java_url(3), lease(30))
        await client.hset(KEY, java_url(4), lease(-2))
        await client.publish(KEY, "none of ours")
        await client.publish(KEY, "register")
        for watcher in (seen_by_late, seen_by_early):
            # The entry of 4 came while they looked, and may be of somebody with a late clock.
            await eventually(lambda watcher=watcher: {1, 2, 3} <= set(watcher.ports))  # type: ignore[misc]
        for value in await client.hvals(KEY):
            assert abs(int(value) / 1000 - time.time()) < 61


async def test_somebody_with_a_late_clock_is_shown_while_it_is_refreshed(server: RedisServer) -> None:
    async with (
        stock(server.url) as client,
        redis_registry(server.url, session_s=1.0) as ours,
        watching(ours) as watcher,
    ):
        await client.hset(KEY, java_url(1), lease(-300))
        await watcher.sees()
        for step in range(1, 7):
            await client.hset(KEY, java_url(1), lease(-300 + step))
            await asyncio.sleep(0.25)
        assert watcher.ports == [1]
        await watcher.sees(within_s=2.0)
        assert watcher.withdrawn == []


async def test_what_is_no_provider_is_skipped_and_the_others_stay(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with stock(server.url) as client, redis_registry(server.url) as ours:
        await client.hset(KEY, java_url(1), lease(60))
        for field, value in (
            ("no URL", lease(60)),
            ("dubbo://10.0.0.1:1/demo.Catalog?token=hunter2&x=" + "y" * MAX_ENTRY, lease(60)),
            ("dubbo://10.0.0.1:99999/demo.Catalog", lease(60)),
            ("script://0.0.0.0/demo.Catalog?rule=rm", lease(60)),
            ("dubbo://10.0.0.9:9/other.Service?interface=other.Service", lease(60)),
            (java_url(2), "soon"),
            (java_url(3), ""),
        ):
            await client.hset(KEY, field, value)
        await client.hset(KEY, b"dubbo://10.0.0.1:5/demo.Catalog?x=\xff\xfe", lease(60))  # type: ignore[arg-type]
        await client.set("/dubbo/demo.Catalog/routers", "no hash")
        async with watching(ours) as watcher:
            await watcher.sees(1)
        listing = await ours.listing()
    assert "is skipped" in caplog.text
    assert "is not read" in caplog.text
    assert "hunter2" not in caplog.text
    assert [each.port for each in listing.endpoints] == [1, 9]
    assert len(listing.skipped) == 7


async def test_a_hash_of_the_wrong_type_stops_nothing_else(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    other = ServiceKey("demo.Other")
    async with (
        stock(server.url) as client,
        redis_registry(server.url) as ours,
        watching(ours) as watcher,
        watching(ours, other) as beside,
    ):
        await client.set(KEY, "no hash")
        await ours.register(provider(1))
        await ours.register(Endpoint("dubbo", "10.0.0.1", 2, other))
        await beside.sees(2)
        await watcher.sees()
        assert "cannot write, trying again" in caplog.text
        await client.delete(KEY)
        await watcher.sees(1)


async def test_a_registry_that_is_closed_leaves_nothing_behind(server: RedisServer) -> None:
    async with stock(server.url) as client:
        async with redis_registry(server.url) as ours, watching(ours) as watcher:
            await ours.register(provider(1))
            await ours.register_consumer(Consumer(SERVICE, "shop", "10.0.0.9"))
            await watcher.sees(1)
        assert await client.keys("*") == []
        await eventually(lambda: watcher.ports == [1])
    async with redis_registry(server.url) as ours:
        iterator = ours.watch(SERVICE)
        await anext(iterator)
        reading = asyncio.create_task(anext(iterator, None))
        await ours.aclose()
        async with asyncio.timeout(1.0):
            while await reading is not None:
                reading = asyncio.create_task(anext(iterator, None))


async def test_everything_is_listed(server: RedisServer) -> None:
    consumer = Consumer(SERVICE, "shop", "10.0.0.9", "dubbo")
    async with stock(server.url) as client, redis_registry(server.url) as ours:
        assert isinstance(ours, ConsumerRegistry)
        assert isinstance(ours, ListedRegistry)
        assert isinstance(ours, DiagnosableRegistry)
        await ours.register(provider(1))
        await ours.register(Endpoint("http", "10.0.0.1", 2, ServiceKey("demo.Other", "blue")))
        await ours.register_consumer(consumer)
        await client.hset(KEY, java_url(3), lease(-30))
        listing = await ours.listing()
    assert sorted(each.port for each in listing.endpoints) == [1, 2]
    assert [each.identity for each in listing.consumers] == [consumer.identity]
    assert [each.reason for each in listing.skipped] == ["its lease ended 30 s ago"]


async def test_people_take_back_what_others_announced(server: RedisServer) -> None:
    async with stock(server.url) as client, redis_registry(server.url) as ours, watching(ours) as watcher:
        await client.hset(KEY, java_url(1), lease(60))
        await client.hset(KEY, java_url(1, "&weight=7"), lease(50))
        await client.hset(KEY, java_url(2), lease(60))
        await watcher.sees(1, 2)
        (endpoint,) = [each for each in watcher.snapshots[-1].endpoints if each.port == 1]
        assert isinstance(ours, EditableRegistry)
        assert await ours.remove(endpoint)
        await watcher.sees(2, within_s=SOON_S)
        assert watcher.withdrawn == [1]
        assert list(await client.hgetall(KEY)) == [java_url(2)]
        assert not await ours.remove(endpoint)
        assert not await ours.remove(Endpoint("dubbo", "10.0.0.1", 1, ServiceKey("demo.Nothing")))


@pytest.mark.serial("within 1.5 s")
async def test_a_registry_that_is_away_is_said_to_be(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.WARNING)
    server = RedisServer(tmp_path)
    async with redis_registry(server.url) as ours, watching(ours) as watcher:
        began = time.monotonic()
        await ours.register(provider(1))
        await ours.register(provider(2))
        assert time.monotonic() - began < 1.5
        assert watcher.freshness is Freshness.UNKNOWN
        with pytest.raises(RegistryError, match="there is no connection"):
            await ours.listing()
        (finding,) = await ours.diagnose()
        assert not finding.is_well
        assert finding.advice
        try:
            server.start()
            await watcher.sees(1, 2, within_s=10.0)
        finally:
            server.kill()
    assert "no connection, trying again" in caplog.text


def test_the_plugin_builds_one_without_connecting() -> None:
    options = {"address": PLUGIN.options["address"].parse("redis://127.0.0.1:1")}  # type: ignore[misc]
    registry = PLUGIN.build({**options, "credential": "pw", "group": "x", "session": 30.0, "timeout": 1.0})
    assert isinstance(registry, ListedRegistry)
    PLUGIN.build({})
