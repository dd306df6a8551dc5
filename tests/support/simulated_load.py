"""Calls and providers on a clock of their own: what a balancer does over minutes, within a second.

Attempts are the real ones (``gateway.cluster.attempt``); only waiting is left out.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Iterable, Sequence
from typing import Any

from gateway.cluster.attempt import attempt
from gateway.model.call import Invocation, Ok, Result
from gateway.model.endpoint import Endpoint
from gateway.model.errors import RpcError
from gateway.spi.cluster import Load, LoadBalancer
from tests.support.fake_invoker import endpoint, invocation


class SimulatedProvider:
    """A provider that takes ``time_s()`` for a call and then answers, or raises what ``fails()`` gives."""

    def __init__(self, number: int, weight: int = 100, time_s: float = 0.01) -> None:
        self.endpoint: Endpoint = endpoint(20000 + number, weight=weight)
        self.load = Load(weight)
        self.available = True
        self.base_s = time_s
        self.spread: Callable[[], float] = lambda: 1.0
        self.fails: Callable[[], RpcError | None] = lambda: None
        self.attachments: Callable[[], dict[str, str]] = dict

    def __call__(self, call: Invocation) -> _Answer:
        return _Answer(self)

    async def aclose(self) -> None:
        pass

    def __repr__(self) -> str:
        return f"<SimulatedProvider {self.endpoint.port}>"


class _Answer:
    def __init__(self, provider: SimulatedProvider) -> None:
        self._provider = provider

    def __await__(self) -> Generator[float, None, Result]:
        error = self._provider.fails()
        yield self._provider.base_s * self._provider.spread()
        if error is not None:
            raise error
        return Ok(None, self._provider.attachments())


class Simulation:
    """Sends calls at an even rate to whom the balancer chooses. ``now`` is the clock, in seconds."""

    def __init__(self, seed: int = 1) -> None:
        self.now = 1_000.0
        self.random = random.Random(seed)
        self._running: list[tuple[float, int, Coroutine[Any, Any, Result]]] = []
        self._number = 0

    def clock(self) -> float:
        return self.now

    def run(
        self,
        balancer: LoadBalancer,
        providers: Sequence[SimulatedProvider],
        *,
        rate: float,
        seconds: float,
        calls: Iterable[Invocation] | None = None,
    ) -> Counter[SimulatedProvider]:
        """Who got how many calls meanwhile."""
        got: Counter[SimulatedProvider] = Counter()
        source = iter(calls) if calls is not None else None
        end = self.now + seconds
        due = self.now
        while due < end:
            self._until(due)
            call = invocation("find", f"key-{self.random.getrandbits(30)}") if source is None else next(source)
            chosen: Any = balancer.select(providers, call)
            got[chosen] += 1
            self._number += 1
            self._resume(attempt(chosen, call, self.clock))
            due += self.random.expovariate(rate)
        self._until(end)
        return got

    def _until(self, when: float) -> None:
        while self._running and self._running[0][0] <= when:
            self.now, _, coroutine = heapq.heappop(self._running)
            self._resume(coroutine)
        self.now = when

    def _resume(self, coroutine: Coroutine[Any, Any, Result]) -> None:
        try:
            wait_s = coroutine.send(None)
        except (StopIteration, RpcError):
            return
        self._number += 1
        heapq.heappush(self._running, (self.now + wait_s, self._number, coroutine))
