"""`make interop`: the tests of this folder, summed up as a table of wire, peer and direction.

With QUICK=1 one short test for each row. Ends with how many checks passed, and of how many libraries in how many
languages; and with 0 only when all did, no other test failed, and there were enough of both.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from rich.console import Console
from rich.table import Table

from tests.interop.rows import Row, libraries_and_languages, row_of

HERE: Final = Path(__file__).parent
WIDTH: Final = 150
LEAST_LIBRARIES: Final = 30
LEAST_LANGUAGES: Final = 6


@dataclass
class Tally:
    """The tests of a row: how many there are, how many passed, and how long they took."""

    total: int = 0
    passed: int = 0
    seconds: float = 0.0

    @property
    def is_passed(self) -> bool:
        return 0 < self.total == self.passed


class PeerTable:
    """Watches the tests of a run; a pytest plug-in."""

    def __init__(self, quick: bool) -> None:
        self._quick = quick
        self._rows: dict[str, Row] = {}
        self.tallies: dict[Row, Tally] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Gives each test its row; with `quick` drops all but one test for each."""
        kept: list[pytest.Item] = []
        for item in items:
            row = row_of(item)
            if row is None:
                kept += [] if self._quick else [item]
                continue
            tally = self.tallies.setdefault(row, Tally())
            if self._quick and (tally.total or not _is_quick(item)):
                continue
            tally.total += 1
            self._rows[item.nodeid] = row
            kept.append(item)
        dropped = [item for item in items if item not in set(kept)]
        items[:] = kept
        config.hook.pytest_deselected(items=dropped)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Counts a test that passed, and adds the time of all its phases."""
        row = self._rows.get(report.nodeid)
        if row is None:
            return
        tally = self.tallies[row]
        tally.seconds += report.duration
        if report.when == "call":
            tally.passed += report.passed
        elif report.when == "teardown" and report.failed:
            tally.passed -= 1

    def show(self, console: Console) -> None:
        """Prints the table and its last line."""
        heads = ("wire", "library", "language", "version", "direction", "checks", "seconds", "")
        table = Table(*heads, box=None, pad_edge=False)
        for row, tally in sorted(self.tallies.items(), key=lambda pair: _place(pair[0])):
            said = "passed" if tally.is_passed else "FAILED"
            table.add_row(
                row.wire,
                row.peer.library,
                row.peer.language,
                row.peer.version(),
                row.direction,
                f"{tally.passed} of {tally.total}",
                f"{tally.seconds:.1f}",
                f"[{'green' if tally.is_passed else 'red'}]{said}",
            )
        console.print(table)
        passed = sum(tally.passed for tally in self.tallies.values())
        total = sum(tally.total for tally in self.tallies.values())
        libraries, languages = self.counted()
        console.print(
            f"{passed} of {total} checks, {len(libraries)} stock libraries in {len(languages)} languages",
            highlight=False,
        )

    def counted(self) -> tuple[set[str], set[str]]:
        """Libraries and languages whose tests have all passed."""
        failed = {row.peer.library for row, tally in self.tallies.items() if not tally.is_passed}
        return libraries_and_languages(row.peer for row in self.tallies if row.peer.library not in failed)

    @property
    def is_passed(self) -> bool:
        """Whether every row passed, and there were enough of both."""
        libraries, languages = self.counted()
        return (
            all(tally.is_passed for tally in self.tallies.values())
            and len(libraries) >= LEAST_LIBRARIES
            and len(languages) >= LEAST_LANGUAGES
        )


def _is_quick(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("direction")
    return mark is not None and bool(mark.kwargs.get("quick"))


def _place(row: Row) -> Sequence[str]:
    return row.wire, row.direction, row.peer.library.lower(), row.peer.stated()


def main() -> int:
    """Runs the tests and returns the exit code."""
    rows = PeerTable(quick=bool(os.environ.get("QUICK")))
    code = pytest.main(["-q", str(HERE)], plugins=[rows])
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    rows.show(console)
    return int(code) or int(not rows.is_passed)


if __name__ == "__main__":
    sys.exit(main())
