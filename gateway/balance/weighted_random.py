"""Random choice by weight: the default balancer."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

from gateway.config.sections.section import NoOptions
from gateway.model.call import Invocation
from gateway.model.endpoint import DEFAULT_WEIGHT
from gateway.spi.cluster import Invoker
from gateway.spi.plugin import BalancerPlugin

__all__ = ["PLUGIN", "WeightedRandom"]

_TRIES: Final = 4


class WeightedRandom:
    """Chooses each invoker with the probability its weight has in the sum; weight 0 only where all are 0.

    Weights are read live and nothing is summed up as long as they are alike: any invoker is drawn and accepted with
    probability weight / largest weight (rejection sampling), so the usual choice costs the same for three providers
    and for a hundred. Only after several rejections are the weights added up. The largest weight is remembered
    from such a sum; one that was raised beyond it is noticed when its invoker is first drawn.

    `uniform`: gives numbers from 0 (inclusive) to 1 (exclusive); for tests.
    """

    __slots__ = ("_largest", "_length", "_uniform")

    def __init__(self, uniform: Callable[[], float] = random.random) -> None:
        self._uniform = uniform
        self._largest: float = DEFAULT_WEIGHT
        self._length = 0

    def select(self, invokers: Sequence[Invoker], invocation: Invocation) -> Invoker:
        """One of `invokers`, which is not empty."""
        count = len(invokers)
        largest = self._largest
        for _ in range(_TRIES):
            # One draw serves twice: its whole part picks, its fraction accepts.
            drawn = self._uniform() * count
            index = int(drawn)
            chosen = invokers[index]
            weight = chosen.load.weight
            if weight > largest:
                break
            if (drawn - index) * largest < weight:
                return chosen
        return self._select_by_sum(invokers)

    def explain(self, invokers: Sequence[Invoker], invocation: Invocation, chosen: Invoker) -> str:
        """Its share of all weights."""
        return f"weight {chosen.load.weight:g} of {sum(each.load.weight for each in invokers):g}"

    def _select_by_sum(self, invokers: Sequence[Invoker]) -> Invoker:
        weights = [invoker.load.weight for invoker in invokers]
        total = sum(weights)
        if not total:
            return invokers[int(self._uniform() * len(invokers))]
        largest = max(weights)
        # A shorter list may be a part of the one before, which comes again: lowered for it, the bound would be wrong.
        if largest > self._largest or len(weights) >= self._length:
            self._largest, self._length = largest, len(weights)
        rest = self._uniform() * total
        for invoker, weight in zip(invokers, weights, strict=True):
            rest -= weight
            if rest < 0:
                return invoker
        # Unreachable but for rounding at the very end of the range, where the last one with a weight is meant.
        return next(invoker for invoker, weight in zip(reversed(invokers), reversed(weights), strict=True) if weight)


def _build(_: NoOptions) -> WeightedRandom:
    return WeightedRandom()


PLUGIN: Final = BalancerPlugin("random", NoOptions, _build)
