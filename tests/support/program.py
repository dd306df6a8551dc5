"""The command `polyport` as a process of its own."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.cli.main import main

__all__ = ["ROOT", "Finished", "Server", "inside", "polyport", "serving", "start", "until"]

ROOT = Path(__file__).parents[2]
_WAIT_S = 30.0


@dataclass(frozen=True)
class Finished:
    code: int
    out: str
    err: str


_PROGRAM: Final = (sys.executable, "-m", "gateway.cli.main")


def _environment(environ: Mapping[str, str] | None) -> dict[str, str]:
    return {**os.environ, "PYTHONUTF8": "1", "PYTHONWARNINGS": "error", "COLUMNS": "200", **(environ or {})}


def polyport(*arguments: str, environ: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Finished:
    """Runs one command to its end."""
    environment = _environment(environ)
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        [*_PROGRAM, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=_WAIT_S, check=False
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def inside(*arguments: str) -> Finished:
    """As `polyport`, in this process: the same code, without half a second of imports."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as exc:
            code = int(exc.code or 0)
    return Finished(code, out.getvalue(), err.getvalue())


def start(
    *arguments: str, environ: Mapping[str, str] | None = None, program: Sequence[str] = _PROGRAM, cwd: Path = ROOT
) -> subprocess.Popen[str]:
    """Starts a command; the caller ends it. `program`: another installation of `polyport`."""
    return subprocess.Popen(
        [*program, *arguments],
        cwd=cwd,
        env=_environment(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(condition: Callable[[], bool], what: str) -> None:
    """Waits for something another process does."""
    deadline = time.monotonic() + _WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {_WAIT_S} s for {what}"
        time.sleep(0.01)


@dataclass
class Server:
    """`polyport serve`, ready. `lines` and `errors` grow while it runs."""

    process: subprocess.Popen[str]
    lines: list[str]
    errors: list[str]
    readers: list[threading.Thread] = field(default_factory=list)

    def url(self, listener: str) -> str:
        """`protocol://host:port` as printed for a listener."""
        for line in self.lines:
            found = re.match(rf"\s+{re.escape(listener)}\s+(\S+://\S+)", line)
            if found:
                return found.group(1)
        raise AssertionError(f"no listener {listener} in {self.lines}")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        code = self.process.wait(_WAIT_S)
        for reader in self.readers:
            reader.join(_WAIT_S)
        return code


@contextmanager
def serving(
    *arguments: str, environ: Mapping[str, str] | None = None, program: Sequence[str] = _PROGRAM, cwd: Path = ROOT
) -> Iterator[Server]:
    """A server that is ready; it is gone afterwards, whatever happened."""
    process = start("serve", *arguments, environ=environ, program=program, cwd=cwd)
    server = Server(process, [], [])
    assert process.stdout is not None
    assert process.stderr is not None
    for stream, lines in ((process.stdout, server.lines), (process.stderr, server.errors)):
        # Extending from a file appends line by line, as they come.
        reader = threading.Thread(target=lines.extend, args=(stream,))
        reader.start()
        server.readers.append(reader)
    try:
        until(lambda: any("ready" in line for line in server.lines) or process.poll() is not None, "the server")
        assert process.poll() is None, "".join(server.errors)
        yield server
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(_WAIT_S)
        for reader in server.readers:
            reader.join(_WAIT_S)
        process.stdout.close()
        process.stderr.close()
