"""The world outside the gateways: its time, and what is going to happen in it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any, Final

__all__ = ["EPOCH_S", "UNNOTICED", "World"]

EPOCH_S: Final = 1_800_000_000.0
"""Wall time at time 0 of the world, seconds since 1970."""

UNNOTICED: Final = object()
"""What an act on the agenda returns when no gateway can have noticed anything of it: time goes on at once."""


class World:
    """A clock that stands still until somebody moves it on, and an agenda.

    `now`: seconds; begins at `begin`, which is not 0, because 0 passes for "never" in much code.
    """

    __slots__ = ("_agenda", "_count", "begin", "now")

    def __init__(self, begin: float = 1_000.0) -> None:
        self.begin: Final = begin
        self.now = begin
        self._agenda: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._count = 0

    def monotonic(self) -> float:
        """Stands in for `time.monotonic`."""
        return self.now

    def wall(self) -> float:
        """Stands in for `time.time`."""
        return EPOCH_S + self.now

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began."""
        return self.now - self.begin

    def at(self, when: float, act: Callable[..., object], *arguments: Any) -> None:
        """Calls `act` when the clock reaches `when`; what is due at the same time, in the order it was asked for."""
        self._count += 1
        heapq.heappush(self._agenda, (when, self._count, act, arguments))

    def after(self, seconds: float, act: Callable[..., object], *arguments: Any) -> None:
        """The same, so long from now."""
        self.at(self.now + seconds, act, *arguments)

    def advance(self, limit: float) -> bool:
        """Moves on to what happens next, at most to `limit`, and lets it happen.

        False when nothing that anybody notices is going to happen until then; the clock then shows `limit`, unless that
        is infinite.
        """
        agenda, pop = self._agenda, heapq.heappop
        while agenda and agenda[0][0] <= limit:
            when, _, act, arguments = pop(agenda)
            if when > self.now:
                self.now = when
            if act(*arguments) is not UNNOTICED:
                return True
        if limit != float("inf") and limit > self.now:
            self.now = limit
        return False
