"""One connection to a provider, on a transport without a socket and with the time and the pauses a test gives it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

from adapters.tcp import provider_connection
from adapters.tcp.driver import CallDriver
from adapters.tcp.provider_connection import ConnectionOptions, ProviderConnection
from adapters.tcp.timers import TimerWheel
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
)
from tests.support.fake_clock import FakeClock
from tests.support.fake_transport import FakeTransport
from tests.support.toy_wire import SERVICE, Frames, Kind, ToyClientCodec, ToyClientWire, frame


class Provider:
    """A connection whose connecting is done by hand: `accept` gives it a transport, `refuse` an error."""

    def __init__(self, clock: FakeClock | None = None, wire: ToyClientWire | None = None, **options: Any) -> None:
        self.loop = asyncio.get_running_loop()
        self.wheel = TimerWheel(self.loop)
        self.wire = wire or ToyClientWire()
        self.clock = clock or FakeClock()
        self.attempts = 0
        self.tried = asyncio.Event()
        self._outcome: asyncio.Future[None] | None = None
        self.given_up: asyncio.Event | None = None
        """Set to let connections be made whose connecting goes on and on."""
        self.connection = ProviderConnection(
            self.wire,
            "10.0.0.9",
            20880,
            ConnectionOptions(**options),
            self.wheel,
            jitter=lambda: 0.5,
            sleep=self.clock.sleep,
        )
        self.connection._loop = ConnectingLoop(self)  # type: ignore[assignment]
        self.transport: FakeTransport | None = None

    async def attempt(self, factory: Callable[[], asyncio.Protocol]) -> Any:
        self.attempts += 1
        self._outcome = self.loop.create_future()
        self.tried.set()
        await self._outcome
        self.transport = FakeTransport(factory())
        if self.given_up is not None:
            try:
                await self.given_up.wait()
            except asyncio.CancelledError:
                # As uvloop does it: the protocol had its connection_made and hears nothing more.
                self.transport.fall_silent()
                raise
        return self.transport, self.connection

    async def accept(self) -> FakeTransport:
        await self._answer(None)
        assert self.transport is not None
        return self.transport

    async def refuse(self) -> None:
        await self._answer(ConnectionRefusedError(111, "Connection refused"))

    async def _answer(self, error: Exception | None) -> None:
        async with asyncio.timeout(5):
            await self.tried.wait()
        self.tried.clear()
        assert self._outcome is not None
        if error is None:
            self._outcome.set_result(None)
        else:
            self._outcome.set_exception(error)
        await settle()

    def call(self, argument: Any = b"x", timeout_s: float = 5.0, **attributes: Any) -> asyncio.Task[Result]:
        invocation = Invocation(SERVICE, "echo", (argument,), **attributes)
        expires = monotonic() + timeout_s
        return self.loop.create_task(self.connection.call(SERVICE, invocation, expires, timeout_s))

    def reply(self, *ids: int) -> None:
        """Replies to calls, in one segment."""
        self.receive(b"".join(frame(Kind.REPLY, each, b"answer %d" % each) for each in ids))

    def receive(self, data: bytes) -> None:
        self.loop.call_soon(self.connection.data_received, data)

    @property
    def sent(self) -> list[tuple[int, int]]:
        assert self.transport is not None
        return [(kind, call_id) for kind, call_id, _ in Frames().feed(self.transport.written)]

    @property
    def codec(self) -> ToyClientCodec:
        codec = self.connection._codec
        assert isinstance(codec, ToyClientCodec)
        return codec


class ConnectingLoop:
    """The loop, but for connecting."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def create_connection(self, factory: Callable[[], asyncio.Protocol], host: str, port: int) -> Any:
        return await self._provider.attempt(factory)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider.loop, name)


@asynccontextmanager
async def provider(**options: Any) -> AsyncIterator[Provider]:
    it = Provider(**options)
    try:
        yield it
    finally:
        await it.connection.aclose()
        it.wheel.close()


@asynccontextmanager
async def connected(**options: Any) -> AsyncIterator[Provider]:
    """A provider with a connection over which one call was answered."""
    async with provider(**options) as it:
        first = it.call()
        await it.accept()
        it.reply(1)
        await first
        yield it


