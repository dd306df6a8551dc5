"""A listener for long-lived connections: accepts, drives one codec per connection, keeps every limit.

All timeouts of all connections are kept by one sweep over them, so an idle connection has no timer of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from adapters.tcp.listening_socket import listen
from adapters.tcp.server_connection import ServerConnection
from adapters.tcp.timers import TimerWheel
from gateway.model.endpoint import Endpoint, format_address
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions
from gateway.spi.handler import Handler
from protocols.contract import ServerWire

__all__ = ["HALF_CLOSE_GRACE_S", "ListenerState", "TcpServer"]

_LOG: Final = logging.getLogger("polyport.listener")
_ACCEPT_PAUSE_S: Final = 0.5
"""How long accepting rests when the process has run out of descriptors."""
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_ACCEPT_BATCH: Final = 64
"""Connections accepted at a time: thousands at once must not keep the loop from those it has."""
_CROSSING_S: Final = 0.1
"""After the goodbye, for calls that crossed it on the wire."""
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
    connections: set[ServerConnection] = field(default_factory=set)
    per_address: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    max_calls: int = field(init=False)
    """As the options say; none once it closes."""
    draining: bool = False
    closing: bool = False
    refused: dict[str, int] = field(default_factory=dict)
    """Connections closed by us and calls refused here, by reason code."""
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the last running call of a draining listener has ended."""
    unsent: list[ServerConnection] = field(default_factory=list)
    """Connections with answers that leave at the end of this turn of the loop."""

    def __post_init__(self) -> None:
        self.max_calls = self.options.max_calls

    def flush_later(self, connection: ServerConnection) -> None:
        """Sends the connection's answers at the end of this turn of the loop, together with those of the others."""
        self.unsent.append(connection)
        if len(self.unsent) == 1:
            self.loop.call_soon(self._flush)

    def _flush(self) -> None:
        unsent, self.unsent = self.unsent, []
        for connection in unsent:
            try:
                connection.flush()
            except Exception:
                # A codec gave what are no bytes. That must not keep the others from their answers.
                _LOG.exception("%s: answers could not be written", self.options.name)
                connection.abort()

    def count(self, reason: str, peer: str, text: str) -> None:
        """Counts a refusal, and logs the first of its kind and then each tenfold (1, 10, 100 …)."""
        seen = self.refused[reason] = self.refused.get(reason, 0) + 1
        if str(seen).strip("0") == "1":
            _LOG.warning(
                "%s: %s from %s: %s (seen %d times)",
                self.options.name,
                reason,
                peer,
                text,
                seen,
                extra={
                    "listener": self.options.name,
                    "protocol": self.options.protocol,
                    "reason": reason,
                    "peer": peer,
                },
            )


