"""Programs in other languages as peers: how they are built, run, waited for and ended, and what they report."""

from __future__ import annotations

import asyncio
import functools
import os
import select
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

__all__ = [
    "BUILD_TIMEOUT",
    "SCENARIO_S",
    "PeerServer",
    "Report",
    "end_program",
    "ready_address",
    "ready_addresses",
    "require_built",
    "run_checks",
]

SCENARIO_S: Final = 120
"""How long a peer may take for what it is asked to do."""

_MISSING: Final = 3
_BUILD_S: Final = 900
_READY_S: Final = 60
_STOP_S: Final = 20

BUILD_TIMEOUT: Final = pytest.mark.timeout(_BUILD_S + SCENARIO_S)
"""For tests that may be the first to need the peers: the first build downloads what they are made of."""


@dataclass(frozen=True)
class Report:
    """What a peer printed for one command. `failures` are its FAIL lines, `summary` the last line."""

    lines: tuple[str, ...]

    @property
    def failures(self) -> list[str]:
        return [line for line in self.lines if line.startswith("FAIL ")]

    @property
    def summary(self) -> str:
        return self.lines[-1]

    def check(self) -> None:
        """Fails the test unless there were checks and all of them passed."""
        passed, _, rest = self.summary.partition(" of ")
        if self.failures or passed == "0" or rest != f"{passed} checks":
            pytest.fail("\n".join([*self.failures, self.summary]), pytrace=False)


def require_built(script: Path) -> None:
    """Runs a build script once; skips the test where it says that tools cannot be had (with CI=true that fails).

    A build script exits with 3 when tools are missing, and with another code when the build failed.
    """
    code, said = _build(script)
    if code == _MISSING and os.environ.get("CI") != "true":
        pytest.skip(said or f"{script} lacks tools")
    if code:
        pytest.fail(said or f"{script} exited with {code}", pytrace=False)


@functools.cache
def _build(script: Path) -> tuple[int, str]:
    done = subprocess.run([script], stderr=subprocess.PIPE, text=True, timeout=_BUILD_S, check=False)
    return done.returncode, done.stderr.strip()


async def run_checks(
    command: Sequence[str | Path],
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    while_idle: Callable[[], Awaitable[None]] | None = None,
) -> Report:
    """Runs a program that prints a line for each check, and `N of M checks` in the end.

    `environment`: variables beside those of this process. `while_idle`: what happens between the program's line `idle`
    and its going on.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL if while_idle is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    before, answer = b"", None
    try:
        async with asyncio.timeout(SCENARIO_S):
            if while_idle is not None:
                assert process.stdout is not None
                while not before.endswith(b"idle\n") and (line := await process.stdout.readline()):
                    before += line
                await while_idle()
                answer = b"\n"
            printed, troubles = await process.communicate(answer)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    lines = (before + printed).decode().splitlines()
    if process.returncode or not lines:
        said = "\n".join([*lines[-5:], troubles.decode()[-2000:]])
        pytest.fail(f"{command[0]} exited with {process.returncode}: {said}", pytrace=False)
    return Report(tuple(lines))


def ready_address(process: subprocess.Popen[str]) -> str:
    """The address of a server on this machine that prints `READY <port>` when it answers. Fails the test otherwise."""
    return ready_addresses(process)[0]


def ready_addresses(process: subprocess.Popen[str]) -> tuple[str, ...]:
    """The same of a server that prints several ports."""
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], _READY_S)
    ready = process.stdout.readline().split() if readable else []
    if ready[:1] != ["READY"] or not ready[1:]:
        process.kill()
        end_program(process)
        pytest.fail(f"the provider said {ready}")
    return tuple(f"127.0.0.1:{port}" for port in ready[1:])


def end_program(process: subprocess.Popen[str]) -> None:
    """Ends a program that runs until its input ends."""
    try:
        process.communicate(timeout=_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


class PeerServer:
    """A server that prints `READY <port>…` and runs until its input ends.

    `address`: `host:port`; `addresses`: where it prints several ports, all of them.
    """

    def __init__(self, command: Sequence[str | Path], folder: Path | None = None) -> None:
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.addresses = ready_addresses(self._process)
        self.address = self.addresses[0]

    def close(self) -> None:
        """Ends the process."""
        end_program(self._process)
