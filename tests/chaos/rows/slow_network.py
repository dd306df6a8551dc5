"""C3: the way to one of two providers is slow and thin; nothing is lost on it."""

from __future__ import annotations

from typing import Final

from tests.chaos.gate import slow_way_to
from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.row import Outcome, Row

__all__ = ["ROWS"]

_DELAY_S: Final = 0.05
_PIECE_BYTES: Final = 64
"""A call over any wire comes in several pieces, a delay apart."""
_PER_SECOND: Final = 20


async def run(ground: Ground) -> Outcome:
    """Both providers get calls; those to the far one take longer, and that is all."""
    far, near = await ground.providers(2)
    problems: list[str] = []
    async with (
        slow_way_to(far.port, _DELAY_S, _PIECE_BYTES) as address,
        ground.client(address, near, timeout_s=5.0) as work,
    ):
        load = Load(work)
        async with load.running():
            await load.more(max(60, int(ground.seconds * _PER_SECOND)))
    text, more = judge(load, ground.executed())
    problems += more
    through = (ground.folder / f"{far.name}.calls").stat().st_size
    if not through or load.slowest_s < 2 * _DELAY_S:
        problems.append("no call went the slow way: the fault was not injected")
    return Outcome(f"{text}; slowest {load.slowest_s:.2f} s", problems)


_ROW: Final = Row("C3", "slow, thin network", "every call answered; none lost, none repeated", run, wires=("rmi",))
ROWS: Final = (_ROW, _ROW.elsewhere("dubbo", "http", "hessian", "thrift", "webservice", "redis", "memcached"))
