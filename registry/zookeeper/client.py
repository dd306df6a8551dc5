"""kazoo's client and its threads, for one event loop. It reconnects by itself, and is replaced where it gives up."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from kazoo.client import KazooClient
from kazoo.handlers.threading import SequentialThreadingHandler
from kazoo.protocol.states import KazooState, KeeperState
from kazoo.retry import KazooRetry

from gateway.model.endpoint import format_address
from gateway.telemetry.logs import shorten
from registry.zookeeper.layout import Ensemble

__all__ = ["Client"]

_LOG: Final = logging.getLogger("polyport.registry.zookeeper")
_SUPERVISE_S: Final = 3.0
_LONGEST_PAUSE_S: Final = 0.5
"""Between two attempts to connect: nobody's session may expire after the servers are back."""
_AT_A_TIME: Final = 8
"""Of what is told from threads, before others have their turn: an answer may be a list that takes a millisecond."""
_CLOSE_S: Final = 0.5
_CLOSE_ATTEMPTS: Final = 10
_DEAD: Final = frozenset({KeeperState.CLOSED, KeeperState.AUTH_FAILED})


class Client:
    """Belongs to one event loop. Life: construct, `start`, `aclose`. Parameters as for `Session`.

    `on_changed`: there is a connection now, in the session of this number; none where it is 0. `on_event`: something
    happened to the node of this path. Both are called in the loop, in the order of what happened.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        *,
        session_s: float,
        timeout_s: float,
        credential: str,
        on_changed: Callable[[int], None],
        on_event: Callable[[str], None],
    ) -> None:
        self._ensemble = ensemble
        self._session_s = session_s
        self._timeout_s = timeout_s
        self._credential = credential
        self._on_changed = on_changed
        self._on_event = on_event
        self._connections = 0
        self._post: deque[Callable[[], None]] = deque()
        self._is_posted = False
        self._supervisor: asyncio.Task[None] | None = None
        # kazoo logs requests, and thereby the credential, at lower levels; what happens to connections is told by us.
        self._kazoo_log = logging.getLogger("polyport.registry.zookeeper.kazoo")
        self._kazoo_log.setLevel(logging.CRITICAL)

    def start(self) -> None:
        """Begins connecting and returns at once."""
        self._loop = asyncio.get_running_loop()
        self._open()
        self._supervisor = asyncio.create_task(self._supervise(), name=f"session with ZooKeeper {self._ensemble}")

    async def aclose(self) -> None:
        """Ends the session. Takes a few seconds at most."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        supervisor.cancel()
        await asyncio.wait([supervisor])
        await self._discard(self._kazoo)

    async def ask(self, question: Callable[[Any], Any]) -> tuple[Any, Exception | None]:
        """What kazoo answers to `question`, which is given a client: a value, or an exception that is not raised here.

        Raises TimeoutError where there is no answer, and KazooException where it cannot be asked.
        """
        future: asyncio.Future[tuple[Any, Exception | None]] = self._loop.create_future()
        async with asyncio.timeout(self._timeout_s):
            question(self._kazoo).rawlink(lambda answer: self._tell(partial(_settle, future, answer)))
            return await future

    def watcher(self, event: Any) -> None:
        """To be given to what kazoo watches with."""
        # In a thread of kazoo. Events without a path say that the connection is gone, once for every watch.
        if event.path is not None:
            self._tell(partial(self._on_event, event.path))

    def _open(self) -> None:
        handler = _Handler(self._timeout_s, lambda: self._tell(self._await_session))
        self._kazoo = client = KazooClient(
            ",".join(format_address(*each) for each in self._ensemble.servers),
            timeout=self._session_s,
            handler=handler,
            auth_data=[("digest", self._credential)] if self._credential else None,
            connection_retry=KazooRetry(
                max_tries=-1, delay=0.1, backoff=2, max_delay=_LONGEST_PAUSE_S, sleep_func=handler.sleep_func
            ),
            logger=self._kazoo_log,
        )
        client.add_listener(partial(self._on_state, client))
        # Unlike `start` it does not wait for the connection.
        client.start_async()

    def _await_session(self) -> None:
        """Breaks a connection that does not become a session in time: kazoo would wait half a minute and more."""
        client, made = self._kazoo, self._connections
        connection = client.handler.connection

        def look() -> None:
            if self._kazoo is client and client.handler.connection is connection and self._connections == made:
                client.handler.abort()

        self._loop.call_later(self._timeout_s, look)

    async def _discard(self, client: Any) -> bool:
        done = asyncio.Event()

        def stop() -> None:
            try:
                client.stop()
                client.close()
            except Exception as exc:  # It is not used any more, and its threads end with the process.
                self._kazoo_log.debug("a session with ZooKeeper did not end: %s", exc)
            self._tell(done.set)

        threading.Thread(target=stop, name="end of a ZooKeeper session", daemon=True).start()
        for _ in range(_CLOSE_ATTEMPTS):
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    return bool(await done.wait())
            # kazoo may lose the wish to close when it reconnects just then, or waits for a server that hangs.
            client.handler.abort()
        _LOG.warning("registry zookeeper %s: the session did not end in time", self._ensemble)
        return False

    async def _supervise(self) -> None:
        """Opens another client where kazoo's gave up: it does so for good when a server breaks the protocol."""
        while True:
            await asyncio.sleep(_SUPERVISE_S)
            if self._kazoo.client_state in _DEAD:
                _LOG.warning("registry zookeeper %s: the client gave up; opening another", self._ensemble)
                await self._discard(self._kazoo)
                self._open()

    def _on_state(self, client: Any, state: str) -> None:
        # In a thread of kazoo, at the moment of the change.
        session = client.client_id if state == KazooState.CONNECTED else None
        if session is None:
            # Servers turn away whoever has seen more than they have. One that lost its data would do so for ever, and
            # everything is read anew anyhow.
            client.last_zxid = 0
        self._tell(partial(self._changed, client, session[0] if session else 0))

    def _changed(self, client: Any, session_id: int) -> None:
        if client is not self._kazoo or self._supervisor is None:
            return
        self._connections += session_id != 0
        self._on_changed(session_id)

    def _tell(self, what: Callable[[], None]) -> None:
        """From any thread: to be done in the loop, in order. The loop is woken once for many."""
        self._post.append(what)
        if not self._is_posted:
            self._is_posted = True
            try:
                self._loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:
                # The loop is closed, and nobody waits any more.
                self._post.clear()

    def _deliver(self) -> None:
        # Cleared first: what comes while this runs is delivered by it, or by the next.
        self._is_posted = False
        for _ in range(min(len(self._post), _AT_A_TIME)):
            self._post.popleft()()
        if self._post and not self._is_posted:
            self._is_posted = True
            self._loop.call_soon(self._deliver)


