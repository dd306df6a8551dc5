from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.balance.consistent_hash import ConsistentHash, ConsistentHashOptions
from gateway.contracts.python import contract_of
from gateway.demo.catalog import Catalog
from gateway.model.call import Invocation, Ok
from gateway.model.errors import BadRequest
from tests.support.fake_invoker import SERVICE, FakeInvoker, endpoint, invocation
from tests.support.simulated_load import SimulatedProvider, Simulation

RECORDED = Path(__file__).parent / "recorded" / "dubbo_consistent_hash.tsv"

CALLS: list[tuple[Any, ...]] = [
    *((key, 7) for key in ("lamp", "chair", "", "käse", "訂單", *(f"key-{number}" for number in range(1, 7)))),
    *((number, 7) for number in (0, 1, -1, 42, 9007199254740993)),
    *((True, 7), (None, 7), (1.5, 7), (1e10, 7), (1e-5, 7), (123456.789, 7)),
    *((["a", 1, True], 7), (Decimal("10.50"), 7)),
]


def recorded() -> list[tuple[int, str, tuple[Any, ...], str]]:
    lines = [line for line in RECORDED.read_text("utf-8").splitlines() if not line.startswith("#")]
    made = []
    for position, line in enumerate(lines):
        count, parameters, _, chosen = line.split("\t")
        made.append((int(count), parameters, CALLS[position % len(CALLS)], chosen))
    return made


def test_choices_are_those_of_dubbo() -> None:
    cases = recorded()
    assert len(cases) == 4 * len(CALLS)
    balancers: dict[tuple[int, str], tuple[ConsistentHash, tuple[FakeInvoker, ...]]] = {}
    for count, parameters, arguments, chosen in cases:
        if (count, parameters) not in balancers:
            options = {"nodes": 320, "arguments": [0, 1]} if parameters else {}
            providers = [
                FakeInvoker(endpoint(20880 + number % 3, host=f"10.0.0.{number}")) for number in range(1, count + 1)
            ]
            made = ConsistentHash(ConsistentHashOptions.model_validate(options))
            balancers[count, parameters] = (made, tuple(providers))
        balancer, providers_ = balancers[count, parameters]
        assert balancer.select(providers_, invocation("find", *arguments)).endpoint.address == chosen, arguments


KEYS = [invocation("find", f"customer {number}") for number in range(20_000)]


def owners(balancer: ConsistentHash, providers: tuple[Any, ...]) -> list[Any]:
    balancer.select(providers, KEYS[0])
    return [balancer.select(providers, key) for key in KEYS]


@pytest.mark.parametrize("count", [5, 20, 100])
def test_few_keys_move_when_a_provider_joins_or_leaves(count: int) -> None:
    balancer = ConsistentHash()
    providers = tuple(SimulatedProvider(number) for number in range(count))
    before = owners(balancer, providers)
    for gone in range(min(count, 8)):
        rest = (*providers[:gone], *providers[gone + 1 :])
        after = owners(balancer, rest)
        moved = sum(one is not other for one, other in zip(before, after, strict=True))
        assert moved <= 1.3 / count * len(KEYS)
        # Only what was its own moved.
        assert all(one is other or one is providers[gone] for one, other in zip(before, after, strict=True))
        assert owners(balancer, providers) == before


def test_what_was_prepared_step_by_step_is_what_is_prepared_at_once() -> None:
    gradual = ConsistentHash()
    providers = [SimulatedProvider(number) for number in range(10)]
    for count in range(2, 11):
        owners(gradual, tuple(providers[:count]))
    providers[3].load.set_share(0.3)
    providers[4].load.set_weight(250)
    assert owners(gradual, tuple(providers[2:])) == owners(ConsistentHash(), tuple(reversed(providers[2:])))


def test_keys_come_to_a_provider_that_warms_up_and_stay() -> None:
    balancer = ConsistentHash()
    providers = tuple(SimulatedProvider(number) for number in range(10))
    new = providers[9]
    new.load.set_share(0.05)
    before = owners(balancer, providers)
    share = before.count(new) / len(KEYS)
    assert share < 0.02
    for step in (0.25, 0.5, 1.0):
        new.load.set_share(step)
        after = owners(balancer, providers)
        assert all(one is other or other is new for one, other in zip(before, after, strict=True))
        before = after
    assert before.count(new) / len(KEYS) == pytest.approx(0.1, rel=0.3)


def test_another_weight_of_one_moves_no_keys_between_others() -> None:
    balancer = ConsistentHash()
    providers = tuple(SimulatedProvider(number) for number in range(10))
    before = owners(balancer, providers)
    providers[0].load.set_weight(300)
    after = owners(balancer, providers)
    assert all(one is other or other is providers[0] for one, other in zip(before, after, strict=True))


def test_one_key_called_by_everybody_does_not_break_its_provider() -> None:
    simulation = Simulation()
    balancer = ConsistentHash(None, simulation.random.random)
    providers = tuple(SimulatedProvider(number, time_s=1.0) for number in range(10))
    key = invocation("find", "celebrity")
    for _ in range(200):
        chosen = balancer.select(providers, key)
        chosen.load.active += 1
        for each in chosen.load.observers:
            each.began(0.0)
    running = [each.load.active for each in providers]
    # ceil(1.25 x (199 / 10 + 1)); the first call was made before anybody counted.
    assert max(running) <= 28
    assert sum(running) == 200
    for each in providers:
        while each.load.active:
            each.load.active -= 1
            for observer in each.load.observers:
                observer.ended(0.0, 1.0, Ok(None))
    assert len({balancer.select(providers, key) for _ in range(5)}) == 1


