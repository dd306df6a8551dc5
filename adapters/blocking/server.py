"""A listener for short connections: one call each, blocking sockets in threads, calls on the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final, Protocol

from adapters.blocking.connection import Connection, ShortServerCodec, Stage
from adapters.blocking.gate import Gate
from adapters.blocking.handover import Handover
from adapters.blocking.pool import Pool
from adapters.refusals import Refusals
from adapters.tcp.acceptor import Connected
from adapters.tcp.driver import CallDriver
from adapters.tcp.listening_socket import listen
from adapters.tcp.timers import TimerWheel
from gateway.model.call import Peer
from gateway.model.endpoint import Endpoint
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions
from gateway.spi.handler import Handler

__all__ = ["BlockingServer", "ListenerState", "ShortServerWire"]

_CANCEL_S: Final = 1.0
"""How long cancelled handlers may take to clean up."""
_SWITCH_S: Final = 0.0005
_CROSSING_S: Final = 0.5
"""In a drain: how long a connection may take to say what it wants."""


class ShortServerWire(Protocol):
    """Makes one codec per connection."""

    def accept(self, peer: Peer) -> ShortServerCodec:
        """A codec for a new connection. From the accept thread."""
        ...


@dataclass(slots=True)
class ListenerState:
    """What the connections of one listener share. What is not said to be anybody's belongs to the loop's thread."""

    options: ListenerOptions
    handler: Handler
    wire: ShortServerWire
    loop: asyncio.AbstractEventLoop
    wheel: TimerWheel
    pool: Pool
    """Anybody's."""
    hand_over: Handover
    """Anybody's."""
    calls: int = 0
    max_calls: int = field(init=False)
    closing: bool = False
    refusals: Refusals = field(init=False)
    """Guarded by `lock`; see `count`."""
    unanswered: set[CallDriver] = field(default_factory=set)
    """Running calls whose callers wait for no answer. They outlive the connections they came on."""
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a connection is gone or a call has ended."""
    connected: Connected[Connection] = field(default_factory=Connected)
    """Guarded by `lock`."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    gate: Gate | None = None

    def __post_init__(self) -> None:
        self.max_calls = self.options.max_calls
        self.refusals = Refusals(self.options)

    def admit(self, sock: socket.socket, host: str, peer: str) -> Connection | None:
        """A new connection; None where the limits leave no room for it. From the accept thread, or from the loop's
        where it was accepted elsewhere."""
        options, connected = self.options, self.connected
        with self.lock:
            if len(connected.connections) >= options.max_connections:
                refused = "too-many-connections", f"{options.max_connections} connections are open"
            elif connected.per_address.get(host, 0) >= options.max_connections_per_address:
                text = f"{options.max_connections_per_address} are open"
                refused = "too-many-connections-per-address", text
            else:
                connection = Connection(self, sock, host, peer)
                connected.add(connection, host)
                return connection
        self.count(refused[0], peer, refused[1])
        return None

    def forget(self, connection: Connection, host: str) -> None:
        """The connection is gone. From any thread."""
        with self.lock:
            self.connected.forget(connection, host)
        if self.closing or self.max_calls == 0:
            self.hand_over(self.moved.set)

    def open_connections(self) -> list[Connection]:
        """Those that are open. From any thread."""
        with self.lock:
            return list(self.connected.connections)

    def count(self, reason: str, peer: str, text: str) -> None:
        """See `Refusals.count`. From any thread."""
        with self.lock:
            self.refusals.count(reason, peer, text)

    def watch(self, connection: Connection, stage: Stage, *, soon: bool = True) -> None:
        """See `Gate.watch`. From any thread."""
        if self.gate is not None:
            self.gate.watch(connection, stage, soon=soon)


