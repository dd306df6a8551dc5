"""The accept thread: takes connections within a listener's limits, and waits for those that nobody else waits for."""

from __future__ import annotations

import contextlib
import errno
import logging
import select
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from adapters.blocking.connection import Connection, Stage
from gateway.model.endpoint import format_address

if TYPE_CHECKING:
    from adapters.blocking.server import ListenerState

__all__ = ["Gate"]

_LOG: Final = logging.getLogger("polyport.listener")
_BATCH: Final = 64
"""Connections accepted in one go, so that others get their turn."""
_REST_S: Final = 0.5
"""How long accepting rests when the process has run out of descriptors."""
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_IN: Final = select.POLLIN
_OUT: Final = select.POLLOUT
_GONE: Final = select.POLLERR | select.POLLHUP
_NOBODY: Final = (None, None)
_FAILED_S: Final = 0.05
_INHERITS: Final = sys.platform != "linux"
"""Whether an accepted socket is as its listener is and does not block: accept(2), "On Linux"; elsewhere it may."""
_TURN_S: Final = 0.005
"""The longest that the loop may take to answer what was accepted, before more is."""
_MASKS: Final = {Stage.READING: _IN, Stage.LINGERING: _IN, Stage.WRITING: _OUT, Stage.CALLING: 0}
"""What wakes a connection; a reset always does."""


class _Poller:
    """`epoll`, or `poll` where there is none; waits once for each thing it is told of, unless told otherwise."""

    def __init__(self) -> None:
        self._epoll: Any = select.epoll() if hasattr(select, "epoll") else None
        self._poll: Any = self._epoll or select.poll()
        self._lasting: set[int] = set()

    def wait_for(self, number: int, mask: int, *, once: bool = True) -> None:
        """A descriptor that is waited for, again or anew."""
        if not once:
            self._lasting.add(number)
        elif self._epoll is not None:
            mask |= select.EPOLLONESHOT
        # One that was closed is forgotten by epoll without a word, and its number may belong to another one.
        try:
            self._poll.modify(number, mask)
        except FileNotFoundError:
            self._poll.register(number, mask)

    def forget(self, number: int) -> None:
        self._lasting.discard(number)
        with contextlib.suppress(OSError, KeyError, ValueError):
            self._poll.unregister(number)

    def ready(self, timeout_s: float) -> Sequence[tuple[int, int]]:
        """Descriptors and what they are ready for."""
        found: list[tuple[int, int]] = self._poll.poll(timeout_s if self._epoll is not None else timeout_s * 1000)
        if self._epoll is None:
            for number, _ in found:
                if number not in self._lasting:
                    self.forget(number)
        return found

    def close(self) -> None:
        if self._epoll is not None:
            self._epoll.close()


