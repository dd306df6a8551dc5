"""How long an event loop did nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

__all__ = ["Stalls", "watching_stalls"]

_TICK_S: Final = 0.002


class Stalls:
    """The longest time the event loop worked without looking at anything else.

    Seconds of this process's CPU: on a machine that others use as well, time that passes says little, and a thread that
    works beside the loop keeps it from the interpreter.
    """

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def watch(self) -> None:
        """Runs until it is cancelled."""
        while True:
            began = time.process_time()
            await asyncio.sleep(_TICK_S)
            self.longest_s = max(self.longest_s, time.process_time() - began - _TICK_S)


@asynccontextmanager
async def watching_stalls() -> AsyncIterator[Stalls]:
    """Stalls within the block."""
    stalls = Stalls()
    task = asyncio.create_task(stalls.watch())
    try:
        # It begins before anything else does.
        await asyncio.sleep(0)
        yield stalls
    finally:
        task.cancel()
