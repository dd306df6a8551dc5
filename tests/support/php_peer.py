"""PHP programs as peers: installs PHP on first use and runs what `tests/interop/php` contains."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from tests.support.peer_program import Report, require_built, run_checks

__all__ = ["php_checks", "php_extension_version", "php_version", "require_php"]

_FOLDER: Final = Path(__file__).parents[1] / "interop" / "php"


def require_php() -> None:
    """Installs PHP; skips the test where it cannot be had (with CI=true that is a failure)."""
    require_built(_FOLDER / "build.sh")


async def php_checks(program: str, *arguments: str) -> Report:
    """Runs a program of checks."""
    return await run_checks(["php", program, *arguments], _FOLDER)


def php_version() -> str:
    """As PHP says it, `8.2.1`."""
    return subprocess.run(["php", "-r", "echo PHP_VERSION;"], capture_output=True, text=True, check=True).stdout


def php_extension_version(name: str) -> str:
    """Of an extension, as it says it."""
    asked = "echo phpversion($argv[1]);"
    return subprocess.run(["php", "-r", asked, name], capture_output=True, text=True, check=True).stdout
