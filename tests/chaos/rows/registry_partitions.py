"""Z3: the network between a registry and who uses it is cut, in both directions or in one, while calls go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final, NamedTuple

from gateway.routing.providers import Providers
from tests.chaos.announced import AGAIN_S, CALLERS, PAUSE_S, all_listed, announced
from tests.chaos.gate import Way, gate_to
from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.registry_server import KINDS, SESSION_S, consuming, registry_section, registry_server
from tests.chaos.row import Outcome, Row
from tests.support.work_service import recorded

__all__ = ["ROWS"]

_FIRST: Final = "the first provider"
_OTHERS: Final = "the other providers"
_CONSUMER: Final = "the consumer"
_HOSTS: Final = {_FIRST: "127.0.0.2", _OTHERS: "127.0.0.3", _CONSUMER: "127.0.0.4"}
"""Where each of them finds the registry, where packets are dropped."""
_PARTITIONS: Final = (
    *(((_FIRST,), way) for way in Way),
    *(((_CONSUMER,), way) for way in Way),
    ((_FIRST, _OTHERS), Way.BOTH),
)
_QUICK_PARTITIONS: Final = (((_FIRST,), Way.TO), ((_CONSUMER,), Way.FROM))
_QUICK_CUT_S: Final = 4 * SESSION_S
_STALE: Final = "stale"


class _List:
    """What the consumer knows, looked at all the time. `fewest`: providers, ever; `is_stale`: what it says now."""

    def __init__(self, look: Callable[[], Providers]) -> None:
        self._look = look
        self.fewest = len(look().invokers)

    @property
    def is_stale(self) -> bool:
        return _STALE in self._look().origin

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        async def watch() -> None:
            while True:
                self.fewest = min(self.fewest, len(self._look().invokers))
                await asyncio.sleep(0.01)

        task = asyncio.create_task(watch())
        try:
            yield
        finally:
            task.cancel()

    async def becomes(self, *, stale: bool, within_s: float) -> float | None:
        """Seconds until it says so; None when it does not."""
        began = monotonic()
        while monotonic() - began < within_s:
            if self.is_stale is stale:
                return monotonic() - began
            await asyncio.sleep(0.01)
        return None


class _Worst(NamedTuple):
    """Seconds, of all partitions: until everybody was listed again, and until the consumer's list was stale and fresh
    again."""

    listed_s: float = 0.0
    stale_s: float = 0.0
    fresh_s: float = 0.0


async def run(ground: Ground) -> Outcome:
    """Who cannot reach the registry can still reach everybody else."""
    problems: list[str] = []
    partitions = _QUICK_PARTITIONS if ground.quick else _PARTITIONS
    cut_s = _QUICK_CUT_S if ground.quick else ground.seconds
    worst = _Worst()
    async with registry_server(ground) as server:
        gates = [gate_to(server.port, drops_packets=ground.drops_packets, host=each) for each in _HOSTS.values()]
        async with gates[0] as first, gates[1] as others, gates[2] as own:
            by_name = dict(zip(_HOSTS, (first, others, own), strict=True))
            nodes = await announced(ground, first.address, others.address)
            await all_listed(ground, server.port, nodes, problems)
            async with consuming(registry_section(ground.wire, own.address)) as consumer:
                load = Load(consumer.work, callers=CALLERS, pause_s=PAUSE_S)
                known = _List(consumer.look)
                async with load.running(), known.watched():
                    for whom, way in partitions:
                        name = f"{' and '.join(whom)}, {way.value}"
                        await load.more(100)
                        for each in whom:
                            by_name[each].cut(way)
                        ends = monotonic() + cut_s
                        if _CONSUMER in whom:
                            stale_s = await known.becomes(stale=True, within_s=cut_s)
                            worst = worst._replace(stale_s=max(worst.stale_s, stale_s or 0.0))
                            if stale_s is None:
                                problems.append(f"{name}: the list is not marked stale")
                        await asyncio.sleep(ends - monotonic())
                        if known.is_stale is not (_CONSUMER in whom):
                            problems.append(f"{name}: at the end the list is {consumer.look().origin}")
                        await load.more(100)
                        for each in whom:
                            by_name[each].mend()
                        before = len(problems)
                        fresh, listed_s = await asyncio.gather(
                            known.becomes(stale=False, within_s=AGAIN_S),
                            all_listed(ground, server.port, nodes, problems),
                        )
                        problems[before:] = [f"{name}: {each}" for each in problems[before:]]
                        if fresh is None:
                            problems.append(f"{name}: the list is not fresh {AGAIN_S:g} s after it")
                        worst = worst._replace(
                            listed_s=max(worst.listed_s, listed_s), fresh_s=max(worst.fresh_s, fresh or 0.0)
                        )
                        await load.more(100)
    if known.fewest == 0:
        problems.append("the consumer's list was empty")
    shares = [recorded(ground.folder / f"{each.name}.calls").total() for each in nodes]
    if min(shares) == 0:
        problems.append(f"the providers got {shares} calls")
    text, more = judge(load, ground.executed())
    how = "packets dropped" if ground.drops_packets else "relay stopped"
    times = f"stale after {worst.stale_s:.1f} s, fresh again after {worst.fresh_s:.1f} s"
    return Outcome(
        f"{len(partitions)} partitions, {how}: {text}; all there again after {worst.listed_s:.1f} s at most; "
        f"{times}; {known.fewest} providers known at least",
        problems + more,
    )


ROWS: Final = (
    Row(
        "Z3",
        "registry out of reach of a provider, of the consumer, one way",
        "no call fails; the list is kept, and stale; everybody is announced again within a session",
        run,
        KINDS,
        cuts_network=True,
        in_quick=False,
    ),
)
