"""The smallest wire over HTTP: a binding whose requests name a method of `EchoService` and carry one argument."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, Forbidden, RpcError
from protocols.contract import Outcome
from protocols.http.message import HttpRequest, HttpResponse

SERVICE = ServiceKey("test.Echo")
TEXT = ("Content-Type", "text/plain; charset=utf-8")
PROBLEM = ("Content-Type", "application/problem+json")


class EchoExchange:
    def __init__(self, calls: Sequence[Invocation]) -> None:
        self.calls = calls

    def encode_reply(self, outcomes: Sequence[Outcome | None]) -> HttpResponse:
        if len(outcomes) == 1 and isinstance(outcomes[0], RpcError):
            return problem(502, f"{outcomes[0].code}: {outcomes[0]}")
        shown = [
            f"{each.code}: {each}" if isinstance(each, RpcError) else each.value
            for each in outcomes
            if each is not None and not isinstance(each, Fault)
        ]
        if not shown:
            return HttpResponse(204)
        return HttpResponse(200, (TEXT,), "|".join(shown).encode())


def problem(status: int, detail: str, error: RpcError | None = None) -> HttpResponse:
    return HttpResponse(status, (PROBLEM,), json.dumps({"status": status, "detail": detail}).encode(), error)


class EchoBinding:
    """`POST /<method>` calls with the body, `POST /many` a method per line (`!name`: oneway), `GET` shows the request.

    A path that ends in `/refused` is refused by the binding; `/injected` answers with a field that is none, and
    `/broken` raises, which bindings must not do. `timeout_s`: of every call.
    """

    def __init__(self, timeout_s: float | None = None) -> None:
        self.timeout_s = timeout_s

    def decode_call(self, request: HttpRequest, now: float) -> EchoExchange | HttpResponse:
        if request.path.endswith("/refused"):
            return problem(403, "not for you", Forbidden("not for you"))
        if request.path == "/injected":
            return HttpResponse(200, (TEXT, ("X-Name", "a\r\nX-Other: b")), b"")
        if request.path == "/broken":
            raise ZeroDivisionError("a secret of the binding")
        if request.method == "GET":
            assert request.peer is not None
            seen = {
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "headers": request.headers.pairs,
                "peer": request.peer.address,
            }
            return HttpResponse(200, (("Content-Type", "application/json"),), json.dumps(seen).encode())
        if request.method != "POST":
            return problem(405, "POST it", BadRequest("POST it"))
        deadline = None if self.timeout_s is None else now + self.timeout_s
        if request.path == "/many":
            names = request.body.decode().split("\n")
            return EchoExchange(
                [
                    Invocation(SERVICE, name.lstrip("!"), (name,), oneway=name[0] == "!", deadline=deadline)
                    for name in names
                ]
            )
        return EchoExchange([Invocation(SERVICE, request.path[1:], (request.body.decode(),), deadline=deadline)])

    def encode_refusal(self, status: int, reason: str) -> HttpResponse:
        return problem(status, reason)


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
