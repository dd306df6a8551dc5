"""The store inside this process: one SQLite file, durable against `kill -9` and against a loss of power.

The file is in WAL mode with `synchronous=FULL`: a call that was kept has reached the disk. Several processes on one
machine may share the file; it must not lie on a network file system, where SQLite cannot share it
(https://www.sqlite.org/wal.html). Bounds are per reference, dead calls included.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final

from gateway.failback.writer import PassingTrouble, SqliteWriter
from gateway.spi.failback import StoredCall, StoreError, Tally
from gateway.telemetry.logs import shorten

__all__ = ["SqliteStore", "is_sqlite_file"]

_LOG: Final = logging.getLogger("polyport.failback")
_APPLICATION: Final = 0x506F6C79
"""`PRAGMA application_id` of our files, "Poly" in ASCII."""
_VERSION: Final = 1
"""`PRAGMA user_version`: the form of the tables below."""
_MAGIC: Final = b"SQLite format 3\0"
_BUSY_S: Final = 5.0
_FAR_S: Final = 7 * 86400.0
"""Nobody postpones a call further; one that is due later has seen the clock set back, and is due now."""
_WAL_BYTES: Final = 16 * 1024 * 1024
_MAX_ADDING: Final = 20_000
_SPARE_PAGES: Final = 1024
"""Pages of 4 KiB that the file may hold for nothing."""

_SCHEMA: Final = (
    "BEGIN IMMEDIATE",
    """CREATE TABLE calls (
        number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, reference TEXT NOT NULL,
        created REAL NOT NULL, expires REAL NOT NULL, due REAL NOT NULL, attempts INTEGER NOT NULL,
        dead INTEGER NOT NULL, digest TEXT NOT NULL, error TEXT NOT NULL, body BLOB NOT NULL)""",
    "CREATE INDEX calls_by_age ON calls (reference)",
    "CREATE INDEX calls_by_due ON calls (reference, dead, due)",
    "CREATE TABLE totals (reference TEXT PRIMARY KEY, calls INTEGER NOT NULL, size INTEGER NOT NULL)",
    f"PRAGMA application_id={_APPLICATION}",
    f"PRAGMA user_version={_VERSION}",
    "COMMIT",
)
_Adding = tuple[StoredCall, "asyncio.Future[int]"]
_COLUMNS: Final = "id, reference, created, expires, due, body, digest, attempts, error, dead, number"


def is_sqlite_file(path: Path) -> bool:
    """Whether it is an SQLite file, of whomever (https://www.sqlite.org/fileformat.html, section 1.3)."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


class SqliteStore:
    """See `gateway.spi.failback.CallStore`.

    `limit`, `max_bytes`: calls, and bytes of their bodies, kept for one reference. `wall`: seconds since 1970.
    `max_file_pages`: for tests of a full disk. The file is made with its folder when it is not there, for this user
    alone: it holds what callers sent.
    """

    def __init__(
        self,
        path: Path,
        limit: int,
        max_bytes: int,
        wall: Callable[[], float] = time.time,
        max_file_pages: int | None = None,
    ) -> None:
        self._path = path
        self._limit = limit
        self._max_bytes = max_bytes
        self._wall = wall
        self._max_file_pages = max_file_pages
        self._file: tuple[int, int] | None = None
        self._adding: list[_Adding] = []
        self._writer = SqliteWriter(str(path), self._open, self._is_current, self._tidy)

    @property
    def description(self) -> str:
        """The path."""
        return str(self._path)

    async def start(self) -> None:
        """See `CallStore.start`."""
        try:
            await self._writer.start()
        except PassingTrouble as exc:
            # Calls that need no store go on, and the next one that does tries again.
            _LOG.warning("calls cannot be kept at the moment: %s", shorten(str(exc)))

    async def aclose(self) -> None:
        """See `CallStore.aclose`."""
        await self._writer.aclose()

    async def add(self, call: StoredCall) -> int:
        """See `CallStore.add`."""
        if len(call.body) > self._max_bytes:
            raise StoreError(f"the call has {len(call.body)} bytes, and {self.description} keeps {self._max_bytes}")
        loop = asyncio.get_running_loop()
        if len(self._adding) >= _MAX_ADDING:
            raise StoreError(f"{self.description} is busy: {len(self._adding)} calls wait to be written")
        if not self._adding:
            # Those of one turn of the loop become one statement, which takes a third of the time.
            loop.call_soon(self._write_adding)
        future: asyncio.Future[int] = loop.create_future()
        self._adding.append((call, future))
        return await future

    def _write_adding(self) -> None:
        adding, self._adding = self._adding, []
        self._write(adding)

    def _write(self, adding: Sequence[_Adding]) -> None:
        try:
            written = self._writer.submit(lambda connection: self._add(connection, [call for call, _ in adding]))
        except StoreError as exc:
            _fail(adding, exc)
        else:
            written.add_done_callback(partial(self._written, adding))

    def _written(self, adding: Sequence[_Adding], written: asyncio.Future[Sequence[int | StoreError]]) -> None:
        trouble = written.exception()
        if trouble is None:
            for (_, future), outcome in zip(adding, written.result(), strict=True):
                if future.done():
                    continue
                if isinstance(outcome, StoreError):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)
        elif len(adding) == 1:
            _fail(adding, trouble)
        else:
            # There may be room for some of them.
            for each in adding:
                self._write([each])

    def _add(self, connection: sqlite3.Connection, calls: Sequence[StoredCall]) -> Sequence[int | StoreError]:
        """How many were dropped for each call, or why it was not kept."""
        made = connection.executemany(
            "INSERT INTO calls (id, reference, created, expires, due, attempts, dead, digest, error, body)"
            " VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            [
                (each.id, each.reference, each.created, each.expires, each.due, each.digest, each.error, each.body)
                for each in calls
            ],
        ).rowcount
        outcomes: list[int | StoreError] = [0] * len(calls)
        if made < len(calls):
            for index, each in enumerate(calls):
                (digest,) = connection.execute("SELECT digest FROM calls WHERE id = ?", (each.id,)).fetchone()
                if digest != each.digest:
                    outcomes[index] = StoreError(f"another call waits under the id {each.id} already")
        # The first of each reference accounts for what is dropped for all of them.
        for reference, index in {each.reference: index for index, each in reversed(list(enumerate(calls)))}.items():
            if made < len(calls):
                self._count_anew(connection, reference)
                added = size = 0
            else:
                sizes = [len(each.body) for each in calls if each.reference == reference]
                added, size = len(sizes), sum(sizes)
            dropped = self._make_room(connection, reference, added, size)
            if not isinstance(outcomes[index], StoreError):
                outcomes[index] = dropped
        return outcomes

    def _make_room(self, connection: sqlite3.Connection, reference: str, added: int, added_size: int) -> int:
        """Drops the oldest, and says how many."""
        calls, size = connection.execute(
            "INSERT INTO totals VALUES (?, ?, ?) ON CONFLICT (reference) DO UPDATE"
            " SET calls = calls + excluded.calls, size = size + excluded.size RETURNING calls, size",
            (reference, added, added_size),
        ).fetchone()
        dropped = 0
        while calls > self._limit or size > self._max_bytes:
            (number,) = connection.execute(
                "SELECT number FROM calls WHERE reference = ? ORDER BY number LIMIT 1", (reference,)
            ).fetchone()
            size -= _delete(connection, reference, number)
            calls -= 1
            dropped += 1
        return dropped

    def _count_anew(self, connection: sqlite3.Connection, reference: str) -> None:
        connection.execute(
            "INSERT INTO totals SELECT ?1, count(*), coalesce(sum(length(body)), 0) FROM calls WHERE reference = ?1"
            " ON CONFLICT (reference) DO UPDATE SET calls = excluded.calls, size = excluded.size",
            (reference,),
        )

    async def claim(self, reference: str, limit: int, lease_s: float) -> Sequence[StoredCall]:
        """See `CallStore.claim`. Those that are due longest come first."""
        now = self._wall()

        def work(connection: sqlite3.Connection) -> Sequence[StoredCall]:
            due = "SELECT number FROM calls WHERE reference = ? AND dead = 0 AND due"
            found = connection.execute(f"{due} <= ? ORDER BY due LIMIT ?", (reference, now, limit)).fetchall()
            if len(found) < limit:
                rest = (reference, now + _FAR_S, limit - len(found))
                found += connection.execute(f"{due} > ? ORDER BY due LIMIT ?", rest).fetchall()
            claimed = []
            for (number,) in found:
                row = connection.execute(
                    f"UPDATE calls SET due = ?, attempts = attempts + 1 WHERE number = ? RETURNING {_COLUMNS}",
                    (now + lease_s, number),
                ).fetchone()
                claimed.append(_call(row))
            return claimed

        return await self._writer.run(work)

    async def finish(self, call: StoredCall) -> None:
        """See `CallStore.finish`."""
        await self._writer.run(lambda connection: _delete(connection, call.reference, int(call.handle)))

    async def postpone(self, call: StoredCall, delay_s: float, error: str) -> None:
        """See `CallStore.postpone`."""
        await self._change("due = ?, error = ?", self._wall() + delay_s, error, call.handle)

    async def bury(self, call: StoredCall, error: str) -> None:
        """See `CallStore.bury`."""
        await self._change("dead = 1, error = ?", error, call.handle)

    async def _change(self, change: str, *values: Any) -> None:
        await self._writer.run(
            lambda connection: connection.execute(f"UPDATE calls SET {change} WHERE number = ?", values).rowcount
        )

    async def tally(self) -> Mapping[str, Tally]:
        """See `CallStore.tally`."""
        rows = await self._writer.run(
            lambda connection: connection.execute(
                "SELECT reference, sum(1 - dead), sum(dead), sum(length(body)) FROM calls GROUP BY reference"
            ).fetchall()
        )
        return {reference: Tally(waiting, dead, size) for reference, waiting, dead, size in rows}

    async def page(self, reference: str | None, after: str, limit: int) -> Sequence[StoredCall]:
        """See `CallStore.page`."""
        of_one = "" if reference is None else " AND reference = ?"
        behind = int(after or 0)
        values = (behind, limit) if reference is None else (behind, reference, limit)
        rows = await self._writer.run(
            lambda connection: connection.execute(
                f"SELECT {_COLUMNS} FROM calls WHERE number > ?{of_one} ORDER BY number LIMIT ?", values
            ).fetchall()
        )
        return [_call(row) for row in rows]

    async def find(self, call_id: str) -> StoredCall | None:
        """See `CallStore.find`."""
        row = await self._writer.run(
            lambda connection: connection.execute(f"SELECT {_COLUMNS} FROM calls WHERE id = ?", (call_id,)).fetchone()
        )
        return None if row is None else _call(row)

    async def revive(self, call_id: str | None) -> int:
        """See `CallStore.revive`."""
        where, values = ("", ()) if call_id is None else (" WHERE id = ?", (call_id,))
        now = self._wall()
        return await self._writer.run(
            lambda connection: connection.execute(f"UPDATE calls SET due = ?, dead = 0{where}", (now, *values)).rowcount
        )

    async def discard(self, call_id: str | None, *, dead_only: bool = False) -> int:
        """See `CallStore.discard`."""
        where, values = ("1", ()) if call_id is None else ("id = ?", (call_id,))
        if dead_only:
            where += " AND dead = 1"

        def work(connection: sqlite3.Connection) -> int:
            count = connection.execute(f"DELETE FROM calls WHERE {where}", values).rowcount
            connection.execute("DELETE FROM totals")
            connection.execute(
                "INSERT INTO totals SELECT reference, count(*), sum(length(body)) FROM calls GROUP BY reference"
            )
            return count

        return await self._writer.run(work)

    def _open(self) -> sqlite3.Connection:
        path = self._path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, cached_statements=64)
        try:
            self._prepare(connection)
        except BaseException as exc:
            connection.close()
            # A file that is none is found out here; no room, or somebody who holds it, is operational trouble.
            if isinstance(exc, sqlite3.DatabaseError) and not isinstance(exc, sqlite3.OperationalError):
                raise StoreError(f"{path} cannot be used: {exc}") from exc
            raise
        status = path.stat()
        self._file = (status.st_dev, status.st_ino)
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        with closing(connection.execute("PRAGMA application_id")) as found:
            (application,) = found.fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application != _APPLICATION and (application or version or tables):
            raise StoreError(f"{self._path} is an SQLite file of another program, not of polyport failback")
        if version > _VERSION:
            raise StoreError(f"{self._path} was written by a newer version of polyport (form {version})")
        # Has an effect only before anything is written; without it the file never gets smaller.
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA journal_size_limit={_WAL_BYTES}")
        if self._max_file_pages is not None:
            connection.execute(f"PRAGMA max_page_count={self._max_file_pages}")
        if not version:
            self._make_tables(connection)
        (damage,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if damage != "ok":
            raise StoreError(f"{self._path} is damaged: {damage}")

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        try:
            for statement in _SCHEMA:
                connection.execute(statement)
        except sqlite3.OperationalError:
            # Another process made them at the same moment, or they cannot be made.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if not connection.execute("PRAGMA user_version").fetchone()[0]:
                raise

    def _tidy(self, connection: sqlite3.Connection) -> None:
        """When a long queue has come to its end the file need not keep the room it took."""
        if connection.execute("PRAGMA freelist_count").fetchone()[0] < _SPARE_PAGES:
            return
        if connection.execute("SELECT count(*) FROM totals").fetchone()[0] == 0:
            # As a script: a single statement would be stepped once, which frees one page.
            connection.executescript("PRAGMA incremental_vacuum")

    def _is_current(self) -> bool:
        """Whether the file is still there: one that was deleted would swallow what is written to it."""
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            return False
        return self._file == (status.st_dev, status.st_ino)


def _delete(connection: sqlite3.Connection, reference: str, number: int) -> int:
    """The bytes that were given back."""
    row = connection.execute("DELETE FROM calls WHERE number = ? RETURNING length(body)", (number,)).fetchone()
    if row is None:
        return 0
    (left,) = connection.execute(
        "UPDATE totals SET calls = calls - 1, size = size - ? WHERE reference = ? RETURNING calls",
        (row[0], reference),
    ).fetchone()
    if not left:
        connection.execute("DELETE FROM totals WHERE reference = ?", (reference,))
    return int(row[0])


def _fail(adding: Sequence[_Adding], error: BaseException) -> None:
    for _, future in adding:
        if not future.done():
            future.set_exception(error)


def _call(row: Sequence[Any]) -> StoredCall:
    identity, reference, created, expires, due, body, digest, attempts, error, dead, number = row
    return StoredCall(
        identity, reference, created, expires, due, body, digest, attempts, error, bool(dead), str(number)
    )
