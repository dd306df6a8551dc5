"""C1: providers die in mid-call, without a word."""

from __future__ import annotations

import asyncio
from itertools import cycle
from time import monotonic
from typing import Final

from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.row import WIRES, Outcome, Row

__all__ = ["ROWS"]

_MAY_HAVE_RUN: Final = frozenset({"connection-lost"})
_MOST_KILLS: Final = 50
"""In a short form that hits no call."""


async def run(ground: Ground) -> Outcome:
    """Kills one of three providers after the other, and starts each anew."""
    nodes = await ground.providers(3)
    kills = 0
    ends = monotonic() + ground.seconds
    async with ground.client(*nodes, timeout_s=2.0) as work:
        load = Load(work)

        def hit() -> bool:
            return bool(load.once.failed) or any(count > 1 for count in ground.executed().values())

        async with load.running():
            for node in cycle(nodes):
                await load.more(50)
                await node.kill()
                kills += 1
                await load.more(50)
                await node.start()
                # Known to be back before the next one goes: otherwise one is left, and it may be the wrong one.
                await asyncio.sleep(0.3)
                # A call takes so little time that a short form may hit none at first.
                if monotonic() > ends and (hit() or kills >= _MOST_KILLS):
                    break
    text, problems = judge(load, ground.executed(), may_fail_once=_MAY_HAVE_RUN)
    if not hit():
        problems.append("no call was hit: the fault was not injected")
    return Outcome(f"{kills} kills: {text}", problems)


_ROW: Final = Row(
    "C1",
    "kill -9 of a provider in mid-call",
    "idempotent calls answered by another; others reported, never doubled",
    run,
    wires=(*WIRES, "rmi"),
)
ROWS: Final = (_ROW, _ROW.elsewhere("hessian", "thrift", "webservice", "redis", "memcached"))