class Gate:
    """Accepts on a thread of its own; see the module. `listening`: sockets that do not block."""

    def __init__(self, state: ListenerState, listening: Sequence[socket.socket], interval_s: float) -> None:
        self._state = state
        self._listening = {each.fileno(): each for each in listening}
        self._interval_s = interval_s
        self._poller = _Poller()
        self._waiting: dict[int, tuple[Connection, Stage]] = {}
        """By descriptor, with the stage that it is waited for in: in another one it is somebody else's by now. One that
        was closed meanwhile goes with the next sweep."""
        self._asked: deque[tuple[Connection, Stage]] = deque()
        self._rested_until = 0.0
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._woken.setblocking(False)
        self._stopped = False
        self._taken = 0
        """Connections accepted in this turn."""
        self._draining = False
        self._thread = threading.Thread(target=self._run, name=f"rmi-gate-{state.options.name}", daemon=True)

    def start(self) -> None:
        """Begins to accept."""
        self._thread.start()

    def watch(self, connection: Connection, stage: Stage, *, soon: bool) -> None:
        """Waits for the connection in the stage it is in. From any thread. `soon`: not only with the next sweep."""
        self._asked.append((connection, stage))
        if soon and threading.current_thread() is not self._thread:
            self.wake()

    def wake(self) -> None:
        """Lets the thread look around."""
        with contextlib.suppress(OSError):
            self._wake.send(b"\0")

    def drain(self) -> None:
        """Takes those that wait in the queue, and no more."""
        self._draining = True
        self.wake()

    def stop(self) -> None:
        """Ends the thread, and waits for it. Blocks."""
        self._stopped = True
        self.wake()
        if self._thread.ident is not None:
            self._thread.join(1.0)
        self._stop_listening()
        self._poller.close()
        self._wake.close()
        self._woken.close()

    def _run(self) -> None:
        for number in self._listening:
            self._poller.wait_for(number, _IN, once=False)
        self._poller.wait_for(self._woken.fileno(), _IN, once=False)
        swept = monotonic()
        while not self._stopped:
            try:
                ready = self._poller.ready(self._interval_s)
                self._taken = 0
                with self._state.hand_over.held():
                    for number, mask in ready:
                        self._handle(number, mask)
                self._take_asked()
                if self._taken > 1:
                    # More will have come by then. Accepting them while the loop answers would make both wait for the
                    # interpreter at each system call.
                    self._state.hand_over.settle(_TURN_S)
                if self._draining and self._listening:
                    self._accept_rest()
                now = monotonic()
                if now - swept >= self._interval_s:
                    swept = now
                    self._sweep(now)
            except Exception:
                # A listener that accepts no more would be worse than any single failure.
                _LOG.exception("%s: the accept thread goes on after a failure", self._state.options.name)
                time.sleep(_FAILED_S)

    def _handle(self, number: int, mask: int) -> None:
        listening = self._listening.get(number)
        if listening is not None:
            self._accept(listening)
        elif number == self._woken.fileno():
            with contextlib.suppress(OSError):
                self._woken.recv(4096)
        else:
            connection, stage = self._waiting.pop(number, _NOBODY)
            if connection is not None and connection.stage is stage and connection.fileno() == number:
                connection.ready(bool(mask & _GONE))

    def _take_asked(self) -> None:
        while self._asked:
            connection, stage = self._asked.popleft()
            number = connection.fileno()
            if connection.stage is stage and number >= 0:
                self._waiting[number] = connection, stage
                try:
                    self._poller.wait_for(number, _MASKS[stage])
                except OSError:
                    # Closed by another thread just now.
                    self._waiting.pop(number, None)

    def _accept(self, listening: socket.socket) -> bool:
        """Takes some of those that wait. Gives whether there may be more."""
        for _ in range(_BATCH):
            try:
                client, address = listening.accept()
            except BlockingIOError:
                return False
            except OSError as exc:
                if exc.errno in _EXHAUSTED:
                    text = f"accepting rests for {_REST_S} s: {exc}"
                    self._state.count("out-of-descriptors", "the system", text)
                    self._rested_until = monotonic() + _REST_S
                    self._poller.forget(listening.fileno())
                    return False
                # The connection was gone, or forbidden, before it could be taken: accept(2), "Error handling".
                self._state.count("accept-failed", "the system", str(exc))
                continue
            self._take(client, address)
        return True

    def _take(self, client: socket.socket, address: Any) -> None:
        host = address[0]
        peer = format_address(host, address[1])
        if _INHERITS:
            client.setblocking(True)
        connection = self._state.admit(client, host, peer)
        if connection is None:
            client.close()
            return
        self._taken += 1
        connection.begin()

    def _accept_rest(self) -> None:
        for each in tuple(self._listening.values()):
            for _ in range(_BATCH):
                if not self._accept(each):
                    break
        self._stop_listening()

    def _stop_listening(self) -> None:
        for number, each in self._listening.items():
            self._poller.forget(number)
            each.close()
        self._listening = {}

    def _sweep(self, now: float) -> None:
        if self._rested_until and now >= self._rested_until:
            self._rested_until = 0.0
            for number in self._listening:
                self._poller.wait_for(number, _IN, once=False)
        for number, (connection, stage) in tuple(self._waiting.items()):
            if connection.stage is stage:
                connection.check(now)
            if connection.stage is not stage or connection.fileno() != number:
                del self._waiting[number]