async def settle() -> None:
    """Lets everything run that waits for nothing but its turn."""
    for _ in range(8):
        await asyncio.sleep(0)


async def failure(call: asyncio.Task[Result]) -> RpcError:
    async with asyncio.timeout(5):
        with pytest.raises(RpcError) as caught:
            await call
    return caught.value


def value(result: Result) -> Any:
    assert isinstance(result, Ok)
    return result.value


async def test_connects_with_the_first_call_and_calls_share_the_attempt() -> None:
    async with provider() as it:
        await settle()
        assert it.attempts == 0
        assert (it.connection.available, it.connection.connected) == (True, False)
        calls = [it.call() for _ in range(3)]
        await it.accept()
        assert (it.connection.available, it.connection.connected) == (True, True)
        it.reply(1, 2, 3)
        assert [value(await call) for call in calls] == [b"answer 1", b"answer 2", b"answer 3"]
        assert (it.attempts, it.connection.connects) == (1, 1)


async def test_replies_find_their_callers_in_any_order() -> None:
    async with connected() as it:
        calls = [it.call() for _ in range(3)]
        await settle()
        assert it.connection.in_flight == 3
        it.reply(4, 2)
        it.receive(frame(Kind.ERROR, 3, b"overloaded: no") + frame(Kind.PING))
        assert value(await calls[2]) == b"answer 4"
        assert value(await calls[0]) == b"answer 2"
        refused = await failure(calls[1])
        assert isinstance(refused, Overloaded)
        assert it.connection.in_flight == 0
        assert it.sent[-1] == (Kind.PONG, 0)


async def test_fault_is_an_answer() -> None:
    async with connected() as it:
        call = it.call()
        await settle()
        it.receive(frame(Kind.ERROR, 2, b"fault: not found"))
        assert isinstance(await call, Fault)


async def test_replies_nobody_waits_for_are_counted_and_dropped() -> None:
    async with connected() as it:
        call = it.call()
        await settle()
        it.reply(77, 2, 2)
        assert value(await call) == b"answer 2"
        assert it.connection.late_replies == 2


async def test_call_without_a_reply_fails_at_its_timeout_and_is_abandoned() -> None:
    async with connected() as it:
        started = monotonic()
        late, other = it.call(timeout_s=0.03), it.call()
        error = await failure(late)
        assert isinstance(error, DeadlineExceeded)
        assert error.retry is Retry.IF_IDEMPOTENT
        assert str(error) == "10.0.0.9:20880 did not answer within 0.03 s"
        assert monotonic() - started >= 0.03
        assert it.codec.abandoned == [2]
        it.reply(2, 3)
        assert value(await other) == b"answer 3"
        assert it.connection.late_replies == 1


async def test_caller_that_is_cancelled_abandons_its_call() -> None:
    async with connected() as it:
        call, other = it.call(), it.call()
        await settle()
        call.cancel()
        await settle()
        assert call.cancelled()
        assert it.codec.abandoned == [2]
        assert len(it.wheel) == 1
        it.reply(2, 3)
        assert value(await other) == b"answer 3"
        assert len(it.wheel) == 0


async def test_deadline_that_has_passed_sends_nothing() -> None:
    async with connected() as it:
        error = await failure(it.call(timeout_s=-0.001))
        assert isinstance(error, DeadlineExceeded)
        assert error.retry is Retry.SAFE
        assert len(it.sent) == 1


async def test_provider_is_told_how_long_the_caller_waits() -> None:
    async with connected() as it:
        call = it.call(timeout_s=2.5)
        await settle()
        assert it.transport is not None
        assert Frames().feed(it.transport.writes[-1])[0][2][:4] == (2500).to_bytes(4, "big")
        it.reply(2)
        await call


async def test_connecting_counts_against_the_timeout() -> None:
    async with provider() as it:
        error = await failure(it.call(timeout_s=0.03))
        assert isinstance(error, DeadlineExceeded)
        assert error.retry is Retry.SAFE
        call = it.call()
        await it.accept()
        it.reply(1)
        assert value(await call) == b"answer 1"


