import random
from collections import Counter

import pytest

from gateway.balance.weighted_random import WeightedRandom
from tests.support.fake_invoker import FakeInvoker, endpoint, invocation

CALL = invocation()


def invokers(*weights: int) -> list[FakeInvoker]:
    return [FakeInvoker(endpoint(20880 + index, weight=weight)) for index, weight in enumerate(weights)]


def shares(balancer: WeightedRandom, providers: list[FakeInvoker], draws: int = 20_000) -> list[float]:
    counted = Counter(id(balancer.select(providers, CALL)) for _ in range(draws))
    return [counted[id(each)] / draws for each in providers]


@pytest.mark.parametrize(
    "weights",
    [(100, 100, 100), (100, 50, 50), (1, 2, 3, 4), (1000, 1, 1, 1), (200, 0, 100), (7,), (1, 1), (300, 100)],
)
def test_each_is_chosen_in_proportion_to_its_weight(weights: tuple[int, ...]) -> None:
    balancer = WeightedRandom(random.Random(7).random)
    providers = invokers(*weights)
    expected = [weight / sum(weights) for weight in weights]
    # 20,000 draws: four standard deviations of the most uncertain share are below 0.015.
    assert shares(balancer, providers) == pytest.approx(expected, abs=0.015)


def test_weight_zero_is_chosen_only_when_all_are_zero() -> None:
    balancer = WeightedRandom(random.Random(7).random)
    assert shares(balancer, invokers(0, 100, 0), 2_000) == [0.0, 1.0, 0.0]
    assert shares(balancer, invokers(0, 0)) == pytest.approx([0.5, 0.5], abs=0.015)


def test_a_weight_changed_while_running_counts_from_the_next_call() -> None:
    balancer = WeightedRandom(random.Random(7).random)
    providers = invokers(100, 100)
    assert shares(balancer, providers) == pytest.approx([0.5, 0.5], abs=0.015)
    providers[0].load.set_weight(0)
    assert shares(balancer, providers, 2_000) == [0.0, 1.0]
    providers[0].load.set_weight(900)
    assert shares(balancer, providers) == pytest.approx([0.9, 0.1], abs=0.015)
    providers[0].load.set_weight(1)
    providers[1].load.set_weight(3)
    assert shares(balancer, providers) == pytest.approx([0.25, 0.75], abs=0.015)


def test_shares_stay_right_while_parts_of_the_list_are_chosen_from_in_between() -> None:
    balancer = WeightedRandom(random.Random(7).random)
    providers = invokers(100, 400, 100)
    counted: Counter[int] = Counter()
    for _ in range(20_000):
        counted[id(balancer.select(providers, CALL))] += 1
        balancer.select([providers[0], providers[2]], CALL)
    assert [counted[id(each)] / 20_000 for each in providers] == pytest.approx([1 / 6, 2 / 3, 1 / 6], abs=0.015)


@pytest.mark.parametrize("drawn", [0.0, 0.5, 1.0 - 2**-53])
@pytest.mark.parametrize("weights", [(100, 100, 100), (1, 1, 1), (0, 1, 0), (0, 0, 0), (1, 0, 0)])
def test_the_edges_of_the_random_range_choose_somebody_allowed(drawn: float, weights: tuple[int, ...]) -> None:
    chosen = WeightedRandom(lambda: drawn).select(invokers(*weights), CALL)
    assert chosen.load.weight > 0 or not any(weights)
