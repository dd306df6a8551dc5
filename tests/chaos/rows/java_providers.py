"""Our modes and balancers against several Java providers that are killed, paused and slowed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from itertools import cycle
from time import monotonic
from typing import Final

from tests.chaos.ground import Ground
from tests.chaos.java import VERSIONS, java_provider
from tests.chaos.load import Load, judge
from tests.chaos.node import Node
from tests.chaos.row import Outcome, Row

__all__ = ["ROWS"]

_PROVIDERS: Final = 3
_TIMEOUT_S: Final = 1.0
_SLOWER: Final = 100
_MAY_HAVE_RUN: Final = frozenset({"connection-lost", "deadline-exceeded"})
_Fault = Callable[[Ground, Node, float], Awaitable[None]]


async def _kill(ground: Ground, node: Node, seconds: float) -> None:
    await node.kill()
    await asyncio.sleep(min(seconds, 1.0))
    await node.start()


async def _pause(ground: Ground, node: Node, seconds: float) -> None:
    node.send(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    node.send(signal.SIGCONT)


async def _slow(ground: Ground, node: Node, seconds: float) -> None:
    async with ground.client(node, timeout_s=5.0) as control:
        await control.behave(_SLOWER, 0)
        await asyncio.sleep(seconds)
        await control.behave(1, 0)


_FAULTS: Final[tuple[_Fault, ...]] = (_kill, _pause, _slow)


async def run(ground: Ground) -> Outcome:
    """One fault after the other, at one provider after the other."""
    names = (f"provider-{index + 1}" for index in range(_PROVIDERS))
    nodes = list(await asyncio.gather(*(java_provider(ground, each) for each in names)))
    turns = cycle(nodes)
    faults = 0
    parameters = {"heartbeat": 1.0 if ground.quick else 2.0}
    async with ground.client(*nodes, timeout_s=_TIMEOUT_S, parameters=parameters) as work:
        load = Load(work)
        async with load.running():
            for fault in _FAULTS:
                ends = monotonic() + ground.seconds
                while True:
                    await load.more(50)
                    await fault(ground, next(turns), min(ground.seconds, 5.0))
                    faults += 1
                    await load.more(100)
                    if monotonic() > ends:
                        break
    text, problems = judge(load, ground.executed(), may_fail_once=_MAY_HAVE_RUN)
    return Outcome(f"{faults} faults: {text}", problems)


ROWS: Final = (
    Row(
        "J3",
        "Java providers killed, paused, slowed",
        "no idempotent call fails, no other one runs twice",
        run,
        tuple(VERSIONS),
    ),
)
