"""Measures registries: `python -m bench.registries [kind …]`, short form with `QUICK=1` or `--quick`.

Exit status: 0 all figures reached, 1 fallen short.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.registries.figure import BYTES, Figure
from bench.registries.trial import KINDS
from bench.scale import measure_scale

_ROOT = Path(__file__).parents[2]
_DEADLINE_S = 900.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what the command line names."""
    options = _parse(arguments)
    found = {kind: _measure(kind, options.quick) for kind in options.kinds or KINDS}
    if not options.kinds and not options.quick:
        found["every registry"] = [_measure_memory()]
    for kind, figures in found.items():
        print(kind)
        for figure in figures:
            print(f"  {figure}")
    figures = [each for some in found.values() for each in some]
    reached = sum(each.is_reached for each in figures)
    print(f"{reached} of {len(figures)} figures reached")
    return 0 if reached == len(figures) else 1


def _measure(kind: str, quick: bool) -> list[Figure]:
    """In a process of its own, where no other registry has left anything."""
    command = [sys.executable, "-m", "bench.registries.trial", kind, *(["--quick"] if quick else [])]
    try:
        done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, check=True, timeout=_DEADLINE_S)
    except subprocess.SubprocessError as error:
        return [Figure("everything", None, 0.0, "", str(error))]
    return [Figure(**each) for each in json.loads(done.stdout)]


def _measure_memory() -> Figure:
    what = "memory of a provider that is known"
    try:
        cost = measure_scale(lambda text: print(text, file=sys.stderr, flush=True))
    except subprocess.SubprocessError as error:
        return Figure(what, None, BYTES, "bytes", str(error))
    return Figure(what, cost.endpoint_bytes, BYTES, "bytes")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.registries", description=(__doc__ or "").partition("\n")[0])
    quick = os.environ.get("QUICK", "") not in ("", "0")
    parser.add_argument("kinds", nargs="*", metavar="kind", help=f"default: all of {', '.join(KINDS)}, and memory")
    parser.add_argument("--quick", action="store_true", default=quick, help="one round, wider margin, no memory")
    options = parser.parse_args(arguments)
    if unknown := [kind for kind in options.kinds if kind not in KINDS]:
        parser.error(f"there is no kind {', '.join(unknown)}; there are {', '.join(KINDS)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
