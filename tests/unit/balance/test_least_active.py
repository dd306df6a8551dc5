from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from gateway.balance.least_active import LeastActive
from gateway.model.call import Ok
from tests.support.fake_invoker import invocation
from tests.support.simulated_load import SimulatedProvider, Simulation

CALL = invocation()


def begin(provider: Any) -> tuple[Any, Any]:
    """A call that is under way until `end` gets what this gives: who observes it is settled when it begins."""
    provider.load.active += 1
    observers = provider.load.observers
    for each in observers:
        each.began(0.0)
    return provider, observers


def end(call: tuple[Any, Any]) -> None:
    provider, observers = call
    provider.load.active -= 1
    for each in observers:
        each.ended(0.0, 1.0, Ok(None))


def prepared(*weights: int) -> tuple[LeastActive, tuple[SimulatedProvider, ...]]:
    providers = tuple(SimulatedProvider(number, weight) for number, weight in enumerate(weights))
    balancer = LeastActive(Simulation().random.random)
    for _ in range(2):
        balancer.select(providers, CALL)
    return balancer, providers


@pytest.mark.parametrize("listed", [False, True], ids=["prepared", "comes once"])
def test_the_one_with_the_fewest_calls_is_chosen(listed: bool) -> None:
    balancer, providers = prepared(100, 100, 100)
    calls = [begin(each) for each, count in zip(providers, (3, 1, 2), strict=True) for _ in range(count)]
    if listed:
        # Always another list, so that it is never prepared.
        extra = [SimulatedProvider(9 + number) for number in range(5)]
        for each in extra:
            each.load.active = 7
        assert all(balancer.select([*providers, each], CALL) is providers[1] for each in extra)
    else:
        assert all(balancer.select(providers, CALL) is providers[1] for _ in range(20))
    for call in calls[:2]:
        end(call)
    begin(providers[1])
    assert all(balancer.select(providers, CALL) is providers[0] for _ in range(20))


def test_twice_the_weight_is_meant_to_have_twice_the_calls() -> None:
    balancer, providers = prepared(100, 100, 200, 400)
    for _ in range(800):
        begin(balancer.select(providers, CALL))
    assert [each.load.active for each in providers] == pytest.approx([100, 100, 200, 400], abs=3)


def test_ties_are_settled_by_weight_while_others_are_busier() -> None:
    balancer, providers = prepared(100, 200, 300, 100, 100)
    for busy in providers[3:]:
        for _ in range(5):
            begin(busy)
    got: Counter[Any] = Counter(balancer.select(providers, CALL) for _ in range(100_000))
    idle = sum(got[each] for each in providers[:3])
    assert [got[each] / idle for each in providers[:3]] == pytest.approx([1 / 6, 1 / 3, 1 / 2], rel=0.02)


def test_an_idle_provider_that_warms_up_does_not_get_everything() -> None:
    balancer, providers = prepared(*(100,) * 10)
    providers[0].load.set_share(0.05)
    for each in providers[1:]:
        begin(each)
    got: Counter[Any] = Counter(balancer.select(providers, CALL) for _ in range(20_000))
    assert got[providers[0]] / 20_000 == pytest.approx(0.05, rel=0.15)


def test_every_call_that_began_and_ended_is_counted_whatever_lists_were_asked_for() -> None:
    simulation = Simulation()
    balancer = LeastActive(simulation.random.random)
    providers = tuple(SimulatedProvider(number) for number in range(8))
    parts = [providers[:5], providers[2:], providers[::2], providers, providers[1:4], providers[3:]]
    running: list[Any] = []
    for step in range(5_000):
        part = parts[step // 7 % len(parts)]
        chosen = balancer.select(part, CALL)
        fewest = min(each.load.active for each in part)
        # The first choice from a part prepares it; calls that were under way before that are not known to it.
        assert chosen.load.active <= fewest + 1 if step > 100 else True
        running.append(begin(chosen))
        if len(running) > 30:
            end(running.pop(simulation.random.randrange(len(running))))
    for each in running:
        end(each)
    assert all(each.load.active == 0 for each in providers)
    got: Counter[Any] = Counter(balancer.select(providers, CALL) for _ in range(8_000))
    assert min(got[each] for each in providers) > 800
