"""What only the SQLite store does: its file, alone and shared, full, damaged, foreign and gone."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.failback.sqlite_store import SqliteStore, is_sqlite_file
from gateway.spi.failback import StoredCall, StoreError
from tests.support.fake_clock import FakeClock
from tests.support.program import ROOT

WAIT_S = 30.0


def call(name: str, *, due: float = 0.0, body: bytes = b"{}") -> StoredCall:
    return StoredCall(name, "orders", 0.0, 1e10, due, body, f"d-{name}")


async def opened(path: Path, **options: int) -> SqliteStore:
    store = SqliteStore(path, 1_000, 10_000_000, **options)
    await store.start()
    return store


async def test_file_and_folder_are_made_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "calls.db"
    store = await opened(path)
    await store.add(call("a"))

    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in (path.parent, *path.parent.iterdir())}

    await store.aclose()
    assert modes.pop("state") == 0o700
    assert "calls.db-wal" in modes
    assert set(modes.values()) == {0o600}
    assert is_sqlite_file(path)
    assert not is_sqlite_file(tmp_path / "nothing")


async def test_every_kept_call_has_reached_the_disk(tmp_path: Path) -> None:
    store = await opened(tmp_path / "calls.db")
    mode, synchronous = await store._writer.run(
        lambda c: (c.execute("PRAGMA journal_mode").fetchone()[0], c.execute("PRAGMA synchronous").fetchone()[0])
    )
    await store.aclose()
    # 2 is FULL (https://www.sqlite.org/pragma.html#pragma_synchronous).
    assert (mode, synchronous) == ("wal", 2)


async def test_calls_survive_the_death_of_the_process_at_once_after_they_were_kept(tmp_path: Path) -> None:
    program = f"""
import asyncio, os, signal
from pathlib import Path
from tests.unit.failback.test_sqlite_store import call, opened

async def main():
    store = await opened(Path({str(tmp_path / "calls.db")!r}))
    await asyncio.gather(*(store.add(call(str(number))) for number in range(100)))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, timeout=WAIT_S, check=False)
    assert done.returncode == -9

    store = await opened(tmp_path / "calls.db")
    assert (await store.tally())["orders"].waiting == 100
    await store.aclose()


async def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE notes (text TEXT)")
    foreign.commit()
    foreign.close()
    before = path.read_bytes()

    with pytest.raises(StoreError, match=r"notes\.db is an SQLite file of another program"):
        await opened(path)
    assert path.read_bytes() == before

    text = tmp_path / "notes.txt"
    text.write_text("dear diary\n" * 100)
    with pytest.raises(StoreError, match=r"notes\.txt cannot be used: file is not a database"):
        await opened(text)
    assert text.read_text().startswith("dear diary")


async def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    await (await opened(path)).aclose()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version=2")
    newer.close()

    with pytest.raises(StoreError, match="written by a newer version of polyport"):
        await opened(path)


async def test_a_damaged_file_is_reported_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    store = await opened(path)
    for number in range(200):
        await store.add(call(str(number), body=b"x" * 1000))
    await store.aclose()
    damaged = bytearray(path.read_bytes())
    damaged[8192:40960] = b"\xff" * 32768
    path.write_bytes(damaged)

    with pytest.raises(StoreError, match=r"calls\.db (is damaged|cannot be used)"):
        await opened(path)


async def test_a_place_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"calls\.db: (Not a directory|File exists)"):
        await opened(tmp_path / "file" / "calls.db")


async def test_a_full_disk_refuses_new_calls_and_the_old_ones_can_still_be_finished(tmp_path: Path) -> None:
    store = await opened(tmp_path / "calls.db", max_file_pages=30)
    added = [store.add(call(str(number), body=b"x" * 1000)) for number in range(100)]
    outcomes = await asyncio.gather(*added, return_exceptions=True)
    kept = outcomes.count(0)
    assert 10 < kept < 100
    assert {str(each) for each in outcomes if each != 0} == {f"{tmp_path}/calls.db: database or disk is full"}

    claimed = await store.claim("orders", 1_000, 60.0)
    assert len(claimed) == kept
    for each in claimed:
        await store.finish(each)
    await store.add(call("again", body=b"x" * 1000))
    assert (await store.tally())["orders"].waiting == 1
    await store.aclose()


async def test_a_disk_that_is_full_at_the_start_does_not_keep_a_gateway_from_starting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = await opened(tmp_path / "calls.db", max_file_pages=2)
    assert "calls cannot be kept at the moment" in caplog.text
    with pytest.raises(StoreError, match="database or disk is full"):
        await store.add(call("a"))
    store._max_file_pages = None
    await store.add(call("a"))
    assert (await store.tally())["orders"].waiting == 1
    await store.aclose()


async def test_a_file_that_was_deleted_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    store = await opened(path)
    await store.add(call("a"))
    for each in tmp_path.iterdir():
        each.unlink()

    await store.add(call("b"))
    await store.aclose()

    other = await opened(path)
    assert [each.id for each in await other.page(None, "", 10)] == ["b"]
    await other.aclose()


async def test_the_file_gives_room_back_when_a_long_queue_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    store = await opened(path)
    await asyncio.gather(*(store.add(call(str(number), body=b"x" * 8_000)) for number in range(900)))
    await asyncio.gather(*(store.finish(each) for each in await store.claim("orders", 1_000, 60.0)))
    await store.aclose()

    assert path.stat().st_size < 1_000_000


async def test_a_clock_that_was_set_back_does_not_keep_calls_waiting(tmp_path: Path) -> None:
    clock = FakeClock(time.time())
    store = SqliteStore(tmp_path / "calls.db", 10, 1_000, wall=clock)
    await store.start()
    await store.add(call("a", due=clock() + 5))

    assert await store.claim("orders", 1, 60.0) == []
    clock.advance(-30 * 86400)
    assert [each.id for each in await store.claim("orders", 1, 60.0)] == ["a"]
    await store.aclose()


async def test_a_store_that_is_not_open_says_so(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "calls.db", 10, 1_000)
    with pytest.raises(StoreError, match=r"calls\.db is not open"):
        await store.add(call("a"))
