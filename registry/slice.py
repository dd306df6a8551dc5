"""Long work in short pieces, so that calls are answered in between."""

from __future__ import annotations

import asyncio
import time
from typing import Final

__all__ = ["Slice", "Turn"]

_LONGEST_S: Final = 0.005


class Slice:
    """Call `breathe` between two steps, as often as wanted."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    async def breathe(self) -> None:
        """Lets others run when they have waited long enough."""
        if time.perf_counter() - self._since > _LONGEST_S:
            await asyncio.sleep(0)
            self._since = time.perf_counter()


class Turn:
    """Slices of the work of many tasks, of which one works at a time: `async with turn`, and `breathe` within.

    Tasks that all have a little to do would do it in one turn of the loop otherwise.
    """

    def __init__(self) -> None:
        self._slice = Slice()
        self._lock = asyncio.Lock()

    async def breathe(self) -> None:
        """As `Slice.breathe`."""
        await self._slice.breathe()

    async def __aenter__(self) -> None:
        await self._lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()
