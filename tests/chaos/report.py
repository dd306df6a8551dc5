"""The verdicts as text, JSON and HTML."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from html import escape
from typing import Final

from tests.chaos.row import Verdict

__all__ = ["format_html", "format_json", "format_table"]

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #1c2430; }
table { border-collapse: collapse; margin: 1rem 0 2rem; }
th, td { border: 1px solid #ccd3dc; padding: .45rem .8rem; text-align: left; vertical-align: top; }
td.yes { background: #e3f5e6; } td.no { background: #fbe3e1; }
code { font-size: .9em; overflow-wrap: anywhere; }
"""
_MOST: Final = 5
_LONGEST: Final = 500
_HEAD: Final = ("row", "fault", "wire", "expected", "counted", "passed")
_WIDTHS: Final = (4, 34, 8, 40, 44, 6)


def format_table(verdicts: Sequence[Verdict]) -> str:
    """A row for each verdict, and below the table everything that went wrong."""
    lines = _format_row(_HEAD)
    for each in verdicts:
        lines += _format_row(_cells(each))
    for each in verdicts:
        lines += [f"{each.row.id} {each.row.title}, {each.wire}: {problem}" for problem in _problems(each)]
    return "\n".join(lines)


def format_json(verdicts: Sequence[Verdict]) -> str:
    """The verdicts for programs."""
    document = {
        "survived": sum(each.passed for each in verdicts),
        "faults": [
            {
                "row": each.row.id,
                "fault": each.row.title,
                "wire": each.wire,
                "expected": each.row.expected,
                "counted": each.outcome.counted,
                "passed": each.passed,
                "problems": _problems(each),
                "seconds": round(each.seconds, 1),
            }
            for each in verdicts
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def format_html(verdicts: Sequence[Verdict]) -> str:
    """The same as a page for people; complete in itself."""
    survived = sum(each.passed for each in verdicts)
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Faults</title>',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{survived} of {len(verdicts)} faults survived</h1>",
        "<p>Each is injected into running processes under load; what calls did is counted at the providers.</p>",
        f"<table><tr>{''.join(f'<th>{escape(each)}</th>' for each in _HEAD)}<th>seconds</th></tr>",
    ]
    for each in verdicts:
        *texts, passed = _cells(each)
        problems = "".join(f"<br><code>{escape(problem)}</code>" for problem in _problems(each))
        parts.append(
            f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in texts)}"
            f'<td class="{passed}">{passed}{problems}</td><td>{each.seconds:.1f}</td></tr>'
        )
    parts.append("</table></body></html>\n")
    return "\n".join(parts)


def _problems(verdict: Verdict) -> list[str]:
    """The first ones: one that comes with every call comes a thousand times."""
    problems = [each if len(each) <= _LONGEST else each[:_LONGEST] + "…" for each in verdict.outcome.problems]
    more = len(problems) - _MOST
    return problems if more <= 0 else [*problems[:_MOST], f"and {more} more"]


def _cells(verdict: Verdict) -> tuple[str, ...]:
    row = verdict.row
    return row.id, row.title, verdict.wire, row.expected, verdict.outcome.counted, "yes" if verdict.passed else "no"


def _format_row(cells: Sequence[str]) -> list[str]:
    wrapped = [textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, _WIDTHS, strict=True)]
    height = max(map(len, wrapped))
    columns = [[*lines, *[""] * (height - len(lines))] for lines in wrapped]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, _WIDTHS, strict=True)).rstrip()
        for line in zip(*columns, strict=True)
    ]
