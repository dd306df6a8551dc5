"""What a simple registry is asked, as an ordinary contract: any wire with callbacks can carry it.

Everything a client says carries a number of its own that only grows (`sequence`), so it does not matter in which order,
how often and by which way something arrives: of one entry the record with the highest number counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from gateway.contracts import I32, I64, method, service

__all__ = [
    "LIVE",
    "Changes",
    "Lease",
    "Listener",
    "Merged",
    "Record",
    "ServiceList",
    "SimpleRegistryService",
    "Standing",
]

LIVE: Final = -1
"""`Record.gone_ms` of an entry that is there."""


@dataclass(frozen=True, slots=True)
class Record:
    """What one client said last of one of its entries.

    `client`: whose it is. `interface_name`: of the service. `key`: which of the entries of the client.
    `url`: a provider's or a consumer's, as `registry.entries` reads them. `gone_ms`: `LIVE`, or how many ms ago
    it was withdrawn; the record is kept for a while all the same, so that it does not come back from somewhere else.
    """

    client: str
    interface_name: str
    key: str
    url: str
    sequence: I64
    gone_ms: I64 = LIVE


@dataclass(frozen=True, slots=True)
class Lease:
    """A client says that it is there. `length_ms`: for how long that holds; `left_ms`: how much of it is left."""

    client: str
    sequence: I64
    length_ms: I64
    left_ms: I64


@dataclass(frozen=True, slots=True)
class ServiceList:
    """All providers of one interface, in every group and version, and those withdrawn lately."""

    interface_name: str
    records: list[Record]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a server stands with a client.

    `instance`: names this run of the server. `knows`: whether it has exactly the entries of the client's digest.
    `watching`: how many interfaces it tells this client of. `entries`, `digest`: of everything that it has.
    `wall_ms`: what its clock says, milliseconds since 1970.
    """

    instance: str
    knows: bool
    watching: I32
    entries: I32
    digest: str
    wall_ms: I64


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed in a server since some version of it.

    `upto`: the version up to which this tells everything. `more`: whether there is more already.
    """

    instance: str
    upto: I64
    more: bool
    leases: list[Lease]
    records: list[Record]


@dataclass(frozen=True, slots=True)
class Merged:
    """A server took over changes. `wants_all`: it has forgotten a client that came back, so tell it everything."""

    instance: str
    wants_all: bool


@service("polyport.SimpleRegistryListener")
class Listener(Protocol):
    """A client, as a server calls it back."""

    async def changed(self, lists: list[ServiceList]) -> None:
        """These interfaces have changed, or were watched just now. The next lists come when this has returned."""
        ...


@service("polyport.SimpleRegistry")
class SimpleRegistryService(Protocol):
    """One server of a simple registry. Calls that ask for too much are refused with `Overloaded` or `BadRequest`."""

    @method(idempotent=True)
    async def heartbeat(self, lease: Lease, digest: str) -> Standing:
        """The client is there. `digest`: of the entries it believes to have here (`registry.simple.digest`)."""
        ...

    @method(idempotent=True)
    async def announce(self, lease: Lease, records: list[Record]) -> None:
        """Takes entries of one client: new, changed and withdrawn ones. All of them or, when it raises, none."""
        ...

    @method(idempotent=True)
    async def held(self, client: str) -> list[Record]:
        """The entries of a client that are there or were withdrawn lately."""
        ...

    @method(idempotent=True)
    async def watch(self, client: str, interfaces: list[str], listener: Listener) -> None:
        """Tells the listener, from now on and of these interfaces as well: at once, and whenever they change."""
        ...

    @method(idempotent=True)
    async def unwatch(self, client: str, interfaces: list[str]) -> None:
        """Tells the client of these interfaces no more."""
        ...

    @method(idempotent=True)
    async def changes(self, instance: str, since: I64, wait_ms: I32) -> Changes:
        """What has changed since version `since` of this `instance`; everything for another one, in pages.

        Waits up to `wait_ms` for something to tell.
        """
        ...

    @method(idempotent=True)
    async def merge(self, changes: Changes) -> Merged:
        """Takes over what another server knows."""
        ...
