"""Who provides a service, and who said that it goes.

An `unregister` message names nobody: who is gone since the last look is who said it, as long as no more are gone than
said so. Somebody who is gone without a word is still there until its lease ends: a server that was emptied or came back
empty (FLUSHALL, a restart, a failover) hears of everybody again within half a lease, and meanwhile nobody loses its
providers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from gateway.model.endpoint import Endpoint, Identity
from registry.entries import read_providers
from registry.redis.lease import FOREVER, Lease, LeaseTable

__all__ = ["Presence"]

_FAREWELL_MS: Final = 2_000
"""How far apart a field and the message that belongs to it may be."""


class _Missing(NamedTuple):
    endpoint: Endpoint
    lease: Lease
    since_ms: int


class Presence:
    """The hash of providers of one interface. `session_ms`: as for `LeaseTable`."""

    def __init__(self, session_ms: int) -> None:
        self.leases: Final = LeaseTable(session_ms)
        self._endpoints: dict[str, Endpoint | None] = {}
        """What each field says, read once. None: nothing that can be called."""
        self._missing: dict[Identity, _Missing] = {}
        """Who is gone without a word."""
        self._farewells: list[int] = []
        """When somebody said that it goes, of whom nothing is missing yet."""

    def knows(self, field: str) -> bool:
        """Whether it was read."""
        return field in self._endpoints

    def read(self, field: str) -> str:
        """Reads a field before `look`, which takes some time. Gives why it does not count, or an empty text."""
        found, skipped = read_providers((field,), None)
        self._endpoints[field] = found[0] if found else None
        return skipped[0].reason if skipped else ""

    def unregistered(self, now_ms: int) -> None:
        """Somebody said that it goes."""
        self._farewells.append(now_ms)

    def look(self, values: Mapping[str, str], now_ms: int) -> tuple[frozenset[Identity], list[str]]:
        """Takes what the hash holds now, all of which was read. Gives who went by its own word, and the fields whose
        value is no time."""
        gone, malformed = self.leases.look(values, now_ms)
        for field, lease in gone.items():
            endpoint = self._endpoints.get(field)
            # Whose lease has ended was cleared away by somebody else.
            if endpoint is not None and lease.is_alive(now_ms):
                self._missing[endpoint.identity] = _Missing(endpoint, lease, now_ms)
        self._endpoints = {field: self._endpoints[field] for field in values if field in self._endpoints}
        present = {each.identity for each in self._alive(now_ms).values()}
        self._missing = {
            identity: each
            for identity, each in self._missing.items()
            if identity not in present and each.lease.is_alive(now_ms)
        }
        return self._take_farewells(now_ms), malformed

    def endpoints(self, now_ms: int) -> list[Endpoint]:
        """The providers, each once, in an order that does not change by itself."""
        found = self._alive(now_ms)
        return [found[field] for field in sorted(found)] + [
            each.endpoint for each in self._missing.values() if each.lease.is_alive(now_ms)
        ]

    def next_look_ms(self, now_ms: int) -> float:
        """See `LeaseTable.next_look_ms`."""
        missing = (each.lease.until + 1 for each in self._missing.values())
        return min(self.leases.next_look_ms(now_ms), *missing, FOREVER)

    def _alive(self, now_ms: int) -> dict[str, Endpoint]:
        """Field to endpoint. The same provider may stand there twice while it changes what it says of itself, or after
        it died and came back: the entry with the later lease counts."""
        best: dict[Identity, tuple[int, str]] = {}
        for field in self.leases.alive(now_ms):
            endpoint = self._endpoints.get(field)
            if endpoint is not None:
                candidate = (self.leases.fields[field].value, field)
                known = best.get(endpoint.identity)
                if known is None or candidate > known:
                    best[endpoint.identity] = candidate
        found = {}
        for _, field in best.values():
            endpoint = self._endpoints[field]
            assert endpoint is not None
            found[field] = endpoint
        return found

    def _take_farewells(self, now_ms: int) -> frozenset[Identity]:
        self._farewells = [each for each in self._farewells if now_ms - each <= _FAREWELL_MS]
        recent = frozenset(
            identity for identity, each in self._missing.items() if now_ms - each.since_ms <= _FAREWELL_MS
        )
        withdrawn: frozenset[Identity] = frozenset()
        if recent and len(self._farewells) >= len(recent):
            withdrawn = recent
            del self._farewells[: len(recent)]
            for identity in withdrawn:
                del self._missing[identity]
        # Those that last for ever have no lease to wait for.
        for identity in [each for each, missing in self._missing.items() if missing.lease.until == FOREVER]:
            del self._missing[identity]
        return withdrawn
