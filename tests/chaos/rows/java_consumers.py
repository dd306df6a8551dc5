"""Java's own cluster modes and balancers against several of our providers, in peace and with faults."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from itertools import cycle, product
from time import monotonic
from typing import Final

from tests.chaos.ground import Ground
from tests.chaos.java import VERSIONS, java_consumer
from tests.chaos.load import judge
from tests.chaos.node import Node
from tests.chaos.row import Outcome, Row
from tests.support.work_service import recorded

__all__ = ["ROWS"]

_PROVIDERS: Final = 3
_CALLS: Final = 30
_CLUSTERS: Final = ("failover", "failfast", "failsafe", "forking", "broadcast", "available")
_BALANCERS: Final = {
    "java-2.7": ("random", "roundrobin", "leastactive", "consistenthash", "shortestresponse"),
    "java-3.3": ("random", "roundrobin", "leastactive", "consistenthash", "shortestresponse", "adaptive"),
}
_COMMON: Final = "timeout=5000"
_RECONNECTING: Final = {"java-2.7": "&heartbeat=1000&heartbeat.timeout=3000", "java-3.3": ""}
"""Dubbo looks whether it must connect again every third of the heartbeat's timeout, by default once a minute. 3.3 with
fixed addresses never does after a first attempt that failed, so there the first must come late."""
_SPREADING: Final = frozenset({"random", "roundrobin", "consistenthash"})
_FORKS: Final = 2
_RESTARTS: Final = 2
"""With each balancer."""
_CALLERS: Final = 8
_BETWEEN_S: Final = 0.3
_USED_S: Final = {"java-2.7": 10.0, "java-3.3": 90.0}
"""For a consumer that reconnects when it gets round to it. Some balancers then still prefer the others."""
_MAY_HAVE_RUN: Final = frozenset({"code-1", "code-2"})
"""NETWORK_EXCEPTION and TIMEOUT_EXCEPTION (apache/dubbo: dubbo-rpc-api/.../RpcException.java)."""


async def run_modes(ground: Ground) -> Outcome:
    """Every mode with every balancer: each call answered, and carried out as often as the mode promises."""
    nodes = await ground.providers(_PROVIDERS)
    files = [ground.folder / f"{node.name}.calls" for node in nodes]
    consumer = await java_consumer(ground, nodes)
    problems: list[str] = []
    pairs = list(product(_CLUSTERS, _BALANCERS[ground.wire]))
    for cluster, balancer in pairs:
        before = [recorded(file).total() for file in files]
        known = set(ground.executed())
        calls = _CALLS if not ground.quick else _CALLS // 2
        await consumer.calls(calls, f"{_COMMON}&cluster={cluster}&loadbalance={balancer}&forks=2")
        # Forks and broadcasts may still be on their way when the caller has its answer.
        await asyncio.sleep(0.05)
        executed = Counter({id: times for id, times in ground.executed().items() if id not in known})
        shares = [recorded(file).total() - was for file, was in zip(files, before, strict=True)]
        times = sorted(set(executed.values()))
        wanted = {"broadcast": [_PROVIDERS], "forking": [1, 2]}.get(cluster, [1])
        if len(executed) != calls or not set(times) <= set(wanted):
            problems.append(f"{cluster}, {balancer}: {len(executed)} of {calls} calls carried out {times} times")
        if cluster == "failover" and balancer in _SPREADING and min(shares) == 0:
            problems.append(f"{cluster}, {balancer}: the providers got {shares}")
    failed = consumer.outcomes().failed
    if failed:
        problems.append(f"{len(failed)} calls failed: {'; '.join(list(failed.values())[:3])}")
    return Outcome(f"{len(pairs)} pairs, {consumer.outcomes().calls} calls, {len(failed)} failed", problems)


async def run_faults(ground: Ground) -> Outcome:
    """Providers are restarted, and then die, under consumers that know nothing of us."""
    nodes = await ground.providers(_PROVIDERS)
    consumer = await java_consumer(ground, nodes)
    turns = cycle(nodes)
    common = f"{_COMMON}{_RECONNECTING[ground.wire]}&cluster=failover&retries=2&once.retries=0"
    loads = [f"{common}&loadbalance={each}" for each in _chosen(ground)]
    restarts = kills = 0
    for load in loads:
        async with consumer.load(_CALLERS, load):
            for _ in range(1 if ground.quick else _RESTARTS):
                await asyncio.sleep(_BETWEEN_S)
                node = next(turns)
                code = await node.stop()
                if code:
                    raise RuntimeError(f"{node.name} ended with {code}")
                restarts += 1
                await node.start()
                await _used_again(ground, node)
    lost = list(consumer.outcomes().failed.values())
    for load in loads:
        async with consumer.load(_CALLERS, load):
            kills += await _kill_in_turn(ground, turns)
    text, problems = judge(consumer.outcomes(), ground.executed(), may_fail_once=_MAY_HAVE_RUN)
    if lost:
        problems.append(f"{len(lost)} calls lost to restarts: {'; '.join(lost[:3])}")
    return Outcome(f"{restarts} restarts, {kills} kills: {text}", problems)


async def run_forking(ground: Ground) -> Outcome:
    """Providers die under a consumer that always asks two of them."""
    nodes = await ground.providers(_PROVIDERS)
    consumer = await java_consumer(ground, nodes)
    options = f"{_COMMON}{_RECONNECTING[ground.wire]}&cluster=forking&forks={_FORKS}&loadbalance=random"
    async with consumer.load(_CALLERS, options):
        # Of three providers one at a time may be away, and the short form does not wait until it is used again.
        kills = await _kill_in_turn(ground, cycle(nodes), most=1 if ground.quick else None)
    text, problems = judge(consumer.outcomes(), ground.executed(), most=_FORKS)
    return Outcome(f"{kills} kills: {text}", problems)


async def _kill_in_turn(ground: Ground, turns: Iterator[Node], most: int | None = None) -> int:
    """Kills one after the other, as long as a fault lasts, and starts each again; gives how many, at most `most`."""
    kills = 0
    ends = monotonic() + ground.seconds
    while not kills or (monotonic() < ends and kills != most):
        await asyncio.sleep(_BETWEEN_S)
        node = next(turns)
        await node.kill()
        kills += 1
        await asyncio.sleep(_BETWEEN_S)
        await node.start()
        await _used_again(ground, node)
    return kills


async def _used_again(ground: Ground, node: Node) -> None:
    """Until the consumer calls a provider that was away: who restarts the next ones sooner leaves it with nobody.

    In the short form each fault hits another provider, and one is never touched.
    """
    if ground.quick:
        return
    file = ground.folder / f"{node.name}.calls"
    size = file.stat().st_size
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_USED_S[ground.wire]):
            while file.stat().st_size == size:
                await asyncio.sleep(0.02)


def _chosen(ground: Ground) -> tuple[str, ...]:
    balancers = _BALANCERS[ground.wire]
    return balancers[-1:] if ground.quick else balancers[-3:]


ROWS: Final = (
    Row(
        "J1",
        "Java's modes and balancers",
        "each call answered, and carried out as often as the mode promises",
        run_modes,
        tuple(VERSIONS),
    ),
    Row(
        "J2",
        "Java consumers, our providers restarted and killed",
        "restarts lose nothing; kills fail no idempotent call, and no other one runs twice",
        run_faults,
        tuple(VERSIONS),
    ),
    Row(
        "J2",
        "Java consumers that fork, our providers killed",
        "no call fails, none is carried out by more providers than were asked",
        run_forking,
        tuple(VERSIONS),
    ),
)
