"""Takes away what dead providers and consumers have left behind, as nobody else may do it."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Any, Final

from redis.exceptions import ResponseError, WatchError

from gateway.telemetry.logs import shorten
from registry.entries import CONSUMERS, PROVIDERS
from registry.redis.clock import ServerClock
from registry.redis.hashes import read_hashes
from registry.redis.layout import UNREGISTER, Layout, decode, encode, is_lasting, parse_expiry
from registry.redis.link import Link, heed_cancellation
from registry.slice import Slice

__all__ = ["Sweep"]

_LOG: Final = logging.getLogger("polyport.registry")
_KEYS_AT_ONCE: Final = 50
_PAGE: Final = 200
_MAX_SUSPECTS: Final = 10_000
_PATIENCE_S: Final = 240.0
"""Time after which a lease that has ended, and was not renewed meanwhile, belongs to somebody dead: an entry whose
clock is late looks the same, but is renewed. Four sessions of Dubbo's, as others may have longer ones than we have."""


class Sweep:
    """One of them for a connection. `session_s`: how long a lease is."""

    def __init__(self, layout: Layout, clock: ServerClock, session_s: float) -> None:
        self._layout = layout
        self._clock = clock
        self._session_s = session_s
        self._suspects: dict[tuple[str, str], tuple[str, int]] = {}
        """(key, field) to its value and since when it has been that and too old."""

    async def run(self, link: Link) -> None:
        """Goes through all keys with long pauses, a part at a time; ends with what goes wrong with the connection."""
        while True:
            heed_cancellation()
            # Gateways that started together need not do this together.
            await asyncio.sleep(self._session_s * random.uniform(1.0, 2.0))
            try:
                await self.once(link, lambda: asyncio.sleep(random.uniform(0.5, 1.0)))
            except ResponseError as exc:
                _LOG.info("registry: cannot look for what was left behind: %s", shorten(str(exc)))

    async def once(self, link: Link, pause: Callable[[], Any]) -> int:
        """Goes through all keys once, with a pause after each part. Gives how many fields were taken away."""
        count = 0
        for category in (PROVIDERS, CONSUMERS):
            part: list[str] = []
            async for key in link.client.scan_iter(match=encode(self._layout.pattern_of_all(category)), count=_PAGE):
                part.append(decode(key))
                if len(part) == _KEYS_AT_ONCE:
                    count += await self._clear(link, part)
                    part.clear()
                    heed_cancellation()
                    await pause()
            count += await self._clear(link, part)
        return count

    async def _clear(self, link: Link, keys: list[str]) -> int:
        count = 0
        if not keys:
            return 0
        pace = Slice()
        for key, fields in (await read_hashes(link, keys, pace)).items():
            dead = {field: value for field, value in fields.items() if self._is_dead(key, field, value)}
            await pace.breathe()
            if dead and await self._remove(link, key, dead):
                count += len(dead)
                _LOG.info("registry: %d entries of %s were left behind and are removed", len(dead), shorten(key))
        return count

    def _is_dead(self, key: str, field: str, value: str) -> bool:
        expiry, now_ms = parse_expiry(value), self._clock.now_ms
        if expiry is None or expiry >= now_ms or is_lasting(field):
            return False
        former, since_ms = self._suspects.pop((key, field), (value, now_ms))
        if former != value:
            since_ms = now_ms
        elif now_ms - since_ms > max(_PATIENCE_S, 4 * self._session_s) * 1000:
            return True
        if len(self._suspects) >= _MAX_SUSPECTS:
            del self._suspects[next(iter(self._suspects))]
        self._suspects[key, field] = value, since_ms
        return False

    async def _remove(self, link: Link, key: str, dead: dict[str, str]) -> bool:
        """Takes the fields away unless one of them was renewed in this moment."""
        async with link.client.pipeline(transaction=True) as pipeline:
            try:
                await pipeline.watch(key)
                values = await pipeline.hmget(key, [encode(each) for each in dead])
                if [decode(each or b"") for each in values] != list(dead.values()):
                    return False
                pipeline.multi()
                pipeline.hdel(key, *(encode(each) for each in dead))
                await pipeline.execute()
            except WatchError:
                return False
            except ResponseError as exc:
                _LOG.info("registry: what was left behind in %s stays: %s", shorten(key), shorten(str(exc)))
                return False
        # Dubbo before 2.7.9 notices only so that somebody is gone.
        await link.write([], [(key, UNREGISTER)])
        return True