async def test_call_that_cannot_be_encoded_harms_nobody() -> None:
    async with connected(wire=ToyClientWire(max_frame_bytes=1_000)) as it:
        wrong, large = await failure(it.call(argument=7)), await failure(it.call(argument=bytes(2_000)))
        assert isinstance(wrong, BadRequest)
        assert str(wrong) == "echo: args[0]: only bytes travel here"
        assert isinstance(large, BadRequest)
        assert it.connection.in_flight == 0
        assert len(it.sent) == 1


async def test_oneway_call_is_over_when_it_is_sent() -> None:
    async with connected() as it:
        assert value(await it.call(oneway=True)) is None
        await settle()
        assert it.sent[-1][0] == Kind.ONEWAY
        assert it.connection.in_flight == 0


async def test_provider_that_does_not_read_is_overloaded() -> None:
    async with connected(max_write_buffer_bytes=10_000) as it:
        assert it.transport is not None
        it.transport.is_open = False
        call = it.call(bytes(10_000))
        await settle()
        error = await failure(it.call())
        assert isinstance(error, Overloaded)
        assert error.retry is Retry.SAFE
        it.transport.take()
        again = it.call()
        await settle()
        it.reply(2, 4 - 1)
        assert value(await call) == b"answer 2"
        assert value(await again) == b"answer 3"
        it.transport.take()


async def test_calls_beyond_what_the_wire_allows_in_flight_are_refused() -> None:
    async with connected(wire=ToyClientWire(max_in_flight=2)) as it:
        calls = [it.call(), it.call()]
        await settle()
        error = await failure(it.call())
        assert isinstance(error, Overloaded)
        assert "2 calls" in str(error)
        it.reply(2, 3)
        await asyncio.gather(*calls)


async def test_refused_connect_fails_at_once_and_says_why() -> None:
    async with provider() as it:
        call = it.call()
        await it.refuse()
        error = await failure(call)
        assert isinstance(error, ConnectFailed)
        assert error.retry is Retry.SAFE
        assert str(error) == "cannot connect to 10.0.0.9:20880: Connection refused"
        assert not it.connection.available


async def test_while_it_is_down_calls_fail_without_another_attempt_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    offset = 0.0
    monkeypatch.setattr(provider_connection, "monotonic", lambda: monotonic() + offset)
    async with provider(backoff_s=60.0) as it:
        call = it.call()
        await it.refuse()
        await failure(call)
        for _ in range(5):
            assert isinstance(await failure(it.call()), ConnectFailed)
        assert it.attempts == 1
        offset = 61.0
        call = it.call(timeout_s=100.0)
        await it.accept()
        it.reply(1)
        assert value(await call) == b"answer 1"
        assert it.attempts == 2


async def test_connection_that_was_lost_fails_its_calls_and_is_made_anew_by_the_next() -> None:
    async with connected() as it:
        calls = [it.call(), it.call()]
        await settle()
        assert it.transport is not None
        it.transport.abort()
        for call in calls:
            error = await failure(call)
            assert isinstance(error, ConnectionLost)
            assert error.retry is Retry.IF_IDEMPOTENT
        seen = [it.connection.available]
        call = it.call()
        await it.accept()
        it.reply(1)
        assert value(await call) == b"answer 1"
        seen.append(it.connection.available)
        assert seen == [False, True]
        assert it.connection.connects == 2


async def test_caller_told_of_the_loss_may_call_again_at_once() -> None:
    async with connected() as it:

        async def persistent() -> Result:
            try:
                return await it.connection.call(SERVICE, Invocation(SERVICE, "echo", (b"",)), monotonic() + 5, 5.0)
            except ConnectionLost:
                return await it.connection.call(SERVICE, Invocation(SERVICE, "echo", (b"",)), monotonic() + 5, 5.0)

        results: list[Any] = []
        driver = CallDriver(it.loop, persistent(), lambda _, *outcome: results.append(outcome), None)
        it.loop.call_soon(driver.start)
        await settle()
        assert it.transport is not None
        it.transport.abort()
        await it.accept()
        it.reply(1)
        await settle()
        ((result, error),) = results
        assert error is None
        assert value(result) == b"answer 1"


