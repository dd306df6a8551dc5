"""One accepted connection, on a transport without a socket and with the time the test says it is."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest

from adapters.tcp.server import ListenerState
from adapters.tcp.server_connection import ServerConnection
from adapters.tcp.timers import TimerWheel
from gateway.model.call import Invocation, Ok, Result
from gateway.model.errors import Forbidden, GatewayError, RemoteWireError, ValueMappingError
from gateway.spi.adapter import ListenerOptions
from gateway.spi.handler import Handler
from protocols.contract import CallRejected
from tests.support.fake_transport import FakeTransport
from tests.support.toy_wire import FAREWELL, MALFORMED, Frames, Kind, ToyServerWire, ToyService, call_frame, frame


class Accepted:
    """A connection just accepted, with what is around it."""

    def __init__(self, handler: Handler | None = None, **limits: Any) -> None:
        self.service = ToyService()
        options = replace(ListenerOptions("toy", "toy", "127.0.0.1", 0), **limits)
        loop = asyncio.get_running_loop()
        self.state = ListenerState(options, handler or self.service, ToyServerWire(), loop, TimerWheel(loop))
        self.connection = ServerConnection(self.state, "10.0.0.1", "10.0.0.1:1")
        self.state.connected.add(self.connection, "10.0.0.1")
        self.transport = FakeTransport(self.connection)

    async def receive(self, data: bytes) -> None:
        """As a loop delivers it: in a callback, outside of any Task."""
        await turn(self.connection.data_received, data)

    @property
    def frames(self) -> list[tuple[int, int, bytes]]:
        return Frames().feed(self.transport.written)


async def turn(act: Any, *arguments: Any) -> None:
    """Runs `act` as a callback of the loop, and lets what it scheduled run too."""
    asyncio.get_running_loop().call_soon(act, *arguments)
    await settle()


async def settle() -> None:
    """Lets everything run that waits for nothing but its turn: a Task, what it wakes, what is told of its end …"""
    for _ in range(8):
        await asyncio.sleep(0)


def calls(count: int, method: str = "echo", argument: bytes = b"x") -> bytes:
    return b"".join(call_frame(number, method, argument) for number in range(1, count + 1))


async def test_pipelined_calls_are_answered_in_one_write() -> None:
    accepted = Accepted()
    await accepted.receive(calls(100))
    assert len(accepted.transport.writes) == 1
    assert accepted.frames == [(Kind.REPLY, number, b"x") for number in range(1, 101)]


async def test_answers_that_become_ready_together_leave_in_one_write() -> None:
    accepted = Accepted()
    await accepted.receive(calls(3, "slow"))
    await accepted.service.until(waiting=3)
    for _ in range(3):
        accepted.service.finish()
    await settle()
    assert len(accepted.transport.writes) == 1
    assert [call_id for _, call_id, _ in accepted.frames] == [1, 2, 3]


async def test_heartbeat_among_calls_leaves_with_their_answers() -> None:
    accepted = Accepted()
    await accepted.receive(call_frame(1, "echo") + frame(Kind.PING) + call_frame(2, "echo"))
    assert len(accepted.transport.writes) == 1
    assert [kind for kind, _, _ in accepted.frames] == [Kind.REPLY, Kind.PONG, Kind.REPLY]


async def test_answers_nobody_reads_do_not_pile_up() -> None:
    accepted = Accepted(max_write_buffer_bytes=1_000, max_frame_bytes=1_000)
    transport = accepted.transport
    transport.is_open = False
    await accepted.receive(calls(200, "big", b"600"))
    # Two are collected before they exceed the limit; what follows waits for the peer.
    assert 1_000 < transport.held < 2_000
    assert not transport.is_reading()
    assert len(accepted.service.received) == 2
    while transport.held:
        await turn(transport.take)
    assert transport.most_held < 2_000
    assert transport.is_reading()
    assert [call_id for _, call_id, _ in accepted.frames] == list(range(1, 201))


async def test_others_have_their_turn_between_many_calls_of_one_connection() -> None:
    accepted, other = Accepted(), Accepted()
    after: list[tuple[int, bool]] = []

    def note() -> None:
        other.connection.data_received(call_frame(1, "echo"))
        after.append((len(accepted.service.received), accepted.transport.is_reading()))

    loop = asyncio.get_running_loop()
    loop.call_soon(accepted.connection.data_received, calls(1_000) + MALFORMED)
    loop.call_soon(note)
    await settle()
    assert after == [(256, False)]
    assert len(other.frames) == 1
    assert accepted.frames == [
        *((Kind.REPLY, number, b"x") for number in range(1, 1_001)),
        (Kind.ERROR, 0, b"malformed: unknown kind 99"),
    ]
    assert accepted.transport.ended


async def test_it_is_the_turn_of_others_however_the_network_cuts_the_calls() -> None:
    accepted = Accepted()
    loop = asyncio.get_running_loop()
    reading: list[bool] = []
    for each in range(4):
        loop.call_soon(accepted.connection.data_received, calls(64))
        loop.call_soon(lambda: reading.append(accepted.transport.is_reading()))
        if each < 3:
            await settle()
    await asyncio.sleep(0)
    assert reading == [True, True, True, False]
    await settle()
    assert accepted.transport.is_reading()
    assert len(accepted.frames) == 256


async def test_connection_lost_in_the_turn_of_others() -> None:
    accepted = Accepted()
    asyncio.get_running_loop().call_soon(accepted.connection.data_received, calls(1_000))
    asyncio.get_running_loop().call_soon(accepted.transport.abort)
    await settle()
    assert len(accepted.service.received) == 256
    assert not accepted.state.connections


async def test_what_follows_held_calls_is_still_in_order() -> None:
    accepted = Accepted(max_write_buffer_bytes=1_000, max_frame_bytes=1_000)
    accepted.transport.is_open = False
    await accepted.receive(calls(4, "big", b"2000") + call_frame(5, "unknown") + frame(Kind.PING) + MALFORMED)
    assert len(accepted.service.received) == 1
    while accepted.transport.held:
        await turn(accepted.transport.take)
    assert [(kind, call_id) for kind, call_id, _ in accepted.frames] == [
        *((Kind.REPLY, number) for number in range(1, 5)),
        (Kind.ERROR, 5),
        (Kind.PONG, 0),
        (Kind.ERROR, 0),
    ]
    assert accepted.transport.ended


async def test_connection_lost_while_calls_are_held() -> None:
    accepted = Accepted(max_write_buffer_bytes=1_000, max_frame_bytes=1_000)
    accepted.transport.is_open = False
    await accepted.receive(calls(10, "big", b"2000"))
    accepted.transport.abort()
    await settle()
    assert len(accepted.service.received) == 1
    assert accepted.state.calls == 0
    assert not accepted.state.connections


async def test_peer_that_leaves_its_answers_unread_is_dropped() -> None:
    accepted = Accepted(max_write_buffer_bytes=1_000, max_frame_bytes=1_000)
    accepted.transport.is_open = False
    await accepted.receive(calls(100, "slow"))
    await accepted.service.until(waiting=100)
    while not accepted.transport.aborted:
        accepted.service.finish(tail=bytes(500))
        await settle()
    # Eight write buffers, and the answer that was too much.
    assert accepted.transport.most_held <= 8 * 1_000 + 600
    assert accepted.state.refused == {"slow-reader": 1}
    await settle()
    assert accepted.service.cancelled > 80
    assert accepted.state.calls == 0


async def test_peer_that_pauses_is_not_asked_for_the_time_it_could_not_send() -> None:
    accepted = Accepted(max_write_buffer_bytes=1_000, max_frame_bytes=1_000, frame_timeout_s=10.0)
    accepted.transport.is_open = False
    await accepted.receive(call_frame(1, "big", b"2000") + call_frame(2, "echo")[:5])
    accepted.connection.check(monotonic() + 100, 0)
    assert not accepted.transport.is_closing()
    await turn(accepted.transport.take)
    accepted.connection.check(monotonic() + 9, 0)
    assert not accepted.transport.is_closing()
    accepted.connection.check(monotonic() + 11, 0)
    assert accepted.state.refused == {"frame-timeout": 1}


async def test_pausing_after_it_was_closed_does_not_touch_the_transport() -> None:
    accepted = Accepted()
    accepted.transport.is_open = False
    accepted.transport.write(b"unsent")
    accepted.transport.close()
    accepted.connection.pause_writing()
    accepted.connection.resume_writing()
    accepted.transport.take()


async def test_answer_ready_in_the_turn_of_the_end_of_stream_is_sent() -> None:
    accepted = Accepted()
    await accepted.receive(call_frame(1, "slow"))
    await accepted.service.until(waiting=1)

    def finish_then_end() -> None:
        accepted.connection._write(frame(Kind.REPLY, 1, b"ready"))
        keep_open = accepted.connection.eof_received()
        assert keep_open

    await turn(finish_then_end)
    assert accepted.frames[0] == (Kind.REPLY, 1, b"ready")
    accepted.service.finish()
    await settle()
    assert accepted.transport.is_closing()


async def test_end_of_stream_with_nothing_running_closes() -> None:
    accepted = Accepted()
    await accepted.receive(call_frame(1, "echo"))
    assert not accepted.connection.eof_received()


async def test_unreadable_stream_is_answered_and_the_sending_side_closed() -> None:
    accepted = Accepted()
    await accepted.receive(call_frame(1, "echo", b"good") + MALFORMED + call_frame(2, "echo", b"never read"))
    assert accepted.transport.written == frame(Kind.REPLY, 1, b"good") + FAREWELL
    assert len(accepted.transport.writes) == 1
    assert accepted.transport.ended
    assert not accepted.transport.is_closing()
    assert accepted.state.refused == {"malformed": 1}
    await accepted.receive(call_frame(3, "echo"))
    accepted.connection.say_goodbye()
    await settle()
    assert accepted.service.received == ["echo"]
    assert not accepted.connection.eof_received()


async def test_calls_in_progress_are_answered_after_the_stream_became_unreadable() -> None:
    accepted = Accepted()
    await accepted.receive(call_frame(1, "slow", b"good") + MALFORMED)
    await accepted.service.until(waiting=1)
    assert accepted.transport.written == FAREWELL
    assert not accepted.transport.ended
    accepted.service.finish()
    await settle()
    assert accepted.transport.written == FAREWELL + frame(Kind.REPLY, 1, b"good")
    assert accepted.transport.ended


async def test_refused_peer_that_does_not_close_is_closed() -> None:
    accepted = Accepted()
    await accepted.receive(MALFORMED)
    accepted.connection.check(monotonic() + 0.5, 0)
    assert not accepted.transport.is_closing()
    accepted.connection.check(monotonic() + 1.5, 0)
    assert accepted.transport.aborted
    assert accepted.state.refused == {"malformed": 1}


async def test_silent_peer_is_closed_after_the_first_byte_limit() -> None:
    accepted = Accepted(first_byte_timeout_s=10.0)
    accepted.connection.check(monotonic() + 9, 0)
    assert not accepted.transport.is_closing()
    accepted.connection.check(monotonic() + 11, 0)
    assert accepted.transport.is_closing()
    assert accepted.state.refused == {"first-byte-timeout": 1}


async def test_slow_message_is_closed_after_the_frame_limit() -> None:
    accepted = Accepted(frame_timeout_s=10.0)
    message = call_frame(1, "echo")
    await accepted.receive(message[:4])
    began = monotonic()
    await accepted.receive(message[4:8])
    accepted.connection.check(began + 9, 0)
    assert not accepted.transport.is_closing()
    accepted.connection.check(began + 11, 0)
    assert accepted.transport.is_closing()
    assert accepted.state.refused == {"frame-timeout": 1}


async def test_completed_messages_restart_the_frame_limit() -> None:
    accepted = Accepted(frame_timeout_s=10.0)
    message = call_frame(1, "echo")
    await accepted.receive(message + message[:4])
    accepted.connection._pending_since -= 9
    await accepted.receive(message[4:] + message[:4])
    accepted.connection.check(monotonic() + 9, 0)
    assert not accepted.transport.is_closing()


async def test_idle_peer_is_closed() -> None:
    accepted = Accepted(idle_timeout_s=10.0)
    await accepted.receive(call_frame(1, "echo"))
    accepted.connection.check(monotonic() + 9, 0)
    assert not accepted.transport.is_closing()
    accepted.connection.check(monotonic() + 11, 0)
    assert accepted.state.refused == {"idle": 1}


async def test_peer_that_waits_for_an_answer_is_not_idle_nor_right_after_it() -> None:
    accepted = Accepted(idle_timeout_s=10.0)
    await accepted.receive(call_frame(1, "slow"))
    await accepted.service.until(waiting=1)
    ended = monotonic() + 100
    accepted.connection.check(ended, 0)
    accepted.service.finish()
    await settle()
    accepted.connection.check(ended + 9, 0)
    assert not accepted.transport.is_closing()
    accepted.connection.check(ended + 11, 0)
    assert accepted.state.refused == {"idle": 1}


async def test_idle_peer_that_does_not_read_is_dropped_with_what_it_left() -> None:
    accepted = Accepted(idle_timeout_s=10.0, max_write_buffer_bytes=1_000)
    accepted.transport.is_open = False
    await accepted.receive(call_frame(1, "big", b"2000"))
    accepted.connection.check(monotonic() + 11, 0)
    assert accepted.transport.aborted


async def test_quiet_line_gets_one_heartbeat_for_each_interval() -> None:
    accepted = Accepted()
    await accepted.receive(call_frame(1, "echo"))
    accepted.transport.writes.clear()
    now = monotonic()
    for seconds in (9.0, 11.0, 15.0, 22.0):
        accepted.connection.check(now + seconds, heartbeat_s=10.0)
        await settle()
    assert accepted.transport.writes == [frame(Kind.PING)] * 2


async def test_heartbeat_is_not_sent_before_the_peer_said_anything() -> None:
    accepted = Accepted()
    accepted.connection.check(monotonic() + 20, heartbeat_s=10.0)
    await settle()
    assert accepted.transport.writes == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Forbidden("not you"), b"forbidden: not you"),
        (ValueMappingError("too wide", "args[0]"), b"provider-failed: args[0]: too wide"),
        (GatewayError("odd"), b"provider-failed: odd"),
        (asyncio.CancelledError(), b"provider-failed: the call was cancelled"),
        (RuntimeError("password=secret"), b"provider-failed: internal error"),
        (RecursionError("deep"), b"provider-failed: internal error"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_a_handler_raises_becomes_an_answer(
    error: BaseException, told: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(invocation: Invocation) -> Result:
        raise error

    accepted = Accepted(handler)
    await accepted.receive(call_frame(1, "echo") + call_frame(2, "echo", oneway=True))
    assert accepted.frames == [(Kind.ERROR, 1, told)]
    # Also where nobody waits for the answer.
    assert len(caplog.records) == (2 if told.endswith(b"internal error") else 0)
    assert accepted.state.calls == 0


@pytest.mark.parametrize("outcome", [None, 7, "text", Ok("not bytes")], ids=repr)
async def test_outcome_that_cannot_be_sent_still_gets_an_answer(outcome: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def handler(invocation: Invocation) -> Any:
        return outcome

    accepted = Accepted(handler)
    await accepted.receive(call_frame(1, "echo"))
    assert accepted.frames == [(Kind.ERROR, 1, b"provider-failed: internal error")]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_filter_that_raises_before_there_is_a_coroutine_gives_an_answer() -> None:
    def handler(invocation: Invocation) -> Any:
        if invocation.method == "fail":
            raise Forbidden("not you")
        return answer(invocation)

    async def answer(invocation: Invocation) -> Result:
        return Ok(b"fine")

    accepted = Accepted(handler)
    await accepted.receive(call_frame(1, "fail") + call_frame(2, "echo") + call_frame(3, "fail", oneway=True))
    assert accepted.frames == [(Kind.ERROR, 1, b"forbidden: not you"), (Kind.REPLY, 2, b"fine")]
    assert accepted.state.calls == 0


async def test_answers_that_are_no_bytes_cost_only_their_own_connection(caplog: pytest.LogCaptureFixture) -> None:
    accepted = Accepted()
    other = ServerConnection(accepted.state, "10.0.0.2", "10.0.0.2:1")
    transport = FakeTransport(other)
    for connection in (accepted.connection, other):
        asyncio.get_running_loop().call_soon(connection.data_received, calls(2, "slow"))
    await accepted.service.until(waiting=4)
    accepted.connection._codec.reply = lambda ticket, outcome: "text"  # type: ignore[method-assign,assignment,return-value]
    for _ in range(4):
        accepted.service.finish()
    await settle()
    assert accepted.transport.aborted
    assert Frames().feed(transport.written) == [(Kind.REPLY, number, b"x") for number in (1, 2)]
    assert [record.exc_info is not None for record in caplog.records] == [True]


async def test_oneway_calls_run_and_are_not_answered() -> None:
    accepted = Accepted()
    await accepted.receive(call_frame(0, "echo", oneway=True) + call_frame(0, "unknown", oneway=True))
    assert accepted.service.received == ["echo"]
    assert accepted.transport.writes == []
    assert accepted.state.refused == {"no-such-method": 1}


async def test_calls_that_end_at_once_do_not_count_against_the_limits() -> None:
    accepted = Accepted(max_calls_per_connection=1, max_calls=1)
    await accepted.receive(calls(50))
    assert [kind for kind, _, _ in accepted.frames] == [Kind.REPLY] * 50


async def test_calls_beyond_the_limit_are_refused_at_once() -> None:
    accepted = Accepted(max_calls_per_connection=2)
    await accepted.receive(calls(4, "slow") + call_frame(9, "slow", oneway=True))
    await accepted.service.until(waiting=2)
    refusal = b"overloaded: too many calls in progress here"
    assert accepted.frames == [(Kind.ERROR, 3, refusal), (Kind.ERROR, 4, refusal)]
    assert accepted.state.refused == {"too-many-calls": 3}
    accepted.service.finish()
    await settle()
    await accepted.receive(call_frame(5, "slow"))
    await accepted.service.until(waiting=2)
    accepted.transport.abort()
    await accepted.service.until(cancelled=2)


async def test_calls_of_a_connection_that_is_gone_are_cancelled_and_not_answered() -> None:
    accepted = Accepted()
    await accepted.receive(calls(3, "slow"))
    await accepted.service.until(waiting=3)
    accepted.transport.abort()
    await accepted.service.until(cancelled=3)
    await settle()
    assert accepted.transport.writes == []
    assert accepted.state.calls == 0
    assert accepted.state.connected.per_address == {}


async def test_refusals_are_logged_at_each_power_of_ten(caplog: pytest.LogCaptureFixture) -> None:
    accepted = Accepted()
    for _ in range(150):
        accepted.state.count("malformed", "10.0.0.1:1", "unknown kind")
    assert [record.args[-1] for record in caplog.records if isinstance(record.args, tuple)] == [1, 10, 100]
    assert {record.__dict__["reason"] for record in caplog.records} == {"malformed"}
    assert accepted.state.refused == {"malformed": 150}


@pytest.mark.parametrize("attribute", ["rejected", "broken"])
async def test_what_a_codec_refuses_is_freed_without_the_garbage_collector(attribute: str) -> None:
    alive: list[weakref.ref[Any]] = []

    class Message(bytearray):
        """Something a peer sent; unlike bytes it can be watched."""

    class RefusingCodec:
        broken: RemoteWireError | None = None
        finished = False
        pending_bytes = 0

        def receive(self, data: bytes, now: float) -> list[CallRejected]:
            message = Message(data)
            alive.append(weakref.ref(message))
            events: list[CallRejected] = []
            try:
                self.refuse(message)
            except Forbidden as error:
                events.append(CallRejected(None, error))
            except RemoteWireError as error:
                self.broken = error
            return events

        def refuse(self, message: Message) -> None:
            raise Forbidden("no") if attribute == "rejected" else RemoteWireError("no")

    accepted = Accepted()
    accepted.connection._codec = RefusingCodec()  # type: ignore[assignment]
    gc.collect()
    gc.disable()
    try:
        await accepted.receive(b"data")
        assert [each() for each in alive] == [None]
    finally:
        gc.enable()
