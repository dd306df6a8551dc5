"""What must come of a scenario. Each kind of figure is a small class with its bounds; `judge` reads it from a run.

Times are seconds since the start of the run, of whole buckets; `until_s` None means to the end. `only`: the balancers
or modes it holds for; all when empty.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bench.cluster.record import quantile

if TYPE_CHECKING:
    from bench.cluster.simulation import Outcome

__all__ = [
    "Answered",
    "AnsweredInTime",
    "Ejected",
    "Expectation",
    "Finding",
    "HopLoad",
    "KeysMoved",
    "Lost",
    "NeverTwice",
    "PeakLoad",
    "ShareOfLoad",
    "WeightsKept",
]

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure of one run: what it is, what was wanted, what was found."""

    what: str
    wanted: str
    found: str
    reached: bool


class Expectation(Protocol):
    """One figure that must be reached."""

    @property
    def only(self) -> Names:
        """For which balancers or modes, by name; empty for all (read-only)."""
        ...

    def judge(self, outcome: Outcome) -> Finding:
        """Whether it was."""
        ...


@dataclass(frozen=True, slots=True)
class Lost:
    """The share of the calls that ended in an error."""

    at_most: float = 0.0
    from_s: float = 0.0
    until_s: float | None = None
    only: Names = ()

    def judge(self, outcome: Outcome) -> Finding:
        """See `Expectation.judge`."""
        record = outcome.record
        buckets = record.window(self.from_s, self.until_s)
        lost, calls = sum(record.lost[each] for each in buckets), sum(record.began[each] for each in buckets)
        reached = bool(calls) and lost <= self.at_most * calls
        wanted = f"at most {self.at_most:.2%}" if self.at_most else "none"
        return Finding(f"calls lost{_span(self.from_s, self.until_s)}", wanted, f"{lost} of {calls}", reached)


@dataclass(frozen=True, slots=True)
class NeverTwice:
    """No provider works at a call that another one, or itself, has worked at."""

    only: Names = ()

    def judge(self, outcome: Outcome) -> Finding:
        """See `Expectation.judge`."""
        doubled = outcome.record.doubled
        return Finding("calls executed twice", "none", f"{doubled} of {outcome.record.executions}", not doubled)


@dataclass(frozen=True, slots=True)
class Answered:
    """Every call comes to an end, with an answer or an error. Holds for every scenario."""

    only: Names = ()

    def judge(self, outcome: Outcome) -> Finding:
        """See `Expectation.judge`."""
        unfinished = outcome.record.unfinished
        return Finding("calls without an end", "none", f"{unfinished} of {outcome.record.calls}", not unfinished)


@dataclass(frozen=True, slots=True)
class ShareOfLoad:
    """The load of a group's nodes, as a multiple of what an average node of the groups `among` gets (1 is fair)."""

    group: str
    from_s: float
    until_s: float | None = None
    at_least: float = 0.0
    at_most: float = math.inf
    among: Names = ()
    only: Names = ()

    def judge(self, outcome: Outcome) -> Finding:
        """See `Expectation.judge`."""
        record = outcome.record
        buckets = record.window(self.from_s, self.until_s)
        everybody = _members(outcome, self.among)
        mine = outcome.groups[self.group]
        total = record.load(everybody, buckets) / len(everybody)
        share = record.load(mine, buckets) / len(mine) / total if total else math.nan
        return Finding(
            f"load of {self.group}{_span(self.from_s, self.until_s)}",
            _between(self.at_least, self.at_most, "x fair"),
            f"{share:.2f}x",
            self.at_least <= share <= self.at_most,
        )


@dataclass(frozen=True, slots=True)
class PeakLoad:
    """The load of the busiest node of a group in its busiest `span_s`, as a multiple of the average node's then."""

    group: str
    at_most: float
    from_s: float
    until_s: float | None = None
    span_s: float = 1.0
    among: Names = ()
    only: Names = ()

    def judge(self, outcome: Outcome) -> Finding:
        """See `Expectation.judge`."""
        record = outcome.record
        everybody = _members(outcome, self.among)
        buckets = record.window(self.from_s, self.until_s)
        width = max(1, round(self.span_s / record.bucket_s))
        peak = 0.0
        for start in range(buckets.start, buckets.stop - width + 1, width):
            span = range(start, start + width)
            average = record.load(everybody, span) / len(everybody)
            if average:
                peak = max(peak, record.busiest(outcome.groups[self.group], span) / average)
        return Finding(
            f"busiest of {self.group}{_span(self.from_s, self.until_s)}",
            f"at most {self.at_most:g}x average",
            f"{peak:.2f}x",
            0 < peak <= self.at_most,
        )


