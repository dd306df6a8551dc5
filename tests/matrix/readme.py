"""The table of bridges in the README."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["README", "table_in", "with_table"]

README: Final = Path(__file__).parents[2] / "README.md"
_BEGIN: Final = "<!-- bridges: written by `python -m tests.matrix.run --readme` -->\n"
_END: Final = "<!-- bridges end -->\n"


def table_in(text: str) -> str:
    """What stands between the markers, without the empty lines at both ends."""
    return _around(text)[1].strip("\n") + "\n"


def with_table(text: str, table: str) -> str:
    """The text with this table between the markers."""
    before, _, after = _around(text)
    return f"{before}{_BEGIN}\n{table}\n{_END}{after}"


def _around(text: str) -> tuple[str, str, str]:
    before, begin, rest = text.partition(_BEGIN)
    table, end, after = rest.partition(_END)
    assert begin, "the first marker is missing"
    assert end, "the second marker is missing"
    return before, table, after
