"""A timing wheel: very cheap timeouts for calls that almost always end before them.

An `asyncio` timer costs more than everything else the client does for a small call. Here setting and removing a
timeout are one dictionary operation each; the loop is asked for one timer per tick, and for none when nothing waits.
Timeouts fire up to one tick late, never early.

Most buckets are empty long before their time, so empty ones are thrown away once in a while: what the wheel holds
depends on how many timeouts are set, not on how far ahead they lie.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import asyncio

__all__ = ["Expiring", "TimerWheel"]

TICK_S: Final = 0.01
_FIRST_PRUNING: Final = 256
"""Buckets in the wheel when empty ones are thrown away for the first time."""


class Expiring(Protocol):
    """Something that can run out of time. Must be hashable by identity."""

    def expire(self) -> None:
        """Called once, from the loop, at or up to one tick after the moment that was set. Must not raise."""
        ...


class TimerWheel:
    """The timeouts of everything on one event loop; not thread-safe."""

    __slots__ = ("_armed_tick", "_buckets", "_loop", "_prune_at", "_ticks", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._buckets: dict[int, set[Expiring]] = {}
        self._ticks: list[int] = []
        """The keys of the buckets, as a heap."""
        self._prune_at = _FIRST_PRUNING
        self._timer: asyncio.TimerHandle | None = None
        self._armed_tick = 0

    def __len__(self) -> int:
        """Timeouts set now."""
        return sum(map(len, self._buckets.values()))

    def add(self, item: Expiring, when: float) -> set[Expiring]:
        """Calls `item.expire()` at `when` (monotonic seconds). `discard` it from the bucket given to take that back."""
        tick = int(when / TICK_S) + 1
        bucket = self._buckets.get(tick)
        if bucket is None:
            bucket = self._make_bucket(tick)
        bucket.add(item)
        return bucket

    def _make_bucket(self, tick: int) -> set[Expiring]:
        if len(self._buckets) >= self._prune_at:
            self._prune()
        bucket = self._buckets[tick] = set()
        heappush(self._ticks, tick)
        if self._timer is None or tick < self._armed_tick:
            self._arm(tick)
        return bucket

    def _prune(self) -> None:
        self._buckets = {tick: bucket for tick, bucket in self._buckets.items() if bucket}
        self._ticks = list(self._buckets)
        heapify(self._ticks)
        self._prune_at = max(_FIRST_PRUNING, 2 * len(self._ticks))

    def _arm(self, tick: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed_tick = tick
        # The wheel counts time.monotonic(); loops may use another clock, so the delay is relative.
        self._timer = self._loop.call_later(max(0.0, tick * TICK_S - monotonic()), self._turn)

    def _turn(self) -> None:
        self._timer = None
        try:
            self._expire_until(int(monotonic() / TICK_S))
        finally:
            # Also when an item raised in spite of its promise: the others must not wait for ever.
            if self._ticks:
                self._arm(self._ticks[0])

    def _expire_until(self, current: int) -> None:
        """Ends with the first bucket that is neither due nor empty at the head of the heap."""
        while self._ticks:
            tick = self._ticks[0]
            bucket = self._buckets[tick]
            if not bucket:
                heappop(self._ticks)
                del self._buckets[tick]
            elif tick > current:
                return
            else:
                # One by one: what an item does may take others back, or set new ones.
                bucket.pop().expire()

    def close(self) -> None:
        """Forgets everything without expiring it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._buckets.clear()
        self._ticks.clear()