async def test_lost_connection_is_made_anew_without_a_call() -> None:
    async with connected(backoff_s=1.0) as it:
        assert it.transport is not None
        it.transport.abort()
        await it.clock.until_asleep()
        assert it.attempts == 1
        it.clock.advance(1.0)
        await it.accept()
        assert it.connection.available


async def test_pauses_between_attempts_double_up_to_the_longest() -> None:
    async with provider(backoff_s=1.0, max_backoff_s=5.0) as it:
        call = it.call()
        await it.refuse()
        await failure(call)
        for pause in (1.0, 2.0, 4.0, 5.0, 5.0):
            await it.clock.until_asleep()
            it.clock.advance(pause)
            await it.refuse()
        assert it.clock.slept[:5] == [1.0, 2.0, 4.0, 5.0, 5.0]
        await it.clock.until_asleep()
        it.clock.advance(5.0)
        transport = await it.accept()
        it.receive(frame(Kind.PONG))
        await settle()
        transport.abort()
        await it.clock.until_asleep()
        # It was of use in between, so pauses begin anew.
        assert it.clock.slept[6:] == [1.0]


async def test_provider_that_accepts_and_closes_at_once_is_asked_less_and_less_often() -> None:
    async with provider(backoff_s=1.0, max_backoff_s=8.0) as it:
        call = it.call()
        (await it.accept()).abort()
        assert isinstance(await failure(call), ConnectionLost)
        for pause in (1.0, 2.0, 4.0, 8.0):
            await it.clock.until_asleep()
            it.clock.advance(pause)
            (await it.accept()).abort()
            await settle()
        assert it.clock.slept == [1.0, 2.0, 4.0, 8.0, 8.0]


async def test_provider_that_breaks_the_protocol_is_left_and_callers_told() -> None:
    async with connected() as it:
        answered, call = it.call(), it.call()
        await settle()
        it.receive(frame(Kind.REPLY, 2, b"good") + frame(99))
        assert value(await answered) == b"good"
        error = await failure(call)
        assert isinstance(error, ConnectionLost)
        assert str(error) == "10.0.0.9:20880 broke the protocol before it answered: unknown kind 99"


async def test_end_of_stream_ends_the_connection_at_once_even_with_bytes_unsent() -> None:
    async with connected() as it:
        assert it.transport is not None
        it.transport.is_open = False
        call = it.call(bytes(100_000))
        await settle()
        assert not it.connection.eof_received()
        assert isinstance(await failure(call), ConnectionLost)


async def test_provider_that_says_goodbye_gets_no_new_calls_and_finishes_the_others() -> None:
    async with connected() as it:
        call = it.call()
        await settle()
        it.receive(frame(Kind.GOODBYE))
        await settle()
        assert not it.connection.available
        error = await failure(it.call())
        assert isinstance(error, ConnectFailed)
        assert error.retry is Retry.SAFE
        it.reply(2)
        assert value(await call) == b"answer 2"


async def test_goodbye_that_is_taken_back() -> None:
    async with connected() as it:
        it.receive(frame(Kind.GOODBYE) + frame(Kind.WELCOME))
        await settle()
        assert it.connection.available


async def test_provider_that_restarts_after_its_goodbye_is_used_again() -> None:
    async with connected() as it:
        it.receive(frame(Kind.GOODBYE))
        await settle()
        assert it.transport is not None
        it.transport.close()
        await settle()
        call = it.call()
        await it.accept()
        it.reply(1)
        assert value(await call) == b"answer 1"
        assert it.connection.available


async def test_quiet_provider_is_sent_one_heartbeat_for_each_interval_then_given_up() -> None:
    async with connected(heartbeat_s=10.0) as it:
        now = monotonic()
        for seconds in (9.0, 11.0, 15.0, 22.0, 29.0):
            it.connection.check(now + seconds)
            await settle()
        assert [kind for kind, _ in it.sent[1:]] == [Kind.PING, Kind.PING]
        assert it.transport is not None
        assert not it.transport.aborted
        call = it.call()
        await settle()
        it.connection.check(now + 33)
        assert isinstance(await failure(call), ConnectionLost)
        assert not it.connection.available


