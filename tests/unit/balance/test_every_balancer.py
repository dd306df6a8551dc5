"""What holds whichever balancer it is: weights, warming up, ejection, lists of all kinds, and what is kept."""

from __future__ import annotations

import gc
import random
import weakref
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gateway.balance.adaptive import Adaptive
from gateway.balance.consistent_hash import ConsistentHash
from gateway.balance.least_active import LeastActive
from gateway.balance.round_robin import RoundRobin
from gateway.balance.shortest_response import ShortestResponse
from gateway.balance.weighted_random import WeightedRandom
from gateway.config.sections.ejection import EjectionConfig
from gateway.model.errors import ConnectionLost
from gateway.plugins.catalog import Catalog
from gateway.routing.health import Health
from gateway.spi.cluster import LoadBalancer
from tests.support.fake_invoker import FakeInvoker, endpoint, invocation
from tests.support.simulated_load import SimulatedProvider, Simulation

Make = Callable[[Simulation], LoadBalancer]

MAKE: dict[str, Make] = {
    "random": lambda simulation: WeightedRandom(simulation.random.random),
    "round_robin": lambda simulation: RoundRobin(simulation.random.random),
    "least_active": lambda simulation: LeastActive(simulation.random.random),
    "consistent_hash": lambda simulation: ConsistentHash(None, simulation.random.random),
    "shortest_response": lambda simulation: ShortestResponse(None, simulation.random.random, simulation.clock),
    "adaptive": lambda simulation: Adaptive(None, simulation.random.random, simulation.clock),
}
every_balancer = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
by_weight = pytest.mark.parametrize(
    "make", [MAKE[name] for name in MAKE if name != "consistent_hash"], ids=[n for n in MAKE if n != "consistent_hash"]
)

# The upper 0.1 % of the chi-square distribution, by degrees of freedom.
# Source: NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.4.
CHI_SQUARE = {2: 13.816, 3: 16.266, 9: 27.877}


def test_all_balancers_that_ship_are_here() -> None:
    assert set(Catalog().names("balance")) == set(MAKE)


def chi_square(counted: Sequence[int], weights: Sequence[float]) -> float:
    calls, total = sum(counted), sum(weights)
    expected = [calls * weight / total for weight in weights]
    return sum((found - wanted) ** 2 / wanted for found, wanted in zip(counted, expected, strict=True))


@by_weight
@pytest.mark.parametrize("weights", [(100, 100, 100, 100), (100, 200, 300, 400), (10, 20, 70), (100,) * 10])
def test_choices_are_shared_by_weight(make: Make, weights: tuple[int, ...]) -> None:
    simulation = Simulation()
    balancer = make(simulation)
    providers = tuple(SimulatedProvider(number, weight) for number, weight in enumerate(weights))
    got: Counter[Any] = Counter(balancer.select(providers, invocation()) for _ in range(100_000))
    counted = [got[each] for each in providers]
    assert [each / 100_000 for each in counted] == pytest.approx([each / sum(weights) for each in weights], rel=0.02)
    assert chi_square(counted, weights) < CHI_SQUARE[len(weights) - 1]


def test_keys_are_shared_by_weight() -> None:
    # Points on a ring are themselves random: with 160 of them a share has a standard deviation of 8 %.
    providers = tuple(SimulatedProvider(number, weight) for number, weight in enumerate((100, 100, 200, 400)))
    balancer = ConsistentHash()
    got: Counter[Any] = Counter(balancer.select(providers, invocation("find", str(key))) for key in range(50_000))
    assert [got[each] / 50_000 for each in providers] == pytest.approx([1 / 8, 1 / 8, 1 / 4, 1 / 2], rel=0.25)


@every_balancer
def test_a_weight_changed_while_calls_run_counts_at_once(make: Make) -> None:
    simulation = Simulation()
    balancer = make(simulation)
    providers = tuple(SimulatedProvider(number) for number in range(4))
    simulation.run(balancer, providers, rate=1000, seconds=3)
    providers[0].load.set_weight(0)
    got = simulation.run(balancer, providers, rate=1000, seconds=1)
    assert got[providers[0]] == 0
    providers[0].load.set_weight(300)
    got = simulation.run(balancer, providers, rate=1000, seconds=4)
    assert got[providers[0]] / got.total() == pytest.approx(0.5, abs=0.1)


@every_balancer
def test_weight_zero_is_chosen_when_all_are_zero(make: Make) -> None:
    simulation = Simulation()
    providers = tuple(SimulatedProvider(number, 0) for number in range(3))
    got = simulation.run(make(simulation), providers, rate=100, seconds=1)
    assert got.total() == pytest.approx(100, abs=40)
    assert set(got) <= set(providers)


@every_balancer
def test_a_provider_that_warms_up_gets_its_share_of_the_share(make: Make) -> None:
    simulation = Simulation()
    balancer = make(simulation)
    warm = tuple(SimulatedProvider(number) for number in range(9))
    simulation.run(balancer, warm, rate=2000, seconds=3)
    cold = SimulatedProvider(9)
    cold.load.set_share(0.1)
    everybody = (*warm, cold)
    got = simulation.run(balancer, everybody, rate=2000, seconds=5)
    fair = 0.1 / 9.1
    # Idle, unknown and unloaded, and yet not chosen by everybody: the share counts.
    assert got[cold] / got.total() < 3 * fair
    assert got[cold] > 0
    for share in (0.4, 0.7, 1.0):
        cold.load.set_share(share)
        simulation.run(balancer, everybody, rate=2000, seconds=2)
    got = simulation.run(balancer, everybody, rate=2000, seconds=5)
    assert got[cold] / got.total() == pytest.approx(0.1, rel=0.3)


