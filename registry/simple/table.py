"""What one server of a simple registry knows: clients with leases, their entries, and what was withdrawn lately.

Pure: no tasks, no wire, and time is a parameter. The merge rule is here as well, because what a client says and what
another server passes on are taken in the same way:

- Of one entry (client and key) the record with the highest sequence number counts, whether it is live or withdrawn.
- A lease is prolonged only by a sequence number of its client that is higher than the last one, for what was left of
  it where it comes from. So two servers cannot keep a client alive for each other.
- When a lease ends, the client's live entries are gone, without having been withdrawn. That the client was there is
  kept for two more leases, so that a server that has heard from it earlier does not bring it back.
- A withdrawn entry is kept as such for two leases from when it was withdrawn: by then every lease on which it could
  still be live somewhere else has ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from gateway.model.errors import BadRequest, Overloaded
from registry.entries import MAX_ENTRY
from registry.simple.contract import Changes, Lease, Record
from registry.simple.digest import Digest

__all__ = ["Bounds", "Table"]

_MAX_NAME: Final = 1_024
"""Characters of a key or an interface."""
_MAX_CLIENT: Final = 64
_KEPT_LEASES: Final = 2


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a server takes. Withdrawn entries count as long as they are kept.

    `entry_characters`: of a URL. `lease_ms`: shortest and longest.
    """

    clients: int = 10_000
    entries_per_client: int = 20_000
    entries: int = 500_000
    entry_characters: int = MAX_ENTRY
    watched_per_client: int = 20_000
    lease_ms: tuple[int, int] = (100, 600_000)


class _Held:
    """One entry. `gone_at`: when it was withdrawn; None while it is live. `record`: as it came."""

    __slots__ = ("gone_at", "record", "version")

    def __init__(self, record: Record, version: int, gone_at: float | None) -> None:
        self.record = record
        self.version = version
        self.gone_at = gone_at

    def shown(self, now: float) -> Record:
        if self.gone_at is None:
            return self.record
        it = self.record
        return Record(
            it.client, it.interface_name, it.key, it.url, it.sequence, max(0, round((now - self.gone_at) * 1000))
        )


class _Client:
    """`ends_at`: of its lease. `ended`: whether that was noticed; what is left then is a memory."""

    __slots__ = ("digest", "ended", "ends_at", "entries", "length_s", "name", "sequence", "version")

    def __init__(self, name: str, length_s: float, now: float) -> None:
        self.name = name
        self.length_s = length_s
        self.sequence = -1
        self.ends_at = now
        self.ended = True
        self.version = 0
        self.entries: dict[str, _Held] = {}
        self.digest = Digest()

    @property
    def kept_s(self) -> float:
        """How long withdrawn entries are kept, and that the client was there."""
        return _KEPT_LEASES * self.length_s

    def lease(self, now: float) -> Lease:
        left_ms = 0 if self.ended else max(0, round((self.ends_at - now) * 1000))
        return Lease(self.name, max(0, self.sequence), round(self.length_s * 1000), left_ms)


