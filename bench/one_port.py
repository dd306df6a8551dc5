"""What a port of several wires costs: `python -m bench.one_port`.

One gateway has listeners of dubbo://, http:// and rmi:// at ports of their own and behind a shared one. A C program on
another core connects, calls and closes, sixteen connections at a time, by turns at the one and at the other: it calls
at once, or after two milliseconds, or, where a wire keeps connections, twenty times on each. What differs is the price
of being recognised and handed over. Prints CPU of the server, medians over the rounds; a difference is the median of
the rounds' own. Exit status 0 when all figures are reached; QUICK=1 for fewer rounds.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from bench.cases import Payload, full_plan, quick_plan
from bench.frames import build_request
from bench.native import build_c
from bench.ports import free_port
from bench.process import LOAD_CORE, Server, StartFailed, pinned
from bench.servers import start_polyport
from bench.short_connections import cpu_s, plain_frames, write_frames

_CONNECTIONS: Final = 16
_MOST_US: Final = 20.0
"""CPU that a connection may cost more at the shared port."""
_MOST_RATIO: Final = 1.05
"""What a call may cost there afterwards, as a multiple of what it costs elsewhere: nothing, but for noise."""
_CALLS: Final = 20
_PAUSE_US: Final = 2_000
"""So late a client speaks whose connection must be waited for."""


class _Wire(NamedTuple):
    """`alike`: bytes with which an answer begins as its request does. `keeps`: connections carry several calls."""

    name: str
    alike: int
    keeps: bool


_WIRES: Final = (_Wire("dubbo", 2, True), _Wire("http", 0, True), _Wire("rmi", 4, False))


def _frames(folder: Path) -> dict[str, Path]:
    return {
        "dubbo": write_frames(folder / "dubbo", [build_request(Payload.STRING, 128).frame]),
        "http": write_frames(folder / "http", [build_request(Payload.ADD, 0).frame]),
        "rmi": write_frames(folder / "rmi", plain_frames()),
    }


def _cpu(
    server: Server, wire: _Wire, seconds: float, frames: Path, port: int, calls: int = 1, pause_us: int = 0
) -> float:
    """CPU of the server for each connection that carries so many calls, in microseconds."""
    command = [build_c("short_load"), "127.0.0.1", port, _CONNECTIONS, seconds, frames, wire.alike, calls, pause_us]
    before = cpu_s(server)
    with pinned(LOAD_CORE):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    used = cpu_s(server) - before
    found = json.loads(done.stdout)
    if found["bad"] or not found["good"]:
        raise StartFailed(f"{wire.name}: {found['bad']} of {found['good'] + found['bad']} connections failed")
    return used / float(found["good"]) * 1e6


Sample = tuple[float, float]
"""CPU of something at a wire's own port, and at the shared one."""


Samples = dict[str, list[Sample]]
"""By wire, one for each round."""


def measure(rounds: int, seconds: float) -> tuple[Samples, Samples, Samples]:
    """Connections with one call that comes at once, those whose call comes late, and further calls of one.

    Of all rounds but the first, which warms up.
    """
    connections: Samples = {}
    late: Samples = {}
    further: Samples = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="polyport-one-port-")))
        ports = {each: free_port() for each in ("one", *(wire.name for wire in _WIRES))}
        variables = {f"BENCH_{name.upper()}": str(port) for name, port in ports.items()}
        server = stack.enter_context(start_polyport(folder / "log", "one_port.yaml", variables))
        frames = _frames(folder)
        for number in range(rounds + 1):
            for wire in _WIRES:
                # Who comes first in a round must not matter.
                places = [ports[wire.name], ports["one"]][:: 1 if number % 2 else -1]
                given = server, wire, seconds, frames[wire.name]
                one = [_cpu(*given, port) for port in places]
                paused = [_cpu(*given, port, pause_us=_PAUSE_US) for port in places]
                kept = places if wire.keeps else []
                many = [_cpu(*given, port, calls=_CALLS) for port in kept]
                calls = [(all_of_them - first) / (_CALLS - 1) for all_of_them, first in zip(many, one, strict=False)]
                for samples, found in ((connections, one), (late, paused), (further, calls)):
                    if number and found:
                        own, shared = found if number % 2 else found[::-1]
                        samples.setdefault(wire.name, []).append((own, shared))
    return connections, late, further


def main() -> int:
    """The command."""
    quick = os.environ.get("QUICK", "") not in ("", "0")
    try:
        connections, late, further = measure(5 if quick else 11, 1.0 if quick else 1.5)
    except (StartFailed, subprocess.CalledProcessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    margin = (quick_plan() if quick else full_plan()).margin
    reached = 0
    print(f"{'wire':8}{'CPU of':>18}{'own port':>14}{'shared port':>14}{'difference':>14}")
    for what, samples in (("a connection", connections), ("one that waits", late), ("a further call", further)):
        for wire, found in samples.items():
            own, shared = (statistics.median(each[at] for each in found) for at in (0, 1))
            more = statistics.median(each[1] - each[0] for each in found)
            print(f"{wire:8}{what:>18}{own:11.1f} us{shared:11.1f} us{more:11.1f} us")
    for what, samples in (("at once", connections), ("late", late)):
        for wire, found in samples.items():
            more = statistics.median(each[1] - each[0] for each in found)
            reached += more <= _MOST_US / margin
            bound = f"wanted {_MOST_US:g}, at most {_MOST_US / margin:.0f}"
            print(f"{more:.1f} us for each connection of {wire} that speaks {what} ({bound})")
    for wire, found in further.items():
        ratio = statistics.median(each[1] / each[0] for each in found)
        reached += ratio <= _MOST_RATIO / margin
        print(f"{ratio:.3f} x for calls of {wire} (wanted {_MOST_RATIO:g}, at most {_MOST_RATIO / margin:.2f})")
    wanted = len(connections) + len(late) + len(further)
    print(f"{reached} of {wanted} targets reached")
    return int(reached < wanted)


if __name__ == "__main__":
    sys.exit(main())