@every_balancer
def test_of_twenty_cold_providers_that_join_twenty_none_is_flooded(make: Make) -> None:
    simulation = Simulation()
    balancer = make(simulation)
    health = Health(warmup_s=10.0, clock=simulation.clock, wall=simulation.clock)
    warm = tuple(SimulatedProvider(number) for number in range(20))
    for each in warm:
        health.welcome(each, is_new=False)
    simulation.run(balancer, warm, rate=4000, seconds=3)
    cold = tuple(SimulatedProvider(20 + number) for number in range(20))
    for each in cold:
        # Caches are empty: answers take five times as long at first.
        each.base_s = 0.05
        health.welcome(each, is_new=True)
    everybody = (*warm, *cold)
    began = simulation.now
    while simulation.now < began + 12.0:
        for each in cold:
            each.base_s = 0.01 + 0.04 * max(0.0, 1.0 - (simulation.now - began) / 10.0)
        health.tick()
        got = simulation.run(balancer, everybody, rate=4000, seconds=1.0)
        average = got.total() / len(everybody)
        assert max(got[each] for each in cold) <= 2 * average
    assert min(got[each] for each in cold) > 0


@every_balancer
def test_an_ejected_provider_gets_nothing_and_comes_back(make: Make) -> None:
    simulation = Simulation()
    balancer = make(simulation)
    rules = EjectionConfig(failures=5, time=5.0)
    health = Health(rules, clock=simulation.clock, wall=simulation.clock)
    providers = tuple(SimulatedProvider(number) for number in range(5))
    for each in providers:
        health.welcome(each, is_new=False)
    bad = providers[2]
    bad.fails = lambda: ConnectionLost("gone")
    while not bad.load.ejected:
        # Some balancers hardly call one that fails, so it takes its time.
        simulation.run(balancer, providers, rate=1000, seconds=1)
        assert simulation.now < 1_060.0
    healthy = tuple(each for each in providers if not each.load.ejected)
    assert simulation.run(balancer, healthy, rate=1000, seconds=2)[bad] == 0
    bad.fails = lambda: None
    back = simulation.now + 30.0
    while simulation.now < back:
        health.tick()
        seen = tuple(each for each in providers if not each.load.ejected)
        simulation.run(balancer, seen, rate=1000, seconds=0.25)
    got = simulation.run(balancer, providers, rate=1000, seconds=5)
    assert got[bad] / got.total() == pytest.approx(0.2, rel=0.35)


@every_balancer
def test_lists_that_come_once_are_chosen_from_too(make: Make) -> None:
    simulation = Simulation()
    balancer = make(simulation)
    providers = tuple(SimulatedProvider(number) for number in range(6))
    for _ in range(300):
        rest = simulation.random.sample(providers, simulation.random.randint(1, 6))
        assert balancer.select(rest, invocation("find", simulation.random.random())) in rest
        assert balancer.select(providers, invocation("find", simulation.random.random())) in providers
    nobody = [SimulatedProvider(9, 0)]
    assert balancer.select(nobody, invocation("find", 1)) is nobody[0]


@every_balancer
def test_every_choice_can_be_explained(make: Make) -> None:
    simulation = Simulation()
    balancer = make(simulation)
    providers = tuple(SimulatedProvider(number) for number in range(3))
    for _ in range(3):
        call = invocation("find", "key")
        chosen = balancer.select(providers, call)
        assert any(digit.isdigit() for digit in balancer.explain(providers, call, chosen))
        simulation.run(balancer, providers, rate=100, seconds=1)
    assert balancer.explain(list(providers), invocation("find"), providers[0])


@every_balancer
def test_providers_that_are_gone_are_forgotten(make: Make) -> None:
    simulation = Simulation()
    balancer = make(simulation)
    gone: list[weakref.ref[FakeInvoker]] = []
    for round_ in range(12):
        providers = tuple(FakeInvoker(endpoint(20000 + 10 * round_ + number)) for number in range(3))
        gone += map(weakref.ref, providers)
        for _ in range(3):
            balancer.select(providers, invocation("find", "key"))
        balancer.select(list(providers[:2]), invocation("find", "key"))
    lasting = tuple(FakeInvoker(endpoint(30000 + number)) for number in range(3))
    del providers
    gc.collect()
    # A few lists are kept for a while …
    assert sum(each() is not None for each in gone) <= 3 * 8
    # … but not while other ones are used.
    for _ in range(2 * 4096 + 10):
        balancer.select(lasting, invocation("find", "key"))
    gc.collect()
    assert not any(each() is not None for each in gone)


@every_balancer
def test_names_of_methods_that_callers_make_up_cost_nothing(make: Make) -> None:
    simulation = Simulation()
    balancer = make(simulation)
    providers = tuple(SimulatedProvider(number) for number in range(3))
    for number in range(1_000):
        balancer.select(providers, invocation(f"method-{number}", "key"))
    rng = random.Random(1)
    got = Counter(balancer.select(providers, invocation(f"method-{number}", rng.random())) for number in range(3_000))
    assert min(got[each] for each in providers) > 600  # type: ignore[index]
