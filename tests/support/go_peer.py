"""A Go program as a peer: builds `tests/interop/go`, which needs no module but Go's own, on first use."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from tests.support.peer_program import Report, require_built, run_checks

__all__ = ["go_checks", "go_version", "require_go"]

_ROOT: Final = Path(__file__).parents[2]
_CLIENT: Final = _ROOT / ".cache" / "interop-go" / "client"


def require_go() -> None:
    """Builds the client; skips the test where Go cannot be had (with CI=true that is a failure)."""
    require_built(_ROOT / "tests" / "interop" / "go" / "build.sh")


async def go_checks(*arguments: str) -> Report:
    """Runs the client."""
    return await run_checks([_CLIENT, *arguments])


def go_version() -> str:
    """As Go says it, `1.22.1`."""
    said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    return said.split()[0].removeprefix("go")
