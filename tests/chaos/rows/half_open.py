"""C3: nothing arrives at one of two providers any more, and nobody is told."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Final

from tests.chaos.gate import gate_to
from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.node import Node
from tests.chaos.row import WIRES, Outcome, Row

__all__ = ["ROWS"]

_TIMEOUT_S: Final = 1.0
_SLACK_S: Final = 0.6
"""For a machine that is busy with other things."""
_CUT_S: Final = 40.0
_QUICK_CUT_S: Final = 6.0
_SHORT_CUT_S: Final = 2.5
"""Of a wire without heartbeats to wait for."""
_CONNECT_S: Final = 1.0
_HEARTBEAT_S: Final = 5.0
_QUICK_HEARTBEAT_S: Final = 0.7
_BACK_S: Final = 45.0


async def run(ground: Ground) -> Outcome:
    """Where that is possible, packets are dropped; else there is a relay that stands still."""
    cut_node, other = await ground.providers(2)
    heartbeat_s = _QUICK_HEARTBEAT_S if ground.quick else _HEARTBEAT_S
    parameters: dict[str, float] = {"connect_timeout": _CONNECT_S}
    if ground.wire == "dubbo":
        parameters["heartbeat"] = heartbeat_s
    problems: list[str] = []
    async with gate_to(cut_node.port, drops_packets=ground.drops_packets) as gate:
        client = ground.client(gate.address, other, timeout_s=_TIMEOUT_S, parameters=parameters)
        async with client as work:
            load = Load(work, callers=4)
            async with load.running():
                await load.more(50)
                gate.cut()
                began = monotonic()
                found_s = await _last_failure(load, began, _cut_s(ground))
                gate.mend()
                back_s = await _used_again(ground, load, cut_node)
    text, more = judge(load, ground.executed(), may_fail_once=frozenset({"deadline-exceeded", "connection-lost"}))
    problems += more
    # A provider that is silent costs one attempt; after three heartbeats without a byte it gets no calls any more.
    allowed_s = (3.25 * heartbeat_s if ground.wire == "dubbo" else 1.0) + 2 * _TIMEOUT_S + _SLACK_S
    if found_s > allowed_s:
        problems.append(f"calls still failed {found_s:.1f} s after the cut, {allowed_s:.1f} s are allowed")
    if load.slowest_s > 2 * _TIMEOUT_S + _SLACK_S:
        problems.append(f"a call took {load.slowest_s:.1f} s, with attempts of {_TIMEOUT_S:g} s")
    # Where each call has a connection of its own, it is the connecting that takes its time, and another provider helps.
    if not load.failed and load.slowest_s < _CONNECT_S:
        problems.append("no call was hit: the fault was not injected")
    how = "packets dropped" if ground.drops_packets else "relay stopped"
    slowest = f"slowest {load.slowest_s:.1f} s"
    return Outcome(f"{how}; {text}; found in {found_s:.1f} s, back in {back_s:.1f} s, {slowest}", problems)


def _cut_s(ground: Ground) -> float:
    if not ground.quick:
        return _CUT_S
    return _SHORT_CUT_S if ground.wire == "rmi" else _QUICK_CUT_S


async def _last_failure(load: Load, began: float, cut_s: float) -> float:
    """Waits until the cut is over; gives when the last call failed, seconds after it began."""
    failures, last = len(load.failed), began
    while monotonic() - began < cut_s:
        await asyncio.sleep(0.02)
        if len(load.failed) != failures:
            failures, last = len(load.failed), monotonic()
    return last - began


async def _used_again(ground: Ground, load: Load, node: Node) -> float:
    file = ground.folder / f"{node.name}.calls"
    # What waits in the sockets still arrives when the way is mended.
    await asyncio.sleep(0.5)
    size = file.stat().st_size
    return await load.until(lambda: file.stat().st_size > size + 50, "calls at the provider that is back", _BACK_S)


_ROW: Final = Row(
    "C3",
    "half-open connection",
    "calls end at their deadline; heartbeats or trials find it; used again afterwards",
    run,
    wires=(*WIRES, "rmi"),
    cuts_network=True,
)
ROWS: Final = (_ROW, _ROW.elsewhere("hessian", "thrift", "webservice", "redis", "memcached"))
