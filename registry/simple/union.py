"""What several servers say of the providers of an interface, made into one list. Pure: time is a parameter.

The rule: the union of all lists; of one entry (client and key) the record with the highest sequence number counts, so a
provider that one server has seen withdrawn later than another has seen it announced is gone. A server that is lost
counts with what it said last for one more lease, and longer as long as no server can be asked: by then every client
that lives has had the time to announce itself again, so a server that was restarted empties no list.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import Final

from gateway.model.endpoint import Endpoint, Identity, ServiceKey
from registry.entries import read_providers
from registry.simple.contract import Record

__all__ = ["Union"]

_Name = tuple[str, str]
_MAX_READ: Final = 200_000
"""Entries whose reading is remembered."""


class _Server:
    """`now`: lists by interface, as it said them since it was found. `former`: what it said before it was lost, which
    counts until `until`. `is_online`: None before the first attempt to ask it."""

    def __init__(self) -> None:
        self.is_online: bool | None = None
        self.now: dict[str, Sequence[Record]] = {}
        self.former: dict[str, Sequence[Record]] = {}
        self.until = inf


class Union:
    """The lists of all servers of a registry. `kept_s`: the lease of this client. `clock`: seconds, monotonic."""

    def __init__(self, servers: Iterable[str], kept_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept_s = kept_s
        self._servers = {each: _Server() for each in servers}
        self._read: dict[str, Endpoint | None] = {}

    @property
    def is_online(self) -> bool:
        """Whether any server can be asked."""
        return any(each.is_online for each in self._servers.values())

    def found(self, server: str) -> None:
        """The server can be asked; it has said nothing yet."""
        until = self._clock() + self._kept_s
        if not self.is_online:
            for each in self._servers.values():
                each.until = until
        self._servers[server].is_online = True
        self._servers[server].until = until

    def lost(self, server: str) -> None:
        """The server cannot be asked, or not any more."""
        lost = self._servers[server]
        lost.is_online = False
        # What it had not said again yet still counts as it was.
        lost.former |= lost.now
        lost.now = {}
        lost.until = self._clock() + self._kept_s if self.is_online else inf
        if not self.is_online:
            for each in self._servers.values():
                each.until = inf

    def put(self, server: str, interface: str, records: Sequence[Record]) -> None:
        """The server says so now."""
        self._servers[server].now[interface] = records

    def drop(self, interface: str) -> None:
        """Nobody wants to know of it any more."""
        for each in self._servers.values():
            each.now.pop(interface, None)
            each.former.pop(interface, None)

    def is_known(self, interface: str) -> bool:
        """Whether every server has said what it has of it, or cannot be asked; and one has."""
        states = [(each.is_online, interface in each.now) for each in self._servers.values()]
        return all(is_online is False or said for is_online, said in states) and any(said for _, said in states)

    def settle(self) -> bool:
        """Forgets lists of lost servers that have had their time. Whether there were any."""
        due = [each for each in self._servers.values() if each.former and each.until <= self._clock()]
        for each in due:
            each.former = {}
        return bool(due)

    def providers(self, service: ServiceKey) -> tuple[list[Endpoint], set[Identity]]:
        """The providers that `service` covers, and those that went by their own word."""
        live: dict[Identity, tuple[int, Endpoint]] = {}
        gone: set[Identity] = set()
        for record in self._newest(service.interface).values():
            endpoint = self._endpoint(record.url)
            if endpoint is None or not service.covers(endpoint.service):
                continue
            if record.gone_ms >= 0:
                gone.add(endpoint.identity)
                continue
            known = live.get(endpoint.identity)
            # Two clients at one address: a program that was started again, or several processes that share a port.
            if known is None or known[0] < record.sequence:
                live[endpoint.identity] = (record.sequence, endpoint)
        return [endpoint for _, endpoint in live.values()], gone - live.keys()

    def _newest(self, interface: str) -> dict[_Name, Record]:
        newest: dict[_Name, Record] = {}
        for server in self._servers.values():
            for lists in (server.now, server.former):
                for record in lists.get(interface, ()):
                    name = (record.client, record.key)
                    known = newest.get(name)
                    if known is None or known.sequence < record.sequence:
                        newest[name] = record
        return newest

    def _endpoint(self, url: str) -> Endpoint | None:
        """Reading takes longer than all else, and most entries of a list were in the one before."""
        if url not in self._read:
            if len(self._read) >= _MAX_READ:
                self._read.clear()
            found, _ = read_providers([url], None)
            self._read[url] = found[0] if found else None
        return self._read[url]
