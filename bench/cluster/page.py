"""The report as one HTML page that needs nothing else: tables, and plots as inline SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from bench.cluster.comparison import Comparison
from bench.cluster.line_chart import format_chart
from bench.cluster.report import HEADS, count_findings, row_of
from bench.cluster.series import Panel

__all__ = ["format_page"]

_STYLE: Final = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff; }
h2 { margin: 2.5rem 0 .3rem; } p { margin: .3rem 0; }
table { border-collapse: collapse; margin: .6rem 0; } td, th { padding: .15rem .7rem; text-align: right; }
td:first-child, th:first-child, .text td { text-align: left; } th { border-bottom: 1px solid #999; }
.missed { color: #b00020; font-weight: 600; } .reached { color: #1b6e3c; }
.charts { display: flex; flex-wrap: wrap; gap: 1.2rem; } .charts h3 { margin: .4rem 0; font-size: 1rem; }
svg { display: block; margin-bottom: .4rem; }
"""


def format_page(comparisons: Sequence[Comparison]) -> str:
    """The whole page."""
    reached, wanted = count_findings(comparisons)
    style = "reached" if reached == wanted else "missed"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Simulated clusters</title>',
        f"<style>{_STYLE}</style></head><body>",
        f'<h1>Simulated clusters</h1><p class="{style}">{reached} of {wanted} figures reached</p>',
        *(line for each in comparisons for line in _section(each)),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _section(comparison: Comparison) -> Iterator[str]:
    scenario = comparison.scenario
    yield f'<h2 id="{escape(scenario.name)}">{escape(scenario.name)}</h2><p>{escape(scenario.title)}</p>'
    yield "<table><tr>" + "".join(f"<th>{escape(head)}</th>" for head in HEADS) + "</tr>"
    for run in comparison.runs:
        yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row_of(run.outcome)) + "</tr>"
    yield "</table><table class='text'>"
    for run in comparison.runs:
        for finding in run.findings:
            style, word = ("reached", "reached") if finding.reached else ("missed", "missed")
            cells = (run.outcome.title, finding.what, finding.found, f"wanted {finding.wanted}")
            yield (
                f'<tr class="{style}"><td>{word}</td>' + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
            )
    yield "</table><div class='charts'>"
    tops = [_top(row) for row in zip(*(run.panels for run in comparison.runs), strict=True)]
    for run in comparison.runs:
        yield f"<div><h3>{escape(run.outcome.title)}</h3>"
        yield from (format_chart(panel, top) for panel, top in zip(run.panels, tops, strict=True))
        yield "</div>"
    yield "</div>"


def _top(panels: Sequence[Panel]) -> float:
    """The greatest value of the same panel in all runs, so that they can be compared by eye."""
    values = [value for panel in panels for _, line in panel.lines for value in line if value == value]
    return max(values, default=0.0)
