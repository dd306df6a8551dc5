"""One accepted connection: bytes to calls, outcomes to bytes, and what happens when either side is slow or gone."""

from __future__ import annotations

import asyncio
import logging
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

from adapters.tcp.driver import CallDriver
from gateway.model.call import Peer
from gateway.model.errors import GatewayError, Overloaded, ProviderFailed, RemoteWireError, RpcError
from protocols.contract import CallReceived, CallRejected, Outcome, ServerCodec

if TYPE_CHECKING:
    from adapters.tcp.server import ListenerState

__all__ = ["ServerConnection"]

_LOG: Final = logging.getLogger("polyport.listener")
_HARD_WRITE_FACTOR: Final = 8
"""A peer that leaves this many write buffers unread is dropped."""
_LINGER_S: Final = 1.0
"""How long a refused peer may take to read why and to close."""


class ServerConnection(asyncio.Protocol):
    """The asyncio protocol of one accepted connection."""

    __slots__ = (
        "__weakref__",
        "_codec",
        "_eof",
        "_flushing",
        "_host",
        "_last_ping",
        "_last_read",
        "_last_write",
        "_lingering_since",
        "_out",
        "_paused",
        "_peer",
        "_pending_since",
        "_reading",
        "_running",
        "_state",
        "_transport",
        "closed",
        "opening",
    )

    def __init__(self, state: ListenerState, host: str, peer: str) -> None:
        self._state = state
        self._host = host
        self._peer = peer
        self._codec: ServerCodec = state.wire.accept(Peer(state.options.protocol, peer))
        self._transport: asyncio.Transport | None = None
        self._running: set[CallDriver] | None = None
        self._out: list[bytes] | None = None
        self._flushing = False
        self._paused = False
        self._eof = False
        self._reading = False
        self._lingering_since = 0.0
        self._last_read = 0.0
        self._last_write = self._last_ping = monotonic()
        self._pending_since = self._last_write
        self.opening: asyncio.Task[Any] | None = None
        self.closed: asyncio.Future[None] | None = None

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
        if self._lingering_since:
            return
        now = monotonic()
        codec = self._codec
        was_pending = codec.pending_bytes
        self._last_read = now
        self._reading = True
        events = codec.receive(data, now)
        if events or not was_pending:
            self._pending_since = now
        for event in events:
            if isinstance(event, CallReceived):
                self._call(event)
            elif isinstance(event, CallRejected):
                self._reject(event)
            else:
                self._write(event.data)
        self._reading = False
        if codec.broken is not None:
            self._break(codec.broken)
        elif self._out:
            self._flush()

    def eof_received(self) -> bool:
        """The peer sends no more but may still read: answers in progress are still delivered."""
        self._eof = True
        if not self._running:
            return False
        self._probe()
        return True

    def pause_writing(self) -> None:
        """The peer reads too slowly: take no more requests from it until it catches up."""
        self._paused = True
        if self._transport is not None and not self._eof:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer caught up."""
        self._paused = False
        if self._transport is not None and not self._eof and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer is gone: its calls are cancelled."""
        self._transport = None
        self._out = None
        running, self._running = self._running, None
        for driver in running or ():
            driver.cancel()
        self._forget()

    def _call(self, event: CallReceived) -> None:
        state = self._state
        options = state.options
        running = self._running
        if running is None:
            running = self._running = set()
        if len(running) >= options.max_calls_per_connection or state.calls >= options.max_calls:
            state.count("too-many-calls", self._peer, "calls in progress are at the limit")
            if event.ticket is not None:
                self._write(self._codec.reply(event.ticket, Overloaded("too many calls in progress here")))
            return
        invocation = event.invocation
        driver = CallDriver(state.loop, state.handler(invocation), self._call_done, event.ticket)
        state.calls += 1
        if not driver.start():
            running.add(driver)
            if invocation.deadline is not None:
                driver.bucket = state.wheel.add(driver, invocation.deadline)

    def _call_done(self, driver: CallDriver, result: Any, error: BaseException | None) -> None:
        state = self._state
        state.calls -= 1
        if state.draining and not state.calls:
            state.idle.set()
        running = self._running
        if running is not None:
            running.discard(driver)
        ticket = driver.tag
        if ticket is None or self._transport is None:
            self._close_if_finished()
            return
        outcome: Outcome = result
        if error is not None:
            if isinstance(error, RpcError):
                outcome = error
            elif isinstance(error, GatewayError):
                outcome = ProviderFailed(str(error))
            elif isinstance(error, asyncio.CancelledError):
                outcome = ProviderFailed("the call was cancelled")
            else:
                _LOG.error("a handler raised what no handler may raise", exc_info=error)
                outcome = ProviderFailed("internal error")
        self._write(self._codec.reply(ticket, outcome))
        self._close_if_finished()

    def _reject(self, event: CallRejected) -> None:
        self._state.count(event.error.code, self._peer, str(event.error))
        if event.ticket is not None:
            self._write(self._codec.reply(event.ticket, event.error))

    def _close_if_finished(self) -> None:
        if self._eof and not self._running and self._transport is not None:
            self._flush()
            if self._transport is not None:
                self._transport.close()

    def _break(self, error: RemoteWireError) -> None:
        self._state.count(error.reason, self._peer, str(error.args[0]))
        transport = self._transport
        if error.farewell and transport is not None and transport.can_write_eof():
            # Closing with unread bytes makes the kernel send a reset, which takes the farewell away from the peer. So
            # the sending side is closed first, and what still arrives is dropped until the peer closes too.
            self._write(error.farewell)
            self._flush()
            self._lingering_since = monotonic()
            transport.write_eof()
            return
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _probe(self) -> None:
        """Finds out whether a peer that sends no more is gone altogether: then a write comes back as a reset."""
        self._write(self._codec.ping())

    def _write(self, data: bytes) -> None:
        if self._transport is None or not data:
            return
        if self._out is None:
            self._out = [data]
        else:
            self._out.append(data)
        if not self._reading and not self._flushing:
            self._flushing = True
            self._state.loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        out, self._out = self._out, None
        transport = self._transport
        if not out or transport is None or transport.is_closing():
            return
        self._last_write = monotonic()
        transport.write(out[0] if len(out) == 1 else b"".join(out))
        limit = self._state.options.max_write_buffer_bytes * _HARD_WRITE_FACTOR
        if self._paused and transport.get_write_buffer_size() > max(limit, self._state.options.max_frame_bytes * 2):
            self._state.count("slow-reader", self._peer, "the peer does not read its replies")
            transport.abort()

    def say_goodbye(self) -> None:
        """Tells the peer to make no more calls here."""
        self._write(self._codec.goodbye())

    def check(self, now: float, heartbeat_s: float) -> None:
        """One turn of the listener's sweep: closes what is too slow, sends a heartbeat where the line was quiet."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        options = self._state.options
        if self._lingering_since:
            if now - self._lingering_since > _LINGER_S:
                transport.abort()
            return
        if self._eof:
            self._probe()
            return
        if not self._last_read:
            if now - self._last_write > options.first_byte_timeout_s:
                self._drop("first-byte-timeout", f"nothing received for {options.first_byte_timeout_s:g} s")
            return
        if self._codec.pending_bytes and not self._paused and now - self._pending_since > options.frame_timeout_s:
            self._drop("frame-timeout", f"a message took longer than {options.frame_timeout_s:g} s")
            return
        if now - self._last_read > options.idle_timeout_s and not self._running:
            self._drop("idle", f"idle for {options.idle_timeout_s:g} s")
            return
        if heartbeat_s and now - max(self._last_read, self._last_ping) > heartbeat_s:
            self._last_ping = now
            self._write(self._codec.ping())

    def _drop(self, reason: str, text: str) -> None:
        self._state.count(reason, self._peer, text)
        if self._transport is not None:
            if self._paused:
                self._transport.abort()
            else:
                self._transport.close()

    def _forget(self) -> None:
        state = self._state
        if self in state.connections:
            state.connections.discard(self)
            left = state.per_address[self._host] - 1
            if left:
                state.per_address[self._host] = left
            else:
                del state.per_address[self._host]
        if self.closed is not None and not self.closed.done():
            self.closed.set_result(None)

    async def aclose(self) -> None:
        """Cancels what runs, sends what is ready, closes, and waits until the connection is gone."""
        for driver in tuple(self._running or ()):
            driver.cancel()
        if self.opening is not None:
            await asyncio.wait([self.opening])
        transport = self._transport
        if transport is None:
            return
        self.closed = asyncio.get_running_loop().create_future()
        self._flush()
        transport.close()
        try:
            async with asyncio.timeout(1.0):
                await self.closed
        except TimeoutError:
            transport.abort()
            await asyncio.sleep(0)
