"""Java programs as peers: builds `tests/interop/java` on first use and runs what it contains."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import pytest

from tests.support.node_peer import node_server, require_node
from tests.support.peer_program import (
    BUILD_TIMEOUT,
    SCENARIO_S,
    PeerServer,
    Report,
    end_program,
    ready_address,
    require_built,
    run_checks,
)

__all__ = [
    "BUILD_TIMEOUT",
    "DUBBO_VERSIONS",
    "Consumer",
    "Oracle",
    "OracleError",
    "Peers",
    "Provider",
    "Report",
    "dubbo_thrift_checks",
    "dubbo_thrift_server",
    "java_checks",
    "java_command",
    "java_thrift_checks",
    "java_thrift_server",
    "java_version",
    "library_file",
    "require_java",
    "require_java_thrift",
]

JAVA: Final = Path(__file__).parents[1] / "interop" / "java"

DUBBO_VERSIONS: Final = {"26": "2.6.12", "27": "2.7.23", "33": "3.3.6"}
"""Module suffix to the version of Dubbo that it is built against."""

_STOP_S: Final = 20
_SUMMARY: Final = re.compile(r"\d+ of \d+ checks")


def require_java() -> None:
    """Builds the peers; skips the test where Java or Maven cannot be had (with CI=true that is a failure)."""
    require_built(JAVA / "build.sh")


def java_command(module: str, main: str, *arguments: str) -> list[str]:
    """How a main class of a built module is run."""
    return [str(JAVA / "run.sh"), module, main, *arguments]


def java_version() -> str:
    """Of the JDK that the peers run on, `17.0.1`."""
    shown = ["bash", "-c", f'. "{JAVA}/jdk.sh" && "$JAVA_HOME/bin/java" --version']
    return subprocess.run(shown, capture_output=True, text=True, check=True).stdout.split()[1]


def library_file(module: str, library: str) -> Path:
    """The jar of a library that a built module uses."""
    class_path = (JAVA.parents[2] / ".cache" / "interop-java" / f"{module}.classpath").read_text().strip()
    named = re.compile(rf"{re.escape(library)}-\d[^/]*\.jar")
    found = [each for each in map(Path, class_path.split(":")) if named.fullmatch(each.name)]
    assert found, f"{module} does not use {library}"
    return found[0]


async def java_checks(module: str, main: str, *arguments: str) -> Report:
    """Runs a main class of checks."""
    return await run_checks(java_command(module, main, *arguments))


def require_java_thrift() -> None:
    """The same for the peers of thrift://."""
    require_built(JAVA.parent / "java-thrift" / "build.sh")


async def java_thrift_checks(port: int) -> Report:
    """Runs the client of thrift://."""
    require_java_thrift()
    return await java_checks("thrift", "app.ThriftClient", str(port))


def java_thrift_server() -> PeerServer:
    """A running server of thrift://, on the ports that `tests.support.thrift_peers.STYLES` names."""
    require_java_thrift()
    return PeerServer(java_command("thrift", "app.ThriftServer"))


async def dubbo_thrift_checks(protocol: str, port: int) -> Report:
    """Runs a consumer of Dubbo 2.7 with its own `thrift` or `native-thrift`."""
    require_java_thrift()
    return await java_checks("dubbo-27-thrift", "app.DubboThrift", "call", protocol, str(port))


def dubbo_thrift_server(protocol: str) -> PeerServer:
    """A running provider of Dubbo 2.7 with either of them."""
    require_java_thrift()
    return PeerServer(java_command("dubbo-27-thrift", "app.DubboThrift", "serve", protocol))


class OracleError(Exception):
    """hessian-lite refused; the text is its exception's class and message."""


