"""The timing wheel fires in time, in order, once, and costs the loop nothing when idle."""

import asyncio
from time import monotonic

from adapters.tcp.timers import TICK_S, TimerWheel


class Item:
    def __init__(self, log: list[str], name: str) -> None:
        self.log = log
        self.name = name
        self.at = 0.0
        self.done = asyncio.Event()

    def expire(self) -> None:
        self.log.append(self.name)
        self.at = monotonic()
        self.done.set()


async def test_expires_not_early_and_soon_after() -> None:
    wheel = TimerWheel(asyncio.get_running_loop())
    item = Item([], "a")
    due = monotonic() + 0.03
    wheel.add(item, due)
    async with asyncio.timeout(5):
        await item.done.wait()
    assert item.at >= due


async def test_later_and_earlier_items_fire_in_order() -> None:
    wheel = TimerWheel(asyncio.get_running_loop())
    log: list[str] = []
    late, early = Item(log, "late"), Item(log, "early")
    now = monotonic()
    wheel.add(late, now + 6 * TICK_S)
    wheel.add(early, now + 2 * TICK_S)
    async with asyncio.timeout(5):
        await late.done.wait()
    assert log == ["early", "late"]


async def test_discarded_item_never_fires() -> None:
    wheel = TimerWheel(asyncio.get_running_loop())
    log: list[str] = []
    gone, kept = Item(log, "gone"), Item(log, "kept")
    due = monotonic() + 2 * TICK_S
    wheel.add(gone, due).discard(gone)
    wheel.add(kept, due + TICK_S)
    async with asyncio.timeout(5):
        await kept.done.wait()
    assert log == ["kept"]


async def test_past_moment_fires_at_the_next_turn() -> None:
    wheel = TimerWheel(asyncio.get_running_loop())
    item = Item([], "past")
    wheel.add(item, monotonic() - 1)
    async with asyncio.timeout(5):
        await item.done.wait()


async def test_item_added_while_the_wheel_turns() -> None:
    wheel = TimerWheel(asyncio.get_running_loop())
    second = Item([], "second")

    class Adding(Item):
        def expire(self) -> None:
            wheel.add(second, monotonic() + TICK_S)

    wheel.add(Adding([], "first"), monotonic() + TICK_S)
    async with asyncio.timeout(5):
        await second.done.wait()


async def test_closed_wheel_forgets() -> None:
    wheel = TimerWheel(asyncio.get_running_loop())
    log: list[str] = []
    wheel.add(Item(log, "a"), monotonic() + TICK_S)
    wheel.close()
    after = TimerWheel(asyncio.get_running_loop())
    probe = Item([], "probe")
    after.add(probe, monotonic() + 3 * TICK_S)
    async with asyncio.timeout(5):
        await probe.done.wait()
    assert log == []