class TcpServer:
    """One listener (`gateway.spi.adapter.ServerAdapter`) over the codec that `make_wire` builds.

    `make_wire(exposures)` is called once, when the listener starts, and may raise `ContractError`.
    `heartbeat_s`: after so long without traffic the codec's `ping` is sent; 0 sends none.
    `half_close_grace_s`: how long calls go on after their caller closed its sending side, where a codec has no `ping`.
    """

    def __init__(
        self,
        options: ListenerOptions,
        make_wire: Callable[[Sequence[Exposure]], ServerWire],
        heartbeat_s: float = 0.0,
        half_close_grace_s: float = HALF_CLOSE_GRACE_S,
    ) -> None:
        self._options = options
        self._make_wire = make_wire
        self._heartbeat_s = heartbeat_s
        self._half_close_grace_s = half_close_grace_s
        self._state: ListenerState | None = None
        self._sockets: list[socket.socket] = []
        self._closed = False
        self._sweeper: asyncio.TimerHandle | None = None

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
        sockets = await listen(loop, options.host, options.port)
        if self._closed:
            for each in sockets:
                each.close()
            raise RuntimeError(f"listener {options.name} was closed while it started")
        self._sockets = sockets
        self._state = ListenerState(options, handler, wire, loop, TimerWheel(loop), self._half_close_grace_s)
        for each in sockets:
            loop.add_reader(each.fileno(), self._accept, each)
        self._sweep_later()
        port = sockets[0].getsockname()[1]
        return [Endpoint(options.protocol, options.host, port, exposure.service) for exposure in exposures]

    def _accept(self, listening: socket.socket) -> None:
        state = self._state
        assert state is not None
        for _ in range(_ACCEPT_BATCH):
            try:
                client, address = listening.accept()
            except BlockingIOError:
                return
            except OSError as exc:
                if exc.errno in _EXHAUSTED:
                    state.count("out-of-descriptors", "the system", f"accepting rests for {_ACCEPT_PAUSE_S} s: {exc}")
                    state.loop.remove_reader(listening.fileno())
                    state.loop.call_later(_ACCEPT_PAUSE_S, self._accept_again, listening)
                    return
                # The connection was gone, or forbidden, before it could be taken: accept(2), "Error handling".
                state.count("accept-failed", "the system", str(exc))
                continue
            self._take(state, client, address)

    def _take(self, state: ListenerState, client: socket.socket, address: Any) -> None:
        options = state.options
        host = address[0]
        peer = format_address(host, address[1])
        open_here = state.per_address.get(host, 0)
        if len(state.connections) >= options.max_connections:
            state.count("too-many-connections", peer, f"{options.max_connections} connections are open")
            client.close()
            return
        if open_here >= options.max_connections_per_address:
            state.count("too-many-connections-per-address", peer, f"{options.max_connections_per_address} are open")
            client.close()
            return
        client.setblocking(False)
        with contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = ServerConnection(state, host, peer)
        state.connections.add(connection)
        state.per_address[host] = open_here + 1
        connection.opening = state.loop.create_task(_open(state.loop, connection, client))
        connection.opening.add_done_callback(connection.opened)

    def _accept_again(self, listening: socket.socket) -> None:
        if self._state is not None and listening in self._sockets:
            self._state.loop.add_reader(listening.fileno(), self._accept, listening)

    def _sweep_later(self) -> None:
        state = self._state
        assert state is not None
        options = self._options
        limits = [
            options.first_byte_timeout_s,
            options.frame_timeout_s,
            options.idle_timeout_s,
            self._half_close_grace_s,
            self._heartbeat_s * 4,
        ]
        interval = min(1.0, max(0.02, min(limit for limit in limits if limit > 0) / 4))
        self._sweeper = state.loop.call_later(interval, self._sweep)

    def _sweep(self) -> None:
        state = self._state
        assert state is not None
        self._sweep_later()
        now = monotonic()
        for connection in tuple(state.connections):
            connection.check(now, self._heartbeat_s)

    def _stop_listening(self) -> None:
        if self._state is not None:
            for each in self._sockets:
                self._state.loop.remove_reader(each.fileno())
        for each in self._sockets:
            each.close()
        self._sockets = []

    async def drain(self, deadline: float) -> None:
        """Says goodbye on every connection, stops accepting, and waits for running calls until `deadline`."""
        state = self._state
        if state is None:
            return
        if not state.draining:
            state.draining = True
            for each in self._sockets:
                # Whoever is in the queue believes to be connected: a goodbye serves it better than a reset.
                self._accept(each)
            self._stop_listening()
            for connection in tuple(state.connections):
                connection.say_goodbye()
        if state.connections:
            await asyncio.sleep(min(_CROSSING_S, max(0.0, deadline - monotonic())))
        await _until_idle(state, deadline)

    async def aclose(self) -> None:
        """See `ServerAdapter.aclose`; may be called more than once."""
        self._closed = True
        self._stop_listening()
        state, self._state = self._state, None
        if self._sweeper is not None:
            self._sweeper.cancel()
        if state is None:
            return
        state.draining = state.closing = True
        state.max_calls = 0
        for connection in state.connections:
            connection.cancel_calls()
        await _until_idle(state, monotonic() + _CANCEL_S)
        await asyncio.gather(*(connection.aclose() for connection in tuple(state.connections)))
        state.wheel.close()


async def _open(loop: asyncio.AbstractEventLoop, connection: ServerConnection, client: socket.socket) -> None:
    try:
        await loop.connect_accepted_socket(lambda: connection, client)
    except BaseException:
        client.close()
        raise


async def _until_idle(state: ListenerState, deadline: float) -> None:
    """Waits until no call runs, or until `deadline` (monotonic)."""
    if state.calls:
        state.idle.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, deadline - monotonic())):
                await state.idle.wait()
