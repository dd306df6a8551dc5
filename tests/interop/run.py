"""`make interop`: the tests of this folder, summed up as a table of wire, peer and direction.

What the peers are made of is built and installed first. Then as many files run at a time as there are processors, and
what measures runs alone. With QUICK=1 one short test for each row. Ends with how many checks passed, and of how many
libraries in how many languages; and with 0 only when all did, no other test failed, and there were enough of both.
"""

from __future__ import annotations

import contextlib
import io
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
from tests.prepare import prepare

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
PARTS: Final = (
    ("-m", "not serial", "-n", str(os.cpu_count() or 1), "--dist", "loadfile", "--no-loadscope-reorder"),
    ("-m", "serial"),
)
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


class Plan:
    """Finds out what will run; a pytest plug-in for a run that only collects.

    Attributes:
        rows: Of tests, by their ids. `tallies`: of all rows, those too that have no test.
        chosen: With `quick` the ids of one test for each row, else of all tests. `measures`: whether some are alone.
    """

    def __init__(self, quick: bool) -> None:
        self._quick = quick
        self.rows: dict[str, Row] = {}
        self.tallies: dict[Row, Tally] = {}
        self.chosen: list[str] = []
        self.measures = False

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Gives each test its row."""
        for item in items:
            row = row_of(item)
            if row is None:
                if not self._quick:
                    self._choose(item)
                continue
            tally = self.tallies.setdefault(row, Tally())
            if self._quick and (tally.total or not _is_quick(item)):
                continue
            tally.total += 1
            self.rows[item.nodeid] = row
            self._choose(item)

    def _choose(self, item: pytest.Item) -> None:
        self.chosen.append(item.nodeid)
        self.measures |= item.get_closest_marker("serial") is not None


class PeerTable:
    """Watches the tests of a run, which may be in other processes; a pytest plug-in."""

    def __init__(self, plan: Plan) -> None:
        self._rows = plan.rows
        self.tallies = plan.tallies

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


def _planned(quick: bool) -> Plan:
    plan = Plan(quick)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main(["--collect-only", "-q", str(HERE)], plugins=[plan])
    if code:
        sys.exit(said.getvalue())
    return plan


def main() -> int:
    """Runs the tests and returns the exit code."""
    quick = bool(os.environ.get("QUICK"))
    prepare()
    plan = _planned(quick)
    rows = PeerTable(plan)
    chosen = [str(ROOT / each) for each in plan.chosen] if quick else [str(HERE)]
    codes = {int(pytest.main(["-q", *options, *chosen], plugins=[rows])) for options in PARTS[: 1 + plan.measures]}
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    rows.show(console)
    return max(codes - {pytest.ExitCode.NO_TESTS_COLLECTED}, default=0) or int(not rows.is_passed)


if __name__ == "__main__":
    sys.exit(main())
