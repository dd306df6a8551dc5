"""memcached:// put together: mounts over real connections, the order of commands for one key, and its options."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.memcached import PLUGIN
from gateway.contracts import I64, ServiceError, contract_of, method, service
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.endpoint import ServiceKey
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions
from protocols.texts.mount_entry import parse_entry


class Missing(ServiceError):
    """Nothing is there."""


@service("test.Shelf")
class Shelf:
    """What the mounts of these tests are of."""

    @method(throws=(Missing,))
    async def find(self, number: I64) -> str:
        """A value by number."""
        raise NotImplementedError

    async def put(self, number: I64, value: str) -> None:
        """Stores it."""
        raise NotImplementedError

    async def grow(self, number: I64, by: I64) -> I64 | None:
        """Adds."""
        raise NotImplementedError


CONTRACT = contract_of(Shelf)
MOUNTS = {"shelf:": {"get": "find Missing=miss", "set": "put(key, value)", "incr": "grow"}}


class Handler:
    """Answers what a test says, when it says so."""

    def __init__(self) -> None:
        self.stored: dict[int, str] = {}
        self.began: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}

    async def __call__(self, invocation: Invocation) -> Result:
        arguments = invocation.arguments()
        what = f"{invocation.method} {arguments[0]}"
        self.began.append(what)
        if what in self.gates:
            await self.gates[what].wait()
        if invocation.method == "put":
            self.stored[arguments[0]] = arguments[1]
            return Ok(None)
        if invocation.method == "grow":
            return Ok(None)
        if arguments[0] not in self.stored:
            return Fault("test.Missing", None, {}, declared=True)
        return Ok(self.stored[arguments[0]])


class Peer:
    """A connected client that sends lines and reads lines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def lines(self, count: int) -> list[bytes]:
        async with asyncio.timeout(5):
            return [(await self._reader.readline()).rstrip(b"\r\n") for _ in range(count)]

    async def rest(self) -> bytes:
        async with asyncio.timeout(5):
            return await self._reader.read()

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def listening(handler: Any, **options: Any) -> AsyncIterator[int]:
    parsed = {prefix: {verb: parse_entry(text) for verb, text in verbs.items()} for prefix, verbs in MOUNTS.items()}
    server = PLUGIN.server(ListenerOptions("testing", "memcached", "127.0.0.1", 0, options=options))
    try:
        exposure = Exposure(ServiceKey("test.Shelf"), CONTRACT, False, {"mounts": parsed})
        (endpoint,) = await server.start(handler, [exposure])
        yield endpoint.port
    finally:
        await server.aclose()


@asynccontextmanager
async def peer(port: int) -> AsyncIterator[Peer]:
    made = Peer(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield made
    finally:
        made.close()


async def test_mounts_answer_as_a_cache_does() -> None:
    handler = Handler()
    async with listening(handler) as port, peer(port) as each:
        each.send(b"get shelf:1\r\nset shelf:1 0 0 5\r\nhello\r\nget shelf:1\r\nincr shelf:1 2\r\ndelete shelf:1\r\n")
        assert await each.lines(6) == [b"END", b"STORED", b"VALUE shelf:1 0 5", b"hello", b"END", b"NOT_FOUND"]
        (line,) = await each.lines(1)
        assert line == b"SERVER_ERROR RPCERR no-such-method what is mounted at 'shelf:' offers no delete"
        each.send(b"get shelf:x\r\n")
        (line,) = await each.lines(1)
        assert line.startswith(b"SERVER_ERROR RPCERR bad-request find: number: ")


async def test_what_was_stored_without_waiting_is_read_and_other_keys_do_not_wait() -> None:
    handler = Handler()
    handler.gates["put 1"] = asyncio.Event()
    async with listening(handler) as port, peer(port) as each:
        each.send(
            b"set shelf:1 0 0 3 noreply\r\nnew\r\nget shelf:1\r\nset shelf:2 0 0 3 noreply\r\ntwo\r\nget shelf:2\r\n"
        )
        async with asyncio.timeout(5):
            while len(handler.began) < 3:
                await asyncio.sleep(0)
        assert handler.began == ["put 1", "put 2", "find 2"]
        handler.gates["put 1"].set()
        assert await each.lines(3) == [b"VALUE shelf:1 0 3", b"new", b"END"]
        assert await each.lines(3) == [b"VALUE shelf:2 0 3", b"two", b"END"]


async def test_what_was_stored_without_waiting_is_stored_though_the_client_leaves() -> None:
    handler = Handler()
    gate = handler.gates["put 1"] = asyncio.Event()
    async with listening(handler) as port:
        async with peer(port) as each:
            each.send(b"set shelf:1 0 0 3 noreply\r\nnew\r\nset shelf:1 0 0 3 noreply\r\nend\r\nquit\r\n")
            assert await each.rest() == b""
        gate.set()
        async with asyncio.timeout(5):
            while handler.stored != {1: "end"}:
                await asyncio.sleep(0)


async def test_users_are_names_of_credentials() -> None:
    handler = Handler()
    handler.stored[1] = "x"
    async with listening(handler, users={"shop": "secret"}) as port, peer(port) as each:
        each.send(b"get shelf:1\r\nset a 0 0 11\r\nshop secret\r\nget shelf:1\r\n")
        assert (await each.lines(3))[:2] == [b"CLIENT_ERROR unauthenticated", b"STORED"]


@pytest.mark.parametrize(
    ("options", "path"),
    [({"user": "shop"}, "user"), ({"password": "x"}, "user"), ({"user": "two words", "password": "x"}, "user")],
)
def test_a_user_and_a_password_go_together(options: dict[str, str], path: str) -> None:
    assert [each.path for each in PLUGIN.check_reference(CONTRACT, options)] == [(path,)]


def test_mounts_of_what_the_contract_has_not_are_named() -> None:
    mounts = {"shelf:": {"get": parse_entry("lose"), "keys": parse_entry("find")}}
    found = PLUGIN.check_service(CONTRACT, {"mounts": mounts})
    assert [each.path for each in found] == [("mounts", "shelf:", "get"), ("mounts", "shelf:", "keys")]
