"""Data mode against servers that answer what no Redis and no memcached does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

from adapters.data.memcached import MemcachedDataClient, _Exchange
from adapters.data.provider import is_quiet
from adapters.data.redis import RedisDataClient
from gateway.model.errors import (
    ConnectFailed,
    ConnectionLost,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
    Unauthenticated,
)
from gateway.spi.adapter import ClientAdapter
from protocols.data.command import parse_command
from tests.support.data_shop import Item, calling

TEA = Item("tea", 3)
REDIS = {"several": parse_command("mget"), "left": parse_command("ttl")}
MEMCACHED = {"count": parse_command('incr(key="{page}{region}", delta=by)'), "versioned": parse_command("gets")}
CALLS: dict[str, tuple[Any, ...]] = {
    "get": ("k",), "set": ("k", TEA), "delete": ("k",), "several": (["a", "b"],), "left": ("k",),
    "count": ("a", "b", 1), "versioned": ("k",),
}  # fmt: skip


@asynccontextmanager
async def answering(answer: bytes, *, leaves: bool = False) -> AsyncIterator[int]:
    """Gives the port of a server that answers each command so, and closes without an answer if it `leaves`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(65_536) and not leaves:
                writer.write(answer)
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def client_of(wire: str) -> ClientAdapter:
    made: Callable[[], ClientAdapter] = RedisDataClient if wire == "redis" else MemcachedDataClient
    return made()


@asynccontextmanager
async def asked(wire: str, answer: bytes, *, leaves: bool = False, **options: Any) -> AsyncIterator[Any]:
    commands = REDIS if wire == "redis" else MEMCACHED
    async with (
        answering(answer, leaves=leaves) as port,
        calling(client_of(wire), wire, port, encoding="json", commands=commands, timeout_s=1.0, **options) as call,
    ):
        yield call


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("get", b":5\r\n"),
        ("get", b"*1\r\n$2\r\n{}\r\n"),
        ("get", b"!garbage\r\n"),
        ("get", b"$-5\r\n"),
        ("get", b"-MOVED nowhere\r\n"),
        ("set", b"+PONG\r\n"),
        ("set", b":1\r\n"),
        ("delete", b"$1\r\n1\r\n"),
        ("several", b"*1\r\n$2\r\n{}\r\n"),
        ("several", b":2\r\n"),
        ("left", b"$1\r\n5\r\n"),
    ],
)
async def test_what_no_redis_answers_is_no_value(method: str, answer: bytes) -> None:
    async with asked("redis", answer) as call:
        with pytest.raises(ConnectionLost, match="none of Redis's"):
            await call(method, *CALLS[method])


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("get", b"VALUE k 0 abc\r\nx\r\nEND\r\n"),
        ("get", b"VALUE k 0 -1\r\nEND\r\n"),
        ("get", b"VALUE other 0 2\r\n{}\r\nEND\r\n"),
        ("get", b"VALUE k x 2\r\n{}\r\nEND\r\n"),
        ("get", b"VALUE k 0 2\r\n{}xxEND\r\n"),
        ("get", b"VALUE\r\nEND\r\n"),
        ("get", b"\xff\xfe\r\n"),
        ("set", b"EXISTS\r\n"),
        ("delete", b"STORED\r\n"),
        ("delete", b"VALUE k 0 2\r\n{}\r\nEND\r\n"),
        ("count", b"STORED\r\n"),
        ("versioned", b"VALUE k 0 2\r\n{}\r\nEND\r\n"),
    ],
)
async def test_what_no_memcached_answers_is_no_value(method: str, answer: bytes) -> None:
    async with asked("memcached", answer) as call:
        with pytest.raises(ConnectionLost, match="none of memcached's"):
            await call(method, *CALLS[method])


async def test_an_answer_too_many_is_not_taken_for_the_next_one() -> None:
    first, second = b'$22\r\n{"name":"a","price":1}\r\n', b'$22\r\n{"name":"b","price":2}\r\n'
    async with asked("redis", first + second) as call:
        assert [(await call("get", "k")).name for _ in range(3)] == ["a", "a", "a"]


