"""Keeps repeated log lines apart: one line per key and interval, however often the thing happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

__all__ = ["OncePer"]


class OncePer:
    """Lets one occurrence per key and interval through and counts the others.

    `interval_s`: seconds between two lines of one key. `max_keys`: keys remembered; beyond it the one whose last
    line is oldest is forgotten, so that keys made of a peer's text cannot fill the memory. `clock`: seconds, monotonic.
    """

    __slots__ = ("_clock", "_interval_s", "_max_keys", "_seen")

    def __init__(
        self, interval_s: float, *, max_keys: int = 1_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval_s = interval_s
        self._max_keys = max_keys
        self._clock = clock
        self._seen: dict[Hashable, list[float]] = {}
        # key -> [when it was let through, how many were held back since]; oldest first

    def admit(self, key: Hashable) -> int | None:
        """How many were held back since the last one let through, or None when this one is to be held back too."""
        now = self._clock()
        seen = self._seen.get(key)
        if seen is not None:
            if now - seen[0] < self._interval_s:
                seen[1] += 1
                return None
            del self._seen[key]
        elif len(self._seen) >= self._max_keys:
            del self._seen[next(iter(self._seen))]
        self._seen[key] = [now, 0]
        return int(seen[1]) if seen is not None else 0
