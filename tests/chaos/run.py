"""`make chaos`: faults injected into running processes under load, and what became of every call.

Prints the table, writes `chaos.json` and `chaos.html` (folder: `--output`, default `.cache/chaos`), and ends with
`N of M faults survived`; exit code 0 only when all are. QUICK=1 shortens every fault from a minute to moments.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Final

from tests.chaos.catalogue import ROWS
from tests.chaos.ground import Ground
from tests.chaos.report import format_html, format_json, format_table
from tests.chaos.row import WIRES, Outcome, Row, Verdict

__all__ = ["judged", "main"]

_FOLDER: Final = Path(__file__).parents[2] / ".cache" / "chaos"
_FAULT_S: Final = 60.0
_QUICK_FAULT_S: Final = 2.0
_LONGEST_S: Final = 600.0
"""A row that takes longer hangs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs every row on every wire and says how it went."""
    options = _parse(arguments)
    # What clients in this process say of faults that are there on purpose is in the verdicts.
    logging.disable(logging.CRITICAL)
    verdicts = _loop(_run(options))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "chaos.json").write_text(format_json(verdicts), encoding="utf-8")
    (options.output / "chaos.html").write_text(format_html(verdicts), encoding="utf-8")
    print(format_table(verdicts))
    print(f"written: {options.output / 'chaos.html'} and chaos.json")
    survived = sum(verdict.passed for verdict in verdicts)
    print(f"{survived} of {len(verdicts)} faults survived")
    return 0 if verdicts and survived == len(verdicts) else 1


def _loop(work: asyncio.coroutines.Coroutine[None, None, list[Verdict]]) -> list[Verdict]:
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    try:
        import uvloop
    except ImportError:
        pass
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


async def _run(options: argparse.Namespace) -> list[Verdict]:
    wanted = [
        (row, wire)
        for row in ROWS
        for wire in row.wires
        if (not options.rows or row.id in options.rows) and (wire not in WIRES or wire in options.wires)
    ]
    verdicts = []
    for number, (row, wire) in enumerate(wanted, 1):
        verdict = await judged(row, wire, options.seconds, quick=options.quick)
        mark = "ok" if verdict.passed else "FAILED"
        print(
            f"{number}/{len(wanted)} {row.id} {row.title}, {wire}: {mark}, {verdict.outcome.counted},"
            f" {verdict.seconds:.1f} s",
            file=sys.stderr,
            flush=True,
        )
        verdicts.append(verdict)
    return verdicts


async def judged(row: Row, wire: str, seconds: float, *, quick: bool) -> Verdict:
    """Runs one row on one wire. What goes wrong on the way is what it is judged by."""
    began = perf_counter()
    with tempfile.TemporaryDirectory(prefix="polyport-chaos-") as folder:
        ground = Ground(wire, Path(folder), seconds, quick=quick)
        try:
            async with asyncio.timeout(_LONGEST_S + seconds * 10):
                outcome = await row.run(ground)
        except Exception as error:  # A row that cannot run is a result like any other.
            outcome = Outcome("did not run", (f"{type(error).__name__}: {error}",))
        finally:
            await ground.close()
    return Verdict(row, wire, outcome, perf_counter() - began)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    quick = bool(os.environ.get("QUICK"))
    parser = argparse.ArgumentParser(prog="chaos", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("rows", nargs="*", help=f"ids, default: all of {', '.join(dict.fromkeys(r.id for r in ROWS))}")
    parser.add_argument("--wires", nargs="*", default=list(WIRES), help="default: every built-in protocol")
    parser.add_argument("--seconds", type=float, default=_QUICK_FAULT_S if quick else _FAULT_S, help="of each fault")
    parser.add_argument("--output", type=Path, default=_FOLDER, help="folder of the two files")
    options = parser.parse_args(arguments)
    options.quick = quick
    return options


if __name__ == "__main__":
    sys.exit(main())
