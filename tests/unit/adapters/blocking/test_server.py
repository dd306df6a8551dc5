"""The listener for short connections: peers that are slow, gone, rude or many, and the end of a listener."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import pickle
import select
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

from adapters.blocking.connection import Stage
from adapters.blocking.gate import Gate
from adapters.blocking.server import BlockingServer
from adapters.rmi import PLUGIN
from adapters.testing import Joined, joined
from gateway.model.call import Invocation, Ok, Result
from gateway.model.errors import ContractError, Overloaded
from gateway.spi.adapter import ListenerOptions
from protocols.rmi.frame import HEAD_BYTES, Kind, Reason, frame_bytes, write_head
from protocols.rmi.server import RmiServerCodec
from protocols.rmi.signature import Seal, refusal
from protocols.testing import CONTRACT

pytestmark = pytest.mark.timeout(60)
LIMIT_S = 5.0


class Service:
    """Answers at once; `echo_nullable` when it is let go, `echo_nothing` with whatever `large` says."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.begun = 0
        self.cancelled = 0

    async def __call__(self, invocation: Invocation) -> Result:
        self.begun += 1
        if invocation.method == "echo_nullable":
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        return Ok(*invocation.arguments())


@asynccontextmanager
async def serving(**limits: Any) -> AsyncIterator[tuple[Joined, Service]]:
    service = Service()
    own = limits.pop("options", {})
    listener = ListenerOptions("testing", "rmi", "", 0, options=own, **limits)
    async with joined(PLUGIN, service, CONTRACT, listener=listener) as pair:
        yield pair, service


def call(method: str = "echo_string", *args: Any) -> bytes:
    said = {"service": CONTRACT.name, "method": method, "args": args or ("hello",)}
    payload = pickle.dumps(said, 4)
    return frame_bytes(write_head(Kind.CALL, len(payload)), b"", [payload])


def answer(data: bytes) -> Any:
    found = pickle.loads(data[HEAD_BYTES:])
    return found.get("ok", found.get("error"))