@dataclass(frozen=True, slots=True)
class WeightsKept:
    """Each provider's share of all attempts is its weight's share of all weights.

    `within`: greatest deviation of any of them, relative. `p`: chi-square's least probability that it is mere chance.
    """

    within: float = 0.02
    p: float = 0.01
    only: Names = ()

    def judge(self, outcome: Outcome) -> Finding:
        """See `Expectation.judge`."""
        record = outcome.record
        buckets = record.window(0.0)
        counts = [record.load((index,), buckets) for index in range(len(record.attempts))]
        total, weights = sum(counts), outcome.weights
        wanted = [total * weight / sum(weights) for weight in weights]
        worst = max(abs(count / each - 1.0) for count, each in zip(counts, wanted, strict=True))
        chi_square = sum((count - each) ** 2 / each for count, each in zip(counts, wanted, strict=True))
        p = _by_chance(chi_square, len(counts) - 1)
        return Finding(
            f"weights over {total} attempts",
            f"within {self.within:.0%}, p at least {self.p:g}",
            f"within {worst:.2%}, p {p:.2f}",
            worst <= self.within and p >= self.p,
        )


@dataclass(frozen=True, slots=True)
class HopLoad:
    """Attempts at the busiest hop, gateways in between and providers alike, for each call that came in."""

    at_most: float
    from_s: float = 0.0
    until_s: float | None = None
    only: Names = ()

    def judge(self, outcome: Outcome) -> Finding:
        """See `Expectation.judge`."""
        record = outcome.record
        buckets = record.window(self.from_s, self.until_s)
        calls = sum(record.began[each] for each in buckets)
        hops = [sum(hop[each] for each in buckets) for hop in record.relayed]
        hops.append(record.load(range(len(record.attempts)), buckets))
        worst = max(hops) / calls if calls else math.nan
        found = f"{worst:.2f} ({', '.join(f'{each / max(1, calls):.2f}' for each in hops)} by hop)"
        what = f"attempts per call{_span(self.from_s, self.until_s)}"
        return Finding(what, f"at most {self.at_most:g}", found, worst <= self.at_most)


@dataclass(frozen=True, slots=True)
class KeysMoved:
    """Arguments that are sent elsewhere from then on, as a multiple of those that have to be: a node's part of all.

    `nodes`: how many there are with the node that joins, or that leaves.
    """

    nodes: int
    at_most: float
    from_s: float
    until_s: float | None = None
    only: Names = ()

    def judge(self, outcome: Outcome) -> Finding:
        """See `Expectation.judge`."""
        record = outcome.record
        moved = sum(record.moved[each] for each in record.window(self.from_s, self.until_s))
        share = moved * self.nodes / record.arguments
        return Finding(
            f"keys moved{_span(self.from_s, self.until_s)}",
            f"at most {self.at_most:g}/{self.nodes} of all",
            f"{share:.2f}/{self.nodes} ({moved} of {record.arguments})",
            0 < share <= self.at_most,
        )


@dataclass(frozen=True, slots=True)
class AnsweredInTime:
    """The time within which that share of the answers came."""

    share: float
    at_most_s: float
    from_s: float = 0.0
    until_s: float | None = None
    only: Names = ()

    def judge(self, outcome: Outcome) -> Finding:
        """See `Expectation.judge`."""
        found = quantile(outcome.record.times(outcome.record.window(self.from_s, self.until_s)), self.share)
        return Finding(
            f"p{self.share * 100:g}{_span(self.from_s, self.until_s)}",
            f"at most {self.at_most_s * 1000:g} ms",
            f"{found * 1000:.1f} ms",
            found <= self.at_most_s,
        )


@dataclass(frozen=True, slots=True)
class Ejected:
    """How often the gateways left a provider alone."""

    at_most: int
    only: Names = ()

    def judge(self, outcome: Outcome) -> Finding:
        """See `Expectation.judge`."""
        count = outcome.counts.get("ejected", 0)
        return Finding("ejections", f"at most {self.at_most}", str(count), count <= self.at_most)


def _members(outcome: Outcome, groups: Names) -> Sequence[int]:
    return [index for name, indices in outcome.groups.items() if not groups or name in groups for index in indices]


def _span(from_s: float, until_s: float | None) -> str:
    if until_s is None:
        return f" from {from_s:g} s" if from_s else ""
    return f" {from_s:g}-{until_s:g} s"


def _between(least: float, most: float, unit: str) -> str:
    if least and most < math.inf:
        return f"{least:g} to {most:g}{unit}"
    return f"at least {least:g}{unit}" if least else f"at most {most:g}{unit}"


def _by_chance(chi_square: float, freedom: int) -> float:
    """Probability of a chi-square at least as great (Wilson and Hilferty's approximation, PNAS 17:684, 1931)."""
    if freedom < 1:
        return 1.0
    spread = 2.0 / (9.0 * freedom)
    z = ((chi_square / freedom) ** (1.0 / 3.0) - (1.0 - spread)) / math.sqrt(spread)
    return 0.5 * math.erfc(z / math.sqrt(2.0))
