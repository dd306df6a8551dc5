from __future__ import annotations

import random
import time

import pytest

from bench.cluster.virtual_time import virtual_time
from bench.cluster.world import World
from gateway.cluster import attempt, retry_budget
from gateway.cluster.retry_budget import RetryBudget
from gateway.routing.health import Health


def test_defaults_and_names_of_the_gateway_show_the_worlds_time():
    world = World(begin=5.0)

    with virtual_time(world, seed=0):
        assert time.monotonic() == 5.0
        assert attempt.attempt.__defaults__[0]() == 5.0
        assert RetryBudget.__init__.__defaults__[-1]() == 5.0
        world.now = 6.0
        assert time.monotonic() == 6.0
        assert retry_budget.time.monotonic() == 6.0


def test_what_is_built_meanwhile_lives_in_the_worlds_time():
    world = World(begin=0.0)
    with virtual_time(world, seed=0):
        budget = RetryBudget(ratio=0.0, floor_per_s=1.0, burst=1.0)
        assert budget.withdraw()
        assert not budget.withdraw()
        world.now = 1.0
        assert budget.withdraw()


def test_everything_is_as_before_when_it_is_left():
    monotonic, wall = time.monotonic, time.time
    defaults = Health.__init__.__defaults__
    luck = random.getstate()

    with pytest.raises(IndexError), virtual_time(World(), seed=1):
        random.choice([])

    assert (time.monotonic, time.time) == (monotonic, wall)
    assert Health.__init__.__defaults__ == defaults
    assert attempt.attempt.__defaults__ == (monotonic,)
    assert random.getstate() == luck


def test_luck_follows_from_the_seed():
    def drawn(seed: int) -> float:
        with virtual_time(World(), seed):
            return random.random()

    assert drawn(1) == drawn(1) != drawn(2)
