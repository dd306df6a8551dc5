"""Accepts connections within a listener's limits and looks after all of them with one sweep.

An idle connection has no timer of its own: each is looked at several times within the shortest limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Final, Generic, Protocol, TypeVar

from adapters.refusals import Refusals
from adapters.tcp.listening_socket import listen
from gateway.model.endpoint import format_address
from gateway.spi.adapter import ListenerOptions

__all__ = ["Accepted", "Acceptor", "Connected"]

_ACCEPT_PAUSE_S: Final = 0.5
"""How long accepting rests when the process has run out of descriptors."""
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_ACCEPT_BATCH: Final = 64
_DRAINED_BATCHES: Final = 64
"""As much as a queue holds (`somaxconn` is 4096, listen(2)): a flood of connections must not hold up a stop."""
"""Connections accepted at a time: thousands at once must not keep the loop from those it has."""


class Accepted(Protocol):
    """One accepted connection: an `asyncio.Protocol` that calls `forget` when it is lost."""

    opening: asyncio.Task[Any] | None
    """Makes the transport; None as soon as there is one."""

    def opened(self, task: asyncio.Task[Any]) -> None:
        """The transport exists, or could not be made."""
        ...


_C = TypeVar("_C", bound=Accepted)
_Any = TypeVar("_Any")


class Connected(Generic[_Any]):
    """Who is connected to one listener, in all and by address."""

    __slots__ = ("connections", "per_address")

    def __init__(self) -> None:
        self.connections: Final[set[_Any]] = set()
        self.per_address: Final[dict[str, int]] = {}

    def add(self, connection: _Any, host: str) -> None:
        """One more."""
        self.connections.add(connection)
        self.per_address[host] = self.per_address.get(host, 0) + 1

    def forget(self, connection: _Any, host: str) -> None:
        """The connection is gone. May be called more than once."""
        if connection not in self.connections:
            return
        self.connections.discard(connection)
        left = self.per_address[host] - 1
        if left:
            self.per_address[host] = left
        else:
            del self.per_address[host]


class Acceptor(Generic[_C]):
    """The listening sockets of one listener, and the sweep over the connections that came through them.

    `make(host, peer)`: the protocol of a new connection; `peer` is `host:port`.
    `check(connection, now)`: one turn of the sweep, at `now` (monotonic): closes what is too slow.
    `limits`: further limits in seconds that `check` keeps, beside those of `options`; 0 is none.
    `begin(connection, client)`: what becomes of a new connection; by default it gets a transport.
    `settle(client, host, peer)`: is asked first about those that are accepted here; True where somebody has it by now.
    """

    def __init__(
        self,
        options: ListenerOptions,
        refusals: Refusals,
        loop: asyncio.AbstractEventLoop,
        connected: Connected[_C],
        make: Callable[[str, str], _C],
        check: Callable[[_C, float], None],
        limits: Sequence[float] = (),
        begin: Callable[[_C, socket.socket], None] | None = None,
        settle: Callable[[socket.socket, str, str], bool] | None = None,
    ) -> None:
        self._begin = begin or self._make_transport
        self._settle = settle
        self._options = options
        self._refusals = refusals
        self._loop = loop
        self._connected = connected
        self._make = make
        self._check = check
        limits = (options.first_byte_timeout_s, options.frame_timeout_s, options.idle_timeout_s, *limits)
        self._interval = min(1.0, max(0.02, min(limit for limit in limits if limit > 0) / 4))
        self._sockets: list[socket.socket] = []
        self._sweeper: asyncio.TimerHandle | None = None

    async def listen(self) -> int:
        """Listens on every address the host name stands for; gives the port. Nothing is accepted before `start`.

        Where the options say that nothing is to be bound, connections come through `adopt` alone.

        Raises:
            OSError: an address cannot be bound.
        """
        if not self._options.listens:
            return self._options.port
        self._sockets = await listen(self._loop, self._options.host, self._options.port)
        port: int = self._sockets[0].getsockname()[1]
        return port

    def start(self) -> None:
        """Begins to accept."""
        for each in self._sockets:
            self._loop.add_reader(each.fileno(), self._accept, each)
        self._sweep_later()

    def _accept(self, listening: socket.socket) -> bool:
        """Takes some of those that wait. Gives whether there may be more."""
        for _ in range(_ACCEPT_BATCH):
            try:
                client, address = listening.accept()
            except BlockingIOError:
                return False
            except OSError as exc:
                if exc.errno in _EXHAUSTED:
                    text = f"accepting rests for {_ACCEPT_PAUSE_S} s: {exc}"
                    self._refusals.count("out-of-descriptors", "the system", text)
                    self._loop.remove_reader(listening.fileno())
                    self._loop.call_later(_ACCEPT_PAUSE_S, self._accept_again, listening)
                    return False
                # The connection was gone, or forbidden, before it could be taken: accept(2), "Error handling".
                self._refusals.count("accept-failed", "the system", str(exc))
                continue
            self._take(client, address)
        return True

    def _take(self, client: socket.socket, address: Any) -> None:
        host = address[0]
        peer = format_address(host, address[1])
        if self._settle is None or not self._settle(client, host, peer):
            self.adopt(client, host, peer)

    def adopt(self, client: socket.socket, host: str, peer: str) -> None:
        """Takes a connection, here or elsewhere accepted, unless the limits leave no room for it."""
        options = self._options
        connected = self._connected
        open_here = connected.per_address.get(host, 0)
        if len(connected.connections) >= options.max_connections:
            self._refusals.count("too-many-connections", peer, f"{options.max_connections} connections are open")
            client.close()
            return
        if open_here >= options.max_connections_per_address:
            text = f"{options.max_connections_per_address} are open"
            self._refusals.count("too-many-connections-per-address", peer, text)
            client.close()
            return
        connection = self._make(host, peer)
        connected.add(connection, host)
        self._begin(connection, client)

    def _make_transport(self, connection: _C, client: socket.socket) -> None:
        client.setblocking(False)
        with contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.opening = self._loop.create_task(_open(self._loop, connection, client))
        connection.opening.add_done_callback(connection.opened)

    def _accept_again(self, listening: socket.socket) -> None:
        if listening in self._sockets:
            self._loop.add_reader(listening.fileno(), self._accept, listening)

    def _sweep_later(self) -> None:
        self._sweeper = self._loop.call_later(self._interval, self._sweep)

    def _sweep(self) -> None:
        self._sweep_later()
        now = monotonic()
        for connection in tuple(self._connected.connections):
            self._check(connection, now)

    def drain(self) -> None:
        """Takes those that wait in the queue, and no more."""
        for each in self._sockets:
            # Whoever is in the queue believes to be connected: a goodbye serves it better than a reset.
            for _ in range(_DRAINED_BATCHES):
                if not self._accept(each):
                    break
        self._stop_listening()

    def close(self) -> None:
        """Listens and looks after connections no more; those that are open stay."""
        self._stop_listening()
        if self._sweeper is not None:
            self._sweeper.cancel()

    def _stop_listening(self) -> None:
        for each in self._sockets:
            self._loop.remove_reader(each.fileno())
            each.close()
        self._sockets = []


async def _open(loop: asyncio.AbstractEventLoop, connection: Any, client: socket.socket) -> None:
    try:
        await loop.connect_accepted_socket(lambda: connection, client)
    except BaseException:
        client.close()
        raise
