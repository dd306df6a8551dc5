"""One connection to one provider address: connects when needed, multiplexes calls, heals itself.

States: idle (never tried) → connecting → ready → broken → connecting → …; a provider that asked for no more calls is
ready but draining. A broken connection is retried with growing pauses for as long as somebody holds it.

A connection that a provider wants to be left, or that was silent for the whole of a call where the wire has no
heartbeat to ask with, is retired: it gets no new calls and is closed when those in progress have ended.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, cast

from adapters.os_error import reason_of
from adapters.tcp.driver import ReplySlot, hand_over
from adapters.tcp.retired_connection import RetiredConnection
from adapters.tcp.timers import TimerWheel
from gateway.model.call import Invocation, Ok, Result
from gateway.model.endpoint import format_address
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    LocalWireError,
    Overloaded,
    Retry,
    ValueMappingError,
)
from protocols.contract import ClientCodec, ClientEvent, ClientWire, Drain, ReplyReceived, Send

__all__ = ["SPARED_S", "ConnectionOptions", "ProviderConnection", "spared_s"]

_LOG: Final = logging.getLogger("polyport.client")
_FLUSH_BYTES: Final = 262_144
"""What is collected in one turn of the loop before it is written at once."""
_ONEWAY_DONE: Final = Ok(None)
SPARED_S: Final = 0.02
"""After an attempt to connect that was refused at once, calls fail for so long without another one: enough to spare a
dead provider a flood of attempts, and not long enough to miss one that comes up just when another goes."""
_MOST_RETIRED: Final = 4
"""Retired connections to one address that may still be there: where calls of very different timeouts go to a slow
provider, the short ones would retire a connection each and the long ones keep them all."""
_CLOSE_S: Final = 1.0
"""How long closing may wait for a provider to take what was sent to it."""


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How connections to providers behave. Durations in seconds, sizes in bytes.

    `heartbeat_s`: a ping goes out when nothing was received for so long; after three times that without a byte, and
    without an answer to a ping, the connection is given up. 0 turns both off.
    `backoff_s` / `max_backoff_s`: first and longest pause between attempts to reconnect; doubled each time, ±20 %.
    `max_write_buffer_bytes`: unsent bytes beyond which new calls are refused as overload.
    `callbacks`: callbacks of one interface offered over one connection; more of them take more connections.
    `callback_connections`: such connections to one provider. `callback_calls`: calls a provider may have in progress on
    one of them. `is_logged`: whether a connection that cannot be made, or ends by a mistake of the peer, is a warning;
    callers are told anyway.
    """

    connect_timeout_s: float = 3.0
    heartbeat_s: float = 60.0
    backoff_s: float = 0.1
    max_backoff_s: float = 10.0
    max_write_buffer_bytes: int = 16_777_216
    callbacks: int = 1
    callback_connections: int = 100
    callback_calls: int = 100
    is_logged: bool = True


def spared_s(took_s: float, backoff_s: float) -> float:
    """How long calls are spared another attempt to connect, after one that took `took_s` and failed."""
    return min(backoff_s, max(SPARED_S, took_s))


