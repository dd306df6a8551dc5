"""A listener for long-lived connections: accepts, drives one codec per connection, keeps every limit.

All timeouts of all connections are kept by one sweep over them, so an idle connection has no timer of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from types import MappingProxyType
from typing import Final

from adapters.refusals import Refusals
from adapters.tcp.acceptor import Acceptor, Connected
from adapters.tcp.driver import CallDriver
from adapters.tcp.patience import QUIET_S, until_left
from adapters.tcp.server_connection import ServerConnection
from adapters.tcp.timers import TimerWheel
from gateway.model.endpoint import Endpoint
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions
from gateway.spi.handler import Handler
from protocols.contract import ServerWire

__all__ = ["HALF_CLOSE_GRACE_S", "ListenerState", "TcpServer"]

_LOG: Final = logging.getLogger("polyport.listener")
_CANCEL_S: Final = 1.0
"""How long cancelled handlers may take to clean up."""
HALF_CLOSE_GRACE_S: Final = 10.0
"""How long calls go on after their caller closed its sending side, on wires without a heartbeat. It may still read, or
be gone altogether: until something is sent, both look the same."""


@dataclass(slots=True)
class ListenerState:
    """What the connections of one listener share: limits, counters and who is connected. Owned by the loop's thread."""

    options: ListenerOptions
    handler: Handler
    wire: ServerWire
    loop: asyncio.AbstractEventLoop
    wheel: TimerWheel
    half_close_grace_s: float = HALF_CLOSE_GRACE_S
    quiet_s: float = QUIET_S
    connected: Connected[ServerConnection] = field(default_factory=Connected)
    calls: int = 0
    unanswered: set[CallDriver] = field(default_factory=set)
    """Running calls whose callers wait for no answer. They outlive the connections they came on."""
    max_calls: int = field(init=False)
    """As the options say; none once it closes."""
    draining: bool = False
    closing: bool = False
    refusals: Refusals = field(init=False)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the last running call of a draining listener has ended."""
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a connection of a draining listener is gone, or knows that it drains, or its last call has ended."""
    unsent: list[ServerConnection] = field(default_factory=list)
    """Connections with answers that leave at the end of this turn of the loop."""

    def __post_init__(self) -> None:
        self.max_calls = self.options.max_calls
        self.refusals = Refusals(self.options)

    @property
    def connections(self) -> set[ServerConnection]:
        """Those that are open."""
        return self.connected.connections

    @property
    def refused(self) -> dict[str, int]:
        """Connections closed by us and calls refused here, by reason code."""
        return self.refusals.counts

    def left_at(self) -> float:
        """When every connection may be closed without losing a call, as far as is known now; see `until_left`."""
        if self.calls:
            return math.inf
        return max((connection.left_at() for connection in self.connections), default=0.0)

    def count(self, reason: str, peer: str, text: str) -> None:
        """See `Refusals.count`."""
        self.refusals.count(reason, peer, text)

    def flush_later(self, connection: ServerConnection) -> None:
        """Sends the connection's answers at the end of this turn of the loop, together with those of the others."""
        self.unsent.append(connection)
        if len(self.unsent) == 1:
            self.loop.call_soon(self._flush)

    def call_ended(self) -> None:
        """One call less is in progress."""
        self.calls -= 1
        if self.draining and not self.calls:
            self.idle.set()
            self.moved.set()

    def _flush(self) -> None:
        unsent, self.unsent = self.unsent, []
        for connection in unsent:
            try:
                connection.flush()
            except Exception:
                # A codec gave what are no bytes. That must not keep the others from their answers.
                _LOG.exception("%s: answers could not be written", self.options.name)
                connection.abort()


