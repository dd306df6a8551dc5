"""One thread with one SQLite connection: what is asked of it at the same time shares a transaction.

A durable transaction costs one write to the disk however much is in it. While one is written, the next one gathers.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from gateway.spi.failback import StoreError

__all__ = ["PassingTrouble", "SqliteWriter", "Work"]

_T = TypeVar("_T")
Work = Callable[[sqlite3.Connection], _T]
"""Runs inside of a transaction, in the thread. Whatever it raises undoes all it did."""

_LOG: Final = logging.getLogger("polyport.failback")
_PASSING_CODES: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY})
_MAX_WAITING: Final = 20_000
_MAX_GROUP: Final = 2_000
_CLOSE_S: Final = 30.0

_Asked = tuple[Work[Any], "asyncio.Future[Any]"]


class PassingTrouble(StoreError):
    """The file cannot be opened or written at the moment: no room, or somebody holds it."""


class SqliteWriter:
    """Runs works in order. Belongs to one event loop.

    `open_file`: gives the connection, in autocommit mode; runs in the thread, and again whenever `is_current` says that
    the connection is not to the file of that name any more. `tidy`: runs behind each transaction, with nobody waiting.
    `max_waiting`: works; more are refused.
    """

    def __init__(
        self,
        name: str,
        open_file: Callable[[], sqlite3.Connection],
        is_current: Callable[[], bool],
        tidy: Callable[[sqlite3.Connection], None],
        max_waiting: int = _MAX_WAITING,
    ) -> None:
        self._name = name
        self._open_file = open_file
        self._is_current = is_current
        self._tidy = tidy
        self._max_waiting = max_waiting
        self._waiting = 0
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._connection: sqlite3.Connection | None = None

    async def start(self) -> None:
        """Opens the file. Raises StoreError; for `PassingTrouble` it stays open to further tries."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="polyport-failback", daemon=True)
        self._thread.start()
        try:
            await self.run(lambda _: None)
        except PassingTrouble:
            raise
        except StoreError:
            await self.aclose()
            raise

    async def run(self, work: Work[_T]) -> _T:
        """What the work gave, once it is durable. Raises StoreError; a work whose caller is cancelled runs anyway."""
        return await self.submit(work)

    def submit(self, work: Work[_T]) -> asyncio.Future[_T]:
        """The same, to be awaited later. Raises StoreError at once when it is not taken."""
        if self._thread is None or self._loop is None:
            raise StoreError(f"{self._name} is not open")
        if self._waiting >= self._max_waiting:
            raise StoreError(f"{self._name} is busy: {self._waiting} changes wait to be written")
        future: asyncio.Future[_T] = self._loop.create_future()
        self._waiting += 1
        self._asked.put((work, future))
        return future

    async def aclose(self) -> None:
        """Writes what was asked for, then closes the file."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._asked.put(None)
            await asyncio.to_thread(thread.join, _CLOSE_S)

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            group: list[_Asked] = []
            asked = self._asked.get()
            while asked is not None:
                group.append(asked)
                if len(group) == _MAX_GROUP:
                    break
                try:
                    asked = self._asked.get_nowait()
                except queue.Empty:
                    break
            goes_on = asked is not None
            if group:
                self._answer(group, self._outcomes([work for work, _ in group]))
            if group and self._connection is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._tidy(self._connection)
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()

    def _outcomes(self, works: Sequence[Work[Any]]) -> list[Any]:
        """What each of them gave, or the error it failed with."""
        try:
            return self._transaction(works)
        except Exception as exc:  # Whatever goes wrong with one work, its caller hears of it and the thread goes on.
            if len(works) == 1:
                return [self._error(exc)]
        # One that cannot be done (for want of room, say) must not take the others with it.
        return [outcome for work in works for outcome in self._outcomes([work])]

    def _transaction(self, works: Sequence[Work[Any]]) -> list[Any]:
        if self._connection is not None and not self._is_current():
            self._connection.close()
            self._connection = None
        connection = self._connection
        if connection is None:
            connection = self._connection = self._open_file()
        connection.execute("BEGIN IMMEDIATE")
        try:
            outcomes = [work(connection) for work in works]
            connection.execute("COMMIT")
        except BaseException:
            # A commit that failed for want of room leaves the transaction open; other trouble has ended it already.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return outcomes

    def _error(self, exc: Exception) -> StoreError:
        if isinstance(exc, StoreError):
            return exc
        if not isinstance(exc, sqlite3.Error | OSError):
            _LOG.error("%s: a change could not be made", self._name, exc_info=exc)
        text = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        return (PassingTrouble if _may_pass(exc) else StoreError)(f"{self._name}: {text}")

    def _answer(self, group: Sequence[_Asked], outcomes: Sequence[Any]) -> None:
        assert self._loop is not None
        # The loop may have ended; then nobody waits any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._resolve, [future for _, future in group], outcomes)

    def _resolve(self, futures: Sequence[asyncio.Future[Any]], outcomes: Sequence[Any]) -> None:
        self._waiting -= len(futures)
        for future, outcome in zip(futures, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, StoreError):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)


def _may_pass(exc: Exception) -> bool:
    if isinstance(exc, sqlite3.Error):
        # The low byte is the primary code (https://www.sqlite.org/rescode.html, section 3); errors of the Python module
        # itself have none.
        return getattr(exc, "sqlite_errorcode", 0) & 0xFF in _PASSING_CODES
    return isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT)