async def connect(pair: Joined, source: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", pair.endpoint.port, local_addr=(source, 0))


async def until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + LIMIT_S
    while not condition():
        assert monotonic() < deadline
        await asyncio.sleep(0.002)


def server_of(pair: Joined) -> BlockingServer:
    assert isinstance(pair.server, BlockingServer)
    return pair.server


def gate_of(pair: Joined) -> Gate:
    state = server_of(pair)._state
    assert state is not None
    assert state.gate is not None
    return state.gate


def pending(pair: Joined) -> list[int]:
    """Bytes of an incomplete call that have arrived on each connection."""
    state = server_of(pair)._state
    assert state is not None
    return [each._codec.pending_bytes for each in state.open_connections()]


def is_watched(pair: Joined) -> bool:
    """Whether the gate watches for the reset of a connection whose call runs."""
    return any(stage is Stage.CALLING for _, stage in tuple(gate_of(pair)._waiting.values()))


async def ask(pair: Joined, data: bytes, *, half_close: bool = True) -> bytes:
    reader, writer = await connect(pair)
    writer.write(data)
    if half_close:
        writer.write_eof()
    async with asyncio.timeout(LIMIT_S):
        found = await reader.read()
    writer.close()
    return found


@pytest.mark.parametrize("half_close", [True, False])
async def test_a_call_is_answered_and_the_connection_closed(half_close: bool) -> None:
    async with serving() as (pair, _):
        assert answer(await ask(pair, call(), half_close=half_close)) == "hello"
        await until(lambda: server_of(pair).connections == 0)
        assert server_of(pair).refused == {}


async def test_a_call_may_come_in_any_pieces() -> None:
    async with serving() as (pair, _):
        data = call("echo_string", "x" * 300)
        for at in (1, 4, HEAD_BYTES, HEAD_BYTES + 1, len(data) - 1):
            reader, writer = await connect(pair)
            writer.write(data[:at])
            await until(lambda at=at: pending(pair) == [at])  # type: ignore[misc]
            writer.write(data[at:])
            assert answer(await reader.read()) == "x" * 300
            writer.close()
        reader, writer = await connect(pair)
        for byte in data:
            writer.write(bytes((byte,)))
            await writer.drain()
        assert answer(await reader.read()) == "x" * 300
        writer.close()


async def test_large_calls_and_answers() -> None:
    async with serving() as (pair, _):
        value = bytes(range(256)) * 20_000
        found = await asyncio.gather(*(ask(pair, call("echo_bytes", value)) for _ in range(4)))
        assert all(answer(each) == value for each in found)


async def test_many_at_the_same_time() -> None:
    async with serving() as (pair, _):
        found = await asyncio.gather(*(ask(pair, call("echo_string", str(at))) for at in range(200)))
        assert [answer(each) for each in found] == [str(at) for at in range(200)]
        await until(lambda: server_of(pair).connections == 0)


async def test_a_peer_that_sends_nothing_is_closed() -> None:
    async with serving(first_byte_timeout_s=0.1) as (pair, _):
        assert await ask(pair, b"", half_close=False) == b""
        await until(lambda: server_of(pair).refused == {"first-byte-timeout": 1})


@pytest.mark.serial("within 0.9 s")
async def test_a_peer_that_never_ends_is_closed_and_holds_nobody_up() -> None:
    async with serving(frame_timeout_s=0.4, options={"workers": 2}) as (pair, _):
        data = call("echo_bytes", bytes(100_000))

        async def loris() -> None:
            reader, writer = await connect(pair)
            began = monotonic()
            for at in range(0, len(data), 16):
                if reader.at_eof() or writer.is_closing() or monotonic() - began > 2:
                    break
                writer.write(data[at : at + 16])
                await asyncio.sleep(0.01)
            # A reset where a byte crossed the end.
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()

        slow = [asyncio.create_task(loris()) for _ in range(20)]
        await until(lambda: sum(map(bool, pending(pair))) == 20)
        for _ in range(5):
            began = monotonic()
            assert answer(await ask(pair, data)) == bytes(100_000)
            assert monotonic() - began < 0.9
        await asyncio.gather(*slow)
        await until(lambda: server_of(pair).refused == {"frame-timeout": 20})


async def test_a_peer_that_does_not_read_is_dropped_and_holds_nobody_up() -> None:
    async with serving(frame_timeout_s=0.4, options={"workers": 2}) as (pair, _):
        data = call("echo_bytes", bytes(6_000_000))
        peers = []
        for _ in range(6):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", pair.endpoint.port))
            await asyncio.get_running_loop().sock_sendall(sock, data)
            peers.append(sock)
        assert answer(await ask(pair, call())) == "hello"
        assert answer(await ask(pair, call("echo_bytes", bytes(300_000)))) == bytes(300_000)
        await until(lambda: server_of(pair).refused == {"slow-reader": 6})
        for sock in peers:
            sock.close()


async def test_a_peer_that_reads_a_little_all_the_time_has_no_more_time_than_others() -> None:
    async with serving(frame_timeout_s=0.4, max_frame_bytes=1 << 25) as (pair, _):
        data, loop = call("echo_bytes", bytes(30_000_000)), asyncio.get_running_loop()
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", pair.endpoint.port))
            await loop.sock_sendall(sock, data)
            began, got = monotonic(), 0
            with contextlib.suppress(ConnectionResetError):
                while more := await loop.sock_recv(sock, 65_536):
                    got += len(more)
                    await asyncio.sleep(0.01)
        assert monotonic() - began < 2.5
        assert got < len(data)
        await until(lambda: server_of(pair).refused == {"slow-reader": 1})


async def test_a_peer_that_sends_a_little_all_the_time_has_no_more_time_than_others() -> None:
    async with serving(frame_timeout_s=0.4) as (pair, service):
        data, loop = call("echo_bytes", bytes(6_000_000)), asyncio.get_running_loop()
        with socket.socket() as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", pair.endpoint.port))
            began = monotonic()
            with contextlib.suppress(ConnectionError):
                for at in range(0, len(data), 8_192):
                    await loop.sock_sendall(sock, data[at : at + 8_192])
                    await asyncio.sleep(0.004)
            assert monotonic() - began < 2.5
        await until(lambda: server_of(pair).refused == {"frame-timeout": 1})
        assert service.begun == 0


async def test_the_next_listener_takes_no_call_that_one_before_it_may_have_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_ms = 1_790_000_000_000
    monkeypatch.setattr("adapters.rmi._wall_ms", lambda: now_ms)
    secret, payload = "sixteen bytes at least", call()[HEAD_BYTES:]
    data = Seal("shop", secret.encode()).sealed(Kind.CALL, [payload], now_ms, bytes(16))
    options = {"secrets": {"shop": secret}}
    async with serving(options=options) as (pair, _):
        assert (await ask(pair, data))[:6] == b"PRMI\x01\x02"
        assert await ask(pair, data) == refusal(Reason.UNAUTHENTICATED)
    now_ms += 201
    async with serving(options=options) as (pair, service):
        assert await ask(pair, data) == refusal(Reason.BUSY)
        assert (service.begun, server_of(pair).refused) == (0, {"made-before": 1})
        fresh = Seal("shop", secret.encode()).sealed(Kind.CALL, [payload], now_ms - 1, bytes(16))
        assert (await ask(pair, fresh))[:6] == b"PRMI\x01\x02"


@pytest.mark.parametrize("how", ["end", "reset"])
async def test_a_call_that_is_cut_off(how: str) -> None:
    async with serving() as (pair, service):
        reader, writer = await connect(pair)
        writer.write(call()[:40])
        await until(lambda: pending(pair) == [40])
        if how == "end":
            writer.write_eof()
            assert await reader.read() == b""
        else:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        await until(lambda: server_of(pair).refused == {"truncated": 1})
        assert service.begun == 0
        writer.close()


async def test_a_peer_that_connects_and_leaves_is_no_trouble() -> None:
    async with serving() as (pair, _):
        _, writer = await connect(pair)
        writer.close()
        await until(lambda: server_of(pair).connections == 0)
        assert server_of(pair).refused == {}


async def test_a_reset_cancels_the_call() -> None:
    async with serving() as (pair, service):
        _, writer = await connect(pair)
        writer.write(call("echo_nullable"))
        await until(lambda: service.begun == 1)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        await until(lambda: service.cancelled == 1)
        await until(lambda: server_of(pair).connections == 0)


async def test_a_reset_after_a_half_close_cancels_the_call() -> None:
    async with serving() as (pair, service):
        _, writer = await connect(pair)
        writer.write(call("echo_nullable", None))
        writer.write_eof()
        await until(lambda: service.begun == 1)
        await until(lambda: is_watched(pair))
        # Whoever is answered after that shows that the half-close alone was seen and cancelled nothing.
        assert answer(await ask(pair, call())) == "hello"
        assert service.cancelled == 0
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        await until(lambda: service.cancelled == 1 and server_of(pair).connections == 0)


async def test_a_call_that_its_codec_cannot_read_leaves_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(codec: RmiServerCodec, data: bytes, now: float) -> None:
        raise TypeError("a bug")

    async with serving() as (pair, _):
        with monkeypatch.context() as patch:
            patch.setattr(RmiServerCodec, "receive", fails)
            assert await ask(pair, call()) == b""
        await until(lambda: server_of(pair).connections == 0)
        assert server_of(pair).refused == {"internal": 1}
        assert answer(await ask(pair, call())) == "hello"


async def test_a_half_close_does_not_cancel_the_call() -> None:
    async with serving() as (pair, service):
        reader, writer = await connect(pair)
        writer.write(call("echo_nullable"))
        writer.write_eof()
        await until(lambda: service.begun == 1)
        await until(lambda: is_watched(pair))
        assert answer(await ask(pair, call())) == "hello"
        service.go.set()
        assert answer(await reader.read()) == "hello"
        writer.close()


async def test_what_stands_behind_the_call_is_counted_and_the_answer_still_arrives() -> None:
    async with serving() as (pair, _):
        assert answer(await ask(pair, call() + b"x" * 100)) == "hello"
        await until(lambda: server_of(pair).refused == {"trailing-bytes": 1})
        await until(lambda: server_of(pair).connections == 0)


async def test_what_is_no_frame_is_named_and_closed() -> None:
    async with serving() as (pair, _):
        assert await ask(pair, b"GET / HTTP/1.1\r\n\r\n") == b""
        assert await ask(pair, b"\x00" * 100_000) == b""
        assert await ask(pair, write_head(Kind.CALL, (1 << 32) - 1)) == b"PRMI\x01\x03\x00\x03" + bytes(28)
        await until(lambda: server_of(pair).refused == {"bad-magic": 2, "frame-too-large": 1})


async def test_connections_are_limited_by_address_and_in_all() -> None:
    async with serving(max_connections=8, max_connections_per_address=5) as (pair, _):
        first = [await connect(pair) for _ in range(7)]
        await until(lambda: server_of(pair).refused == {"too-many-connections-per-address": 2})
        second = [await connect(pair, "127.0.0.2") for _ in range(5)]
        await until(lambda: server_of(pair).refused.get("too-many-connections") == 2)
        assert server_of(pair).connections == 8
        for _, writer in (*first, *second):
            writer.close()
        await until(lambda: server_of(pair).connections == 0)
        assert answer(await ask(pair, call())) == "hello"


async def test_beyond_its_calls_a_listener_says_busy_at_once() -> None:
    async with serving(max_calls=2) as (pair, service):
        running = [asyncio.create_task(ask(pair, call("echo_nullable"))) for _ in range(2)]
        await until(lambda: service.begun == 2)
        assert answer(await ask(pair, call())) == "overloaded"
        with pytest.raises(Overloaded):
            await pair.call("echo_string", "x")
        service.go.set()
        assert [answer(each) for each in await asyncio.gather(*running)] == ["hello", "hello"]
        assert answer(await ask(pair, call())) == "hello"


async def test_a_drain_answers_what_runs_and_takes_no_more() -> None:
    async with serving() as (pair, service):
        running = asyncio.create_task(ask(pair, call("echo_nullable")))
        await until(lambda: service.begun == 1)
        began = monotonic()
        draining = asyncio.create_task(pair.server.drain(monotonic() + LIMIT_S))
        gate = gate_of(pair)
        await until(lambda: not gate._listening)
        with pytest.raises(ConnectionRefusedError):
            await connect(pair)
        assert not draining.done()
        service.go.set()
        await draining
        assert monotonic() - began < LIMIT_S / 2
        assert answer(await running) == "hello"


async def test_a_drain_ends_at_its_deadline() -> None:
    async with serving() as (pair, service):
        running = asyncio.create_task(ask(pair, call("echo_nullable")))
        await until(lambda: service.begun == 1)
        await pair.server.drain(monotonic() + 0.1)
        await pair.server.aclose()
        assert service.cancelled == 1
        assert answer(await running) == "connection-lost"


async def test_closing_ends_everything_that_waits() -> None:
    service = Service()
    before = set(threading.enumerate())
    listener = ListenerOptions("testing", "rmi", "", 0)
    async with joined(PLUGIN, service, CONTRACT, listener=listener) as pair:
        writers = []
        for data in (b"", call()[:40], call("echo_bytes", bytes(6_000_000)), call("echo_nullable")):
            _, writer = await connect(pair)
            writer.write(data)
            writers.append(writer)
        await until(lambda: service.begun == 2)
        threads = {each for each in set(threading.enumerate()) - before if each.name.startswith("rmi")}
        assert threads
        began = monotonic()
    assert monotonic() - began < 3
    assert service.cancelled == 1
    for writer in writers:
        writer.close()
    for thread in threads:
        await asyncio.to_thread(thread.join, LIMIT_S)
        assert not thread.is_alive()


async def test_works_where_there_is_no_epoll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(select, "epoll")
    async with serving(first_byte_timeout_s=0.3) as (pair, service):
        for size in (10, 10, 500_000):
            assert answer(await ask(pair, call("echo_bytes", bytes(size)))) == bytes(size)
        silent = asyncio.create_task(ask(pair, b"", half_close=False))
        reader, writer = await connect(pair)
        for byte in call():
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0)
        assert answer(await reader.read()) == "hello"
        writer.close()
        assert await silent == b""
        waiting = asyncio.create_task(ask(pair, call("echo_nullable")))
        await until(lambda: service.begun == 5)
        service.go.set()
        assert answer(await waiting) == "hello"
        await until(lambda: server_of(pair).connections == 0)


