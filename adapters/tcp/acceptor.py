"""Accepts connections within a listener's limits and looks after all of them with one sweep.

An idle connection has no timer of its own: `check` is called for each of them several times within the shortest limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable
from time import monotonic
from typing import Any, Final, Generic, Protocol, TypeVar

from adapters.refusals import Refusals
from adapters.tcp.listening_socket import listen
from gateway.model.endpoint import format_address
from gateway.spi.adapter import ListenerOptions

__all__ = ["Accepted", "Acceptor"]

_ACCEPT_PAUSE_S: Final = 0.5
"""How long accepting rests when the process has run out of descriptors."""
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_ACCEPT_BATCH: Final = 64
"""Connections accepted at a time: thousands at once must not keep the loop from those it has."""


class Accepted(Protocol):
    """One accepted connection: an `asyncio.Protocol` that tells `Acceptor.forget` when it is lost."""

    opening: asyncio.Task[Any] | None
    """Makes the transport; None as soon as there is one."""

    def check(self, now: float) -> None:
        """One turn of the sweep, at `now` (monotonic): closes what is too slow."""
        ...


_C = TypeVar("_C", bound=Accepted)


class Acceptor(Generic[_C]):
    """The listening sockets of one listener and the connections that came through them.

    `make(host, peer)`: the protocol of a new connection; `peer` is `host:port`.
    `heartbeat_s`: a further limit that `check` keeps; 0 for none.
    """

    def __init__(
        self,
        options: ListenerOptions,
        refusals: Refusals,
        loop: asyncio.AbstractEventLoop,
        make: Callable[[str, str], _C],
        heartbeat_s: float = 0.0,
    ) -> None:
        self._options = options
        self._refusals = refusals
        self._loop = loop
        self._make = make
        limits = (options.first_byte_timeout_s, options.frame_timeout_s, options.idle_timeout_s, heartbeat_s)
        self._interval = min(1.0, max(0.02, min(limit for limit in limits if limit > 0) / 4))
        self._sockets: list[socket.socket] = []
        self._per_address: dict[str, int] = {}
        self._hosts: dict[_C, str] = {}
        self._sweeper: asyncio.TimerHandle | None = None

    @property
    def connections(self) -> tuple[_C, ...]:
        """Those that are open now."""
        return tuple(self._hosts)

    def __len__(self) -> int:
        return len(self._hosts)

    async def listen(self) -> int:
        """Listens on every address the host name stands for; gives the port. Nothing is accepted before `start`.

        Raises:
            OSError: an address cannot be bound.
        """
        self._sockets = await listen(self._loop, self._options.host, self._options.port)
        port: int = self._sockets[0].getsockname()[1]
        return port

    def start(self) -> None:
        """Begins to accept."""
        for each in self._sockets:
            self._loop.add_reader(each.fileno(), self._accept, each)
        self._sweep_later()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_ACCEPT_BATCH):
            try:
                client, address = listening.accept()
            except BlockingIOError:
                return
            except OSError as exc:
                if exc.errno in _EXHAUSTED:
                    text = f"accepting rests for {_ACCEPT_PAUSE_S} s: {exc}"
                    self._refusals.count("out-of-descriptors", "the system", text)
                    self._loop.remove_reader(listening.fileno())
                    self._loop.call_later(_ACCEPT_PAUSE_S, self._accept_again, listening)
                    return
                # The connection was gone, or forbidden, before it could be taken: accept(2), "Error handling".
                self._refusals.count("accept-failed", "the system", str(exc))
                continue
            self._take(client, address)

    def _take(self, client: socket.socket, address: Any) -> None:
        options = self._options
        host = address[0]
        peer = format_address(host, address[1])
        open_here = self._per_address.get(host, 0)
        if len(self._hosts) >= options.max_connections:
            self._refusals.count("too-many-connections", peer, f"{options.max_connections} connections are open")
            client.close()
            return
        if open_here >= options.max_connections_per_address:
            text = f"{options.max_connections_per_address} are open"
            self._refusals.count("too-many-connections-per-address", peer, text)
            client.close()
            return
        client.setblocking(False)
        with contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = self._make(host, peer)
        self._hosts[connection] = host
        self._per_address[host] = open_here + 1
        connection.opening = self._loop.create_task(_open(self._loop, connection, client))
        connection.opening.add_done_callback(lambda task: self._opened(connection, task))

    def _opened(self, connection: _C, task: asyncio.Task[Any]) -> None:
        connection.opening = None
        if task.cancelled() or task.exception() is not None:
            self.forget(connection)

    def _accept_again(self, listening: socket.socket) -> None:
        if listening in self._sockets:
            self._loop.add_reader(listening.fileno(), self._accept, listening)

    def forget(self, connection: _C) -> None:
        """The connection is gone. May be called more than once."""
        host = self._hosts.pop(connection, None)
        if host is None:
            return
        left = self._per_address[host] - 1
        if left:
            self._per_address[host] = left
        else:
            del self._per_address[host]

    def _sweep_later(self) -> None:
        self._sweeper = self._loop.call_later(self._interval, self._sweep)

    def _sweep(self) -> None:
        self._sweep_later()
        now = monotonic()
        for connection in self.connections:
            connection.check(now)

    def stop_listening(self) -> None:
        """Takes those that wait in the queue, who believe to be connected, and no more."""
        for each in self._sockets:
            self._accept(each)
        self.close()

    def close(self) -> None:
        """Closes the listening sockets; connections stay."""
        for each in self._sockets:
            self._loop.remove_reader(each.fileno())
            each.close()
        self._sockets = []

    def stop_sweeping(self) -> None:
        """Looks after nothing any more."""
        if self._sweeper is not None:
            self._sweeper.cancel()


async def _open(loop: asyncio.AbstractEventLoop, connection: Any, client: socket.socket) -> None:
    try:
        await loop.connect_accepted_socket(lambda: connection, client)
    except BaseException:
        client.close()
        raise
