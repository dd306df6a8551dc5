"""C10: twenty providers that have only just started join twenty that have been there for long."""

from __future__ import annotations

import time
from typing import Any, Final

from gateway.plugins.builtin import BUILTIN
from gateway.runtime.connect import connect
from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.row import Outcome, Row
from tests.support.work_service import Work

__all__ = ["ROWS"]

_EACH: Final = 20
_WARM_S: Final = 86_400
_CALLERS: Final = 30
_HOLD_MS: Final = 20
"""With so many callers less than the machine can do: otherwise answer times are the machine's, and balancers go by
them."""
_CALLS: Final = 12_000
"""For each balancer: with fewer, chance alone exceeds what is allowed. A warm provider has 1.9 times the average by
right, as long as each cold one has a twentieth of its share."""
_MOST: Final = 2.0
_BALANCERS: Final = tuple(name for name in BUILTIN["balance"] if name != "consistent_hash")
"""Hashing keeps keys where they are, whoever is cold: nothing is promised of it."""
_QUICK_BALANCERS: Final = ("random", "least_active", "shortest_response")


async def run(ground: Ground) -> Outcome:
    """With every balancer: none of the forty gets more than twice the average while the new ones warm up."""
    addresses = await ground.crowd("crowd", 2 * _EACH)
    problems: list[str] = []
    largest: dict[str, float] = {}
    first_id = 1
    text = ""
    for balancer in _QUICK_BALANCERS if ground.quick else _BALANCERS:
        now_ms = int(time.time() * 1000)
        urls = [
            f"{url}?timestamp={now_ms - (0 if index >= _EACH else _WARM_S * 1000)}"
            for index, url in enumerate(ground.url(*addresses))
        ]
        # mypy takes a Protocol for abstract where a class is asked for.
        client: Any = connect(urls, Work, balance=balancer, timeout_s=5.0)  # type: ignore[type-abstract,unused-ignore]
        async with client as work:
            load = Load(work, callers=_CALLERS, hold_ms=_HOLD_MS, pause_s=0.0, first_id=first_id)
            async with load.running():
                await load.more(_CALLS)
            invokers = client._opened.directory.providers.invokers
            shares = [each.load.answered for each in invokers]
        first_id += 1_000_000
        average = sum(shares) / len(shares)
        # So few calls vary by themselves: three standard deviations of who is to get twice the average are no finding.
        allowed = _MOST * average + 3 * (_MOST * average) ** 0.5
        largest[balancer] = max(shares) / average
        if max(shares) > allowed:
            problems.append(f"{balancer}: one got {max(shares)} calls, the average is {average:.0f}")
        text, more_problems = judge(load, ground.executed())
        problems += more_problems
    shown = ", ".join(f"{name} {times:.2f}" for name, times in largest.items())
    return Outcome(f"largest share, times the average: {shown}; last {text}", problems)


ROWS: Final = (Row("C10", "20 cold providers join 20 warm ones", "no provider above twice the average", run),)
