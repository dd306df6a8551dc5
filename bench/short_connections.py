"""Calls on connections of their own, beside what they cost at least: `python -m bench.short_connections`.

One client thread for each of 16 connections connects, calls, half-closes, reads and closes, in a C program on another
core. Measured are rmi:// without and with a signature, a bare blocking accept-echo-close server that gets the same
frames, and Pyro5 with a new proxy for each call (the extra `bench`). Prints calls a second and CPU of the server for
each call: medians over rounds in which each has its turn. Exit status 0 when all figures are reached; QUICK=1 for
fewer rounds.
"""

from __future__ import annotations

import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from bench.cases import full_plan, quick_plan
from bench.native import build_c
from bench.process import LOAD_CORE, Server, StartFailed, pinned
from bench.servers import start_floor, start_polyport
from protocols.rmi.frame import Kind, frame_bytes, write_head
from protocols.rmi.pickle_writer import write_pickle
from protocols.rmi.signature import Seal

__all__ = ["cpu_s", "measure", "plain_frames", "write_frames"]

_CONNECTIONS: Final = 16
_TARGETS: Final = (
    ("polyport rmi", "bare blocking echo", 0.3, 0.24),
    ("polyport rmi, signed", "bare blocking echo", 0.3, 0.2),
    ("polyport rmi", "Pyro5, new proxy", 3.0, 3.0),
)
"""What is measured, beside what, how many times as fast is wanted, and what is held. By CPU of the server: how many
calls a second there are depends on the client's core as well, and on who else uses the machine."""
_CPU_OF_PROCESS: Final = 2
"""In the number of a clock, beside the process (Linux: include/linux/posix-timers.h, CPUCLOCK_SCHED)."""
_SIGNED_FRAMES: Final = 60_000
"""Each is taken once, so there must be as many as the fastest server answers in one round."""
_SECRET: Final = "bench-secret-of-thirty-two-bytes"
_KEY: Final = "bench"
_TEXT: Final = "x" * 128

Sample = tuple[float, float]
"""Calls a second, and CPU microseconds of the server for each."""


def _payload() -> bytes:
    said = {"service": "bench.Echo", "method": "echo", "args": [_TEXT], "timeout": 5_000, "consumer": "bench"}
    return write_pickle(said)


def plain_frames() -> list[bytes]:
    """A call without a signature."""
    payload = _payload()
    return [frame_bytes(write_head(Kind.CALL, len(payload)), b"", [payload])]


def _signed_frames() -> list[bytes]:
    """Frames of this moment, as many as a round needs at most."""
    seal, payload, now_ms = Seal(_KEY, _SECRET.encode()), _payload(), time.time_ns() // 1_000_000
    return [seal.sealed(Kind.CALL, [payload], now_ms, os.urandom(16)) for _ in range(_SIGNED_FRAMES)]


def write_frames(path: Path, frames: list[bytes]) -> Path:
    """A file as `short_load.c` reads it."""
    path.write_bytes(b"".join(struct.pack(">I", len(each)) + each for each in frames))
    return path


def cpu_s(server: Server) -> float:
    """CPU time of a server so far, all its threads and children.

    By Linux' clock of each process, which counts nanoseconds (clock_getcpuclockid(3)): the ticks of /proc are too
    coarse for samples of half a second.
    """
    return sum(time.clock_gettime(~pid << 3 | _CPU_OF_PROCESS) for pid in server.pids)


def _measured(server: Server, load: Callable[[], dict[str, Any]]) -> Sample:
    before = cpu_s(server)
    found = load()
    used = cpu_s(server) - before
    if found["bad"]:
        raise StartFailed(f"{found['bad']} of {found['good'] + found['bad']} calls failed")
    return found["good"] / found["seconds"], used / max(1, found["good"]) * 1e6


def _short_load(server: Server, seconds: float, frames: Path) -> dict[str, Any]:
    command = [build_c("short_load"), server.host, server.port, _CONNECTIONS, seconds, frames]
    with pinned(LOAD_CORE):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _pyro_load(server: Server, seconds: float) -> dict[str, Any]:
    """Pyro5's own client, in threads of one process on the other core."""
    code = _PYRO_CLIENT.format(uri=f"PYRO:echo@{server.host}:{server.port}", count=_CONNECTIONS, seconds=seconds)
    with pinned(LOAD_CORE):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


