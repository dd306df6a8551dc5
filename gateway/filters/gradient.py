"""The limit of `adaptive_concurrency`: how many calls may run, judged by how long they take.

Every window the time that calls take now is compared with the time they take where nothing waits: below that the limit
grows, above it shrinks in proportion. The second time is measured now and then with few calls, and at a random moment,
so that many gateways do not do it together.

Sources: envoyproxy/envoy: source/extensions/filters/http/adaptive_concurrency/controller/gradient_controller.cc;
Netflix/concurrency-limits: concurrency-limits-core/.../limit/Gradient2Limit.java (a limit not used does not grow).
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Final, NamedTuple

__all__ = ["Gradient", "GradientRules", "next_limit"]

_MAX_SAMPLES: Final = 200
"""Of one window; more of them change its median little."""
_FEWEST: Final = 5
"""Samples without which a window goes on."""
_STEEPEST: Final = (0.5, 2.0)
_WINDOWS_AT_MINIMUM: Final = 5
"""After so many windows at the smallest limit the measured minimum is doubted, and measured anew."""


class GradientRules(NamedTuple):
    """What the limit may be and how it is found; durations in seconds.

    `initial`: the limit before anything was measured. `tolerance`: part by which calls may be slower than the minimum
    before the limit shrinks. `window_s`: between two decisions. `measure_every_s`: between two measurements of the
    minimum; up to `jitter` of it longer by chance. `measure_calls`: samples a measurement takes; `measure_s`: its
    longest time.
    """

    initial: int
    min_limit: int
    max_limit: int
    tolerance: float
    window_s: float
    measure_every_s: float
    jitter: float
    measure_calls: int
    measure_s: float


class Gradient:
    """One limit. `now`: monotonic seconds. `uniform`: numbers from 0 to 1.

    Attributes:
        limit: Calls that may run at the same time, with a fraction that only time will show.
        running: Calls in progress.
        minimum_s: Time of a call where nothing waits; 0 while unknown.
    """

    __slots__ = (
        "_at_minimum",
        "_before",
        "_most",
        "_next_measure",
        "_samples",
        "_since",
        "_uniform",
        "_window_ends",
        "is_measuring",
        "last_used",
        "limit",
        "minimum_s",
        "running",
    )

    def __init__(self, now: float, rules: GradientRules, uniform: Callable[[], float]) -> None:
        self._uniform = uniform
        self.limit = float(rules.initial)
        self.running = 0
        self.minimum_s = 0.0
        self.last_used = now
        # The first measurement does not hold calls back: it would do so at every start.
        self.is_measuring = True
        self._before = self.limit
        self._since = now
        self._samples: list[float] = []
        self._most = 0
        self._at_minimum = 0
        self._window_ends = self._next_measure = now

    def has_room(self) -> bool:
        """Whether a further call may run."""
        return self.running < int(self.limit)

    def begin(self) -> None:
        """A call begins."""
        self.running += 1
        if self.running > self._most:
            self._most = self.running

    def end(self, began: float, now: float, rules: GradientRules, is_sample: bool) -> None:
        """A call has ended; `is_sample`: the time it took says how busy the other side is."""
        self.running -= 1
        self.last_used = now
        if not is_sample or began < self._since:
            return
        samples = self._samples
        if len(samples) < _MAX_SAMPLES:
            samples.append(now - began)
        if self.is_measuring:
            if len(samples) >= rules.measure_calls or now - self._since >= rules.measure_s:
                self._measured(now, rules)
        elif now >= self._window_ends and len(samples) >= _FEWEST:
            self._decide(now, rules)

    def _measured(self, now: float, rules: GradientRules) -> None:
        self.minimum_s = _median(self._samples)
        self.limit = float(max(rules.min_limit, min(rules.max_limit, self._before)))
        self.is_measuring = False
        self._at_minimum = 0
        self._next_measure = now + rules.measure_every_s * (1.0 + rules.jitter * self._uniform())
        self._begin_window(now, rules)

    def _begin_window(self, now: float, rules: GradientRules) -> None:
        self._samples = []
        self._most = self.running
        self._window_ends = now + rules.window_s

    def _decide(self, now: float, rules: GradientRules) -> None:
        self.limit = next_limit(self.limit, self.minimum_s, _median(self._samples), self._most, rules)
        self._at_minimum = self._at_minimum + 1 if self.limit <= rules.min_limit else 0
        self._begin_window(now, rules)
        if now >= self._next_measure or self._at_minimum >= _WINDOWS_AT_MINIMUM:
            # Only calls that begin from now on meet few others.
            self.is_measuring = True
            self._since = now
            self._before = self.limit
            self.limit = float(rules.min_limit)


def next_limit(limit: float, minimum_s: float, sample_s: float, most: int, rules: GradientRules) -> float:
    """The limit after a window in which calls took `sample_s` (median) and at most `most` ran together."""
    lowest, highest = _STEEPEST
    gradient = highest
    if sample_s > 0.0:
        gradient = min(highest, max(lowest, minimum_s * (1.0 + rules.tolerance) / sample_s))
    found = limit * gradient
    # Room for a queue as short as it can be: without it the limit could never be found to be too small.
    found += sqrt(found)
    if found > limit and most * 2 < limit:
        return limit
    return float(max(rules.min_limit, min(rules.max_limit, found)))


def _median(samples: list[float]) -> float:
    return sorted(samples)[len(samples) // 2]
