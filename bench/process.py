"""Processes of a benchmark: started on a chosen core, waited for, looked at, ended."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

SERVER_CORE = min(os.sched_getaffinity(0))
LOAD_CORE = max(os.sched_getaffinity(0))
"""Equal to `SERVER_CORE` on a machine with one core; the report then says so."""

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0

_LISTENING = re.compile(rb"LISTENING (127\.0\.0\.1):(\d+)")


class StartFailed(Exception):
    """A server did not come up; the message has the end of what it printed."""


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Keeps this process, and the children it starts meanwhile, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Server:
    """A server process that has said where it listens.

    Leaving the `with` block ends it: by closing its standard input, by a signal, at last by force.

    Attributes:
        host: Address of the listener.
        port: Port of the listener.
        pids: The process and its children, whose CPU time is the server's.
        start_s: Seconds from starting the process to the line that names the listener.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        listening: re.Pattern[bytes] = _LISTENING,
    ) -> None:
        """Starts `command` on `SERVER_CORE` and waits until it prints where it listens.

        Args:
            command: Program and arguments.
            log: File for standard error, and for what standard output says later.
            env: Variables set in addition to this process's own.
            listening: What it prints then, with host and port as groups.

        Raises:
            StartFailed: it cannot be run, ended, or said nothing for `START_TIMEOUT_S`.
        """
        self._log: IO[bytes] = log.open("wb")
        begun = time.perf_counter()
        try:
            with pinned(SERVER_CORE):
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._log,
                    env={**os.environ, **(env or {})},
                )
        except OSError as error:
            self._log.close()
            raise StartFailed(f"{command[0]}: {error.strerror}") from error
        try:
            self.host, self.port = self._await_address(log, listening)
        except BaseException:
            self._stop()
            raise
        self.start_s = time.perf_counter() - begun
        # A server that goes on printing must not block on a full pipe.
        threading.Thread(target=shutil.copyfileobj, args=(self._process.stdout, self._log), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def pids(self) -> list[int]:
        return [self._process.pid, *_descendants(self._process.pid)]

    def move(self, core: int) -> None:
        """Moves every thread of the process and its children to a core."""
        for pid in self.pids:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(int(thread), {core})

    def memory(self) -> tuple[int, int]:
        """Resident and proportional memory (RSS, PSS) of the process and its children, in bytes."""
        rss = pss = 0
        for pid in self.pids:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Rss:"):
                    rss += int(line.split()[1]) << 10
                elif line.startswith("Pss:"):
                    pss += int(line.split()[1]) << 10
        return rss, pss

    def _await_address(self, log: Path, listening: re.Pattern[bytes]) -> tuple[str, int]:
        assert self._process.stdout is not None
        printed = b""
        deadline = time.monotonic() + START_TIMEOUT_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while selector.select(max(deadline - time.monotonic(), 0)):
                more = os.read(self._process.stdout.fileno(), 1 << 16)
                printed += more
                complete = printed[: printed.rfind(b"\n") + 1]
                if found := listening.search(complete):
                    return found[1].decode(), int(found[2])
                if not more:
                    break
        self._log.flush()
        said = (printed + log.read_bytes()).decode(errors="replace").strip()
        raise StartFailed(said[-1500:] or f"said nothing for {START_TIMEOUT_S:.0f} s")

    def _stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # What it started itself may outlive it.
        others = _descendants(self._process.pid) if self._process.poll() is None else []
        self._process.stdin.close()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in others:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._log.flush()


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            children = Path(f"/proc/{pid}/task/{thread}/children").read_text().split()
        except FileNotFoundError:
            continue  # the thread ended, or the kernel does not list children: then workers go uncounted
        for child in map(int, children):
            found += [child, *_descendants(child)]
    return found