_PYRO_CLIENT: Final = """
import json, threading, time
import Pyro5.api
good, bad, stop = [0] * {count}, [0] * {count}, threading.Event()
def work(at):
    while not stop.is_set():
        try:
            with Pyro5.api.Proxy("{uri}") as proxy:
                ok = proxy.echo("x" * 128) == "x" * 128
        except Exception:
            ok = False
        good[at] += ok
        bad[at] += not ok
threads = [threading.Thread(target=work, args=(at,)) for at in range({count})]
began = time.monotonic()
for each in threads: each.start()
time.sleep({seconds})
took = time.monotonic() - began
counted = sum(good), sum(bad)
stop.set()
for each in threads: each.join()
print(json.dumps(dict(good=counted[0], bad=counted[1], seconds=took)))
"""


def measure(rounds: int, seconds: float) -> dict[str, list[Sample]]:
    """Samples by what was measured; Pyro5 is left out where it is not installed."""
    samples: dict[str, list[Sample]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="polyport-short-")))
        plain = write_frames(folder / "plain", plain_frames())
        bare = stack.enter_context(start_floor(folder / "bare.log", "blocking_echo"))
        ours = stack.enter_context(start_polyport(folder / "ours.log", "rmi.yaml", {}))
        signed = stack.enter_context(
            start_polyport(folder / "signed.log", "rmi_signed.yaml", {"BENCH_SECRET": _SECRET})
        )
        turns: dict[str, tuple[Server, Callable[[], dict[str, Any]]]] = {
            "bare blocking echo": (bare, lambda: _short_load(bare, seconds, plain)),
            "polyport rmi": (ours, lambda: _short_load(ours, seconds, plain)),
            "polyport rmi, signed": (
                signed,
                lambda: _short_load(signed, seconds, write_frames(folder / "signed", _signed_frames())),
            ),
        }
        if find_spec("Pyro5") is not None:
            pyro = stack.enter_context(start_floor(folder / "pyro.log", "pyro_echo"))
            turns["Pyro5, new proxy"] = pyro, lambda: _pyro_load(pyro, seconds)
        for number in range(rounds + 1):
            for name, (server, load) in turns.items():
                sample = _measured(server, load)
                # The first round warms up.
                if number:
                    samples.setdefault(name, []).append(sample)
    return samples


def _ratio(samples: dict[str, list[Sample]], name: str, floor: str, index: int) -> float | None:
    if name not in samples or floor not in samples:
        return None
    pairs = zip(samples[name], samples[floor], strict=True)
    # Of calls a second more is better, of CPU less.
    return statistics.median(a[0] / b[0] if index == 0 else b[1] / a[1] for a, b in pairs)


def main() -> int:
    """The command."""
    quick = os.environ.get("QUICK", "") not in ("", "0")
    try:
        samples = measure(3 if quick else 7, 1.0 if quick else 2.0)
    except (StartFailed, subprocess.CalledProcessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print(f"{'server':24}{'calls/s':>10}{'CPU us/call':>14}{'x bare, calls':>16}{'x bare, CPU':>14}")
    for name, found in samples.items():
        rate, cpu = statistics.median(each[0] for each in found), statistics.median(each[1] for each in found)
        ratios = [_ratio(samples, name, "bare blocking echo", index) for index in (0, 1)]
        print(f"{name:24}{rate:10.0f}{cpu:14.1f}{ratios[0]:16.2f}{ratios[1]:14.2f}")
    reached = 0
    margin = (quick_plan() if quick else full_plan()).margin
    for name, floor, wanted, held in _TARGETS:
        ratio = _ratio(samples, name, floor, 1)
        times = "not measured" if ratio is None else f"{ratio:.2f} x"
        print(f"{name}: {times} {floor} by server CPU (wanted {wanted:g}, at least {held * margin:g})")
        reached += ratio is not None and ratio >= held * margin
    print(f"{reached} of {len(_TARGETS)} targets reached")
    return int(reached < len(_TARGETS))


if __name__ == "__main__":
    sys.exit(main())
