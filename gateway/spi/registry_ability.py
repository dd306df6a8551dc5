"""What else a registry may be able to do, asked for with `isinstance`. One that cannot is a registry all the same."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, Identity

__all__ = [
    "ConsumerRegistry",
    "DiagnosableRegistry",
    "EditableRegistry",
    "Finding",
    "ListedRegistry",
    "Listing",
    "Skipped",
    "TakeoverRegistry",
]


@runtime_checkable
class ConsumerRegistry(Protocol):
    """Shows people who calls what."""

    async def register_consumer(self, consumer: Consumer) -> None:
        """As `Registry.register`."""
        ...

    async def unregister_consumer(self, consumer: Consumer) -> None:
        """As `Registry.unregister`."""
        ...


@runtime_checkable
class TakeoverRegistry(Protocol):
    """Knows what a process left behind that ended without a word."""

    async def take_over(self, endpoints: Sequence[Endpoint]) -> None:
        """This process listens where these say, as nobody else does, and is about to register them.

        What stands there of a former process of the same application is taken back, and consumers are given a moment to
        see it. Raises nothing: it is a courtesy to them.
        """
        ...


@dataclass(frozen=True, slots=True)
class Skipped:
    """An entry of a registry that cannot be used. `entry`: as it stands there, shortened. `reason`: why."""

    entry: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything in a registry at one moment. `by_application`: those of `endpoints` that are registered by application
    alone, not by interface (Dubbo 3)."""

    endpoints: Sequence[Endpoint]
    consumers: Sequence[Consumer] = ()
    skipped: Sequence[Skipped] = ()
    by_application: Set[Identity] = frozenset()


@runtime_checkable
class ListedRegistry(Protocol):
    """Can be read whole."""

    async def listing(self) -> Listing:
        """Everything there is, over all services.

        Raises:
            RegistryError: it cannot be asked.
        """
        ...


@runtime_checkable
class EditableRegistry(Protocol):
    """Lets people take back what others have announced."""

    async def remove(self, endpoint: Endpoint) -> bool:
        """Takes back every entry of this provider (`Endpoint.identity`), whoever announced it. False if there is none.

        Whoever announced it and is alive announces it again.

        Raises:
            RegistryError: it cannot be asked, or does not allow it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `advice`: what to do about it; empty where all is well."""

    what: str
    is_well: bool
    detail: str
    advice: str = ""


@runtime_checkable
class DiagnosableRegistry(Protocol):
    """Can say what is wrong with it."""

    async def diagnose(self) -> Sequence[Finding]:
        """Looks at everything in turn; what cannot be reached ends it. Raises nothing."""
        ...
