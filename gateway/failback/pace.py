"""How fast calls are resent: decisions without any waiting, so that they can be looked at with a clock in hand."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["Pace", "Pacing"]

_LONGEST_PAUSE_S: Final = 30.0
"""However long nobody answers, somebody is asked this often whether that is over."""
_BURST_S: Final = 0.1
_MAX_EXPONENT: Final = 30
_ROUNDING: Final = 1e-6
"""What sums of fractions may lack of a whole; without it somebody waits for no time at all, again and again."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """What the pace is made of.

    `interval_s`: from trouble to the next try, doubled with each further trouble, up to `max_interval_s`.
    `concurrency`: calls resent at the same time. `rate`: calls resent per second, 0 for as many as can be.
    """

    interval_s: float = 5.0
    max_interval_s: float = 300.0
    concurrency: int = 16
    rate: float = 500.0


class Pace:
    """The pace of one reference.

    After trouble one call at a time finds out whether it is over, with pauses that grow. Then each answer lets one more
    call be under way, up to `concurrency`: a provider that comes back meets twice the load each round trip, not all of
    it. Times are seconds, monotonic. `uniform`: numbers from 0 to 1; no two gateways shall come back at the same
    moment.
    """

    __slots__ = ("_failed_at", "_failures", "_pacing", "_resume_at", "_tokens", "_uniform", "_updated", "_window")

    def __init__(self, pacing: Pacing, uniform: Callable[[], float] = random.random) -> None:
        self._pacing = pacing
        self._uniform = uniform
        self._window = 1
        self._failures = 0
        self._failed_at = -math.inf
        self._resume_at = -math.inf
        self._tokens = self._burst
        self._updated = -math.inf

    def room(self, running: int, now: float) -> int:
        """How many calls may be started now, with so many under way."""
        if now < self._resume_at:
            return 0
        room = self._window - running
        return room if not self._pacing.rate else min(room, int(self._refilled(now) + _ROUNDING))

    def wait_s(self, running: int, now: float) -> float:
        """When `room` may be more than nothing, seconds from now; infinite if only the end of a call helps."""
        if now < self._resume_at:
            return self._resume_at - now
        if running >= self._window:
            return math.inf
        return max(0.0, (1.0 - self._refilled(now)) / self._pacing.rate) if self._pacing.rate else 0.0

    def started(self, count: int, now: float) -> None:
        """So many calls are under way now."""
        if self._pacing.rate:
            self._tokens = self._refilled(now) - count
            self._updated = now

    def answered(self) -> None:
        """A call got an answer."""
        self._failures = 0
        self._resume_at = -math.inf
        self._window = min(self._window + 1, self._pacing.concurrency)

    def failed(self, began: float, now: float) -> None:
        """A call that began then got none. Those that fail together count once."""
        if began < self._failed_at:
            return
        self._failed_at = now
        self._failures += 1
        self._window = 1
        self._resume_at = now + self._grown(self._failures, min(self._pacing.max_interval_s, _LONGEST_PAUSE_S))

    def delay_s(self, attempts: int) -> float:
        """From trouble with a call that was sent again so many times to the next time."""
        return self._grown(attempts + 1, self._pacing.max_interval_s)

    def _grown(self, times: int, longest: float) -> float:
        grown = self._pacing.interval_s * 2.0 ** min(times - 1, _MAX_EXPONENT)
        return min(longest, grown) * (0.5 + self._uniform() / 2)

    @property
    def _burst(self) -> float:
        return max(1.0, self._pacing.rate * _BURST_S)

    def _refilled(self, now: float) -> float:
        passed = now - self._updated
        return min(self._burst, self._tokens + passed * self._pacing.rate) if passed < math.inf else self._tokens
