"""P1: more calls at once than a provider takes."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import count
from time import monotonic
from typing import Final

from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.raw import BUSY, Answer, ask, request
from tests.chaos.row import WIRES, Outcome, Row

__all__ = ["ROWS"]

_LIMIT: Final = 4
_AT_ONCE: Final = 16
_HOLD_MS: Final = 700
_IMMEDIATE_S: Final = 0.4
"""Well before the first call that was taken can have ended."""
_OK: Final = {"dubbo": 20, "http": 200, "rmi": 2}


async def run(ground: Ground) -> Outcome:
    """In raw bytes: what is refused, how soon and how. Then with a client, whose calls go to another provider."""
    limited = await ground.provider("limited", listener=f", limits: {{calls: {_LIMIT}}}")
    free = await ground.provider("free")
    problems: list[str] = []
    statuses: Counter[int] = Counter()
    ids = count(1_000_000)
    ends = monotonic() + ground.seconds
    slowest_s = 0.0
    while True:
        began = monotonic()

        async def timed(id: int, began: float = began) -> tuple[Answer, float]:
            answer = await ask(ground.wire, limited.port, request(ground.wire, id, _HOLD_MS))
            return answer, monotonic() - began

        wave = await asyncio.gather(*(timed(next(ids)) for _ in range(_AT_ONCE)))
        for answer, took_s in wave:
            statuses[answer.status] += 1
            if answer.status == BUSY[ground.wire]:
                slowest_s = max(slowest_s, took_s)
        if monotonic() > ends:
            break
    waves = statuses.total() // _AT_ONCE
    if statuses != {_OK[ground.wire]: waves * _LIMIT, BUSY[ground.wire]: waves * (_AT_ONCE - _LIMIT)}:
        problems.append(f"{waves} waves of {_AT_ONCE} calls, {_LIMIT} may run, and the answers are {dict(statuses)}")
    if slowest_s > _IMMEDIATE_S:
        problems.append(f"a refusal took {slowest_s:.2f} s")
    carried_out = sum(1 for id in ground.executed() if id >= 1_000_000)
    if carried_out != statuses[_OK[ground.wire]]:
        problems.append(f"{carried_out} carried out, {statuses[_OK[ground.wire]]} answered with a value")
    async with ground.client(limited, free, timeout_s=2.0) as work:
        # Each attempt at the one that is busy costs a repetition, so the load asks for few of them.
        load = Load(work, callers=_LIMIT + 2, hold_ms=50)
        async with load.running():
            await load.more(100)
    text, more = judge(load, ground.executed())
    busy = statuses[BUSY[ground.wire]]
    return Outcome(f"{busy} busy, slowest {slowest_s * 1000:.0f} ms; beside a free one {text}", [*problems, *more])


ROWS: Final = (
    Row(
        "P1",
        "more calls than are taken",
        "refused at once, as the wire says busy; never silence",
        run,
        wires=(*WIRES, "rmi"),
    ),
)
