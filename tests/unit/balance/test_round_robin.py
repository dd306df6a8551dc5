from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from gateway.balance.round_robin import RoundRobin
from tests.support.fake_invoker import invocation
from tests.support.simulated_load import SimulatedProvider

CALL = invocation()


def providers(*weights: int) -> tuple[SimulatedProvider, ...]:
    return tuple(SimulatedProvider(number, weight) for number, weight in enumerate(weights))


def turns(balancer: RoundRobin, those: tuple[SimulatedProvider, ...], count: int) -> list[Any]:
    balancer.select(those, CALL)
    return [balancer.select(those, CALL) for _ in range(count)]


def test_equal_providers_take_turns() -> None:
    those = providers(100, 100, 100, 100, 100)
    got = turns(RoundRobin(), those, 50)
    for start in range(0, 50, 5):
        assert set(got[start : start + 5]) == set(those)


@pytest.mark.parametrize("weights", [(5, 1, 1), (4, 3, 2, 1), (100, 50, 1), (1000, 1, 1, 1), (7,) * 20])
@pytest.mark.parametrize("seed", range(5))
def test_it_is_as_smooth_as_nginx(weights: tuple[int, ...], seed: int) -> None:
    # nginx and Dubbo keep every count within one call of its share at any time; here the start is at random, so that
    # a window that begins anywhere may have one more.
    those = providers(*weights)
    got = turns(RoundRobin(random.Random(seed).random), those, 5_000)
    total = sum(weights)
    counted: Counter[Any] = Counter()
    for number, each in enumerate(got, 1):
        counted[each] += 1
        if number % 7 == 0:
            for one, weight in zip(those, weights, strict=True):
                share = number * weight / total
                assert abs(counted[one] - share) <= 2.0 + len(weights) * weight / total


def test_the_greatest_never_waits_for_two_others_in_a_row() -> None:
    those = providers(5, 1, 1)
    got = turns(RoundRobin(random.Random(3).random), those, 700)
    # Five of seven turns, spread: the longest pause is two turns, where a plain list of tickets has none to five.
    pauses = [len(run) for run in "".join("." if each is those[0] else "x" for each in got).split(".")]
    assert max(pauses) <= 2


def test_processes_that_start_together_do_not_start_with_the_same_provider() -> None:
    those = providers(*(100,) * 50)
    first = Counter()
    for seed in range(1_000):
        balancer = RoundRobin(random.Random(seed).random)
        for _ in range(2):
            balancer.select(those, CALL)
        first[balancer.select(those, CALL)] += 1
    assert max(first.values()) < 45


def test_methods_take_turns_of_their_own() -> None:
    those = providers(100, 100)
    balancer = RoundRobin()
    balancer.select(those, CALL)
    found = [balancer.select(those, invocation("find" if number % 2 else "place")) for number in range(100)]
    assert set(found[::2]) == set(found[1::2]) == set(those)


def test_a_changed_weight_stretches_or_shortens_what_is_left_of_an_interval() -> None:
    those = providers(*(100,) * 20)
    those[0].load.set_share(0.01)
    balancer = RoundRobin(random.Random(5).random)
    turns(balancer, those, 100)
    # With its old weight it would be due after some 2,000 calls.
    those[0].load.set_share(1.0)
    got = [balancer.select(those, CALL) for _ in range(40)]
    assert 1 <= got.count(those[0]) <= 3
    those[0].load.set_weight(0)
    assert those[0] not in [balancer.select(those, CALL) for _ in range(100)]


def test_who_stays_in_the_list_keeps_its_turn() -> None:
    those = providers(*(100,) * 10)
    balancer = RoundRobin(random.Random(5).random)
    got = turns(balancer, those, 10 * 7 + 4)
    due = [each for each in those if each not in got[-4:]]
    more = (*those, SimulatedProvider(99))
    balancer.select(more, CALL)
    # The six that have not had their turn come before anybody comes again; the new one has its own in between.
    following = [balancer.select(more, CALL) for _ in range(7)]
    assert len(set(due) & set(following)) >= 5


def test_one_that_comes_back_does_not_catch_up() -> None:
    those = providers(*(100,) * 5)
    balancer = RoundRobin(random.Random(5).random)
    turns(balancer, those, 10)
    turns(balancer, those[:4], 4_000)
    got = turns(balancer, those, 50)
    assert got.count(those[4]) <= 11
