"""Programs that a measurement or a test needs, installed where they are missing."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path
from typing import Final

__all__ = ["INSTALL_S", "Unavailable", "install"]

_ROOT: Final = Path(__file__).parents[1]
_SCRIPT: Final = _ROOT / "tests" / "interop" / "apt.sh"
_LOG: Final = _ROOT / ".cache" / "apt.log"
INSTALL_S: Final = 900
"""How long it may take."""


class Unavailable(Exception):
    """What is needed cannot be had here; the text says why, and what to do."""


@functools.cache
def install(*programs: str) -> None:
    """Installs those that are missing, each written `program:package`.

    Raises:
        Unavailable: there is no apt, or no such package, or we are not root.
    """
    _LOG.parent.mkdir(exist_ok=True)
    done = subprocess.run([_SCRIPT, _LOG, *programs], stderr=subprocess.PIPE, text=True, timeout=INSTALL_S, check=False)
    if done.returncode:
        raise Unavailable(done.stderr.strip())