async def test_provider_is_asked_before_it_is_given_up_when_we_stood_still_ourselves() -> None:
    async with connected(heartbeat_s=10.0) as it:
        now = monotonic()
        for seconds in (300.0, 301.0, 309.0):
            it.connection.check(now + seconds)
            await settle()
        assert it.sent[1:] == [(Kind.PING, 0)]
        assert it.connection.available
        it.connection.check(now + 311)
        await settle()
        assert not it.connection.available


async def test_wire_without_heartbeats_is_not_given_up_for_silence() -> None:
    async with connected(heartbeat_s=10.0) as it:
        it.codec.ping = lambda: b""  # type: ignore[method-assign]
        for seconds in (11.0, 22.0, 33.0, 1000.0):
            it.connection.check(monotonic() + seconds)
        await settle()
        assert it.connection.available


@asynccontextmanager
async def without_heartbeats(**options: Any) -> AsyncIterator[Provider]:
    class Quiet(ToyClientCodec):
        def ping(self) -> bytes:
            return b""

    class QuietWire(ToyClientWire):
        def connect(self) -> ToyClientCodec:
            return Quiet(self)

    async with connected(wire=QuietWire(), **options) as it:
        yield it


async def test_connection_that_was_silent_for_a_whole_call_gets_no_new_ones_and_may_still_answer_the_others() -> None:
    async with without_heartbeats() as it:
        old = it.transport
        assert old is not None
        late, other = it.call(timeout_s=0.03), it.call()
        assert isinstance(await failure(late), DeadlineExceeded)
        assert not it.connection.available
        assert not old.is_closing()
        new = it.call()
        await it.accept()
        assert it.transport is not old
        assert it.connection.available
        assert it.connection.in_flight == 2
        old.receive(frame(Kind.REPLY, 2, b"late") + frame(Kind.REPLY, 3, b"other"))
        assert value(await other) == b"other"
        assert it.connection.late_replies == 1
        assert old.is_closing()
        it.reply(1)
        assert value(await new) == b"answer 1"
        assert it.connection.in_flight == 0


async def test_silent_connection_is_closed_when_its_calls_were_given_up() -> None:
    async with without_heartbeats() as it:
        old = it.transport
        assert old is not None
        late, later, cancelled = it.call(timeout_s=0.03), it.call(timeout_s=0.2), it.call()
        assert isinstance(await failure(late), DeadlineExceeded)
        cancelled.cancel()
        await settle()
        assert not old.is_closing()
        assert isinstance(await failure(later), DeadlineExceeded)
        assert old.is_closing()
        assert it.connection.in_flight == 0


async def test_connection_that_said_anything_since_the_call_was_sent_is_kept() -> None:
    async with without_heartbeats() as it:
        late, other = it.call(timeout_s=0.05), it.call()
        await settle()
        it.reply(3)
        await other
        assert isinstance(await failure(late), DeadlineExceeded)
        assert it.connection.available
        assert it.attempts == 1


async def test_silence_where_there_are_heartbeats_is_for_them_to_judge() -> None:
    async with connected() as it:
        assert isinstance(await failure(it.call(timeout_s=0.03)), DeadlineExceeded)
        assert it.connection.available


async def test_only_so_many_silent_connections_are_kept_beside_the_one_in_use() -> None:
    async with without_heartbeats() as it:
        waiting = []
        for _ in range(6):
            waiting.append(it.call())
            if not it.connection.connected:
                await it.accept()
            assert isinstance(await failure(it.call(timeout_s=0.03)), DeadlineExceeded)
        assert it.connection.connects == 5
        assert it.connection.in_flight == 6
        await it.connection.aclose()
        for each in waiting:
            assert isinstance(await failure(each), ConnectionLost)


