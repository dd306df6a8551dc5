"""What is wanted is announced, whatever the registry goes through. Entries are texts here, keys their first letter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from registry.upkeep import Upkeep

WAIT_S = 5.0


class Board:
    """A registry that keeps texts. `failing`: calls that fail, after or before they took effect."""

    def __init__(self) -> None:
        self.entries: set[str] = set()
        self.failing = 0
        self.takes_effect = False
        self.calls = 0
        self.pauses: list[float] = []
        self.hold: asyncio.Event | None = None

    async def announce(self, entry: str, former: Sequence[str]) -> None:
        await self._called()
        if self.failing and not self.takes_effect:
            self._fail()
        self.entries.add(entry)
        if self.failing:
            self._fail()
        self.entries.difference_update(former)

    async def withdraw(self, entries: Sequence[str]) -> None:
        await self._called()
        if self.failing:
            self._fail()
        self.entries.difference_update(entries)

    async def _called(self) -> None:
        self.calls += 1
        if self.hold is not None:
            await self.hold.wait()

    def _fail(self) -> None:
        self.failing -= 1
        raise ConnectionResetError("gone")

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def keeping(board: Board) -> AsyncIterator[Upkeep[str, str]]:
    upkeep = Upkeep("home", board.announce, board.withdraw, sleep=board.sleep, uniform=lambda: 1.0)
    upkeep.start()
    try:
        yield upkeep
    finally:
        await upkeep.aclose(WAIT_S)


async def test_entries_are_announced_replaced_and_withdrawn() -> None:
    board = Board()
    async with keeping(board) as upkeep:
        upkeep.resume()
        assert await upkeep.put("a", "a1", WAIT_S)
        assert await upkeep.put("b", "b1", WAIT_S)
        assert await upkeep.put("a", "a2", WAIT_S)
        assert board.entries == {"a2", "b1"}
        assert await upkeep.take_back("a", WAIT_S)
        assert board.entries == {"b1"}
        calls = board.calls
        assert await upkeep.put("b", "b1", WAIT_S)
        assert board.calls == calls
    assert board.entries == set()


async def test_nothing_is_written_while_the_registry_is_away() -> None:
    board = Board()
    async with keeping(board) as upkeep:
        assert not await upkeep.put("a", "a1", 0.01)
        assert board.calls == 0
        upkeep.resume()
        assert await upkeep.put("b", "b1", WAIT_S)
        assert board.entries == {"a1", "b1"}
        assert upkeep.is_settled


async def test_a_registry_that_forgot_everything_is_told_again() -> None:
    board = Board()
    async with keeping(board) as upkeep:
        upkeep.resume()
        await upkeep.put("a", "a1", WAIT_S)
        await upkeep.put("b", "b1", WAIT_S)
        upkeep.suspend()
        board.entries.clear()
        await upkeep.take_back("b", 0.01)
        upkeep.resume(forgotten=True)
        assert await upkeep.put("a", "a1", WAIT_S)
        assert board.entries == {"a1"}


async def test_one_entry_that_was_lost_is_written_again() -> None:
    board = Board()
    async with keeping(board) as upkeep:
        upkeep.resume()
        await upkeep.put("a", "a1", WAIT_S)
        board.entries.clear()
        upkeep.lost("a")
        assert await upkeep.put("a", "a1", WAIT_S)
        assert board.entries == {"a1"}


async def test_what_is_doubted_is_announced_and_taken_back_again() -> None:
    board = Board()
    async with keeping(board) as upkeep:
        upkeep.resume()
        await upkeep.put("a", "a1", WAIT_S)
        await upkeep.put("b", "b1", WAIT_S)
        upkeep.suspend()
        board.entries.discard("a1")
        await upkeep.take_back("b", 0.01)
        upkeep.doubt()
        upkeep.resume()
        assert await upkeep.put("a", "a1", WAIT_S)
        assert await upkeep.take_back("b", WAIT_S)
        assert board.entries == {"a1"}


async def test_doubt_while_an_entry_is_being_written_is_not_forgotten() -> None:
    board = Board()
    async with keeping(board) as upkeep:
        upkeep.resume()
        board.hold = asyncio.Event()
        putting = asyncio.create_task(upkeep.put("a", "a1", WAIT_S))
        while not board.calls:
            await asyncio.sleep(0)
        upkeep.doubt("a")
        board.hold.set()
        assert await putting
        async with asyncio.timeout(WAIT_S):
            while board.calls < 2:
                await asyncio.sleep(0)


@pytest.mark.parametrize("takes_effect", [False, True])
async def test_what_failed_is_tried_again_with_growing_pauses(takes_effect: bool) -> None:
    board = Board()
    board.takes_effect = takes_effect
    async with keeping(board) as upkeep:
        upkeep.resume()
        await upkeep.put("a", "a1", WAIT_S)
        board.failing = 3
        assert await upkeep.put("a", "a2", WAIT_S)
        assert board.entries == {"a2"}
        assert board.pauses == [0.1, 0.2, 0.4]


async def test_an_entry_whose_writing_failed_is_withdrawn_all_the_same() -> None:
    board = Board()
    board.takes_effect = True
    async with keeping(board) as upkeep:
        upkeep.resume()
        board.failing = 1_000
        assert not await upkeep.put("a", "a1", 0.01)
        board.failing = 0
        assert await upkeep.take_back("a", WAIT_S)
        assert board.entries == set()


async def test_a_change_while_an_entry_is_written_is_written_too() -> None:
    board = Board()
    board.hold = asyncio.Event()
    async with keeping(board) as upkeep:
        upkeep.resume()
        first = asyncio.create_task(upkeep.put("a", "a1", WAIT_S))
        while not board.calls:
            await asyncio.sleep(0)
        second = asyncio.create_task(upkeep.put("a", "a2", WAIT_S))
        await asyncio.sleep(0)
        board.hold.set()
        assert await first
        assert await second
        assert board.entries == {"a2"}


async def test_closing_does_not_wait_for_a_registry_that_hangs() -> None:
    board = Board()
    upkeep = Upkeep("home", board.announce, board.withdraw)
    upkeep.start()
    upkeep.resume()
    await upkeep.put("a", "a1", WAIT_S)
    board.hold = asyncio.Event()
    async with asyncio.timeout(WAIT_S):
        await upkeep.aclose(0.02)


async def test_closing_waits_for_all_that_are_being_withdrawn() -> None:
    left = {str(number) for number in range(100)}
    busy = 0

    async def announce(entry: str, former: Sequence[str]) -> None: ...

    async def withdraw(entries: Sequence[str]) -> None:
        nonlocal busy
        busy += 1
        # The first of those that are written at a time is quick, the others take longer.
        for _ in range(0 if busy == 1 else 20):
            await asyncio.sleep(0)
        left.difference_update(entries)
        if len(left) in (36, 0):
            busy = 0

    upkeep: Upkeep[str, str] = Upkeep("home", announce, withdraw)
    upkeep.start()
    upkeep.resume()
    await asyncio.gather(*(upkeep.put(each, each, WAIT_S) for each in sorted(left)))
    await upkeep.aclose(WAIT_S)
    assert left == set()


async def test_closing_does_not_wait_for_a_registry_that_goes_away_meanwhile() -> None:
    board = Board()
    upkeep: Upkeep[str, str] = Upkeep("home", board.announce, board.withdraw, sleep=board.sleep)
    upkeep.start()
    upkeep.resume()
    await upkeep.put("a", "a1", WAIT_S)
    board.hold = asyncio.Event()
    closing = asyncio.create_task(upkeep.aclose(60.0))
    while board.calls < 2:
        await asyncio.sleep(0)
    upkeep.suspend()
    async with asyncio.timeout(WAIT_S):
        await closing
