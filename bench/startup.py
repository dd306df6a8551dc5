"""How long the command takes to say something, and a server to listen."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.process import SERVER_CORE, StartFailed, pinned
from bench.servers import polyport_command, start_hosted

_TIMES = 5


@dataclass(frozen=True, slots=True)
class StartUp:
    """Seconds, medians."""

    help_s: float
    serve_s: float
    """From starting `polyport serve` to the line that says where it listens."""


def measure_startup(folder: Path, announce: Callable[[str], None]) -> StartUp | None:
    """Starts both again and again, after once for the file cache. None when polyport does not start."""
    announce(f"start-up, {_TIMES} times")
    try:
        command = polyport_command()
        help_s = [_time_help(command) for _ in range(1 + _TIMES)]
        serve_s = [_time_serve(folder) for _ in range(1 + _TIMES)]
    except (StartFailed, subprocess.SubprocessError):
        return None
    return StartUp(statistics.median(help_s[1:]), statistics.median(serve_s[1:]))


def _time_help(command: str) -> float:
    begun = time.perf_counter()
    with pinned(SERVER_CORE):
        subprocess.run([command, "--help"], stdout=subprocess.DEVNULL, check=True, timeout=60)
    return time.perf_counter() - begun


def _time_serve(folder: Path) -> float:
    with start_hosted(folder / "startup.log") as server:
        return server.start_s
