"""What a port of several wires costs: `python -m bench.one_port`.

One gateway has listeners of dubbo://, http:// and rmi:// at ports of their own and behind a shared one, and http://
once more where it shares connections with hessian://. A C program on another core connects, calls and closes, sixteen
connections at a time, by turns at the one and at the other: it calls at once, or after two milliseconds, or, where a
wire keeps connections, twenty times on each. What differs is the price of being recognised and handed over. Prints CPU
of the server. Who else uses the machine makes it differ by more than that, but not from one tenth of a second to the
next: so the two ports take turns that short, and the figures are medians of what differs between two turns. A bare
blocking accept-echo-close server has its turn too. Exit status 0 when all are reached: microseconds in the long form,
and in the short one (QUICK=1), which runs on machines of any speed, what they are of a connection of the bare server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from bench.cases import Payload, full_plan, quick_plan
from bench.frames import build_request
from bench.native import build_c
from bench.ports import free_port
from bench.process import LOAD_CORE, Server, StartFailed, pinned
from bench.servers import start_floor, start_polyport
from bench.short_connections import cpu_s, plain_frames, write_frames

_CONNECTIONS: Final = 16
_MOST_US: Final = 20.0
"""CPU that a connection may cost more at the shared port."""
_MOST_BARE: Final = 0.69
"""The same as a multiple of a connection of the bare server, which took 29 us where this was measured."""
_MOST_RATIO: Final = 1.05
"""What a call may cost there afterwards, as a multiple of what it costs elsewhere: as much, but for noise."""
_MOST_TOGETHER: Final = 1.1
"""The same where each request is looked at, to find out whose it is."""
_CALLS: Final = 20
_PAUSE_US: Final = 2_000
"""So late a client speaks whose connection must be waited for."""


class _Wire(NamedTuple):
    """One row. `frames`: whose requests it takes; `own` and `shared`: names of its ports.

    `alike`: bytes with which an answer begins as its request does. `most`: what a further call may cost; None where a
    connection carries one call.
    """

    name: str
    frames: str
    own: str
    shared: str
    alike: int
    most: float | None


_WIRES: Final = (
    _Wire("dubbo", "dubbo", "dubbo", "one", 2, _MOST_RATIO),
    _Wire("http", "http", "http", "one", 0, _MOST_RATIO),
    _Wire("http beside hessian", "http", "http", "together", 0, _MOST_TOGETHER),
    _Wire("rmi", "rmi", "rmi", "one", 4, None),
)
_BARE: Final = _Wire("bare", "rmi", "", "", 4, None)
_PORTS: Final = ("one", "together", "dubbo", "http", "rmi")


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


class _Found(NamedTuple):
    """Connections with one call that comes at once, those whose call comes late, further calls of one, and connections
    of the bare server."""

    connections: Samples
    late: Samples
    further: Samples
    bare: list[float]


def measure(rounds: int, seconds: float) -> _Found:
    """Of all rounds but the first, which warms up."""
    connections: Samples = {}
    late: Samples = {}
    further: Samples = {}
    bare: list[float] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="polyport-one-port-")))
        ports = {each: free_port() for each in _PORTS}
        variables = {f"BENCH_{name.upper()}": str(port) for name, port in ports.items()}
        server = stack.enter_context(start_polyport(folder / "log", "one_port.yaml", variables))
        floor = stack.enter_context(start_floor(folder / "bare.log", "blocking_echo"))
        frames = _frames(folder)
        for number in range(rounds + 1):
            echoed = _cpu(floor, _BARE, seconds, frames[_BARE.frames], floor.port)
            if number:
                bare.append(echoed)
            for wire in _WIRES:
                # Who comes first in a round must not matter.
                places = [ports[wire.own], ports[wire.shared]][:: 1 if number % 2 else -1]
                given = server, wire, seconds, frames[wire.frames]
                one = [_cpu(*given, port) for port in places]
                paused = [_cpu(*given, port, pause_us=_PAUSE_US) for port in places]
                kept = places if wire.most is not None else []
                many = [_cpu(*given, port, calls=_CALLS) for port in kept]
                calls = [(all_of_them - first) / (_CALLS - 1) for all_of_them, first in zip(many, one, strict=False)]
                for samples, found in ((connections, one), (late, paused), (further, calls)):
                    if number and found:
                        own, shared = found if number % 2 else found[::-1]
                        samples.setdefault(wire.name, []).append((own, shared))
    return _Found(connections, late, further, bare)


def _difference(found: list[Sample]) -> float:
    return median(shared - own for own, shared in found)


def _of_bare(found: list[Sample], bare: list[float]) -> float:
    return median((shared - own) / floor for (own, shared), floor in zip(found, bare, strict=True))


def _ratio(found: list[Sample]) -> float:
    return median(shared / own for own, shared in found)


def main() -> int:
    """The command."""
    quick = os.environ.get("QUICK", "") not in ("", "0")
    try:
        connections, late, further, bare = measure(25 if quick else 60, 0.12 if quick else 0.4)
    except (StartFailed, subprocess.CalledProcessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    margin = (quick_plan() if quick else full_plan()).margin
    reached = 0
    print(f"{'wire':20}{'CPU of':>18}{'own port':>14}{'shared port':>14}{'difference':>14}")
    for what, samples in (("a connection", connections), ("one that waits", late), ("a further call", further)):
        for wire, found in samples.items():
            own, shared = (median(each[port] for each in found) for port in (0, 1))
            print(f"{wire:20}{what:>18}{own:11.1f} us{shared:11.1f} us{_difference(found):11.1f} us")
    print(f"{'bare server':20}{'a connection':>18}{median(bare):11.1f} us")
    for what, samples in (("at once", connections), ("late", late)):
        for wire, found in samples.items():
            more_us, of_bare = _difference(found), _of_bare(found, bare)
            reached += of_bare <= _MOST_BARE / margin if quick else more_us <= _MOST_US
            bound = f"at most {_MOST_BARE / margin:.2f}" if quick else f"wanted {_MOST_US:g} us"
            print(f"{more_us:.1f} us, {of_bare:.2f} x bare, for each connection of {wire} that speaks {what} ({bound})")
    most = {wire.name: wire.most for wire in _WIRES if wire.most is not None}
    for wire, found in further.items():
        ratio = _ratio(found)
        reached += ratio <= most[wire] / margin
        bound = f"wanted {most[wire]:g}, at most {most[wire] / margin:.2f}"
        print(f"{ratio:.3f} x for further calls of {wire} ({bound})")
    wanted = len(connections) + len(late) + len(further)
    print(f"{reached} of {wanted} targets reached")
    return int(reached < wanted)


if __name__ == "__main__":
    sys.exit(main())