@pytest.mark.parametrize(
    ("answer", "kind", "retry"),
    [
        (b"-TRYAGAIN Multiple keys request during rehashing of slot\r\n", Overloaded, Retry.SAFE),
        (b"-CLUSTERDOWN The cluster is down\r\n", Overloaded, Retry.SAFE),
        (b"-MASTERDOWN Link with MASTER is down\r\n", Overloaded, Retry.SAFE),
        (b"-MOVED 3999 127.0.0.1:6381\r\n", ProviderFailed, Retry.SAFE),
        (b"-ASK 3999 127.0.0.1:6381\r\n", ProviderFailed, Retry.SAFE),
        (b"-NOREPLICAS Not enough good replicas to write.\r\n", ProviderFailed, Retry.SAFE),
        (b"-MISCONF Redis is configured to save RDB snapshots, but it cannot\r\n", ProviderFailed, Retry.SAFE),
        (b"-NOSUCHCODE x\r\n", ProviderFailed, Retry.NEVER),
    ],
)
async def test_errors_of_redis_keep_their_code(answer: bytes, kind: type[RpcError], retry: Retry) -> None:
    async with asked("redis", answer) as call:
        with pytest.raises(kind, match=answer[1:].split()[0].decode()) as found:
            await call("set", "k", TEA)
        assert found.value.retry is retry


async def test_a_redis_with_too_many_clients_has_run_nothing() -> None:
    async with asked("redis", b"-ERR max number of clients reached\r\n") as call:
        with pytest.raises(Overloaded, match="max number of clients") as found:
            await call("set", "k", TEA)
        assert found.value.retry is Retry.SAFE


@pytest.mark.parametrize(
    ("answer", "kind", "retry"),
    [
        (b"SERVER_ERROR out of memory storing object\r\n", Overloaded, Retry.SAFE),
        # twemproxy and mcrouter answer so for a server behind them, which may have done it.
        (b"SERVER_ERROR Connection timed out\r\n", ProviderFailed, Retry.IF_IDEMPOTENT),
    ],
)
async def test_what_may_have_been_done_is_not_safe_to_repeat(answer: bytes, kind: type[RpcError], retry: Retry) -> None:
    async with asked("memcached", answer) as call:
        with pytest.raises(kind) as found:
            await call("count", "a", "b", 1)
        assert found.value.retry is retry


async def test_a_value_of_memcached_is_not_taken_in_beyond_what_a_value_has() -> None:
    async with asked("memcached", b"VALUE k 0 2000000000\r\n", payload=1_024) as call:
        with pytest.raises(ProviderFailed, match="at most 1024 are read") as found:
            await call("get", "k")
        assert found.value.retry is Retry.NEVER


@pytest.mark.parametrize("wire", ["redis", "memcached"])
async def test_a_server_that_leaves_while_it_is_shown_the_password_did_not_refuse_it(wire: str) -> None:
    async with asked(wire, b"", leaves=True, user="u", password="p") as call:
        with pytest.raises(ConnectFailed):
            await call("get", "k")


async def test_a_memcached_that_is_silent_when_it_is_shown_the_password_did_not_refuse_it() -> None:
    async with asked("memcached", b"", user="u", password="p", connect_timeout=0.1) as call:
        with pytest.raises(ConnectFailed, match=r"within 0\.1 s"):
            await call("get", "k")
    async with asked("memcached", b"CLIENT_ERROR authentication failure\r\n", user="u", password="p") as call:
        with pytest.raises(Unauthenticated):
            await call("get", "k")


@pytest.mark.parametrize("login", [{}, {"user": "u", "password": "p"}], ids=["asked", "shown the password"])
@pytest.mark.parametrize("wire", ["redis", "memcached"])
async def test_calls_to_a_silent_server_end_when_the_client_is_closed(wire: str, login: dict[str, Any]) -> None:
    async with answering(b"") as port:
        options: dict[str, Any] = {"max_connections": 2, "connect_timeout": 20.0, "encoding": "json", **login}
        async with calling(client_of(wire), wire, port, timeout_s=20.0, **options) as call:
            # One of them waits for a connection.
            calls = [asyncio.create_task(call("get", "k")) for _ in range(3)]
            await asyncio.sleep(0.1)
        async with asyncio.timeout(5):
            ended = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(each) for each in ended} <= {ConnectionLost, ConnectFailed}


async def test_a_call_that_is_over_leaves_the_connection_to_the_next() -> None:
    async with asked("memcached", b"END\r\n") as call:
        server = call.invoker._server
        exchange = _Exchange(server, "get", {"key": b"k"}, monotonic() + 5, 5.0)
        found: list[Any] = []
        await asyncio.to_thread(exchange.run, lambda _, outcome: found.append(outcome))
        # As where the time of the call is over before the loop has heard of the answer.
        exchange.stop()

        assert found == [None]
        (client,) = server._idle
        assert is_quiet(client.sock)
