"""What was known of services when a process ran last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.model.endpoint import Endpoint, ServiceKey

__all__ = ["Memory"]


class Memory(Protocol):
    """For starts at which a registry cannot be asked."""

    def recall(self, registry: str, service: ServiceKey) -> Sequence[Endpoint]:
        """The providers that the registry named last; empty where nothing is known."""
        ...

    def remember(self, registry: str, service: ServiceKey, endpoints: Sequence[Endpoint]) -> None:
        """The registry names these now. Returns at once, and raises nothing."""
        ...
