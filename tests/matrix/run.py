"""`make matrix`: the corpus from every wire through the gateway to every wire.

Prints the table, writes `matrix.json`, `matrix.html` and `matrix.md` (folder: `--output`, default `.cache/matrix`), and
ends with `N of M bridges lossless`; exit code 0 only when all are. With `--readme` it writes the table into the README
too. With QUICK=1 values of 150 kB and more are left out.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter

from gateway.plugins.builtin import BUILTIN
from gateway.plugins.catalog import Catalog
from tests.matrix.cell import Cell, run_cell
from tests.matrix.checks.check import Check
from tests.matrix.checks.every import CHECKS
from tests.matrix.readme import README, with_table
from tests.matrix.report import format_html, format_json, format_markdown, format_table

_FOLDER = Path(__file__).parents[2] / ".cache" / "matrix"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs every cell and says how it went."""
    options = _parse(arguments)
    # What the gateway would log of calls that are refused on purpose is in the findings.
    logging.disable(logging.CRITICAL)
    checks = [each for each in CHECKS if not (each.large and os.environ.get("QUICK"))]
    cells = asyncio.run(_run(options.wires, checks))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "matrix.json").write_text(format_json(cells), encoding="utf-8")
    (options.output / "matrix.html").write_text(format_html(cells), encoding="utf-8")
    (options.output / "matrix.md").write_text(format_markdown(cells), encoding="utf-8")
    print(format_table(cells))
    print(f"written: {options.output / 'matrix.html'}, matrix.json and matrix.md")
    if options.readme:
        README.write_text(with_table(README.read_text("utf-8"), format_markdown(cells)), encoding="utf-8")
    lossless = sum(cell.lossless for cell in cells)
    print(f"{lossless} of {len(cells)} bridges lossless")
    return 0 if cells and lossless == len(cells) else 1


async def _run(wires: Sequence[str], checks: Sequence[Check]) -> list[Cell]:
    catalog = Catalog()
    return [await _measured(client, provider, checks, catalog) for client, provider in _pairs(wires)]


async def _measured(client: str, provider: str, checks: Sequence[Check], catalog: Catalog) -> Cell:
    began = perf_counter()
    terminal = sys.stderr.isatty()

    def progress(done: int) -> None:
        if terminal and done % 20 == 0:
            print(f"\r{client} → {provider}: {done} of {len(checks)}", end="", file=sys.stderr, flush=True)

    cell = await run_cell(client, provider, checks, catalog, progress)
    said = cell.problem or f"{cell.passed} of {cell.total}"
    start = "\r\x1b[K" if terminal else ""
    print(f"{start}{client} → {provider}: {said}, {perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
    return cell


def _pairs(wires: Sequence[str]) -> Iterator[tuple[str, str]]:
    for client in wires:
        for provider in wires:
            yield client, provider


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="matrix", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("wires", nargs="*", default=list(BUILTIN["protocol"]), help="default: every built-in protocol")
    parser.add_argument("--output", type=Path, default=_FOLDER, help="folder of the three files")
    parser.add_argument("--readme", action="store_true", help="write the table into the README")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
