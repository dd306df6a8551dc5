"""Bounds the extra load that repeating may cause, however many calls fail."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["RetryBudget"]


class RetryBudget:
    """A token bucket: each call puts a fraction of a token in, each repetition takes a whole one out.

    Shared by all calls of one reference. In the long run at most `ratio` repetitions per call plus `floor_per_s`
    repetitions per second are allowed; the floor lets references with few calls repeat at all. `burst`: tokens the
    bucket holds at most, and holds at the start. `clock`: seconds, monotonic. Same idea as finagle's
    (`twitter/finagle: finagle-core/.../service/RetryBudget.scala`).
    """

    __slots__ = ("_burst", "_clock", "_floor_per_s", "_ratio", "_tokens", "_updated")

    def __init__(
        self,
        ratio: float = 0.1,
        floor_per_s: float = 1.0,
        burst: float = 50.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ratio = ratio
        self._floor_per_s = floor_per_s
        self._burst = burst
        self._clock = clock
        self._tokens = burst
        self._updated = clock()

    def deposit(self) -> None:
        """A call begins (not: a repetition)."""
        if self._tokens < self._burst:
            self._tokens += self._ratio

    def withdraw(self) -> bool:
        """Takes the right to repeat once; False when the budget is used up."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._updated) * self._floor_per_s)
        self._updated = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
