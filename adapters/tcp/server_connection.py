"""One accepted connection: bytes to calls, outcomes to bytes, and what happens when either side is slow or gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from itertools import chain
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

from adapters.failure import INTERNAL, failure_of
from adapters.tcp.driver import CallDriver, let_go
from adapters.tcp.patience import CROSSING_S, Lingering, close_or_abort, most_unsent, overdue
from adapters.tcp.peer_calls import PeerCalls
from gateway.model.call import Invocation, Peer, Result
from gateway.model.errors import (
    ConnectionLost,
    DeadlineExceeded,
    Overloaded,
    ProviderFailed,
    RemoteWireError,
    Retry,
    RpcError,
)
from protocols.contract import (
    CallingServerCodec,
    CallReceived,
    CallRejected,
    ChainingServerCodec,
    GoodbyeHeard,
    Outcome,
    PacedServerCodec,
    ReplyReceived,
    Send,
    ServerCodec,
    ServerEvent,
)

if TYPE_CHECKING:
    from adapters.tcp.server import ListenerState

__all__ = ["ServerConnection"]

_LOG: Final = logging.getLogger("polyport.listener")
_TURN: Final = 256
"""Messages after which a connection lets the others have their turn; handling so many takes a few milliseconds."""
_TURN_S: Final = 0.02
"""Or so long, where what answers at once takes its time."""
_NEARLY_S: Final = 0.05
"""Before its deadline a caller is about to give up."""


class ServerConnection(asyncio.Protocol):
    """The asyncio protocol of one accepted connection."""

    __slots__ = (
        "__weakref__", "_calling", "_closed", "_codec", "_dismissal", "_due", "_ended", "_eof", "_flushing",
        "_following", "_goodbye_at", "_heard", "_held", "_host", "_last_busy", "_last_ping", "_last_read",
        "_left_since", "_lingering", "_out", "_paced", "_paused", "_peer", "_peer_calls", "_pending_since",
        "_reading", "_resting", "_running", "_stalled", "_state", "_taken", "_transport", "_unanswered", "_unsent",
        "opening",
    )  # fmt: skip

    def __init__(self, state: ListenerState, host: str, peer: str) -> None:
        self._state = state
        self._host = host
        self._peer = peer
        self._codec: ServerCodec = state.wire.accept(Peer(state.options.protocol, peer))
        self._transport: asyncio.Transport | None = None
        self._peer_calls: PeerCalls | None = None
        """Calls to the peer; there are some only where it offered something that can be called."""
        self._calling = self._codec if isinstance(self._codec, CallingServerCodec) else None
        """The codec, where its peers can be called."""
        if self._calling is not None:
            self._calling.attach(self)
        self._due = self._codec.due if isinstance(self._codec, ChainingServerCodec) else None
        """Gives the calls that follow from replies, where some do."""
        self._paced = self._codec if isinstance(self._codec, PacedServerCodec) else None
        """The codec, where it may give the events of what arrived in several steps."""
        self._following = False
        """Such calls are being begun, or will be when the others had their turn."""
        self._running: set[CallDriver] | None = None
        """Calls that did not end in their first step, and whose answers the peer waits for."""
        self._unanswered = 0
        """Others of that kind, for which it does not wait. They are the listener's: nobody's leaving ends them."""
        self._held: Iterator[ServerEvent] | None = None
        """What the peer asked for before answers to it began to pile up, or its turn was over."""
        self._out: list[bytes] | None = None
        self._unsent = 0
        """Bytes in `_out`."""
        self._reading = False
        """Events are being handled: answers are collected, and leave together afterwards."""
        self._flushing = False
        self._paused = False
        """The peer does not read its answers."""
        self._stalled = False
        """Answers wait in the codec for one that must leave before them."""
        self._resting = False
        """It is the turn of the others."""
        self._taken = 0
        """What this connection was handed since they had theirs."""
        self._eof = False
        """The peer closed its sending side."""
        self._ended = False
        """No more calls can come: end of stream, or its position is lost."""
        self._lingering: Lingering | None = None
        """Our sending side is closed; nothing is written any more."""
        self._left_since = 0.0
        """When the peer closed its sending side with calls in progress."""
        self._goodbye_at = 0.0
        """When the peer was told to make no more calls here, or confirmed that it heard so."""
        self._heard = False
        """It did."""
        self._last_read = 0.0
        self._last_busy = self._last_ping = self._pending_since = monotonic()
        self._closed: asyncio.Future[None] | None = None
        self._dismissal: asyncio.TimerHandle | None = None
        """Closes the connection of a peer that was sent away."""
        self.opening: asyncio.Task[Any] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remembers the transport and sets the write buffer limit."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=self._state.options.max_write_buffer_bytes)
        if self._state.draining:
            self.say_goodbye()

    def opened(self, task: asyncio.Task[Any]) -> None:
        """The transport exists, or could not be made."""
        self.opening = None
        if task.cancelled() or task.exception() is not None:
            self._forget()

    def data_received(self, data: bytes) -> None:
        """Decodes what arrived and starts the calls in it; answers that are ready leave in one write."""
        if self._ended:
            return
        now = monotonic()
        codec = self._codec
        was_pending = codec.pending_bytes
        events = codec.receive(data, now)
        self._last_read = now
        if events or not was_pending:
            self._pending_since = now
        self._handle(iter(events))

    def _handle(self, events: Iterator[ServerEvent]) -> None:
        self._reading = True
        taken = before = self._taken
        until = monotonic() + _TURN_S
        for taken, event in enumerate(events, before + 1):
            if taken > before + 1 and monotonic() > until:
                self._held, taken = chain((event,), events), _TURN
                break
            if type(event) is CallReceived:
                self._call(event)
            elif type(event) is CallRejected:
                self._reject(event)
            elif type(event) is Send:
                if event.data:
                    self._write(event.data)
                else:
                    self._mind_held()
            elif type(event) is GoodbyeHeard:
                self._note_heard()
            elif type(event) is ReplyReceived and self._peer_calls is not None:
                self._peer_calls.received(event)
            if self._paused or self._stalled or taken >= _TURN:
                # Otherwise one segment of small requests could fill the memory with large answers.
                self._held = events
                break
        if self._held is None and self._paced is not None and self._paced.is_behind:
            self._held = self._next_step(self._paced)
            taken = _TURN
        if taken >= _TURN:
            taken = 0
            self._rest()
        self._taken = taken
        self._reading = False
        if self._held is not None:
            self._flush()
        elif self._codec.broken is not None:
            self._break(self._codec.broken)
        elif self._codec.finished:
            self._finish()
        elif self._out:
            self._flush()

    def _next_step(self, codec: ServerCodec) -> Iterator[ServerEvent]:
        yield from codec.receive(b"", self._last_read)

    def eof_received(self) -> bool:
        """The peer sends no more but may still read: answers in progress are still delivered."""
        self._note_end()
        self._eof = True
        self._lose_peer("closed its side of the connection")
        self._flush()
        if not (self._running or self._following):
            return False
        self._left_since = monotonic()
        return True

    def pause_writing(self) -> None:
        """The peer reads too slowly: take no more requests from it until it catches up."""
        self._paused = True
        self._stop_reading()

    def _rest(self) -> None:
        """Lets others have their turn: the event loop reads a connection as long as there is anything to read."""
        self._resting = True
        self._stop_reading()
        self._state.loop.call_soon(self._end_rest)

    def _end_rest(self) -> None:
        self._resting = False
        self._go_on()

    def _has_enough(self) -> bool:
        """Whether answers pile up, or it is the turn of others, so that no more requests are taken."""
        return self._paused or self._stalled or self._resting

    def _stop_reading(self) -> None:
        transport = self._transport
        if transport is not None and not self._eof and not transport.is_closing():
            transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer caught up."""
        self._paused = False
        self._go_on()

    def _go_on(self) -> None:
        """Takes up again what was left, unless there still is enough to do."""
        transport = self._transport
        if self._has_enough() or transport is None or transport.is_closing():
            return
        held, self._held = self._held, None
        if held is not None:
            self._handle(held)
        if not self._has_enough() and not self._eof and not transport.is_closing():
            # While nothing was read the peer could not complete a message.
            self._pending_since = monotonic()
            transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer is gone: its calls are cancelled."""
        self._note_end()
        self._transport = self._out = self._held = None
        running, self._running = self._running, None
        for driver in running or ():
            driver.cancel()
        if self._dismissal is not None:
            self._dismissal.cancel()
        self._lose_peer(f"closed the connection{'' if exc is None else f': {exc}'}")
        self._forget()

    def call_peer(self, binding: Any, invocation: Invocation) -> Coroutine[Any, Any, Result]:
        """See `PeerCaller.call_peer`."""
        calls = self._peer_calls
        if calls is None:
            codec, state = self._calling, self._state
            assert codec is not None, "only what was attached calls"
            calls = self._peer_calls = PeerCalls(
                codec, self._peer, state.loop, state.wheel, self._send_call, state.options.max_calls_per_connection
            )
        return calls.call(binding, invocation)

    def _send_call(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing() or self._lingering is not None:
            raise ConnectionLost(f"{self._peer}: the connection is closed", retry=Retry.NEVER)
        if self._paused:
            raise Overloaded(f"{self._peer} does not read what it is sent")
        self._write(data)

    def dismiss(self) -> None:
        """See `PeerCaller.dismiss`."""
        if self._dismissal is None and self._transport is not None:
            self.say_goodbye()
            # Calls that cross the goodbye on the wire are still taken.
            self._dismissal = self._state.loop.call_later(CROSSING_S, self._finish)

    def _lose_peer(self, why: str) -> None:
        """Nothing of the peer can be called any more: it sends nothing that would be an answer."""
        calling, self._calling = self._calling, None
        if calling is not None:
            calling.detach(f"{self._peer} {why}")
            if self._peer_calls is not None:
                self._peer_calls.fail(f"{self._peer} {why}")

    def _note_end(self) -> None:
        """Nothing more can arrive."""
        if not self._ended and self._codec.pending_bytes:
            self._state.count("truncated", self._peer, "the stream ended inside a message")
        self._ended = True

    def _call(self, event: CallReceived) -> None:
        state = self._state
        running = self._running
        if state.calls >= state.max_calls or (
            (0 if running is None else len(running)) + self._unanswered >= state.options.max_calls_per_connection
        ):
            self._refuse(event)
            return
        invocation = event.invocation
        try:
            coroutine = state.handler(invocation)
        except Exception as exc:
            # A filter may be a plain function, and raise before there is a coroutine.
            self._answer(event.ticket, failure_of(exc, self._state.closing))
            return
        driver = CallDriver(state.loop, coroutine, self._call_done, event.ticket)
        driver.deadline = invocation.deadline
        state.calls += 1
        if driver.start():
            return
        if event.ticket is None:
            self._unanswered += 1
            state.unanswered.add(driver)
        else:
            if running is None:
                running = self._running = set()
            running.add(driver)
        if invocation.deadline is not None:
            driver.bucket = state.wheel.add(driver, invocation.deadline)

    def _refuse(self, event: CallReceived) -> None:
        why = "this listener is closing" if self._state.closing else "too many calls in progress here"
        self._state.count("too-many-calls", self._peer, why)
        self._answer(event.ticket, Overloaded(why))

    def _call_done(self, driver: CallDriver, result: Any, error: BaseException | None) -> None:
        state = self._state
        if state.draining:
            self._last_busy = monotonic()
        state.call_ended()
        if driver.tag is None:
            if driver in state.unanswered:
                self._unanswered -= 1
                state.unanswered.discard(driver)
        elif self._running:
            self._running.discard(driver)
        self._answer(driver.tag, result if error is None else self._failure(driver, error))
        if self._ended:
            self._close_if_finished()
        elif self._codec.finished and not self._reading and self._held is None:
            self._finish()

    def _failure(self, driver: CallDriver, error: BaseException) -> RpcError:
        failure = failure_of(error, self._state.closing)
        if isinstance(failure, DeadlineExceeded) and driver.deadline is not None:
            # Somebody further on who counts the same time may have been the first to say so.
            failure.is_callers = monotonic() > driver.deadline - _NEARLY_S
        return failure

    def _answer(self, ticket: Any, outcome: Outcome) -> None:
        if ticket is None or self._transport is None:
            return
        try:
            data = self._codec.reply(ticket, outcome)
        except Exception:
            # A filter gave what is no outcome, or the codec has a bug: never leave a caller without an answer.
            _LOG.exception("an outcome of type %s has no reply", type(outcome).__name__)
            data = self._codec.reply(ticket, ProviderFailed(INTERNAL))
        if data:
            self._write(data)
        if self._stalled or not data:
            self._mind_held()
        if self._due is not None and not self._following and (events := self._due()):
            self._follow(self._due, events)

    def _follow(self, due: Callable[[], Sequence[ServerEvent]], events: Sequence[ServerEvent]) -> None:
        """Begins the calls that follow from replies: in a loop, because such a call may be answered at once."""
        self._following = True
        left, until = _TURN, monotonic() + _TURN_S
        while events:
            for event in events:
                if type(event) is CallReceived:
                    self._call(event)
            left -= len(events)
            if left <= 0 or monotonic() > until:
                self._state.loop.call_soon(self._follow_on, due)
                return
            events = due()
        self._following = False

    def _follow_on(self, due: Callable[[], Sequence[ServerEvent]]) -> None:
        """Goes on after the others had their turn."""
        if self._transport is None:
            return
        self._follow(due, due())
        if self._following:
            return
        if self._ended:
            self._close_if_finished()
        elif self._codec.finished and self._held is None:
            self._finish()

    def _mind_held(self) -> None:
        """Takes no more requests while much waits in the codec, and gives up when it is far too much."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        held = self._codec.held_bytes
        if held > most_unsent(self._state.options):
            self._state.count("answers-held", self._peer, f"{held} bytes of answers wait for one before them")
            self._give_up()
            return
        was_stalled = self._stalled
        self._stalled = held > self._state.options.max_write_buffer_bytes
        if self._stalled and not was_stalled:
            self._stop_reading()
        elif was_stalled and not self._stalled:
            self._go_on()

    def _give_up(self) -> None:
        self._ended = True
        if self._transport is not None:
            self._transport.abort()

    def _reject(self, event: CallRejected) -> None:
        self._state.count(event.error.code, self._peer, str(event.error))
        self._answer(event.ticket, event.error)
        let_go(event.error)

    def _break(self, error: RemoteWireError) -> None:
        self._state.count(error.reason, self._peer, str(error.args[0]))
        let_go(error)
        self._ended = True
        self._lose_peer("broke the protocol")
        self._write(error.farewell)
        self._close_if_finished()

    def _finish(self) -> None:
        """The peer makes no more calls here, and says so: closes as soon as those in progress are answered."""
        self._ended = True
        self._lose_peer("makes no more calls on the connection")
        self._close_if_finished()

    def _close_if_finished(self) -> None:
        """No more calls can come: closes as soon as those in progress are answered."""
        if self._running or self._following:
            return
        self._flush()
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._eof:
            transport.close()
        elif self._lingering is None:
            # Closing with unread bytes makes the kernel send a reset, which takes the farewell away from the peer. So
            # the sending side is closed first, and what still arrives is dropped until the peer closes too.
            self._lingering = Lingering(monotonic())
            transport.write_eof()

    def _write(self, data: bytes) -> None:
        if self._transport is None or not data or self._lingering is not None:
            return
        if self._out is None:
            self._out = [data]
        else:
            self._out.append(data)
        self._unsent += len(data)
        if self._unsent > self._state.options.max_write_buffer_bytes:
            self._flush()
        elif not self._reading and not self._flushing:
            self._flushing = True
            self._state.flush_later(self)

    def flush(self) -> None:
        """Sends what was collected since `ListenerState.flush_later` was asked."""
        self._flushing = False
        self._flush()

    def _flush(self) -> None:
        out, self._out = self._out, None
        self._unsent = 0
        transport = self._transport
        if not out or transport is None or transport.is_closing():
            return
        transport.write(out[0] if len(out) == 1 else b"".join(out))
        if self._paused and transport.get_write_buffer_size() > most_unsent(self._state.options):
            self._state.count("slow-reader", self._peer, "the peer does not read its replies")
            self._give_up()

    def say_goodbye(self) -> None:
        """Tells the peer to make no more calls here."""
        self._goodbye_at = monotonic()
        self._write(self._codec.goodbye())
        if self._codec.finished and not self._ended and self._held is None:
            self._finish()

    def _note_heard(self) -> None:
        self._heard = True
        self._goodbye_at = monotonic()
        self._state.moved.set()

    def left_at(self) -> float:
        """When it may be closed without losing a call that is on its way, if nothing comes until then (monotonic)."""
        if self._held is not None or self._following or self._peer_calls:
            return monotonic() + CROSSING_S
        if self._ended:
            return 0.0
        quiet_s = CROSSING_S if self._heard else self._state.quiet_s
        return max(self._goodbye_at + CROSSING_S, max(self._last_read, self._last_busy) + quiet_s)

    def close_if_idle(self) -> None:
        """Closes it, unless a call is in progress."""
        if (
            not (self._running or self._following or self._peer_calls)
            and self._held is None
            and self._transport is not None
        ):
            self._flush()
            self._transport.close()

    def check(self, now: float, heartbeat_s: float) -> None:
        """One turn of the listener's sweep: closes what is too slow, sends a heartbeat where the line was quiet."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        options = self._state.options
        if self._lingering is not None:
            if self._lingering.is_over(transport.get_write_buffer_size(), now, options.frame_timeout_s):
                transport.abort()
            return
        if self._running:
            self._last_busy = now
        if self._stalled:
            # Nothing is read meanwhile, so only a write can tell that the peer is gone: then it comes back as a reset.
            self._write(self._codec.ping())
        if self._ended:
            if not self._paused:
                self._write(self._codec.ping())
            if self._left_since and now - self._left_since > self._state.half_close_grace_s:
                self._leave_alone()
            return
        pending_since = self._pending_since if self._codec.pending_bytes and not self._has_enough() else None
        late = overdue(options, now, self._last_read, self._last_busy, pending_since)
        if late is not None:
            self._drop(*late)
        elif self._last_read and heartbeat_s and now - max(self._last_read, self._last_ping) > heartbeat_s:
            self._last_ping = now
            self._write(self._codec.ping())

    def _leave_alone(self) -> None:
        """Cancels calls of a peer that closed its sending side long ago, on a wire that cannot ask whether it is there.

        Where heartbeats can be sent, a peer that is gone altogether answers them with a reset.
        """
        self._left_since = 0.0
        if not self._codec.ping():
            self._state.count(
                "half-closed", self._peer, "the peer closed its side and waited too long; calls cancelled"
            )
            self.cancel_calls()

    def _drop(self, reason: str, text: str) -> None:
        self._state.count(reason, self._peer, text)
        self._ended = True
        if self._transport is not None:
            if self._paused:
                self._transport.abort()
            else:
                self._transport.close()

    def _forget(self) -> None:
        self._state.moved.set()
        self._state.connected.forget(self, self._host)
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    def cancel_calls(self) -> None:
        """Cancels what runs; callers are told."""
        for driver in tuple(self._running or ()):
            driver.cancel()

    def abort(self) -> None:
        """Ends the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    async def aclose(self) -> None:
        """Sends what is ready, closes, and waits until the connection is gone."""
        if self.opening is not None:
            await asyncio.wait([self.opening])
        transport = self._transport
        if transport is None:
            return
        closed = self._closed = self._state.loop.create_future()
        self._ended = True
        self._flush()
        await close_or_abort(transport, closed)
