"""Go programs as peers, built on first use: `tests/interop/go`, which needs no module but Go's own, and
`tests/interop/go-rmi`, which uses og-rek."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from tests.support.peer_program import Report, require_built, run_checks

__all__ = ["go_checks", "go_rmi_checks", "go_version", "og_rek_version", "require_go", "require_go_rmi"]

_ROOT: Final = Path(__file__).parents[2]
_GO_RMI: Final = _ROOT / "tests" / "interop" / "go-rmi"
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


def og_rek_version() -> str:
    """That the client of rmi:// is built with, `1.3.0`."""
    wanted = (_GO_RMI / "go.mod").read_text(encoding="utf-8")
    return wanted.partition("og-rek v")[2].split()[0]


def go_version() -> str:
    """As Go says it, `1.22.1`."""
    said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    return said.split()[0].removeprefix("go")
