"""aiohttp's end of one accepted connection, behind a guard that keeps the listener's limits.

The guard cuts the stream into requests (`adapters.http.cutter`), refuses what is none, and hands aiohttp one whole
request at a time. So a slow peer holds nothing but its own connection, requests before a bad one are answered, and
both drivers take and refuse the same bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from adapters.failure import INTERNAL
from adapters.http.calls import CallRunner
from adapters.http.cutter import CutRequest, RequestCutter
from adapters.refusals import Refusals
from adapters.tcp.acceptor import Connected
from adapters.tcp.patience import CROSSING_S, LINGER_S, QUIET_S, close_or_abort, most_unsent, overdue
from adapters.tcp.server import HALF_CLOSE_GRACE_S
from gateway.spi.adapter import ListenerOptions
from protocols.http.binding import HttpBinding
from protocols.http.errors import HttpWireError
from protocols.http.head import HeadReader
from protocols.http.limits import HttpLimits
from protocols.http.respond import CONTINUE

__all__ = ["GuardedConnection", "SiteState", "StandIn"]

_HELD_BYTES: Final = 65_536
"""What may wait behind the request that is being answered; beyond that nothing more is read."""
_NEVER_S: Final = 86_400.0
"""aiohttp's own limit for idle connections, which the guard's makes superfluous."""
_PLACEHOLDER: Final = b"%b / HTTP/1.1\r\nHost: placeholder\r\n%b\r\n"
_NOT_HTTP: Final = "not-http"


@dataclass(frozen=True, slots=True)
class StandIn:
    """What to answer instead of passing a request on. `closes`: nothing follows on this connection."""

    status: int
    reason: str
    closes: bool


@dataclass(slots=True)
class SiteState:
    """What the connections of one listener share. Owned by the loop's thread."""

    options: ListenerOptions
    limits: HttpLimits
    binding: HttpBinding
    server: web.Server
    runner: CallRunner
    refusals: Refusals
    loop: asyncio.AbstractEventLoop
    quiet_s: float = QUIET_S
    heads: HeadReader = field(init=False)
    connected: Connected[GuardedConnection] = field(default_factory=Connected)
    draining: bool = False
    busy: int = 0
    """Connections with a request that is not answered."""
    draining_since: float = 0.0
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the last request has been answered."""
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a connection is gone, or the last request has been answered."""

    def __post_init__(self) -> None:
        self.heads = HeadReader(self.limits)

    def left_at(self) -> float:
        """When every connection may be closed without losing a request, as far as is known now; see `until_left`."""
        if self.busy:
            return math.inf
        return max((connection.left_at() for connection in self.connected.connections), default=0.0)


