"""What only the Redis store does: a server that is away, comes back, asks for a password or keeps nothing."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from gateway.failback.redis_store import RedisStore
from gateway.spi.failback import StoredCall, StoreError
from tests.support.redis_server import RedisServer, redis_server


def call(name: str) -> StoredCall:
    return StoredCall(name, "orders", 0.0, 1e10, 0.0, b"{}", f"d-{name}")


async def test_a_server_that_is_away_refuses_calls_and_takes_them_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = RedisServer(tmp_path)
    store = RedisStore(server.url, "test", 10, 1_000)
    await store.start()
    assert "calls cannot be kept at the moment" in caplog.text
    with pytest.raises(StoreError, match=rf"redis://127\.0\.0\.1:{server.port}/0 \(test\): "):
        await store.add(call("a"))
    try:
        server.start()
        await store.add(call("a"))
        server.kill()
        with pytest.raises(StoreError):
            await store.claim("orders", 1, 60.0)
        server.start()
        assert [each.id for each in await store.claim("orders", 1, 60.0)] == ["a"]
    finally:
        server.kill()
        await store.aclose()


async def test_a_server_without_an_append_only_file_is_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with redis_server(tmp_path, append=False) as server:
        store = RedisStore(server.url, "test", 10, 1_000)
        await store.start()
        await store.aclose()
    assert "has no append-only file" in caplog.text


async def test_a_password_is_shown_to_the_server_and_to_nobody_else(tmp_path: Path) -> None:
    with redis_server(tmp_path, password="hunter2") as server:
        wrong = RedisStore(server.url, "test", 10, 1_000)
        with pytest.raises(StoreError, match="Authentication required"):
            await wrong.tally()
        await wrong.aclose()
        store = RedisStore(server.url, "test", 10, 1_000, password="hunter2")
        await store.add(call("a"))
        await store.aclose()
        inside = RedisStore(f"redis://:hunter2@127.0.0.1:{server.port}/0", "test", 10, 1_000)
        assert (await inside.tally())["orders"].waiting == 1
        await inside.aclose()
    assert "hunter2" not in store.description + inside.description


async def test_groups_of_one_server_share_nothing(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        one, other = RedisStore(server.url, "one", 10, 1_000), RedisStore(server.url, "other", 10, 1_000)
        await one.add(call("a"))
        assert await other.tally() == {}
        assert await other.claim("orders", 1, 60.0) == []
        await one.aclose()
        await other.aclose()
