"""Our modes and balancers against several Java providers that are killed, paused and slowed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import cycle
from time import monotonic
from typing import Any, Final

from gateway.plugins.builtin import BUILTIN
from tests.chaos.ground import Ground
from tests.chaos.java import VERSIONS, java_provider
from tests.chaos.load import Load, judge
from tests.chaos.node import Node
from tests.chaos.row import Outcome, Row

__all__ = ["ROWS"]

_PROVIDERS: Final = 3
_TIMEOUT_S: Final = 1.5
"""Less than a call takes at a provider that was slowed, and enough for one on a busy machine."""
_SLOWER: Final = 100
_CALLERS: Final = 3
_IDS: Final = 10_000_000
"""So far apart are the ids of the loads."""
_MAY_HAVE_RUN: Final = frozenset({"connection-lost", "deadline-exceeded"})
_NOT_REPEATED: Final = _MAY_HAVE_RUN | {"connect-failed"}
_DEFAULT: Final = -1
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


@dataclass(frozen=True, slots=True)
class _Way:
    """How a load calls, and what it is owed: see `judge`, whose defaults hold for what repeats."""

    name: str
    settings: Mapping[str, Any]
    once: frozenset[str] = _MAY_HAVE_RUN
    again: frozenset[str] = frozenset()
    most: int = 1


_FAILSAFE: Final = {"type": "failsafe", "options": {"default": _DEFAULT}}
_WAYS: Final = (
    *(_Way(name, {"balance": name}) for name in BUILTIN["balance"]),
    _Way("forking", {"cluster": "forking"}),
    _Way("available", {"cluster": "available"}),
    _Way("failfast", {"cluster": "failfast"}, _NOT_REPEATED, _NOT_REPEATED),
    _Way("failsafe", {"cluster": _FAILSAFE}, frozenset({"ignored"}), frozenset({"ignored"})),
    _Way("broadcast", {"cluster": "broadcast"}, _NOT_REPEATED, _NOT_REPEATED, _PROVIDERS),
)


async def run(ground: Ground) -> Outcome:
    """One fault after the other, at one provider after the other, under a load for each balancer and mode."""
    names = (f"provider-{index + 1}" for index in range(_PROVIDERS))
    nodes = list(await asyncio.gather(*(java_provider(ground, each) for each in names)))
    common: dict[str, Any] = {
        "timeout_s": _TIMEOUT_S,
        "parameters": {"heartbeat": 1.0 if ground.quick else 2.0},
    }
    loads: list[Load] = []
    turns = cycle(nodes)
    faults = 0
    async with AsyncExitStack() as stack:
        for number, way in enumerate(_WAYS):
            work = await stack.enter_async_context(ground.client(*nodes, **common, **way.settings))
            loads.append(Load(work, callers=_CALLERS, first_id=number * _IDS + 1, default=_DEFAULT))
        for load in loads:
            await stack.enter_async_context(load.running())
        for fault in _FAULTS:
            ends = monotonic() + ground.seconds
            while True:
                await _all_more(loads, 20)
                await fault(ground, next(turns), min(ground.seconds, 5.0))
                faults += 1
                await _all_more(loads, 30)
                if monotonic() > ends:
                    break
    executed = ground.executed()
    problems: list[str] = []
    for way, load in zip(_WAYS, loads, strict=True):
        _, found = judge(load, executed, may_fail_once=way.once, may_fail_again=way.again, most=way.most)
        problems += [f"{way.name}: {each}" for each in found]
    calls = sum(load.calls for load in loads)
    reported = sum(len(load.failed) for load in loads)
    return Outcome(f"{faults} faults, {len(_WAYS)} loads, {calls} calls: {reported} reported or ignored", problems)


async def _all_more(loads: Sequence[Load], calls: int) -> None:
    await asyncio.gather(*(load.more(calls) for load in loads))


ROWS: Final = (
    Row(
        "J3",
        "Java providers killed, paused, slowed",
        "each balancer and mode keeps its promise: failover loses no idempotent call, none repeats another one",
        run,
        tuple(VERSIONS),
    ),
)