class GuardedConnection(RequestHandler):
    """The asyncio protocol of one accepted connection."""

    def __init__(self, state: SiteState, host: str, peer: str) -> None:
        limits = state.limits
        super().__init__(
            state.server,
            loop=state.loop,
            access_log=None,  # type: ignore[arg-type] # None is how aiohttp is told to keep none
            keepalive_timeout=_NEVER_S,
            lingering_time=0.0,
            # The guard has checked these already.
            max_line_size=limits.max_target_bytes + 1,
            max_field_size=limits.max_header_bytes + 1,
            max_headers=limits.max_headers + 3,
            # A whole request is handed over at once; aiohttp need not hold anything back.
            read_bufsize=max(limits.max_body_bytes, 65_536),
            auto_decompress=False,
        )
        self._state = state
        self._host = host
        self._peer = peer
        self._cutter = RequestCutter(state.heads, limits)
        self._wire: asyncio.Transport | None = None
        """The transport, as long as there is one; aiohttp forgets its own earlier."""
        self._serving: asyncio.Task[Any] | None = None
        self._busy = False
        """aiohttp has a request that is not answered."""
        self._speaks_1_1 = False
        """The request that aiohttp has is of HTTP/1.1."""
        self._full = False
        """Nothing is read because enough is held."""
        self._eof = False
        """The peer closed its sending side."""
        self._ended = False
        """No more requests are taken."""
        self._refused = False
        """The position in the stream is lost, so the peer may still be sending."""
        self._left: asyncio.Future[None] | None = None
        """The peer of a refused request closed too."""
        self._closed: asyncio.Future[None] | None = None
        self._last_read = 0.0
        self._last_busy = self._pending_since = monotonic()
        self.stand_in: StandIn | None = None
        """For the request that aiohttp has now."""
        self.opening: asyncio.Task[Any] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remembers the transport and sets the write buffer limit."""
        self._wire = cast("asyncio.Transport", transport)
        self._wire.set_write_buffer_limits(high=self._state.options.max_write_buffer_bytes)
        super().connection_made(transport)

    def opened(self, task: asyncio.Task[Any]) -> None:
        """The transport exists, or could not be made."""
        self.opening = None
        if task.cancelled() or task.exception() is not None:
            self._state.connected.forget(self, self._host)

    async def start(self) -> None:
        """aiohttp's loop over the requests of this connection; runs in a task of its own."""
        self._serving = asyncio.current_task()
        await super().start()

    def data_received(self, data: bytes) -> None:
        """Collects what arrived, and passes the next request on when it is complete."""
        if not data:
            # How aiohttp itself asks for what it left unparsed.
            super().data_received(data)
            return
        now = monotonic()
        self._last_read = now
        if self._ended:
            return
        if not self._cutter.pending_bytes:
            self._pending_since = now
        self._cutter.feed(data)
        self._advance()

    def _advance(self) -> None:
        """Passes on the next request, if it is there and the one before is answered."""
        cutter = self._cutter
        while not self._busy and not self._ended:
            try:
                request = cutter.take()
            except HttpWireError as exc:
                self._break(exc)
                return
            if request is None:
                if cutter.wants_continue and self._wire is not None and not self._wire.is_closing():
                    cutter.wants_continue = False
                    self._wire.write(CONTINUE)
                if self._eof:
                    self._end_of_stream()
                break
            self._pending_since = monotonic()
            self._pass_on(request)
        self._hold_back()

    def _hold_back(self) -> None:
        """Reads no more than is needed while a request is being answered."""
        wire = self._wire
        if wire is None or wire.is_closing() or self._eof:
            return
        full = self._busy and not self._ended and self._cutter.pending_bytes > _HELD_BYTES
        if full:
            # Not only the first time: aiohttp resumes reading when it has read a body, without asking.
            if wire.is_reading():
                wire.pause_reading()
        elif self._full:
            # While nothing was read the peer could not complete a message.
            self._pending_since = monotonic()
            wire.resume_reading()
        self._full = full

    def _pass_on(self, request: CutRequest) -> None:
        line = request.line
        if line.refused:
            closes = self._cutter.raw_line.startswith(b"CONNECT ")
            reason = f"the method {line.method[:32]} is not served here"
            if line.refused >= 400:
                self._state.refusals.count("bad-request", self._peer, reason)
            self._answer_instead(StandIn(line.refused, reason, closes), b"HEAD" if line.is_head else b"GET")
            return
        self._speaks_1_1 = not line.is_http_1_0
        self._begin()
        super().data_received(request.normalized(self._cutter.raw_line))

    def _break(self, error: HttpWireError) -> None:
        """The position in the stream is lost: says so where that is understood, and closes."""
        self._state.refusals.count(error.reason, self._peer, str(error))
        self._ended = True
        if error.reason == _NOT_HTTP:
            if self._wire is not None:
                self._wire.close()
            return
        self._refused = True
        self._answer_instead(StandIn(error.status, str(error), closes=True), b"GET")
        self._hold_back()

    def _answer_instead(self, stand_in: StandIn, method: bytes) -> None:
        # A request that says nothing takes the place of the one that cannot be passed on, so that aiohttp answers it.
        self._begin()
        self.stand_in = stand_in
        if stand_in.closes:
            self._ended = True
        super().data_received(_PLACEHOLDER % (method, b"Connection: close\r\n" if stand_in.closes else b""))

    def _begin(self) -> None:
        self._busy = True
        self._last_busy = monotonic()
        self._state.busy += 1

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Sends the response, then goes on with the next request or closes."""
        if self._state.draining and not self._cutter.pending_bytes:
            resp.force_close()
        sent = await super().finish_response(request, resp, start_time)
        self.stand_in = None
        if self._refused:
            await self._linger()
        self._answered()
        if not resp.keep_alive:
            self._ended = True
        else:
            self._advance()
        return sent

    def _answered(self) -> None:
        if self._busy:
            self._busy = False
            self._last_busy = self._pending_since = monotonic()
            self._state.busy -= 1
            if not self._state.busy:
                self._state.idle.set()
                self._state.moved.set()

    async def _linger(self) -> None:
        """Lets a refused peer read why, which a reset would keep it from.

        Closing with unread bytes makes the kernel send one. So the sending side is closed first, and what still
        arrives is dropped until the peer closes too.
        """
        wire = self._wire
        if wire is None or wire.is_closing() or self._eof or not wire.can_write_eof():
            return
        self._left = self._state.loop.create_future()
        wire.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                await self._left

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What aiohttp found wrong although the guard did not, or an error of our own: never told to the peer."""
        if status < 500:
            self._state.refusals.count("malformed", self._peer, "aiohttp does not take the request")
        else:
            self.log_exception("%s: a request could not be answered", self._state.options.name, exc_info=exc)
        refusal = self._state.binding.encode_refusal(status, "malformed request" if status < 500 else INTERNAL)
        response = web.Response(status=status, body=refusal.body)
        response.headers.clear()
        response.headers.extend(refusal.headers)
        response.force_close()
        return response

    def eof_received(self) -> bool:  # type: ignore[override] # asyncio takes a bool; aiohttp declares None
        """The peer sends no more but may still read: what it asked for is still answered."""
        self._eof = True
        if self._left is not None and not self._left.done():
            self._left.set_result(None)
        if not self._busy:
            self._end_of_stream()
            return False
        return True

    def _end_of_stream(self) -> None:
        if not self._ended and self._cutter.pending_bytes:
            self._state.refusals.count("truncated", self._peer, "the stream ended inside a message")
        self._ended = True
        self.close()
        if self._wire is not None and not self._busy:
            self._wire.close()

    def pause_writing(self) -> None:
        """The peer reads too slowly."""
        super().pause_writing()
        wire = self._wire
        if wire is not None and wire.get_write_buffer_size() > most_unsent(self._state.options):
            self._drop("slow-reader", "the peer does not read its replies")

    def connection_lost(self, exc: BaseException | None) -> None:
        """The peer is gone: aiohttp cancels what it waits for."""
        if not self._ended and self._cutter.pending_bytes and not self._busy and not self._eof:
            self._state.refusals.count("truncated", self._peer, "the stream ended inside a message")
        self._ended = True
        self._wire = None
        if self._left is not None and not self._left.done():
            self._left.set_result(None)
        super().connection_lost(exc)
        self._answered()
        self._state.moved.set()
        self._state.connected.forget(self, self._host)
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    def check(self, now: float) -> None:
        """One turn of the listener's sweep: closes what is too slow."""
        wire = self._wire
        if wire is None or wire.is_closing():
            return
        if self._state.runner.running_of(self):
            self._last_busy = now
            if (self._eof or self._full) and self._busy:
                self._probe(wire, now)
            return
        if self._left is not None:
            return
        waits = not self._busy and not self._ended
        pending_since = self._pending_since if waits and self._cutter.pending_bytes else None
        late = overdue(self._state.options, now, self._last_read, self._last_busy, pending_since)
        if late is not None:
            self._drop(*late)

    def _probe(self, wire: asyncio.Transport, now: float) -> None:
        """Finds out whether a peer from which nothing is read is gone, or gives it up where that cannot be asked."""
        if self._speaks_1_1:
            # To one that is gone a write comes back as a reset. An interim response may always be sent, and clients
            # pass over it (RFC 9110, section 15.2); those of HTTP/1.0 do not know it.
            wire.write(CONTINUE)
        elif self._eof and now - self._last_read > HALF_CLOSE_GRACE_S:
            self._drop("half-closed", "the peer closed its side and waited too long; its call is cancelled")

    def _drop(self, reason: str, text: str) -> None:
        self._state.refusals.count(reason, self._peer, text)
        self._ended = True
        if self._wire is not None:
            if self.writing_paused:
                self._wire.abort()
            else:
                self._wire.close()

    def left_at(self) -> float:
        """When it may be closed without losing a request that is on its way, if none comes until then (monotonic)."""
        if self._ended:
            return 0.0
        return max(self._state.draining_since + CROSSING_S, max(self._last_read, self._last_busy) + self._state.quiet_s)

    def close_if_idle(self) -> None:
        """Closes it, unless a request waits for its answer."""
        if not self._busy and self._wire is not None:
            self._ended = True
            self._wire.close()

    @property
    def busy(self) -> bool:
        """Whether a request waits for its answer."""
        return self._busy

    async def aclose(self) -> None:
        """Sends what is ready, closes, and waits until connection and task are gone."""
        if self.opening is not None:
            await asyncio.wait([self.opening])
        serving = self._serving
        wire = self._wire
        if wire is not None:
            closed = self._closed = self._state.loop.create_future()
            self._ended = True
            self.force_close()
            await close_or_abort(wire, closed)
        if serving is not None and not serving.done():
            serving.cancel()
            await asyncio.wait([serving])
