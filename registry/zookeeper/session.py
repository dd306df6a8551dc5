"""A session with ZooKeeper for asyncio: kazoo's threads behind a few coroutines. Nothing else here knows kazoo.

What an answer of a server becomes is in one place (`_answer`); a node that is not there, or already is, is no error.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, NamedTuple

from kazoo.client import KazooClient
from kazoo.exceptions import (
    BadVersionError,
    KazooException,
    NoAuthError,
    NodeExistsError,
    NoNodeError,
    RolledBackError,
    RuntimeInconsistency,
)
from kazoo.handlers.threading import SequentialThreadingHandler
from kazoo.protocol.states import KazooState, KeeperState
from kazoo.retry import KazooRetry
from kazoo.security import CREATOR_ALL_ACL

from gateway.model.endpoint import format_address
from gateway.model.errors import RegistryError
from gateway.telemetry.logs import shorten
from registry.zookeeper.layout import Ensemble, parent_of

__all__ = ["NodeState", "Removal", "Session"]

_LOG: Final = logging.getLogger("polyport.registry.zookeeper")
_AT_ONCE: Final = 64
_SUPERVISE_S: Final = 3.0
_LONGEST_PAUSE_S: Final = 0.5
"""Between two attempts to connect: nobody's session may expire after the servers are back."""
_CLOSE_S: Final = 0.5
_CLOSE_ATTEMPTS: Final = 10
_OUT_OF_STEP: Final = (NoNodeError, NodeExistsError, BadVersionError, RolledBackError, RuntimeInconsistency)
"""What parts of a change say that was not made because things are not as it assumed."""
_DEAD: Final = frozenset({KeeperState.CLOSED, KeeperState.AUTH_FAILED})


class NodeState(NamedTuple):
    """`owner`: the session that an ephemeral node belongs to, 0 of others. `modified`: seconds since 1970, by the clock
    of the server."""

    owner: int
    version: int
    modified: float


class Removal(NamedTuple):
    """A node to be deleted; `version` -1 is any."""

    path: str
    version: int = -1


