"""Lets packets out at a bounded rate, so that nobody makes us flood a network by asking."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

__all__ = ["Pace"]

_K = TypeVar("_K", bound=Hashable)


class Pace(Generic[_K]):
    """A queue in which each thing waits once.

    `per_second`: how many may go in a second, and at once after a pause. `most`: how many wait, 0 for any number.
    `clock`: seconds, monotonic.
    """

    def __init__(self, per_second: int, most: int, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._most = most
        self._clock = clock
        self._waiting: dict[_K, None] = {}
        self._credit = float(per_second)
        self._counted = clock()

    def put(self, thing: _K) -> bool:
        """Whether it waits now, or did already; False when too many do."""
        if thing not in self._waiting and self._most and len(self._waiting) >= self._most:
            return False
        self._waiting[thing] = None
        return True

    def discard(self, thing: _K) -> None:
        """It is not to go any more."""
        self._waiting.pop(thing, None)

    def take(self) -> Iterator[_K]:
        """Those that may go now, the longest waiting first."""
        now = self._clock()
        self._credit = min(float(self._per_second), self._credit + (now - self._counted) * self._per_second)
        self._counted = now
        while self._waiting and self._credit >= 1.0:
            self._credit -= 1.0
            thing = next(iter(self._waiting))
            del self._waiting[thing]
            yield thing
