"""C8: what forking and broadcast do when some providers do not answer. Failback has a file of its own."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any, Final

from adapters.tcp.client import TcpClient
from gateway.model.errors import RpcError
from gateway.runtime.connect import connect
from tests.chaos.ground import Ground
from tests.chaos.row import Outcome, Row
from tests.support.work_service import Work, recorded

__all__ = ["ROWS"]

_CALLS: Final = 20
_WINNER_MS: Final = 5
_SLOWER: Final = {"dubbo": 300, "http": 4_000}
"""Losers take 1.5 s where their late answers are to be seen, and 20 s where they are to be cancelled long before."""
_WON_S: Final = 1.0
_GIVEN_UP_S: Final = 10.0


async def run_forking(ground: Ground) -> Outcome:
    """Two of three take long; each call goes to all, and the quick one's answer ends it."""
    nodes = await ground.providers(3)
    problems: list[str] = []
    for node in nodes[1:]:
        async with ground.client(node, timeout_s=5.0) as control:
            await control.behave(_SLOWER[ground.wire], 0)
    cluster = {"type": "forking", "options": {"forks": 3}}
    client = _client(ground, nodes, cluster=cluster, timeout_s=5.0)
    async with client as work:
        slowest_s = 0.0
        for id in range(1, _CALLS + 1):
            began = monotonic()
            if await work.again(id, _WINNER_MS) != id:
                problems.append(f"call {id} got another answer")
            slowest_s = max(slowest_s, monotonic() - began)
        assert client._opened is not None
        active = [each.load.active for each in client._opened.directory.providers.invokers]
        if any(active):
            problems.append(f"attempts are still counted as running: {active}")
        # Over http:// the end of a connection cancels the call; dubbo:// has no word for it: late answers are dropped.
        given_up = await _given_up(ground, client, [node.name for node in nodes[1:]])
    losers = _losers(ground)
    if losers < _CALLS:
        problems.append(f"{losers} attempts lost, of {_CALLS} calls: they were not forked")
    if slowest_s > _WON_S:
        problems.append(f"a call took {slowest_s:.2f} s although one provider was quick")
    if given_up != losers:
        problems.append(f"{given_up} of {losers} losers were given up")
    how = "cancelled" if ground.wire == "http" else "answers dropped"
    return Outcome(f"{_CALLS} calls at {len(nodes)}: slowest {slowest_s * 1000:.0f} ms, {given_up} {how}", problems)


def _losers(ground: Ground) -> int:
    """Attempts that reached a provider and were not the first to answer. One may be given up before it is sent."""
    return ground.executed().total() - _CALLS


async def _given_up(ground: Ground, client: Any, slow: list[str]) -> int:
    (adapter,) = client._adapters.values()
    deadline = monotonic() + _GIVEN_UP_S
    found = 0
    while found < _losers(ground) and monotonic() < deadline:
        await asyncio.sleep(0.05)
        if isinstance(adapter, TcpClient):
            found = sum(connection.late_replies for connection in adapter.connections)
        else:
            found = sum(recorded(ground.folder / f"{name}.calls.cancelled").total() for name in slow)
    return found


async def run_broadcast(ground: Ground) -> Outcome:
    """One of three fails: all are called once, and the caller hears of the one that failed."""
    nodes = await ground.providers(3)
    problems: list[str] = []
    async with _client(ground, nodes, cluster="broadcast", timeout_s=2.0) as work:
        if await work.once(1, 0) != 1:
            problems.append("all are well, and the answer is another one")
        async with ground.client(nodes[1], timeout_s=5.0) as control:
            await control.behave(1, 100)
        try:
            answer = await work.once(2, 0)
        except RpcError as exc:
            said = str(exc)
            if nodes[1].address not in said or nodes[0].address in said:
                problems.append(f"the error names others than the one that failed: {said}")
        else:
            problems.append(f"one failed, and the answer is {answer}")
        # The first connection is made by then; one that is gone altogether counts just the same.
        await nodes[2].kill()
        try:
            await work.once(3, 0)
        except RpcError as exc:
            if nodes[2].address not in str(exc):
                problems.append(f"the error does not name the one that is gone: {exc}")
        else:
            problems.append("one is gone, and there is an answer")
    executed = ground.executed()
    if (executed[1], executed[2], executed[3]) != (3, 3, 2):
        problems.append(f"carried out {executed[1]}, {executed[2]} and {executed[3]} times, expected 3, 3 and 2")
    return Outcome("3 calls: carried out 3, 3 and 2 times; the errors name who failed", problems)


def _client(ground: Ground, nodes: Any, **settings: Any) -> Any:
    # mypy takes a Protocol for abstract where a class is asked for.
    return connect(ground.url(*nodes), Work, **settings)  # type: ignore[type-abstract,unused-ignore]


ROWS: Final = (
    Row("C8", "forking: losers", "the first answer counts; the others are given up", run_forking),
    Row("C8", "broadcast: one fails", "all are called; an error names who failed", run_broadcast),
)
