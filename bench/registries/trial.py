"""One kind of registry, measured: `python -m bench.registries.trial KIND` prints JSON."""

from __future__ import annotations

import asyncio
import json
import math
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import uvloop

from bench.apt import Unavailable
from bench.process import StartFailed
from bench.registries.bed import Bed, ServerBed
from bench.registries.figure import AGAIN_S, FIRST_LOAD_S, QUICK_MARGIN, SEEN_S, STALL_S, Figure
from bench.registries.multicast_bed import MulticastBed
from bench.registries.population import OWN, PROVIDERS, SERVICES, endpoints, service
from bench.registries.redis_bed import RedisBed
from bench.registries.simple_bed import SimpleBed
from bench.registries.stall import Stalls, watching_stalls
from bench.registries.zookeeper_bed import ZookeeperBed
from gateway.cli.collector import tuned_collector
from gateway.model.endpoint import Endpoint, Identity
from gateway.plugins.catalog import Catalog
from gateway.spi.registry import Freshness, Registry, Snapshot

__all__ = ["KINDS"]

KINDS: Final[Mapping[str, Callable[[Path], Bed]]] = {
    "zookeeper": ZookeeperBed,
    "redis": RedisBed,
    "simple": lambda _: SimpleBed(),
    "multicast": lambda _: MulticastBed(),
}
_PATIENCE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """`rounds`: of the first load and of announcing again. `changes`: so many providers come and go. `margin`: of
    times."""

    rounds: int
    changes: int
    margin: float


FULL: Final = Plan(3, 200, 1.0)
QUICK: Final = Plan(1, 50, QUICK_MARGIN)


class _Watched:
    """See `Watched`."""

    def __init__(self, stalls: Stalls) -> None:
        self.stalls = stalls
        self.complete = asyncio.Event()
        self._counts = [0] * SERVICES
        self._short = SERVICES

    def take(self, number: int, count: int) -> None:
        self._short += (count != PROVIDERS) - (self._counts[number] != PROVIDERS)
        self._counts[number] = count
        if self._short:
            self.complete.clear()
        else:
            self.complete.set()


async def measure(bed: Bed, plan: Plan, announce: Callable[[str], None]) -> list[Figure]:
    """Everything of one kind. Raises StartFailed, or Unavailable, where its server cannot be had."""
    if not isinstance(bed, ServerBed):
        return await _changes(bed, plan, announce)
    figures: list[Figure] = []
    await bed.start()
    try:
        announce(f"{SERVICES * PROVIDERS} providers")
        await bed.fill()
        figures += await _first_load(bed, plan, announce)
        figures += await _announce_again(bed, plan, announce)
        await bed.stop()
        await bed.start()
        figures += await _changes(bed, plan, announce)
    finally:
        await bed.stop()
    return figures


async def _first_load(bed: ServerBed, plan: Plan, announce: Callable[[str], None]) -> list[Figure]:
    took: list[_Took] = []
    stalls_s: list[float] = []
    more: list[Figure] = []
    for number in range(plan.rounds):
        announce(f"first lists of {SERVICES} services, {number + 1} of {plan.rounds}")
        async with bed.open() as registry, watching_stalls() as stalls:
            began = _Took.now()
            async with _watching(registry, stalls) as watched:
                async with asyncio.timeout(_PATIENCE_S):
                    await watched.complete.wait()
                took.append(began.until_now())
                stalls_s.append(stalls.longest_s)
                if number == plan.rounds - 1:
                    more += await bed.lose(watched, plan.margin)
    what = f"first lists of {SERVICES} services with {PROVIDERS} providers each"
    return [
        _best(what, took, FIRST_LOAD_S[bed.name] * plan.margin),
        Figure("longest stall meanwhile", max(stalls_s) * 1e3, STALL_S * 1e3 * plan.margin, "ms"),
        *more,
    ]


@asynccontextmanager
async def _watching(registry: Registry, stalls: Stalls) -> AsyncIterator[_Watched]:
    watched = _Watched(stalls)

    async def watch(number: int) -> None:
        async with aclosing(registry.watch(service(number))) as snapshots:
            async for snapshot in snapshots:
                watched.take(number, len(snapshot.endpoints))

    tasks = [asyncio.create_task(watch(number)) for number in range(SERVICES)]
    try:
        yield watched
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.wait(tasks)


async def _announce_again(bed: ServerBed, plan: Plan, announce: Callable[[str], None]) -> list[Figure]:
    took: list[_Took] = []
    stalls_s: list[float] = []
    for number in range(plan.rounds):
        announce(f"{OWN} own registrations again, {number + 1} of {plan.rounds}")
        await bed.stop()
        await bed.start()
        async with bed.open() as registry:
            await asyncio.gather(*(registry.register(each) for each in endpoints(range(OWN), 1)))
            async with asyncio.timeout(_PATIENCE_S):
                await bed.await_own()
            async with watching_stalls() as stalls:
                await bed.stop()
                await bed.start()
                began = _Took.now()
                async with asyncio.timeout(_PATIENCE_S):
                    await bed.await_own()
                took.append(began.until_now())
                stalls_s.append(stalls.longest_s)
    what = f"{OWN} own registrations after a restart of the server"
    return [
        _best(what, took, AGAIN_S * plan.margin),
        Figure("longest stall meanwhile", max(stalls_s) * 1e3, STALL_S * 1e3 * plan.margin, "ms"),
    ]


