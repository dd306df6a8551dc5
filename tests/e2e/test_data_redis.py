"""redis:// in data mode against a real Redis."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from redis import Redis

from adapters.data.redis import RedisDataClient
from gateway import connect
from gateway.config.load import load_text
from gateway.model.errors import (
    BadRequest,
    ConfigError,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    NoSuchMethod,
    Overloaded,
    ProviderFailed,
    Retry,
    Unauthenticated,
)
from gateway.plugins.catalog import Catalog
from protocols.data.command import parse_command
from tests.support.data_shop import Colour, Item, NotThere, Shop, calling
from tests.support.redis_server import RedisServer, redis_server
from tests.support.running import running

TEA = Item("茶", 3, Colour.BLUE)
COMMANDS = {
    name: parse_command(text)
    for name, text in {
        "find": "get NotThere=miss",
        "lend": "set",
        "several": "mget",
        "count": 'incr(key="visits:{region}:{page}", delta=by)',
        "left": "ttl",
        "save": "hmset",
        "load": "hgetall",
    }.items()
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis"), append=False) as made:
        yield made


@pytest.fixture
def raw(server: RedisServer) -> Iterator[Redis]:
    with Redis(port=server.port) as client:
        client.flushall()
        yield client


def calls(server: RedisServer, **options: Any) -> Any:
    return calling(RedisDataClient(), "redis", server.port, **options)


@pytest.mark.parametrize("encoding", ["plain", "json", "hessian2"])
async def test_get_set_and_delete_need_no_configuration(server: RedisServer, raw: Redis, encoding: str) -> None:
    async with calls(server, encoding=encoding, prefix="item:") as call:
        assert await call("get", "a b\r\n") is None
        assert await call("set", "a b\r\n", TEA) is None
        assert await call("get", "a b\r\n") == TEA
        assert raw.keys() == [b"item:a b\r\n"]
        assert await call("delete", "a b\r\n") is True
        assert await call("delete", "a b\r\n") is False


async def test_methods_are_the_commands_that_an_option_names(server: RedisServer, raw: Redis) -> None:
    async with calls(server, commands=COMMANDS, prefix="p:", expiry=600.0) as call:
        missing = await call("find", "x")
        assert (missing.type_name, dict(missing.fields)) == ("shop.NotThere", {"sku": "x"})
        assert await call("lend", "x", TEA, dt.timedelta(seconds=90)) is True
        assert 89_000 < raw.pttl("p:x") <= 90_000
        assert dt.timedelta(seconds=89) < await call("left", "x") <= dt.timedelta(seconds=90)
        assert await call("find", "x") == TEA
        await call("set", "y", Item("b", 1))
        assert 599_000 < raw.pttl("p:y") <= 600_000
        assert await call("several", ["y", "nobody", "x"]) == {"y": Item("b", 1), "x": TEA}
        assert await call("several", []) == {}
        assert await call("count", "a:b", "c", 1) == 1
        assert await call("count", "a:b", "c", 5) == 6
        assert raw.get("p:visits:c:a%3Ab") == b"6"
        with pytest.raises(NoSuchMethod, match="unmapped has no command"):
            await call("unmapped")


async def test_a_struct_in_a_hash_forgets_the_fields_that_are_null(server: RedisServer, raw: Redis) -> None:
    async with calls(server, commands=COMMANDS) as call:
        assert await call("load", "h") is None
        await call("save", "h", Item("a", 1, note="old"))
        assert raw.hgetall("h") == {b"name": b"a", b"price": b"1", b"colour": b"RED", b"note": b"old"}
        await call("save", "h", Item("b", 2))
        assert await call("load", "h") == Item("b", 2)


async def test_what_is_stored_is_refused_unless_it_is_a_value(server: RedisServer, raw: Redis) -> None:
    raw.set("text", "no item")
    raw.rpush("list", "x")
    raw.set("visits:a:b", "x")
    async with calls(server, commands=COMMANDS) as call:
        for key, told in (("text", "stored at the key 'text' cannot be read: not JSON"), ("list", "WRONGTYPE")):
            with pytest.raises(ProviderFailed, match=told) as refused:
                await call("get", key)
            assert refused.value.retry is Retry.NEVER
        with pytest.raises(ProviderFailed, match="not an integer"):
            await call("count", "b", "a", 1)
        with pytest.raises(BadRequest, match="ttl: a time to live is more than 0"):
            await call("lend", "k", TEA, dt.timedelta(0))
        assert await call("get", "nobody") is None


async def test_credentials_and_database_are_those_of_the_reference(tmp_path: Path) -> None:
    with redis_server(tmp_path, append=False, password="secret") as guarded:
        for options, told in (({}, "Authentication required"), ({"password": "wrong"}, "(?i)invalid")):
            async with calls(guarded, **options) as call:
                with pytest.raises(Unauthenticated, match=told):
                    await call("get", "k")
        async with calls(guarded, password="secret", database=3) as call:
            await call("set", "k", TEA)
        with Redis(port=guarded.port, password="secret", db=3) as raw:
            assert raw.keys() == [b"k"]


async def test_trouble_says_whether_the_command_may_have_run(server: RedisServer, raw: Redis) -> None:
    async with calls(server, timeout_s=0.6, max_connections=1) as call:
        await call("set", "k", TEA)
        raw.client_pause(900, all=True)
        hurried = call("get", "k", deadline=monotonic() + 0.2)
        first, second = await asyncio.gather(call("get", "k"), hurried, return_exceptions=True)
        assert type(first) is DeadlineExceeded
        assert first.retry is Retry.IF_IDEMPOTENT
        assert type(second) is Overloaded
        assert second.unasked
        # A paused server takes no word about its pause either.
        raw.ping()
        assert await call("get", "k") == TEA


async def test_a_server_that_was_killed_is_used_again_without_a_restart(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        async with calls(server, connect_timeout=1.0) as call:
            await call("set", "k", TEA)
            server.kill()
            # An idle connection takes no call with it: nothing was sent.
            with pytest.raises(ConnectFailed) as refused:
                await call("get", "k")
            assert refused.value.retry is Retry.SAFE
            assert not call.invoker.available
            server.start()
            async with asyncio.timeout(20):
                while not call.invoker.available:
                    await asyncio.sleep(0.01)
            assert await call("get", "k") == TEA


async def test_calls_under_way_when_the_connection_ends_may_have_run() -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"GET\r\n$1\r\nk\r\n")
        writer.close()

    leaving = await asyncio.start_server(leave, "127.0.0.1", 0)
    async with leaving, calling(RedisDataClient(), "redis", leaving.sockets[0].getsockname()[1]) as call:
        with pytest.raises(ConnectionLost) as lost:
            await call("get", "k")
    assert lost.value.retry is Retry.IF_IDEMPOTENT


CONFIG = """
application: {{name: cache}}
listeners:
  http: {{protocol: http, host: 127.0.0.1, port: 0}}
  dubbo: {{protocol: dubbo, host: 127.0.0.1, port: 0}}
