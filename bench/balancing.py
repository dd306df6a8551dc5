"""What it costs to choose one of a thousand providers: every balancer, in this process, on a core of its own."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench.process import SERVER_CORE, pinned
from gateway.model.call import Invocation, Ok
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.plugins.catalog import Catalog
from gateway.spi.cluster import Load, LoadBalancer

PROVIDERS = 1_000
CHOICE_US = {
    "random": 10.0,
    "round_robin": 10.0,
    "shortest_response": 10.0,
    "consistent_hash": 10.0,
    "least_active": 30.0,
    "adaptive": 10.0,
}
"""What a choice may cost, microseconds of CPU."""

_SERVICE = ServiceKey("bench.Echo")
_UNDER_WAY = 800
_WARM_UP = 3_000
_CALLS = 1_000
_REPEATS = 9


@dataclass(frozen=True, slots=True)
class ChoiceCost:
    """Microseconds of CPU for a choice; `prepare_ms`: for the first ones after the providers changed, milliseconds.

    `equal_us`: all weights are alike and nobody is busy, so all are tied. `mixed_us`: weights from 1 to 400, a third of
    the providers warm up, and calls are in progress.
    """

    equal_us: float
    mixed_us: float
    prepare_ms: float

    @property
    def worst_us(self) -> float:
        """Of both."""
        return max(self.equal_us, self.mixed_us)


def measure_choices(announce: Callable[[str], None]) -> dict[str, ChoiceCost]:
    """The cost of a choice by balancer."""
    found = {}
    with pinned(SERVER_CORE):
        for name in CHOICE_US:
            announce(f"choosing one of {PROVIDERS}: {name}")
            equal_us, equal_ms = _measure(name, mixed=False)
            mixed_us, mixed_ms = _measure(name, mixed=True)
            found[name] = ChoiceCost(equal_us, mixed_us, max(equal_ms, mixed_ms))
    return found


def _measure(name: str, *, mixed: bool) -> tuple[float, float]:
    plugin = Catalog().balancer(name)
    balancer = plugin.build(plugin.options())
    providers: Any = tuple(_providers(random.Random(1), mixed))
    # With keys that differ, as those of real calls.
    calls = [Invocation(_SERVICE, "echo", (f"key {number}",)) for number in range(_CALLS)]
    began = time.thread_time()
    for _ in range(2):
        balancer.select(providers, calls[0])
    prepared_ms = (time.thread_time() - began) * 1e3
    if mixed:
        _keep_busy(balancer, providers, calls)
    rounds = []
    for _ in range(_REPEATS):
        began = time.thread_time()
        for call in calls:
            balancer.select(providers, call)
        rounds.append((time.thread_time() - began) / _CALLS * 1e6)
    return sorted(rounds)[_REPEATS // 2], prepared_ms


def _keep_busy(balancer: LoadBalancer, providers: Sequence[Any], calls: Sequence[Invocation]) -> None:
    """Calls begin and end as they would, until many are under way and everybody is known."""
    rng = random.Random(2)
    running: list[tuple[Any, Any, float]] = []
    for number in range(_WARM_UP):
        now = time.monotonic()
        chosen: Any = balancer.select(providers, calls[number % len(calls)])
        observers = chosen.load.observers
        chosen.load.active += 1
        for each in observers:
            each.began(now)
        running.append((chosen, observers, now))
        if len(running) > _UNDER_WAY:
            ended, observers, began = running.pop(rng.randrange(len(running)))
            ended.load.active -= 1
            for each in observers:
                each.ended(began, began + rng.expovariate(100.0), Ok(None))


def _providers(rng: random.Random, mixed: bool) -> Iterator[_Provider]:
    for number in range(PROVIDERS):
        made = _Provider(number, rng.choice((1, 50, 100, 400)) if mixed else 100)
        if mixed and rng.random() < 1 / 3:
            made.load.set_share(rng.uniform(0.05, 1.0))
        yield made


class _Provider:
    """As much of an invoker as balancers look at."""

    __slots__ = ("available", "endpoint", "load")

    def __init__(self, number: int, weight: int) -> None:
        self.endpoint = Endpoint("dubbo", f"10.0.{number // 250}.{number % 250}", 20880, _SERVICE, weight)
        self.load = Load(weight)
        self.available = True
