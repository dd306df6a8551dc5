"""A contract of a shop and a handler that answers its calls, for tests of proxies."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from gateway.contracts import I64, ServiceError, method, service
from gateway.contracts.stub import CallOptions, Start, make_proxy
from gateway.model.call import Invocation, Ok, Result
from gateway.model.endpoint import ServiceKey

__all__ = ["KEY", "Answering", "Missing", "Orders", "client"]


class Missing(ServiceError):
    number: I64


@service("test.Orders")
class Orders(Protocol):
    """Orders of a shop."""

    @method(throws=(Missing,))
    async def find(self, number: I64, note: str = "none") -> str:
        """One order."""
        ...

    @method(name="find")
    async def find_named(self, name: str) -> str: ...

    @method(oneway=True)
    async def touch(self, number: I64) -> None: ...


KEY = ServiceKey("test.Orders", "blue")


class Answering:
    """A handler that answers with the same result and keeps what it was asked."""

    def __init__(self, answer: Result | BaseException | None = None) -> None:
        self.answer = answer or Ok("found", {"by": "one"})
        self.asked: list[Invocation] = []

    async def __call__(self, invocation: Invocation) -> Result:
        self.asked.append(invocation)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def client(
    handler: Callable[[Invocation], Coroutine[Any, Any, Result]], start: Start | None = None, **options: Any
) -> Orders:
    """A proxy of `handler`."""
    return make_proxy(Orders, KEY, handler, CallOptions(**options), start)
