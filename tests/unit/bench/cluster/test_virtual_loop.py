from __future__ import annotations

import asyncio
import time

import pytest

from bench.cluster.virtual_loop import NothingToCome, run_in
from bench.cluster.world import World


def test_sleeping_moves_the_clock_by_exactly_what_was_slept():
    world = World(begin=100.0)

    async def main() -> list[float]:
        seen = []
        for seconds in (3600.0, 0.25, 0.0):
            await asyncio.sleep(seconds)
            seen.append(asyncio.get_running_loop().time())
        return seen

    assert run_in(world, main()) == pytest.approx([3700.0, 3700.25, 3700.25])


def test_a_day_takes_no_time():
    began = time.perf_counter()

    run_in(World(), asyncio.sleep(86_400.0))

    assert time.perf_counter() - began < 10.0


def test_tasks_wake_in_the_order_of_their_times():
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append(name)

    async def main() -> None:
        await asyncio.gather(sleeper("late", 3.0), sleeper("early", 1.0), sleeper("between", 2.0))

    run_in(World(), main())

    assert woken == ["early", "between", "late"]


def test_events_of_the_world_and_timers_of_the_loop_share_one_time():
    world = World(begin=0.0)
    seen: list[tuple[str, float]] = []

    async def main() -> None:
        world.at(1.0, lambda: seen.append(("world", world.now)))
        world.at(3.0, lambda: seen.append(("world", world.now)))
        await asyncio.sleep(2.0)
        seen.append(("loop", world.now))
        await asyncio.sleep(2.0)

    run_in(world, main())

    assert seen == [("world", 1.0), ("loop", 2.0), ("world", 3.0)]


def test_the_world_can_finish_what_a_task_waits_for():
    world = World(begin=0.0)

    async def main() -> float:
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        world.after(5.0, answer.set_result, None)
        async with asyncio.timeout(6.0):
            await answer
        return world.now

    assert run_in(world, main()) == 5.0


def test_a_time_limit_ends_what_takes_too_long():
    world = World(begin=0.0)

    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.0):
                await asyncio.get_running_loop().create_future()
        return world.now

    assert run_in(world, main()) == 2.0


def test_waiting_for_what_cannot_happen_is_an_error_and_not_a_hang():
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(NothingToCome, match="nothing is going to happen"):
        run_in(World(), main())
