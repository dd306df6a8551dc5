"""Measures polyport beside its floors: `python -m bench.run`, short form with `QUICK=1` or `--quick`.

Exit status: 0 all targets reached, 1 fallen short, 2 could not be measured at all.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bench.balancing import measure_choices
from bench.cases import Plan, full_plan, quick_plan
from bench.idle import IdleCost, measure_idle, raise_file_limit
from bench.latency import AddedLatency, measure_added_latency
from bench.loadgen import LoadFailed, LoadGenerator
from bench.native import BuildFailed, build_c
from bench.process import LOAD_CORE, StartFailed
from bench.report import Report, describe, format_report
from bench.request import WrongReply
from bench.rounds import measure_rounds
from bench.scale import ScaleCost, measure_scale
from bench.servers import Lineup, start_lineup
from bench.startup import measure_startup
from bench.targets import judge
from bench.wsdl import measure_wsdl

_RESULTS = Path(__file__).parent / "results"
_SPARE_FILES = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark of the command line."""
    options = _parse(arguments)
    plan = quick_plan() if options.quick else full_plan()
    if options.rounds:
        plan = replace(plan, rounds=options.rounds)
    announce = _announcer()
    try:
        report = measure(plan, announce)
    except (BuildFailed, StartFailed) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    file = _RESULTS / f"{report.begun:%Y-%m-%dT%H-%M-%S}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(describe(report), indent=1) + "\n")
    announce(f"all rounds: {file}\n")
    print(format_report(report))
    return 0 if report.complete else 1


def measure(plan: Plan, announce: Callable[[str], None]) -> Report:
    """Starts everything, measures everything, ends everything.

    Raises:
        BuildFailed, StartFailed: the load generator or the C provider cannot be had.
    """
    begun = datetime.now().astimezone()
    raise_file_limit(plan.idle_connections + _SPARE_FILES)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="polyport-bench-")))
        generator = LoadGenerator(build_c("loadgen"), LOAD_CORE, folder)
        lineup = start_lineup(stack, folder, announce)
        # Before any load: memory that a burst left behind would be handed to idle connections for nothing.
        idle = _try_idle(plan, lineup, announce)
        results = measure_rounds(plan, lineup, generator, announce)
        latency = _try_latency(plan, lineup, generator, announce)
        startup = measure_startup(folder, announce)
    choices = measure_choices(announce)
    scale = _try_scale(announce)
    targets = judge(plan, results, idle, choices, scale, measure_wsdl(announce))
    return Report(begun, plan, results, latency, idle, startup, choices, scale, lineup.missing, targets)


def _try_scale(announce: Callable[[str], None]) -> ScaleCost | None:
    try:
        return measure_scale(announce)
    except subprocess.SubprocessError as error:
        announce(f"providers in one process could not be measured: {error}")
        return None


def _try_idle(plan: Plan, lineup: Lineup, announce: Callable[[str], None]) -> dict[str, IdleCost]:
    try:
        return measure_idle(lineup, plan.idle_connections, announce)
    except (WrongReply, OSError) as error:
        lineup.missing["idle connections"] = str(error)
        return {}


def _try_latency(
    plan: Plan, lineup: Lineup, generator: LoadGenerator, announce: Callable[[str], None]
) -> AddedLatency | None:
    try:
        return measure_added_latency(plan, lineup, generator, announce)
    except LoadFailed as error:
        lineup.missing["added latency"] = str(error)
        return None


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.run", description=(__doc__ or "").partition("\n")[0])
    quick = os.environ.get("QUICK", "") not in ("", "0")
    parser.add_argument("--quick", action="store_true", default=quick, help="few cases, short rounds, wider margin")
    parser.add_argument("--rounds", type=int, metavar="N", help="another number of rounds")
    return parser.parse_args(arguments)


def _announcer() -> Callable[[str], None]:
    """Shows progress on standard error: on a terminal in one line that is written over, else line by line."""
    if not sys.stderr.isatty():
        return lambda text: print(text, file=sys.stderr, flush=True)
    return lambda text: print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
