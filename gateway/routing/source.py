"""One registry as a directory sees it: what it said last, how far that can be trusted, and who is kept all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from gateway.model.endpoint import Endpoint, Identity
from gateway.routing.guard import Guard
from gateway.spi.registry import Freshness, Snapshot

__all__ = ["Source", "describe"]


class Source:
    """`name`: of the registry. `guard`: decides who is kept.

    Attributes:
        freshness: `UNKNOWN` until it has said something that stands.
        routers, configurators: The rules it holds for the service, as text.
    """

    __slots__ = ("_guard", "configurators", "freshness", "name", "routers")

    def __init__(self, name: str, guard: Guard) -> None:
        self.name: Final = name
        self._guard = guard
        self.freshness = Freshness.UNKNOWN
        self.routers: tuple[str, ...] = ()
        self.configurators: tuple[str, ...] = ()

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Everything it named, and those that are kept although it does not name them any more."""
        return self._guard.endpoints

    @property
    def missing(self) -> frozenset[Identity]:
        """See `Guard.missing`."""
        return self._guard.missing

    @property
    def in_doubt(self) -> bool:
        """See `Guard.in_doubt`."""
        return self._guard.in_doubt

    @property
    def next_s(self) -> float | None:
        """See `Guard.next_s`."""
        return self._guard.next_s()

    def take(self, snapshot: Snapshot, fits: Callable[[Endpoint], bool]) -> None:
        """It says so. What it says when it cannot be asked is no news: the list stays, and is stale.

        `fits`: whether a provider is one for the directory; a list that was never asked for counts where it has one.
        """
        if snapshot.freshness is Freshness.FRESH or any(map(fits, snapshot.endpoints)):
            self._guard.take(snapshot.endpoints, snapshot.withdrawn)
            self.freshness = snapshot.freshness
            self.routers, self.configurators = snapshot.routers, snapshot.configurators
        elif self.freshness is not Freshness.UNKNOWN or snapshot.freshness is not Freshness.UNKNOWN:
            self.freshness = Freshness.STALE

    def expire(self) -> bool:
        """See `Guard.expire`."""
        return self._guard.expire()


def describe(sources: Iterable[Source], unfit: int, refused: int) -> str:
    """For the why-trace: `registry 3 (stale, 1 missing, 1 not for this reference)`."""
    sources = tuple(sources)
    if all(each.freshness is Freshness.UNKNOWN and not each.endpoints for each in sources):
        return "registry unknown"
    notes = []
    if any(each.freshness is Freshness.STALE for each in sources):
        notes.append("stale")
    if any(each.freshness is Freshness.UNKNOWN for each in sources):
        notes.append("not all asked")
    if missing := sum(len(each.missing) for each in sources):
        notes.append(f"{missing} missing")
    if unfit:
        notes.append(f"{unfit} not for this reference")
    if refused:
        notes.append(f"{refused} refused")
    announced = sum(len(each.endpoints) for each in sources)
    return f"registry {announced} ({', '.join(notes)})" if notes else f"registry {announced}"
