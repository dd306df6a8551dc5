"""One service of a registry in ZooKeeper, watched for everybody who wants to know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from gateway.model.endpoint import Endpoint, Identity, ServiceKey
from gateway.spi.registry_ability import Skipped
from gateway.telemetry.logs import shorten
from gateway.telemetry.once_per import OncePer
from registry.entries import CONFIGURATORS, PROVIDERS, ROUTERS, read_providers, read_rules
from registry.feed import Feed
from registry.instance import Instance
from registry.metadata import Offer, offered_by
from registry.slice import Turn
from registry.zookeeper.application import Applications
from registry.zookeeper.layout import category_path, decode_name
from registry.zookeeper.looking import Looking, complain
from registry.zookeeper.mapping import Mapped
from registry.zookeeper.session import Session

__all__ = ["ServiceWatch", "read_names"]

_CATEGORIES: Final = (PROVIDERS, ROUTERS, CONFIGURATORS)
_MAPPING: Final = "mapping"
_APPLICATIONS: Final = "applications"
_T = TypeVar("_T")


class ServiceWatch:
    """Belongs to one event loop. Life: construct, `start`, `aclose`. `skips`: keeps log lines of bad entries apart.
    `turn`: held while entries are read, so that many services at a time do not keep the loop from calls.
    `applications`: where providers that are registered by application are found; None leaves them out.

    What is not there yet is watched as well; nothing is made for it.
    """

    def __init__(
        self,
        root: str,
        service: ServiceKey,
        session: Session,
        skips: OncePer,
        turn: Turn,
        applications: Applications | None = None,
    ) -> None:
        self.feed = Feed(service)
        self._service = service
        self._session = session
        self._skips = skips
        self._turn = turn
        self._looking = Looking(str(service), session, self._look, self._say)
        self._paths = {each: category_path(root, service.interface, each) for each in _CATEGORIES}
        self._watchers: dict[str, Callable[[], None]] = {
            path: partial(self._looking.mark, category) for category, path in self._paths.items()
        }
        self._names: dict[str, Sequence[str]] = {}
        self._known: Mapping[str, Endpoint | None] = {}
        """Providers by the names of their nodes, so that none is read twice."""
        self._mapped: Mapped | None = None
        if applications is not None:
            moved, changed = (partial(self._looking.mark, each) for each in (_MAPPING, _APPLICATIONS))
            self._mapped = Mapped(service.interface, applications, moved, changed)
        self._offered: Mapping[tuple[Instance, Offer], Endpoint | None] = {}
        """Those that are registered by application."""

    def start(self) -> None:
        """Begins; looks when there is a connection."""
        for path, watcher in self._watchers.items():
            self._session.subscribe(path, watcher)
        if self._mapped is not None:
            self._mapped.start()
        self._looking.start()
        if self._session.is_connected:
            self.refresh()

    def refresh(self) -> None:
        """Everything is to be read, and set to be watched, anew."""
        self._looking.mark(*_CATEGORIES, _MAPPING)

    def lose(self) -> None:
        """There is no connection: what is known may be out of date."""
        self.feed.lose()

    async def aclose(self) -> None:
        """Ends it, and all who are told."""
        for path, watcher in self._watchers.items():
            self._session.unsubscribe(path, watcher)
        self.feed.close()
        try:
            await self._looking.aclose()
        finally:
            # Applications would be followed for nobody.
            if self._mapped is not None:
                self._mapped.close()

    async def _look(self, dirty: set[str]) -> None:
        """Reads what is marked and tells all."""
        connection = self._session.connections
        for category in _CATEGORIES:
            if category in dirty:
                self._names[category] = sorted(await self._session.children(self._paths[category], watch=True) or ())
        if self._mapped is not None and _MAPPING in dirty:
            await self._mapped.look()
        async with self._turn:
            if PROVIDERS in dirty:
                await self._read_providers(self._names[PROVIDERS])
            if self._mapped is not None and not dirty.isdisjoint({_MAPPING, _APPLICATIONS}):
                await self._read_offers(self._mapped)
        rules = {each: self._rules(self._names.get(each, ())) for each in (ROUTERS, CONFIGURATORS)}
        # Otherwise it is out of date already, and `refresh` was called or will be.
        if self._session.is_connected and self._session.connections == connection and self._is_whole():
            self.feed.publish(self._endpoints(), routers=rules[ROUTERS], configurators=rules[CONFIGURATORS])

    def _is_whole(self) -> bool:
        """Whether nobody would be misled: "no provider" is not said as long as there may be one in a moment."""
        if self._mapped is None or any(each and self._service.covers(each.service) for each in self._known.values()):
            return True
        return self._mapped.is_listed and (any(self._offered.values()) or self._mapped.is_settled)

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

    async def _read_offers(self, mapped: Mapped) -> None:
        offered: dict[tuple[Instance, Offer], Endpoint | None] = {}
        # Taken at once: it may change in between, and then there is another look.
        for each in tuple(mapped.offers()):
            if each in self._offered:
                offered[each] = self._offered[each]
            elif self._service.covers(each[1].service):
                offered[each], skipped = offered_by(*each)
                self._skip(skipped, _APPLICATIONS)
            await self._turn.breathe()
        self._offered = offered

    def _endpoints(self) -> list[Endpoint]:
        newest: dict[Identity, Endpoint] = {}
        # Whoever is registered both ways says more by interface, so that comes last.
        for endpoint in (*self._offered.values(), *self._known.values()):
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

    def _skip(self, skipped: Sequence[Skipped], kind: str = "") -> None:
        """`kind`: where one mistake is repeated by every instance, with its address in the reason."""
        for each in skipped:
            self._say(kind or each.reason, f"skipped, {each.reason}: {each.entry}")

    def _say(self, key: str, text: str) -> None:
        complain(self._skips, str(self._service), key, text, service=str(self._service))


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
    """When it was started as it says itself, milliseconds since 1970; 0 where it does not."""
    text = endpoint.parameters.get("timestamp", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
