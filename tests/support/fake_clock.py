"""Time that moves only when a test says so."""

from __future__ import annotations

import asyncio


class FakeClock:
    """Stands in for ``time.monotonic``; ``sleep`` stands in for ``asyncio.sleep``.

    ``advance`` moves the time on and wakes the sleepers whose time has come. ``slept`` lists what was slept, in order.
    """

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now
        self.slept: list[float] = []
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self._fell_asleep = asyncio.Event()

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
        due = [future for when, future in self._sleepers if when <= self.now]
        self._sleepers = [pair for pair in self._sleepers if pair[0] > self.now]
        for future in due:
            if not future.done():
                future.set_result(None)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, future))
        self._fell_asleep.set()
        await future

    async def until_asleep(self) -> None:
        """Waits until somebody sleeps, so that ``advance`` has somebody to wake."""
        while not any(not future.done() for _, future in self._sleepers):
            self._fell_asleep.clear()
            await self._fell_asleep.wait()
