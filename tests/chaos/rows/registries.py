"""Z1, Z2, Z10: a registry dies, stands still or forgets everything, and providers restart, while calls go on."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final

from tests.chaos.announced import CALLERS, PAUSE_S, all_listed, announced, still_listed
from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.registry_server import KINDS, RegistryServer, consumer, registry_server
from tests.chaos.row import Outcome, Row

__all__ = ["ROWS"]

_AWAY_S: Final = (1.0, 30.0, 120.0)
_QUICK_AWAY_S: Final = (1.0,)
_FLAPPING_S: Final = 150.0
_QUICK_FLAPPING_S: Final = 6.0
_MORE_FILES: Final = 16
"""Of a process: calls that run by themselves now may run beside each other then."""
_Fault = Callable[[RegistryServer, float], Awaitable[None]]


async def _killed(server: RegistryServer, away_s: float) -> None:
    await server.kill()
    await asyncio.sleep(away_s)
    await server.start()


async def _emptied(server: RegistryServer, away_s: float) -> None:
    await server.kill()
    await server.wipe()
    await asyncio.sleep(away_s)
    await server.start()


async def _paused(server: RegistryServer, away_s: float) -> None:
    server.send(signal.SIGSTOP)
    await asyncio.sleep(away_s)
    server.send(signal.SIGCONT)


_FAULTS: Final[tuple[_Fault, ...]] = (_killed, _emptied, _paused)


_FLAPS: Final[tuple[tuple[_Fault, float, float], ...]] = (
    (_killed, 1.0, 3.0),
    (_paused, 1.5, 1.0),
    (_paused, 0.3, 0.3),
    (_killed, 3.0, 0.5),
    (_paused, 3.0, 2.0),
    (_killed, 0.1, 0.1),
)
"""The fault, how long it lasts, and how long the registry is there before the next; seconds."""


async def run_outages(ground: Ground) -> Outcome:
    """One fault after the other, short and long ones; after each everybody is in the registry again."""
    problems: list[str] = []
    slowest_s = 0.0
    faults = 0
    async with registry_server(ground) as server:
        nodes = await announced(ground, f"127.0.0.1:{server.port}")
        async with consumer(ground.wire, server.port) as work:
            load = Load(work, callers=CALLERS, pause_s=PAUSE_S)
            async with load.running():
                for fault in _FAULTS[:1] if ground.quick else _FAULTS:
                    for away_s in _QUICK_AWAY_S if ground.quick else _AWAY_S:
                        await load.more(50)
                        await fault(server, away_s)
                        faults += 1
                        took_s = await all_listed(ground, server.port, nodes, problems)
                        slowest_s = max(slowest_s, took_s)
                        await load.more(100)
                await still_listed(ground, server.port, nodes, problems)
    text, more = judge(load, ground.executed())
    return Outcome(f"{faults} outages: {text}; all there again after {slowest_s:.1f} s at most", problems + more)


async def run_flapping(ground: Ground) -> Outcome:
    """It comes and goes all the time, and stands still in between, in no rhythm that anybody could follow."""
    problems: list[str] = []
    flaps = 0
    async with registry_server(ground) as server:
        nodes = await announced(ground, f"127.0.0.1:{server.port}")
        async with consumer(ground.wire, server.port) as work:
            load = Load(work, callers=CALLERS, pause_s=PAUSE_S)
            pids = (os.getpid(), *(node.pid for node in nodes))
            async with load.running():
                await load.more(50)
                before = [_open_files(each) for each in pids]
                ends = monotonic() + (_QUICK_FLAPPING_S if ground.quick else max(_FLAPPING_S, ground.seconds))
                for fault, away_s, back_s in itertools.cycle(_FLAPS):
                    await fault(server, away_s)
                    flaps += 1
                    if monotonic() > ends:
                        break
                    await asyncio.sleep(back_s)
                took_s = await all_listed(ground, server.port, nodes, problems)
                await still_listed(ground, server.port, nodes, problems)
                grown = max(_open_files(each) - then for each, then in zip(pids, before, strict=True))
    if grown > _MORE_FILES:
        problems.append(f"{grown} more files and connections are open in one process")
    text, more = judge(load, ground.executed())
    return Outcome(f"{flaps} times away: {text}; all there again after {took_s:.1f} s", problems + more)


async def run_restarts(ground: Ground) -> Outcome:
    """Providers are killed and begun anew at once, while the registry still has what they announced before."""
    problems: list[str] = []
    async with registry_server(ground) as server:
        nodes = await announced(ground, f"127.0.0.1:{server.port}")
        async with consumer(ground.wire, server.port) as work:
            load = Load(work, callers=CALLERS, pause_s=PAUSE_S)
            async with load.running():
                for node in nodes:
                    await load.more(50)
                    await node.kill()
                    await node.start()
                    await asyncio.sleep(0.5)
                await all_listed(ground, server.port, nodes, problems)
                await still_listed(ground, server.port, nodes, problems)
    text, more = judge(load, ground.executed(), may_fail_once=frozenset({"connection-lost"}))
    return Outcome(f"{len(nodes)} restarts: {text}", problems + more)


def _open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


ROWS: Final = (
    Row(
        "Z1",
        "registry killed, emptied, paused",
        "no call fails; everybody is announced again within a session",
        run_outages,
        KINDS,
    ),
    Row(
        "Z1",
        "registry killed and paused every few seconds",
        "no call fails; everybody is announced again within a session",
        run_flapping,
        KINDS,
        in_quick=False,
    ),
    Row(
        "Z2",
        "providers restarted before their old entries end",
        "the new entries stay when the old ones go",
        run_restarts,
        KINDS,
        in_quick=False,
    ),
)
