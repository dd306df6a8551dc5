"""P6: the clock of gateway and provider jumps an hour ahead, and back. The clock of the machine does not."""

from __future__ import annotations

import asyncio
import time
from itertools import count
from time import monotonic
from typing import Final

from gateway.model.errors import DeadlineExceeded
from gateway.runtime.connect import connect
from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.process_clock import ProcessClock
from tests.chaos.row import Outcome, Row
from tests.support.work_service import Clock, Work

__all__ = ["ROWS"]

_JUMPS_S: Final = (3_600, -3_600, 0)
_CLOCK: Final = """
  clock:
    contract: tests.support.work_service:Clock
    implementation: tests.support.work_service:Ticking
    listeners: [front]
"""
_TIMEOUT_MS: Final = 400
_SLACK_S: Final = 0.5
_SLOWEST_S: Final = 2.5
_SLACK_CLOCK_S: Final = 30.0


async def run(ground: Ground) -> Outcome:
    """Calls run, and some run into their deadline, while the clock jumps."""
    clock = await ProcessClock.beside(ground.folder / "clock")
    behind = await ground.provider(environ=clock.environ, more=_CLOCK)
    node = await ground.gateway("gateway", [behind], environ=clock.environ)
    problems: list[str] = []
    ids = count(1_000_001)
    async with ground.client(node, timeout_s=3.0, retries=0) as work:
        load = Load(work, callers=4)
        async with (
            ground.client(node, timeout_s=_TIMEOUT_MS / 1000, retries=0) as hasty,
            # mypy takes a Protocol for abstract where a class is asked for.
            connect(ground.url(behind), Clock) as provider,  # type: ignore[type-abstract,unused-ignore]
            load.running(),
        ):
            for jump_s in _JUMPS_S:
                late = asyncio.create_task(_too_late(hasty, next(ids)))
                await load.more(20)
                clock.set(jump_s)
                await asyncio.sleep(min(ground.seconds, 20.0) / len(_JUMPS_S))
                ahead_s = await provider.now_s() - time.time()
                if abs(ahead_s - jump_s) > _SLACK_CLOCK_S:
                    problems.append(f"the clock was to jump by {jump_s} s, and is {ahead_s:.0f} s ahead")
                problems += await late
                problems += await _too_late(hasty, next(ids))
                await load.more(20)
    text, more = judge(load, ground.executed())
    if load.slowest_s > _SLOWEST_S:
        problems.append(f"a call took {load.slowest_s:.1f} s")
    return Outcome(f"{len(_JUMPS_S)} jumps: {text}, slowest {load.slowest_s:.2f} s", [*problems, *more])


async def _too_late(work: Work, id: int) -> list[str]:
    """A call that takes longer than its deadline must end there, not sooner and not later."""
    began = monotonic()
    try:
        await work.again(id, 3_000)
    except DeadlineExceeded:
        took_s = monotonic() - began
        if _TIMEOUT_MS / 1000 - 0.02 <= took_s <= _TIMEOUT_MS / 1000 + _SLACK_S:
            return []
        return [f"a deadline of {_TIMEOUT_MS} ms came after {took_s:.2f} s"]
    return ["a call ended after its deadline"]


ROWS: Final = (Row("P6", "the clock jumps by an hour", "deadlines are kept; nothing is lost", run),)
