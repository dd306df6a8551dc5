"""The matrix as text, JSON, HTML and Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from tests.matrix.cell import Cell, Finding
from tests.matrix.refusals import REFUSALS

__all__ = ["format_html", "format_json", "format_markdown", "format_table"]

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #1c2430; }
table { border-collapse: collapse; margin: 1rem 0 2rem; }
th, td { border: 1px solid #ccd3dc; padding: .45rem .8rem; text-align: left; vertical-align: top; }
td.yes { background: #e3f5e6; } td.no { background: #fbe3e1; }
small { color: #5a6575; } code { font-size: .9em; overflow-wrap: anywhere; }
"""


def format_table(cells: Sequence[Cell]) -> str:
    """The table with a row for each client wire; below it how often what is on record was refused, and what is lost."""
    providers = _in_order(cell.provider for cell in cells)
    by_pair = {(cell.client, cell.provider): cell for cell in cells}
    head = ["client ↓  provider →", *providers]
    rows = [
        head,
        *(
            [client, *(_short(by_pair[client, provider]) for provider in providers)]
            for client in _in_order(cell.client for cell in cells)
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += [
        f"{each.wire} refuses {each.values}, as declared: {count} times"
        for each in REFUSALS
        if (count := sum(each.covers(found.name, found.text) for found in _refused_around(each.wire, cells)))
    ]
    for cell in cells:
        lines += [f"{cell.client} → {cell.provider}: {text}" for text in _explained(cell)]
    return "\n".join(lines)


def _refused_around(wire: str, cells: Sequence[Cell]) -> Iterator[Finding]:
    return (found for cell in cells if wire in (cell.client, cell.provider) for found in cell.refused)


def format_json(cells: Sequence[Cell]) -> str:
    """Every cell with its findings, for programs."""
    document = {
        "bridges": [
            {
                "client": cell.client,
                "provider": cell.provider,
                "lossless": cell.lossless,
                "passed": cell.passed,
                "total": cell.total,
                "problem": cell.problem or None,
                "refused": [_described(each) for each in cell.refused],
                "lost": [_described(each) for each in cell.lost],
            }
            for cell in cells
        ],
        "declared_refusals": [{"wire": each.wire, "values": each.values, "reason": each.reason} for each in REFUSALS],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def format_markdown(cells: Sequence[Cell]) -> str:
    """The table of the README: what is lossless, and what each bridge refuses by number, with the list below it."""
    providers = _in_order(cell.provider for cell in cells)
    by_pair = {(cell.client, cell.provider): cell for cell in cells}
    lossless = sum(cell.lossless for cell in cells)
    lines = [
        f"{lossless} of {len(cells)} bridges lossless:",
        "",
        f"| client ↓ provider → | {' | '.join(f'{provider}://' for provider in providers)} |",
        f"| --- |{' --- |' * len(providers)}",
    ]
    lines += [
        f"| {client}:// | {' | '.join(_marked(by_pair[client, provider]) for provider in providers)} |"
        for client in _in_order(cell.client for cell in cells)
    ]
    lines.append("")
    lines += [
        f"{number}. {each.wire}:// refuses {each.values}."
        for number, each in enumerate(REFUSALS, 1)
        if each.wire in providers
    ]
    return "\n".join(lines) + "\n"


def _marked(cell: Cell) -> str:
    refused = [str(number) for number, each in enumerate(REFUSALS, 1) if each.wire in (cell.client, cell.provider)]
    return " ".join(("yes" if cell.lossless else "no", f"({', '.join(refused)})" if refused else "")).strip()


def format_html(cells: Sequence[Cell]) -> str:
    """The same as a page for people; complete in itself."""
    providers = _in_order(cell.provider for cell in cells)
    by_pair = {(cell.client, cell.provider): cell for cell in cells}
    lossless = sum(cell.lossless for cell in cells)
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Bridges</title>',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{lossless} of {len(cells)} bridges lossless</h1>",
        "<p>A client of the row's protocol calls through the gateway a provider of the column's protocol.</p>",
        "<table><tr><th>client ↓ provider →</th>",
        *(f"<th>{escape(provider)}</th>" for provider in providers),
        "</tr>",
    ]
    for client in _in_order(cell.client for cell in cells):
        parts.append(f"<tr><th>{escape(client)}</th>")
        for provider in providers:
            cell = by_pair[client, provider]
            mark = "yes" if cell.lossless else "no"
            parts.append(f'<td class="{mark}">{escape(_short(cell))}</td>')
        parts.append("</tr>")
    parts.append("</table>")
    for title, findings in (
        ("Refused, as declared", [(cell, each) for cell in cells for each in cell.refused]),
        ("Lost", [(cell, each) for cell in cells for each in cell.lost]),
    ):
        if findings:
            parts.append(f"<h2>{title}</h2><table><tr><th>bridge</th><th>what</th><th>why</th></tr>")
            parts += [
                f"<tr><td>{escape(cell.client)} → {escape(cell.provider)}</td>"
                f"<td>{escape(each.kind)} <code>{escape(each.name)}</code></td>"
                f"<td><code>{escape(each.text)}</code></td></tr>"
                for cell, each in findings
            ]
            parts.append("</table>")
    parts += [
        f"<p><b>{escape(cell.client)} → {escape(cell.provider)}</b>: {escape(cell.problem)}</p>"
        for cell in cells
        if cell.problem
    ]
    parts.append("</body></html>\n")
    return "\n".join(parts)


def _short(cell: Cell) -> str:
    if cell.problem:
        return "did not run"
    refused = f", {len(cell.refused)} refused" if cell.refused else ""
    return f"{cell.passed} of {cell.total}{refused}{'' if cell.lossless else ' LOST'}"


def _explained(cell: Cell) -> Iterator[str]:
    if cell.problem:
        yield cell.problem
    for each in cell.lost:
        yield f"{each.kind} {each.name} LOST: {each.text}"


def _described(finding: Finding) -> dict[str, str]:
    return {"kind": finding.kind, "name": finding.name, "text": finding.text}


def _in_order(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
