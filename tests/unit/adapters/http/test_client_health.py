from __future__ import annotations

import asyncio
import logging

import pytest

from adapters.http.provider_health import ProviderHealth
from gateway.model.errors import ConnectFailed


class World:
    """A provider that can be switched off, and time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.up = False
        self.trials = 0
        self.pauses: list[float] = []
        self.goes_on = asyncio.Semaphore(0)
        self.asleep = asyncio.Event()

    async def sleep(self, pause_s: float) -> None:
        self.pauses.append(pause_s)
        self.asleep.set()
        await self.goes_on.acquire()
        self.now += pause_s

    async def trial(self) -> None:
        self.trials += 1
        if not self.up:
            raise ConnectFailed("still down")

    async def wake(self) -> None:
        """Lets the pause end, and waits for the next one or for nothing more to happen."""
        self.asleep.clear()
        self.goes_on.release()
        for _ in range(10):
            await asyncio.sleep(0)


@pytest.fixture
async def world() -> World:
    return World()


def health_of(world: World, jitter: float = 0.5) -> ProviderHealth:
    return ProviderHealth("a:1", world.trial, jitter=lambda: jitter, sleep=world.sleep, clock=lambda: world.now)


async def test_who_was_never_tried_is_available() -> None:
    assert health_of(World()).available


async def test_a_failure_makes_unavailable_and_spares_calls_the_wait_for_a_moment(world: World) -> None:
    health = health_of(world)
    health.failed(ConnectFailed("refused"))

    assert not health.available
    with pytest.raises(ConnectFailed, match="refused"):
        health.ensure_worth_trying()
    world.now += 0.021
    health.ensure_worth_trying()
    await health.aclose()


@pytest.mark.parametrize(("took_s", "spared_s"), [(0.001, 0.02), (0.3, 0.3), (3.0, 0.5)])
async def test_calls_are_spared_the_longer_the_longer_it_takes_to_find_out(
    world: World, took_s: float, spared_s: float
) -> None:
    health = health_of(world)
    health.failed(ConnectFailed("no answer"), took_s)
    world.now += spared_s - 0.001
    with pytest.raises(ConnectFailed, match="no answer"):
        health.ensure_worth_trying()
    world.now += 0.002
    health.ensure_worth_trying()
    await health.aclose()


async def test_pauses_double_up_to_the_longest(world: World) -> None:
    health = health_of(world)
    health.failed(ConnectFailed("refused"))
    for _ in range(9):
        await world.asleep.wait()
        await world.wake()

    assert world.pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0]
    assert world.trials == 9
    await health.aclose()


@pytest.mark.parametrize(("jitter", "pause_s"), [(0.0, 0.4), (1.0, 0.6)])
async def test_pauses_differ_by_a_fifth(world: World, jitter: float, pause_s: float) -> None:
    health = health_of(world, jitter)
    health.failed(ConnectFailed("refused"))
    await world.asleep.wait()

    assert world.pauses == [pytest.approx(pause_s)]
    await health.aclose()


async def test_a_trial_that_succeeds_makes_available_and_ends_the_trials(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    health = health_of(world)
    with caplog.at_level(logging.INFO, "polyport.client"):
        health.failed(ConnectFailed("cannot connect to a:1: refused"))
        health.failed(ConnectFailed("cannot connect to a:1: refused"))
        await world.asleep.wait()
        await world.wake()
        world.up = True
        await world.wake()
        await world.wake()

    assert health.available
    assert world.trials == 2
    assert [each.message for each in caplog.records] == ["cannot connect to a:1: refused", "connected to a:1 again"]


async def test_pauses_stay_long_until_a_call_was_answered(world: World) -> None:
    health = health_of(world)
    world.up = True
    for _ in range(2):
        health.failed(ConnectFailed("refused"))
        await world.asleep.wait()
        await world.wake()
        assert health.available
    assert world.pauses == [0.5, 1.0]
    health.answered()
    health.failed(ConnectFailed("refused"))
    await world.asleep.wait()

    assert world.pauses[-1] == 0.5
    await health.aclose()


async def test_an_answer_makes_available_before_the_next_trial(world: World) -> None:
    health = health_of(world)
    health.failed(ConnectFailed("refused"))
    await world.asleep.wait()
    health.answered()
    assert health.available
    await world.wake()

    assert world.trials == 0


async def test_a_doubt_is_settled_at_once(world: World) -> None:
    health = health_of(world)
    health.doubted()
    assert health.available
    await world.asleep.wait()
    assert (world.trials, health.available) == (1, False)
    health.doubted()
    world.up = True
    await world.wake()
    assert (world.trials, health.available) == (2, True)
    health.doubted()
    await world.wake()
    assert (world.trials, health.available) == (3, True)


async def test_closing_ends_the_trials(world: World) -> None:
    health = health_of(world)
    health.failed(ConnectFailed("refused"))
    await world.asleep.wait()
    await health.aclose()
    await health.aclose()
    health.failed(ConnectFailed("refused"))
    health.doubted()
    await world.wake()

    assert world.trials == 0
    assert not health.available