class Table:
    """See the module. `clock`: seconds, monotonic.

    Attributes:
        instance: Names this run of the server.
        version: Grows with every change.
        touched: Interfaces that have changed; whoever tells the watchers empties it.
    """

    def __init__(self, bounds: Bounds | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.bounds: Final = bounds or Bounds()
        self.instance: Final = uuid4().hex
        self.version = 0
        self.touched: set[str] = set()
        self._clock = clock
        self._clients: dict[str, _Client] = {}
        """The one that was renewed last comes last."""
        self._by_interface: dict[str, dict[tuple[str, str], _Held]] = {}
        self._by_version: dict[tuple[str, str], _Held] = {}
        """The one that was changed last comes last."""
        self._withdrawn: dict[tuple[str, str], _Held] = {}
        self.live: Final = Digest()
        """Of all live entries."""

    def is_there(self, client: str) -> bool:
        """Whether the client has a lease."""
        found = self._clients.get(client)
        return found is not None and not found.ended

    def renew(self, lease: Lease) -> bool:
        """The client was there when it gave out the lease's number. True when it had been given up here before.

        Raises:
            BadRequest: the lease is too short or too long, or the client's name is too long.
            Overloaded: there are as many clients as there may be.
        """
        shortest, longest = self.bounds.lease_ms
        if not shortest <= lease.length_ms <= longest:
            raise BadRequest(f"a lease is from {shortest} to {longest} ms, not {lease.length_ms}")
        client = self._client(lease.client, lease.length_ms / 1000)
        left_s = min(lease.left_ms, lease.length_ms) / 1000
        if lease.sequence <= client.sequence or left_s <= 0:
            return False
        came_back = client.ended and client.sequence >= 0
        client.sequence, client.length_s = lease.sequence, lease.length_ms / 1000
        client.ends_at = self._clock() + left_s
        client.ended = False
        client.version = self._next_version()
        self._clients[client.name] = self._clients.pop(client.name)
        return came_back

    def end(self, client: str) -> None:
        """The client is known to be gone: its lease ends now."""
        if client in self._clients:
            self._clients[client].ends_at = self._clock()

    def check(self, client: str, records: Sequence[Record]) -> None:
        """Whether these records of the client may be taken.

        Raises:
            BadRequest: one of them is another client's, or too long; says which.
            Overloaded: there is no room for them.
        """
        known = self._clients[client].entries if client in self._clients else {}
        new = 0
        for each in records:
            if each.client != client:
                raise BadRequest(f"{each.key[:80]}: is an entry of another client")
            self._check_lengths(each)
            new += each.key not in known
        if len(known) + new > self.bounds.entries_per_client:
            raise Overloaded(f"a client may have {self.bounds.entries_per_client} entries here")
        if len(self._by_version) + new > self.bounds.entries:
            raise Overloaded(f"there may be {self.bounds.entries} entries here")

    def put(self, record: Record) -> bool:
        """Takes one record, unless one that counts more is there. False when nothing has changed."""
        client, now = self._clients.get(record.client), self._clock()
        if client is None:
            return False
        gone_at = None if record.gone_ms < 0 else now - record.gone_ms / 1000
        if gone_at is None and client.ended:
            return False
        former = client.entries.get(record.key)
        if former is None and gone_at is not None and gone_at + client.kept_s <= now:
            return False
        if former is not None:
            if former.record.sequence >= record.sequence:
                return False
            self._discard(client, former)
        held = _Held(record, self._next_version(), gone_at)
        name = (record.client, record.key)
        client.entries[record.key] = self._by_version[name] = held
        self._by_interface.setdefault(record.interface_name, {})[name] = held
        if gone_at is None:
            client.digest.add(*name, record.sequence)
            self.live.add(*name, record.sequence)
        else:
            self._withdrawn[name] = held
        self.touched.add(record.interface_name)
        return True

    def knows(self, client: str, digest: str) -> bool:
        """Whether this is the digest of what is here of the client."""
        return self._clients[client].digest.text == digest

    def held(self, client: str) -> list[Record]:
        """The client's entries, withdrawn ones included."""
        found, now = self._clients.get(client), self._clock()
        return [] if found is None else [each.shown(now) for each in found.entries.values()]

    def records(self, interface: str) -> list[Record]:
        """Everything known of one interface, what was withdrawn included."""
        now = self._clock()
        return [each.shown(now) for each in self._by_interface.get(interface, {}).values()]

    def changes(self, since: int, limit: int) -> Changes:
        """What has changed since a version, oldest first; about `limit` records at most. 0 for everything."""
        now = self._clock()
        newer: list[_Held] = []
        for each in reversed(self._by_version.values()):
            if each.version <= since:
                break
            newer.append(each)
        newer.reverse()
        page = newer[:limit]
        more = len(newer) > limit
        owners = {each.record.client for each in page}
        for client in reversed(self._clients.values()):
            if client.version <= since:
                break
            owners.add(client.name)
        leases = [self._clients[name].lease(now) for name in owners]
        upto = page[-1].version if more else self.version
        return Changes(self.instance, upto, more, leases, [each.shown(now) for each in page])

    def merge(self, changes: Changes) -> bool:
        """Takes over what another server knows. True when it should tell everything, because a client came back of
        which it has told before, and which was given up here since.

        Raises:
            RpcError: as `renew` and `check`.
        """
        came_back = False
        for lease in changes.leases:
            came_back |= self.renew(lease)
        by_client: dict[str, list[Record]] = {}
        for each in changes.records:
            by_client.setdefault(each.client, []).append(each)
        for client, records in by_client.items():
            self.check(client, records)
        for each in changes.records:
            self.put(each)
        return came_back

    def expire(self) -> list[str]:
        """Gives up what has had its time. Tells which clients are there no more."""
        now = self._clock()
        ended = [each for each in self._clients.values() if not each.ended and each.ends_at <= now]
        for client in ended:
            client.ended = True
            for held in [each for each in client.entries.values() if each.gone_at is None]:
                self._remove(client, held)
        for name, held in tuple(self._withdrawn.items()):
            client = self._clients[name[0]]
            if held.gone_at is not None and held.gone_at + client.kept_s <= now:
                self._remove(client, held)
        for client in tuple(self._clients.values()):
            if client.ended and not client.entries and client.ends_at + client.kept_s <= now:
                del self._clients[client.name]
        return [each.name for each in ended]

    def _client(self, name: str, length_s: float) -> _Client:
        client = self._clients.get(name)
        if client is None:
            if not name or len(name) > _MAX_CLIENT or not name.isprintable():
                raise BadRequest(f"a client's name has 1 to {_MAX_CLIENT} characters that can be printed")
            if len(self._clients) >= self.bounds.clients:
                raise Overloaded(f"there may be {self.bounds.clients} clients here")
            client = self._clients[name] = _Client(name, length_s, self._clock())
        return client

    def _check_lengths(self, record: Record) -> None:
        for what, text in (("key", record.key), ("interface", record.interface_name)):
            if not text or len(text) > _MAX_NAME:
                raise BadRequest(f"the {what} of an entry has 1 to {_MAX_NAME} characters, not {len(text)}")
        if len(record.url) > self.bounds.entry_characters:
            raise BadRequest(
                f"{record.key[:80]}: the entry has {len(record.url)} characters; "
                f"{self.bounds.entry_characters} are taken"
            )

    def _discard(self, client: _Client, held: _Held) -> None:
        """Forgets a record, but for its place among those of its interface."""
        name = (client.name, held.record.key)
        del self._by_version[name]
        if held.gone_at is None:
            client.digest.discard(*name, held.record.sequence)
            self.live.discard(*name, held.record.sequence)
        else:
            del self._withdrawn[name]

    def _remove(self, client: _Client, held: _Held) -> None:
        interface, name = held.record.interface_name, (client.name, held.record.key)
        self._discard(client, held)
        del client.entries[held.record.key]
        of_interface = self._by_interface[interface]
        del of_interface[name]
        if not of_interface:
            del self._by_interface[interface]
        self.touched.add(interface)

    def _next_version(self) -> int:
        self.version += 1
        return self.version
