"""The lines of a run's plots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.cluster.record import quantile
from bench.cluster.simulation import Outcome

__all__ = ["Panel", "panels_of"]

_POINTS = 120


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot: `lines` by name, with a value for each of `times`; not a number where there is none. Seconds."""

    title: str
    unit: str
    times: Sequence[float]
    duration_s: float
    lines: Sequence[tuple[str, Sequence[float]]]
    logarithmic: bool = False


def panels_of(outcome: Outcome) -> list[Panel]:
    """Load by group, answer times, and errors, over time."""
    record = outcome.record
    step = max(1, math.ceil(record.buckets / _POINTS))
    spans = [range(start, min(record.buckets, start + step)) for start in range(0, record.buckets, step)]
    times = [span.start * record.bucket_s for span in spans]
    duration_s = record.buckets * record.bucket_s
    totals = [record.load(range(len(record.attempts)), span) for span in spans]
    load = [
        (
            name,
            [
                record.load(indices, span) / total * 100 if total else math.nan
                for span, total in zip(spans, totals, strict=True)
            ],
        )
        for name, indices in outcome.groups.items()
    ]
    busiest = [
        record.busiest(range(len(record.attempts)), span) / total * 100 if total else math.nan
        for span, total in zip(spans, totals, strict=True)
    ]
    answers = [record.times(span) for span in spans]
    began = [sum(record.began[each] for each in span) for span in spans]
    lost = [sum(record.lost[each] for each in span) for span in spans]
    return [
        Panel("share of the load", "%", times, duration_s, [*load, ("busiest node", busiest)]),
        Panel(
            "time to the answer",
            "ms",
            times,
            duration_s,
            [
                ("p50", [quantile(each, 0.5) * 1000 for each in answers]),
                ("p99", [quantile(each, 0.99) * 1000 for each in answers]),
            ],
            logarithmic=True,
        ),
        Panel(
            "calls lost",
            "%",
            times,
            duration_s,
            [("lost", [bad / all_ * 100 if all_ else math.nan for bad, all_ in zip(lost, began, strict=True)])],
        ),
    ]