class ProviderConnection(asyncio.Protocol):
    """Owned by a `TcpClient`; every method belongs to the loop's thread."""

    def __init__(
        self,
        wire: ClientWire,
        host: str,
        port: int,
        options: ConnectionOptions,
        wheel: TimerWheel,
        jitter: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._wire = wire
        self._host = host
        self._port = port
        self._options = options
        self._wheel = wheel
        self._jitter = jitter
        self._sleep = sleep
        self._loop = asyncio.get_running_loop()
        self._codec: ClientCodec | None = None
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] | None = None
        self._unsent = 0
        self._pending: dict[int, ReplySlot] = {}
        self._retired: set[RetiredConnection] = set()
        """Connections whose calls have not ended."""
        self._connecting: asyncio.Task[None] | None = None
        self._healing: asyncio.Task[None] | None = None
        self._failure: ConnectFailed | None = None
        self._spared_until = 0.0
        """Until then calls fail as the last attempt to connect did."""
        self._pause_s = options.backoff_s
        """Before the next attempt to reconnect."""
        self._draining = False
        self._closed = False
        self._is_shut = False
        self._broken = False
        self._made_at = self._last_read = self._last_ping = 0.0
        self._idle: asyncio.Event | None = None
        """Set when no call waits for a reply any more; made by whoever waits for that, as is `_lost`."""
        self._lost: asyncio.Event | None = None
        """Set when the connection is gone."""
        self.late_replies = 0
        """Replies nobody waited for any more."""
        self.connects = 0
        """Connections made so far."""

    @property
    def address(self) -> str:
        """`host:port` of the provider."""
        return format_address(self._host, self._port)

    @property
    def available(self) -> bool:
        """Connected or never tried, and not asked to stop."""
        return not (self._broken or self._draining or self._closed)

    @property
    def heartbeat_s(self) -> float:
        """After so long without a byte a heartbeat is sent; 0 for never."""
        return self._options.heartbeat_s

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._codec is not None

    @property
    def in_flight(self) -> int:
        """Calls waiting for a reply."""
        return len(self._pending) + sum(each.in_flight for each in self._retired)

    async def call(self, binding: Any, invocation: Invocation, expires: float, limit: float) -> Result:
        """Sends one call and waits for its reply until `expires` (monotonic); `limit` is the timeout, for messages.

        Raises:
            RpcError: as `Invoker.__call__`.
        """
        if limit <= 0:
            raise DeadlineExceeded("the deadline had passed before the call was sent", retry=Retry.SAFE)
        left = limit
        if self._codec is None or self._draining:
            left = await self._ready(expires)
        codec, transport = self._codec, self._transport
        if codec is None or transport is None:
            raise ConnectFailed(f"{self.address}: the connection closed before the call could be sent")
        if transport.get_write_buffer_size() + self._unsent > self._options.max_write_buffer_bytes:
            raise Overloaded(f"{self.address} does not read what it is sent")
        if len(self._pending) >= codec.max_in_flight:
            raise Overloaded(f"{self.address} has {codec.max_in_flight} calls waiting on one connection")
        try:
            call_id, data = codec.call(binding, invocation, left)
        except (ValueMappingError, LocalWireError) as exc:
            raise BadRequest(f"{invocation.method}: {exc}") from exc
        self._send(data)
        if invocation.oneway:
            return _ONEWAY_DONE
        slot = ReplySlot(self._loop, call_id, limit, self._expired)
        slot.sent_at = expires - left
        slot.bucket = self._wheel.add(slot, expires)
        self._pending[call_id] = slot
        try:
            result: Result = await slot
            return result
        finally:
            if not slot.done:
                # The caller is gone: the reply, should it come, has no home.
                self._give_up(slot)

    def _give_up(self, slot: ReplySlot) -> None:
        slot.done = True
        if slot.bucket is not None:
            slot.bucket.discard(slot)
            slot.bucket = None
        self._abandon(slot)

    def _expired(self, slot: ReplySlot) -> None:
        is_silent = self._last_read <= slot.sent_at and self._pending.get(slot.call_id) is slot
        self._abandon(slot)
        # Before the caller is told, who may call again at once.
        if is_silent and len(self._retired) < _MOST_RETIRED and self._codec is not None and not self._codec.ping():
            _LOG.info("%s is silent: using another connection", self.address, extra={"peer": self.address})
            self._retire()
        slot.fail(DeadlineExceeded(f"{self.address} did not answer within {slot.limit:.3g} s"))

    def _abandon(self, slot: ReplySlot) -> None:
        if self._pending.get(slot.call_id) is slot:
            del self._pending[slot.call_id]
            if self._codec is not None:
                self._codec.abandon(slot.call_id)
        else:
            # Numbers begin anew with each connection.
            any(each.abandon(slot) for each in tuple(self._retired))
        self._tell_if_idle()

    def _tell_if_idle(self) -> None:
        if self._idle is not None and not self._pending and not self._retired:
            self._idle.set()

    def _retire(self) -> None:
        """Makes no more calls on this connection; another one is made for them, in the background or by the next."""
        codec, transport = self._codec, self._transport
        assert codec is not None
        assert transport is not None
        self._flush()
        pending, self._pending = self._pending, {}
        retired = RetiredConnection(self.address, codec, transport, pending, self._forget, self._note_late)
        self._retired.add(retired)
        self._leave()
        retired.close_if_idle()

    def _forget(self, retired: RetiredConnection) -> None:
        self._retired.discard(retired)
        self._tell_if_idle()

    def _note_late(self) -> None:
        self.late_replies += 1

    async def _ready(self, expires: float) -> float:
        """Waits for a connection; gives the seconds left until `expires`."""
        if self._closed:
            raise ConnectFailed(f"{self.address}: this client is closed")
        if self._draining and self._transport is not None:
            raise ConnectFailed(f"{self.address} is shutting down and takes no new calls")
        if self._failure is not None and monotonic() < self._spared_until:
            raise ConnectFailed(str(self._failure))
        connecting = self._begin_connect()
        await asyncio.wait([connecting], timeout=expires - monotonic())
        if self._closed:
            raise ConnectFailed(f"{self.address}: this client is closed")
        left = expires - monotonic()
        # Loops may count a little faster than the clock.
        if left <= 0 or not connecting.done():
            raise DeadlineExceeded(f"no connection to {self.address} in time", retry=Retry.SAFE)
        if self._codec is None:
            raise ConnectFailed(str(self._failure or f"{self.address}: cannot connect"))
        return left

    async def _connect(self) -> None:
        made = False
        began = monotonic()
        try:
            async with asyncio.timeout(self._options.connect_timeout_s):
                await self._loop.create_connection(lambda: self, self._host, self._port)
            made = True
        except TimeoutError:
            self._fail_connect(f"no connection within {self._options.connect_timeout_s:g} s", began)
        except OSError as exc:
            self._fail_connect(reason_of(exc), began)
        except (ValueError, OverflowError) as exc:
            # A host or port that no address can have: `socket.getaddrinfo` says so in these ways.
            self._fail_connect(str(exc), began)
        finally:
            if not made and self._transport is not None:
                # Given up in the very turn in which it came: uvloop closes such a transport without a word.
                self._transport.abort()
                self.connection_lost(None)

    def _fail_connect(self, why: str, began: float) -> None:
        if self._failure is None:
            self._warn("cannot connect to %s: %s", why)
        self._failure = ConnectFailed(f"cannot connect to {self.address}: {why}")
        now = monotonic()
        self._spared_until = now + spared_s(now - began, self._options.backoff_s)
        self._broken = True

    def _warn(self, text: str, why: object) -> None:
        level = logging.WARNING if self._options.is_logged else logging.DEBUG
        _LOG.log(level, text, self.address, why, extra={"peer": self.address})

    def _connect_done(self, task: asyncio.Task[None]) -> None:
        self._connecting = None
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("connecting to %s went wrong", self.address, exc_info=error)
        if self._wants_connection():
            self._heal()

    def _wants_connection(self) -> bool:
        return self._codec is None and not self._closed

    def _begin_connect(self) -> asyncio.Task[None]:
        if self._connecting is None:
            self._connecting = self._loop.create_task(self._connect())
            self._connecting.add_done_callback(self._connect_done)
        return self._connecting

    def _heal(self) -> None:
        if self._healing is None and not self._closed:
            self._healing = self._loop.create_task(self._reconnect())

    async def _reconnect(self) -> None:
        try:
            while self._wants_connection():
                pause_s = self._pause_s
                self._pause_s = min(pause_s * 2, self._options.max_backoff_s)
                await self._sleep(pause_s * (0.8 + 0.4 * self._jitter()))
                if self._wants_connection():
                    await asyncio.wait([self._begin_connect()])
        finally:
            self._healing = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there and may be used at once."""
        if self._closed:
            cast("asyncio.Transport", transport).abort()
            return
        self._transport = cast("asyncio.Transport", transport)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._codec = self._wire.connect()
        if self._failure is not None:
            _LOG.info("connected to %s again", self.address, extra={"peer": self.address})
        self._failure = None
        self._broken = self._draining = False
        self.connects += 1
        self._made_at = self._last_read = self._last_ping = monotonic()

    def data_received(self, data: bytes) -> None:
        """Hands replies to their callers. What a caller does with one must never reach this connection."""
        codec, transport = self._codec, self._transport
        if codec is None or transport is None:
            return
        self._last_read = monotonic()
        pending = self._pending
        is_left = False
        for event in codec.receive(data):
            if type(event) is ReplyReceived:
                slot = pending.pop(event.call_id, None)
                if slot is None:
                    self.late_replies += 1
                else:
                    hand_over(slot, event.outcome)
            elif type(event) is Send:
                self._send(event.data)
            elif type(event) is Drain:
                self._draining = event.active
                is_left = event.leave
            else:
                self._called(event)
        if codec.broken is not None:
            self._warn("%s broke the protocol: %s", codec.broken)
            transport.abort()
        elif is_left and len(self._retired) < _MOST_RETIRED and self._codec is codec:
            self._retire()
        self._tell_if_idle()

    def _called(self, event: ClientEvent) -> None:
        """What only a connection gets over which something was offered; see `CallbackConnection`."""

    def eof_received(self) -> bool:
        """A provider that sends no more cannot answer either: what is still to be sent would only delay a new start."""
        if self._transport is not None:
            self._transport.abort()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Calls without a reply fail; whoever still holds this connection gets a new one in the background."""
        if self._transport is None:
            return
        why = "closed the connection before it answered"
        if self._codec is not None and self._codec.broken is not None:
            why = f"broke the protocol before it answered: {self._codec.broken}"
        elif exc is not None:
            why = f"{why}: {exc}"
        self._leave()
        self._fail_pending(f"{self.address} {why}")
        if self._lost is not None:
            self._lost.set()

    def _leave(self) -> None:
        """There is no connection any more, for new calls."""
        self._transport = None
        self._codec = None
        self._out = None
        self._unsent = 0
        self._draining = False
        self._broken = True
        self._failure = None
        if self._last_read > self._made_at:
            # It was of use. One that is closed before it says anything does not shorten the pauses.
            self._pause_s = self._options.backoff_s
        self._heal()

    def _fail_pending(self, why: str) -> None:
        # Whoever is told may call again at once, so those calls must find everything up to date, and a new table.
        pending, self._pending = self._pending, {}
        for slot in pending.values():
            hand_over(slot, ConnectionLost(why))
        self._tell_if_idle()

    def check(self, now: float) -> None:
        """One turn of the client's sweep: heartbeats, and giving up on a silent provider."""
        heartbeat = self._options.heartbeat_s
        codec, transport = self._codec, self._transport
        if not heartbeat or codec is None or transport is None:
            return
        quiet = now - self._last_read
        if quiet <= heartbeat or now - self._last_ping <= heartbeat:
            return
        if quiet > heartbeat * 3 and self._last_ping > self._last_read:
            # Not without having asked: it may be this process that stood still.
            _LOG.warning("%s is silent for %.0f s: reconnecting", self.address, quiet, extra={"peer": self.address})
            transport.abort()
        elif ping := codec.ping():
            self._last_ping = now
            self._send(ping)

    def _send(self, data: bytes) -> None:
        """What is sent in one turn of the loop leaves in one write: with many callers that is half of the cost."""
        out = self._out
        if out is None:
            self._out = [data]
            self._loop.call_soon(self._flush)
        else:
            out.append(data)
        self._unsent += len(data)
        if self._unsent > _FLUSH_BYTES:
            self._flush()

    def _flush(self) -> None:
        out, self._out = self._out, None
        self._unsent = 0
        if out and self._transport is not None and not self._transport.is_closing():
            self._transport.write(out[0] if len(out) == 1 else b"".join(out))

    async def finish(self) -> None:
        """Waits until no call waits for a reply; each of them ends at its timeout, if not before."""
        if self._idle is None:
            self._idle = asyncio.Event()
        while self._pending or self._retired:
            self._idle.clear()
            await self._idle.wait()

    def close(self) -> None:
        """What of `aclose` waits for nothing: whoever is cancelled in that has closed it all the same."""
        if self._is_shut:
            return
        self._is_shut = True
        # Draining too, so that whoever is told below does not call again here.
        self._closed = self._draining = True
        for task in (self._connecting, self._healing):
            if task is not None:
                task.cancel()
        why = f"{self.address}: the client was closed before the answer came"
        self._fail_pending(why)
        for retired in tuple(self._retired):
            retired.close(why)
        self._flush()
        if self._transport is not None:
            self._lost = self._lost or asyncio.Event()
            self._transport.close()

    async def aclose(self) -> None:
        """Closes; calls in progress fail with `ConnectionLost`. What was sent is delivered if the provider reads it."""
        self.close()
        transport = self._transport
        tasks = [task for task in (self._connecting, self._healing) if task is not None]
        if tasks:
            await asyncio.wait(tasks)
        if transport is not None and self._lost is not None:
            try:
                async with asyncio.timeout(_CLOSE_S):
                    await self._lost.wait()
            except TimeoutError:
                transport.abort()
                await self._lost.wait()
