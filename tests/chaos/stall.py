"""How long an event loop works without looking at anything else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

__all__ = ["Stalls", "watching_stalls"]

_TICK_S: Final = 0.002


class Stalls:
    """`longest_s`: of one stretch, in seconds of this thread's CPU: on a machine that others use as well, time that
    passes says little."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def watch(self) -> None:
        """Runs until it is cancelled."""
        while True:
            began = time.thread_time()
            await asyncio.sleep(_TICK_S)
            # The loop had something else to do, or nothing, which takes none of that time.
            self.longest_s = max(self.longest_s, time.thread_time() - began)


@asynccontextmanager
async def watching_stalls() -> AsyncIterator[Stalls]:
    """Stalls of the running loop within the block."""
    stalls = Stalls()
    task = asyncio.create_task(stalls.watch())
    try:
        yield stalls
    finally:
        task.cancel()
