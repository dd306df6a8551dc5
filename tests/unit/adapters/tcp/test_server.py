"""A listener on real sockets: limits, hang-ups of every kind, draining and closing."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest

from adapters.tcp import acceptor, patience
from adapters.tcp import server as server_module
from adapters.tcp.listening_socket import listen
from adapters.tcp.server import TcpServer
from gateway.model.call import Invocation, Ok, Result
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import DeadlineExceeded
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions
from gateway.spi.handler import Handler
from tests.support.raw_peer import LIMIT_S, RawPeer
from tests.support.toy_wire import (
    FAREWELL,
    MALFORMED,
    SERVICE,
    Kind,
    ToyServerWire,
    ToyService,
    call_frame,
    frame,
)

_QUIET_S = 0.1


class Running:
    """A listener of the toy wire and the service behind it."""

    def __init__(self, server: TcpServer, service: ToyService, port: int) -> None:
        self.server = server
        self.service = service
        self.port = port

    def peer(self, **options: Any) -> RawPeer:
        return RawPeer.connect(self.port, **options)

    async def until(self, connections: int) -> None:
        """Waits until so many connections are open."""
        async with asyncio.timeout(LIMIT_S):
            while self.server.connections != connections:
                await asyncio.sleep(0)


def toy_server(heartbeat_s: float = 0.0, quiet_s: float = _QUIET_S, **limits: Any) -> TcpServer:
    options = replace(ListenerOptions("toy", "toy", "127.0.0.1", 0), **limits)
    return TcpServer(options, lambda _: ToyServerWire(), heartbeat_s, quiet_s=quiet_s)


@asynccontextmanager
async def running(handler: Handler | None = None, quiet_s: float = _QUIET_S, **limits: Any) -> AsyncIterator[Running]:
    service = ToyService()
    server = toy_server(quiet_s=quiet_s, **limits)
    (endpoint,) = await server.start(handler or service, [Exposure(SERVICE, None)])
    try:
        yield Running(server, service, endpoint.port)
    finally:
        await server.aclose()


def error(call_id: int, text: str) -> tuple[int, int, bytes]:
    return Kind.ERROR, call_id, text.encode()


def reply(call_id: int, answer: bytes = b"") -> tuple[int, int, bytes]:
    return Kind.REPLY, call_id, answer


async def test_endpoints_name_the_bound_port_and_every_exposure() -> None:
    server = toy_server()
    services = [ServiceKey("a"), ServiceKey("b", "group", "1.0")]
    endpoints = await server.start(ToyService(), [Exposure(each, None) for each in services])
    port = endpoints[0].port
    assert port
    assert endpoints == [Endpoint("toy", "127.0.0.1", port, each) for each in services]
    await server.aclose()


async def test_port_in_use_names_the_address() -> None:
    async with running() as first:
        second = toy_server(port=first.port)
        with pytest.raises(OSError, match=rf"cannot listen on 127\.0\.0\.1:{first.port}"):
            await second.start(ToyService(), [])
        await second.aclose()


@pytest.mark.parametrize("cut", [1, 3, 50])
async def test_calls_are_answered_however_the_network_cuts_them(cut: int) -> None:
    async with running() as it:
        with it.peer() as peer:
            data = b"".join(call_frame(number, "echo", b"abc") for number in range(1, 11))
            for start in range(0, len(data), cut):
                peer.send_now(data[start : start + cut])
                await asyncio.sleep(0)
            assert await peer.frames(10) == [reply(number, b"abc") for number in range(1, 11)]


async def test_answers_leave_when_they_are_ready_not_in_order_of_calls() -> None:
    async with running() as it:
        with it.peer() as peer:
            await peer.send(call_frame(1, "slow", b"a") + call_frame(2, "slow", b"b") + call_frame(3, "echo", b"c"))
            assert await peer.frames(1) == [reply(3, b"c")]
            await it.service.until(waiting=2)
            it.service.finish(1)
            assert await peer.frames(1) == [reply(2, b"b")]
            it.service.finish()
            assert await peer.frames(1) == [reply(1, b"a")]


async def test_large_answer_arrives_whole() -> None:
    async with running(max_write_buffer_bytes=4096) as it:
        with it.peer() as peer:
            await peer.send(call_frame(1, "big", b"3000000") + call_frame(2, "echo", b"after"))
            assert await peer.frames(2) == [reply(1, bytes(3_000_000)), reply(2, b"after")]


async def test_many_large_answers_arrive_whole_at_a_peer_that_reads() -> None:
    async with running(max_write_buffer_bytes=4096, max_frame_bytes=200_000) as it:
        with it.peer() as peer:
            # Far more than a slow reader is allowed; but this one reads.
            await peer.send(b"".join(call_frame(number, "big", b"100000") for number in range(1, 101)))
            assert await peer.frames(100) == [reply(number, bytes(100_000)) for number in range(1, 101)]
        assert it.server.refused == {}


async def test_calls_beyond_the_limit_of_the_listener_are_refused_on_every_connection() -> None:
    async with running(max_calls=2) as it:
        with it.peer() as one, it.peer() as two:
            await one.send(call_frame(1, "slow") + call_frame(2, "slow"))
            await it.service.until(waiting=2)
            await two.send(call_frame(1, "slow"))
            assert await two.frames(1) == [error(1, "overloaded: too many calls in progress here")]
            it.service.finish()
            assert await one.frames(1) == [reply(1)]
            await two.send(call_frame(2, "echo", b"again"))
            assert await two.frames(1) == [reply(2, b"again")]


async def test_connections_beyond_the_limit_are_closed_and_accepting_goes_on() -> None:
    async with running(max_connections=2) as it:
        with it.peer() as one, it.peer() as two, it.peer() as three:
            assert await three.end() == b""
            assert it.server.refused == {"too-many-connections": 1}
            for peer in (one, two):
                await peer.send(call_frame(1, "echo"))
                assert await peer.frames(1) == [reply(1)]
        await it.until(connections=0)
        with it.peer() as four:
            await four.send(call_frame(1, "echo"))
            assert await four.frames(1) == [reply(1)]


async def test_connections_of_one_address_are_limited_and_others_are_not_affected() -> None:
    async with running(max_connections_per_address=1) as it:
        with it.peer() as one, it.peer() as two, it.peer(source="127.0.0.2") as other:
            assert await two.end() == b""
            assert it.server.refused == {"too-many-connections-per-address": 1}
            for peer in (one, other):
                await peer.send(call_frame(1, "echo"))
                assert await peer.frames(1) == [reply(1)]
        await it.until(connections=0)
        with it.peer() as again:
            await again.send(call_frame(1, "echo"))
            assert await again.frames(1) == [reply(1)]


async def test_hundreds_of_connections_at_once_are_all_served() -> None:
    async with running() as it:
        peers = [it.peer() for _ in range(300)]
        for peer in peers:
            peer.send_now(call_frame(1, "echo", b"x"))
        for peer in peers:
            assert await peer.frames(1) == [reply(1, b"x")]
            peer.close()
        await it.until(connections=0)


@pytest.mark.parametrize(
    ("limit", "sent", "reason"),
    [
        ("first_byte_timeout_s", b"", "first-byte-timeout"),
        ("frame_timeout_s", call_frame(1, "echo")[:6], "frame-timeout"),
        ("idle_timeout_s", frame(Kind.PONG), "idle"),
    ],
)
async def test_peers_that_keep_us_waiting_are_closed(limit: str, sent: bytes, reason: str) -> None:
    limits: dict[str, Any] = {limit: 0.08}
    async with running(**limits) as it:
        with it.peer() as peer:
            if sent:
                await peer.send(sent)
            assert await peer.end() == b""
        assert it.server.refused == {reason: 1}


async def test_quiet_peers_get_heartbeats() -> None:
    async with running(heartbeat_s=0.05) as it:
        with it.peer() as peer:
            await peer.send(call_frame(1, "echo"))
            assert await peer.frames(3) == [reply(1), (Kind.PING, 0, b""), (Kind.PING, 0, b"")]


async def test_peer_that_reads_nothing_costs_bounded_memory_and_is_dropped() -> None:
    answer = 262_144
    async with running(max_write_buffer_bytes=65_536, max_frame_bytes=answer) as it:
        with it.peer(receive_buffer=4096) as peer, it.peer() as canary:
            calls = 100
            await peer.send(b"".join(call_frame(number, "slow") for number in range(calls)))
            await it.service.until(waiting=calls)
            (connection,) = [each for each in it.server._state.connections if each._running]  # type: ignore[union-attr]
            transport = connection._transport
            assert transport is not None
            most = 0
            while not it.server.refused:
                it.service.finish(tail=bytes(answer))
                await canary.send(call_frame(1, "echo"))
                assert await canary.frames(1) == [reply(1)]
                most = max(most, transport.get_write_buffer_size())
            # Eight write buffers are as much as two frames here; then one more answer is too much.
            assert most <= 8 * 65_536 + answer + 1024
            assert it.server.refused == {"slow-reader": 1}
            await it.service.until(waiting=0)
            assert it.service.cancelled


async def test_half_closed_peer_still_gets_its_answers() -> None:
    async with running() as it:
        with it.peer() as peer:
            await peer.send(call_frame(1, "echo", b"at once") + call_frame(2, "slow", b"later"))
            peer.finish()
            await it.service.until(waiting=1)
            assert await peer.frames(1) == [reply(1, b"at once")]
            it.service.finish()
            assert [kind for kind, _, _ in await peer.frames(1)] == [Kind.REPLY]
            assert await peer.end() == b""
        assert it.server.refused == {}


async def test_peer_that_sends_and_finishes_at_once_gets_its_answer() -> None:
    async with running() as it:
        with it.peer() as peer:
            peer.send_now(call_frame(1, "echo", b"x"))
            peer.finish()
            assert await peer.frames(1) == [reply(1, b"x")]
            assert await peer.end() == b""


async def test_end_of_stream_inside_a_message_closes() -> None:
    async with running() as it:
        with it.peer() as peer:
            await peer.send(call_frame(1, "echo") + call_frame(2, "echo")[:7])
            peer.finish()
            assert await peer.end() == frame(Kind.REPLY, 1)
        await it.until(connections=0)
        assert it.service.received == ["echo"]


async def test_reset_cancels_the_calls_in_progress() -> None:
    async with running() as it:
        peer = it.peer()
        await peer.send(call_frame(1, "slow") + call_frame(2, "slow"))
        await it.service.until(waiting=2)
        peer.reset()
        await it.service.until(cancelled=2)
        await it.until(connections=0)


async def test_peer_that_is_gone_altogether_is_noticed_and_its_call_cancelled() -> None:
    # An orderly close looks like a half-close until something is sent.
    async with running(idle_timeout_s=0.08) as it:
        peer = it.peer()
        await peer.send(call_frame(1, "slow"))
        await it.service.until(waiting=1)
        peer.close()
        await it.service.until(cancelled=1)
        await it.until(connections=0)


async def test_refused_peer_reads_why_although_it_sent_much_more() -> None:
    async with running() as it:
        with it.peer() as peer:
            await peer.send(call_frame(1, "echo", b"good") + MALFORMED + bytes(3_000_000))
            assert await peer.end() == frame(Kind.REPLY, 1, b"good") + FAREWELL
        await it.until(connections=0)
        assert it.server.refused == {"malformed": 1}


async def test_refused_peer_that_stays_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LINGER_S", 0.03)
    async with running(idle_timeout_s=0.08) as it:
        with it.peer() as peer:
            await peer.send(MALFORMED)
            assert await peer.end() == FAREWELL
            await it.until(connections=0)


async def test_slow_call_is_cancelled_at_its_deadline_and_the_caller_told() -> None:
    async with running() as it:
        with it.peer() as peer:
            started = monotonic()
            await peer.send(call_frame(1, "slow", timeout_s=0.05) + call_frame(2, "slow"))
            (answer,) = await peer.frames(1)
            assert answer == error(1, "deadline-exceeded: the deadline of the call has passed; it was cancelled")
            assert monotonic() - started >= 0.05
            assert it.service.cancelled == 1
            await it.service.until(waiting=1)
            it.service.finish()
            assert await peer.frames(1) == [reply(2)]


async def test_who_is_about_to_give_up_is_known() -> None:
    raised: list[DeadlineExceeded] = []

    async def handler(invocation: Invocation) -> Result:
        raised.append(DeadlineExceeded("somebody further on was the first to say so"))
        raise raised[-1]

    async with running(handler) as it:
        with it.peer() as peer:
            await peer.send(
                call_frame(1, "slow", timeout_s=0.04) + call_frame(2, "slow", timeout_s=60) + call_frame(3, "slow")
            )
            await peer.frames(3)
    assert [each.is_callers for each in raised] == [True, False, False]


async def test_calls_of_one_connection_have_contexts_of_their_own() -> None:
    from contextvars import ContextVar

    variable: ContextVar[str] = ContextVar("variable", default="unset")

    async def handler(invocation: Invocation) -> Result:
        before = variable.get()
        variable.set("set by an earlier call")
        return Ok(before.encode())

    async with running(handler) as it:
        with it.peer() as peer:
            await peer.send(call_frame(1, "echo") + call_frame(2, "echo"))
            assert await peer.frames(2) == [reply(1, b"unset"), reply(2, b"unset")]


async def test_accepting_pauses_without_descriptors_and_recovers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceptor, "_ACCEPT_PAUSE_S", 0.01)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with running() as it:
        with it.peer() as served:
            await served.send(call_frame(1, "echo"))
            assert await served.frames(1) == [reply(1)]
            with it.peer() as waiting:
                lowest_free = os.dup(0)
                os.close(lowest_free)
                resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
                try:
                    waiting.send_now(call_frame(1, "echo", b"late"))
                    async with asyncio.timeout(LIMIT_S):
                        while it.server.refused.get("out-of-descriptors", 0) < 2:
                            await served.send(call_frame(2, "echo"))
                            assert await served.frames(1) == [reply(2)]
                finally:
                    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
                assert await waiting.frames(1) == [reply(1, b"late")]


async def test_listener_may_close_while_accepting_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceptor, "_ACCEPT_PAUSE_S", 0.0)
    async with running() as it:
        failing = FailingSocket(it.server._acceptor._sockets[0], [OSError(24, "Too many open files")])
        it.server._acceptor._accept(failing)  # type: ignore[arg-type]
        await it.server.aclose()
        assert failing.errors == []


class FailingSocket:
    """A listening socket whose first attempts to accept fail."""

    def __init__(self, real: socket.socket, errors: Sequence[OSError]) -> None:
        self.real = real
        self.errors = list(errors)

    def fileno(self) -> int:
        return self.real.fileno()

    def accept(self) -> Any:
        if self.errors:
            raise self.errors.pop(0)
        return self.real.accept()


async def test_connection_that_cannot_be_accepted_does_not_stop_the_others() -> None:
    async with running() as it:
        with it.peer() as peer:
            # accept(2): errors of the new connection, and EPERM from a firewall, come out of accept.
            errors = [
                OSError(1, "Operation not permitted"),
                ConnectionAbortedError(103, "aborted"),
                OSError(71, "proto"),
            ]
            it.server._acceptor._accept(FailingSocket(it.server._acceptor._sockets[0], errors))  # type: ignore[arg-type]
            await peer.send(call_frame(1, "echo"))
            assert await peer.frames(1) == [reply(1)]
        assert it.server.refused == {"accept-failed": 3}


def soon() -> float:
    return monotonic() + LIMIT_S


async def test_draining_says_goodbye_finishes_calls_and_takes_no_new_connections() -> None:
    async with running() as it:
        with it.peer() as busy, it.peer() as quiet:
            await busy.send(call_frame(1, "slow", b"finished"))
            await it.service.until(waiting=1)
            draining = asyncio.create_task(it.server.drain(soon()))
            assert await busy.frames(1) == [(Kind.GOODBYE, 0, b"")]
            assert await quiet.frames(1) == [(Kind.GOODBYE, 0, b"")]
            with pytest.raises(ConnectionRefusedError):
                it.peer()
            # What crossed the goodbye on the wire is served too.
            await quiet.send(call_frame(2, "slow", b"crossed"))
            await it.service.until(waiting=2)
            it.service.finish()
            assert await busy.frames(1) == [reply(1, b"finished")]
            assert not draining.done()
            it.service.finish()
            assert await quiet.frames(1) == [reply(2, b"crossed")]
            await draining


async def test_call_that_crosses_the_goodbye_of_an_idle_listener_is_answered() -> None:
    async with running() as it:
        with it.peer() as peer:
            await peer.send(frame(Kind.PONG))
            await it.until(connections=1)
            draining = asyncio.create_task(it.server.drain(soon()))
            assert await peer.frames(1) == [(Kind.GOODBYE, 0, b"")]
            await peer.send(call_frame(1, "echo", b"crossed"))
            await draining
            await it.server.aclose()
            assert await peer.end() == frame(Kind.REPLY, 1, b"crossed")


async def test_peer_in_the_queue_when_draining_begins_gets_a_goodbye_and_its_answer() -> None:
    async with running() as it:
        with it.peer() as peer:
            peer.send_now(call_frame(1, "echo", b"queued"))
            draining = asyncio.create_task(it.server.drain(soon()))
            assert sorted(await peer.frames(2)) == [reply(1, b"queued"), (Kind.GOODBYE, 0, b"")]
            await draining


async def test_draining_ends_at_its_deadline() -> None:
    async with running() as it:
        with it.peer() as peer:
            await peer.send(call_frame(1, "slow"))
            await it.service.until(waiting=1)
            deadline = monotonic() + 0.05
            await it.server.drain(deadline)
            assert monotonic() >= deadline
            assert await peer.frames(1) == [(Kind.GOODBYE, 0, b"")]
            await it.server.aclose()
            assert await peer.frames(1) == [error(1, "connection-lost: the provider closed before the call had ended")]


async def test_draining_an_idle_listener_does_not_wait() -> None:
    async with running() as it:
        await it.server.drain(monotonic() + 1_000)


async def test_draining_twice_waits_twice_and_says_goodbye_once() -> None:
    async with running() as it:
        with it.peer() as peer:
            await peer.send(call_frame(1, "slow"))
            await it.service.until(waiting=1)
            first, second = (asyncio.create_task(it.server.drain(soon())) for _ in range(2))
            assert await peer.frames(1) == [(Kind.GOODBYE, 0, b"")]
            assert not first.done()
            assert not second.done()
            it.service.finish()
            await asyncio.gather(first, second)
            assert await peer.frames(1) == [reply(1)]


async def test_draining_closes_as_soon_as_every_peer_confirmed_the_goodbye() -> None:
    async with running(quiet_s=1_000.0) as it:
        with it.peer() as first, it.peer() as second:
            draining = asyncio.create_task(it.server.drain(soon()))
            for peer in (first, second):
                assert await peer.frames(1) == [(Kind.GOODBYE, 0, b"")]
            # A confirmation comes behind all calls that crossed the goodbye.
            await first.send(call_frame(1, "echo", b"crossed") + frame(Kind.HEARD))
            assert await first.frames(1) == [reply(1, b"crossed")]
            assert not draining.done()
            await second.send(frame(Kind.HEARD))
            await draining
            assert await first.end() == await second.end() == b""


async def test_draining_waits_until_a_peer_that_confirms_nothing_was_quiet() -> None:
    async with running(quiet_s=0.2) as it:
        with it.peer() as peer:
            began = monotonic()
            draining = asyncio.create_task(it.server.drain(soon()))
            assert await peer.frames(1) == [(Kind.GOODBYE, 0, b"")]
            for index in range(3):
                await asyncio.sleep(0.05)
                await peer.send(call_frame(index, "echo"))
                assert await peer.frames(1) == [reply(index)]
            await draining
            assert monotonic() - began >= 0.35
            assert await peer.end() == b""


async def test_a_peer_that_was_quiet_for_long_is_closed_at_once() -> None:
    async with running(quiet_s=1_000.0) as it:
        with it.peer() as peer:
            await peer.send(call_frame(1, "echo"))
            assert await peer.frames(1) == [reply(1)]
            assert it.server._state is not None
            (connection,) = it.server._state.connections
            connection._last_read = connection._last_busy = monotonic() - 1_000
            await it.server.drain(monotonic() + 1_000)


async def test_draining_leaves_connections_with_calls_to_whoever_closes() -> None:
    async with running() as it:
        with it.peer() as busy, it.peer() as idle:
            await busy.send(call_frame(1, "slow", b"late"))
            await it.service.until(waiting=1)
            await it.server.drain(monotonic() + 0.05)
            assert await idle.end() == frame(Kind.GOODBYE)
            it.service.finish()
            assert await busy.frames(2) == [(Kind.GOODBYE, 0, b""), reply(1, b"late")]


async def test_everybody_in_the_queue_is_taken_when_draining_begins() -> None:
    async with running() as it:
        peers = [it.peer() for _ in range(150)]
        await it.server.drain(soon())
        for peer in peers:
            assert await peer.end() == frame(Kind.GOODBYE)
            peer.sock.close()


async def test_draining_before_the_start_does_nothing() -> None:
    await toy_server().drain(soon())


async def test_closing_before_the_start() -> None:
    server = toy_server()
    await server.aclose()
    assert server.connections == 0
    assert server.refused == {}


async def test_closing_while_it_starts_leaves_no_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving, resolved = asyncio.Event(), asyncio.Event()

    async def slow_listen(loop: asyncio.AbstractEventLoop, host: str, port: int) -> list[socket.socket]:
        resolving.set()
        await resolved.wait()
        return await listen(loop, host, port)

    monkeypatch.setattr(acceptor, "listen", slow_listen)
    server = toy_server()
    starting = asyncio.create_task(server.start(ToyService(), []))
    await resolving.wait()
    await server.aclose()
    resolved.set()
    with pytest.raises(RuntimeError, match="closed while it started"):
        await starting
    assert server._acceptor is None


async def test_closing_cancels_calls_waits_for_their_cleanup_and_tells_the_callers() -> None:
    entered, cleaned = asyncio.Event(), asyncio.Event()

    async def handler(invocation: Invocation) -> Result:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            cleaned.set()
        return Ok(b"")

    async with running(handler) as it:
        with it.peer() as peer:
            await peer.send(call_frame(1, "slow"))
            await entered.wait()
            await it.server.aclose()
            assert cleaned.is_set()
            (answer,) = await peer.frames(1)
            assert answer == error(1, "connection-lost: the provider closed before the call had ended")
            assert await peer.end() == b""


async def test_closing_does_not_wait_for_a_handler_that_will_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "_CANCEL_S", 0.02)
    stubborn = asyncio.Event()

    async def handler(invocation: Invocation) -> Result:
        while not stubborn.is_set():
            try:
                await stubborn.wait()
            except asyncio.CancelledError:
                continue
        return Ok(b"")

    async with running(handler) as it:
        with it.peer() as peer:
            await peer.send(call_frame(1, "slow"))
            await it.until(connections=1)
            while not it.server._state.calls:  # type: ignore[union-attr]
                await asyncio.sleep(0)
            await it.server.aclose()
            assert await peer.end() == b""
    stubborn.set()
    while len(asyncio.all_tasks()) > 1:
        await asyncio.sleep(0)


async def test_calls_that_come_while_it_closes_are_refused() -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def handler(invocation: Invocation) -> Result:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            await go_on.wait()
        return Ok(b"")

    async with running(handler) as it:
        with it.peer() as peer:
            await peer.send(call_frame(1, "slow"))
            await entered.wait()
            closing = asyncio.create_task(it.server.aclose())
            await asyncio.sleep(0)
            await peer.send(call_frame(2, "echo"))
            assert await peer.frames(1) == [error(2, "overloaded: this listener is closing")]
            go_on.set()
            await closing


async def test_closing_sends_what_is_ready() -> None:
    async with running() as it:
        with it.peer() as peer:
            await peer.send(call_frame(1, "big", b"2000000"))
            await it.service.until(received=1)
            closing = asyncio.create_task(it.server.aclose())
            assert await peer.end() == frame(Kind.REPLY, 1, bytes(2_000_000))
            await closing


async def test_closing_drops_a_peer_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_CLOSE_S", 0.02)
    async with running() as it:
        with it.peer(receive_buffer=4096) as peer:
            await peer.send(call_frame(1, "big", b"30000000"))
            await it.service.until(received=1)
            await it.server.aclose()
            assert len(await peer.end()) < 30_000_000


async def test_closing_while_a_connection_is_being_opened() -> None:
    async with running() as it:
        with it.peer() as peer:
            while not it.server.connections:
                it.server._acceptor._accept(it.server._acceptor._sockets[0])
            await it.server.aclose()
            assert await peer.end() in (b"", frame(Kind.GOODBYE))


async def test_closing_twice_and_at_the_same_time() -> None:
    async with running() as it:
        with it.peer() as peer:
            await peer.send(call_frame(1, "slow"))
            await it.service.until(waiting=1)
            await asyncio.gather(it.server.aclose(), it.server.aclose())
            await it.server.aclose()
            assert it.service.cancelled == 1
            assert len(await peer.frames(1)) == 1


async def test_closed_listener_can_be_bound_again_at_once() -> None:
    async with running() as it:
        with it.peer() as peer:
            await peer.send(call_frame(1, "echo"))
            assert await peer.frames(1) == [reply(1)]
            await it.server.aclose()
            async with running(port=it.port) as again:
                assert again.port == it.port
