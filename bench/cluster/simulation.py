"""Runs one scenario with one balancer and one cluster mode."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.cluster.fleet import SERVICE, Fleet
from bench.cluster.gateway import Relay, open_gateway
from bench.cluster.record import Record
from bench.cluster.recorder import Recorder
from bench.cluster.scenario import Scenario, Traffic
from bench.cluster.virtual_loop import run_in
from bench.cluster.wire import PROTOCOL, SimulatedWire
from bench.cluster.world import World
from gateway.config.sections.choice import Choice
from gateway.model.call import Invocation
from gateway.model.contract import MethodContract, Param
from gateway.model.endpoint import Endpoint
from gateway.model.errors import RpcError
from gateway.model.typeref import Kind, TypeRef
from gateway.plugins.catalog import Catalog
from gateway.runtime.reference import OpenReference
from gateway.spi.handler import Handler
from gateway.telemetry.counters import Counters
from registry.embedded import EmbeddedHub

__all__ = ["Outcome", "kind_of", "name_of", "simulate"]

_FINISH_S: Final = 30.0
"""How long calls may still run when no more come in."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run.

    `cluster`, `balancer`: by name. `groups`: indices of the record's providers, by group. `weights`: at the start, by
    index. `counts`: what the gateways counted, by reason. `took_s`: real seconds.
    """

    scenario: Scenario
    cluster: str
    balancer: str
    seed: int
    record: Record
    groups: Mapping[str, Sequence[int]]
    weights: Sequence[int]
    counts: Mapping[str, int]
    took_s: float

    @property
    def title(self) -> str:
        """What was compared, in a word or two."""
        alone = self.cluster == "failover" and len(self.scenario.clusters) == 1
        return self.balancer if alone else f"{self.cluster}, {self.balancer}"


def name_of(choice: Choice) -> str:
    """What a choice of a plug-in is called in tables: its name, with the options that were written."""
    if isinstance(choice, str):
        return choice
    options = " ".join(f"{name}={value}" for name, value in choice.get("options", {}).items())
    return f"{choice['type']} {options}".rstrip()


def kind_of(choice: Choice) -> str:
    """The name of the plug-in that is chosen."""
    return choice if isinstance(choice, str) else str(choice["type"])


def simulate(scenario: Scenario, cluster: Choice, balancer: Choice, seed: int, catalog: Catalog) -> Outcome:
    """Runs it to its end; the same seed gives the same outcome."""
    began = time.perf_counter()
    world = World()
    run = _Run(world, scenario, cluster, balancer, seed, catalog)
    # Thousands of lines on providers that give trouble on purpose.
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        run_in(world, run.run(), seed)
    finally:
        logging.disable(level)
    fleet = run.fleet
    return Outcome(
        scenario,
        name_of(cluster),
        name_of(balancer),
        seed,
        run.recorder.record,
        {name: [node.index for node in nodes] for name, nodes in fleet.groups.items()},
        run.weights,
        run.counts,
        time.perf_counter() - began,
    )


class _Run:
    """Everything that one run is made of. `weights`, `counts`: see `Outcome`, known when it has run."""

    def __init__(
        self, world: World, scenario: Scenario, cluster: Choice, balancer: Choice, seed: int, catalog: Catalog
    ) -> None:
        self.weights: Sequence[int] = ()
        self.counts: Mapping[str, int] = {}
        self.recorder = Recorder(world, scenario.duration_s, scenario.bucket_s, scenario.hops)
        # Sources of luck of their own, so that what one balancer draws does not change what happens to another.
        self._luck = random.Random(f"{seed} traffic")
        self._wire_luck = random.Random(f"{seed} wire")
        self.fleet = Fleet(world, scenario.groups, self.recorder, random.Random(f"{seed} fleet"))
        self._world = world
        self._scenario = scenario
        self._choices = (cluster, balancer)
        self._catalog = catalog
        self._opened: list[OpenReference] = []
        self._counters = Counters()
        self._calls: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """From the first gateway's start to the last call's end."""
        world, scenario = self._world, self._scenario
        self.weights = [node.endpoint.weight for node in self.fleet.nodes]
        entries = await self._start()
        for event in scenario.events:
            event.plan(self.fleet)
        self._arrive_next(_Arrivals(scenario.traffic, world, self._luck), entries)
        await asyncio.sleep(world.begin + scenario.duration_s - world.now)
        if self._calls:
            await asyncio.wait(tuple(self._calls), timeout=_FINISH_S)
            for task in self._calls:
                task.cancel()
        for reference in self._opened:
            await reference.directory.aclose()
        self.counts = {reason: count for (_, reason), count in self._counters.snapshot().items()}

    async def _start(self) -> list[Handler]:
        """Opens the gateways, those nearest to the providers first; gives the handlers of the first ones."""
        scenario = self._scenario
        hubs: Mapping[str, EmbeddedHub] = self.fleet.hubs
        wire = SimulatedWire(self._world, self.fleet.stations, self._wire_luck)
        for hop in range(scenario.hops - 2, -1, -1):
            handlers = await self._open(scenario.relays, wire, hubs)
            relays: dict[str, Relay] = {}
            hub = EmbeddedHub()
            for number, handler in enumerate(handlers):
                endpoint = Endpoint(PROTOCOL, f"10.2{hop}0.0.{number + 1}", 20880, SERVICE)
                relays[endpoint.address] = Relay(self._world, handler, hop, self.recorder)
                hub.announce(self, endpoint)
            hubs, wire = {"gateways": hub}, SimulatedWire(self._world, relays, self._wire_luck)
        return await self._open(scenario.gateways, wire, hubs)

    async def _open(self, count: int, wire: SimulatedWire, hubs: Mapping[str, EmbeddedHub]) -> list[Handler]:
        handlers = []
        for _ in range(count):
            reference = open_gateway(self._scenario, *self._choices, wire, hubs, self._catalog, self._counters)
            await reference.directory.start(1.0)
            self._opened.append(reference)
            handlers.append(reference.handler)
        return handlers

    def _arrive_next(self, arrivals: _Arrivals, entries: Sequence[Handler]) -> None:
        when = arrivals.next_after(self._world.now)
        if when < self._world.begin + self._scenario.duration_s:
            self._world.at(when, self._arrive, arrivals, entries)

    def _arrive(self, arrivals: _Arrivals, entries: Sequence[Handler]) -> None:
        self.recorder.call_begins()
        entry = entries[int(self._luck.random() * len(entries))]
        task = asyncio.get_running_loop().create_task(self._call(entry, arrivals.invocation()))
        self._calls.add(task)
        self._arrive_next(arrivals, entries)

    async def _call(self, entry: Handler, invocation: Invocation) -> None:
        began = self._world.now
        error = None
        try:
            await entry(invocation)
        except RpcError as caught:
            error = caught
        self.recorder.call_ended(began, error)
        # Here and not in a callback, which would cost one more turn of the loop.
        self._calls.discard(asyncio.current_task())


class _Arrivals:
    """When calls come, and what they ask for."""

    def __init__(self, traffic: Traffic, world: World, luck: random.Random) -> None:
        self._traffic = traffic
        self._world = world
        self._luck = luck
        self._number = 0
        text = TypeRef(Kind.STRING)
        self._method = MethodContract("find", (Param("key", text),), text, "find", idempotent=traffic.idempotent)
        self._keys = [f"key {number}" for number in range(traffic.keys)]

    def next_after(self, now: float) -> float:
        """When the next call comes. A change of the rate is met exactly: the process has no memory."""
        elapsed = now - self._world.begin
        rates = self._traffic.rates
        for number, (since, rate) in enumerate(rates):
            until = rates[number + 1][0] if number + 1 < len(rates) else float("inf")
            if elapsed >= until:
                continue
            elapsed = max(elapsed, since) + (self._luck.expovariate(rate) if rate else float("inf"))
            if elapsed < until:
                return self._world.begin + elapsed
            elapsed = until
        return float("inf")

    def invocation(self) -> Invocation:
        """The call that comes now."""
        luck, traffic = self._luck, self._traffic
        index = 0 if traffic.hot and luck.random() < traffic.hot else int(luck.random() * traffic.keys)
        self._number += 1
        deadline = None if traffic.deadline_s is None else self._world.now + traffic.deadline_s
        return Invocation(
            SERVICE,
            "find",
            (self._keys[index],),
            signature=self._method,
            deadline=deadline,
            consumer="simulator",
            call_id=self._number,
        )