async def test_silent_connection_that_is_lost_fails_its_own_calls_only() -> None:
    async with without_heartbeats() as it:
        old = it.transport
        assert old is not None
        waiting = it.call()
        assert isinstance(await failure(it.call(timeout_s=0.03)), DeadlineExceeded)
        new = it.call()
        await it.accept()
        old.abort()
        assert isinstance(await failure(waiting), ConnectionLost)
        it.reply(1)
        assert value(await new) == b"answer 1"


async def test_finish_waits_for_the_calls_of_silent_connections() -> None:
    async with without_heartbeats() as it:
        old = it.transport
        assert old is not None
        waiting = it.call()
        assert isinstance(await failure(it.call(timeout_s=0.03)), DeadlineExceeded)
        finishing = asyncio.create_task(it.connection.finish())
        await settle()
        assert not finishing.done()
        old.receive(frame(Kind.REPLY, 2, b"other"))
        await waiting
        async with asyncio.timeout(5):
            await finishing


async def test_provider_that_waits_to_be_left_is_left_when_its_calls_were_answered() -> None:
    async with without_heartbeats() as it:
        old = it.transport
        assert old is not None
        call, other = it.call(), it.call()
        await settle()
        it.receive(frame(Kind.LEAVE) + frame(Kind.REPLY, 2, b"first"))
        assert value(await call) == b"first"
        assert not it.connection.available
        assert not old.is_closing()
        new = it.call()
        await it.accept()
        old.receive(frame(Kind.REPLY, 3, b"other"))
        assert value(await other) == b"other"
        assert old.is_closing()
        it.reply(1)
        assert value(await new) == b"answer 1"


async def test_idle_connection_to_a_provider_that_waits_to_be_left_is_closed_at_once() -> None:
    async with without_heartbeats() as it:
        old = it.transport
        assert old is not None
        it.receive(frame(Kind.LEAVE))
        await settle()
        assert old.is_closing()
        assert not it.connection.available


async def test_any_byte_from_the_provider_counts_as_a_sign_of_life() -> None:
    async with connected(heartbeat_s=10.0) as it:
        it.connection._last_read = it.connection._last_ping = monotonic() - 29
        it.receive(frame(Kind.PONG)[:3])
        await settle()
        it.connection.check(monotonic() + 2)
        await settle()
        assert it.sent[1:] == []
        assert it.connection.available


async def test_heartbeats_can_be_turned_off() -> None:
    async with connected(heartbeat_s=0.0) as it:
        it.connection.check(monotonic() + 10_000)
        await settle()
        assert it.sent[1:] == []
        assert it.connection.available


async def test_caller_that_fails_while_it_gets_its_reply_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with connected() as it:
        first, second, third = it.call(), it.call(), it.call()
        await settle()

        def explode() -> None:
            raise RuntimeError("departed")

        it.connection._pending[2].wait(explode)
        it.reply(2, 3)
        assert value(await second) == b"answer 3"
        assert it.connection.connected
        it.connection._pending[4].wait(explode)
        fourth = it.call()
        await settle()
        assert it.transport is not None
        it.transport.abort()
        assert isinstance(await failure(fourth), ConnectionLost)
        await it.clock.until_asleep()
        assert len(caplog.records) == 2
        for call in (first, third):
            call.cancel()
        await asyncio.wait([first, third])


async def test_closing_fails_calls_in_progress() -> None:
    async with connected() as it:
        call = it.call()
        await settle()
        await it.connection.aclose()
        error = await failure(call)
        assert isinstance(error, ConnectionLost)
        assert str(error) == "10.0.0.9:20880: the client was closed before the answer came"
        assert isinstance(await failure(it.call()), ConnectFailed)
        assert it.attempts == 1


async def test_caller_told_that_the_client_closes_cannot_call_again() -> None:
    async with connected() as it:
        errors: list[RpcError] = []

        async def persistent() -> None:
            for _ in range(2):
                try:
                    await it.connection.call(SERVICE, Invocation(SERVICE, "echo", (b"",)), monotonic() + 5, 5.0)
                except RpcError as error:
                    errors.append(error)

        driver = CallDriver(it.loop, persistent(), lambda *_: None, None)
        it.loop.call_soon(driver.start)
        await settle()
        await it.connection.aclose()
        await settle()
        assert [type(error) for error in errors] == [ConnectionLost, ConnectFailed]
        assert len(it.sent) == 2


