"""One service of a registry in ZooKeeper, watched for everybody who wants to know of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from gateway.model.endpoint import Endpoint, Identity, ServiceKey
from gateway.spi.registry_ability import Skipped
from gateway.telemetry.logs import shorten
from gateway.telemetry.once_per import OncePer
from registry.entries import CONFIGURATORS, PROVIDERS, ROUTERS, read_providers, read_rules
from registry.feed import Feed
from registry.slice import Turn
from registry.zookeeper.layout import category_path, decode_name
from registry.zookeeper.session import Session

__all__ = ["ServiceWatch", "read_names"]

_LOG: Final = logging.getLogger("polyport.registry.zookeeper")
_CATEGORIES: Final = (PROVIDERS, ROUTERS, CONFIGURATORS)
_REST_S: Final = 0.05
"""Between two looks: a service whose providers come and go all the time costs no more than that."""
_AGAIN_S: Final = 1.0
_T = TypeVar("_T")


class ServiceWatch:
    """Belongs to one event loop. Life: construct, `start`, `aclose`. `skips`: keeps log lines of bad entries apart.
    `turn`: held while entries are read, so that many services at a time do not keep the loop from calls.

    What is not there yet is watched as well; nothing is made for it.
    """

    def __init__(self, root: str, service: ServiceKey, session: Session, skips: OncePer, turn: Turn) -> None:
        self.feed = Feed(service)
        self._service = service
        self._session = session
        self._skips = skips
        self._turn = turn
        self._paths = {each: category_path(root, service.interface, each) for each in _CATEGORIES}
        self._watchers: dict[str, Callable[[], None]] = {
            path: partial(self._mark, category) for category, path in self._paths.items()
        }
        self._dirty: set[str] = set()
        self._changed = asyncio.Event()
        self._names: dict[str, Sequence[str]] = {}
        self._known: Mapping[str, Endpoint | None] = {}
        """Providers by the names of their nodes, so that none is read twice."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins; looks when there is a connection."""
        for path, watcher in self._watchers.items():
            self._session.subscribe(path, watcher)
        self._task = asyncio.create_task(self._work(), name=f"watch {self._service} in ZooKeeper")
        if self._session.is_connected:
            self.refresh()

    def refresh(self) -> None:
        """Everything is to be read, and set to be watched, anew."""
        self._mark(*_CATEGORIES)

    def lose(self) -> None:
        """There is no connection: what is known may be out of date."""
        self.feed.lose()

    async def aclose(self) -> None:
        """Ends it, and all who are told."""
        for path, watcher in self._watchers.items():
            self._session.unsubscribe(path, watcher)
        self.feed.close()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def _mark(self, *categories: str) -> None:
        self._dirty.update(categories)
        self._changed.set()

    async def _work(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            dirty, self._dirty = self._dirty, set()
            try:
                pause = await self._look(dirty)
            except Exception as exc:  # Whatever is the matter, this has to go on.
                self._dirty |= dirty
                self._say(type(exc).__name__, f"cannot be read, trying again: {exc}")
                pause = _AGAIN_S
                if self._session.is_connected:
                    self._changed.set()
            await asyncio.sleep(pause)

    async def _look(self, categories: set[str]) -> float:
        """Reads these categories and tells all. Gives how long to rest."""
        connection = self._session.connections
        for category in categories:
            self._names[category] = sorted(await self._session.children(self._paths[category], watch=True) or ())
        if PROVIDERS in categories:
            async with self._turn:
                await self._read_providers(self._names[PROVIDERS])
        rules = {each: self._rules(self._names.get(each, ())) for each in (ROUTERS, CONFIGURATORS)}
        if self._session.is_connected and self._session.connections == connection:
            self.feed.publish(self._endpoints(), routers=rules[ROUTERS], configurators=rules[CONFIGURATORS])
        # Otherwise it is out of date already, and `refresh` was called or will be.
        return _REST_S

    async def _read_providers(self, names: Sequence[str]) -> None:
        known: dict[str, Endpoint | None] = {}
        for name in names:
            if name in self._known:
                known[name] = self._known[name]
                continue
            found, skipped = read_names([name], partial(read_providers, service=None))
            known[name] = found[0] if found else None
            self._skip(skipped)
            await self._turn.breathe()
        self._known = known

    def _endpoints(self) -> list[Endpoint]:
        newest: dict[Identity, Endpoint] = {}
        for endpoint in self._known.values():
            if endpoint is None or not self._service.covers(endpoint.service):
                continue
            # One that was started again may stand there twice until the session of its former life has expired.
            former = newest.get(endpoint.identity)
            if former is None or _started(former) <= _started(endpoint):
                newest[endpoint.identity] = endpoint
        return list(newest.values())

    def _rules(self, names: Sequence[str]) -> list[str]:
        found, skipped = read_names(names, read_rules)
        self._skip(skipped)
        return found

    def _skip(self, skipped: Sequence[Skipped]) -> None:
        for each in skipped:
            self._say(each.reason, f"skipped, {each.reason}: {each.entry}")

    def _say(self, key: str, text: str) -> None:
        held_back = self._skips.admit((self._service, key))
        if held_back is not None:
            _LOG.warning(
                "registry zookeeper: %s: %s (%d more since the last line)",
                self._service,
                shorten(text),
                held_back,
                extra={"service": str(self._service)},
            )


def read_names(
    names: Sequence[str], read: Callable[[list[str]], tuple[list[_T], list[Skipped]]]
) -> tuple[list[_T], list[Skipped]]:
    """What the names of nodes say, through a function of `registry.entries`: what was found, and what is skipped."""
    entries: list[str] = []
    unread: list[Skipped] = []
    for name in names:
        try:
            entries.append(decode_name(name))
        except ValueError as exc:
            unread.append(Skipped(shorten(name[:1_000]), str(exc)))
    found, skipped = read(entries)
    return found, [*unread, *skipped]


def _started(endpoint: Endpoint) -> int:
    text = endpoint.parameters.get("timestamp", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
