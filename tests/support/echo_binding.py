"""A binding of a few lines, so that tests of HTTP drivers need no real wire.

`POST /echo` is one call with the body as its argument, `POST /batch` one for each line of the body, lines that begin
with `!` oneway. `GET /document` needs no call, `GET /refused` is refused. Answers are the outcomes as text, one a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.model.call import Invocation, Ok
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, RpcError
from protocols.contract import Outcome
from protocols.http.message import HttpRequest, HttpResponse

SERVICE: Final = ServiceKey("echo.Service")
TEXT: Final = (("Content-Type", "text/plain"),)
DOCUMENT: Final = b"a document"


class EchoExchange:
    """See `HttpExchange`."""

    def __init__(self, calls: Sequence[Invocation]) -> None:
        self.calls = calls

    def encode_reply(self, outcomes: Sequence[Outcome | None]) -> HttpResponse:
        lines = [_line(each) for each in outcomes if each is not None]
        return HttpResponse(200 if lines else 202, TEXT, b"\n".join(lines))


class EchoBinding:
    """See `HttpBinding`. `requests` holds what it was given, oldest first."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []

    def decode_call(self, request: HttpRequest, now: float) -> EchoExchange | HttpResponse:
        self.requests.append(request)
        if request.path == "/document":
            return HttpResponse(200, TEXT, DOCUMENT)
        if request.path == "/refused":
            return HttpResponse(422, TEXT, b"no", BadRequest("no"))
        lines = request.body.split(b"\n") if request.path == "/batch" else [request.body]
        return EchoExchange([_call(request, each) for each in lines])

    def encode_refusal(self, status: int, reason: str) -> HttpResponse:
        return HttpResponse(status, TEXT, reason.encode())


def _call(request: HttpRequest, line: bytes) -> Invocation:
    oneway = line.startswith(b"!")
    return Invocation(SERVICE, request.path[1:], (line,), peer=request.peer, oneway=oneway)


def _line(outcome: Outcome) -> bytes:
    if isinstance(outcome, RpcError):
        return f"{outcome.code}: {outcome}".encode()
    assert isinstance(outcome, Ok)
    value = outcome.value
    assert isinstance(value, bytes)
    return value
