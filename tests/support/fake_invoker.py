"""A provider that a test scripts: fake of ``gateway.spi.cluster.Invoker``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from gateway.model.call import Invocation, Ok, Result
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.spi.cluster import Load

SERVICE = ServiceKey("demo.Catalog")

Answer = Result | BaseException | Callable[[Invocation], Awaitable[Result]]


def endpoint(
    port: int = 20880,
    service: ServiceKey = SERVICE,
    *,
    protocol: str = "dubbo",
    host: str = "10.0.0.1",
    weight: int = 100,
    parameters: dict[str, str] | None = None,
) -> Endpoint:
    return Endpoint(protocol, host, port, service, weight, parameters or {})


def invocation(method: str = "find", *arguments: Any, **attributes: Any) -> Invocation:
    return Invocation(attributes.pop("service", SERVICE), method, arguments, **attributes)


class FakeInvoker:
    """Answers its calls from a script: results are returned, exceptions raised, functions awaited.

    The last answer of the script repeats. ``calls`` holds what was called, ``closed`` how often it was closed;
    ``finish_closing`` may be replaced by an event that keeps ``aclose`` waiting.
    """

    def __init__(self, at: Endpoint | int = 20880, *script: Answer, available: bool = True) -> None:
        self.endpoint = endpoint(at) if isinstance(at, int) else at
        self.available = available
        self.load = Load(self.endpoint.weight)
        self.calls: list[Invocation] = []
        self.closed = 0
        self.finish_closing: asyncio.Event | None = None
        self._script = list(script) or [Ok(None)]

    def __call__(self, invocation: Invocation) -> Coroutine[Any, Any, Result]:
        self.calls.append(invocation)
        return self._answer(invocation)

    async def _answer(self, invocation: Invocation) -> Result:
        answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(answer, BaseException):
            raise answer
        if callable(answer):
            return await answer(invocation)
        return answer

    async def aclose(self) -> None:
        self.closed += 1
        if self.finish_closing is not None:
            await self.finish_closing.wait()

    def __repr__(self) -> str:
        return f"<FakeInvoker {self.endpoint.address}>"


class FirstOf:
    """A balancer without luck: always the first. ``seen`` holds the lists it chose from."""

    def __init__(self) -> None:
        self.seen: list[list[FakeInvoker]] = []

    def select(self, invokers: Any, invocation: Invocation) -> Any:
        self.seen.append(list(invokers))
        return invokers[0]

    def explain(self, invokers: Any, invocation: Invocation, chosen: Any) -> str:
        return "the first"