class Oracle:
    """A running hessian-lite: values in the notation of `tests/wire/hessian/README.md` to bytes and back."""

    def __init__(self, module: str) -> None:
        require_java()
        self._process = subprocess.Popen(
            java_command(module, "oracle.Main"),
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
        end_program(self._process)

    def __enter__(self) -> Oracle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Consumer:
    """A Java Dubbo consumer that runs one scenario after the other: `run`, or `start`, `wait_for`, `say`, `finish`.

    `version`: what the name of its module ends with.

    One that a test left in the middle of a scenario has ended and is no longer `alive`.
    """

    def __init__(self, version: str) -> None:
        require_java()
        self._process = subprocess.Popen(
            java_command(f"dubbo-{version}", "app.Consumer"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lines: list[str] = []

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    async def run(self, scenario: str, address: str, options: str = "") -> Report:
        """Runs scenarios against `host:port`, or a URL of another protocol. `options`: URL parameters, `group=g`."""
        async with self.start(scenario, address, options):
            return await self.finish()

    @asynccontextmanager
    async def start(self, scenario: str, address: str, options: str = "") -> AsyncIterator[None]:
        """Begins scenarios; inside the test waits for lines, says some, and finishes."""
        self._lines = []
        self.say(f"{scenario} {address if '://' in address else f'dubbo://{address}'} {options}")
        try:
            yield
        except BaseException:
            self._process.kill()  # nobody would know where its output stands
            raise

    async def wait_for(self, line: str) -> None:
        """Until the consumer prints this line. Fails the test when the scenario ends without it."""
        async with asyncio.timeout(SCENARIO_S):
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
        async with asyncio.timeout(SCENARIO_S):
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
        end_program(self._process)


class Provider:
    """A Java Dubbo provider of demo.Catalog and demo.Types, until `close`.

    `options`: URL parameters of its services, such as `group=g&version=1.0.0&token=t`. `address`: its `host:port`.
    """

    def __init__(self, version: str, options: str = "", port: int = 0) -> None:
        require_java()
        self._process = subprocess.Popen(
            java_command(f"dubbo-{version}", "app.Provider", str(port), options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.address = ready_address(self._process)

    def close(self) -> None:
        """Ends the process, as an operator would."""
        end_program(self._process)


class Peers:
    """Programs that tests share, each started when first asked for; `close` ends them all."""

    def __init__(self) -> None:
        self._consumers: dict[str, Consumer] = {}
        self._providers: dict[tuple[str, str], Provider] = {}
        self._oracles: dict[str, Oracle] = {}
        self._servers: dict[str, PeerServer] = {}
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

    def node_service(self) -> str:
        """Address of the services that Node answers: by Polyport's paths, by routes, and as JSON-RPC."""
        require_node()
        return self._server("node", lambda: node_server("server.mjs"))

    def hessian_in_node(self) -> str:
        """Address of the demo.Types that Node answers with hessian.js."""
        require_node()
        return self._server("hessian.js", lambda: node_server("hessian_server.mjs"))

    def json_rpc_service(self) -> str:
        """Address of the services that jsonrpc4j answers, under Java's names."""
        require_java()
        return self._server("jsonrpc4j", lambda: PeerServer(java_command("http", "app.JsonRpcProvider")))

    def hessian_service(self, module: str) -> str:
        """Address of the services that Caucho's servlet answers, of the version that the module is built with."""
        require_java()
        return self._server(module, lambda: PeerServer(java_command(module, "app.HessianProvider")))

    def soap_service(self) -> str:
        """Address of the services that the reference implementation of Jakarta XML Web Services answers."""
        require_java()
        return self._server("soap-ri", lambda: PeerServer(java_command("soap-ri", "app.SoapProvider")))

    def dubbo_web_service(self) -> str:
        """Address of the service that Dubbo 2.7's own webservice:// answers."""
        require_java()
        return self._server(
            "webservice", lambda: PeerServer(java_command("dubbo-27-webservice", "app.WebServiceProvider"))
        )

    def _server(self, name: str, start: Callable[[], PeerServer]) -> str:
        server = self._servers.get(name)
        if server is None:
            server = self._servers[name] = start()
        return server.address

    def dismiss(self, provider: Provider) -> None:
        """Takes over a provider that no test needs any more."""
        self._leaving.append(provider)

    def close(self) -> None:
        """Ends all of them, at the same time: Dubbo 2.7 takes four seconds to leave."""
        peers = [
            *self._consumers.values(),
            *self._providers.values(),
            *self._oracles.values(),
            *self._servers.values(),
            *self._leaving,
        ]
        if peers:
            with ThreadPoolExecutor(len(peers)) as pool:
                list(pool.map(lambda peer: peer.close(), peers))
