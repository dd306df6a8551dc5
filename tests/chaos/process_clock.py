"""The clock that processes of a row see. That of the machine is never touched."""

from __future__ import annotations

import asyncio
import functools
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bench.apt import install

__all__ = ["ProcessClock"]


class ProcessClock:
    """Of all processes that are started with `environ`. Only the clock that can be set moves, not the monotonic one."""

    def __init__(self, file: Path, library: str) -> None:
        self._file = file
        # Read anew whenever a program asks for the time.
        self.environ: Mapping[str, str] = {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            # With it waits for conditions end too early or too late (wolfcw/libfaketime: README), and Python's threads
            # take turns by such waits: those of ZooKeeper's client kept the others from running for a second.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }
        self.set(0)

    @staticmethod
    async def beside(file: Path) -> ProcessClock:
        """A clock that is right so far. Raises Unavailable where libfaketime cannot be had."""
        return ProcessClock(file, await asyncio.to_thread(_library))

    def set(self, ahead_s: int) -> None:
        """It is ahead of the right time by so much; negative when it is late."""
        self._file.write_text(f"{ahead_s:+d}\n", "ascii")


@functools.cache
def _library() -> str:
    install("faketime:faketime")
    shown = subprocess.run(["faketime", "-f", "+0", "env"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"^LD_PRELOAD=(\S+)$", shown, re.MULTILINE)
    if found is None:
        raise RuntimeError("faketime does not say where its library is")
    return found[1]
