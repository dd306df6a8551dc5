"""C9: consistent hashing with one key that everybody asks for, and providers that come and go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.node import Node
from tests.chaos.row import Outcome, Row
from tests.support.work_service import Work, recorded

__all__ = ["ROWS"]

_PROVIDERS: Final = 4
_QUICK_PROVIDERS: Final = 3
_CALLERS: Final = 80
_HOLD_MS: Final = 250
_CALLS: Final = 800
_BOUND: Final = 1.25
_ROUNDING: Final = 1.1
"""80 calls at 4 providers: 26 may be in progress at one, which is 1.3 times the average; at 3 it is 1.28."""
_KEYS: Final = 600
_MOVED: Final = 1.3
_BALANCE: Final = {"type": "consistent_hash", "options": {"arguments": [1]}}
"""The second argument is the key: ids differ."""


async def run_hot_key(ground: Ground) -> Outcome:
    """Every call has the same key: no provider takes much more than a quarter above the average."""
    nodes = await ground.providers(_QUICK_PROVIDERS if ground.quick else _PROVIDERS)
    async with ground.client(*nodes, balance=_BALANCE, timeout_s=3.0) as work:
        load = Load(work, callers=_CALLERS, hold_ms=_HOLD_MS, pause_s=0.0)
        async with load.running():
            await load.more(_CALLS)
    shares = [recorded(ground.folder / f"{node.name}.calls").total() for node in nodes]
    average = sum(shares) / len(shares)
    text, problems = judge(load, ground.executed())
    if max(shares) > average * _BOUND * _ROUNDING:
        problems.append(f"one has {max(shares) / average:.2f} times the average: {shares}")
    return Outcome(f"shares {shares}, the largest {max(shares) / average:.2f} times the average; {text}", problems)


async def run_join_and_leave(ground: Ground) -> Outcome:
    """A provider joins the others, and leaves again: its share of the keys moves, to it and back."""
    nodes = await ground.providers((_QUICK_PROVIDERS if ground.quick else _PROVIDERS) + 1)
    before = await _owners(ground, nodes[:-1], 1)
    joined = await _owners(ground, nodes, 100_001)
    after = await _owners(ground, nodes[:-1], 200_001)
    moved = sum(1 for one, other in zip(before, joined, strict=True) if one != other)
    aside = sum(1 for one, other in zip(before, joined, strict=True) if one != other and other != nodes[-1].name)
    problems = []
    allowed = _MOVED / len(nodes)
    if not 0 < moved / _KEYS <= allowed:
        problems.append(f"{moved} of {_KEYS} keys moved, {allowed:.0%} may")
    if aside:
        problems.append(f"{aside} keys moved between providers that were there before")
    if after != before:
        problems.append("keys did not come back when it left")
    return Outcome(f"{moved / _KEYS:.1%} of {_KEYS} keys moved, {allowed:.0%} may; all came back", problems)


async def _owners(ground: Ground, nodes: Sequence[Node], first_id: int) -> list[str]:
    """Who gets the call with each key."""
    settings: dict[str, Any] = {"balance": _BALANCE, "timeout_s": 3.0}
    async with ground.client(*nodes, **settings) as work:
        for key in range(_KEYS):
            await _ask(work, first_id + key, key)
    found: dict[int, str] = {}
    for node in nodes:
        found |= dict.fromkeys(recorded(ground.folder / f"{node.name}.calls"), node.name)
    return [found[first_id + key] for key in range(_KEYS)]


async def _ask(work: Work, id: int, key: int) -> None:
    # A negative time to hold is none.
    await work.again(id, -1 - key)


ROWS: Final = (
    Row(
        "C9",
        "consistent hashing: a hot key",
        "no provider above 1.25 times the average calls in progress, and one",
        run_hot_key,
    ),
    Row("C9", "consistent hashing: join and leave", "at most 1.3/n of the keys move", run_join_and_leave),
)
