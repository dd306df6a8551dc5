"""Gateways of a run: real references, over the simulated wire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from bench.cluster.fleet import SERVICE
from bench.cluster.recorder import Recorder
from bench.cluster.scenario import Scenario
from bench.cluster.wire import PROTOCOL, Attempt, SimulatedWire
from bench.cluster.world import World
from gateway.cluster.context import RegistryPlace
from gateway.config.sections.choice import Choice
from gateway.model.call import Result
from gateway.model.errors import RpcError
from gateway.plugins.catalog import Catalog
from gateway.routing.selection import ProtocolOrder, SelectionTable, Selector, ServiceSelection
from gateway.runtime.reference import OpenReference, ReferenceSettings, open_reference
from gateway.spi.handler import Handler
from gateway.telemetry.counters import Counters
from protocols.dubbo.status import error_of_status, format_error, status_of
from registry.embedded import EmbeddedHub, EmbeddedRegistry

__all__ = ["Relay", "open_gateway"]

_NAME: Final = "simulated"


def open_gateway(
    scenario: Scenario,
    cluster: Choice,
    balancer: Choice,
    wire: SimulatedWire,
    hubs: Mapping[str, EmbeddedHub],
    catalog: Catalog,
    counters: Counters,
) -> OpenReference:
    """One gateway's reference, exactly as a gateway puts it together; not started yet. `hubs`: by zone."""
    settings = ReferenceSettings(
        SERVICE,
        None,
        cluster=cluster,
        retries=scenario.retries,
        balance=balancer,
        timeout_s=scenario.timeout_s,
        warmup_s=scenario.warmup_s,
        ejection=scenario.ejection,
        registries={zone: RegistryPlace(zone) for zone in hubs},
    )
    selector = Selector(SelectionTable({_NAME: ServiceSelection(ProtocolOrder((PROTOCOL,)))}))
    registries = {zone: EmbeddedRegistry(hub) for zone, hub in hubs.items()}
    return open_reference(_NAME, settings, selector, registries, lambda _: wire, catalog, counters)


class Relay:
    """A gateway as the one before it sees it: it takes calls, and hands them on through a reference of its own.

    Errors cross the wire in the text that dubbo:// gives them, and are read back from it: so it shows here whether that
    keeps what a gateway must know to not multiply attempts.
    """

    up: bool = True

    def __init__(self, world: World, handler: Handler, hop: int, recorder: Recorder) -> None:
        self.on_down: dict[object, Callable[[], None]] = {}
        self._world = world
        self._handler = handler
        self._hop = hop
        self._recorder = recorder
        self._working: set[asyncio.Task[None]] = set()

    def receive(self, caller: Attempt) -> None:
        """Hands a call on."""
        self._recorder.relay(self._hop)
        task = asyncio.get_running_loop().create_task(self._hand_on(caller))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _hand_on(self, caller: Attempt) -> None:
        outcome: Result | RpcError
        try:
            outcome = await self._handler(caller.invocation)
        except RpcError as error:
            outcome = error_of_status(status_of(error), format_error(error))
        caller.reply(outcome)
