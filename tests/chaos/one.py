"""Runs rows in a process of its own, one after the other: `python -m tests.chaos.one SECONDS FORM NETWORK`.

FORM is `quick` or `full`, NETWORK `drops` or `relays`. Each line of the input is the number of a row and a wire, each
line of the output its outcome as JSON. So rows can run beside each other, and one that drops packets does so in a
network of its own.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from tests.chaos.catalogue import ROWS
from tests.chaos.ground import Ground
from tests.chaos.row import Outcome, Row, Verdict

__all__ = ["Worker", "judged", "main"]

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


class Worker:
    """A process that runs rows. `drops_packets`: in a network of its own."""

    def __init__(self, seconds: float, *, quick: bool, drops_packets: bool) -> None:
        form, network = "quick" if quick else "full", "drops" if drops_packets else "relays"
        isolated = _IN_OWN_NETWORK if drops_packets else ()
        self._command = [*isolated, sys.executable, "-m", "tests.chaos.one", str(seconds), form, network]
        self._process: Process | None = None

    async def run(self, number: int, wire: str) -> Verdict:
        """The verdict on one row, by its number in the catalogue. The process is begun when it is first needed."""
        began = perf_counter()
        process = self._process
        if process is None:
            process = self._process = await asyncio.create_subprocess_exec(
                *self._command, cwd=_ROOT, stdin=PIPE, stdout=PIPE, stderr=None, limit=1 << 24
            )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{number} {wire}\n".encode())
        line = await process.stdout.readline()
        if line:
            found: dict[str, Any] = json.loads(line)
            outcome = Outcome(found["counted"], tuple(found["problems"]))
        else:
            outcome = Outcome("did not run", (f"the row's process ended with {await process.wait()}",))
            self._process = None
        return Verdict(ROWS[number], wire, outcome, perf_counter() - began)

    async def close(self) -> None:
        """Ends the process, when its row has ended."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()


def main(arguments: list[str]) -> int:
    """Runs the rows that the input names."""
    # What clients in this process say of faults that are there on purpose is in the verdicts.
    logging.disable(logging.CRITICAL)
    seconds, form, network = arguments
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        for line in sys.stdin:
            number, wire = line.split()
            verdict = runner.run(
                judged(ROWS[int(number)], wire, float(seconds), quick=form == "quick", drops_packets=network == "drops")
            )
            said = {"counted": verdict.outcome.counted, "problems": list(verdict.outcome.problems)}
            print(json.dumps(said), flush=True)
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