class _Took(NamedTuple):
    """Seconds that passed, and of this process's CPU."""

    passed_s: float
    cpu_s: float

    @staticmethod
    def now() -> _Took:
        return _Took(time.perf_counter(), time.process_time())

    def until_now(self) -> _Took:
        now = _Took.now()
        return _Took(now.passed_s - self.passed_s, now.cpu_s - self.cpu_s)


def _best(what: str, took: Sequence[_Took], wanted_s: float) -> Figure:
    """Whatever else the machine does makes it longer only."""
    best = min(took)
    rounds = ", ".join(f"{each.passed_s:.2f}" for each in took)
    return Figure(what, best.passed_s, wanted_s, "s", f"rounds {rounds}; {best.cpu_s:.2f} s of CPU in this process")


async def _changes(bed: Bed, plan: Plan, announce: Callable[[str], None]) -> list[Figure]:
    announce(f"{plan.changes} providers that come and go")
    came_s: list[float] = []
    went_s: list[float] = []
    async with bed.open() as provider, bed.open() as consumer, _seeing(consumer) as eye:
        for number in range(plan.changes):
            endpoint = Endpoint("dubbo", "127.0.0.1", 10_000 + number, service(0))
            came_s.append(await _seen(provider.register(endpoint), eye, endpoint, is_there=True))
            went_s.append(await _seen(provider.unregister(endpoint), eye, endpoint, is_there=False))
    wanted_ms = SEEN_S * plan.margin * 1e3
    return [
        Figure(f"a provider that {what} is seen, p99", _p99(times) * 1e3, wanted_ms, "ms", _describe(times))
        for what, times in (("comes", came_s), ("goes", went_s))
    ]


async def _seen(change: Coroutine[Any, Any, None], eye: _Eye, endpoint: Endpoint, *, is_there: bool) -> float:
    """Seconds from the beginning of a change until a subscriber sees it."""
    began = time.perf_counter()
    changing = asyncio.create_task(change)
    async with asyncio.timeout(_PATIENCE_S):
        await eye.until(endpoint, is_there=is_there)
        took_s = time.perf_counter() - began
        await changing
    return took_s


class _Eye:
    """What one subscriber sees."""

    def __init__(self) -> None:
        self._endpoints: frozenset[Identity] = frozenset()
        self._changed = asyncio.Event()

    def show(self, snapshot: Snapshot) -> None:
        self._endpoints = frozenset(each.identity for each in snapshot.endpoints)
        self._changed.set()

    async def until(self, endpoint: Endpoint, *, is_there: bool) -> None:
        while (endpoint.identity in self._endpoints) is not is_there:
            self._changed.clear()
            await self._changed.wait()


@asynccontextmanager
async def _seeing(registry: Registry) -> AsyncIterator[_Eye]:
    """Once there is a first list, so that nobody waits for a connection."""
    eye = _Eye()
    ready = asyncio.Event()

    async def watch() -> None:
        async with aclosing(registry.watch(service(0))) as snapshots:
            async for snapshot in snapshots:
                eye.show(snapshot)
                if snapshot.freshness is Freshness.FRESH:
                    ready.set()

    task = asyncio.create_task(watch())
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await ready.wait()
        yield eye
    finally:
        task.cancel()
        await asyncio.wait([task])


def _p99(times: Sequence[float]) -> float:
    return sorted(times)[math.ceil(len(times) * 0.99) - 1]


def _describe(times: Sequence[float]) -> str:
    return f"median {median(times) * 1e3:.0f}, longest {max(times) * 1e3:.0f}"


def main() -> None:
    """Measures the kind that is named; `--quick` after it for a look in between."""
    kind = sys.argv[1]
    plan = QUICK if "--quick" in sys.argv else FULL
    # It is loaded when it is used first otherwise, and that would count.
    Catalog([]).protocol("dubbo")

    def announce(text: str) -> None:
        print(f"{kind}: {text}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="polyport-registry-") as folder:
        try:
            bed = KINDS[kind](Path(folder))
            # As `polyport serve` does it.
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, tuned_collector():
                figures = runner.run(measure(bed, plan, announce))
        except (Unavailable, StartFailed, TimeoutError) as error:
            figures = [Figure("everything", None, 0.0, "", str(error) or "it took too long")]
    print(json.dumps([asdict(each) for each in figures]))


if __name__ == "__main__":
    main()
