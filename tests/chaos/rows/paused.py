"""C4: one of two providers stands still for a while, as a process does that is swapped out, and then goes on."""

from __future__ import annotations

import asyncio
import signal
from typing import Final

from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.row import Outcome, Row

__all__ = ["ROWS"]

_TIMEOUT_S: Final = 1.0
_SLACK_S: Final = 0.6
"""For a machine that is busy with other things."""
_PAUSE_S: Final = 2.0


async def run(ground: Ground) -> Outcome:
    """Its system goes on taking connections and bytes; what waits there is carried out when it goes on."""
    still, other = await ground.providers(2)
    file = ground.folder / f"{still.name}.calls"
    problems: list[str] = []
    async with ground.client(still, other, timeout_s=_TIMEOUT_S) as work:
        load = Load(work, callers=4)
        async with load.running():
            await load.more(50)
            still.send(signal.SIGSTOP)
            await asyncio.sleep(max(_PAUSE_S, ground.seconds))
            hit = len(load.failed) + load.calls
            still.send(signal.SIGCONT)
            # What waited in its sockets comes first.
            await asyncio.sleep(0.5)
            size = file.stat().st_size
            back_s = await load.until(lambda: file.stat().st_size > size + 50, "calls at the provider that goes on")
    text, more = judge(load, ground.executed(), may_fail_once=frozenset({"deadline-exceeded", "connection-lost"}))
    problems += more
    if load.slowest_s > 2 * _TIMEOUT_S + _SLACK_S:
        problems.append(f"a call took {load.slowest_s:.1f} s, with attempts of {_TIMEOUT_S:g} s")
    if load.slowest_s < _TIMEOUT_S or not hit:
        problems.append("no call was hit: the fault was not injected")
    return Outcome(f"{text}; slowest {load.slowest_s:.1f} s, back {back_s:.1f} s after it went on", problems)


_ROW: Final = Row(
    "C4",
    "provider stands still, then goes on",
    "calls end at their deadline; idempotent ones answered by another; late ones run once; used again",
    run,
    wires=("rmi",),
)
ROWS: Final = (_ROW, _ROW.elsewhere("dubbo", "http", "hessian", "thrift", "webservice", "redis", "memcached"))
