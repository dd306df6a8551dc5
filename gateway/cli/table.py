"""Tables of text as commands print them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

__all__ = ["cells_of", "print_table"]


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Below the names of the columns, which are as wide as their widest cell."""
    table = [columns, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def cells_of(row: Mapping[str, Any], keys: Iterable[str]) -> list[str]:
    """The cells of what `--json` prints as an object: a dash where there is nothing."""
    return ["-" if row[key] in (None, "") else str(row[key]) for key in keys]
