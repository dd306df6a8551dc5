"""An HTTP peer without a network: what it sends goes into a codec, what comes back is collected.

Answers are read by llhttp's response parser, which shares nothing with the code that wrote them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httptools

from gateway.model.call import Invocation, Ok, Peer
from protocols.contract import CallReceived, CallRejected, Outcome, Send, ServerEvent
from protocols.http.limits import DEFAULT_LIMITS, HttpLimits
from protocols.http.server import HttpServerCodec, HttpServerWire
from tests.support.echo_binding import EchoBinding

PEER: Final = Peer("http", "192.0.2.1:4711")
HOST: Final = b"Host: a\r\n"


@dataclass
class Answer:
    """One response as its reader understands it. `headers`: names in lower case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    keep: bool = True
    """Whether the connection goes on behind it."""
    complete: bool = False


def post(body: bytes = b"", *fields: bytes, target: bytes = b"/echo") -> bytes:
    lines = b"".join(each + b"\r\n" for each in fields)
    return b"POST %b HTTP/1.1\r\n%b%bContent-Length: %d\r\n\r\n%b" % (target, HOST, lines, len(body), body)


def get(target: bytes = b"/document", *fields: bytes, method: bytes = b"GET", version: bytes = b"1.1") -> bytes:
    lines = b"".join(each + b"\r\n" for each in fields)
    return b"%b %b HTTP/%b\r\n%b%b\r\n" % (method, target, version, HOST, lines)


def chunked(*chunks: bytes, trailers: bytes = b"") -> bytes:
    body = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in chunks)
    head = b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    return head + body + b"0\r\n" + trailers + b"\r\n"


def echo(invocation: Invocation) -> Outcome:
    return Ok(invocation.arguments()[0])


class HttpPeer:
    """Sends to one codec. Calls are answered with `outcome` at once, or wait in `waiting` while it is None."""

    def __init__(
        self,
        limits: HttpLimits = DEFAULT_LIMITS,
        *,
        outcome: Callable[[Invocation], Outcome] | None = echo,
        binding: Any = None,
        **options: Any,
    ) -> None:
        self.binding: Any = binding or EchoBinding()
        self.codec: HttpServerCodec = HttpServerWire(self.binding, limits, **options).accept(PEER)
        self.outcome = outcome
        self.waiting: list[CallReceived] = []
        self.oneway: list[Invocation] = []
        self.rejected: list[str] = []
        self.received = b""

    def send(self, *pieces: bytes) -> HttpPeer:
        """As an adapter handles what arrives, with all its rules about order."""
        for piece in pieces:
            if self.codec.finished or self.codec.broken is not None:
                break
            self._handle(self.codec.receive(piece, 100.0))
            if self.codec.broken is not None:
                self.received += self.codec.broken.farewell
        return self

    def _handle(self, events: Sequence[ServerEvent]) -> None:
        for event in events:
            match event:
                case CallReceived(ticket=None):
                    self.oneway.append(event.invocation)
                case CallReceived() if self.outcome is None:
                    self.waiting.append(event)
                case CallReceived():
                    assert self.outcome is not None
                    self.received += self.codec.reply(event.ticket, self.outcome(event.invocation))
                case CallRejected():
                    self.rejected.append(f"{event.error.code}: {event.error}")
                    self.received += self.codec.reply(event.ticket, event.error)
                case Send():
                    self.received += event.data

    def finish(self, index: int = 0, outcome: Outcome | None = None) -> bytes:
        """Answers a waiting call; gives what leaves then."""
        event = self.waiting.pop(index)
        data = self.codec.reply(event.ticket, outcome or echo(event.invocation))
        self.received += data
        return data

    @property
    def answers(self) -> list[Answer]:
        """What came back so far, interim answers included."""
        found = read_answers(self.received)
        assert not found or found[-1].complete
        return found

    @property
    def statuses(self) -> list[int]:
        return [each.status for each in self.answers]


class _Reader:
    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.parser = httptools.HttpResponseParser(self)

    def on_message_begin(self) -> None:
        self.answers.append(Answer())

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.decode().lower()
        assert key not in self.answers[-1].headers, f"{key} twice"
        self.answers[-1].headers[key] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.answers[-1].status = self.parser.get_status_code()
        self.answers[-1].keep = self.parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        self.answers[-1].body += body

    def on_message_complete(self) -> None:
        self.answers[-1].complete = True


def read_answers(data: bytes) -> list[Answer]:
    """All responses in `data`, the last one perhaps not complete."""
    reader = _Reader()
    if data:
        reader.parser.feed_data(data)
    return reader.answers
