"""C5 and C6: some providers, or all of them, are far slower or fail; and then they are well again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Any, Final

from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.node import Node
from tests.chaos.row import Outcome, Row
from tests.support.work_service import recorded

__all__ = ["ROWS"]

_SLOWER: Final = 100
_HOLD_MS: Final = 10
_SHIFTED_S: Final = 5.0
"""How soon the load must have gone to the others."""
_LEFT: Final = 0.1
"""Of its share, what a bad provider may still get then."""
_LOOKED_S: Final = 5.0
"""Every trial that happens to be answered brings a few calls more; in less time two of them could be a tenth."""
_CALLERS: Final = 12
_BACK_S: Final = 30.0
_EJECTION_S: Final = 1.0
_LONG_S: Final = 300.0
_FAILED: Final = frozenset({"provider-failed"})


async def run_slow(ground: Ground) -> Outcome:
    """One of three takes a hundred times as long; the balancer looks at calls in progress."""
    return await _one_bad(ground, "least_active", slower=_SLOWER, failing=0, timeout_s=5.0)


async def run_failing(ground: Ground) -> Outcome:
    """One of three fails every other call; the balancer does not care, so ejection must."""
    return await _one_bad(ground, "random", slower=1, failing=50, timeout_s=2.0)


async def _one_bad(ground: Ground, balancer: str, *, slower: int, failing: int, timeout_s: float) -> Outcome:
    nodes = await ground.providers(3)
    bad = nodes[0]
    problems: list[str] = []
    settings: dict[str, Any] = {"balance": balancer, "timeout_s": timeout_s, "ejection": {"time": _EJECTION_S}}
    async with ground.client(bad, timeout_s=5.0) as control, ground.client(*nodes, **settings) as work:
        load = Load(work, callers=_CALLERS, hold_ms=_HOLD_MS)
        async with load.running():
            await load.more(100)
            await control.behave(slower, failing)
            before, began = _shares(ground, nodes), monotonic()
            at = before
            while monotonic() - began < _SHIFTED_S - 1.0:
                await asyncio.sleep(0.1)
                at = _shares(ground, nodes)
            await asyncio.sleep(max(_LOOKED_S, min(ground.seconds, 20.0)))
            late = _difference(_shares(ground, nodes), at)
            # A third is its share when all are well.
            share = late[0] / max(1, sum(late)) * 3
            if share > _LEFT:
                problems.append(f"{_SHIFTED_S - 1:g} s later the bad one still gets {share:.0%} of its share: {late}")
            await control.behave(1, 0)
            began = monotonic()
            back_s = None
            while back_s is None and monotonic() - began < _BACK_S:
                at = _shares(ground, nodes)
                await asyncio.sleep(0.5)
                now = _difference(_shares(ground, nodes), at)
                if now[0] * 3 > sum(now) * 0.5:
                    back_s = monotonic() - began
            if back_s is None:
                problems.append(f"it is well again, and got half of its share within {_BACK_S:g} s never")
    text, more = judge(load, ground.executed(), may_fail_once=_FAILED)
    back = "never" if back_s is None else f"after {back_s:.1f} s"
    return Outcome(f"{share:.0%} of its share left, back {back}; {text}", [*problems, *more])


async def run_all_bad(ground: Ground) -> Outcome:
    """All fail until all are ejected, for minutes; then all are well, and must be used all the same."""
    nodes = await ground.providers(3)
    problems: list[str] = []
    settings: dict[str, Any] = {"timeout_s": 2.0, "ejection": {"time": _LONG_S, "max_time": _LONG_S}}
    async with ground.client(*nodes, **settings) as work:
        controls = [ground.client(node, timeout_s=5.0) for node in nodes]
        for each in controls:
            async with each as control:
                await control.behave(1, 100)
        bad = Load(work, first_id=1)
        async with bad.running():
            await bad.more(150)
        for node in nodes:
            async with ground.client(node, timeout_s=5.0) as control:
                await control.behave(1, 0)
        at = _shares(ground, nodes)
        good = Load(work, first_id=1_000_000)
        async with good.running():
            await good.more(200)
        used = _difference(_shares(ground, nodes), at)
    if not bad.failed:
        problems.append("nothing failed: the fault was not injected")
    if min(used) == 0:
        problems.append(f"of the providers that are ejected and well, some got nothing: {used}")
    text, more = judge(good, ground.executed())
    return Outcome(f"{len(bad.failed)} failed, then {used}; {text}", [*problems, *more])


def _shares(ground: Ground, nodes: Sequence[Node]) -> list[int]:
    return [recorded(ground.folder / f"{node.name}.calls").total() for node in nodes]


def _difference(now: Sequence[int], before: Sequence[int]) -> list[int]:
    return [one - other for one, other in zip(now, before, strict=True)]


ROWS: Final = (
    Row("C5", "one of three 100 times slower", "load goes elsewhere within 5 s, and comes back", run_slow),
    Row("C5", "one of three fails half its calls", "load goes elsewhere within 5 s, and comes back", run_failing),
    Row("C6", "all providers ejected", "all are used rather than none", run_all_bad),
)