class TcpServer:
    """One listener (`gateway.spi.adapter.ServerAdapter`) over the codec that `make_wire` builds.

    `make_wire(exposures)` is called once, when the listener starts, and may raise `ContractError`.
    `heartbeat_s`: after so long without traffic the codec's `ping` is sent; 0 sends none.
    `half_close_grace_s`: how long calls go on after their caller closed its sending side, where a codec has no `ping`.
    `quiet_s`: how long a peer must have been quiet, in a drain, where its codec cannot tell that it heard the goodbye.
    `announced(exposure)`: what consumers are to know of a service beside its address (`Endpoint.parameters`).
    """

    def __init__(
        self,
        options: ListenerOptions,
        make_wire: Callable[[Sequence[Exposure]], ServerWire],
        heartbeat_s: float = 0.0,
        half_close_grace_s: float = HALF_CLOSE_GRACE_S,
        quiet_s: float = QUIET_S,
        announced: Callable[[Exposure], Mapping[str, str]] = lambda _: MappingProxyType({}),
    ) -> None:
        self._options = options
        self._announced = announced
        self._make_wire = make_wire
        self._heartbeat_s = heartbeat_s
        self._half_close_grace_s = half_close_grace_s
        self._quiet_s = quiet_s
        self._state: ListenerState | None = None
        self._acceptor: Acceptor[ServerConnection] | None = None
        self._closed = False

    @property
    def refused(self) -> dict[str, int]:
        """How often something was refused, by reason code."""
        return dict(self._state.refused) if self._state else {}

    @property
    def connections(self) -> int:
        """Connections open now."""
        return len(self._state.connections) if self._state else 0

    async def start(self, handler: Handler, exposures: Sequence[Exposure]) -> Sequence[Endpoint]:
        """Listens on every address the host name stands for; see `ServerAdapter.start`."""
        loop = asyncio.get_running_loop()
        options = self._options
        wire = self._make_wire(exposures)
        state = ListenerState(options, handler, wire, loop, TimerWheel(loop), self._half_close_grace_s, self._quiet_s)
        acceptor = Acceptor(
            options,
            state.refusals,
            loop,
            state.connected,
            lambda host, peer: ServerConnection(state, host, peer),
            lambda connection, now: connection.check(now, self._heartbeat_s),
            (self._half_close_grace_s, self._heartbeat_s * 4),
        )
        port = await acceptor.listen()
        if self._closed:
            acceptor.close()
            raise RuntimeError(f"listener {options.name} was closed while it started")
        self._state, self._acceptor = state, acceptor
        acceptor.start()
        return [
            Endpoint(options.protocol, options.host, port, each.service, parameters=self._announced(each))
            for each in exposures
        ]

    def adopt(self, sock: socket.socket, host: str, peer: str) -> None:
        """See `Adopts.adopt`."""
        if self._acceptor is None:
            sock.close()
        else:
            self._acceptor.adopt(sock, host, peer)

    async def drain(self, deadline: float) -> None:
        """Stops accepting, says goodbye on every connection, and goes on answering until `deadline` at most.

        Before that a connection is closed when its peer has left it, or when nothing can be on its way any more: the
        peer confirmed the goodbye, or it was quiet for `quiet_s`.
        """
        state = self._state
        if state is None:
            return
        if not state.draining:
            state.draining = True
            if self._acceptor is not None:
                self._acceptor.drain()
            for connection in tuple(state.connections):
                connection.say_goodbye()
        await until_left(state.left_at, state.moved, deadline)
        for connection in tuple(state.connections):
            connection.close_if_idle()

    async def aclose(self) -> None:
        """See `ServerAdapter.aclose`; may be called more than once."""
        self._closed = True
        state, self._state = self._state, None
        acceptor, self._acceptor = self._acceptor, None
        if acceptor is not None:
            acceptor.close()
        if state is None:
            return
        state.draining = state.closing = True
        state.max_calls = 0
        for connection in state.connections:
            connection.cancel_calls()
        for driver in tuple(state.unanswered):
            driver.cancel()
        await _until_idle(state, monotonic() + _CANCEL_S)
        await asyncio.gather(*(connection.aclose() for connection in tuple(state.connections)))
        state.wheel.close()


async def _until_idle(state: ListenerState, deadline: float) -> None:
    """Waits until no call runs, or until `deadline` (monotonic)."""
    if state.calls:
        state.idle.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, deadline - monotonic())):
                await state.idle.wait()
