"""Random choice by weight: the default balancer."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final

from gateway.balance.prepared import Prepared
from gateway.config.sections.section import NoOptions
from gateway.model.call import Invocation
from gateway.model.endpoint import DEFAULT_WEIGHT
from gateway.spi.cluster import Invoker
from gateway.spi.plugin import BalancerPlugin

__all__ = ["PLUGIN", "WeightedRandom"]

_TRIES: Final = 4
_EVEN: Final = 0.6
"""Share of draws that must be accepted for drawing to be cheaper than looking into the sums."""


class WeightedRandom:
    """Chooses each invoker with the probability its weight has in the sum; weight 0 only where all are 0.

    Nothing is summed up as long as weights are alike: any invoker is drawn and accepted with probability weight /
    largest weight (rejection sampling), so the usual choice costs the same for three providers and for a thousand.
    After several rejections, and where many are to be expected, the running sums of the weights decide; they are kept
    until a weight changes.

    `uniform`: gives numbers from 0 (inclusive) to 1 (exclusive); for tests.
    """

    __slots__ = ("_changes", "_largest", "_length", "_sums", "_uneven", "_uniform")

    def __init__(self, uniform: Callable[[], float] = random.random) -> None:
        self._uniform = uniform
        self._largest: float = DEFAULT_WEIGHT
        self._length = 0
        self._changes = 0
        self._uneven = False
        self._sums = Prepared(self._prepare)

    def select(self, invokers: Sequence[Invoker], invocation: Invocation) -> Invoker:
        """One of `invokers`, which is not empty."""
        return self.draw(invokers)

    def draw(self, invokers: Sequence[Invoker]) -> Invoker:
        """The same, for balancers that begin with a random choice."""
        prepared: _Sums | None = None
        if self._uneven:
            prepared = self._sums.find(invokers)
            if prepared is not None:
                return invokers[self._index_in(self._sums_now(prepared, invokers))]
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
        if not self._uneven:
            prepared = self._sums.find(invokers)
        sums = self._sum_up(invokers) if prepared is None else self._sums_now(prepared, invokers)
        return invokers[self._index_in(sums)]

    def explain(self, invokers: Sequence[Invoker], invocation: Invocation, chosen: Invoker) -> str:
        """Its share of all weights."""
        return f"weight {chosen.load.weight:g} of {sum(each.load.weight for each in invokers):g}"

    def _sums_now(self, prepared: _Sums, invokers: Sequence[Invoker]) -> list[float]:
        if prepared.made_at != self._changes:
            prepared.made_at, prepared.sums = self._changes, self._sum_up(invokers)
            self._uneven = prepared.sums[-1] < _EVEN * self._largest * len(invokers)
        return prepared.sums

    def _index_in(self, sums: list[float]) -> int:
        total = sums[-1]
        if not total:
            return int(self._uniform() * len(sums))
        index = bisect_right(sums, self._uniform() * total)
        # At the very end of the range rounding may reach beyond it, where the last one with a weight is meant.
        return index if index < len(sums) else sums.index(total)

    def _sum_up(self, invokers: Sequence[Invoker]) -> list[float]:
        weights = [each.load.weight for each in invokers]
        largest = max(weights)
        # A shorter list may be a part of the one before, which comes again: lowered for it, the bound would be wrong.
        if largest and (largest > self._largest or len(weights) >= self._length):
            self._largest, self._length = largest, len(weights)
        return list(accumulate(weights))

    def _prepare(self, invokers: tuple[Invoker, ...], _: _Sums | None) -> _Sums:
        for each in invokers:
            each.load.on_reweigh(self, self._reweighed)
        sums = self._sum_up(invokers)
        self._uneven = sums[-1] < _EVEN * self._largest * len(invokers)
        return _Sums(self._changes, sums)

    def _reweighed(self) -> None:
        self._changes += 1


class _Sums:
    """Running sums of the weights; `made_at`: how many changes there had been."""

    __slots__ = ("made_at", "sums")

    def __init__(self, made_at: int, sums: list[float]) -> None:
        self.made_at = made_at
        self.sums = sums


def _build(_: NoOptions) -> WeightedRandom:
    return WeightedRandom()


PLUGIN: Final = BalancerPlugin("random", NoOptions, _build)
