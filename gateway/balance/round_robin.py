"""Round robin by weight, evenly spread: no provider gets its calls in a row that it could get one by one."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from heapq import heapify, heapreplace
from math import inf
from typing import Final

from gateway.balance.prepared import Prepared
from gateway.balance.weighted_random import WeightedRandom
from gateway.config.sections.section import NoOptions
from gateway.model.call import Invocation
from gateway.spi.cluster import Invoker
from gateway.spi.plugin import BalancerPlugin

__all__ = ["PLUGIN", "RoundRobin"]

_METHODS: Final = 64
"""Methods that go round on their own; the rest go round together. Callers make up names where there is no contract."""
_THE_REST: Final = ""


class RoundRobin:
    """Gives each provider a turn every 1 / weight of a time of its own, and chooses who is due first.

    That is as smooth as nginx and Dubbo are, who add every weight to a credit at each choice, but costs the logarithm
    of the number of providers. (The same idea: `envoyproxy/envoy: source/common/upstream/edf_scheduler.h`.)
    Everybody's first turn is at random within its interval, so that processes that start together do not call the
    same providers together. Each method has turns of its own: calls of two methods that alternate would else always
    meet the same provider.

    A changed weight stretches or shortens the rest of the interval. A provider of a new list keeps its turn if it had
    one. A list that comes once is chosen from at random.

    `uniform`: gives numbers from 0 (inclusive) to 1 (exclusive); for tests.
    """

    __slots__ = ("_changes", "_once", "_prepared", "_uniform")

    def __init__(self, uniform: Callable[[], float] = random.random) -> None:
        self._uniform = uniform
        self._changes = 0
        self._once = WeightedRandom(uniform)
        self._prepared = Prepared(self._prepare)

    def select(self, invokers: Sequence[Invoker], invocation: Invocation) -> Invoker:
        """One of `invokers`, which is not empty."""
        rotations = self._prepared.find(invokers)
        if rotations is None:
            return self._once.draw(invokers)
        rotation = rotations.by_method.get(invocation.method)
        if rotation is None:
            rotation = self._rotation(rotations, invocation.method)
        if rotation.made_at != self._changes:
            rotation.reweigh(self._changes)
        return rotation.next()

    def explain(self, invokers: Sequence[Invoker], invocation: Invocation, chosen: Invoker) -> str:
        """Its share of all weights, which is how often its turn comes."""
        total = sum(each.load.weight for each in invokers)
        return f"its turn, {chosen.load.weight:g} in {total:g}"

    def _rotation(self, rotations: _Rotations, method: str) -> _Rotation:
        if len(rotations.by_method) >= _METHODS:
            method = _THE_REST
        rotation = rotations.by_method.get(method)
        if rotation is None:
            rotation = _Rotation(rotations.invokers, None, self._changes, self._uniform)
            rotations.by_method[method] = rotation
        return rotation

    def _prepare(self, invokers: tuple[Invoker, ...], before: _Rotations | None) -> _Rotations:
        for each in invokers:
            each.load.on_reweigh(self, self._reweighed)
        rotations = _Rotations(invokers)
        if before is not None:
            for method, rotation in before.by_method.items():
                rotations.by_method[method] = _Rotation(invokers, rotation, self._changes, self._uniform)
        return rotations

    def _reweighed(self) -> None:
        self._changes += 1


class _Rotations:
    """The turns at one tuple of providers, by method."""

    __slots__ = ("by_method", "invokers")

    def __init__(self, invokers: tuple[Invoker, ...]) -> None:
        self.invokers = invokers
        self.by_method: dict[str, _Rotation] = {}


class _Rotation:
    """The turns of one method: a heap of when each provider is due, and which it is."""

    __slots__ = ("_due", "_invokers", "_now", "_uniform", "_weights", "made_at")

    def __init__(
        self, invokers: tuple[Invoker, ...], before: _Rotation | None, made_at: int, uniform: Callable[[], float]
    ) -> None:
        self._invokers = invokers
        self._uniform = uniform
        self.made_at = made_at
        """How many changes of weights there had been when the weights were read."""
        self._now: float = 0.0 if before is None else before._now
        kept = {} if before is None else before._turns()
        self._weights = [each.load.weight for each in invokers]
        self._due: list[tuple[float, int]] = []
        for index, each in enumerate(invokers):
            due, weight = kept.get(id(each), (inf, 0.0))
            self._due.append((self._rescaled(due, weight, self._weights[index]), index))
        heapify(self._due)

    def next(self) -> Invoker:
        """Who is due first; its next turn is an interval later."""
        due, index = self._due[0]
        if due == inf:
            # Nobody has a weight.
            return self._invokers[int(self._uniform() * len(self._invokers))]
        self._now = due
        heapreplace(self._due, (due + 1.0 / self._weights[index], index))
        return self._invokers[index]

    def reweigh(self, made_at: int) -> None:
        """Reads the weights again."""
        self.made_at = made_at
        weights = [each.load.weight for each in self._invokers]
        if weights != self._weights:
            self._due = [(self._rescaled(due, self._weights[index], weights[index]), index) for due, index in self._due]
            self._weights = weights
            heapify(self._due)

    def _turns(self) -> dict[int, tuple[float, float]]:
        return {id(self._invokers[index]): (due, self._weights[index]) for due, index in self._due}

    def _rescaled(self, due: float, weight: float, new_weight: float) -> float:
        if weight == new_weight:
            return due
        if not new_weight:
            return inf
        if not weight:
            return self._now + self._uniform() / new_weight
        return self._now + (due - self._now) * weight / new_weight


def _build(_: NoOptions) -> RoundRobin:
    return RoundRobin()


PLUGIN: Final = BalancerPlugin("round_robin", NoOptions, _build)
