"""Go programs as peers, built on first use: `tests/interop/go`, which needs no module but Go's own,
`tests/interop/go-rmi`, which uses og-rek, `tests/interop/go-dubbo`, which is stock dubbo-go, and
`tests/interop/go-thrift`, which is Apache Thrift with generated code."""

from __future__ import annotations

import subprocess
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from tests.support.peer_program import PeerServer, Report, require_built, run_checks

__all__ = [
    "dubbo_go_checks",
    "dubbo_go_recodes",
    "dubbo_go_server",
    "go_checks",
    "go_rmi_checks",
    "go_thrift_checks",
    "go_thrift_server",
    "go_version",
    "require_dubbo_go",
    "require_go",
    "require_go_rmi",
    "require_go_thrift",
]

_ROOT: Final = Path(__file__).parents[2]
_GO_RMI: Final = _ROOT / "tests" / "interop" / "go-rmi"
_GO_DUBBO: Final = _ROOT / "tests" / "interop" / "go-dubbo"
_DUBBO: Final = _ROOT / ".cache" / "interop-go-dubbo" / "peer"
_GO_THRIFT: Final = _ROOT / "tests" / "interop" / "go-thrift"
_THRIFT: Final = _ROOT / ".cache" / "interop-go-thrift" / "peer"
_CLIENT: Final = _ROOT / ".cache" / "interop-go" / "client"


def require_go() -> None:
    """Builds the client; skips the test where Go cannot be had (with CI=true that is a failure)."""
    require_built(_ROOT / "tests" / "interop" / "go" / "build.sh")


async def go_checks(*arguments: str) -> Report:
    """Runs the client."""
    return await run_checks([_CLIENT, *arguments])


def require_go_rmi() -> None:
    """The same for the client of rmi://."""
    require_built(_GO_RMI / "build.sh")


async def go_rmi_checks(*arguments: str) -> Report:
    """Runs the client of rmi://."""
    return await run_checks([_ROOT / ".cache" / "interop-go-rmi" / "client", *arguments])


def require_dubbo_go() -> None:
    """The same for the peer of dubbo://."""
    require_built(_GO_DUBBO / "build.sh")


async def dubbo_go_checks(*arguments: str, while_idle: Callable[[], Awaitable[None]] | None = None) -> Report:
    """Runs the consumer of dubbo://; see `run_checks`."""
    return await run_checks([_DUBBO, *arguments], while_idle=while_idle)


def dubbo_go_server() -> PeerServer:
    """A running provider of dubbo://."""
    return PeerServer([_DUBBO, "serve"])


def dubbo_go_recodes(values: Sequence[bytes]) -> list[bytes | None]:
    """What dubbo-go-hessian2 writes of each value of Hessian 2 that it reads; None where it fails."""
    asked = "".join(f"{each.hex()}\n" for each in values)
    said = subprocess.run([_DUBBO, "codec"], input=asked, capture_output=True, text=True, check=True, timeout=60)
    return [None if line.startswith("!") else bytes.fromhex(line) for line in said.stdout.splitlines()]


def require_go_thrift() -> None:
    """The same for the peer of thrift://."""
    require_built(_GO_THRIFT / "build.sh")


async def go_thrift_checks(port: int) -> Report:
    """Runs the client of thrift://."""
    require_go_thrift()
    return await run_checks([_THRIFT, "call", str(port)])


def go_thrift_server() -> PeerServer:
    """A running server of thrift://, on the ports that `tests.support.thrift_peers.STYLES` names."""
    require_go_thrift()
    return PeerServer([_THRIFT, "serve"])


def go_version() -> str:
    """As Go says it, `1.22.1`."""
    said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    return said.split()[0].removeprefix("go")
