"""Apache Thrift in other languages, with code that its compiler makes of what we export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from tests.support.generated_client import OPENAPI
from tests.support.node_peer import node_checks, node_server, require_node
from tests.support.peer_program import PeerServer, Report, require_built, run_checks

__all__ = [
    "GENERATED",
    "STYLES",
    "node_thrift_checks",
    "node_thrift_server",
    "python_thrift_checks",
    "python_thrift_server",
    "require_thrift",
    "rust_thrift_checks",
]

_ROOT: Final = Path(__file__).parents[2]
_RUST: Final = _ROOT / "tests" / "interop" / "rust-thrift"
_PYTHON: Final = _ROOT / "tests" / "interop" / "python"

GENERATED: Final = _ROOT / ".cache" / "interop-thrift"
"""A folder for each language, and `idl`."""


STYLES: Final = tuple(
    (encoding, transport) for encoding in ("binary", "compact") for transport in ("buffered", "framed")
)
"""What the servers speak on their ports, in order."""


def require_thrift() -> None:
    """Generates the code; skips the test where the compiler cannot be had (with CI=true that is a failure)."""
    require_built(_ROOT / "tests" / "interop" / "thrift" / "build.sh")


async def python_thrift_checks(port: int) -> Report:
    """Runs the client; it has the library of the tests, and nothing of ours."""
    require_thrift()
    command = [sys.executable, _PYTHON / "thrift_client.py", str(port), GENERATED / "python"]
    return await run_checks(command, _PYTHON, {"PYTHONPATH": str(OPENAPI)})


def python_thrift_server() -> PeerServer:
    """A running server."""
    require_thrift()
    return PeerServer([sys.executable, _PYTHON / "thrift_server.py", GENERATED / "python"], _PYTHON)


async def node_thrift_checks(port: int) -> Report:
    """Runs the client for Node."""
    require_thrift()
    require_node()
    return await node_checks("thrift_client.mjs", str(port), str(GENERATED / "node"))


def node_thrift_server() -> PeerServer:
    """A running server for Node; without names of services it has other ports, behind the ones with them."""
    require_thrift()
    require_node()
    return node_server("thrift_server.mjs", str(GENERATED / "node"))


async def rust_thrift_checks(port: int) -> Report:
    """Runs the client for Rust."""
    require_built(_RUST / "build.sh")
    return await run_checks([_ROOT / ".cache" / "interop-rust-thrift" / "peer", "call", str(port)])
