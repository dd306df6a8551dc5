"""Calls providers over long-lived connections: shares one per address, or keeps private ones per reference."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from time import monotonic
from typing import Any, Final, TypeVar

from adapters.tcp.callback_calls import CallbackCalls
from adapters.tcp.callback_connection import CallbackConnection
from adapters.tcp.provider_connection import ConnectionOptions, ProviderConnection
from adapters.tcp.timers import TimerWheel
from gateway.model.call import Invocation, Result
from gateway.model.endpoint import Endpoint
from gateway.spi.adapter import Reference
from gateway.spi.cluster import Invoker, Load
from protocols.contract import ClientWire

__all__ = ["TcpClient"]

_SWEEP_S: Final = 1.0
_C = TypeVar("_C", bound=ProviderConnection)
_Key = tuple[str, int, ConnectionOptions, ClientWire]


class TcpClient:
    """A `gateway.spi.adapter.ClientAdapter` over any connection-oriented wire; belongs to one event loop.

    `wire_for` and `options_for` say which wire and which connection options a reference wants. References that want the
    same share the connections to an address.
    """

    def __init__(
        self,
        wire_for: Callable[[Reference], ClientWire],
        options_for: Callable[[Reference], ConnectionOptions] = lambda _: ConnectionOptions(),
    ) -> None:
        self._wire_for = wire_for
        self._options_for = options_for
        self._wheel: TimerWheel | None = None
        self._shared: dict[_Key, tuple[ProviderConnection, int]] = {}
        self._connections: set[ProviderConnection] = set()
        self._sweeper: asyncio.TimerHandle | None = None

    @property
    def connections(self) -> Sequence[ProviderConnection]:
        """The connections held now, for health pages and tests."""
        return tuple(self._connections)

    def open(self, endpoint: Endpoint, reference: Reference) -> Invoker:
        """See `ClientAdapter.open`. Must be called from the event loop."""
        wire, options = self._wire_for(reference), self._options_for(reference)
        binding = wire.bind(endpoint.service, reference.contract, reference.token, reference.application, endpoint.path)
        key = None
        calls = CallbackCalls(
            lambda origin: self._offering(endpoint, wire, options, origin), options.callback_connections
        )
        if reference.connections > 0:
            held = [self._connect(endpoint, wire, options) for _ in range(reference.connections)]
        else:
            key = (endpoint.host, endpoint.port, options, wire)
            connection, users = self._shared.get(key) or (self._connect(endpoint, wire, options), 0)
            self._shared[key] = (connection, users + 1)
            held = [connection]
        return _TcpInvoker(self, endpoint, reference, binding, held, key, calls)

    def _connect(self, endpoint: Endpoint, wire: ClientWire, options: ConnectionOptions) -> ProviderConnection:
        return self._add(ProviderConnection(wire, endpoint.host, endpoint.port, options, self._turning_wheel()))

    def _offering(
        self, endpoint: Endpoint, wire: ClientWire, options: ConnectionOptions, origin: object
    ) -> CallbackConnection:
        where = (endpoint.protocol, endpoint.host, endpoint.port)
        wheel, forget = self._turning_wheel(), self._connections.discard
        return self._add(CallbackConnection(wire, *where, options, wheel, origin, forget))

    def _turning_wheel(self) -> TimerWheel:
        if self._wheel is None:
            self._wheel = TimerWheel(asyncio.get_running_loop())
        return self._wheel

    def _add(self, connection: _C) -> _C:
        self._connections.add(connection)
        if self._sweeper is None:
            self._sweep(asyncio.get_running_loop())
        return connection

    async def release(self, invoker: _TcpInvoker) -> None:
        """Gives the invoker's connections back; the last user of a shared one closes it when all calls have ended."""
        await invoker.callback_calls.aclose()
        if invoker.key is not None:
            connection, users = self._shared.get(invoker.key, (None, 0))
            if connection is None:
                return
            if users > 1:
                self._shared[invoker.key] = (connection, users - 1)
                return
            del self._shared[invoker.key]
        try:
            for connection in invoker.connections:
                await connection.finish()
        finally:
            self._connections.difference_update(invoker.connections)
            await _close(invoker.connections)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._connections:
            self._sweeper = None
            return
        beats = [each.heartbeat_s / 4 for each in self._connections if each.heartbeat_s]
        self._sweeper = loop.call_later(min([_SWEEP_S, *beats]), self._sweep, loop)
        now = monotonic()
        for connection in tuple(self._connections):
            connection.check(now)

    async def aclose(self) -> None:
        """Closes every connection; may be called more than once."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        connections = tuple(self._connections)
        self._connections.clear()
        self._shared.clear()
        if self._wheel is not None:
            self._wheel.close()
            self._wheel = None
        await _close(connections)


class _TcpInvoker:
    """One provider over one or several connections, taken in turn."""

    __slots__ = (
        "_binding",
        "_client",
        "_closed",
        "_next",
        "callback_calls",
        "connections",
        "endpoint",
        "key",
        "load",
        "reference",
    )

    def __init__(
        self,
        client: TcpClient,
        endpoint: Endpoint,
        reference: Reference,
        binding: Any,
        connections: list[ProviderConnection],
        key: _Key | None,
        callback_calls: CallbackCalls,
    ) -> None:
        self._client = client
        self._binding = binding
        self._next = 0
        self._closed = False
        self.endpoint = endpoint
        self.reference = reference
        self.connections = connections
        self.callback_calls = callback_calls
        """Calls that offer something the provider can call."""
        self.key = key
        """Under which its connection is shared; None when its connections are private."""
        self.load = Load(endpoint.weight)

    @property
    def available(self) -> bool:
        """Whether any of the connections may be used."""
        return any(connection.available for connection in self.connections)

    def __call__(self, invocation: Invocation) -> Coroutine[Any, Any, Result]:
        """See `Invoker.__call__`."""
        expires, limit = self.reference.time_of(invocation, monotonic())
        signature = invocation.signature
        if signature is not None and signature.callbacks:
            return self.callback_calls.call(self._binding, invocation, signature, expires, limit)
        connections = self.connections
        connection = connections[0]
        if len(connections) > 1:
            for _ in connections:
                self._next = (self._next + 1) % len(connections)
                connection = connections[self._next]
                if connection.available:
                    break
        return connection.call(self._binding, invocation, expires, limit)

    async def aclose(self) -> None:
        """See `Invoker.aclose`."""
        if not self._closed:
            self._closed = True
            await self._client.release(self)


async def _close(connections: Sequence[ProviderConnection]) -> None:
    for each in connections:
        # All of them before anything is waited for: a task that is cancelled before it began would close nothing, and
        # a connection that is not closed is made anew for ever.
        each.close()
    await asyncio.gather(*(each.aclose() for each in connections))
