"""A timing wheel: very cheap timeouts for calls that almost always end before them.

An `asyncio` timer costs more than everything else the client does for a small call. Here setting and removing a
timeout are one dictionary operation each; the loop is asked for one timer per tick, and for none when nothing waits.
Timeouts fire up to one tick late, never early.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import asyncio

__all__ = ["Expiring", "TimerWheel"]

TICK_S: Final = 0.01


class Expiring(Protocol):
    """Something that can run out of time. Must be hashable by identity."""

    def expire(self) -> None:
        """Called once, from the loop, at or up to one tick after the moment that was set. Must not raise."""
        ...


class TimerWheel:
    """The timeouts of everything on one event loop; not thread-safe."""

    __slots__ = ("_buckets", "_loop", "_next_tick", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._buckets: dict[int, set[Expiring]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next_tick = 0

    def add(self, item: Expiring, when: float) -> set[Expiring]:
        """Calls `item.expire()` at `when` (monotonic seconds). `discard` it from the bucket given to take that back."""
        tick = int(when / TICK_S) + 1
        bucket = self._buckets.get(tick)
        if bucket is None:
            bucket = self._buckets[tick] = set()
            if self._timer is None or tick < self._next_tick:
                self._arm(tick)
        bucket.add(item)
        return bucket

    def _arm(self, tick: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next_tick = tick
        # The wheel counts time.monotonic(); loops may use another clock, so the delay is relative.
        self._timer = self._loop.call_later(max(0.0, tick * TICK_S - monotonic()), self._turn)

    def _turn(self) -> None:
        self._timer = None
        current = int(monotonic() / TICK_S)
        due = [tick for tick in self._buckets if tick <= current]
        for tick in sorted(due):
            for item in self._buckets.pop(tick):
                item.expire()
        while self._buckets:
            tick = min(self._buckets)
            if self._buckets[tick]:
                self._arm(tick)
                return
            # Everything in it ended in time: nobody needs a wake-up for that. A later `add` makes a new bucket.
            del self._buckets[tick]

    def close(self) -> None:
        """Forgets everything without expiring it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._buckets.clear()
