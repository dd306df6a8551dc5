"""The simulated wire: a client adapter whose connections lead to nodes of the same world."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, Protocol

from bench.cluster.world import UNNOTICED, World
from gateway.model.call import Invocation, Result
from gateway.model.endpoint import Endpoint
from gateway.model.errors import ConnectFailed, ConnectionLost, DeadlineExceeded, Retry, RpcError
from gateway.spi.adapter import Reference
from gateway.spi.cluster import Load

__all__ = ["PROTOCOL", "SimulatedInvoker", "SimulatedWire", "Station"]

PROTOCOL: Final = "sim"
_REFUSED_S: Final = 0.001
"""How long it takes to learn that nobody listens at an address."""
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 10.0
"""Between attempts to connect again; as `adapters.tcp.provider_connection.ConnectionOptions`."""


class Station(Protocol):
    """What stands at the other end."""

    up: bool
    on_down: dict[object, Callable[[], None]]

    def receive(self, caller: Attempt) -> None:
        """Takes a call."""
        ...


class Attempt:
    """One call on the wire, waited for by a future."""

    __slots__ = ("future", "invocation")

    def __init__(self, invocation: Invocation, future: asyncio.Future[Result]) -> None:
        self.invocation: Final = invocation
        self.future = future

    def reply(self, outcome: Result | RpcError) -> None:
        """The answer arrives; too late for one that was given up."""
        if not self.future.done():
            if isinstance(outcome, RpcError):
                self.future.set_exception(outcome)
            else:
                self.future.set_result(outcome)


class SimulatedWire:
    """Opens invokers for the `stations`, by address (`gateway.spi.adapter.ClientAdapter`)."""

    def __init__(self, world: World, stations: Mapping[str, Station], luck: random.Random) -> None:
        self.world = world
        self.luck = luck
        self._stations = stations

    def open(self, endpoint: Endpoint, reference: Reference) -> SimulatedInvoker:
        """An invoker for one node."""
        return SimulatedInvoker(self, self._stations[endpoint.address], endpoint, reference)

    async def aclose(self) -> None:
        """Nothing to close."""


class SimulatedInvoker:
    """One gateway's connection to one node (`gateway.spi.cluster.Invoker`).

    It connects with the first call; a connection that broke is tried again in the background, less and less often, and
    until then it is not available. Calls that are made all the same try to connect.
    """

    __slots__ = (
        "_broken",
        "_closed",
        "_connected",
        "_healing",
        "_pause_s",
        "_pending",
        "_reference",
        "_station",
        "_wire",
        "endpoint",
        "load",
    )

    def __init__(self, wire: SimulatedWire, station: Station, endpoint: Endpoint, reference: Reference) -> None:
        self.endpoint: Final = endpoint
        self.load: Final = Load(endpoint.weight)
        self._wire = wire
        self._station = station
        self._reference = reference
        self._pending: dict[asyncio.Future[Result], None] = {}
        self._connected = self._broken = self._closed = self._healing = False
        self._pause_s = _FIRST_PAUSE_S

    @property
    def available(self) -> bool:
        """Connected or never tried."""
        return not self._broken

    def __call__(self, invocation: Invocation) -> Coroutine[Any, Any, Result]:
        """See `Invoker.__call__`."""
        return self._attempt(invocation)

    async def _attempt(self, invocation: Invocation) -> Result:
        world = self._wire.world
        expires, limit = self._reference.time_of(invocation, world.now)
        if limit <= 0:
            raise DeadlineExceeded("the deadline had passed before the call was sent", retry=Retry.SAFE)
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        if not self._connect():
            error = ConnectFailed(f"cannot connect to {self.endpoint.address}")
            world.after(_REFUSED_S, Attempt(invocation, future).reply, error)
            return await future
        self._pending[future] = None
        world.at(expires, _expire, future, self.endpoint, limit)
        try:
            self._station.receive(Attempt(invocation, future))
            return await future
        finally:
            self._pending.pop(future, None)

    async def aclose(self) -> None:
        """Calls in progress are finished first: nobody waits for them here, they have time limits of their own."""
        self._closed = True
        self._station.on_down.pop(self, None)

    def _connect(self) -> bool:
        if self._connected:
            return True
        if not self._station.up:
            if not self._broken:
                self._break()
            return False
        self._connected, self._broken = True, False
        self._pause_s = _FIRST_PAUSE_S
        self._station.on_down[self] = self._lost
        return True

    def _lost(self) -> None:
        pending, self._pending = self._pending, {}
        self._connected = False
        for future in pending:
            if not future.done():
                text = f"{self.endpoint.address} closed the connection before it answered"
                future.set_exception(ConnectionLost(text))
        self._break()

    def _break(self) -> None:
        self._broken = True
        if self._healing or self._closed:
            return
        self._healing = True
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 2, _LONGEST_PAUSE_S)
        self._wire.world.after(pause_s * (0.8 + 0.4 * self._wire.luck.random()), self._reconnect)

    def _reconnect(self) -> None:
        self._healing = False
        if not (self._closed or self._connect()):
            self._break()


def _expire(future: asyncio.Future[Result], endpoint: Endpoint, limit: float) -> object:
    if future.done():
        return UNNOTICED
    future.set_exception(DeadlineExceeded(f"{endpoint.address} did not answer within {limit:g} s"))
    return None
