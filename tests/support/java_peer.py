"""Java programs as peers: builds `tests/interop/java` on first use and runs what it contains."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import re
import select
import subprocess
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
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
    "Peers",
    "Provider",
    "Report",
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

_SUMMARY: Final = re.compile(r"\d+ of \d+ checks")

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
        _end(self._process)

    def __enter__(self) -> Oracle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class Report:
    """What a consumer printed for one command. `failures` are its FAIL lines, `summary` the last line."""

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


class Consumer:
    """A Java Dubbo consumer that runs one scenario after the other: `run`, or `start`, `wait_for`, `say`, `finish`.

    One that a test left in the middle of a scenario has ended and is no longer `alive`.
    """

    def __init__(self, version: str) -> None:
        require_java()
        self._process = subprocess.Popen(
            _command(f"dubbo-{version}", "app.Consumer"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lines: list[str] = []

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    async def run(self, scenario: str, address: str, options: str = "") -> Report:
        """Runs scenarios against `host:port`. `options`: URL parameters, `group=g&token=t`."""
        async with self.start(scenario, address, options):
            return await self.finish()

    @asynccontextmanager
    async def start(self, scenario: str, address: str, options: str = "") -> AsyncIterator[None]:
        """Begins scenarios; inside the test waits for lines, says some, and finishes."""
        self._lines = []
        self.say(f"{scenario} dubbo://{address} {options}")
        try:
            yield
        except BaseException:
            self._process.kill()  # nobody would know where its output stands
            raise

    async def wait_for(self, line: str) -> None:
        """Until the consumer prints this line. Fails the test when the scenario ends without it."""
        async with asyncio.timeout(_SCENARIO_S):
            while (printed := await self._read_line()) != line:
                if _SUMMARY.fullmatch(printed):
                    pytest.fail(f"no line {line!r}, but: " + "\n".join(self._lines))

    def say(self, line: str) -> None:
        """Writes a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    async def finish(self) -> Report:
        """Until the scenario has ended."""
        async with asyncio.timeout(_SCENARIO_S):
            while not _SUMMARY.fullmatch(await self._read_line()):
                continue
            return Report(tuple(self._lines))

    async def _read_line(self) -> str:
        assert self._process.stdout is not None
        line = await asyncio.to_thread(self._process.stdout.readline)
        if not line:
            pytest.fail("the consumer died after: " + "\n".join(self._lines[-5:]))
        self._lines.append(line.rstrip("\n"))
        return self._lines[-1]

    def close(self) -> None:
        """Ends the process."""
        _end(self._process)


class Provider:
    """A Java Dubbo provider of demo.Catalog and demo.Types, until `close`.

    `options`: URL parameters of its services, such as `group=g&version=1.0.0&token=t`. `address`: its `host:port`.
    """

    def __init__(self, version: str, options: str = "", port: int = 0) -> None:
        require_java()
        self._process = subprocess.Popen(
            _command(f"dubbo-{version}", "app.Provider", str(port), options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.address = f"127.0.0.1:{self._ready_port()}"

    def _ready_port(self) -> str:
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], _READY_S)
        ready = self._process.stdout.readline().split() if readable else []
        if ready[:1] != ["READY"]:
            self._process.kill()
            self.close()
            pytest.fail(f"the provider said {ready}")
        return ready[1]

    def close(self) -> None:
        """Ends the process, as an operator would."""
        _end(self._process)


class Peers:
    """Java programs that tests share, each started when first asked for; `close` ends them all."""

    def __init__(self) -> None:
        self._consumers: dict[str, Consumer] = {}
        self._providers: dict[tuple[str, str], Provider] = {}
        self._oracles: dict[str, Oracle] = {}
        self._leaving: list[Provider] = []

    def consumer(self, version: str) -> Consumer:
        """The consumer of a Dubbo version, which is between two scenarios."""
        consumer = self._consumers.get(version)
        if consumer is not None and not consumer.alive:
            consumer.close()
            consumer = None
        if consumer is None:
            consumer = self._consumers[version] = Consumer(version)
        return consumer

    def provider(self, version: str, options: str = "") -> str:
        """Address of a provider with three products; who adds one removes it. `options`: see `Provider`."""
        provider = self._providers.get((version, options))
        if provider is None:
            provider = self._providers[version, options] = Provider(version, options)
        return provider.address

    def oracle(self, module: str) -> Oracle:
        """The hessian-lite of a module."""
        oracle = self._oracles.get(module)
        if oracle is None:
            oracle = self._oracles[module] = Oracle(module)
        return oracle

    def dismiss(self, provider: Provider) -> None:
        """Takes over a provider that no test needs any more."""
        self._leaving.append(provider)

    def close(self) -> None:
        """Ends all of them, at the same time: Dubbo 2.7 takes four seconds to leave."""
        peers = [*self._consumers.values(), *self._providers.values(), *self._oracles.values(), *self._leaving]
        if peers:
            with ThreadPoolExecutor(len(peers)) as pool:
                list(pool.map(lambda peer: peer.close(), peers))


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.communicate(timeout=_STOP_S)  # the end of its input ends it
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