services:
  shop.Items:
    contract: tests.support.data_shop:Shop
    listeners: [http, dubbo]
    remote:
      addresses: ["redis://127.0.0.1:{port}"]
      options:
        mode: data
        prefix: "item:"
        encoding: json
        expiry: 10m
        commands:
          find: get NotThere=miss
          several: mget
"""


async def test_a_service_on_other_wires_is_kept_in_redis(server: RedisServer, raw: Redis) -> None:
    async with running(CONFIG.format(port=server.port)) as app:
        for endpoint in app.listening:
            async with connect(f"{endpoint.protocol}://{endpoint.address}", Shop) as shop:
                with pytest.raises(NotThere, match="nothing at the key 'item:x'") as missing:
                    await shop.find("x")
                assert missing.value.sku == "x"
                await shop.set("x", TEA)
                assert await shop.find("x") == TEA
                assert await shop.several(["x", "y"]) == {"x": TEA}
                assert await shop.delete("x") is True


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("{prefix: a}", r"remote.options.prefix: is for `mode: data`"),
        ("{mode: data, pipelined: 5}", r"remote.options.pipelined: is for `mode: call`"),
        ("{mode: data, get: fnd}", r"remote.options.get: shop.Items has no method 'fnd'; it has get, set"),
        ("{mode: data, commands: {fnd: get}}", r"commands.fnd: shop.Items has no method 'fnd'"),
        ("{mode: data, commands: {find: gte}}", r"commands.find: find: there is no command 'gte'; there are get, set"),
        ("{mode: data, commands: {find: get(key}}", r"commands.find: 'get\(key' is not written like"),
        ("{mode: data, commands: {find: get(id)}}", r"find has no parameter 'id'; it has sku"),
        ("{mode: data, commands: {find: get(sku) Gone=miss}}", r"it does not declare Gone; declared: shop.NotThere"),
        ("{mode: data, commands: {find: set}}", r"commands.find: find: set needs value; it takes key, value, ttl"),
        ("{mode: data, commands: {find: ttl}}", r"it returns shop.Item, and the command answers the time to live"),
        ("{mode: data, commands: {lend: 'set(sku, item)'}}", r"the parameter ttl has no place in the command set"),
        ("{mode: data, commands: {lend: 'set(sku, ttl, item)'}}", r"item is shop.Item; ttl takes seconds"),
        ("{mode: data, commands: {count: 'incr(key=\"a{b\", delta=by)'}}", r"brace that is no parameter"),
        (
            "{mode: data, encoding: json, commands: {set: append}}",
            r"options.encoding: set: two values behind each other are one in the encoding plain only",
        ),
        ("{mode: data, encoding: java}", r"remote.options.encoding: .*`serial_version_uids` lacks shop.Item"),
        ("{mode: data, encoding: java, serial_version_uids: {Itm: 1}}", r"uids.Itm: shop.Items has no struct 'Itm'"),
        ("{mode: data, serial_version_uids: {shop.Item: 1}}", r"these are for the encoding java"),
        ("{mode: data, serial_version_uids: {shop.Item: x}}", r"'x' is no integer of 64 bits"),
    ],
)
def test_options_that_do_not_fit_are_found_when_the_configuration_is_read(options: str, told: str) -> None:
    text = CONFIG.format(port=6379)
    before = text.index("      options:")
    with pytest.raises(ConfigError, match=told):
        load_text(
            f"{text[:before]}      options: {options if options[0] == '{' else '{' + options + '}'}\n",
            "test.yaml",
            Catalog(),
        )
