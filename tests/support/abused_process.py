"""A gateway in a process of its own, so that its memory can be told from that of those who abuse it.

Run as a module it serves what standard input's first line says (JSON: name of a dialect, YAML configuration) and
answers each line `state` with what it holds, `rest` by collecting garbage and taking its present memory as the highest
so far.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.support.abuse import Attacker, Canary, Gateway, memory, reset_peak
from tests.support.dialect import DIALECTS, DUBBO, Dialect
from tests.support.running import running

__all__ = ["AbusedProcess", "State", "abused_process", "canary_of"]

_ROOT = Path(__file__).parents[2]


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

    def __init__(self, process: asyncio.subprocess.Process, port: int, dialect: Dialect) -> None:
        self._process = process
        self.dialect = dialect
        self.port = port
        self.pid = process.pid

    def attacker(self, source: str = "127.0.0.1") -> Attacker:
        return Attacker(self.port, source, self.dialect)

    async def state(self) -> State:
        return State(**await self._ask("state"))

    async def rest(self) -> State:
        """Like `state`, after the garbage was collected; the peak counts from here."""
        return State(**await self._ask("rest"))

    async def _ask(self, what: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(what.encode() + b"\n")
        answer: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return answer


@asynccontextmanager
async def abused_process(configuration: str, dialect: Dialect = DUBBO) -> AsyncIterator[AbusedProcess]:
    """The gateway that the configuration describes, in a process that ends with the block.

    `dialect`: of its first listener.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.abused_process",
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([dialect.name, configuration]).encode() + b"\n")
        yield AbusedProcess(process, int(await process.stdout.readline()), dialect)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def canary_of(process: AbusedProcess) -> AsyncIterator[Canary]:
    """A client of its `demo.Catalog`, whose calls are not blamed for the time that process waited for a processor."""
    canary = Canary(process.port, f"/proc/{process.pid}/schedstat", dialect=process.dialect)
    try:
        await canary.call()
        yield canary
    finally:
        canary.close()


async def _serve() -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    name, configuration = json.loads(await reader.readline())
    (dialect,) = (each for each in DIALECTS if each.name == name)
    async with running(configuration) as app:
        gateway = Gateway(app, dialect)
        print(gateway.port, flush=True)
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
            print(json.dumps(asdict(state)), flush=True)


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(_serve())
    else:
        uvloop.run(_serve())
