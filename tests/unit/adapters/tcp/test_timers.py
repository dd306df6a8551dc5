"""The timing wheel fires in time, in order, once, and costs the loop nothing when idle."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from adapters.tcp.timers import TICK_S, TimerWheel
from tests.support.fake_clock import FakeClock


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


async def test_expiring_item_may_take_back_others_of_its_bucket() -> None:
    wheel = TimerWheel(asyncio.get_running_loop())
    log: list[str] = []
    due = monotonic() + TICK_S

    class Rival(Item):
        def expire(self) -> None:
            super().expire()
            for each in rivals:
                bucket.discard(each)

    rivals = [Rival(log, "a"), Rival(log, "b")]
    for each in rivals:
        bucket = wheel.add(each, due)
    probe = Item(log, "probe")
    wheel.add(probe, due + 2 * TICK_S)
    async with asyncio.timeout(5):
        await probe.done.wait()
    assert log in (["a", "probe"], ["b", "probe"])


async def test_item_that_raises_does_not_stop_the_wheel() -> None:
    loop = asyncio.get_running_loop()
    reported: list[str] = []
    loop.set_exception_handler(lambda _, context: reported.append(str(context["exception"])))
    wheel = TimerWheel(loop)
    due = monotonic() + TICK_S

    class Broken(Item):
        def expire(self) -> None:
            raise RuntimeError("broken item")

    others = [Item([], "same bucket"), Item([], "next bucket")]
    wheel.add(Broken([], "broken"), due)
    wheel.add(others[0], due)
    wheel.add(others[1], due + TICK_S)
    async with asyncio.timeout(5):
        for each in others:
            await each.done.wait()
    assert reported == ["broken item"]


class IdleLoop:
    """A loop whose timers fire when the test says so; counts them and keeps the last."""

    def __init__(self) -> None:
        self.timers = 0
        self.delay = 0.0
        self.callback: Callable[[], None] = lambda: None

    def call_later(self, delay: float, callback: Callable[[], None]) -> Any:
        self.timers += 1
        self.delay, self.callback = delay, callback
        return asyncio.TimerHandle(delay, callback, (), self)  # type: ignore[arg-type]

    def _timer_handle_cancelled(self, handle: Any) -> None:
        pass

    def get_debug(self) -> bool:
        return False


def test_earlier_item_set_while_the_wheel_turns_is_not_overlooked(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    monkeypatch.setattr("adapters.tcp.timers.monotonic", clock)
    loop = IdleLoop()
    wheel = TimerWheel(loop)  # type: ignore[arg-type]
    log: list[str] = []
    wheel.add(Item(log, "last"), clock() + 60)

    class Adding(Item):
        def expire(self) -> None:
            wheel.add(Item(log, "middle"), clock() + 1)

    wheel.add(Adding(log, "first"), clock() + 1)
    for expected in ([], ["middle"], ["middle", "last"]):
        clock.advance(loop.delay)
        loop.callback()
        assert log == expected


def test_timeouts_far_ahead_that_are_taken_back_leave_nothing() -> None:
    loop = IdleLoop()
    wheel = TimerWheel(loop)  # type: ignore[arg-type]
    now = monotonic()
    waiting = Item([], "waiting")
    wheel.add(waiting, now + 3_600)
    for number in range(10_000):
        # One call in each tick, an hour allowed, all answered at once.
        item = Item([], "call")
        wheel.add(item, now + 3_600 + number * TICK_S).discard(item)
    assert len(wheel) == 1
    assert len(wheel._buckets) <= 256
    assert loop.timers == 1


def test_timeouts_far_ahead_that_stay_are_all_kept() -> None:
    wheel = TimerWheel(IdleLoop())  # type: ignore[arg-type]
    now = monotonic()
    items = [Item([], str(number)) for number in range(2_000)]
    for number, item in enumerate(items):
        wheel.add(item, now + 3_600 + number * TICK_S)
    assert len(wheel) == 2_000


@pytest.mark.parametrize("seconds", [1e9, 1e15])
async def test_absurdly_late_moment_does_no_harm(seconds: float) -> None:
    wheel = TimerWheel(asyncio.get_running_loop())
    wheel.add(Item([], "never"), monotonic() + seconds)
    probe = Item([], "probe")
    wheel.add(probe, monotonic() + TICK_S)
    async with asyncio.timeout(5):
        await probe.done.wait()
    assert len(wheel) == 1
    wheel.close()
    assert len(wheel) == 0
