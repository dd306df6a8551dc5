"""Runs a row in a process of its own, in a network of its own: `python -m tests.chaos.apart MODULE WIRE SECONDS QUICK`.

There the row may drop packets: nobody else is on that network, and its rules go with it.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.chaos.ground import Ground
from tests.chaos.row import Outcome

__all__ = ["run_apart"]

_ROOT: Final = Path(__file__).parents[2]


async def run_apart(module: str, ground: Ground) -> Outcome:
    """What `run_inside(ground)` of that module gives there."""
    arguments = [module, ground.wire, str(ground.seconds), "quick" if ground.quick else "full"]
    process = await asyncio.create_subprocess_exec(
        "unshare",
        "--net",
        "sh",
        "-c",
        'ip link set lo up && exec "$0" -m tests.chaos.apart "$@"',
        sys.executable,
        *arguments,
        cwd=_ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        printed, troubles = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        raise RuntimeError(f"{module} exited with {process.returncode}: {troubles.decode()[-1000:]}")
    said: dict[str, Any] = json.loads(printed.decode().splitlines()[-1])
    return Outcome(said["counted"], tuple(said["problems"]))


async def _run(module: str, wire: str, seconds: float, quick: bool) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="polyport-chaos-") as folder:
        ground = Ground(wire, Path(folder), seconds, quick=quick)
        try:
            outcome: Outcome = await importlib.import_module(module).run_inside(ground)
            return outcome
        finally:
            await ground.close()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    done = asyncio.run(_run(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4] == "quick"))
    print(json.dumps({"counted": done.counted, "problems": list(done.problems)}))
