"""C8 and P4 for calls that are kept: the queue of a service is full, and the disk is full under it."""

from __future__ import annotations

import asyncio
import re
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from bench.ports import free_port
from gateway.model.errors import RpcError
from gateway.runtime.connect import connect
from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.node import Node
from tests.chaos.row import Outcome, Row
from tests.support.ledger import Ledger, MemoryLedger
from tests.support.running import hosting, running

__all__ = ["ROWS"]

_LIMIT: Final = 50
_CALLS: Final = 80
_FILE_BYTES: Final = 1_048_576
_MOST: Final = 5_000
_DROPPED: Final = re.compile(r"the oldest (\d+) calls were dropped")


async def run_queue(ground: Ground) -> Outcome:
    """More calls wait than may."""
    MemoryLedger.reset()
    port = free_port()
    behind = await ground.provider()
    node = await ground.gateway("gateway", [behind], more=_kept(ground, port, f"limit: {_LIMIT}"))
    problems: list[str] = []
    async with ground.client(node, timeout_s=5.0) as work, _ledger(ground, node) as ledger:
        load = Load(work, callers=4)
        async with load.running():
            for number in range(_CALLS):
                await ledger.apply(number)
            async with running(_provider(ground, port)):
                await MemoryLedger.until(_LIMIT)
                await load.more(50)
    # Nothing comes any more, or it came already.
    arrived = sorted(MemoryLedger.applied.values())
    if arrived != list(range(_CALLS - _LIMIT, _CALLS)):
        problems.append(f"the {_LIMIT} youngest calls should arrive, and these did: {arrived}")
    counted = sum(int(each) for each in _DROPPED.findall(node.log.read_text(errors="replace")))
    if counted != _CALLS - _LIMIT:
        problems.append(f"{_CALLS - _LIMIT} calls were dropped, and {counted} counted")
    text, more = judge(load, ground.executed())
    return Outcome(f"{text}; {_CALLS} kept, {counted} dropped, {len(arrived)} arrived", [*problems, *more])


async def run_disk(ground: Ground) -> Outcome:
    """The file of kept calls reaches the size that it may have, and has room again later."""
    MemoryLedger.reset()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, resource.RLIM_INFINITY))

    port = free_port()
    behind = await ground.provider()
    node = await ground.gateway("gateway", [behind], more=_kept(ground, port), prepare=limit)
    problems: list[str] = []
    answered: set[int] = set()
    refused = 0
    async with ground.client(node, timeout_s=5.0) as work, _ledger(ground, node) as ledger:
        load = Load(work, callers=4)
        async with load.running():
            for number in range(_MOST):
                try:
                    await ledger.apply(number)
                    answered.add(number)
                except RpcError:
                    refused += 1
                    if refused == 20:
                        break
            if refused < 20:
                problems.append(f"{_MOST} calls were kept in {_FILE_BYTES} bytes")
            await load.more(50)
            # The disk has room again.
            resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            await ledger.apply(_MOST)
            answered.add(_MOST)
            async with running(_provider(ground, port)):
                await MemoryLedger.until(len(answered))
                await load.more(50)
    arrived = set(MemoryLedger.applied.values())
    if lost := answered - arrived:
        problems.append(f"{len(lost)} calls were answered with success and never arrived")
    if len(MemoryLedger.applied) != len(arrived):
        problems.append("a call was applied twice, under another id")
    text, more = judge(load, ground.executed())
    return Outcome(f"{text}; {len(answered)} kept, {refused} refused, {len(arrived)} arrived", [*problems, *more])


def _kept(ground: Ground, port: int, settings: str = "") -> str:
    """A service whose provider is away, and whose calls are kept."""
    return f"""
  ledger:
    contract: tests.support.ledger:Ledger
    listeners: [front]
    remote:
      addresses: ["{ground.wire}://127.0.0.1:{port}"]
      cluster: failback
failback: {{path: calls.db, interval: 200ms, max_interval: 1s, rate: 0, {settings}}}
"""


def _provider(ground: Ground, port: int) -> str:
    text = hosting("tests.support.ledger:Ledger", "tests.support.ledger:MemoryLedger", port=port)
    return text.replace("protocol: dubbo", f"protocol: {ground.wire}")


@asynccontextmanager
async def _ledger(ground: Ground, node: Node) -> AsyncIterator[Ledger]:
    async with connect(ground.url(node), Ledger, timeout_s=10.0) as ledger:  # type: ignore[type-abstract,unused-ignore]
        yield ledger
    await asyncio.sleep(0)


ROWS: Final = (
    Row("C8", "the queue of failback is full", "the oldest are dropped and counted", run_queue),
    Row("P4", "disk full under kept calls", "calls go on; what cannot be kept is an error", run_disk),
)
