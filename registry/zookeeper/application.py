"""The instances of applications that Dubbo 3 registers as such, watched for all services that they provide.

An instance says what it provides by the name of a revision only. What that is, is fetched once for all instances of the
revision, from one of them after the other until one gives it. Until then an instance is what it was before.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from gateway.model.errors import RegistryError
from gateway.telemetry.once_per import OncePer
from registry.instance import Instance, read_instance
from registry.metadata import Metadata, Offer
from registry.slice import Turn
from registry.zookeeper.looking import Looking, complain
from registry.zookeeper.metadata_source import MetadataSource
from registry.zookeeper.session import Session

__all__ = ["Application", "Applications"]

_AT_ONCE: Final = 64
_SETTLE_S: Final = 5.0
"""So long nobody is kept waiting for the metadata of instances that are known."""
_FIRST_BACK_OFF_S: Final = 0.5
_LONGEST_BACK_OFF_S: Final = 30.0


@dataclass(slots=True)
class _Node:
    """`held`: its content, so that what has not changed is not read twice. `current`: what it says now; None where that
    cannot be used. `known`: the last that was known whole."""

    held: bytes
    current: Instance | None
    known: tuple[Instance, Metadata] | None = None


class _Revision:
    """What is known of one, and the task that fetches it. `nodes`: of the instances that have it."""

    def __init__(self) -> None:
        self.nodes: list[_Node] = []
        self.instances: frozenset[Instance] = frozenset()
        self.metadata: Metadata | None = None
        self.was_tried = False
        self.hurry = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class Application:
    """Belongs to one event loop. Life: construct, `start`, `aclose`. `shared`: what all applications share."""

    def __init__(self, name: str, shared: Applications) -> None:
        self._name = name
        self._shared = shared
        self._session = shared.session
        self._folders = shared.paths.instances(name)
        self._nodes: dict[str, _Node] = {}
        self._revisions: dict[str, _Revision] = {}
        self._watchers: dict[str, Callable[[], None]] = {}
        self._listeners: set[Callable[[], None]] = set()
        self._looking = Looking(f"application {name}", self._session, self._look, self._say)
        self._listed = 0
        """In which connection the instances were read."""
        self._patience = 0.0
        """Until when it is unsettled; loop time."""
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_listed(self) -> bool:
        """Whether the instances are known as they are now."""
        return self._listed == self._session.connections

    @property
    def is_settled(self) -> bool:
        """Whether nothing is likely to be known in a moment that is not known now."""
        return self.is_listed and (
            all(each.was_tried for each in self._revisions.values())
            or asyncio.get_running_loop().time() >= self._patience
        )

    @property
    def is_wanted(self) -> bool:
        """Whether anybody is there to be told."""
        return bool(self._listeners)

    def offers(self, interface: str) -> Iterator[tuple[Instance, Offer]]:
        """Who provides this interface, as far as it is known; the same objects as long as nothing changes."""
        for node in self._nodes.values():
            if node.known is not None:
                instance, metadata = node.known
                for offer in metadata.offers.get(interface, ()):
                    yield instance, offer

    def start(self) -> None:
        """Begins; looks when there is a connection."""
        for folder in self._folders:
            self._subscribe(folder)
        self._looking.start()
        if self._session.is_connected:
            self.refresh()

    def refresh(self) -> None:
        """Everything is to be read, and set to be watched, anew."""
        self._looking.mark(*self._watchers)
        for each in self._revisions.values():
            each.hurry.set()

    def tell(self, listener: Callable[[], None]) -> None:
        """Calls it whenever something has changed, until `forget`."""
        self._listeners.add(listener)

    def forget(self, listener: Callable[[], None]) -> None:
        """Ends `tell`."""
        self._listeners.discard(listener)

    async def aclose(self) -> None:
        """Ends it."""
        for path in tuple(self._watchers):
            self._unsubscribe(path)
        if self._timer is not None:
            self._timer.cancel()
        revisions, self._revisions = self._revisions, {}
        tasks = [each.task for each in revisions.values() if each.task is not None]
        for task in tasks:
            task.cancel()
        await self._looking.aclose()
        if tasks:
            await asyncio.wait(tasks)

    def _subscribe(self, path: str) -> None:
        if path not in self._watchers:
            watcher = self._watchers[path] = partial(self._looking.mark, path)
            self._session.subscribe(path, watcher)

    def _unsubscribe(self, path: str) -> None:
        self._session.unsubscribe(path, self._watchers.pop(path))

    def _notify(self) -> None:
        for each in tuple(self._listeners):
            each()

    def _say(self, key: str, text: str) -> None:
        complain(self._shared.skips, f"application {self._name}", key, text)

    # The instances.

    async def _look(self, dirty: set[str]) -> None:
        connection = self._session.connections
        try:
            await self._read(dirty)
        except RegistryError:
            if self._session.is_connected and self._session.connections == connection:
                # It may never be allowed, and nobody is to wait for that.
                self._settle(connection)
            raise
        self._settle(connection)

    def _settle(self, connection: int) -> None:
        if self._listed != connection:
            loop = asyncio.get_running_loop()
            self._patience = loop.time() + _SETTLE_S
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_at(self._patience, self._notify)
        self._listed = connection
        self._notify()

    async def _read(self, dirty: set[str]) -> None:
        """Takes what it has read out of `dirty`. Raises RegistryError where something is left, after all the rest."""
        troubles: list[RegistryError] = []
        for folder in self._folders:
            if folder in dirty:
                try:
                    dirty |= await self._list(folder)
                    dirty.discard(folder)
                except RegistryError as exc:
                    troubles.append(exc)
        dirty.intersection_update(self._watchers)
        paths = sorted(dirty.difference(self._folders))
        for start in range(0, len(paths), _AT_ONCE):
            now = paths[start : start + _AT_ONCE]
            found = await asyncio.gather(*(self._data(path) for path in now))
            async with self._shared.turn:
                for path, data in zip(now, found, strict=True):
                    if isinstance(data, RegistryError):
                        troubles.append(data)
                        continue
                    self._take(path, data)
                    dirty.discard(path)
                    await self._shared.turn.breathe()
        self._update_revisions()
        if troubles:
            raise troubles[0]

    async def _list(self, folder: str) -> set[str]:
        """The nodes there that have to be read."""
        # Where the root was chosen, interfaces stand beside applications, with folders in them.
        names = [each for each in await self._session.children(folder, watch=True) or () if ":" in each]
        there = {f"{folder}/{each}" for each in names}
        for gone in [each for each in self._watchers if each.startswith(f"{folder}/") and each not in there]:
            self._unsubscribe(gone)
            self._nodes.pop(gone, None)
        for path in there:
            self._subscribe(path)
        # One that was gone for a moment is not watched any more.
        return there.difference(self._nodes)

    async def _data(self, path: str) -> bytes | RegistryError | None:
        try:
            # Its folder tells when it is made: of those that come and go, nothing is to be left.
            return await self._session.data(path, watch=True, awaited=False)
        except RegistryError as exc:
            # One that may not be read hides no other.
            return exc

    def _take(self, path: str, data: bytes | None) -> None:
        if data is None:
            self._nodes.pop(path, None)
            return
        node = self._nodes.get(path)
        if node is not None and node.held == data:
            return
        current = None
        try:
            current = read_instance(data, self._name)
        except ValueError as exc:
            self._say("instance", f"skipped, {exc}: {path}")
        former = node.known if node is not None and current is not None and current.revision else None
        self._nodes[path] = _Node(data, current, former)

    # What they provide.

    def _update_revisions(self) -> None:
        nodes: dict[str, list[_Node]] = {}
        for node in self._nodes.values():
            if node.current is not None and node.current.revision:
                nodes.setdefault(node.current.revision, []).append(node)
        for name in [each for each in self._revisions if each not in nodes]:
            revision = self._revisions.pop(name)
            if revision.task is not None:
                revision.task.cancel()
        for name, those in nodes.items():
            revision = self._revisions.setdefault(name, _Revision())
            instances = frozenset(each.current for each in those if each.current is not None)
            if not instances <= revision.instances:
                # Somebody else to ask.
                revision.hurry.set()
            revision.nodes, revision.instances = those, instances
            if revision.task is None:
                fetching = self._fetch(name, revision)
                revision.task = asyncio.create_task(fetching, name=f"metadata of {self._name}, revision {name}")
            self._complete(revision)

    def _complete(self, revision: _Revision) -> None:
        if revision.metadata is not None:
            for node in revision.nodes:
                if node.current is not None and (node.known is None or node.known[0] is not node.current):
                    node.known = (node.current, revision.metadata)

    async def _fetch(self, name: str, revision: _Revision) -> None:
        back_off = _FIRST_BACK_OFF_S
        while revision.metadata is None:
            if self._revisions.get(name) is not revision:
                # It was cancelled, and what it waited for did not pass that on.
                return
            revision.hurry.clear()
            instance = random.choice(tuple(revision.instances))
            try:
                revision.metadata = await self._shared.source.fetch(instance, again=revision.was_tried)
            except Exception as exc:  # Whatever it answers, it is asked again.
                self._say("metadata", f"{instance}: {exc}")
                revision.was_tried = revision.was_tried or self._session.is_connected
                self._notify()
                # However often others come, nobody is asked all the time.
                await asyncio.sleep(min(back_off, _FIRST_BACK_OFF_S) * (0.5 + random.random() / 2))
                try:
                    async with asyncio.timeout(back_off * (0.5 + random.random() / 2)):
                        await revision.hurry.wait()
                except TimeoutError:
                    back_off = min(2 * back_off, _LONGEST_BACK_OFF_S)
        for each in revision.metadata.skipped:
            self._say("service", f"revision {name}: skipped, {each.reason}: {each.entry}")
        revision.was_tried = True
        self._complete(revision)
        self._notify()


class Applications:
    """Those that somebody wants to know of, each once."""

    def __init__(self, session: Session, source: MetadataSource, skips: OncePer, turn: Turn) -> None:
        self.session: Final = session
        self.paths: Final = source.paths
        self.source: Final = source
        self.skips: Final = skips
        self.turn: Final = turn
        self._open: dict[str, Application] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def refresh(self) -> None:
        """There is a connection: everything is to be read anew."""
        for each in self._open.values():
            each.refresh()

    def acquire(self, name: str, listener: Callable[[], None]) -> Application:
        """An application that runs, and tells the listener of changes until `release`."""
        application = self._open.get(name)
        if application is None:
            application = self._open[name] = Application(name, self)
            application.start()
        application.tell(listener)
        return application

    def release(self, name: str, listener: Callable[[], None]) -> None:
        """The listener is not to be told any more."""
        application = self._open.get(name)
        if application is None:
            return
        application.forget(listener)
        if not application.is_wanted:
            del self._open[name]
            task = asyncio.create_task(application.aclose(), name=f"end of the watch of application {name}")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        """Ends all."""
        applications, self._open = self._open, {}
        await asyncio.gather(*(each.aclose() for each in applications.values()), *self._closing)
