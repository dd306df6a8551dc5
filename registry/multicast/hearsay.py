"""What was heard over multicast, from whom and when. It knows neither sockets nor what time it is.

Anybody in the network may say anything here. So what a host says of a provider counts only until the provider's own
host speaks; nobody else changes or takes back what it said; what comes out of order is seen by its stamp; and what
does not fit into a table of bounded size is not remembered.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, Identity, ServiceKey
from gateway.spi.registry_ability import Skipped
from registry.entries import read_consumers, read_providers
from registry.multicast.announcement import lease_s, plain, stamp

__all__ = ["MAX_OTHERS", "MAX_PER_INTERFACE", "QUESTIONS", "Hearsay", "Verdict", "answer_s", "same_host"]

MAX_PER_INTERFACE: Final = 1_000
MAX_OTHERS: Final = 20_000
"""Entries of services that nobody here watches. Those that somebody watches find a place all the same."""
_MAX_OTHER_CHARACTERS: Final = 16 * 1024 * 1024
_MAX_CONSUMERS: Final = 10_000
_MAX_SKIPPED: Final = 100
_SILENCE: Final = 1.5
"""Sessions without a word after which who announces every half of one is gone: two are lost, the third one is late."""
QUESTIONS: Final = 3
"""Without an answer after which who has to be asked is gone."""
_LOOKED_AT: Final = 2_000
_ANSWER_S: Final = 1.0
_GRAVE_S: Final = 1.0
"""How long after an `unregister` a packet that was sent before it may still come."""
_MAX_GRAVES: Final = 10_000

_ConsumerIdentity = tuple[ServiceKey, str, str]


class Verdict(NamedTuple):
    """What became of a packet.

    `changed`: the service whose providers are others now. `withdrawn`: who of them went by its own word. `skipped`: why
    its URL is no use. `refused`: why it does not count although it would be. Both are for logs, and mostly empty.
    """

    changed: ServiceKey | None = None
    withdrawn: Identity | None = None
    skipped: str = ""
    refused: str = ""


@dataclass(slots=True)
class _Entry:
    endpoint: Endpoint
    url: str
    stamp: int
    owner: str
    """Who said so first, or the provider's own host; empty for what is announced here."""
    heard_at: float
    lease_s: float | None
    """None for those that do not repeat what they said, and so have to be asked."""
    asked_at: float = float("-inf")
    unanswered: int = 0


class _Grave(NamedTuple):
    stamp: int
    until: float


