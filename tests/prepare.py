"""What tests need from elsewhere, built and installed before they run.

Otherwise the first test that needs something has it made in its own time, and those of other processes wait in theirs.
What cannot be had is only named here: the tests that need it say what that means for them.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from bench.apt import INSTALL_S, Unavailable, install
from tests.support.browser import require_browser
from tests.support.firefox import require_firefox

__all__ = ["prepare"]

_INTEROP: Final = Path(__file__).parent / "interop"
_PROGRAMS: Final = (
    "redis-server:redis-server",
    "memcached:memcached",
    "zooinspector:zookeeper",
    "curl:curl",
    "ip:iproute2",
)


def prepare() -> None:
    """Does nothing for what is there."""
    scripts = sorted(_INTEROP.glob("*/build.sh"))
    with ThreadPoolExecutor(len(scripts) + 1) as pool:
        installing = pool.submit(_install)
        list(pool.map(_build, scripts))
        installing.result()


def _build(script: Path) -> None:
    done = subprocess.run([script], timeout=INSTALL_S, check=False)
    if done.returncode:
        _say(f"the peers in {script.parent.relative_to(_INTEROP.parents[1])} are not available")


def _install() -> None:
    for need in (*(partial(install, each) for each in _PROGRAMS), require_browser, require_firefox):
        try:
            need()
        except Unavailable as exc:
            _say(str(exc))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
