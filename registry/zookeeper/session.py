"""A session with ZooKeeper for asyncio: a few coroutines. Nothing but this and its client knows kazoo.

What an answer of a server becomes is in one place (`_answer`); a node that is not there, or already is, is no error.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from kazoo.exceptions import (
    BadVersionError,
    KazooException,
    NoAuthError,
    NodeExistsError,
    NoNodeError,
    RolledBackError,
    RuntimeInconsistency,
)
from kazoo.security import CREATOR_ALL_ACL

from gateway.model.errors import RegistryError
from registry.zookeeper.client import Client
from registry.zookeeper.layout import Ensemble, parent_of

__all__ = ["NodeState", "Removal", "Session"]

_LOG: Final = logging.getLogger("polyport.registry.zookeeper")
_AT_ONCE: Final = 64
_NOT_TRIED: Final = (RolledBackError, RuntimeInconsistency)
"""What the parts before and after the one that failed say."""
_OUT_OF_STEP: Final = (NoNodeError, NodeExistsError, BadVersionError, *_NOT_TRIED)
"""What parts of a change say that was not made because things are not as it assumed."""


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
        self._client = Client(
            ensemble,
            session_s=session_s,
            timeout_s=timeout_s,
            credential=credential,
            on_changed=self._changed,
            on_event=self._notify,
        )
        # As Dubbo does. Not readable for the world: what providers announce includes their tokens.
        self._acl = CREATOR_ALL_ACL if credential else None
        self._on_connected = on_connected
        self._on_lost = on_lost
        self._expiry: asyncio.TimerHandle | None = None
        self._reading = asyncio.Semaphore(_AT_ONCE)
        self._is_bare = False
        self._watchers: dict[str, set[Callable[[], None]]] = {}

    async def start(self) -> None:
        """Begins connecting and returns at once."""
        self._client.start()
        self._expiry = asyncio.get_running_loop().call_later(self._timeout_s, self._expire)

    async def aclose(self) -> None:
        """Ends the session, and thereby all that is ephemeral in it. Takes a few seconds at most."""
        self.is_connected = False
        if self._expiry is not None:
            self._expiry.cancel()
        await self._client.aclose()

    async def children(self, path: str, *, watch: bool = False) -> list[str] | None:
        """Names of the nodes below `path`, None when it is not there. `watch`: tells `subscribe`rs of the next change,
        also when the node is made or deleted."""
        watcher = self._client.watcher if watch else None
        async with self._reading:
            for _ in range(3):
                try:
                    return list(await self._answer(path, lambda client: client.get_children_async(path, watch=watcher)))
                except _Missing:
                    if not watch or await self.stat(path, watch=True) is None:
                        return None
        raise RegistryError(f"it comes and goes: {path}")

    async def data(self, path: str, *, watch: bool = False, awaited: bool = True) -> bytes | None:
        """What a node holds, None when it is not there. `watch`: tells `subscribe`rs when it is changed or deleted, and
        where it is `awaited`, when it is made."""
        watcher = self._client.watcher if watch else None
        async with self._reading:
            for _ in range(3):
                try:
                    held, _ = await self._answer(path, lambda client: client.get_async(path, watch=watcher))
                except _Missing:
                    if not (watch and awaited) or await self.stat(path, watch=True) is None:
                        return None
                else:
                    return bytes(held or b"")
        raise RegistryError(f"it comes and goes: {path}")

    async def stat(self, path: str, *, watch: bool = False) -> NodeState | None:
        """What is known of a node, None when it is not there. `watch`: as above, for this node alone."""
        watcher = self._client.watcher if watch else None
        found = await self._answer(path, lambda client: client.exists_async(path, watch=watcher))
        return None if found is None else NodeState(found.ephemeralOwner, found.version, found.mtime / 1000)

    async def create(self, path: str, *, ephemeral: bool) -> bool:
        """Makes a node, and those above it that are missing. False when it is there already."""
        above = parent_of(path)
        folders = [parent_of(above), above]
        for _ in range(3):
            # As it was the last time: where one service is new, as in a registry that came back empty, others are too.
            for missing in (folders, []) if self._is_bare else ([], folders):
                # Not with kazoo's own `create`, which leaves some fifty objects behind for the garbage collector.
                refusal = await self._change([], missing, path, ephemeral)
                if refusal is None:
                    self._is_bare = bool(missing)
                    return True
                if not missing and isinstance(refusal, NodeExistsError):
                    return False
            # Step by step where more is missing, or less.
            await self.create(above, ephemeral=False)
        raise RegistryError(f"what is above it comes and goes: {path}")

    async def delete(self, path: str) -> None:
        """Deletes a node; nothing when it is not there."""
        try:
            await self._answer(path, lambda client: client.delete_async(path))
        except _Missing:
            return

    async def replace(self, removals: Sequence[Removal], path: str, *, ephemeral: bool) -> bool:
        """Deletes nodes and makes one, so that nobody sees a state between. False, and nothing done, where one of them
        is not there, was changed, or the new one is there already."""
        return await self._change(removals, [], path, ephemeral) is None

    async def _change(
        self, removals: Sequence[Removal], folders: Sequence[str], path: str, ephemeral: bool
    ) -> Exception | None:
        """All of it, or nothing: then gives why."""

        def ask(client: Any) -> Any:
            change = client.transaction()
            for each in removals:
                change.delete(each.path, each.version)
            for folder in folders:
                change.create(folder, b"", acl=self._acl)
            change.create(path, b"", acl=self._acl, ephemeral=ephemeral)
            return change.commit_async()

        results = await self._answer(path, ask)
        refusals = [result for result in results if isinstance(result, Exception)]
        for each in refusals:
            if not isinstance(each, _OUT_OF_STEP):
                raise _error(path, each)
        return min(refusals, key=lambda each: isinstance(each, _NOT_TRIED), default=None)

    def subscribe(self, path: str, watcher: Callable[[], None]) -> None:
        """Calls `watcher` in the loop when something that is watched happens to `path`, until `unsubscribe`."""
        self._watchers.setdefault(path, set()).add(watcher)

    def unsubscribe(self, path: str, watcher: Callable[[], None]) -> None:
        """Ends `subscribe`."""
        watchers = self._watchers.get(path, set())
        watchers.discard(watcher)
        if not watchers:
            self._watchers.pop(path, None)

    async def _answer(self, path: str, question: Callable[[Any], Any]) -> Any:
        if not self.is_connected:
            raise RegistryError("ZooKeeper is not connected")
        try:
            value, refusal = await self._client.ask(question)
        except TimeoutError:
            raise RegistryError(f"ZooKeeper did not answer within {self._timeout_s:g} s: {path}") from None
        except KazooException as exc:
            raise _error(path, exc) from exc
        # Never raised itself: what is raised in a frame that holds it is left to the garbage collector.
        match refusal:
            case None:
                return value
            case NoNodeError():
                raise _Missing(path)
            case _:
                raise _error(path, refusal) from refusal

    def _notify(self, path: str) -> None:
        for each in tuple(self._watchers.get(path, ())):
            each()

    def _changed(self, session_id: int) -> None:
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
            self._expiry = asyncio.get_running_loop().call_later(self._session_s, self._expire)
            self._on_lost()

    def _expire(self) -> None:
        self._expiry = None
        if not self.connections:
            _LOG.error("registry zookeeper %s: cannot be reached; going on without, and trying", self._ensemble)
            return
        _LOG.error(
            "registry zookeeper %s: no connection for %g s, as long as a session lasts: nobody sees what is "
            "announced here until the registry is back",
            self._ensemble,
            self._session_s,
        )


class _Missing(Exception):
    """The node is not there."""


def _error(path: str, error: Exception) -> RegistryError:
    if isinstance(error, NoAuthError):
        return RegistryError(f"ZooKeeper does not permit this: {path}")
    return RegistryError(f"ZooKeeper says {type(error).__name__}{f' ({error})' if str(error) else ''}: {path}")
