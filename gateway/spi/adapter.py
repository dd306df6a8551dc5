"""Interfaces of a protocol adapter: a listener for calls coming in, a client for calls going out."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from gateway.model.call import Invocation
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.exposure import Exposure
from gateway.spi.cluster import Invoker
from gateway.spi.handler import Handler

__all__ = ["Adopts", "ClientAdapter", "ListenerOptions", "Reference", "ServerAdapter"]


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """Where and how a listener listens, and its limits. Durations in seconds, sizes in bytes.

    `port`: 0 lets the system choose. `application`: this gateway's name as peers see it.
    `max_connections`: over all addresses; `max_connections_per_address`: from one address.
    `max_calls_per_connection`: calls in progress on one connection; `max_calls`: on the listener.
    `max_frame_bytes`: of one message, checked before anything is allocated.
    `max_write_buffer_bytes`: unsent bytes to one peer before reading from it stops; at eight times that it is dropped.
    `first_byte_timeout_s`: from connect until something is received; `frame_timeout_s`: from the first to the
    last byte of one message; `idle_timeout_s`: without a byte received, and without a call in progress.
    `options`: what only this protocol knows, already checked by it.
    `listens`: False where it binds nothing, because all its connections are handed to it (`Adopts`). `host` and `port`
    are then where callers connect, and belong into its endpoints as always.
    """

    name: str
    protocol: str
    host: str
    port: int
    application: str = "polyport"
    max_connections: int = 10_000
    max_connections_per_address: int = 5_000
    max_calls_per_connection: int = 1_000
    max_calls: int = 10_000
    max_frame_bytes: int = 8_388_608
    max_write_buffer_bytes: int = 1_048_576
    first_byte_timeout_s: float = 60.0
    frame_timeout_s: float = 30.0
    idle_timeout_s: float = 180.0
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    listens: bool = True


@dataclass(frozen=True, slots=True)
class Reference:
    """How one consumer uses one service: contract, timeouts, and what the wire must carry along.

    `timeout_s`: per attempt; `method_timeouts_s`: by method name, where it differs.
    `token`: secret the provider asks for, or empty. `application`: this gateway's name.
    `connections`: connections per provider; 0 shares one with every other reference to the same address.
    `parameters`: what only this protocol knows, already checked by it.
    """

    service: ServiceKey
    contract: ServiceContract | None
    timeout_s: float = 1.0
    method_timeouts_s: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    token: str = ""
    application: str = "polyport"
    connections: int = 0
    parameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def time_of(self, invocation: Invocation, now: float) -> tuple[float, float]:
        """Until when an attempt may last that begins `now` (both monotonic), and how long that is, for messages."""
        limit = self.method_timeouts_s.get(invocation.method, self.timeout_s)
        deadline = invocation.deadline
        if deadline is not None and deadline < now + limit:
            return deadline, deadline - now
        return now + limit, limit


class ServerAdapter(Protocol):
    """One listener. Life: construct, `start`, `drain`, `aclose`; `aclose` works at any point."""

    async def start(self, handler: Handler, exposures: Sequence[Exposure]) -> Sequence[Endpoint]:
        """Listens, and gives the endpoints really bound, one per exposure (none at all where it takes no port).

        Raises:
            OSError: the address cannot be bound.
            ContractError: an exposure cannot be shown on this protocol; names the type and why.
        """
        ...

    async def drain(self, deadline: float) -> None:
        """Tells peers to go elsewhere, then waits until all calls are answered or `deadline` (monotonic) is reached."""
        ...

    async def aclose(self) -> None:
        """Stops listening, cancels what still runs and closes all connections."""
        ...


@runtime_checkable
class Adopts(Protocol):
    """What a `ServerAdapter` can do besides that takes connections which somebody else accepted."""

    def adopt(self, sock: socket.socket, host: str, peer: str) -> None:
        """Takes over a connection as if it had accepted it itself, with the same limits. On the loop's thread.

        The socket is the adapter's from now on, to close as well: at once where a limit leaves no room, or where the
        listener was not started or is closed. A listener that drains still takes it, and says goodbye.

        Args:
            sock: Connected, as `accept` gave it. Nothing was read from it: what its peer sent already is there to be
                read, so there may be no further event before it is.
            host: The peer's address, by which connections are counted.
            peer: The peer as `host:port`.
        """
        ...


class ClientAdapter(Protocol):
    """Calls providers over one protocol; owns and shares the connections."""

    def open(self, endpoint: Endpoint, reference: Reference) -> Invoker:
        """An invoker for one provider; does not connect yet.

        Raises:
            ContractError: the contract cannot be carried by this protocol; names the type and why.
        """
        ...

    async def aclose(self) -> None:
        """Closes all connections; calls in progress fail with `ConnectionLost`."""
        ...
