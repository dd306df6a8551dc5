"""The time of a Redis server, so that it does not matter what our clock says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from redis.exceptions import NoPermissionError

__all__ = ["ServerClock"]


class ServerClock:
    """Goes on from the last time the server said. `monotonic`, `wall`: our clocks, in seconds; the second one is only
    compared, for people."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._monotonic = monotonic
        self._wall = wall
        # What holds before a server was asked is our own guess.
        self._ahead_s = wall() - monotonic()

    @property
    def now_ms(self) -> int:
        """Milliseconds since 1970, as the server counts them."""
        return int((self._monotonic() + self._ahead_s) * 1000)

    @property
    def skew_s(self) -> float:
        """How far our own clock is ahead of the server's, in seconds."""
        return self._wall() - self._monotonic() - self._ahead_s

    async def measure(self, client: Any) -> None:
        """Asks the server. Its answer counts for the middle of the time it took."""
        asked = self._monotonic()
        try:
            seconds, micros = await client.time()
        except NoPermissionError:
            # Then our own clock has to do, as in Dubbo.
            return
        self._ahead_s = seconds + micros / 1e6 - (asked + self._monotonic()) / 2
