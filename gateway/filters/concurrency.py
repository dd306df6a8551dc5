"""Filter `concurrency`: bounds the calls in progress."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from gateway.config.scalar import Count
from gateway.config.sections.section import Section
from gateway.model.call import Invocation, Result
from gateway.model.errors import Overloaded
from gateway.spi.handler import Handler
from gateway.spi.plugin import FilterPlugin

__all__ = ["PLUGIN", "Concurrency", "ConcurrencyOptions"]


class ConcurrencyOptions(Section):
    """How many calls may run."""

    limit: Annotated[Count, Field(ge=1, le=1_000_000)]
    """Calls in progress at the same time."""


class Concurrency:
    """Lets `limit` calls run at a time and refuses further ones at once, without queueing.

    One object is one limit: a service that wants its own gets its own filter object.
    """

    __slots__ = ("_limit", "_running")

    def __init__(self, options: ConcurrencyOptions) -> None:
        self._limit = options.limit
        self._running = 0

    @property
    def running(self) -> int:
        """Calls in progress."""
        return self._running

    async def __call__(self, invocation: Invocation, handler: Handler) -> Result:
        """The handler's result. Raises `Overloaded` beyond the limit; nothing was done then."""
        if self._running >= self._limit:
            raise Overloaded(f"{invocation.service}: {self._running} calls in progress, more are refused")
        self._running += 1
        try:
            return await handler(invocation)
        finally:
            self._running -= 1


PLUGIN: Final = FilterPlugin("concurrency", ConcurrencyOptions, Concurrency)
