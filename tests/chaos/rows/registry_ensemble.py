"""Z1 with an ensemble: one server of three goes, then two, so that the last one may say nothing."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Final

from tests.chaos.announced import CALLERS, PAUSE_S, all_listed, announced, still_listed
from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.registry_server import SESSION_S, consuming, registry_section
from tests.chaos.row import Outcome, Row
from tests.support.zookeeper_server import ZookeeperServer, zookeeper_ensemble

__all__ = ["ROWS"]

_AWAY_S: Final = 2 * SESSION_S


async def _one_away(servers: list[ZookeeperServer], which: int) -> None:
    await asyncio.to_thread(servers[which].kill)
    await asyncio.sleep(_AWAY_S)
    await asyncio.to_thread(servers[which].start)


async def _two_away(servers: list[ZookeeperServer], which: int) -> None:
    away = [each for index, each in enumerate(servers) if index != which]
    for each in away:
        await asyncio.to_thread(each.kill)
    await asyncio.sleep(_AWAY_S)
    for each in away:
        # Neither is ready before the other one is there.
        each.launch()
    for each in away:
        await asyncio.to_thread(each.await_ready)


async def run(ground: Ground) -> Outcome:
    """Each is killed in turn, and each is left alone; after each fault everybody is in the registry again."""
    problems: list[str] = []
    slowest_s = 0.0
    faults = 0
    with ExitStack() as stack:
        servers = await asyncio.to_thread(stack.enter_context, zookeeper_ensemble(ground.folder / "ensemble"))
        address = ",".join(each.address for each in servers)
        nodes = await announced(ground, address)
        async with consuming(registry_section(ground.wire, address)) as made:
            load = Load(made.work, callers=CALLERS, pause_s=PAUSE_S)
            async with load.running():
                for fault in (_one_away, _two_away):
                    for which in range(len(servers)):
                        await load.more(50)
                        await fault(servers, which)
                        faults += 1
                        slowest_s = max(slowest_s, await all_listed(ground, servers[which].port, nodes, problems))
                        await load.more(100)
                await still_listed(ground, servers[0].port, nodes, problems)
    text, more = judge(load, ground.executed())
    return Outcome(f"{faults} faults: {text}; all there again after {slowest_s:.1f} s at most", problems + more)


ROWS: Final = (
    Row(
        "Z1",
        "one server of three killed, then two",
        "no call fails; everybody is announced again within a session",
        run,
        ("zookeeper",),
        in_quick=False,
    ),
)
