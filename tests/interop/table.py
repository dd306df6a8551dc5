"""The table of peers in the README: `python -m tests.interop.table` writes it, `--check` says whether it is current."""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from tests.interop.rows import Row, Rows, libraries_and_languages

__all__ = ["table"]

HERE: Final = Path(__file__).parent
README: Final = HERE.parents[1] / "README.md"
BEGIN: Final = "<!-- peers: written by `python -m tests.interop.table` -->\n"
END: Final = "<!-- peers end -->\n"


def table(rows: Iterable[Row]) -> str:
    """The lines between the markers: one for each wire, library and language, and a sentence that counts them."""
    versions: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    directions: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    rows = list(rows)
    for row in rows:
        line = (row.wire, row.peer.library, row.peer.language)
        versions[line].update(row.peer.stated().replace(" → ", ", ").split(", "))
        directions[line].add(row.direction)
    libraries, languages = libraries_and_languages(row.peer for row in rows)
    lines = ["| Wire | Library | Language | Version | Directions |", "| --- | --- | --- | --- | --- |"]
    for line in sorted(versions, key=lambda line: (line[0], line[1].lower(), line[2])):
        wire, library, language = line
        cells = (
            f"{wire}://",
            library,
            language,
            ", ".join(sorted(versions[line])),
            "; ".join(sorted(directions[line])),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return (
        f"{len(libraries)} libraries and programs of others in {len(languages)} languages"
        f" ({', '.join(sorted(languages))}), each counted once:\n\n" + "\n".join(lines) + "\n"
    )


def _collected() -> str:
    rows = Rows()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", str(HERE)], plugins=[rows])
    if code:
        sys.exit(said.getvalue()[-2000:])
    return table(rows)


def main(arguments: list[str] | None = None) -> int:
    """With `--check` 1 where the README says something else."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop.table", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    text = README.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    current = f"{before}{BEGIN}\n{_collected()}\n{END}{after}"
    if options.check:
        return int(current != text)
    README.write_text(current, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
