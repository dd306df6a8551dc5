"""P2: a provider that may open 64 files gets 200 connections."""

from __future__ import annotations

import asyncio
import resource
import socket
from contextlib import ExitStack
from typing import Final

from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.row import Outcome, Row

__all__ = ["ROWS"]

_FILES: Final = 64
_CONNECTIONS: Final = 200
_RECOVERED_S: Final = 5.0


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))


async def run(ground: Ground) -> Outcome:
    """Those who are connected go on; those in the queue are served as soon as there is room."""
    node = await ground.provider(prepare=_limit)
    problems: list[str] = []
    async with ground.client(node, timeout_s=2.0) as work:
        load = Load(work, callers=4)
        async with load.running():
            await load.more(20)
            with ExitStack() as stack:
                for _ in range(_CONNECTIONS):
                    stack.enter_context(socket.create_connection(("127.0.0.1", node.port), 1.0))
                await asyncio.sleep(min(ground.seconds, 30.0))
                await load.more(50)
                said = node.log.read_text()
                if "out-of-descriptors" not in said:
                    problems.append("the provider never said that it had no descriptors left")
            async with ground.client(node, timeout_s=_RECOVERED_S, retries=0) as late:
                began = asyncio.get_running_loop().time()
                if await late.again(1_000_001, 0) != 1_000_001:
                    problems.append("a wrong answer after it had recovered")
                recovered_s = asyncio.get_running_loop().time() - began
    text, more = judge(load, ground.executed())
    lines = node.log.read_text().count("out-of-descriptors")
    return Outcome(f"{text}; new ones served again after {recovered_s:.1f} s, {lines} log lines", [*problems, *more])


ROWS: Final = (Row("P2", "no descriptors left", "connections that exist go on; accepting pauses and recovers", run),)
