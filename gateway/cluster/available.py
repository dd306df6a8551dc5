"""Available: the first provider in the registry's order that can be called. For a main provider and a spare one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from gateway.cluster.context import ClusterContext
from gateway.cluster.failover import Failover
from gateway.config.sections.section import NoOptions
from gateway.model.call import Invocation, Result
from gateway.spi.cluster import Candidates, Invoker
from gateway.spi.plugin import ClusterPlugin

__all__ = ["PLUGIN", "Available"]


class Available:
    """Calls the first candidate that is available and not ejected, and goes on to the next by failover's rules.

    Dubbo's mode of this name never goes on; `retries: 0` does the same.
    """

    __slots__ = ("_failover",)

    def __init__(self, context: ClusterContext | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._failover = Failover(context, clock)

    async def __call__(self, invocation: Invocation, candidates: Candidates) -> Result:
        """The first answer. Raises what failover raises."""
        return await self._failover(invocation, _InOrder(candidates))


class _InOrder:
    """Candidates of which the first in order is picked, where the balancer would choose."""

    __slots__ = ("_all",)

    def __init__(self, candidates: Candidates) -> None:
        self._all = candidates

    @property
    def invokers(self) -> Sequence[Invoker]:
        return self._all.invokers

    def pick(self, tried: Sequence[Invoker] = ()) -> Invoker:
        spare: Invoker | None = None
        for each in self._all.invokers:
            if each in tried or not each.available:
                continue
            if not each.load.ejected:
                return each
            spare = spare or each
        # Nobody is there: whom to try all the same is no question of order.
        return spare or self._all.pick(tried)

    def partition(self, key: Callable[[Invoker], str]) -> Mapping[str, Candidates]:
        return {name: _InOrder(part) for name, part in self._all.partition(key).items()}

    def explain(self) -> str:
        return self._all.explain()

    def __len__(self) -> int:
        return len(self._all)


def _build(_: NoOptions, context: ClusterContext) -> Available:
    return Available(context)


PLUGIN: Final = ClusterPlugin("available", NoOptions, _build)
