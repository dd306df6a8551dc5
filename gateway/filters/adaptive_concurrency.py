"""Filter `adaptive_concurrency`: bounds the calls in progress by how long they take."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Annotated, Final

from pydantic import Field, model_validator

from gateway.config.scalar import Count
from gateway.config.units import Seconds, Share
from gateway.filters.gradient import Gradient, GradientRules
from gateway.filters.limit import LimitFilter, LimitOptions, Provider, is_per_provider
from gateway.model.call import Invocation, Result
from gateway.model.errors import DeadlineExceeded
from gateway.spi.handler import Handler
from gateway.spi.plugin import FilterPlugin

__all__ = ["PLUGIN", "AdaptiveConcurrency", "AdaptiveConcurrencyOptions"]

_FORGOTTEN_S: Final = 60.0
"""What was learned of one that was not called for so long may go."""
_LONGEST_MEASURE_S: Final = 5.0


class AdaptiveConcurrencyOptions(LimitOptions):
    """How many calls may run, and how that is found out."""

    initial: Annotated[Count, Field(ge=1, le=100_000)] = 20
    """Calls in progress before anything was measured."""

    min_limit: Annotated[Count, Field(ge=1, le=100_000)] = 3
    """Never fewer; and as many while the shortest time is measured."""

    max_limit: Annotated[Count, Field(ge=1, le=1_000_000)] = 1_000
    """Never more."""

    tolerance: Share = 0.25
    """By how much calls may be slower than the shortest time before fewer may run."""

    window: Annotated[Seconds, Field(ge=0.01, le=60)] = 0.1
    """Time between two decisions."""

    measure_every: Annotated[Seconds, Field(ge=1, le=86400)] = 60.0
    """Time between two measurements of the shortest time."""

    jitter: Share = 0.15
    """Share of that time by which it is longer at most, by chance, so that many gateways do not measure together."""

    measure_calls: Annotated[Count, Field(ge=5, le=200)] = 50
    """Calls that one measurement takes; it lasts 5 seconds at most."""

    @model_validator(mode="after")
    def _in_order(self) -> AdaptiveConcurrencyOptions:
        if not self.min_limit <= self.initial <= self.max_limit:
            raise ValueError("expected min_limit <= initial <= max_limit")
        return self

    def rules(self) -> GradientRules:
        """For `Gradient`."""
        return GradientRules(
            self.initial,
            self.min_limit,
            self.max_limit,
            self.tolerance,
            self.window,
            self.measure_every,
            self.jitter,
            self.measure_calls,
            _LONGEST_MEASURE_S,
        )


class AdaptiveConcurrency(LimitFilter[AdaptiveConcurrencyOptions, Gradient]):
    """Lets as many calls run as the other side answers without making them wait, and refuses further ones at once.

    Answers and expired deadlines say how long calls take; other errors say nothing. Methods that take very different
    times are better told apart (`per: method`). `uniform`: numbers from 0 to 1, for tests.
    """

    reason = "adaptive-concurrency"

    def __init__(
        self,
        options: AdaptiveConcurrencyOptions,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        self._rules = options.rules()
        self._uniform = uniform
        super().__init__(options, clock)

    @property
    def limit(self) -> int:
        """Calls that may run now; with `per` the sum over all."""
        return sum(int(each.limit) for each in self._states())

    async def __call__(self, invocation: Invocation, handler: Handler, provider: Provider | None = None) -> Result:
        """The handler's result. Raises `Overloaded` beyond the limit of the moment; nothing was done then."""
        state = self._single
        if state is None:
            state = self._table.get(self._key(invocation, provider))
        if state.running >= int(state.limit):
            why = f"{state.running} calls in progress, and more would have to wait"
            raise self._overloaded(invocation, provider, why)
        state.begin()
        clock = self._clock
        began, is_sample = clock(), False
        try:
            result = await handler(invocation)
            is_sample = True
            return result
        except DeadlineExceeded:
            is_sample = True
            raise
        finally:
            state.end(began, clock(), self._rules, is_sample)

    def update(self, options: AdaptiveConcurrencyOptions) -> None:
        """See `UpdatableFilter.update`. What was found out stays, within the new bounds."""
        super().update(options)
        self._rules = options.rules()
        for each in self._states():
            each.limit = float(max(options.min_limit, min(options.max_limit, each.limit)))

    def _make(self, *, is_first: bool = False) -> Gradient:
        return Gradient(self._clock(), self._rules, self._uniform)

    def _is_idle(self, state: Gradient, now: float) -> bool:
        return not state.running and now - state.last_used >= _FORGOTTEN_S

    def _has_room(self, state: Gradient) -> bool:
        return state.has_room()


PLUGIN: Final = FilterPlugin(
    "adaptive_concurrency", AdaptiveConcurrencyOptions, AdaptiveConcurrency, attempts_only=is_per_provider
)
