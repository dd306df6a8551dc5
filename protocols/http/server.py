"""The server's half of HTTP/1.1 connections that carry calls, around any `HttpBinding`.

Requests may be pipelined: their calls run at the same time, and the answers leave in the order of the requests, with
refused ones in their turn. The head of a request is found and its body measured here, the fields are parsed by
llhttp (`protocols.http.head`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from gateway.model.call import Peer
from gateway.model.errors import (
    BadRequest,
    LocalWireError,
    Overloaded,
    ProviderFailed,
    RemoteWireError,
    Retry,
)
from protocols.contract import CallReceived, CallRejected, Outcome, Send, ServerEvent
from protocols.http.binding import HttpBatch, HttpBinding, HttpExchange
from protocols.http.chunked import ChunkedBody
from protocols.http.content import ContentRefused, inflate
from protocols.http.errors import HttpWireError
from protocols.http.head import ALLOWED_METHODS, CHUNKED, FieldBlock, HeadReader, RequestLine, parse_fields
from protocols.http.limits import DEFAULT_LIMITS, HttpLimits
from protocols.http.message import NO_HEADERS, Headers, HttpRequest, HttpResponse
from protocols.http.respond import CONTINUE, ResponseWriter

__all__ = ["HttpServerCodec", "HttpServerWire"]

_ALLOW: Final = ("Allow", ", ".join(ALLOWED_METHODS))
_INTERNAL: Final = "internal error"
_NOT_HTTP: Final = "not-http"


class HttpServerWire:
    """One binding behind one listener; makes a codec per connection.

    `date`: gives the value of the Date field for this moment, as RFC 9110, section 5.6.7, writes it; codecs have no
    clock. None sends no such field. `compress`: code long answers of text as gzip for peers that take it. `protocol`:
    what calls say they came in over, where a connection carries those of several listeners.
    """

    def __init__(
        self,
        binding: HttpBinding,
        limits: HttpLimits = DEFAULT_LIMITS,
        *,
        date: Callable[[], bytes] | None = None,
        compress: bool = True,
        protocol: str = "",
    ) -> None:
        self.protocol: Final = protocol
        self.binding: Final = binding
        self.limits: Final = limits
        self.heads: Final = HeadReader(limits)
        self.writer: Final = ResponseWriter(date, compress)
        self._key: Final = f"site-{id(self)}"

    def accept(self, peer: Peer) -> HttpServerCodec:
        """See `ServerWire.accept`."""
        return HttpServerCodec(self, peer)

    def site(self, line: RequestLine, fields: FieldBlock) -> HttpServerWire:
        """Whose binding answers a request, and whose limits hold for its body."""
        return self

    def own(self, headers: Headers) -> Headers:
        """The same fields for this wire alone, where several read them: what it finds out about them (that a site may
        call, who calls) holds for nobody else."""
        found = headers.memo.get(self._key)
        if found is None:
            found = headers.memo[self._key] = Headers(headers.pairs)
        return cast("Headers", found)


class _Turn:
    """The place of one response in the order of a connection; the ticket of a request that became one call."""

    __slots__ = (
        "close",
        "exchange",
        "head",
        "headers",
        "http_1_0",
        "inflated",
        "interim",
        "kept",
        "left",
        "response",
        "site",
    )

    def __init__(
        self, site: HttpServerWire, headers: Headers = NO_HEADERS, head: bool = False, http_1_0: bool = False
    ) -> None:
        self.site: Final = site
        self.headers = headers
        """Of the request."""
        self.inflated = 0
        """Bytes of its body without its content coding, where it had one."""
        self.head = head
        self.http_1_0 = http_1_0
        self.close = self.interim = False
        self.exchange: HttpExchange | None = None
        self.left = 0
        """Outcomes of several calls that are still to come."""
        self.kept = 0
        """Bytes kept for those that came."""
        self.response: HttpResponse | None = None
        """What to send. It waits for the responses before it, and becomes bytes when they have left."""


class _Member:
    """The ticket of one call among several of a request. `is_answered`: its outcome came."""

    __slots__ = ("index", "is_answered", "turn")

    def __init__(self, turn: _Turn, index: int) -> None:
        self.turn: Final = turn
        self.index: Final = index
        self.is_answered = False


class _Incoming:
    """A request whose body has not arrived completely."""

    __slots__ = ("body", "chunks", "fields", "left", "line", "site")

    def __init__(self, line: RequestLine, fields: FieldBlock, site: HttpServerWire) -> None:
        self.line: Final = line
        self.fields: Final = fields
        self.site: Final = site
        self.chunks = ChunkedBody(site.limits) if fields.length == CHUNKED else None
        self.body = bytearray()
        self.left = fields.length


class HttpServerCodec:
    """See `protocols.contract.ServerCodec`.

    After `goodbye` the connection takes requests until the next answer behind which nothing waits; that one says
    `Connection: close`. An idle connection is therefore left open: a request may be on its way.
    """

    __slots__ = ("_held", "_incoming", "_leaving", "_peer", "_site", "_turns", "_wire", "broken", "finished")

    def __init__(self, wire: HttpServerWire, peer: Peer) -> None:
        self._wire = wire
        self._site = wire
        """Whose the latest request is."""
        self._peer = peer
        self._held: bytearray | None = None
        """A head that has not arrived completely."""
        self._incoming: _Incoming | None = None
        self._turns: list[_Turn] = []
        """Responses that have not left, in order."""
        self._leaving = False
        self.broken: RemoteWireError | None = None
        self.finished = False

    @property
    def pending_bytes(self) -> int:
        """Bytes of an incomplete request, head or body; at least 1 while there is one."""
        if self._held is not None:
            return len(self._held)
        incoming = self._incoming
        if incoming is None:
            return 0
        return 1 + (incoming.chunks.pending_bytes if incoming.chunks is not None else len(incoming.body))

    @property
    def held_bytes(self) -> int:
        """Bytes of answers that wait for one before them, and of parts of answers that wait for the others."""
        return sum(turn.kept if turn.response is None else len(turn.response.body) for turn in self._turns)

    def receive(self, data: bytes, now: float) -> Sequence[ServerEvent]:
        """See `ServerCodec.receive`."""
        events: list[ServerEvent] = []
        held = self._held
        if held is not None:
            searched = max(0, len(held) - 3)
            held += data
            if held.find(b"\r\n\r\n", searched) >= 0:
                data = bytes(held)
                self._held = None
            else:
                data = b""
                try:
                    self._wire.heads.check_beginning(held, searched)
                except HttpWireError as exc:
                    self._break(exc)
        position, size = 0, len(data)
        while position < size and not self.finished and self.broken is None:
            try:
                if self._incoming is None:
                    position = self._read_head(data, position, now, events)
                else:
                    position = self._read_body(self._incoming, data, position, now, events)
            except HttpWireError as exc:
                self._break(exc)
        return events

    def _read_head(self, data: bytes, position: int, now: float, events: list[ServerEvent]) -> int:
        heads = self._wire.heads
        # RFC 9112, section 2.2: an empty line before a request is to be ignored.
        start = position + 2 if data.startswith(b"\r\n", position) else position
        end = data.find(b"\r\n\r\n", start)
        if end < 0:
            held = bytearray(memoryview(data)[position:])
            heads.check_beginning(held)
            self._held = held
            return len(data)
        line, fields = heads.head(data[start : end + 2])
        start = end + 4
        length = fields.length
        site = self._site = self._wire.site(line, fields)
        if not fields.has_host and not line.is_http_1_0:
            raise HttpWireError(400, "an HTTP/1.1 request without a Host field", reason="bad-host")
        if length:
            limit = site.limits.max_body_bytes
            if length > limit:
                raise HttpWireError(413, f"the body has more than {limit} bytes", reason="body-too-large")
            if length == CHUNKED and line.is_http_1_0:
                # RFC 9112, section 6.1: whoever wrote that cannot know what it means.
                raise HttpWireError(400, "a transfer coding in an HTTP/1.0 request", reason="bad-framing")
            if fields.expects and not self._expected(line, fields, site, len(data) > start, events):
                return len(data)
            if length == CHUNKED or len(data) - start < length:
                self._incoming = _Incoming(line, fields, site)
                return start
        elif fields.expects and fields.expects != "100-continue":
            self._refuse(line, fields, site, 417, "only 100-continue can be expected here", events)
            return start
        self._request(line, fields, site, data[start : start + length], now, events)
        return start + length

    def _expected(
        self, line: RequestLine, fields: FieldBlock, site: HttpServerWire, body_begun: bool, events: list[ServerEvent]
    ) -> bool:
        """Answers `Expect` (RFC 9110, section 10.1.1). False when the body is not wanted, and the connection ends."""
        if line.is_http_1_0:
            return True
        if fields.expects != "100-continue":
            self._refuse(line, fields, site, 417, "only 100-continue can be expected here", events, close=True)
            return False
        if body_begun:
            return True
        if line.refused:
            self._refuse(line, fields, site, line.refused, "", events, close=True)
            return False
        turn = _Turn(site)
        turn.interim = True
        self._turns.append(turn)
        if len(self._turns) == 1:
            events.append(Send(self._release()))
        return True

    def _read_body(self, incoming: _Incoming, data: bytes, position: int, now: float, events: list[ServerEvent]) -> int:
        chunks = incoming.chunks
        if chunks is not None:
            end = chunks.feed(data, position)
            if end < 0:
                return len(data)
            if chunks.trailers:
                # What they say is of no use here, but they must not be able to say how long the message is.
                parse_fields(b"Transfer-Encoding: chunked\r\n" + chunks.trailers, incoming.site.limits)
            body = bytes(chunks.data)
            chunks.data.clear()
        else:
            end = min(position + incoming.left, len(data))
            incoming.body += memoryview(data)[position:end]
            incoming.left -= end - position
            if incoming.left:
                return end
            body = bytes(incoming.body)
            incoming.body.clear()
        self._incoming = None
        self._request(incoming.line, incoming.fields, incoming.site, body, now, events)
        return end

    def _request(
        self,
        line: RequestLine,
        fields: FieldBlock,
        site: HttpServerWire,
        body: bytes,
        now: float,
        events: list[ServerEvent],
    ) -> None:
        """A whole request: becomes calls, or an answer in its turn."""
        if line.refused:
            self._refuse(line, fields, site, line.refused, "", events, close=line.method == "CONNECT")
            return
        inflated = 0
        if fields.codings and body:
            # All that wait together stay below the limit of one: a few bytes each could fill the memory otherwise.
            limit = site.limits.max_inflated_bytes - sum(turn.inflated for turn in self._turns)
            try:
                body = inflate(body, fields.codings, limit)
                inflated = len(body)
            except ContentRefused as exc:
                self._refuse(line, fields, site, exc.status, str(exc), events)
                return
        if len(self._turns) >= site.limits.max_pipelined:
            why = f"{site.limits.max_pipelined} requests of this connection wait for their answers"
            self._refuse(line, fields, site, 503, why, events, close=True)
            return
        turn = self._turn(line, fields, site)
        turn.inflated = inflated
        peer = self._peer
        headers = fields.headers
        if site is not self._wire:
            headers = site.own(headers)
            if peer.protocol != site.protocol:
                peer = self._peer = Peer(site.protocol, peer.address)
        result = site.binding.decode_call(HttpRequest(line.method, line.path, line.query, headers, body, peer), now)
        if isinstance(result, HttpResponse):
            self._respond(turn, result, events)
            return
        turn.exchange = result
        calls = result.calls
        if len(calls) == 1 and not calls[0].oneway:
            events.append(CallReceived(turn, calls[0]))
            return
        for index, invocation in enumerate(calls):
            ticket = None if invocation.oneway else _Member(turn, index)
            turn.left += ticket is not None
            events.append(CallReceived(ticket, invocation))
        if not turn.left:
            self._respond(turn, result.encode_reply([None] * len(calls)), events)

    def _turn(self, line: RequestLine, fields: FieldBlock, site: HttpServerWire) -> _Turn:
        turn = _Turn(site, fields.headers, line.is_head, line.is_http_1_0)
        if fields.close or (line.is_http_1_0 and not fields.keep_alive):
            turn.close = self.finished = True
        self._turns.append(turn)
        return turn

    def _respond(self, turn: _Turn, response: HttpResponse, events: list[ServerEvent]) -> None:
        """Answers a request that needs no call, in its turn."""
        if response.error is not None:
            turn.response = response
            events.append(CallRejected(turn, response.error))
            return
        turn.response = response
        if self._turns[0] is turn:
            events.append(Send(self._release()))

    def _refuse(
        self,
        line: RequestLine,
        fields: FieldBlock,
        site: HttpServerWire,
        status: int,
        text: str,
        events: list[ServerEvent],
        *,
        close: bool = False,
    ) -> None:
        """Refuses a request whose end is known, or one whose body is not wanted (`close`)."""
        turn = self._turn(line, fields, site)
        if close:
            turn.close = self.finished = True
        if status == 204:
            self._respond(turn, HttpResponse(204, (_ALLOW,)), events)
            return
        text = text or f"the method {line.method[:32]} is not served here"
        response = site.binding.encode_refusal(status, text)
        headers = (*response.headers, _ALLOW) if status == 405 else response.headers
        error = Overloaded(text) if status == 503 else BadRequest(text)
        self._respond(turn, HttpResponse(status, headers, response.body, error), events)

    def _break(self, error: HttpWireError) -> None:
        """The position in the stream is lost. What was asked before is answered first."""
        self._held = self._incoming = None
        self.broken = error
        if error.reason == _NOT_HTTP:
            return
        turn = _Turn(self._site)
        turn.close = True
        turn.response = self._site.binding.encode_refusal(error.status, str(error))
        self._turns.append(turn)
        if len(self._turns) == 1:
            error.farewell = self._release()

    def reply(self, ticket: Any, outcome: Outcome) -> bytes:
        """See `ServerCodec.reply`."""
        turn: _Turn = ticket if type(ticket) is _Turn else ticket.turn
        if turn.response is None:
            exchange = turn.exchange
            if exchange is None:
                # The binding failed to encode this answer a moment ago.
                turn.response = _internal(turn.site)
            else:
                outcomes: Sequence[Outcome | None] = (outcome,)
                if type(ticket) is _Member:
                    turn.left -= not ticket.is_answered
                    ticket.is_answered = True
                    turn.kept += cast("HttpBatch", exchange).keep(ticket.index, outcome)
                    if turn.left:
                        return b""
                    outcomes = [None] * len(exchange.calls)
                turn.exchange = None
                turn.response = exchange.encode_reply(outcomes)
        turns = self._turns
        # What was refused may have left already, behind the answer before it.
        return self._release() if turns and turns[0] is turn else b""

    def _release(self) -> bytes:
        """The responses that nothing waits for any more, from the first on."""
        turns = self._turns
        data = self._write(turns.pop(0), not turns)
        if not turns or (turns[0].response is None and not turns[0].interim):
            return data
        parts = [data]
        while turns and (turns[0].response is not None or turns[0].interim):
            parts.append(self._write(turns.pop(0), not turns))
        return b"".join(parts)

    def _write(self, turn: _Turn, is_last: bool) -> bytes:
        response = turn.response
        if response is None:
            return CONTINUE
        if self._leaving and is_last and self._held is None and self._incoming is None:
            turn.close = self.finished = True
        write = turn.site.writer.write
        try:
            return write(response, turn.headers, head=turn.head, http_1_0=turn.http_1_0, close=turn.close)
        except LocalWireError:
            return write(_internal(turn.site), turn.headers, head=turn.head, http_1_0=turn.http_1_0, close=turn.close)

    def goodbye(self) -> bytes:
        """Nothing can be said before an answer; from now on the next one says it."""
        self._leaving = True
        return b""

    def ping(self) -> bytes:
        """What a peer that waits for an answer must take at any time: an interim response.

        HTTP has no heartbeat. But to a peer that is gone any write comes back as a reset, and clients pass over interim
        responses (RFC 9110, section 15.2), those of HTTP/1.0 excepted.
        """
        turns = self._turns
        return CONTINUE if turns and not turns[0].http_1_0 else b""


def _internal(site: HttpServerWire) -> HttpResponse:
    response = site.binding.encode_refusal(500, _INTERNAL)
    return HttpResponse(500, response.headers, response.body, ProviderFailed(_INTERNAL, retry=Retry.NEVER))