class Hearsay:
    """Belongs to one event loop. Times are seconds of one monotonic clock.

    `session_s`: of this process. Attributes: `skipped`: packets that were no use, as `Listing` shows them.
    """

    def __init__(self, session_s: float) -> None:
        self._session_s = session_s
        self._entries: dict[str, dict[Identity, _Entry]] = {}
        """By interface."""
        self._watched: dict[str, set[ServiceKey]] = {}
        self._to_look_at: list[str] = []
        """Interfaces that `expire` has still to come to."""
        self._others = 0
        self._other_characters = 0
        self._consumers: dict[_ConsumerIdentity, tuple[Consumer, str, float, float]] = {}
        """With its owner, when it was heard, and how long that lasts."""
        self._graves: dict[Identity, _Grave] = {}
        self._doubtful: set[Identity] = set()
        """In a grave, and yet announced."""
        self.skipped: dict[str, Skipped] = {}

    def watch(self, service: ServiceKey) -> None:
        """Somebody here wants to know of it: it has a place in the table, and is asked for."""
        if service.interface not in self._watched:
            self._count_others(service.interface, -1)
        self._watched.setdefault(service.interface, set()).add(service)

    def unwatch(self, service: ServiceKey) -> None:
        """Ends `watch`."""
        watched = self._watched.get(service.interface)
        if watched is None:
            return
        watched.discard(service)
        if not watched:
            del self._watched[service.interface]
            self._count_others(service.interface, 1)

    def is_watched(self, service: ServiceKey) -> bool:
        """Whether somebody here wants to know of it."""
        return any(each.covers(service) for each in self._watched.get(service.interface, ()))

    def providers(self, service: ServiceKey) -> list[Endpoint]:
        """Those known of a service, in the order they came."""
        known = self._entries.get(service.interface, {}).values()
        return [each.endpoint for each in known if service.covers(each.endpoint.service)]

    @property
    def all_providers(self) -> list[Endpoint]:
        """Those of all services."""
        return [each.endpoint for each in self._all()]

    @property
    def all_consumers(self) -> list[Consumer]:
        """Those of all services."""
        return [each[0] for each in self._consumers.values()]

    def put_own(self, endpoint: Endpoint) -> Verdict:
        """Announced here: it stays until `drop_own`, whatever others say."""
        known = self._find(endpoint.identity)
        if known is None:
            self._insert(_Entry(endpoint, "", 0, "", 0.0, None))
        else:  # Said before, here or by somebody else; it keeps its place.
            known.endpoint, known.owner, known.lease_s = endpoint, "", None
        return Verdict(changed=endpoint.service)

    def drop_own(self, endpoint: Endpoint) -> Verdict:
        """Ends `put_own`."""
        entry = self._find(endpoint.identity)
        if entry is None or entry.owner:
            return Verdict()
        self._remove(endpoint.identity)
        return Verdict(endpoint.service, endpoint.identity)

    def registered(self, url: str, sender: str, now: float) -> Verdict:
        """A host says that there is a provider or a consumer."""
        if url.startswith("consumer://"):
            return self._consumer_registered(url, sender, now)
        found, skipped = read_providers([plain(url)], None)
        if skipped:
            return self._skip(skipped[0])
        if not found:  # It says itself that it is not to be called.
            return self._removed(Endpoint.parse(url), stamp(url), sender, now, withdrawn=False)
        entry = _Entry(found[0], url, stamp(url), sender, now, lease_s(url))
        known = self._find(found[0].identity)
        return self._new(entry, now) if known is None else self._again(known, entry, sender)

    def unregistered(self, url: str, sender: str, now: float) -> Verdict:
        """A host says that a provider or a consumer goes."""
        if url.startswith("consumer://"):
            return self._consumer_unregistered(url, sender)
        found, skipped = read_providers([url], None)
        if skipped:
            return self._skip(skipped[0])
        said = found[0] if found else Endpoint.parse(url)
        return self._removed(said, stamp(url), sender, now, withdrawn=True)

    def asked(self, service: ServiceKey, now: float) -> None:
        """A `subscribe` for it goes out now."""
        for entry in self._entries.get(service.interface, {}).values():
            # Several watches may ask for one provider in one round; that is one question.
            is_new = now - entry.asked_at >= self._session_s / 4
            if entry.owner and entry.lease_s is None and is_new and service.covers(entry.endpoint.service):
                entry.asked_at = now
                entry.unanswered += 1

    def expire(self, now: float) -> tuple[set[ServiceKey], set[ServiceKey]]:
        """Forgets who is silent. Gives the services whose providers are others now, and those to ask for again.

        Of a large table it looks at a part, and the next time at the next one, so that nobody has to wait for it.
        """
        silent = [each for each in self._next_part() if each.owner and self._is_silent(each, now)]
        for entry in silent:
            self._remove(entry.endpoint.identity)
        for consumer in [each for each, (_, _, at, lasts) in self._consumers.items() if now - at > lasts]:
            del self._consumers[consumer]
        ended = [identity for identity, grave in self._graves.items() if now >= grave.until]
        for identity in ended:
            del self._graves[identity]
        again = {identity[3] for identity in self._doubtful.intersection(ended)}
        self._doubtful.difference_update(ended)
        return {each.endpoint.service for each in silent}, again

    def excuse(self, now: float) -> None:
        """Nobody could be heard until now, so nobody's silence counts."""
        for entry in self._all():
            entry.heard_at, entry.unanswered = now, 0

    def _next_part(self) -> list[_Entry]:
        if not self._to_look_at:
            self._to_look_at = list(self._entries)
        part: list[_Entry] = []
        while self._to_look_at and len(part) < _LOOKED_AT:
            part += self._entries.get(self._to_look_at.pop(), {}).values()
        return part

    def _is_silent(self, entry: _Entry, now: float) -> bool:
        if entry.lease_s is not None:
            return now - entry.heard_at > _SILENCE * entry.lease_s
        if self.is_watched(entry.endpoint.service):
            return entry.unanswered >= QUESTIONS and now - entry.asked_at >= answer_s(self._session_s)
        return now - entry.heard_at > _SILENCE * self._session_s

    def _new(self, entry: _Entry, now: float) -> Verdict:
        service, identity = entry.endpoint.service, entry.endpoint.identity
        grave = self._graves.get(identity)
        if grave is not None and now < grave.until and entry.stamp <= grave.stamp:
            # Either late, or a provider that was away for a moment: asking in a moment tells.
            self._doubtful.add(identity)
            return Verdict()
        if len(self._entries.get(service.interface, {})) >= MAX_PER_INTERFACE:
            return Verdict(refused=f"{MAX_PER_INTERFACE} providers of one interface are known already")
        if service.interface not in self._watched and (
            self._others >= MAX_OTHERS or self._other_characters >= _MAX_OTHER_CHARACTERS
        ):
            return Verdict(refused=f"{self._others} providers that nobody here looks for are known already")
        self._insert(entry)
        return Verdict(changed=service)

    def _again(self, known: _Entry, entry: _Entry, sender: str) -> Verdict:
        if not known.owner:
            return Verdict()
        by_itself = same_host(sender, known.endpoint.host)
        first_word = by_itself and not same_host(known.owner, known.endpoint.host)
        if entry.url == known.url:
            known.heard_at, known.unanswered = entry.heard_at, 0
            known.owner = sender if by_itself else known.owner
            return Verdict()
        if not _may_change(known, sender):
            return Verdict(refused="it changes what another host announced")
        if entry.stamp < known.stamp and not first_word:
            return Verdict()
        changed = entry.endpoint != known.endpoint
        if known.endpoint.service.interface not in self._watched:
            self._other_characters += len(entry.url) - len(known.url)
        known.endpoint, known.url, known.stamp, known.lease_s = entry.endpoint, entry.url, entry.stamp, entry.lease_s
        known.heard_at, known.unanswered = entry.heard_at, 0
        known.owner = sender if by_itself else known.owner
        return Verdict(changed=known.endpoint.service if changed else None)

    def _removed(self, said: Endpoint, said_at: int, sender: str, now: float, *, withdrawn: bool) -> Verdict:
        known = self._find(said.identity)
        if known is None or not known.owner:
            return Verdict()
        if not _may_change(known, sender):
            return Verdict(refused="it takes back what another host announced")
        if said_at < known.stamp:
            return Verdict()
        self._remove(said.identity)
        if len(self._graves) < _MAX_GRAVES:
            self._graves[said.identity] = _Grave(said_at, now + _GRAVE_S)
        return Verdict(known.endpoint.service, said.identity if withdrawn else None)

    def _consumer_registered(self, url: str, sender: str, now: float) -> Verdict:
        found, skipped = read_consumers([plain(url)])
        if skipped:
            return self._skip(skipped[0])
        heard = found[0]
        known = self._consumers.get(heard.identity)
        if known is None and len(self._consumers) >= _MAX_CONSUMERS:
            return Verdict(refused=f"{_MAX_CONSUMERS} consumers are known already")
        owner = sender if known is None or same_host(sender, heard.host) else known[1]
        lasts = _SILENCE * (lease_s(url) or self._session_s)
        self._consumers[heard.identity] = (heard, owner, now, lasts)
        return Verdict()

    def _consumer_unregistered(self, url: str, sender: str) -> Verdict:
        found, skipped = read_consumers([url])
        if skipped:
            return self._skip(skipped[0])
        known = self._consumers.get(found[0].identity)
        if known is None:
            return Verdict()
        if not (same_host(sender, found[0].host) or sender == known[1]):
            return Verdict(refused="it takes back what another host announced")
        del self._consumers[found[0].identity]
        return Verdict()

    def _skip(self, skipped: Skipped) -> Verdict:
        self.skipped.pop(skipped.entry, None)
        if len(self.skipped) >= _MAX_SKIPPED:
            del self.skipped[next(iter(self.skipped))]
        self.skipped[skipped.entry] = skipped
        return Verdict(skipped=skipped.reason)

    def _all(self) -> Iterator[_Entry]:
        for known in self._entries.values():
            yield from known.values()

    def _find(self, identity: Identity) -> _Entry | None:
        return self._entries.get(identity[3].interface, {}).get(identity)

    def _insert(self, entry: _Entry) -> None:
        interface = entry.endpoint.service.interface
        self._entries.setdefault(interface, {})[entry.endpoint.identity] = entry
        if interface not in self._watched:
            self._others += 1
            self._other_characters += len(entry.url)

    def _remove(self, identity: Identity) -> None:
        interface = identity[3].interface
        known = self._entries.get(interface, {})
        entry = known.pop(identity, None)
        if not known:
            self._entries.pop(interface, None)
        if entry is not None and interface not in self._watched:
            self._others -= 1
            self._other_characters -= len(entry.url)

    def _count_others(self, interface: str, sign: int) -> None:
        """Nobody watches this interface any more, or somebody does now (-1)."""
        known = self._entries.get(interface, {}).values()
        self._others += sign * len(known)
        self._other_characters += sign * sum(len(each.url) for each in known)


def answer_s(session_s: float) -> float:
    """How long an answer may take. Less than what is between two questions, which come every half session."""
    return min(_ANSWER_S, session_s / 4)


def same_host(one: str, other: str) -> bool:
    """Whether two texts are the same network address. A name is nobody's address: it would have to be looked up."""
    if one == other:
        return True
    try:
        return _address(one) == _address(other)
    except ValueError:
        return False


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _may_change(known: _Entry, sender: str) -> bool:
    return sender == known.owner or same_host(sender, known.endpoint.host)