async def test_closing_while_it_connects() -> None:
    async with provider() as it:
        call = it.call()
        await it.tried.wait()
        await it.connection.aclose()
        error = await failure(call)
        assert isinstance(error, ConnectFailed)
        assert str(error) == "10.0.0.9:20880: this client is closed"


async def test_closing_while_it_waits_to_reconnect() -> None:
    async with connected() as it:
        assert it.transport is not None
        it.transport.abort()
        await it.clock.until_asleep()
        await it.connection.aclose()
        it.clock.advance(60)
        await settle()
        assert it.attempts == 1


async def test_connection_made_in_the_turn_in_which_connecting_times_out_is_not_used() -> None:
    async with provider(connect_timeout_s=0.01, backoff_s=0.001) as it:
        it.given_up = asyncio.Event()
        first = it.call(timeout_s=0.05)
        await it.accept()
        error = await failure(first)
        assert isinstance(error, ConnectFailed | ConnectionLost | DeadlineExceeded)
        it.given_up = None
        await it.clock.until_asleep()
        assert not it.connection.connected
        it.clock.advance(1)
        call = it.call()
        await it.accept()
        it.reply(1)
        assert value(await call) == b"answer 1"


async def test_closing_in_the_turn_in_which_the_connection_is_made() -> None:
    async with provider() as it:
        it.given_up = asyncio.Event()
        call = it.call()
        await it.accept()
        async with asyncio.timeout(5):
            await it.connection.aclose()
        assert isinstance(await failure(call), ConnectFailed | ConnectionLost)


async def test_connection_that_comes_after_closing_is_dropped() -> None:
    async with provider() as it:
        await it.connection.aclose()
        transport = FakeTransport(it.connection)
        assert transport.aborted
        assert not it.connection.connected


async def test_closing_before_anything_and_twice_and_at_the_same_time() -> None:
    async with provider() as it:
        await it.connection.aclose()
        await it.connection.aclose()
    async with connected() as it:
        await asyncio.gather(it.connection.aclose(), it.connection.aclose())


async def test_closing_delivers_what_was_sent() -> None:
    async with connected() as it:
        assert it.transport is not None
        it.transport.is_open = False
        await it.call(oneway=True)
        closing = asyncio.create_task(it.connection.aclose())
        await settle()
        assert not closing.done()
        it.transport.take()
        await closing
        assert not it.transport.aborted


async def test_closing_does_not_wait_for_a_provider_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_connection, "_CLOSE_S", 0.01)
    async with connected() as it:
        assert it.transport is not None
        it.transport.is_open = False
        await it.call(oneway=True)
        await it.connection.aclose()
        assert it.transport.aborted


async def test_closing_in_the_turn_in_which_the_connection_is_lost() -> None:
    async with connected() as it:
        assert it.transport is not None
        it.transport.close()
        async with asyncio.timeout(5):
            await it.connection.aclose()


async def test_finish_waits_for_the_last_reply_timeout_or_loss() -> None:
    async with connected() as it:
        for ending in ("reply", "timeout", "caller", "loss"):
            call = it.call(timeout_s=0.02 if ending == "timeout" else 5.0)
            await settle()
            finishing = [asyncio.create_task(it.connection.finish()) for _ in range(2)]
            await settle()
            assert not any(task.done() for task in finishing)
            if ending == "reply":
                it.reply(2)
            elif ending == "caller":
                call.cancel()
            elif ending == "loss":
                assert it.transport is not None
                it.transport.abort()
            async with asyncio.timeout(5):
                await asyncio.gather(*finishing)
                await asyncio.gather(call, return_exceptions=True)


async def test_wire_that_reports_provider_trouble_is_passed_on() -> None:
    async with connected() as it:
        call = it.call()
        await settle()
        it.receive(frame(Kind.ERROR, 2, b"provider-failed: out of memory"))
        assert isinstance(await failure(call), ProviderFailed)
