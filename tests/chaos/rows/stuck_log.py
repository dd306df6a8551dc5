"""P4: the log cannot be written, because nobody reads it or because the disk is full."""

from __future__ import annotations

import asyncio
import os
import resource
from typing import Final

from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.node import Node
from tests.chaos.raw import request
from tests.chaos.row import Outcome, Row
from tests.support import dubbo_bytes, http_bytes

__all__ = ["ROWS"]

_ACCESS_LOG: Final = "telemetry: {access_log: true, logs: {format: json}}\n"
_MANY: Final = 12_000
"""Lines: more than wait in the queue and fit into a pipe."""
_BATCH: Final = 100
_FILE_BYTES: Final = 32_768
_LOST: Final = "log lines were lost"


async def run_reader(ground: Ground) -> Outcome:
    """Nobody reads the provider's standard error, while it has much to say there."""
    reading, writing = os.pipe()
    node = await ground.provider(more=_ACCESS_LOG, errors_to=writing)
    os.close(writing)
    try:
        async with ground.client(node, timeout_s=2.0) as work:
            load = Load(work, callers=4)
            async with load.running():
                await _flood(ground.wire, node)
                await load.more(100)
                # From here on somebody reads, and is told.
                said = await asyncio.wait_for(asyncio.to_thread(_read_until, reading, _LOST), 20.0)
    finally:
        os.close(reading)
    text, problems = judge(load, ground.executed())
    return Outcome(f"{text}; then: {said}", problems)


async def run_disk(ground: Ground) -> Outcome:
    """A gateway's log file reaches the size that it may have."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, resource.RLIM_INFINITY))

    behind = await ground.provider()
    node = await ground.gateway("gateway", [behind], more=_ACCESS_LOG, prepare=limit)
    problems: list[str] = []
    async with ground.client(node, timeout_s=2.0) as work:
        load = Load(work)
        async with load.running():
            await load.until(lambda: node.log.stat().st_size >= _FILE_BYTES, "the log to be full", 60.0)
            await load.more(200)
            if node.log.stat().st_size != _FILE_BYTES:
                problems.append(f"the log has {node.log.stat().st_size} bytes, and may have {_FILE_BYTES}")
            # The disk has room again.
            resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            await load.until(
                lambda: _LOST in node.log.read_text(errors="replace"), "the line that counts what was lost"
            )
    text, more = judge(load, ground.executed())
    said = next(line for line in node.log.read_text(errors="replace").splitlines() if _LOST in line)
    return Outcome(f"{text}; then: {_count(said)}", [*problems, *more])


async def _flood(wire: str, node: Node) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    try:
        for first in range(0, _MANY, _BATCH):
            ids = range(2_000_000 + first, 2_000_000 + first + _BATCH)
            writer.write(b"".join(request(wire, id, 0, "again") for id in ids))
            async with asyncio.timeout(20.0):
                await _answers(wire, reader, _BATCH)
    finally:
        writer.close()


async def _answers(wire: str, reader: asyncio.StreamReader, count: int) -> None:
    if wire == "dubbo":
        for _ in range(count):
            header = await reader.readexactly(dubbo_bytes.HEADER.size)
            await reader.readexactly(dubbo_bytes.HEADER.unpack(header)[4])
        return
    held = b""
    while count:
        held += await reader.read(65_536)
        while count and (found := http_bytes.first_answer(held)) is not None:
            held = held[found[1] :]
            count -= 1


def _read_until(reading: int, wanted: str) -> str:
    held = ""
    while data := os.read(reading, 1 << 20):
        held += data.decode(errors="replace")
        *lines, held = held.split("\n")
        for line in lines:
            if wanted in line:
                return _count(line)
    raise EOFError(f"no line {wanted!r}")


def _count(line: str) -> str:
    words = line[: line.index(_LOST)].split('"')[-1].split()
    return f"{words[-1]} {_LOST}"


ROWS: Final = (
    Row("P4", "nobody reads the log", "calls go on; lines lost are counted", run_reader),
    Row("P4", "disk full under the log", "calls go on; lines lost are counted", run_disk),
)
