"""A binding of a few lines and a service behind it, so that tests of HTTP drivers need no real wire.

`POST /<method>` (or `PUT`) is one call with the body as its argument, `POST /batch` one for each line of the body,
which is both method and argument; lines that begin with `!` are oneway. Answers are the outcomes as text, one a line.
`GET /document` needs no call, any other `GET` shows the request. A path that ends in `/refused` is refused; `/injected`
answers with a field that is none, and `/broken` raises, which bindings must not do.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Final

from gateway.model.call import Invocation, Ok, Result
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, Forbidden, RpcError
from protocols.contract import Outcome
from protocols.http.message import HttpRequest, HttpResponse

SERVICE: Final = ServiceKey("echo.Service")
TEXT: Final = (("Content-Type", "text/plain"),)
DOCUMENT: Final = b"a document"


class EchoExchange:
    """See `HttpExchange`."""

    def __init__(self, calls: Sequence[Invocation]) -> None:
        self.calls = calls
        self._kept: dict[int, bytes] = {}

    def keep(self, index: int, outcome: Outcome) -> int:
        self._kept[index] = _line(outcome)
        return len(self._kept[index])

    def encode_reply(self, outcomes: Sequence[Outcome | None]) -> HttpResponse:
        found = {**self._kept, **{index: _line(each) for index, each in enumerate(outcomes) if each is not None}}
        lines = [found[index] for index in sorted(found)]
        return HttpResponse(200 if lines else 202, TEXT, b"\n".join(lines))


class EchoBinding:
    """See `HttpBinding`. `requests` holds what it was given, oldest first. `timeout_s`: of every call."""

    def __init__(self, timeout_s: float | None = None) -> None:
        self.requests: list[HttpRequest] = []
        self._timeout_s = timeout_s

    def decode_call(self, request: HttpRequest, now: float) -> EchoExchange | HttpResponse:
        self.requests.append(request)
        if request.path.endswith("/refused"):
            return HttpResponse(403, TEXT, b"no", Forbidden("no"))
        if request.path == "/injected":
            return HttpResponse(200, (*TEXT, ("X-Name", "a\r\nX-Other: b")))
        if request.path == "/broken":
            raise ZeroDivisionError("a secret of the binding")
        if request.path == "/document":
            return HttpResponse(200, TEXT, DOCUMENT)
        if request.method == "GET":
            return _shown(request)
        if request.method not in ("POST", "PUT"):
            return HttpResponse(405, TEXT, b"POST it", BadRequest("POST it"))
        deadline = None if self._timeout_s is None else now + self._timeout_s
        if request.path == "/batch":
            lines = request.body.split(b"\n")
            return EchoExchange([_call(request, each.lstrip(b"!").decode("latin-1"), each, deadline) for each in lines])
        return EchoExchange([_call(request, request.path[1:], request.body, deadline)])

    def encode_refusal(self, status: int, reason: str) -> HttpResponse:
        return HttpResponse(status, TEXT, reason.encode())


class EchoService:
    """Answers with the argument; `hold` waits for `release`, `large` answers with 100 times the argument."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.ended: list[str] = []
        self.cancelled: list[str] = []
        self.held = asyncio.Event()
        """Set when a call waits."""
        self.release = asyncio.Event()

    async def __call__(self, invocation: Invocation) -> Result:
        argument = invocation.arguments()[0]
        self.started.append(invocation.method)
        try:
            if invocation.method == "hold":
                self.held.set()
                await self.release.wait()
            elif invocation.method == "fail":
                raise ValueError("a secret of the service")
            elif invocation.method == "timeout":
                raise TimeoutError
            elif invocation.method == "large":
                argument = argument * 100
        except asyncio.CancelledError:
            self.cancelled.append(invocation.method)
            raise
        self.ended.append(invocation.method)
        return Ok(argument)


def _call(request: HttpRequest, method: str, argument: bytes, deadline: float | None) -> Invocation:
    oneway = argument.startswith(b"!")
    return Invocation(SERVICE, method, (argument,), peer=request.peer, oneway=oneway, deadline=deadline)


def _shown(request: HttpRequest) -> HttpResponse:
    assert request.peer is not None
    seen = {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": request.headers.pairs,
        "peer": request.peer.address,
    }
    return HttpResponse(200, (("Content-Type", "application/json"),), json.dumps(seen).encode())


def _line(outcome: Outcome) -> bytes:
    if isinstance(outcome, RpcError):
        return f"{outcome.code}: {outcome}".encode()
    assert isinstance(outcome, Ok)
    value = outcome.value
    assert isinstance(value, bytes)
    return value
