"""What a call passes through: one function type, and filters around it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from types import FunctionType
from typing import Any, TypeVar

from gateway.model.call import Invocation, Result

__all__ = ["Filter", "Handler", "compose", "direct"]

_C = TypeVar("_C", bound=Callable[..., Any])

Handler = Callable[[Invocation], Coroutine[Any, Any, Result]]
"""Answers a call. Returns the provider's answer, raises `RpcError` when there is none.

A handler may be driven outside an asyncio Task until it first waits; it must not assume `current_task()`
is a `Task` instance, only that it can be cancelled like one.
"""

Filter = Callable[[Invocation, Handler], Coroutine[Any, Any, Result]]
"""Wraps a handler: may answer itself, change the invocation (`Invocation.replace`) or observe the result."""


def compose(filters: Sequence[Filter], handler: Handler) -> Handler:
    """The handler with all filters around it; the first filter is the outermost. Called when built, not per call."""
    for each in reversed(filters):
        handler = _around(direct(each), direct(handler))
    return handler


def direct(called: _C) -> _C:
    """What a call of `called` comes to in the end: of an object the bound method, which is called twice as fast.

    For what is called once for each call, where it is stored.
    """
    if isinstance(getattr(type(called), "__call__", None), FunctionType):  # noqa: B004 - whether, and also what it is
        return called.__call__  # type: ignore[no-any-return,operator]
    return called


def _around(filter_: Filter, handler: Handler) -> Handler:
    # A function of its own is entered without leaving the interpreter, other than a `partial`.
    def enter(invocation: Invocation) -> Coroutine[Any, Any, Result]:
        return filter_(invocation, handler)

    return enter
