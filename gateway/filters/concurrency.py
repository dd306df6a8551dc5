"""Filter `concurrency`: bounds the calls in progress."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from gateway.config.scalar import Count
from gateway.filters.limit import LimitFilter, LimitOptions, Provider, is_per_provider
from gateway.model.call import Invocation, Result
from gateway.spi.handler import Handler
from gateway.spi.plugin import FilterPlugin

__all__ = ["PLUGIN", "Concurrency", "ConcurrencyOptions"]


class ConcurrencyOptions(LimitOptions):
    """How many calls may run."""

    limit: Annotated[Count, Field(ge=1, le=1_000_000)]
    """Calls in progress at the same time."""

    total: Annotated[Count, Field(ge=1, le=1_000_000)] | None = None
    """With `per`: calls in progress over all limits together, so that made-up names cannot multiply the limit. Default:
    as many as there can be limits, times the limit."""


class _Running:
    """Calls in progress."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class Concurrency(LimitFilter[ConcurrencyOptions, _Running]):
    """Lets `limit` calls run at a time and refuses further ones at once, without queueing.

    One object is one limit: a service that wants its own gets its own filter object.
    """

    reason = "concurrency"

    _all = 0

    @property
    def running(self) -> int:
        """Calls in progress."""
        return self._all

    async def __call__(self, invocation: Invocation, handler: Handler, provider: Provider | None = None) -> Result:
        """The handler's result. Raises `Overloaded` beyond the limit; nothing was done then."""
        state = self._single
        if state is None:
            state = self._table.get(self._key(invocation, provider))
        options = self.options
        if state.count >= options.limit:
            raise self._overloaded(invocation, provider, f"{state.count} calls in progress, more are refused")
        if options.total is not None and self._all >= options.total:
            raise self._overloaded(invocation, provider, f"{self._all} calls in progress in all, more are refused")
        state.count += 1
        self._all += 1
        try:
            return await handler(invocation)
        finally:
            state.count -= 1
            self._all -= 1

    def _make(self, *, is_first: bool = False) -> _Running:
        return _Running()

    def _is_idle(self, state: _Running, now: float) -> bool:
        return not state.count

    def _has_room(self, state: _Running) -> bool:
        options = self.options
        return state.count < options.limit and (options.total is None or self._all < options.total)


PLUGIN: Final = FilterPlugin("concurrency", ConcurrencyOptions, Concurrency, attempts_only=is_per_provider)
