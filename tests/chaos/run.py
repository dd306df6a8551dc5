"""`make chaos`: faults injected into running processes under load, and what became of every call.

Prints the table, writes `chaos.json` and `chaos.html` (folder: `--output`, default `.cache/chaos`), and ends with
`N of M faults survived`; exit code 0 only when all are. QUICK=1 shortens every fault from a minute to moments.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Final

from tests.chaos.catalogue import ROWS
from tests.chaos.gate import has_own_network
from tests.chaos.one import Worker
from tests.chaos.report import format_html, format_json, format_table
from tests.chaos.row import Verdict

__all__ = ["main"]

_FOLDER: Final = Path(__file__).parents[2] / ".cache" / "chaos"
_FAULT_S: Final = 60.0
_QUICK_FAULT_S: Final = 1.5
_JOBS: Final = 2
"""Rows wait more than they work."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs every row on every wire and says how it went."""
    options = _parse(arguments)
    began = perf_counter()
    verdicts = asyncio.run(_run(options))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "chaos.json").write_text(format_json(verdicts), encoding="utf-8")
    (options.output / "chaos.html").write_text(format_html(verdicts), encoding="utf-8")
    print(format_table(verdicts))
    print(f"written: {options.output / 'chaos.html'} and chaos.json; {perf_counter() - began:.0f} s")
    survived = sum(verdict.passed for verdict in verdicts)
    print(f"{survived} of {len(verdicts)} faults survived")
    return 0 if verdicts and survived == len(verdicts) else 1


async def _run(options: argparse.Namespace) -> list[Verdict]:
    wanted = [
        (number, wire)
        for number, row in enumerate(ROWS)
        for wire in row.wires
        if (row.id in options.rows if options.rows else row.in_quick or not options.quick)
        and (not options.wires or wire in options.wires)
    ]
    may_drop_packets = await asyncio.to_thread(has_own_network)
    waiting = iter(list(enumerate(wanted)))
    verdicts: dict[int, Verdict] = {}

    async def work() -> None:
        usual = Worker(options.seconds, quick=options.quick, drops_packets=False)
        cutting = Worker(options.seconds, quick=options.quick, drops_packets=True)
        try:
            for place, (number, wire) in waiting:
                worker = cutting if ROWS[number].cuts_network and may_drop_packets else usual
                verdicts[place] = await worker.run(number, wire)
                _say(verdicts[place], len(verdicts), len(wanted))
        finally:
            await usual.close()
            await cutting.close()

    async with asyncio.TaskGroup() as workers:
        for _ in range(options.jobs):
            workers.create_task(work())
    return [verdicts[place] for place in range(len(wanted))]


def _say(verdict: Verdict, done: int, of: int) -> None:
    row, mark = verdict.row, "ok" if verdict.passed else "FAILED"
    text = f"{row.id} {row.title}, {verdict.wire}: {mark}, {verdict.outcome.counted}, {verdict.seconds:.1f} s"
    print(f"{done}/{of} {text}", file=sys.stderr, flush=True)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    quick = bool(os.environ.get("QUICK"))
    parser = argparse.ArgumentParser(prog="chaos", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("rows", nargs="*", help=f"ids, default: all of {', '.join(dict.fromkeys(r.id for r in ROWS))}")
    parser.add_argument("--wires", nargs="*", help="default: every one that a row has")
    parser.add_argument("--seconds", type=float, default=_QUICK_FAULT_S if quick else _FAULT_S, help="of each fault")
    parser.add_argument("--jobs", type=int, default=_JOBS, help="rows that run at the same time")
    parser.add_argument("--output", type=Path, default=_FOLDER, help="folder of the two files")
    options = parser.parse_args(arguments)
    options.quick = quick
    return options


if __name__ == "__main__":
    sys.exit(main())