def test_while_there_is_little_to_do_calls_stay_with_their_keys() -> None:
    simulation = Simulation()
    balancer = ConsistentHash(None, simulation.random.random)
    owner = ConsistentHash(ConsistentHashOptions(bound=0))
    providers = tuple(SimulatedProvider(number) for number in range(10))
    at_home = 0
    for _ in range(2_000):
        # Five calls in progress on average.
        key = invocation("find", f"key {simulation.random.getrandbits(30)}")
        got = simulation.run(balancer, providers, rate=500, seconds=0.002, calls=iter([key] * 10))
        at_home += sum(count for each, count in got.items() if each is owner.select(providers, key))
    assert at_home > 0.85 * 2_000


def test_without_a_bound_a_key_has_one_provider() -> None:
    balancer = ConsistentHash(ConsistentHashOptions(bound=0))
    providers = tuple(SimulatedProvider(number) for number in range(10))
    chosen = balancer.select(providers, invocation("find", "celebrity"))
    chosen.load.active = 1_000
    assert balancer.select(providers, invocation("find", "celebrity")) is chosen


def test_the_rest_of_a_list_takes_the_next_on_the_ring() -> None:
    balancer = ConsistentHash()
    providers = tuple(SimulatedProvider(number) for number in range(10))
    for key in KEYS[:200]:
        first = balancer.select(providers, key)
        rest = [each for each in providers if each is not first]
        # What would be chosen if the first were gone for good.
        assert balancer.select(rest, key) is ConsistentHash().select(tuple(rest), key)


PROVIDERS = tuple(SimulatedProvider(number) for number in range(20))


def chosen_by(options: dict[str, Any], *calls: Invocation) -> list[Any]:
    balancer = ConsistentHash(ConsistentHashOptions.model_validate(options))
    balancer.select(PROVIDERS, calls[0])
    return [balancer.select(PROVIDERS, call) for call in calls]


def test_arguments_are_chosen_by_number_or_name() -> None:
    contract = contract_of(Catalog)
    method = next(each for each in contract.methods if each.params)
    named = Invocation(SERVICE, method.name, ("lamp",) * len(method.params), signature=method)
    by_name, by_number = chosen_by({"arguments": [method.params[0].name]}, named)[0], chosen_by({}, named)[0]
    assert by_name is by_number
    assert by_name is chosen_by({}, invocation("find", "lamp"))[0]


def test_an_attachment_can_be_the_key() -> None:
    options = {"attachment": "customer"}
    calls = [invocation("find", number, attachments={"customer": "Ann"}) for number in range(50)]
    assert len(set(chosen_by(options, *calls))) == 1
    without = [invocation("find", "same") for _ in range(200)]
    assert len(set(chosen_by(options, *without))) > 5


def test_calls_without_anything_to_hash_are_spread() -> None:
    assert len(set(chosen_by({}, *(invocation("all") for _ in range(200))))) > 5
    assert len(set(chosen_by({"arguments": ["3"]}, *(invocation("find", "a") for _ in range(200))))) > 5


def test_the_arguments_inside_a_generic_call_are_hashed() -> None:
    generic = [invocation("$invoke", "find", ["java.lang.String"], [f"customer {each}"]) for each in range(100)]
    plain = [invocation("find", f"customer {each}") for each in range(100)]
    assert chosen_by({}, *generic) == chosen_by({}, *plain)


class Raw:
    wire = "dubbo"

    def __init__(self, *values: Any) -> None:
        self.values = values
        self.decoded: list[int] = []

    def decode(self) -> tuple[Any, ...]:
        self.decoded.append(len(self.values))
        return self.values

    def decode_leading(self, count: int) -> tuple[Any, ...]:
        self.decoded.append(count)
        if self.values[0] is Ellipsis:
            raise BadRequest("args[0]: no text")
        return self.values[:count]


def test_of_a_call_that_is_still_bytes_only_what_is_hashed_is_decoded() -> None:
    raw = Raw("lamp", "a long text", "another one")
    call = Invocation(SERVICE, "find", None, raw=raw)
    assert chosen_by({}, call) == chosen_by({}, invocation("find", "lamp"))
    assert set(raw.decoded) == {1}
    with pytest.raises(BadRequest):
        chosen_by({}, Invocation(SERVICE, "find", None, raw=Raw(...)))


@pytest.mark.parametrize("wrong", [{"nodes": 161}, {"nodes": 0}, {"bound": -1}, {"arguments": [True]}, {"argument": 1}])
def test_options_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"nodes|bound|argument"):
        ConsistentHashOptions.model_validate(wrong)


def test_the_explanation_names_who_passed_the_call_on() -> None:
    balancer = ConsistentHash()
    call = invocation("find", "lamp")
    balancer.select(PROVIDERS, call)
    first: Any = balancer.select(PROVIDERS, call)
    assert "160 of 3200 points" in balancer.explain(PROVIDERS, call, first)
    first.load.active = 50
    try:
        second = balancer.select(PROVIDERS, call)
        assert f"passed on by {first.endpoint.address} with 50 calls" in balancer.explain(PROVIDERS, call, second)
    finally:
        first.load.active = 0


def test_shares_of_equal_providers_are_about_equal() -> None:
    got = Counter(owners(ConsistentHash(), PROVIDERS))
    assert max(got.values()) / len(KEYS) < 1.3 / 20
