"""What a run of the simulator found, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.cluster.comparison import Comparison
from bench.cluster.record import quantile
from bench.cluster.simulation import Outcome

__all__ = ["HEADS", "count_findings", "format_report", "row_of"]

HEADS = ("", "calls", "lost", "p50 ms", "p99 ms", "attempts/call", "busiest", "twice", "ejected")


def format_report(comparisons: Sequence[Comparison]) -> str:
    """A table for each scenario, what was not reached below it; the last line counts."""
    lines = [line for each in comparisons for line in _section(each)]
    reached, wanted = count_findings(comparisons)
    return "\n".join([*lines, f"{reached} of {wanted} figures reached"])


def count_findings(comparisons: Sequence[Comparison]) -> tuple[int, int]:
    """How many figures were reached, and how many there are."""
    found = [finding.reached for each in comparisons for run in each.runs for finding in run.findings]
    return sum(found), len(found)


def row_of(outcome: Outcome) -> tuple[str, ...]:
    """What is told of each run, under `HEADS`."""
    record = outcome.record
    times = record.times(record.window(0))
    loads = [sum(each) for each in record.attempts]
    mean = sum(loads) / len(loads)
    calls = max(1, record.calls)
    return (
        outcome.title,
        str(record.calls),
        f"{sum(record.lost) / calls:.2%}",
        f"{quantile(times, 0.5) * 1000:.1f}",
        f"{quantile(times, 0.99) * 1000:.1f}",
        f"{sum(loads) / calls:.2f}",
        f"{max(loads) / mean:.2f}x" if mean else "",
        str(record.doubled),
        str(outcome.counts.get("ejected", 0)),
    )


def _section(comparison: Comparison) -> Iterator[str]:
    scenario = comparison.scenario
    providers = sum(group.count for group in scenario.groups)
    yield f"{scenario.name}: {scenario.title} ({providers} providers)"
    rows = [HEADS, *(row_of(run.outcome) for run in comparison.runs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        yield f"  {row[0].ljust(widths[0])}  {'  '.join(cells)}"
    for run in comparison.runs:
        for finding in run.findings:
            mark = "ok  " if finding.reached else "MISS"
            yield f"  {mark} {run.outcome.title}: {finding.what}: {finding.found}, wanted {finding.wanted}"
    yield ""
