"""memcached:// in data mode against a real memcached."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from pymemcache.client.base import Client

from adapters.data.memcached import MemcachedDataClient
from bench.registries.server import Server
from gateway import connect
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    DeadlineExceeded,
    Overloaded,
    ProviderFailed,
    Retry,
    Unauthenticated,
)
from protocols.data.command import parse_command
from tests.support.data_shop import Colour, Item, NotThere, Shop, calling
from tests.support.memcached_server import memcached_server
from tests.support.running import running

TEA = Item("茶", 3, Colour.BLUE)
COMMANDS = {
    name: parse_command(text)
    for name, text in {
        "find": "get NotThere=miss",
        "lend": "add",
        "several": "mget",
        "count": 'incr(key="visits:{region}:{page}", delta=by)',
        "versioned": "gets",
        "swap": "cas",
        "load": "gat(sku, ttl=60)",
    }.items()
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with memcached_server(tmp_path_factory.mktemp("memcached")) as made:
        yield made


@pytest.fixture
def raw(server: Server) -> Iterator[Client]:
    client = Client(server.address, default_noreply=False)
    client.flush_all()
    yield client
    client.close()


def calls(server: Server, **options: Any) -> Any:
    return calling(MemcachedDataClient(), "memcached", server.port, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"encoding": "plain"},
        {"encoding": "json"},
        {"encoding": "hessian2"},
        {"encoding": "java", "serial_version_uids": {"shop.Item": 1}},
    ],
    ids=lambda options: options["encoding"],
)
async def test_get_set_and_delete_need_no_commands(server: Server, raw: Client, options: Any) -> None:
    async with calls(server, prefix="item:", **options) as call:
        assert await call("get", "a") is None
        assert await call("set", "a", TEA) is None
        assert await call("get", "a") == TEA
        assert raw.get("item:a") is not None
        assert await call("delete", "a") is True
        assert await call("delete", "a") is False


async def test_methods_are_the_commands_that_an_option_names(server: Server, raw: Client) -> None:
    async with calls(server, commands=COMMANDS, prefix="p:") as call:
        missing = await call("find", "x")
        assert (missing.type_name, dict(missing.fields)) == ("shop.NotThere", {"sku": "x"})
        assert await call("lend", "x", TEA, dt.timedelta(seconds=90)) is True
        assert await call("lend", "x", TEA, None) is False
        assert await call("find", "x") == TEA
        await call("set", "y", Item("b", 1))
        assert await call("several", ["y", "nobody", "x"]) == {"y": Item("b", 1), "x": TEA}
        raw.set("p:visits:c:a%3Ab", b"1")
        assert await call("count", "a:b", "c", 5) == 6
        assert await call("load", "y") == Item("b", 1)
        found = await call("versioned", "y")
        assert found.value == Item("b", 1)
        assert await call("swap", "y", Item("c", 2), found.version) is True
        assert await call("swap", "y", Item("d", 2), found.version) is False
        assert await call("swap", "nobody", Item("d", 2), found.version) is None
        assert await call("get", "y") == Item("c", 2)
        with pytest.raises(ProviderFailed, match="nothing at the key 'p:visits"):
            await call("count", "other", "c", 1)
        with pytest.raises(BadRequest, match="from 0 to"):
            await call("count", "a:b", "c", -1)


@pytest.mark.parametrize("key", ["a\r\nflush_all\r\n", "a b", "a\0", "\x7f", "k" * 251, "é" * 126])
async def test_keys_that_memcached_cannot_have_are_refused(server: Server, raw: Client, key: str) -> None:
    raw.set("stays", b"1")
    async with calls(server) as call:
        with pytest.raises(BadRequest, match=r"key: a key of memcached has"):
            await call("set", key, TEA)
    assert raw.get("stays") == b"1"


async def test_keys_are_encoded_where_that_is_wanted(server: Server, raw: Client) -> None:
    async with calls(server, keys="encode") as call:
        await call("set", "a b\r\n%é", TEA)
        assert await call("get", "a b\r\n%é") == TEA
        assert raw.get("a%20b%0D%0A%25%C3%A9") is not None
        with pytest.raises(BadRequest, match="at most 250 bytes"):
            await call("get", " " * 84)


async def test_what_is_stored_is_refused_unless_it_is_a_value(server: Server, raw: Client) -> None:
    raw.set("text", b"no item")
    raw.set("pickle", b"\x80\x03N.", flags=1)
    raw.set("visits:a:b", b"x")
    async with calls(server, commands=COMMANDS) as call:
        for key, told in (("text", "stored at the key 'text' cannot be read: not JSON"), ("pickle", "flags are 1")):
            with pytest.raises(ProviderFailed, match=told) as refused:
                await call("get", key)
            assert refused.value.retry is Retry.NEVER
        with pytest.raises(ProviderFailed, match="no number"):
            await call("count", "b", "a", 1)
        with pytest.raises(BadRequest, match="too large"):
            await call("set", "k", Item("x" * 1_100_000, 1))
        # The connection is still where it was.
        assert await call("get", "nobody") is None


async def test_a_password_is_shown_at_the_start_of_a_connection(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("user:secret\n")
    with memcached_server(tmp_path, "-Y", str(tmp_path / "users")) as guarded:
        for options in ({}, {"user": "user", "password": "wrong"}):
            async with calls(guarded, **options) as call:
                with pytest.raises(Unauthenticated):
                    await call("get", "k")
        async with calls(guarded, user="user", password="secret") as call:
            await call("set", "k", TEA)
            assert await call("get", "k") == TEA


async def test_a_silent_server_costs_a_call_its_deadline_and_no_thread() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = MemcachedDataClient(threads=1)
        async with calling(client, "memcached", silent.getsockname()[1], timeout_s=0.2, max_connections=1) as call:
            hurried = call("get", "k", deadline=monotonic() + 0.1)
            first, second = await asyncio.gather(call("get", "k"), hurried, return_exceptions=True)
            assert type(first) is DeadlineExceeded
            assert first.retry is Retry.IF_IDEMPOTENT
            assert type(second) is Overloaded
            with pytest.raises(DeadlineExceeded):
                await call("get", "k")


async def test_a_server_that_was_killed_is_used_again_without_a_restart(tmp_path: Path) -> None:
    with memcached_server(tmp_path) as server:
        async with calls(server, connect_timeout=1.0) as call:
            await call("set", "k", TEA)
            server.kill()
            with pytest.raises(ConnectFailed) as refused:
                await call("get", "k")
            assert refused.value.retry is Retry.SAFE
            assert not call.invoker.available
            server.start()
            async with asyncio.timeout(20):
                while not call.invoker.available:
                    await asyncio.sleep(0.01)
            await call("set", "k", TEA)
            assert await call("get", "k") == TEA


CONFIG = """
application: {{name: cache}}
listeners:
  http: {{protocol: http, host: 127.0.0.1, port: 0}}
services:
  shop.Items:
    contract: tests.support.data_shop:Shop
    listeners: [http]
    remote:
      addresses: ["memcached://127.0.0.1:{port}"]
      options: {{mode: data, prefix: "item:", commands: {{find: get NotThere=miss}}}}
"""


async def test_a_service_on_another_wire_is_kept_in_memcached(server: Server, raw: Client) -> None:
    async with (
        running(CONFIG.format(port=server.port)) as app,
        connect(f"http://{app.listening[0].address}", Shop) as shop,
    ):
        with pytest.raises(NotThere, match="nothing at the key 'item:x'"):
            await shop.find("x")
        await shop.set("x", TEA)
        assert await shop.find("x") == TEA
