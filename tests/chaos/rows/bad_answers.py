"""C4: a provider that never answers, answers late, answers twice, or answers another call."""

from __future__ import annotations

import asyncio
from itertools import count
from time import monotonic
from typing import Final

from adapters.tcp.client import TcpClient
from gateway.model.errors import DeadlineExceeded, RpcError
from gateway.runtime.connect import connect
from tests.chaos.ground import Ground
from tests.chaos.row import Outcome, Row
from tests.chaos.tamper import Mischief, Tamper, tampering
from tests.support.work_service import Work

__all__ = ["ROWS"]

_TIMEOUT_S: Final = 0.5
_SLACK_S: Final = 0.4
_LATE_S: Final = 0.9
_AT_ONCE: Final = 10
_UNANSWERED: Final = frozenset({Mischief.SWALLOW, Mischief.LATE, Mischief.WRONG_ID})


async def run(ground: Ground) -> Outcome:
    """One kind of mischief after the other, each followed by calls that must be answered rightly."""
    node = await ground.provider()
    kinds = [each for each in Mischief if ground.wire == "dubbo" or each is not Mischief.WRONG_ID]
    problems: list[str] = []
    calls = late = 0
    numbers = count(1)
    async with tampering(ground.wire, node.port, _LATE_S) as tamper:
        # mypy takes a Protocol for abstract where a class is asked for.
        client = connect(
            ground.url(tamper.address),
            Work,  # type: ignore[type-abstract,unused-ignore]
            timeout_s=_TIMEOUT_S,
            retries=0,
        )
        async with client as work:
            ends = monotonic() + ground.seconds
            while True:
                for kind in kinds:
                    for mischief in (kind, Mischief.NONE):
                        ids = [next(numbers) for _ in range(_AT_ONCE)]
                        problems += await _call(work, tamper, mischief, ids)
                        calls += len(ids)
                if monotonic() > ends:
                    break
            await asyncio.sleep(_LATE_S)
            (adapter,) = client._adapters.values()
            if isinstance(adapter, TcpClient):
                late = sum(connection.late_replies for connection in adapter.connections)
                if late < 3 * _AT_ONCE:
                    problems.append(f"{late} late answers counted, at least {3 * _AT_ONCE} came")
    counted = f"{calls} calls, {tamper.touched} answers tampered with"
    return Outcome(f"{counted}, {late} counted as late" if ground.wire == "dubbo" else counted, problems)


async def _call(work: Work, tamper: Tamper, mischief: Mischief, ids: list[int]) -> list[str]:
    tamper.mischief = mischief
    began = monotonic()
    outcomes = await asyncio.gather(*(work.once(id, 5) for id in ids), return_exceptions=True)
    took_s = monotonic() - began
    problems = []
    for id, outcome in zip(ids, outcomes, strict=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, RpcError):
            raise outcome
        if mischief in _UNANSWERED:
            if not isinstance(outcome, DeadlineExceeded):
                problems.append(f"answer {mischief.value}: call {id} ended with {outcome!r}")
        elif outcome != id:
            problems.append(f"answer {mischief.value}: call {id} got {outcome!r}")
    if took_s > _TIMEOUT_S + _SLACK_S:
        problems.append(f"answer {mischief.value}: {took_s:.2f} s with a timeout of {_TIMEOUT_S:g} s")
    return problems


ROWS: Final = (
    Row("C4", "no, late, double and foreign answers", "the deadline holds; late answers counted and dropped", run),
)
