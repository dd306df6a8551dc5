"""A service that stands in a registry under another name than its contract's: Java names where Dubbo looks too."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from gateway.model.contract import ServiceContract
from gateway.model.endpoint import Endpoint, Identity, ServiceKey
from gateway.spi.registry import Registry, Snapshot

__all__ = ["NamedRegistry", "name_in"]


def name_in(names: str, service: ServiceKey, contract: ServiceContract | None) -> ServiceKey:
    """How a service is called in a registry that has the names of `names` (`RegistryPlugin.names`)."""
    if not names or contract is None or service.interface != contract.name:
        return service
    return ServiceKey(contract.names.get(names, contract.name), service.group, service.version)


class NamedRegistry:
    """A registry as one reference sees it, whose service is called `there` in it (`gateway.spi.registry.Registry`).

    What it shows has the names of `here`. It belongs to whoever owns the registry behind it.
    """

    def __init__(self, registry: Registry, here: ServiceKey, there: ServiceKey) -> None:
        self.registry: Final = registry
        self._here = here
        self._there = there

    async def start(self) -> None:
        """Whoever owns the registry behind it starts that."""

    async def register(self, endpoint: Endpoint) -> None:
        """See `Registry.register`."""
        await self.registry.register(replace(endpoint, service=self._renamed(endpoint.service, self._there)))

    async def unregister(self, endpoint: Endpoint) -> None:
        """See `Registry.unregister`."""
        await self.registry.unregister(replace(endpoint, service=self._renamed(endpoint.service, self._there)))

    async def watch(self, service: ServiceKey) -> AsyncGenerator[Snapshot, None]:
        """See `Registry.watch`."""
        async with aclosing(self.registry.watch(self._renamed(service, self._there))) as snapshots:
            async for snapshot in snapshots:
                yield replace(
                    snapshot,
                    service=service,
                    endpoints=tuple(
                        replace(each, service=self._renamed(each.service, self._here)) for each in snapshot.endpoints
                    ),
                    withdrawn=frozenset(map(self._back, snapshot.withdrawn)),
                )

    async def aclose(self) -> None:
        """Whoever owns the registry behind it closes that."""

    def _back(self, identity: Identity) -> Identity:
        protocol, host, port, service = identity
        return protocol, host, port, self._renamed(service, self._here)

    def _renamed(self, service: ServiceKey, name: ServiceKey) -> ServiceKey:
        return ServiceKey(name.interface, service.group, service.version)