class Session:
    """Belongs to one event loop. Life: construct, `start`, `aclose`; it reconnects by itself all the time between.

    `session_s`: how long the server keeps what is ephemeral after it has lost us. `timeout_s`: for a connection, and
    for an answer. `credential`: `user:password`; nodes made with one are for its holders alone. `on_connected`: what
    was set to watch is watched no more, and what is ephemeral may be gone. `on_lost`: nothing can be asked until then.

    All methods that ask the server raise RegistryError when it does not answer, or refuses.

    Attributes:
        is_connected: Whether it can be asked now.
        connections: How many there have been.
        session_id: Of the server; 0 before the first connection.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        *,
        session_s: float,
        timeout_s: float,
        credential: str = "",
        on_connected: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> None:
        self.is_connected = False
        self.connections = 0
        self.session_id = 0
        self._ensemble = ensemble
        self._session_s = session_s
        self._timeout_s = timeout_s
        self._credential = credential
        # As Dubbo does. Not readable for the world: what providers announce includes their tokens.
        self._acl = CREATOR_ALL_ACL if credential else None
        self._on_connected = on_connected
        self._on_lost = on_lost
        self._expiry: asyncio.TimerHandle | None = None
        self._reading = asyncio.Semaphore(_AT_ONCE)
        self._watchers: dict[str, set[Callable[[], None]]] = {}
        self._post: deque[Callable[[], None]] = deque()
        self._is_posted = False
        self._supervisor: asyncio.Task[None] | None = None
        # kazoo logs requests, and thereby the credential, at lower levels; what happens to connections is told below.
        self._kazoo_log = logging.getLogger("polyport.registry.zookeeper.kazoo")
        self._kazoo_log.setLevel(logging.CRITICAL)

    async def start(self) -> None:
        """Begins connecting and returns at once."""
        self._loop = asyncio.get_running_loop()
        self._open()
        self._expiry = self._loop.call_later(self._timeout_s, self._expire)
        self._supervisor = asyncio.create_task(self._supervise(), name=f"session with ZooKeeper {self._ensemble}")

    async def aclose(self) -> None:
        """Ends the session, and thereby all that is ephemeral in it. Takes a few seconds at most."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        supervisor.cancel()
        await asyncio.wait([supervisor])
        if self._expiry is not None:
            self._expiry.cancel()
        self.is_connected = False
        await self._discard(self._client)

    # What can be asked.

    async def children(self, path: str, *, watch: bool = False) -> list[str] | None:
        """Names of the nodes below `path`, None when it is not there. `watch`: tells `subscribe`rs of the next change,
        also when the node is made or deleted."""
        watcher = self._on_event if watch else None
        async with self._reading:
            for _ in range(3):
                try:
                    return list(await self._answer(path, lambda: self._client.get_children_async(path, watch=watcher)))
                except _Missing:
                    if not watch or await self.stat(path, watch=True) is None:
                        return None
        raise RegistryError(f"it comes and goes: {path}")

    async def stat(self, path: str, *, watch: bool = False) -> NodeState | None:
        """What is known of a node, None when it is not there. `watch`: as above, for this node alone."""
        watcher = self._on_event if watch else None
        found = await self._answer(path, lambda: self._client.exists_async(path, watch=watcher))
        return None if found is None else NodeState(found.ephemeralOwner, found.version, found.mtime / 1000)

    async def create(self, path: str, *, ephemeral: bool) -> bool:
        """Makes a node, and those above it that are missing. False when it is there already."""
        for _ in range(3):
            try:
                await self._answer(
                    path, lambda: self._client.create_async(path, b"", acl=self._acl, ephemeral=ephemeral)
                )
            except _Present:
                return False
            except _Missing:
                above = parent_of(path)
                # A service that is new here, in one go; step by step where more is missing, or less.
                if await self._change([], [parent_of(above), above], path, ephemeral):
                    return True
                await self.create(above, ephemeral=False)
            else:
                return True
        raise RegistryError(f"what is above it comes and goes: {path}")

    async def delete(self, path: str) -> None:
        """Deletes a node; nothing when it is not there."""
        try:
            await self._answer(path, lambda: self._client.delete_async(path))
        except _Missing:
            return

    async def replace(self, removals: Sequence[Removal], path: str, *, ephemeral: bool) -> bool:
        """Deletes nodes and makes one, so that nobody sees a state between. False, and nothing done, where one of them
        is not there, was changed, or the new one is there already."""
        return await self._change(removals, [], path, ephemeral)

    async def _change(self, removals: Sequence[Removal], folders: Sequence[str], path: str, ephemeral: bool) -> bool:
        change = self._client.transaction()
        for each in removals:
            change.delete(each.path, each.version)
        for folder in folders:
            change.create(folder, b"", acl=self._acl)
        change.create(path, b"", acl=self._acl, ephemeral=ephemeral)
        results = await self._answer(path, change.commit_async)
        failed = [result for result in results if isinstance(result, Exception)]
        for error in failed:
            if not isinstance(error, _OUT_OF_STEP):
                raise _error(path, error)
        return not failed

    def subscribe(self, path: str, watcher: Callable[[], None]) -> None:
        """Calls `watcher` in the loop when something that is watched happens to `path`, until `unsubscribe`."""
        self._watchers.setdefault(path, set()).add(watcher)

    def unsubscribe(self, path: str, watcher: Callable[[], None]) -> None:
        """Ends `subscribe`."""
        watchers = self._watchers.get(path, set())
        watchers.discard(watcher)
        if not watchers:
            self._watchers.pop(path, None)

    async def _answer(self, path: str, ask: Callable[[], Any]) -> Any:
        if not self.is_connected:
            raise RegistryError("ZooKeeper is not connected")
        future: asyncio.Future[Any] = self._loop.create_future()
        try:
            async with asyncio.timeout(self._timeout_s):
                ask().rawlink(lambda answer: self._tell(partial(_settle, future, answer)))
                return await future
        except TimeoutError:
            raise RegistryError(f"ZooKeeper did not answer within {self._timeout_s:g} s: {path}") from None
        except NoNodeError:
            raise _Missing(path) from None
        except NodeExistsError:
            raise _Present(path) from None
        except KazooException as exc:
            raise _error(path, exc) from exc

    # The client and its threads.

    def _open(self) -> None:
        handler = _Handler(self._timeout_s, lambda: self._tell(self._await_session))
        self._client = client = KazooClient(
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
        client, made = self._client, self.connections
        connection = client.handler.connection

        def look() -> None:
            if self._client is client and client.handler.connection is connection and self.connections == made:
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
            if self._client.client_state in _DEAD:
                _LOG.warning("registry zookeeper %s: the client gave up; opening another", self._ensemble)
                await self._discard(self._client)
                self._open()

    def _on_state(self, client: Any, state: str) -> None:
        # In a thread of kazoo, at the moment of the change.
        session = client.client_id if state == KazooState.CONNECTED else None
        if session is None:
            # Servers turn away whoever has seen more than they have. One that lost its data would do so for ever, and
            # everything is read anew anyhow.
            client.last_zxid = 0
        self._tell(partial(self._changed, client, session[0] if session else 0))

    def _on_event(self, event: Any) -> None:
        # In a thread of kazoo. Events without a path say that the connection is gone, once for every watch.
        if event.path is not None:
            self._tell(partial(self._notify, event.path))

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
        for _ in range(len(self._post)):
            self._post.popleft()()

    def _notify(self, path: str) -> None:
        for each in tuple(self._watchers.get(path, ())):
            each()

    def _changed(self, client: Any, session_id: int) -> None:
        if client is not self._client or self._supervisor is None:
            return
        if session_id:
            if self._expiry is not None:
                self._expiry.cancel()
                self._expiry = None
            if self.connections:
                fate = "kept" if session_id == self.session_id else "lost and replaced"
                _LOG.info("registry zookeeper %s: connected again; the session was %s", self._ensemble, fate)
            self.session_id = session_id
            self.connections += 1
            self.is_connected = True
            self._on_connected()
        elif self.is_connected:
            self.is_connected = False
            _LOG.warning("registry zookeeper %s: the connection is lost", self._ensemble)
            # The server tells that a session has expired only to those who reconnect, so it is reckoned here.
            self._expiry = self._loop.call_later(self._session_s, self._expire)
            self._on_lost()

    def _expire(self) -> None:
        self._expiry = None
        if not self.connections:
            _LOG.error("registry zookeeper %s: cannot be reached; going on without, and trying", self._ensemble)
            return
        _LOG.error(
            "registry zookeeper %s: no connection for %g s, so the session is gone: nobody sees what is announced here "
            "until the registry is back",
            self._ensemble,
            self._session_s,
        )


class _Missing(Exception):
    """The node, or the one it is to be made below, is not there."""


class _Present(Exception):
    """The node is there already."""


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


def _settle(future: asyncio.Future[Any], answer: Any) -> None:
    # kazoo may answer twice: where it cannot be written to, and again when the connection is closed.
    if future.done():
        return
    if answer.exception is not None:
        future.set_exception(answer.exception)
    else:
        future.set_result(answer.value)


def _error(path: str, error: Exception) -> RegistryError:
    if isinstance(error, NoAuthError):
        return RegistryError(f"ZooKeeper does not permit this: {path}")
    return RegistryError(f"ZooKeeper says {type(error).__name__}{f' ({error})' if str(error) else ''}: {path}")
