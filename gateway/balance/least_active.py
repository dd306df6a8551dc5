"""Least active: the provider with the fewest calls in progress, so that slow ones get fewer."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import ceil
from typing import Final

from gateway.balance.prepared import Prepared
from gateway.config.sections.section import NoOptions
from gateway.model.call import Invocation, Result
from gateway.spi.cluster import Invoker
from gateway.spi.plugin import BalancerPlugin

__all__ = ["PLUGIN", "LeastActive"]

_TRIES: Final = 48
_ROUNDING: Final = 1e-9


class LeastActive:
    """Chooses among the providers with the fewest calls in progress, by weight where there are several.

    Twice the weight is meant to have twice the calls in progress, and counts as equally busy then. Calls in progress
    are those of this process, of all methods of the reference. (Dubbo counts them only where a limit is configured;
    without one its `leastactive` is a random choice.)

    An idle provider that warms up must not get everything because it is idle. So the lowest level is taken with the
    probability that its usual weight has to the usual weight of all; otherwise the next one is asked the same.

    `uniform`: gives numbers from 0 (inclusive) to 1 (exclusive); for tests.
    """

    __slots__ = ("_changes", "_prepared", "_uniform")

    def __init__(self, uniform: Callable[[], float] = random.random) -> None:
        self._uniform = uniform
        self._changes = 0
        self._prepared = Prepared(self._prepare, _Levels.detach)

    def select(self, invokers: Sequence[Invoker], invocation: Invocation) -> Invoker:
        """One of `invokers`, which is not empty."""
        levels = self._prepared.find(invokers)
        if levels is None:
            # Not prepared, so counted: by the actives of everybody.
            levels = _Levels(invokers, [_Activity(each.load.active) for each in invokers], self._uniform, self._changes)
        elif levels.made_at != self._changes:
            levels.reweigh(self._changes)
        return invokers[levels.choose()]

    def explain(self, invokers: Sequence[Invoker], invocation: Invocation, chosen: Invoker) -> str:
        """Its calls in progress and the fewest that anybody has; its weight among those that have as many as it."""
        active = chosen.load.active
        fewest = min(each.load.active for each in invokers)
        alike = sum(each.load.weight for each in invokers if each.load.active == active)
        return (
            f"{active} calls in progress, the fewest {fewest}; weight {chosen.load.weight:g} of {alike:g} with as many"
        )

    def _prepare(self, invokers: tuple[Invoker, ...], _: _Levels | None) -> _Levels:
        activities = []
        for each in invokers:
            each.load.on_reweigh(self, self._reweighed)
            activity = each.load.observe(self, _Activity)
            assert isinstance(activity, _Activity), "each owner has observers of one kind"
            activities.append(activity)
        levels = _Levels(invokers, activities, self._uniform, self._changes)
        levels.attach()
        return levels

    def _reweighed(self) -> None:
        self._changes += 1


class _Activity:
    """Counts the calls in progress at one provider (`gateway.spi.cluster.LoadObserver`)."""

    __slots__ = ("active", "places")

    def __init__(self, active: int = 0) -> None:
        self.active = active
        self.places: list[tuple[_Levels, int]] = []
        """Where it is to be moved when that changes."""

    def began(self, now: float) -> None:
        self.active += 1
        for levels, index in self.places:
            levels.move(index, self.active)

    def ended(self, began: float, now: float, outcome: Result | BaseException) -> None:
        self.active -= 1
        for levels, index in self.places:
            levels.move(index, self.active)


class _Levels:
    """The providers of one tuple by their calls in progress, kept up to date while these begin and end.

    The level of a provider is the number of its calls in progress where weights are equal; with twice the usual weight
    it is half of that, rounded up.
    """

    __slots__ = (
        "_activities",
        "_at",
        "_buckets",
        "_each",
        "_largest",
        "_level",
        "_loads",
        "_lowest",
        "_typical",
        "_uniform",
        "made_at",
    )

    def __init__(
        self,
        invokers: Sequence[Invoker],
        activities: Sequence[_Activity],
        uniform: Callable[[], float],
        made_at: int,
    ) -> None:
        self._activities = activities
        self._loads = [each.load for each in invokers]
        self._uniform = uniform
        self._buckets: dict[int, list[int]] = {}
        """Indices of providers by level, in no order; none is empty."""
        self.reweigh(made_at)

    def reweigh(self, made_at: int) -> None:
        """Reads the weights again, and finds the levels anew."""
        self.made_at = made_at
        """How many changes of weights there had been when the weights were read."""
        weights = [each.weight for each in self._loads]
        total = sum(weights)
        self._largest = max(weights)
        # The weight that a choice by weight usually meets: a few that warm up hardly change it.
        self._typical = typical = sum(each * each for each in weights) / total if total else 0.0
        self._each = [typical / weight if weight else 1.0 for weight in weights]
        """What a call in progress counts at a provider."""
        self._level = [self._level_of(index, each.active) for index, each in enumerate(self._activities)]
        self._at: list[int] = []
        self._buckets.clear()
        for index, level in enumerate(self._level):
            bucket = self._buckets.setdefault(level, [])
            self._at.append(len(bucket))
            bucket.append(index)
        self._lowest = min(self._buckets)

    def attach(self) -> None:
        """Has itself told of calls that begin and end."""
        for index, each in enumerate(self._activities):
            each.places.append((self, index))

    def detach(self) -> None:
        """Ends that."""
        for index, each in enumerate(self._activities):
            each.places.remove((self, index))

    def _level_of(self, index: int, active: int) -> int:
        return ceil(active * self._each[index] - _ROUNDING)

    def move(self, index: int, active: int) -> None:
        """Provider `index` has so many calls in progress now."""
        level, before = ceil(active * self._each[index] - _ROUNDING), self._level[index]
        if level == before:
            return
        buckets = self._buckets
        bucket = buckets[before]
        at = self._at[index]
        last = bucket.pop()
        if last != index:
            bucket[at] = last
            self._at[last] = at
        if not bucket:
            del buckets[before]
        self._level[index] = level
        bucket = buckets.setdefault(level, [])
        self._at[index] = len(bucket)
        bucket.append(index)
        if level < self._lowest:
            self._lowest = level
        elif before == self._lowest and before not in buckets:
            self._lowest = min(buckets)

    def choose(self) -> int:
        """The index of a provider of the lowest level that is accepted."""
        buckets, uniform, typical = self._buckets, self._uniform, self._typical
        lowest = buckets[self._lowest]
        if not typical:
            return lowest[int(uniform() * len(lowest))]
        if len(buckets) == 1:
            # Equally busy, so weights alone decide. The usual case of a quiet reference.
            return self._one_of(lowest)
        first: Sequence[int] | None = None
        for level in _upwards(buckets, self._lowest):
            bucket = buckets[level]
            # Drawn to judge the level by. Were it the choice as well, shares within the level would not be by weight.
            judged = self._loads[self._one_of(bucket)].weight
            if judged >= typical or (judged and uniform() * typical < judged):
                return self._one_of(bucket)
            if first is None and judged:
                first = bucket
        assert first is not None, "somebody has a weight"
        return self._one_of(first)

    def _one_of(self, bucket: Sequence[int]) -> int:
        """An index of `bucket`, by weight. One of weight 0 only where there are no others in it."""
        uniform, loads, largest = self._uniform, self._loads, self._largest
        count = len(bucket)
        if count == 1:
            return bucket[0]
        for _ in range(_TRIES):
            # One draw serves twice: its whole part picks, its fraction accepts.
            drawn = uniform() * count
            at = int(drawn)
            index = bucket[at]
            if (drawn - at) * largest < loads[index].weight:
                return index
        weights = [loads[index].weight for index in bucket]
        rest = uniform() * sum(weights)
        for index, weight in zip(bucket, weights, strict=True):
            rest -= weight
            if rest < 0:
                return index
        return max(bucket, key=lambda index: loads[index].weight)


def _upwards(levels: Iterable[int], lowest: int) -> Iterator[int]:
    """All levels, sorted only when the lowest is not enough."""
    yield lowest
    yield from sorted(each for each in levels if each != lowest)


def _build(_: NoOptions) -> LeastActive:
    return LeastActive()


PLUGIN: Final = BalancerPlugin("least_active", NoOptions, _build)
