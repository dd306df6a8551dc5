"""A service that remembers the ids of the calls it has seen, and applies each once."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from typing import ClassVar, Protocol

from gateway.contracts import I64, NO_CALL, Call, service
from gateway.spi.failback import CALL_ID

__all__ = ["FileLedger", "Ledger", "MemoryLedger"]


@service("test.Ledger")
class Ledger(Protocol):
    async def apply(self, number: I64) -> None: ...


class MemoryLedger:
    """`seen`: how often each id came, of all instances; `applied`: the numbers, by id."""

    seen: ClassVar[Counter[str]] = Counter()
    applied: ClassVar[dict[str, int]] = {}
    changed: ClassVar[asyncio.Event]

    @classmethod
    def reset(cls) -> None:
        """Forgets what earlier tests left."""
        cls.seen, cls.applied, cls.changed = Counter(), {}, asyncio.Event()

    @classmethod
    async def until(cls, count: int) -> None:
        """Waits until so many numbers are applied."""
        async with asyncio.timeout(20):
            while len(cls.applied) < count:
                cls.changed.clear()
                await cls.changed.wait()

    async def apply(self, number: int, *, call: Call = NO_CALL) -> None:
        call_id = call.attachments[CALL_ID]
        self.seen[call_id] += 1
        self.applied.setdefault(call_id, number)
        self.changed.set()


class FileLedger:
    """The same in an SQLite file that other processes may read: table `seen` with id, number and how often it came."""

    def __init__(self, path: str) -> None:
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute("PRAGMA journal_mode=WAL")
        # This process is not killed; what counts is how often which id comes.
        self._file.execute("PRAGMA synchronous=OFF")
        self._file.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, number INTEGER, times INTEGER)")

    async def apply(self, number: int, *, call: Call = NO_CALL) -> None:
        self._file.execute(
            "INSERT INTO seen VALUES (?, ?, 1) ON CONFLICT (id) DO UPDATE SET times = times + 1",
            (call.attachments[CALL_ID], number),
        )
