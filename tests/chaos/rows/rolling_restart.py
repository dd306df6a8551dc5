"""C2: providers, and gateways, are restarted one after the other while calls run.

At every other restart the consumer stands still for a while: its next calls cross a goodbye that it has not read.
"""

from __future__ import annotations

import signal
import time
from itertools import cycle, islice
from time import monotonic
from typing import Final

from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.node import Node
from tests.chaos.row import Outcome, Row

__all__ = ["ROWS"]

_RESTARTS: Final = 5
_QUICK_RESTARTS: Final = 2
_STALL_S: Final = 0.5
"""Longer than a fixed time to wait for calls under way would be."""


async def run_providers(ground: Ground) -> Outcome:
    """Restarts providers in turn."""
    return await _roll(ground, await ground.providers(2 if ground.quick else 3))


async def run_gateways(ground: Ground) -> Outcome:
    """Restarts two gateways in turn; consumers know the addresses of both."""
    behind = await ground.providers(1 if ground.quick else 2)
    gateways = [await ground.gateway(f"gateway-{index + 1}", behind) for index in range(2)]
    return await _roll(ground, gateways)


async def _roll(ground: Ground, nodes: list[Node]) -> Outcome:
    codes: list[int] = []
    restarts = _QUICK_RESTARTS if ground.quick else _RESTARTS
    began = monotonic()
    async with ground.client(*nodes, timeout_s=5.0) as work:
        load = Load(work)
        async with load.running():
            while not codes or monotonic() - began < ground.seconds:
                for node in islice(cycle(nodes), restarts):
                    await load.more(100)
                    node.send(signal.SIGTERM)
                    if len(codes) % 2:
                        # On purpose without a turn of the loop: nothing is read meanwhile.
                        time.sleep(_STALL_S)
                    codes.append(await node.ended())
                    await load.more(50)
                    await node.start()
            await load.more(100)
    text, problems = judge(load, ground.executed())
    if any(codes):
        problems.append(f"exit codes {codes}")
    return Outcome(f"{len(codes)} restarts: {text}", problems)


_PROVIDERS: Final = Row("C2", "rolling restart of providers", "no call lost, none doubled", run_providers)
_GATEWAYS: Final = Row("C2", "rolling restart of gateways", "no call lost, none doubled", run_gateways)
ROWS: Final = (
    _PROVIDERS,
    _GATEWAYS,
    _PROVIDERS.elsewhere("hessian", "thrift", "webservice", "redis", "memcached"),
    _GATEWAYS.elsewhere("hessian", "thrift", "webservice", "redis", "memcached"),
)
