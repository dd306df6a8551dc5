"""The interface of a registry: announce endpoints, watch services. Always whole snapshots, never deltas."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from gateway.model.endpoint import Endpoint, Identity, ServiceKey

__all__ = ["Freshness", "Registry", "Snapshot"]


class Freshness(Enum):
    """How far a snapshot can be trusted. An empty fresh list and "could not ask" are different things."""

    FRESH = "fresh"
    """The registry says so now."""
    STALE = "stale"
    """The last thing it said; it cannot be asked at present."""
    UNKNOWN = "unknown"
    """It has never been asked successfully."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All providers of a service at one moment, over all protocols.

    `withdrawn`: those that went by their own word since the snapshot before, as far as the registry can tell that from
    providers it has merely lost. `routers`, `configurators`: the rules of the service as they are written there.
    """

    service: ServiceKey
    endpoints: tuple[Endpoint, ...]
    freshness: Freshness
    withdrawn: frozenset[Identity] = frozenset()
    routers: tuple[str, ...] = ()
    configurators: tuple[str, ...] = ()


class Registry(Protocol):
    """Publishes and watches endpoints. Life: construct, `start`, use, `aclose`."""

    async def start(self) -> None:
        """Begins connecting; returns without waiting for a registry that is down (snapshots say UNKNOWN)."""
        ...

    async def register(self, endpoint: Endpoint) -> None:
        """Announces the endpoint and keeps it announced until `unregister` or `aclose`, whatever the registry goes
        through.

        At an address that is announced already it replaces what was said there: another weight, other parameters.
        Returns when the registry has it, or after a moment when it cannot be reached; raises nothing for that.
        """
        ...

    async def unregister(self, endpoint: Endpoint) -> None:
        """Withdraws the endpoint; unknown ones are ignored."""
        ...

    def watch(self, service: ServiceKey) -> AsyncGenerator[Snapshot, None]:
        """The snapshot now, then a new one for every change. Closing the generator ends the watch.

        A service whose group stands for several (`ServiceKey.groups`) gives the providers of all that it covers. Slow
        readers miss intermediate snapshots, never the last one.
        """
        ...

    async def aclose(self) -> None:
        """Withdraws everything announced here and ends all watches."""
        ...
