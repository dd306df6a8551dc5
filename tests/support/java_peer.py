"""Java programs as peers: builds `tests/interop/java` on first use and runs what it contains."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import pytest

__all__ = [
    "BUILD_TIMEOUT",
    "DUBBO_VERSIONS",
    "Consumer",
    "Oracle",
    "OracleError",
    "Report",
    "java_provider",
    "require_java",
]

JAVA: Final = Path(__file__).parents[1] / "interop" / "java"

DUBBO_VERSIONS: Final = {"26": "2.6.12", "27": "2.7.23", "33": "3.3.6"}
"""Module suffix to the version of Dubbo that it is built against."""

_MISSING: Final = 3
_BUILD_S: Final = 900
_READY_S: Final = 60
_SCENARIO_S: Final = 120
_STOP_S: Final = 20

BUILD_TIMEOUT: Final = pytest.mark.timeout(_BUILD_S + _SCENARIO_S)
"""For tests that may be the first to need the peers: the first build downloads Dubbo."""


@functools.cache
def _build() -> tuple[int, str]:
    done = subprocess.run([JAVA / "build.sh"], stderr=subprocess.PIPE, text=True, timeout=_BUILD_S, check=False)
    return done.returncode, done.stderr.strip()


def require_java() -> None:
    """Builds the peers; skips the test where Java or Maven cannot be had (with CI=true that is a failure)."""
    code, said = _build()
    if code == _MISSING and os.environ.get("CI") != "true":
        pytest.skip(said or "no JDK or Maven")
    if code:
        pytest.fail(said or f"build.sh exited with {code}", pytrace=False)


def _command(module: str, main: str, *arguments: str) -> list[str]:
    return [str(JAVA / "run.sh"), module, main, *arguments]


class OracleError(Exception):
    """hessian-lite refused; the text is its exception's class and message."""


class Oracle:
    """A running hessian-lite: values in the notation of `tests/wire/hessian/README.md` to bytes and back."""

    def __init__(self, module: str) -> None:
        require_java()
        self._process = subprocess.Popen(
            _command(module, "oracle.Main"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # hessian-lite logs each class it does not know
            text=True,
            encoding="ascii",
        )

    def encode(self, *values: Any) -> bytes:
        """One stream with these values. Raises `OracleError`, as all methods do."""
        return bytes.fromhex(self._ask(op="encode", values=values)["hex"])

    def decode(self, data: bytes, *types: str) -> list[Any]:
        """All values of a stream; `types`: declared Java types of the first ones (`long`, `java.util.Set`)."""
        values: list[Any] = self._ask(op="decode", hex=data.hex(), types=types)["values"]
        return values

    def _ask(self, **request: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise OracleError(f"the oracle died with exit code {self._process.wait(_STOP_S)}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise OracleError(f"{answer['class']}: {answer['error']}")
        return answer

    def close(self) -> None:
        """Ends the process."""
        _, _ = self._process.communicate(timeout=_STOP_S)

    def __enter__(self) -> Oracle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class Report:
    """What a consumer printed. `failures` are its FAIL lines, `summary` its last line, `code` its exit code."""

    lines: tuple[str, ...]
    code: int

    @property
    def failures(self) -> list[str]:
        return [line for line in self.lines if line.startswith("FAIL ")]

    @property
    def summary(self) -> str:
        return self.lines[-1] if self.lines else ""

    def check(self) -> None:
        """Fails the test unless every check passed."""
        if self.failures or self.code or not self.summary.endswith(" checks"):
            pytest.fail("\n".join([*self.failures, *self.lines[-3:], f"exit code {self.code}"]), pytrace=False)


class Consumer:
    """A Java Dubbo consumer in the middle of a scenario; made by `start`, ended by `finish`.

    `async with` ends it whatever happens.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._lines: list[str] = []

    @classmethod
    async def start(cls, version: str, scenario: str, address: str, options: str = "") -> Consumer:
        """Runs a scenario against `host:port` (several with commas). `options`: URL parameters, `group=g&token=t`."""
        require_java()
        urls = ",".join(f"dubbo://{each}" for each in address.split(","))
        command = _command(f"dubbo-{version}", "app.Consumer", scenario, urls, options)
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe))

    @classmethod
    async def run(cls, version: str, scenario: str, address: str, options: str = "") -> Report:
        """Runs a scenario from beginning to end."""
        async with await cls.start(version, scenario, address, options) as consumer:
            return await consumer.finish()

    async def wait_for(self, line: str) -> None:
        """Until the consumer prints this line. Fails the test when it ends without doing so."""
        async with asyncio.timeout(_SCENARIO_S):
            while (printed := await self._read_line()) is not None:
                if printed == line:
                    return
        pytest.fail(f"no line {line!r}, but: " + "\n".join(self._lines))

    def say(self, line: str) -> None:
        """Writes a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    async def finish(self) -> Report:
        """Until the consumer has ended."""
        async with asyncio.timeout(_SCENARIO_S):
            while await self._read_line() is not None:
                continue
            return Report(tuple(self._lines), await self._process.wait())

    async def _read_line(self) -> str | None:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            return None
        self._lines.append(line.decode().rstrip("\n"))
        return self._lines[-1]

    async def __aenter__(self) -> Consumer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process.returncode is not None:
            return
        try:
            async with asyncio.timeout(_STOP_S):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()


@contextmanager
def java_provider(version: str, options: str = "", port: int = 0) -> Iterator[str]:
    """A Java Dubbo provider of demo.Catalog and demo.Types; yields its `host:port`.

    `options`: URL parameters of its services, such as `group=g&version=1.0.0&token=t`.
    """
    require_java()
    process = subprocess.Popen(
        _command(f"dubbo-{version}", "app.Provider", str(port), options),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield f"127.0.0.1:{_ready_port(process)}"
    finally:
        try:
            process.communicate(timeout=_STOP_S)  # the end of its input ends it
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _ready_port(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], _READY_S)
    ready = process.stdout.readline().split() if readable else []
    if ready[:1] != ["READY"]:
        pytest.fail(f"the provider said {ready}")
    return ready[1]
