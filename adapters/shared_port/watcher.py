"""Waits for sockets that are waited for once each, and shortly.

A loop that watches a descriptor makes a handle for it and drops it again, which takes longer than everything else that
a port does with a connection. So the loop watches one descriptor, an epoll, and that one watches the sockets.
"""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

__all__ = ["Watcher"]

_AT_ONCE: Final = 64
"""Sockets that have their turn before others than these have theirs."""

_T = TypeVar("_T")


class Watcher(Generic[_T]):
    """Calls `ready(item)` while the socket of an item can be read, or is gone. Without epoll the loop waits itself."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ready: Callable[[_T], None]) -> None:
        self._loop = loop
        self._ready = ready
        self._items: dict[int, _T] = {}
        self._epoll: Any = select.epoll() if hasattr(select, "epoll") else None
        if self._epoll is not None:
            loop.add_reader(self._epoll.fileno(), self._poll)

    def watch(self, sock: socket.socket, item: _T) -> None:
        """Waits for a socket, until it is forgotten."""
        number = sock.fileno()
        if self._epoll is None:
            self._loop.add_reader(number, self._ready, item)
        else:
            self._epoll.register(number, select.EPOLLIN)
            self._items[number] = item

    def forget(self, sock: socket.socket) -> None:
        """Waits for it no more. Before it is closed, or handed to anybody."""
        number = sock.fileno()
        if self._epoll is None:
            self._loop.remove_reader(number)
        else:
            del self._items[number]
            self._epoll.unregister(number)

    def close(self) -> None:
        """Waits for nothing any more; everything was forgotten before. May be called more than once."""
        epoll, self._epoll = self._epoll, None
        if epoll is not None:
            self._loop.remove_reader(epoll.fileno())
            epoll.close()

    def _poll(self) -> None:
        for number, _ in self._epoll.poll(0, _AT_ONCE):
            item = self._items.get(number)
            # One of those before it may have ended this one.
            if item is not None:
                self._ready(item)