class BlockingServer:
    """One listener (`gateway.spi.adapter.ServerAdapter`) for a wire whose connections carry one call each.

    `make_wire(exposures)` is called once, when the listener starts, and may raise `ContractError`. `workers`: threads
    that wait for peers that are neither quick nor very slow.
    """

    def __init__(
        self,
        options: ListenerOptions,
        make_wire: Callable[[Sequence[Exposure]], ShortServerWire],
        workers: int,
    ) -> None:
        self._options = options
        self._make_wire = make_wire
        self._workers = workers
        self._state: ListenerState | None = None
        self._closed = False

    @property
    def refused(self) -> dict[str, int]:
        """How often something was refused, by reason code."""
        return dict(self._state.refusals.counts) if self._state else {}

    @property
    def connections(self) -> int:
        """Connections open now."""
        return len(self._state.connected.connections) if self._state else 0

    async def start(self, handler: Handler, exposures: Sequence[Exposure]) -> Sequence[Endpoint]:
        """Listens on every address the host name stands for; see `ServerAdapter.start`."""
        loop = asyncio.get_running_loop()
        options = self._options
        wire = self._make_wire(exposures)
        sockets = await listen(loop, options.host, options.port) if options.listens else []
        if self._closed:
            for each in sockets:
                each.close()
            raise RuntimeError(f"listener {options.name} was closed while it started")
        # A thread that decodes gives way to another after so long, measured for entry 82 of DECISIONS.md. With Python's
        # own 5 ms a call that is answered meanwhile would wait for them at each of its system calls.
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_S))
        port: int = sockets[0].getsockname()[1] if sockets else options.port
        pool = Pool(self._workers, f"{options.protocol}-{options.name}")
        state = ListenerState(options, handler, wire, loop, TimerWheel(loop), pool, Handover(loop))
        limits = (options.first_byte_timeout_s, options.frame_timeout_s)
        state.gate = Gate(state, sockets, min(0.25, max(0.02, min(each for each in limits if each > 0) / 4)))
        self._state = state
        state.gate.start()
        return [Endpoint(options.protocol, options.host, port, exposure.service) for exposure in exposures]

    def adopt(self, sock: socket.socket, host: str, peer: str) -> None:
        """See `Adopts.adopt`."""
        state = self._state
        connection = None if state is None else state.admit(sock, host, peer)
        if connection is None:
            sock.close()
        else:
            # Elsewhere than on Linux it may be as the socket that listened: accept(2).
            sock.setblocking(True)
            # What the gate would do, but for the way there and back: most calls are here already, and go on here.
            connection.begin()

    async def drain(self, deadline: float) -> None:
        """Stops accepting; goes on answering until everybody has an answer, or until `deadline`."""
        state = self._state
        if state is None or state.gate is None:
            return
        state.gate.drain()
        until = monotonic() + _CROSSING_S
        while (now := monotonic()) < deadline:
            open_now = state.open_connections()
            if not state.calls and not any(_is_at_work(each, now < until) for each in open_now):
                return
            state.moved.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(0.05, deadline - now)):
                    await state.moved.wait()

    async def aclose(self) -> None:
        """See `ServerAdapter.aclose`; may be called more than once."""
        self._closed = True
        state, self._state = self._state, None
        if state is None:
            return
        state.closing = True
        state.max_calls = 0
        for connection in state.open_connections():
            connection.cancel_call()
        for driver in tuple(state.unanswered):
            driver.cancel()
        await _until_idle(state, monotonic() + _CANCEL_S)
        for connection in state.open_connections():
            connection.abort()
        await asyncio.to_thread(_stop, state)
        for connection in state.open_connections():
            connection.close()
        state.wheel.close()


def _stop(state: ListenerState) -> None:
    if state.gate is not None:
        state.gate.stop()
    state.pool.close(_CANCEL_S)


def _is_at_work(connection: Connection, is_new: bool) -> bool:
    """Whether a connection still has something to say or to hear."""
    stage: Any = connection.stage
    return stage in (Stage.CALLING, Stage.WRITING) or (stage is Stage.READING and is_new)


async def _until_idle(state: ListenerState, deadline: float) -> None:
    """Waits until no call runs, or until `deadline` (monotonic)."""
    while state.calls and (now := monotonic()) < deadline:
        state.moved.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline - now):
                await state.moved.wait()
