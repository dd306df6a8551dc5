"""A registry inside one process: for demos, tests, and services that live behind the same gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.spi.plugin import RegistryPlugin
from gateway.spi.registry import Freshness, Snapshot

__all__ = ["PLUGIN", "EmbeddedHub", "EmbeddedRegistry"]

_Address = tuple[str, str, int]


class EmbeddedHub:
    """What the handles of one embedded registry share. Belongs to one event loop.

    A provider that several handles announce stays until the last of them withdraws it; the endpoint shown is the one
    announced last.
    """

    def __init__(self) -> None:
        self._announced: dict[ServiceKey, dict[_Address, dict[object, Endpoint]]] = {}
        self._watchers: dict[ServiceKey, set[asyncio.Event]] = {}

    def announce(self, owner: object, endpoint: Endpoint) -> None:
        """Adds the endpoint for `owner`, or replaces what it announced at that address."""
        by_owner = self._announced.setdefault(endpoint.service, {}).setdefault(_address(endpoint), {})
        by_owner.pop(owner, None)
        by_owner[owner] = endpoint
        self._wake(endpoint.service)

    def withdraw(self, owner: object, endpoint: Endpoint) -> None:
        """Takes back what `owner` announced at the endpoint's address; nothing when it announced nothing."""
        by_address = self._announced.get(endpoint.service, {})
        by_owner = by_address.get(_address(endpoint), {})
        if by_owner.pop(owner, None) is None:
            return
        if not by_owner:
            del by_address[_address(endpoint)]
        if not by_address:
            del self._announced[endpoint.service]
        self._wake(endpoint.service)

    def snapshot(self, service: ServiceKey) -> Snapshot:
        """The providers of this moment, in the order they were first announced."""
        covered = [service] if not service.groups else [each for each in self._announced if service.covers(each)]
        endpoints = tuple(
            next(reversed(by_owner.values())) for each in covered for by_owner in self._announced.get(each, {}).values()
        )
        return Snapshot(service, endpoints, Freshness.FRESH)

    def attach(self, service: ServiceKey, changed: asyncio.Event) -> None:
        """Sets `changed` at every change of `service` until `detach`."""
        self._watchers.setdefault(service, set()).add(changed)

    def detach(self, service: ServiceKey, changed: asyncio.Event) -> None:
        """Ends `attach`."""
        watchers = self._watchers[service]
        watchers.discard(changed)
        if not watchers:
            del self._watchers[service]

    def _wake(self, service: ServiceKey) -> None:
        for watched, changes in self._watchers.items():
            if watched.covers(service):
                for changed in changes:
                    changed.set()


class EmbeddedRegistry:
    """One handle on a hub (`gateway.spi.registry.Registry`); without a hub it is a registry of its own.

    Handles that share a hub see each other's providers; closing one withdraws only what it announced itself.
    """

    def __init__(self, hub: EmbeddedHub | None = None) -> None:
        self.hub: Final = hub or EmbeddedHub()
        self._own: dict[tuple[ServiceKey, _Address], Endpoint] = {}
        self._watching: set[asyncio.Event] = set()
        self._closed = False

    async def start(self) -> None:
        """Nothing to connect to."""

    async def register(self, endpoint: Endpoint) -> None:
        """Announces the endpoint; again with another weight or other parameters replaces it.

        When this returns, every watch that was waiting has shown the change.

        Raises:
            RuntimeError: after `aclose`.
        """
        if self._closed:
            raise RuntimeError("the registry is closed")
        self._own[endpoint.service, _address(endpoint)] = endpoint
        self.hub.announce(self, endpoint)
        await _watchers_turn()

    async def unregister(self, endpoint: Endpoint) -> None:
        """Withdraws what this handle announced at the endpoint's address; returns as `register` does."""
        self._own.pop((endpoint.service, _address(endpoint)), None)
        self.hub.withdraw(self, endpoint)
        await _watchers_turn()

    async def watch(self, service: ServiceKey) -> AsyncGenerator[Snapshot, None]:
        """The snapshot now, then one whenever it differs from the last. Ends when this handle is closed."""
        changed = asyncio.Event()
        self.hub.attach(service, changed)
        self._watching.add(changed)
        shown: Snapshot | None = None
        try:
            while not self._closed:
                # Cleared before looking: a change during the `yield` is found by the next turn.
                changed.clear()
                snapshot = self.hub.snapshot(service)
                if snapshot != shown:
                    shown = snapshot
                    yield snapshot
                await changed.wait()
        finally:
            self._watching.discard(changed)
            self.hub.detach(service, changed)

    async def aclose(self) -> None:
        """Withdraws everything announced here and ends this handle's watches."""
        self._closed = True
        for endpoint in self._own.values():
            self.hub.withdraw(self, endpoint)
        self._own.clear()
        for changed in self._watching:
            changed.set()


async def _watchers_turn() -> None:
    # The watches were woken before this is queued, so they run first.
    await asyncio.sleep(0)


def _address(endpoint: Endpoint) -> _Address:
    return endpoint.protocol, endpoint.host, endpoint.port


def _build(options: Mapping[str, Any]) -> EmbeddedRegistry:
    return EmbeddedRegistry()


PLUGIN: Final = RegistryPlugin("embedded", MappingProxyType({}), _build)
