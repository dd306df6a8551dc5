"""A client in C that gSOAP generated: builds `tests/interop/gsoap` on first use and runs it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

from tests.support.peer_program import Report, require_built, run_checks

__all__ = ["gsoap_checks", "gsoap_version", "require_gsoap"]

_ROOT: Final = Path(__file__).parents[2]
_CLIENT: Final = _ROOT / ".cache" / "interop-gsoap" / "client"


def require_gsoap() -> None:
    """Builds the client; skips the test where gSOAP cannot be had (with CI=true that is a failure)."""
    require_built(_ROOT / "tests" / "interop" / "gsoap" / "build.sh")


async def gsoap_checks(url: str) -> Report:
    """Runs the client against demo.Catalog at this address."""
    return await run_checks([_CLIENT, url])


def gsoap_version() -> str:
    """As its compiler says it, `2.8.124`."""
    said = subprocess.run(["soapcpp2", "-V"], capture_output=True, text=True, check=False)
    found = re.search(r"\d+(\.\d+)+", said.stdout + said.stderr)
    return found.group() if found else ""
