"""Servers that go and come back, and others that take their place."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.spi.registry import Freshness
from registry.redis.address import parse_peers
from registry.redis.clock import ServerClock
from registry.redis.layout import Layout
from registry.redis.link import Link
from registry.redis.sweep import Sweep
from tests.support.redis_registry import KEY, SERVICE, eventually, java_url, provider, redis_registry, stock, watching
from tests.support.redis_server import RedisServer, redis_server

BACK_S = 8.0


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("redis")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path, append=False) as found:
        yield found


async def test_a_server_that_comes_back_empty_is_told_everything_again(server: RedisServer) -> None:
    async with (
        stock(server.url) as client,
        redis_registry(server.url) as ours,
        redis_registry(server.url) as theirs,
        watching(theirs) as watcher,
    ):
        for port in (1, 2, 3):
            await ours.register(provider(port))
        await watcher.sees(1, 2, 3)
        server.kill()
        await watcher.sees(1, 2, 3, freshness=Freshness.STALE)
        # What changes meanwhile is made up for.
        await ours.unregister(provider(1))
        await ours.register(provider(4))
        server.start()
        await eventually(lambda: 4 in watcher.ports, BACK_S)
        assert watcher.freshness is Freshness.FRESH
        assert {2, 3, 4} <= set(watcher.ports)
        deadline = time.monotonic() + BACK_S
        while len(await client.hgetall(KEY)) != 3:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        assert all(snapshot.endpoints for snapshot in watcher.snapshots[3:])


async def test_however_long_a_server_was_away_it_is_found_within_a_lease(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As after many attempts.
    monkeypatch.setattr("registry.redis.session._FIRST_BACK_OFF_S", 60.0)
    server.stop()
    async with redis_registry(server.url, session_s=1.0) as ours:
        await ours._session.tried.wait()
        server.start()
        await eventually(lambda: ours._session.link is not None, 1.0)


async def test_what_is_withdrawn_while_a_server_is_away_is_gone_from_it_afterwards(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        async with (
            stock(server.url) as client,
            redis_registry(server.url) as ours,
            redis_registry(server.url) as theirs,
            watching(theirs) as watcher,
        ):
            await ours.register(provider(1))
            await ours.register(provider(2))
            await watcher.sees(1, 2)
            server.kill()
            await watcher.sees(1, 2, freshness=Freshness.STALE)
            await ours.unregister(provider(1))
            server.start()
            await eventually(lambda: watcher.freshness is Freshness.FRESH, BACK_S)
            deadline = time.monotonic() + BACK_S
            while len(await client.hgetall(KEY)) != 1:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)


async def test_the_next_server_of_the_list_takes_over_until_the_first_is_back(
    server: RedisServer, folder: Path
) -> None:
    with redis_server(folder, append=False) as second:
        both = f"{server.url},{second.url}"
        async with redis_registry(both) as ours, redis_registry(both) as theirs, watching(theirs) as watcher:
            await ours.register(provider(1))
            await watcher.sees(1)
            server.kill()
            await eventually(lambda: watcher.freshness is Freshness.STALE)
            await eventually(lambda: watcher.freshness is Freshness.FRESH, BACK_S)
            await ours.register(provider(2))
            await watcher.sees(1, 2, within_s=BACK_S)
            async with stock(second.url) as client:
                assert await client.hlen(KEY) == 2
            server.start()
            async with stock(server.url) as client:
                deadline = time.monotonic() + 2 * BACK_S
                while await client.hlen(KEY) != 2:
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.02)
            await ours.register(provider(3))
            await watcher.sees(1, 2, 3, within_s=BACK_S)
            assert watcher.withdrawn == []


async def test_a_replica_is_no_place_to_announce(server: RedisServer, folder: Path) -> None:
    with redis_server(folder, "--replicaof", "127.0.0.1", str(server.port), append=False) as replica:
        async with stock(server.url) as client, redis_registry(f"{replica.url},{server.url}") as ours:
            await ours.register(provider(1))
            deadline = time.monotonic() + BACK_S
            while await client.hlen(KEY) != 1:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)


async def test_a_server_that_hangs_is_left(server: RedisServer, folder: Path) -> None:
    with redis_server(folder, append=False) as second:
        both = f"{server.url},{second.url}"
        async with redis_registry(both, timeout_s=0.3) as ours, watching(ours) as watcher:
            await ours.register(provider(1))
            await watcher.sees(1)
            server.pause()
            try:
                await eventually(lambda: watcher.freshness is Freshness.STALE, BACK_S)
                await eventually(lambda: watcher.freshness is Freshness.FRESH, BACK_S)
            finally:
                server.go_on()


async def test_sentinel_names_the_server(server: RedisServer, folder: Path) -> None:
    (folder / "sentinel.conf").write_text(f"sentinel monitor main 127.0.0.1 {server.port} 1\n")
    with redis_server(folder, append=False) as sentinel:
        sentinel.kill()
        sentinel._command = [
            *("redis-server", str(folder / "sentinel.conf"), "--sentinel", "--port", str(sentinel.port)),
            *("--bind", "127.0.0.1"),
        ]
        sentinel.start()
        address = f"redis+sentinel://127.0.0.1:{sentinel.port}/main/0"
        async with redis_registry(address) as ours, redis_registry(server.url) as theirs, watching(theirs) as watcher:
            await ours.register(provider(1))
            await watcher.sees(1)
            async with watching(ours) as own:
                await own.sees(1)


async def test_a_cluster_is_one_registry(folder: Path) -> None:
    other = ServiceKey("demo.Other")
    with redis_server(folder, "--cluster-enabled", "yes", append=False) as node:
        async with stock(node.url) as client:
            await client.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
            while "cluster_state:ok" not in str(await client.execute_command("CLUSTER", "INFO")):
                await asyncio.sleep(0.02)
        address = f"redis+cluster://127.0.0.1:{node.port}"
        async with (
            redis_registry(address, session_s=1.0) as ours,
            watching(ours) as watcher,
            watching(ours, other) as beside,
        ):
            await watcher.sees()
            await ours.register(provider(1))
            await ours.register(Endpoint("dubbo", "10.0.0.1", 2, other))
            await watcher.sees(1)
            await beside.sees(2)
            await ours.unregister(provider(1))
            await watcher.sees()
            assert watcher.withdrawn == [1]
            assert len((await ours.listing()).endpoints) == 1
            findings = await ours.diagnose()
            assert [each.detail for each in findings if not each.is_well] == []


async def test_what_the_dead_left_behind_is_removed(server: RedisServer) -> None:
    now = time.monotonic()
    clock = ServerClock(lambda: now)
    link = Link(parse_peers(server.url)[0], "", 1.0)
    sweep = Sweep(Layout(), clock, 1.0)

    async def no_pause() -> None:
        await asyncio.sleep(0)

    def lease(seconds: float) -> str:
        return str(int((time.time() + seconds) * 1000))

    async with stock(server.url) as client:
        await clock.measure(link.client)
        await client.hset(KEY, java_url(1), lease(-60))
        await client.hset(KEY, java_url(2), lease(-60))
        await client.hset(KEY, java_url(3), lease(60))
        await client.hset(KEY, java_url(4).replace("dynamic=true", "dynamic=false"), lease(-60))
        await client.hset("/dubbo/demo.Catalog/routers", "route://x", lease(-60))
        await client.set("/dubbo/odd/providers", "no hash")
        assert await sweep.once(link, no_pause) == 0
        now += 241.0
        # Its clock is late, but it lives.
        await client.hset(KEY, java_url(2), lease(-50))
        pubsub = client.pubsub()
        await pubsub.psubscribe("/dubbo/*")
        await pubsub.get_message(timeout=1.0)
        assert await sweep.once(link, no_pause) == 1
        assert java_url(1) not in await client.hgetall(KEY)
        assert await client.hlen(KEY) == 3
        message = await pubsub.get_message(timeout=1.0)
        assert message is not None
        assert (message["channel"], message["data"]) == (KEY, "unregister")
        await pubsub.aclose()
    await link.aclose()


async def test_a_password_is_shown_to_the_server_and_to_nobody_else(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with redis_server(folder, append=False, password="hunter2") as locked:
        async with redis_registry(locked.url) as wrong:
            (finding,) = await wrong.diagnose()
            assert not finding.is_well
            assert "credential" in finding.advice
            await eventually(lambda: "no connection" in caplog.text)
        async with redis_registry(locked.url, password="hunter2") as ours, watching(ours) as watcher:
            await ours.register(provider(1))
            await watcher.sees(1)
        inside = locked.url.replace("redis://", "redis://:hunter2@")
        async with redis_registry(inside) as ours, watching(ours, SERVICE) as watcher:
            await watcher.sees()
            assert "hunter2" not in str(await ours.diagnose())
    assert "hunter2" not in caplog.text


async def test_what_is_wrong_with_a_registry_is_found(server: RedisServer) -> None:
    async with redis_registry(server.url) as ours:
        findings = await ours.diagnose()
        assert [each for each in findings if not each.is_well or each.advice] == []
        async with stock(server.url) as client:
            assert await client.keys("*") == []
            await client.set("/dubbo/odd", "no hash")
            await client.hset(KEY, java_url(1), "1")
            await client.config_set("maxmemory", "100mb")
            await client.config_set("maxmemory-policy", "allkeys-lru")
            await client.execute_command(
                "ACL", "SETUSER", "low", "on", ">pw", "~/dubbo/*", "&*", "+@read", "+ping", "+info", "+scan", "+time"
            )
        found = {each.what.split()[0]: each for each in await ours.diagnose()}
        assert {name for name, each in found.items() if not each.is_well} == {"keys", "leases", "eviction"}
        assert "/dubbo/odd is a string" in found["keys"].detail
        assert "1 of 1 entries" in found["leases"].detail
        assert all(each.advice for each in found.values() if not each.is_well)
    async with redis_registry(server.url.replace("redis://", "redis://low:pw@")) as low:
        found = {each.what.split()[0]: each for each in await low.diagnose()}
        assert not found["permissions"].is_well
        assert {"HSET", "PUBLISH", "PSUBSCRIBE"} <= {
            each.split(":")[0].strip() for each in found["permissions"].detail.split(";")
        }
    async with redis_registry(server.url, wall=lambda: time.time() + 300) as early:
        found = {each.what.split()[0]: each for each in await early.diagnose()}
        assert not found["clock"].is_well
        assert "300.0 s ahead" in found["clock"].detail
