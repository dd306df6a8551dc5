"""Providers named by address: a fixed list behind the interface of a registry, so there is one way to find them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.spi.plugin import RegistryPlugin
from gateway.spi.registry import Freshness, Snapshot

__all__ = ["PLUGIN", "DirectRegistry"]


class DirectRegistry:
    """A registry that knows what it was given and never changes (`gateway.spi.registry.Registry`)."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._endpoints = tuple(endpoints)
        self._closed = asyncio.Event()

    async def start(self) -> None:
        """Nothing to connect to."""

    async def register(self, endpoint: Endpoint) -> None:
        """Raises RuntimeError: nobody reads announcements here."""
        raise RuntimeError(f"a list of addresses cannot announce {endpoint}")

    async def unregister(self, endpoint: Endpoint) -> None:
        """Nothing was announced, nothing to withdraw."""

    async def watch(self, service: ServiceKey) -> AsyncGenerator[Snapshot, None]:
        """The endpoints of `service`, once; then waits until the registry is closed."""
        endpoints = tuple(each for each in self._endpoints if service.covers(each.service))
        yield Snapshot(service, endpoints, Freshness.FRESH)
        await self._closed.wait()

    async def aclose(self) -> None:
        """Ends all watches."""
        self._closed.set()


def _build(options: Mapping[str, Any]) -> DirectRegistry:
    return DirectRegistry(options.get("endpoints", ()))


PLUGIN: Final = RegistryPlugin("direct", MappingProxyType({}), _build, is_local=True)
"""Not for the section `registries`, where addresses belong to a service: the runtime builds it with `endpoints`, a
sequence of `Endpoint`."""
