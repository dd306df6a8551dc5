"""The servers that are compared, and how each is started."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.cases import Payload
from bench.native import BuildFailed, build_c, build_java
from bench.process import LOAD_CORE, Server, StartFailed

ECHO = "uvloop echo"
C_PROVIDER = "C provider"
JAVA = "Java Dubbo 3.3"
HOSTED = "polyport"
FORWARDED = "polyport forwarding"

PAYLOADS: dict[str, tuple[Payload, ...]] = {
    ECHO: (Payload.BYTES,),
    C_PROVIDER: (Payload.STRING, Payload.POJO),
    JAVA: (Payload.STRING, Payload.POJO),
    HOSTED: (Payload.STRING, Payload.POJO),
    FORWARDED: (Payload.STRING, Payload.POJO),
}
"""Every server and what it is asked; in this order they are measured."""

_HERE = Path(__file__).parent
_POLYPORT_LISTENING = re.compile(rb"dubbo://(127\.0\.0\.1):(\d+)")


@dataclass(slots=True)
class Lineup:
    """The servers that are up, and why the others are not.

    Attributes:
        behind: The C provider that the forwarding gateway calls, on the core of the load generator.
    """

    behind: Server
    running: dict[str, Server] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def start_lineup(stack: ExitStack, folder: Path, announce: Callable[[str], None]) -> Lineup:
    """Builds and starts every server; `stack` ends them.

    Raises:
        BuildFailed, StartFailed: the C provider cannot be had. Any other server may be missing.
    """
    announce("building the C programs")
    provider = [str(build_c("provider"))]
    behind = stack.enter_context(Server(provider, folder / "behind.log"))
    behind.move(LOAD_CORE)
    lineup = Lineup(behind)

    def start(name: str, server: Callable[[Path], Server]) -> None:
        announce(f"starting {name}")
        try:
            lineup.running[name] = stack.enter_context(server(folder / f"{name.replace(' ', '-')}.log"))
        except (BuildFailed, StartFailed) as error:
            lineup.missing[name] = str(error)

    start(ECHO, lambda log: Server([sys.executable, str(_HERE / "floors" / "uvloop_echo.py")], log))
    start(C_PROVIDER, lambda log: Server(provider, log))
    start(JAVA, _start_java)
    start(HOSTED, start_hosted)
    start(FORWARDED, lambda log: _start_forwarding(log, behind))
    return lineup


def polyport_command() -> str:
    """The installed command, the one beside this interpreter first."""
    beside = Path(sys.executable).with_name("polyport")
    found = str(beside) if beside.exists() else shutil.which("polyport")
    if found is None:
        raise StartFailed("the command polyport is not installed")
    return found


def start_hosted(log: Path) -> Server:
    """The gateway that hosts `bench.Echo` itself."""
    return _start_polyport(log, "echo.yaml", {})


def _start_forwarding(log: Path, behind: Server) -> Server:
    return _start_polyport(log, "forward.yaml", {"BENCH_PROVIDER": f"{behind.host}:{behind.port}"})


def _start_polyport(log: Path, config: str, env: dict[str, str]) -> Server:
    # The command does not look for `bench.services` in the current folder.
    env["PYTHONPATH"] = str(_HERE.parent)
    return Server([polyport_command(), "serve", str(_HERE / "conf" / config)], log, env, _POLYPORT_LISTENING)


def _start_java(log: Path) -> Server:
    if shutil.which("java") is None:
        raise StartFailed("java is not installed")
    return Server(["java", "-cp", build_java(), "bench.Provider"], log)