class Exhausted:
    """A listening socket of a process that has no descriptor left for a while."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real
        self.refusals = 2

    def accept(self) -> Any:
        if self.refusals:
            self.refusals -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return self._real.accept()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


async def test_accepting_rests_while_there_are_no_descriptors(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as (pair, _):
        gate = gate_of(pair)
        for number, each in list(gate._listening.items()):
            gate._listening[number] = Exhausted(each)  # type: ignore[assignment]
        began = monotonic()
        assert answer(await ask(pair, call())) == "hello"
        assert monotonic() - began > 0.9  # twice half a second
        assert server_of(pair).refused == {"out-of-descriptors": 2}
        assert answer(await ask(pair, call())) == "hello"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.1", "example.org"])
async def test_refuses_to_listen_beyond_loopback_without_a_secret(host: str) -> None:
    server = PLUGIN.server(ListenerOptions("wide", "rmi", host, 0))
    with pytest.raises(ContractError, match="beyond loopback"):
        await server.start(Service(), [])
    await server.aclose()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost"])
async def test_listens_on_loopback_without_a_secret(host: str) -> None:
    server = PLUGIN.server(ListenerOptions("narrow", "rmi", host, 0))
    await server.start(Service(), [])
    await server.aclose()


async def test_listens_anywhere_with_a_secret() -> None:
    options = {"secrets": {"shop": "sixteen bytes at least"}}
    server = PLUGIN.server(ListenerOptions("wide", "rmi", "0.0.0.0", 0, options=options))
    await server.start(Service(), [])
    await server.aclose()


@pytest.mark.parametrize("secrets", [{"shop": "short"}, {"k" * 65: "x" * 16}])
async def test_keys_that_cannot_be_used_are_refused(secrets: dict[str, str]) -> None:
    server = PLUGIN.server(ListenerOptions("wide", "rmi", "127.0.0.1", 0, options={"secrets": secrets}))
    with pytest.raises(ContractError):
        await server.start(Service(), [])
    await server.aclose()
