"""A gateway in a process of its own, so that its memory can be told from that of those who abuse it.

Each begins as a copy of one process that has imported what gateways need and done nothing else: importing takes a
second, a copy a few milliseconds. Over a socket it says the port of its first listener, and answers each line `state`
with what it holds, `rest` by collecting garbage and taking its present memory as the highest so far.
"""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from multiprocessing.context import ForkServerProcess
from typing import Any, Final

from tests.support.abuse import Attacker, Canary, Gateway, memory, reset_peak
from tests.support.dialect import DIALECTS, DUBBO, Dialect
from tests.support.running import running

__all__ = ["AbusedProcess", "State", "abused_process", "canary_of"]

_IMPORTED: Final = (
    __name__, "adapters.dubbo", "adapters.hessian", "adapters.http.server", "adapters.http_json",
    "gateway.demo.catalog", "gateway.demo.types", "registry.embedded", "tests.support.probe_service",
)  # fmt: skip
"""Before the first copy is made; what else one needs, it imports itself."""
_END_S: Final = 30.0


@dataclass(frozen=True)
class State:
    """What the process holds. `resident`, `peak`: bytes, now and the most since `rest`."""

    resident: int
    peak: int
    connections: int
    calls: int
    descriptors: int
    tasks: int
    refused: dict[str, int]


class AbusedProcess:
    """The process, seen from outside."""

    def __init__(
        self, pid: int, port: int, dialect: Dialect, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader, self._writer = reader, writer
        self.dialect = dialect
        self.port = port
        self.pid = pid

    def attacker(self, source: str = "127.0.0.1") -> Attacker:
        return Attacker(self.port, source, self.dialect)

    async def state(self) -> State:
        return State(**await self._ask("state"))

    async def rest(self) -> State:
        """Like `state`, after the garbage was collected; the peak counts from here."""
        return State(**await self._ask("rest"))

    async def _ask(self, what: str) -> dict[str, Any]:
        self._writer.write(what.encode() + b"\n")
        answer: dict[str, Any] = json.loads(await self._reader.readline())
        return answer


@asynccontextmanager
async def abused_process(configuration: str, dialect: Dialect = DUBBO) -> AsyncIterator[AbusedProcess]:
    """The gateway that the configuration describes, in a process that ends with the block.

    `dialect`: of its first listener.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_IMPORTED))
    ours, theirs = socket.socketpair()
    process = context.Process(target=_run, args=(theirs, dialect.name, configuration))
    # The first start waits for the imports.
    await asyncio.to_thread(process.start)
    theirs.close()
    assert process.pid is not None
    reader, writer = await asyncio.open_connection(sock=ours)
    try:
        yield AbusedProcess(process.pid, int(await reader.readline()), dialect, reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()
        await _ended(process)


async def _ended(process: ForkServerProcess) -> None:
    await asyncio.to_thread(process.join, _END_S)
    process.kill()
    process.join()
    code = process.exitcode
    process.close()
    assert code == 0, f"the process of the gateway ended with {code}"


@asynccontextmanager
async def canary_of(process: AbusedProcess) -> AsyncIterator[Canary]:
    """A client of its `demo.Catalog`, whose calls are not blamed for the time that process waited for a processor."""
    canary = Canary(process.port, f"/proc/{process.pid}/schedstat", dialect=process.dialect)
    try:
        await canary.call()
        yield canary
    finally:
        canary.close()


def _run(control: socket.socket, name: str, configuration: str) -> None:
    if find_spec("uvloop") is None:
        asyncio.run(_serve(control, name, configuration))
        return
    import uvloop

    uvloop.run(_serve(control, name, configuration))


async def _serve(control: socket.socket, name: str, configuration: str) -> None:
    reader, writer = await asyncio.open_connection(sock=control)
    (dialect,) = (each for each in DIALECTS if each.name == name)
    async with running(configuration) as app:
        gateway = Gateway(app, dialect)
        writer.write(b"%d\n" % gateway.port)
        while line := await reader.readline():
            if line == b"rest\n":
                gc.collect()
                reset_peak()
            resident, peak = memory()
            state = State(
                resident,
                peak,
                len(gateway.peers),
                gateway.calls,
                len(os.listdir("/proc/self/fd")),
                len(asyncio.all_tasks()),
                gateway.refused,
            )
            writer.write(json.dumps(asdict(state)).encode() + b"\n")
    writer.close()
