"""Balancers that look at providers leave one that became slow, and come back to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.balance.adaptive import Adaptive
from gateway.balance.least_active import LeastActive
from gateway.balance.shortest_response import ShortestResponse
from gateway.model.errors import ConnectFailed, DeadlineExceeded, RpcError
from gateway.spi.cluster import LoadBalancer
from tests.support.simulated_load import SimulatedProvider, Simulation

Make = Callable[[Simulation], LoadBalancer]

MAKE: dict[str, Make] = {
    "least_active": lambda simulation: LeastActive(simulation.random.random),
    "shortest_response": lambda simulation: ShortestResponse(None, simulation.random.random, simulation.clock),
    "adaptive": lambda simulation: Adaptive(None, simulation.random.random, simulation.clock),
}
those_that_look = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)


def fleet(simulation: Simulation, count: int) -> tuple[SimulatedProvider, ...]:
    providers = tuple(SimulatedProvider(number) for number in range(count))
    for each in providers:
        # Between half and one and a half times 10 ms.
        each.spread = lambda: 0.5 + simulation.random.random()
    return providers


@those_that_look
@pytest.mark.parametrize("count", [2, 10])
@pytest.mark.parametrize("rate", [500.0, 2000.0])
def test_a_provider_100_times_slower_loses_its_calls_and_gets_them_back(make: Make, count: int, rate: float) -> None:
    simulation = Simulation()
    balancer = make(simulation)
    providers = fleet(simulation, count)
    slow = providers[0]
    before = simulation.run(balancer, providers, rate=rate, seconds=5)
    assert before[slow] / before.total() == pytest.approx(1 / count, rel=0.2)

    slow.base_s = 1.0
    during = simulation.run(balancer, providers, rate=rate, seconds=5)
    assert during[slow] / during.total() <= 0.1 * before[slow] / before.total()
    later = simulation.run(balancer, providers, rate=rate, seconds=10)
    assert later[slow] / later.total() <= 0.1 * before[slow] / before.total()
    # It is not forgotten: somebody asks it from time to time.
    assert later[slow] > 0

    slow.base_s = 0.01
    simulation.run(balancer, providers, rate=rate, seconds=8)
    after = simulation.run(balancer, providers, rate=rate, seconds=5)
    assert after[slow] / after.total() == pytest.approx(1 / count, rel=0.25)


@those_that_look
def test_a_provider_that_hangs_is_left_before_it_answers(make: Make) -> None:
    simulation = Simulation()
    balancer = make(simulation)
    providers = fleet(simulation, 5)
    simulation.run(balancer, providers, rate=500, seconds=5)
    providers[0].base_s = 3600.0
    got = simulation.run(balancer, providers, rate=500, seconds=5)
    assert got[providers[0]] / got.total() <= 0.02


@pytest.mark.parametrize("make", [MAKE["shortest_response"], MAKE["adaptive"]], ids=["shortest_response", "adaptive"])
@pytest.mark.parametrize(
    "error", [ConnectFailed("refused"), DeadlineExceeded("late")], ids=["refused", "given up quickly"]
)
def test_failing_at_once_is_not_taken_for_speed(make: Make, error: RpcError) -> None:
    simulation = Simulation()
    balancer = make(simulation)
    providers = fleet(simulation, 5)
    simulation.run(balancer, providers, rate=500, seconds=5)
    providers[0].base_s = 0.0001
    providers[0].fails = lambda: error
    got = simulation.run(balancer, providers, rate=500, seconds=10)
    assert got[providers[0]] / got.total() <= 0.25


@pytest.mark.parametrize("make", [MAKE["shortest_response"]], ids=["shortest_response"])
@pytest.mark.parametrize("rate", [50.0, 500.0, 3000.0])
@pytest.mark.parametrize("weights", [(100, 100, 100, 100), (100, 200, 300, 400)])
def test_equally_fast_providers_share_by_weight_at_any_rate(make: Make, rate: float, weights: tuple[int, ...]) -> None:
    simulation = Simulation()
    balancer = make(simulation)
    providers = tuple(SimulatedProvider(number, weight) for number, weight in enumerate(weights))
    calls = 100_000
    got = simulation.run(balancer, providers, rate=rate, seconds=calls / rate)
    shares = [got[each] / got.total() for each in providers]
    # Where calls in progress differ, as they do with weights, chance moves a few of them.
    tolerance = 0.02 if len(set(weights)) == 1 else 0.04
    assert shares == pytest.approx([weight / sum(weights) for weight in weights], rel=tolerance)


def test_answers_that_vary_change_the_shares_little() -> None:
    simulation = Simulation()
    balancer = ShortestResponse(None, simulation.random.random, simulation.clock)
    weights = (100, 200, 300, 400)
    providers = tuple(SimulatedProvider(number, weight) for number, weight in enumerate(weights))
    for each in providers:
        each.spread = lambda: simulation.random.expovariate(1.0)
    got = simulation.run(balancer, providers, rate=1000, seconds=60)
    shares = [got[each] / got.total() for each in providers]
    assert shares == pytest.approx([0.1, 0.2, 0.3, 0.4], rel=0.15)


def test_a_provider_that_never_answered_gets_one_call_at_a_time() -> None:
    simulation = Simulation()
    for balancer in (
        ShortestResponse(None, simulation.random.random, simulation.clock),
        Adaptive(None, simulation.random.random, simulation.clock),
    ):
        providers = fleet(simulation, 3)
        simulation.run(balancer, providers, rate=500, seconds=2)
        silent = SimulatedProvider(9)
        silent.base_s = 3600.0
        simulation.run(balancer, (*providers, silent), rate=500, seconds=5)
        assert silent.load.active == 1
