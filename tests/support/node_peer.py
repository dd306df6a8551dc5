"""Node programs as peers: installs `tests/interop/node` on first use and runs what it contains."""

from __future__ import annotations

import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from tests.support.peer_program import PeerServer, Report, require_built, run_checks

__all__ = ["NODE_CACHE", "node_checks", "node_server", "node_version", "require_node"]

_ROOT: Final = Path(__file__).parents[2]

NODE_CACHE: Final = _ROOT / ".cache" / "interop-node"
"""Where the programs are run, beside the packages they use."""


def require_node() -> None:
    """Installs the packages; skips the test where Node or npm cannot be had (with CI=true that is a failure)."""
    require_built(_ROOT / "tests" / "interop" / "node" / "build.sh")


async def node_checks(program: str, *arguments: str, while_idle: Callable[[], Awaitable[None]] | None = None) -> Report:
    """Runs a program of checks; see `run_checks`."""
    return await run_checks(["node", program, *arguments], NODE_CACHE, while_idle=while_idle)


def node_server(program: str, *arguments: str) -> PeerServer:
    """A running server."""
    return PeerServer(["node", program, *arguments], NODE_CACHE)


def node_version() -> str:
    """As Node says it, `20.1.2`."""
    return subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip().lstrip("v")
