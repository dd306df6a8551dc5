"""C7: all providers fail, and four gateways stand one behind the other, each with three repetitions."""

from __future__ import annotations

from typing import Final

from tests.chaos.ground import Ground
from tests.chaos.load import Load
from tests.chaos.row import Outcome, Row

__all__ = ["ROWS"]

_HOPS: Final = 4
_OFFERED: Final = 2_000
_QUICK_OFFERED: Final = 600
_BURST: Final = 50
_QUICK_BURST: Final = 20
_MOST: Final = 1.2
_REMOTE: Final = "retries: 3\nretry_budget: {{burst: {burst}}}"


async def run(ground: Ground) -> Outcome:
    """Every hop may repeat; only the last one may do so, and within its budget."""
    nodes = await ground.providers(1 if ground.quick else 2)
    for node in nodes:
        async with ground.client(node, timeout_s=5.0) as control:
            await control.behave(1, 100)
    remote = _REMOTE.format(burst=_QUICK_BURST if ground.quick else _BURST)
    behind = nodes
    for hop in range(_HOPS):
        behind = [await ground.gateway(f"gateway-{hop + 1}", behind, remote=remote)]
    offered = _QUICK_OFFERED if ground.quick else _OFFERED
    problems: list[str] = []
    async with ground.client(*behind, timeout_s=10.0, retries=3) as work:
        load = Load(work, callers=8, hold_ms=0, pause_s=0.0)
        async with load.running():
            await load.more(offered)
    executed = ground.executed().total()
    factor = executed / load.calls
    if load.once.answered or load.again.answered:
        problems.append("calls were answered: the fault was not injected")
    if factor > _MOST:
        problems.append(f"{executed} calls reached providers, {load.calls} were made")
    text = f"{load.calls} calls made, {executed} reached providers: {factor:.3f} times"
    return Outcome(text, problems)


ROWS: Final = (Row("C7", "retry storm over four hops", "at most 1.2 times the calls made reach providers", run),)
