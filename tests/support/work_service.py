"""A service whose provider writes down which calls it carried out, where not even its own death can take it back."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from pathlib import Path
from typing import Protocol

from gateway.contracts import I32, I64, method, service
from gateway.model.errors import ProviderFailed

__all__ = ["Clock", "Ticking", "Work", "Working", "recorded"]


@service("chaos.Work")
class Work(Protocol):
    """Calls that carry an id. Each is written down when it begins, waits `hold_ms`, and gives its id back."""

    async def once(self, id: I64, hold_ms: I32) -> I64:
        """Must not run twice."""
        ...

    @method(idempotent=True)
    async def again(self, id: I64, hold_ms: I32) -> I64:
        """May run as often as it likes."""
        ...

    async def behave(self, slower: I32, failing_percent: I32) -> I32:
        """From now on calls of this provider take so many times longer, and so many of a hundred fail. Gives its
        process."""
        ...


@service("chaos.Clock")
class Clock(Protocol):
    """What time it is at the provider."""

    async def now_s(self) -> I64:
        """Seconds since 1970."""
        ...


class Ticking:
    """The provider of `Clock`."""

    async def now_s(self) -> int:
        return int(time.time())


class Working:
    """The provider. `record`: the file of ids, one a line; beside it, `.cancelled` has those that were given up."""

    def __init__(self, record: str) -> None:
        self._record = _appending(record)
        self._cancelled = _appending(f"{record}.cancelled")
        self._slower = 1
        self._failing_percent = 0
        self._calls = 0

    async def once(self, id: int, hold_ms: int) -> int:
        return await self._work(id, hold_ms)

    async def again(self, id: int, hold_ms: int) -> int:
        return await self._work(id, hold_ms)

    async def behave(self, slower: int, failing_percent: int) -> int:
        self._slower, self._failing_percent = slower, failing_percent
        return os.getpid()

    async def _work(self, id: int, hold_ms: int) -> int:
        # One write: after it the line survives whatever happens to this process.
        os.write(self._record, b"%d\n" % id)
        self._calls += 1
        hold_s = hold_ms / 1000 * self._slower
        if hold_s > 0:
            try:
                await asyncio.sleep(hold_s)
            except asyncio.CancelledError:
                os.write(self._cancelled, b"%d\n" % id)
                raise
        if self._failing_percent and self._calls * self._failing_percent % 100 < self._failing_percent:
            raise ProviderFailed("it was told to fail")
        return id


def _appending(file: str) -> int:
    return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def recorded(*files: Path) -> Counter[int]:
    """How often each id was carried out, as these files say."""
    found: Counter[int] = Counter()
    for file in files:
        if file.exists():
            found.update(map(int, file.read_text("ascii").split()))
    return found
