"""What a call passes through: one function type, and filters around it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from gateway.model.call import Invocation, Result

__all__ = ["Filter", "Handler", "compose"]

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
        handler = partial(_enter, each, handler)
    return handler


def _enter(filter_: Filter, handler: Handler, invocation: Invocation) -> Coroutine[Any, Any, Result]:
    return filter_(invocation, handler)
