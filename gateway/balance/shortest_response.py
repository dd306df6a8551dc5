"""Shortest response: the faster of two providers drawn by weight, by what their answers took lately."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from math import exp
from typing import Annotated, Final

from pydantic import Field

from gateway.balance.two_choices import TwoChoices
from gateway.config.sections.section import Section
from gateway.config.units import Seconds
from gateway.model.call import Invocation, Result
from gateway.model.errors import (
    ConnectFailed,
    ConnectionLost,
    NoProvider,
    Overloaded,
    ProviderFailed,
)
from gateway.spi.cluster import Invoker
from gateway.spi.plugin import BalancerPlugin

__all__ = ["PLUGIN", "TROUBLE", "ShortestResponse", "ShortestResponseOptions"]

_CLEARLY: Final = 2.0
"""How many times longer a call must be expected to take before the second choice gets it."""
_SLACK: Final = 4.0
"""Calls in progress that make a provider look twice as busy as an idle one. With less, chance would decide."""
_RISE: Final = 0.5
"""Share of a longer time that counts at once."""
_COMMON: Final = 1.0 / 32.0
"""Weight of the newest answer in the time that is usual among all providers."""
_OUTLIER: Final = 4.0
"""So many usual times at most move the usual time."""
_LONGEST_S: Final = 60.0
"""What a provider that fails again and again is expected to take at most."""
TROUBLE: Final = (ConnectFailed, ConnectionLost, ProviderFailed, Overloaded, NoProvider)
"""What speaks against a provider however soon it comes. Errors of the call say nothing about how fast it is."""


class ShortestResponseOptions(Section):
    """How long figures last."""

    decay: Annotated[Seconds, Field(gt=0, le=3600)] = 1.0
    """Time in which what is known of a provider loses two thirds of its worth: a short one follows changes quickly, a
    long one is less impressed by single answers. One that was found slow is tried again after about five times that."""


class ShortestResponse:
    """Expects of each provider the time of its latest answers, more with every call in progress, and lets the second
    of two drawn by weight have the call if it is expected to be clearly faster (`two_choices`).

    The time is a moving average that rises at once and falls slowly (a peak EWMA, as `twitter/finagle:
    finagle-core/.../loadbalancer/PeakEwma.scala` has it). Three things differ:

    - Without answers it drifts to what is usual among all providers, not to zero. So a slow one gets a call to try
      after a while, and those that are called rarely are not thought fast.
    - A call that is still in progress has taken as long as it has: a provider that hangs is known to be slow before
      it answers.
    - An attempt that failed counts as one that took twice as long as is usual there or anywhere: failing quickly is not
      speed, and neither is a caller that gives up.

    A provider that never answered is called one call at a time. The methods of a reference count together; what takes
    far longer than the rest should have a balancer in a reference of its own.

    `uniform`: numbers from 0 (inclusive) to 1 (exclusive); `clock`: seconds, monotonic; both for tests.
    """

    __slots__ = ("_choices", "_clock", "_decay_s", "_make", "_usual")

    def __init__(
        self,
        options: ShortestResponseOptions | None = None,
        uniform: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._decay_s = (options or ShortestResponseOptions()).decay
        self._choices = TwoChoices(uniform)
        self._clock = clock
        self._usual = _Usual()
        self._make = partial(_Speed, self._usual, self._decay_s)

    def select(self, invokers: Sequence[Invoker], invocation: Invocation) -> Invoker:
        """One of `invokers`, which is not empty."""
        first, second = self._choices.draw(invokers)
        if first is second:
            return first
        one: _Speed = first.load.observe(self, self._make)  # type: ignore[assignment]
        other: _Speed = second.load.observe(self, self._make)  # type: ignore[assignment]
        if not one.known:
            # Somebody has to ask it, but one at a time.
            return first if not one.active or (not other.known and other.active) else second
        if not other.known:
            return first
        now = self._clock()
        weight, other_weight = first.load.weight, second.load.weight
        usual_weight = (weight + other_weight) / 2.0
        # Twice the weight is meant to have twice the calls in progress.
        expected = one.time(now) * (_SLACK + one.active * usual_weight / weight)
        if expected > _CLEARLY * other.time(now) * (_SLACK + other.active * usual_weight / other_weight):
            return second
        return first

    def explain(self, invokers: Sequence[Invoker], invocation: Invocation, chosen: Invoker) -> str:
        """What is expected of it and what is usual, in milliseconds; its calls in progress, and its weight."""
        speed = self._speed(chosen)
        known = f"{speed.time(self._clock()) * 1e3:.3g} ms expected" if speed.known else "never answered yet"
        total = sum(each.load.weight for each in invokers)
        return (
            f"{known}, {self._usual.time * 1e3:.3g} ms usual, {speed.active} calls in progress, "
            f"drawn by weight {chosen.load.weight:g} of {total:g}"
        )

    def _speed(self, invoker: Invoker) -> _Speed:
        speed = invoker.load.observe(self, self._make)
        assert isinstance(speed, _Speed), "each owner has observers of one kind"
        return speed


class _Usual:
    """What an answer usually takes, among all providers, seconds; 0 before the first."""

    __slots__ = ("time",)

    def __init__(self) -> None:
        self.time = 0.0

    def heard(self, elapsed_s: float) -> None:
        if not self.time:
            self.time = elapsed_s
            return
        self.time += (min(elapsed_s, _OUTLIER * self.time) - self.time) * _COMMON


class _Speed:
    """How fast one provider is (`gateway.spi.cluster.LoadObserver`).

    `known`: it answered, or failed to. `active`: calls in progress.
    """

    __slots__ = ("_at", "_began", "_decay_s", "_time", "_usual", "active", "known")

    def __init__(self, usual: _Usual, decay_s: float) -> None:
        self._usual = usual
        self._decay_s = decay_s
        self._time = 0.0
        self._at = 0.0
        self._began: dict[float, int] = {}
        """Calls in progress by when they began, the oldest first."""
        self.active = 0
        self.known = False

    def time(self, now: float) -> float:
        """What a call is expected to take, seconds, without regard to calls in progress."""
        usual = self._usual.time
        expected = usual + (self._time - usual) * exp((self._at - now) / self._decay_s)
        if self._began:
            for oldest in self._began:
                return max(expected, now - oldest)
        return expected

    def began(self, now: float) -> None:
        self.active += 1
        self._began[now] = self._began.get(now, 0) + 1

    def ended(self, began: float, now: float, outcome: Result | BaseException) -> None:
        self.active -= 1
        left = self._began[began] - 1
        if left:
            self._began[began] = left
        else:
            del self._began[began]
        elapsed_s = now - began
        if not isinstance(outcome, BaseException):
            self._usual.heard(elapsed_s)
            self._heard(elapsed_s, now)
        elif isinstance(outcome, TROUBLE):
            self._heard(max(elapsed_s, min(_LONGEST_S, 2.0 * max(self._time, self._usual.time))), now)
        elif elapsed_s > self._time:
            # Somebody gave up. How long it would have taken is not known, only that it took longer than that.
            self._heard(elapsed_s, now)

    def _heard(self, elapsed_s: float, now: float) -> None:
        if not self.known:
            self.known, self._time, self._at = True, elapsed_s, now
            return
        usual = self._usual.time
        kept = exp((self._at - now) / self._decay_s)
        expected = usual + (self._time - usual) * kept
        if elapsed_s > expected:
            self._time = expected + (elapsed_s - expected) * _RISE
        else:
            self._time = elapsed_s + (self._time - elapsed_s) * kept
        self._at = now


def _build(options: ShortestResponseOptions) -> ShortestResponse:
    return ShortestResponse(options)


PLUGIN: Final = BalancerPlugin("shortest_response", ShortestResponseOptions, _build)
