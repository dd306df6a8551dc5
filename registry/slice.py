"""Long work in short pieces, so that calls are answered in between."""

from __future__ import annotations

import asyncio
import time
from typing import Final

__all__ = ["Slice"]

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
