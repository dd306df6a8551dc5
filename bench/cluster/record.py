"""What a run leaves behind: counts and times in buckets of equal length, and what can be read from them."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

__all__ = ["Record", "quantile", "zeros"]


def zeros(buckets: int) -> array[int]:
    """A counter for each bucket."""
    return array("l", bytes(array("l").itemsize * buckets))


@dataclass(slots=True)
class Record:
    """A call belongs to the bucket in which it began, an attempt to that of its arrival.

    `attempts[index][bucket]`: at each provider. `began`, `lost`: calls, and those that ended in an error;
    `errors`: those by code. `latencies[bucket]`: of calls that were answered, seconds. `relayed[hop][bucket]`: attempts
    at the gateways in between. `moved[bucket]`: attempts with an argument that was last seen at another provider;
    `arguments`: different ones. `refusals`: attempts refused by a full provider. `executions`: calls that a provider
    began to work at, `doubled`: those of them beyond a call's first. `unfinished`: calls without any end.
    """

    bucket_s: float
    buckets: int
    attempts: list[array[int]] = field(default_factory=list)
    latencies: list[array[float]] = field(default_factory=list)
    began: array[int] = field(default_factory=lambda: array("l"))
    lost: array[int] = field(default_factory=lambda: array("l"))
    moved: array[int] = field(default_factory=lambda: array("l"))
    relayed: list[array[int]] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    arguments: int = 0
    refusals: int = 0
    executions: int = 0
    doubled: int = 0
    unfinished: int = 0

    @property
    def calls(self) -> int:
        """That came in."""
        return sum(self.began)

    def window(self, from_s: float, until_s: float | None = None) -> range:
        """The buckets between two times; to the end without the second."""
        first = round(from_s / self.bucket_s)
        last = self.buckets if until_s is None else round(until_s / self.bucket_s)
        return range(max(0, first), max(0, min(self.buckets, last)))

    def load(self, indices: Iterable[int], buckets: range) -> int:
        """Attempts at these providers."""
        return sum(sum(self.attempts[index][buckets.start : buckets.stop]) for index in indices)

    def busiest(self, indices: Iterable[int], buckets: range) -> int:
        """The most attempts at one of these providers."""
        return max(sum(self.attempts[index][buckets.start : buckets.stop]) for index in indices)

    def times(self, buckets: Iterable[int]) -> list[float]:
        """Of the answered calls that began then, in order of their length, seconds."""
        return sorted(value for bucket in buckets for value in self.latencies[bucket])


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that this share of all values does not exceed; not a number when there are none."""
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan
