"""Python programs with packages of others as peers: installs `tests/interop/python` on first use."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.support.generated_client import OPENAPI
from tests.support.peer_program import PeerServer, Report, require_built, run_checks

__all__ = ["PYTHON", "python_checks", "python_server", "require_python_peers"]

_ROOT: Final = Path(__file__).parents[2]
_FOLDER: Final = _ROOT / "tests" / "interop" / "python"
PYTHON: Final = _ROOT / ".cache" / "interop-python" / "venv" / "bin" / "python"


def require_python_peers() -> None:
    """Installs the packages, or fails the test."""
    require_built(_FOLDER / "build.sh")


async def python_checks(program: str, *arguments: str) -> Report:
    """Runs a program of checks; it has the packages of the peers and none of ours."""
    require_python_peers()
    return await run_checks([PYTHON, _FOLDER / program, *arguments], _FOLDER, {"PYTHONPATH": str(OPENAPI)})


def python_server(program: str) -> PeerServer:
    """A running server; it has what `python_checks` has."""
    require_python_peers()
    return PeerServer([PYTHON, _FOLDER / program], _FOLDER)
