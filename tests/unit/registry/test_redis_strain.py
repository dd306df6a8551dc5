"""Many entries, entries that come and go, a server that allows little, and a Sentinel that names another one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ResponseError

import registry.redis.sweep
import registry.redis.watching
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.spi.registry import Freshness
from registry.redis.clock import ServerClock
from registry.redis.hashes import MAX_FIELDS
from tests.support.redis_registry import KEY, eventually, java_url, provider, redis_registry, stock, watching
from tests.support.redis_server import RedisServer, redis_server

BACK_S = 8.0
STALL_S = 0.25
"""The bound is for a machine that does other things, too; alone the longest pause is below 0.05 s."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path, append=False) as found:
        yield found


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("redis")


async def said(client: Redis, *command: str) -> bool:
    try:
        await client.execute_command(*command)
    except ResponseError:
        return False
    return True


def lease(seconds: float) -> str:
    return str(int((time.time() + seconds) * 1000))


@pytest.mark.serial("how long the loop stands still")
async def test_many_services_are_read_without_holding_up_calls(server: RedisServer) -> None:
    services = [f"demo.S{number}" for number in range(200)]
    async with stock(server.url) as client, redis_registry(server.url) as ours:
        async with client.pipeline(transaction=False) as pipeline:
            for name in services:
                urls = [java_url(port).replace("demo.Catalog", name) for port in range(1, 51)]
                pipeline.hset(f"/dubbo/{name}/providers", mapping=dict.fromkeys(urls, lease(60)))
            await pipeline.execute()
        full: set[str] = set()

        async def watch(name: str) -> None:
            async for snapshot in ours.watch(ServiceKey(name)):
                if len(snapshot.endpoints) == 50:
                    full.add(name)

        tasks = [asyncio.create_task(watch(name)) for name in services]
        longest = 0.0
        deadline = time.monotonic() + 10.0
        while len(full) < len(services):
            before = time.monotonic()
            assert before < deadline
            await asyncio.sleep(0)
            longest = max(longest, time.monotonic() - before)
        assert longest < STALL_S
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_a_hash_without_measure_is_read_up_to_a_bound(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with stock(server.url) as client, redis_registry(server.url) as ours:
        async with client.pipeline(transaction=False) as pipeline:
            for start in range(0, MAX_FIELDS + 5_000, 1_000):
                fields = {f"dubbo://10.0.0.1:1/x?n={start + number}": lease(60) for number in range(1_000)}
                pipeline.hset(KEY, mapping=fields)
            await pipeline.execute()
        async with watching(ours) as watcher:
            await watcher.sees()
    assert f"has {MAX_FIELDS + 5_000} fields; {MAX_FIELDS} are read" in caplog.text


async def test_providers_that_come_and_go_all_the_time_cost_a_bounded_number_of_looks(server: RedisServer) -> None:
    async with stock(server.url) as client, redis_registry(server.url) as ours, watching(ours) as watcher:
        await watcher.sees()
        until = time.monotonic() + 1.5
        step = 0
        while time.monotonic() < until:
            step += 1
            async with client.pipeline(transaction=False) as pipeline:
                for port in range(1, 101):
                    if (port + step) % 2:
                        pipeline.hset(KEY, java_url(port), lease(60))
                        pipeline.publish(KEY, "register")
                    else:
                        pipeline.hdel(KEY, java_url(port))
                        pipeline.publish(KEY, "unregister")
                await pipeline.execute()
            await asyncio.sleep(0.02)
        assert len(watcher.snapshots) < 1.5 / 0.02 + 10
        left = sorted(int(each.split(":")[2].split("/")[0]) for each in await client.hkeys(KEY))
        await watcher.sees(*left, within_s=1.0)


@pytest.mark.parametrize("module", ["clock", "watching", "sweep", "session", "session with trouble"])
async def test_what_loses_a_cancellation_ends_all_the_same(
    module: str, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the client library does now and then under Python 3.11, here every time, and in every loop in turn."""
    under_way = asyncio.Event()

    def deaf(original: Callable[..., Awaitable[Any]], nothing: Any) -> Callable[..., Awaitable[Any]]:
        async def ask(*args: Any, **options: Any) -> Any:
            answer = await original(*args, **options)
            if not is_armed:
                return answer
            under_way.set()
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(60.0)
            if isinstance(nothing, Exception):
                raise nothing
            return nothing

        return ask

    is_armed = False
    place, name, nothing = {
        "clock": (ServerClock, "measure", None),
        "watching": (registry.redis.watching, "read_hashes", {}),
        "sweep": (registry.redis.sweep, "read_hashes", {}),
        "session": (PubSub, "get_message", None),
        "session with trouble": (PubSub, "get_message", ConnectionError("away")),
    }[module]
    monkeypatch.setattr(place, name, deaf(getattr(place, name), nothing))
    async with redis_registry(server.url, session_s=0.2) as ours, watching(ours) as watcher:
        await watcher.sees()
        is_armed = True
        await ours.register(provider(1))
        await asyncio.wait_for(under_way.wait(), BACK_S)


async def test_what_may_not_be_read_does_not_stop_the_rest(server: RedisServer) -> None:
    other = ServiceKey("demo.Other")
    async with stock(server.url) as client:
        rights = ("+@all", "-@dangerous", "+info")
        await client.execute_command("ACL", "SETUSER", "low", "on", ">pw", "~/dubbo/demo.Other/*", "&*", *rights)
    low_url = server.url.replace("redis://", "redis://low:pw@")
    async with redis_registry(low_url) as low, watching(low) as hidden, watching(low, other) as shown:
        await shown.sees()
        await low.register(Endpoint("dubbo", "10.0.0.1", 1, other))
        await shown.sees(1)
        assert hidden.freshness is Freshness.UNKNOWN


async def test_who_may_not_listen_is_told_and_does_not_try_all_the_time(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with stock(server.url) as client:
        await client.execute_command("ACL", "SETUSER", "deaf", "on", ">pw", "~*", "resetchannels", "+@all")
        await client.config_resetstat()
        async with (
            redis_registry(server.url.replace("redis://", "redis://deaf:pw@")) as deaf,
            watching(deaf) as watcher,
        ):
            await eventually(lambda: "channel" in caplog.text)
            await asyncio.sleep(0.5)
            assert watcher.freshness is Freshness.UNKNOWN
        assert (await client.info("stats"))["total_connections_received"] < 40


async def test_sentinel_names_another_server(server: RedisServer, tmp_path: Path, folder: Path) -> None:
    (folder / "replica").mkdir()
    with redis_server(folder / "replica", "--replicaof", "127.0.0.1", str(server.port), append=False) as replica:
        # With the replica beside it, which it would otherwise hear of after ten seconds.
        (folder / "sentinel.conf").write_text(
            f"sentinel monitor main 127.0.0.1 {server.port} 1\nsentinel known-replica main 127.0.0.1 {replica.port}\n"
        )
        sentinel = RedisServer(folder)
        sentinel._command = [
            *("redis-server", str(folder / "sentinel.conf"), "--sentinel", "--port", str(sentinel.port)),
            *("--bind", "127.0.0.1"),
        ]
        sentinel.start()
        try:
            async with stock(sentinel.url.removesuffix("/0")) as client:
                deadline = time.monotonic() + BACK_S
                while str(replica.port) not in str(await client.execute_command("SENTINEL", "REPLICAS", "main")):
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.1)
                address = f"redis+sentinel://127.0.0.1:{sentinel.port}/main"
                async with redis_registry(address, session_s=2.0) as ours, watching(ours) as watcher:
                    await ours.register(provider(1))
                    await watcher.sees(1)
                    # It says NOGOODSLAVE until it has heard of the replica.
                    while not await said(client, "SENTINEL", "FAILOVER", "main"):
                        assert time.monotonic() < deadline
                        await asyncio.sleep(0.1)
                    server_is_left = time.monotonic() + 2 * BACK_S
                    async with stock(replica.url) as there:
                        while (await there.info("replication"))["role"] != "master" or await there.hlen(KEY) != 1:
                            assert time.monotonic() < server_is_left
                            await asyncio.sleep(0.05)
                        await ours.register(provider(2))
                        while await there.hlen(KEY) != 2:
                            assert time.monotonic() < server_is_left
                            await asyncio.sleep(0.05)
                    await watcher.sees(1, 2, within_s=BACK_S)
        finally:
            sentinel.kill()
