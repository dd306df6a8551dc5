"""Writes what this process announces, and keeps its leases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, NamedTuple

from gateway.model.errors import RegistryError
from registry.redis.clock import ServerClock
from registry.redis.layout import REGISTER, UNREGISTER, encode
from registry.redis.link import Link

__all__ = ["Announcer", "Entry"]

_AT_ONCE: Final = 250


class Entry(NamedTuple):
    """One field of one hash."""

    key: str
    url: str


class Announcer:
    """Belongs to one event loop. `session_ms`: how long a lease is.

    Attributes:
        link: Where to write; None while there is no connection.
    """

    def __init__(self, clock: ServerClock, session_ms: int) -> None:
        self.link: Link | None = None
        self._clock = clock
        self._session_ms = session_ms
        # One writer at a time: a lease that is renewed must not overtake the entry's own withdrawal.
        self._writing = asyncio.Lock()

    async def announce(self, entry: Entry, former: Sequence[Entry]) -> None:
        """Writes an entry, in the place of others. For `Upkeep`; raises whatever the client does."""
        taken_back = [("HDEL", key, url) for key, url in former]
        async with self._writing:
            await self._write([self._lease(entry), *taken_back], [(entry.key, REGISTER)])

    async def withdraw(self, entries: Sequence[Entry]) -> None:
        """Takes back the entries that may be there of one provider or consumer; as `announce`."""
        async with self._writing:
            keys = dict.fromkeys(key for key, _ in entries)
            await self._write([("HDEL", key, encode(url)) for key, url in entries], [(key, UNREGISTER) for key in keys])

    async def renew(self, wanted: Callable[[], Collection[Entry]]) -> list[Exception]:
        """Renews all leases, and announces again what the server did not have. Gives what it refused.

        `wanted`: asked before each part is written, as some may be withdrawn meanwhile.
        """
        entries = list(wanted())
        refused: list[Exception] = []
        for start in range(0, len(entries), _AT_ONCE):
            async with self._writing:
                still = set(wanted())
                part = [each for each in entries[start : start + _AT_ONCE] if each in still]
                if not part:
                    continue
                answers = await self._linked().write([self._lease(each) for each in part], [])
                refused += [each for each in answers if isinstance(each, Exception)]
                new = [each for each, answer in zip(part, answers, strict=True) if answer == 1]
                if new:
                    await self._linked().write([], [(each.key, REGISTER) for each in new])
        return refused

    def _lease(self, entry: Entry) -> tuple[Any, ...]:
        return "HSET", entry.key, entry.url, str(self._clock.now_ms + self._session_ms)

    async def _write(self, commands: list[tuple[Any, ...]], messages: list[tuple[str, bytes]]) -> None:
        for answer in await self._linked().write(commands, messages):
            if isinstance(answer, Exception):
                raise answer

    def _linked(self) -> Link:
        if self.link is None:
            raise RegistryError("there is no connection")
        return self.link
