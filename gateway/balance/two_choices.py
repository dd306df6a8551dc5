"""Two random choices: the better of two providers, which comes close to the best of all and cannot stampede.

Both are drawn by weight. The first keeps the call unless the second is clearly better: with equal providers the weights
alone decide, and figures that differ by chance do not. (`The power of two choices in randomized load balancing`,
M. Mitzenmacher, IEEE TPDS 12(10), 2001; most of the gain of a full search, without every caller finding the same one.)
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

from gateway.balance.weighted_random import WeightedRandom
from gateway.spi.cluster import Invoker

__all__ = ["TwoChoices"]

_TRIES: Final = 4


class TwoChoices:
    """Draws two different providers. `uniform`: gives numbers from 0 (inclusive) to 1 (exclusive); for tests."""

    __slots__ = ("_random", "_uniform")

    def __init__(self, uniform: Callable[[], float] = random.random) -> None:
        self._uniform = uniform
        self._random = WeightedRandom(uniform)

    def draw(self, invokers: Sequence[Invoker]) -> tuple[Invoker, Invoker]:
        """The one that keeps the call, and the other one; the same twice where there is no other with a weight."""
        draw = self._random.draw
        first = draw(invokers)
        if not first.load.weight:
            return first, first
        if len(invokers) == 2:
            other = invokers[0] if first is invokers[1] else invokers[1]
            return (first, other) if other.load.weight else (first, first)
        for _ in range(_TRIES):
            other = draw(invokers)
            if other is not first:
                return first, other
        # Nearly all the weight is with one of them. Should it be slow, anybody else has to be found.
        other = invokers[int(self._uniform() * len(invokers))]
        return (first, other) if other.load.weight else (first, first)
