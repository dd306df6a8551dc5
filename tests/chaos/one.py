"""One row on one wire, in a process of its own: `python -m tests.chaos.one NUMBER WIRE SECONDS FORM NETWORK`.

FORM is `quick` or `full`, NETWORK `drops` or `relays`. So rows can run beside each other, and a row may have a network
of its own, in which it drops packets. The last line of the output is the outcome as JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from tests.chaos.catalogue import ROWS
from tests.chaos.ground import Ground
from tests.chaos.row import Outcome, Row, Verdict

__all__ = ["judged", "judged_apart", "main"]

_ROOT: Final = Path(__file__).parents[2]
_LONGEST_S: Final = 300.0
"""A row that takes longer than this, and ten times its faults, hangs."""
_IN_OWN_NETWORK: Final = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"')


async def judged(row: Row, wire: str, seconds: float, *, quick: bool, drops_packets: bool = False) -> Verdict:
    """Runs one row on one wire. What goes wrong on the way is what it is judged by."""
    began = perf_counter()
    with tempfile.TemporaryDirectory(prefix="polyport-chaos-") as folder:
        ground = Ground(wire, Path(folder), seconds, quick=quick, drops_packets=drops_packets)
        try:
            async with asyncio.timeout(_LONGEST_S + seconds * 10):
                outcome = await row.run(ground)
        except Exception as error:  # A row that cannot run is a result like any other.
            outcome = Outcome("did not run", (f"{type(error).__name__}: {error}",))
        finally:
            await ground.close()
    return Verdict(row, wire, outcome, perf_counter() - began)


async def judged_apart(number: int, wire: str, seconds: float, *, quick: bool, may_drop_packets: bool) -> Verdict:
    """The same in a process of its own. `number`: of the row in the catalogue."""
    row = ROWS[number]
    drops = row.cuts_network and may_drop_packets
    command = [*(_IN_OWN_NETWORK if drops else ()), sys.executable, "-m", "tests.chaos.one", str(number), wire]
    began = perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command,
        str(seconds),
        "quick" if quick else "full",
        "drops" if drops else "relays",
        cwd=_ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        printed, troubles = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        said = troubles.decode(errors="replace")[-1000:]
        outcome = Outcome("did not run", (f"the row's process ended with {process.returncode}: {said}",))
    else:
        found: dict[str, Any] = json.loads(printed.decode().splitlines()[-1])
        outcome = Outcome(found["counted"], tuple(found["problems"]))
    return Verdict(row, wire, outcome, perf_counter() - began)


def main(arguments: list[str]) -> int:
    """Runs the row that the arguments name."""
    # What clients in this process say of faults that are there on purpose is in the verdict.
    logging.disable(logging.CRITICAL)
    number, wire, seconds, form, network = arguments
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        verdict = runner.run(
            judged(ROWS[int(number)], wire, float(seconds), quick=form == "quick", drops_packets=network == "drops")
        )
    print(json.dumps({"counted": verdict.outcome.counted, "problems": list(verdict.outcome.problems)}))
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