class _Handler(SequentialThreadingHandler):  # type: ignore[misc]  # kazoo has no types
    """Threads and sockets for kazoo. A connection is given up after `timeout_s`; kazoo itself would wait as long as a
    session lasts. `on_made`: there is a connection, which is no session yet; called in a thread."""

    def __init__(self, timeout_s: float, on_made: Callable[[], None]) -> None:
        super().__init__()
        self.connection: socket.socket | None = None
        self._timeout_s = timeout_s
        self._on_made = on_made

    def create_connection(self, *args: Any, **kwargs: Any) -> Any:
        """A connected socket."""
        kwargs["timeout"] = min(kwargs.get("timeout") or self._timeout_s, self._timeout_s)
        self.connection = super().create_connection(*args, **kwargs)
        self._on_made()
        return self.connection

    def spawn(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A running thread that ends with a line in the log, whatever happens in it."""

        def guarded() -> None:
            try:
                func(*args, **kwargs)
            except Exception as exc:
                _LOG.warning("a server broke the protocol of ZooKeeper: %s", shorten(f"{type(exc).__name__}: {exc}"))

        return super().spawn(guarded)

    def abort(self) -> None:
        """Breaks the connection, from any thread."""
        if self.connection is not None:
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)


def _settle(future: asyncio.Future[tuple[Any, Exception | None]], answer: Any) -> None:
    # kazoo may answer twice: where it cannot be written to, and again when the connection is closed.
    if not future.done():
        # Not the answer itself, which holds whoever is told of it, and so the future.
        future.set_result((answer.value, answer.exception))
