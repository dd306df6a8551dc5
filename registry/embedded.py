"""A registry inside one process: for demos, tests, and services that live behind the same gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from types import MappingProxyType
from typing import Any, Final

from gateway.model.endpoint import Endpoint, Identity, ServiceKey
from gateway.spi.plugin import RegistryPlugin
from gateway.spi.registry import Snapshot
from registry.feed import Feed

__all__ = ["PLUGIN", "EmbeddedHub", "EmbeddedRegistry"]


class EmbeddedHub:
    """What the handles of one embedded registry share. Belongs to one event loop.

    A provider that several handles announce stays until the last of them withdraws it; the endpoint shown is the one
    announced last.
    """

    def __init__(self) -> None:
        self._announced: dict[ServiceKey, dict[Identity, dict[object, Endpoint]]] = {}
        self._feeds: set[Feed] = set()

    def announce(self, owner: object, endpoint: Endpoint) -> None:
        """Adds the endpoint for `owner`, or replaces what it announced at that address."""
        by_owner = self._announced.setdefault(endpoint.service, {}).setdefault(endpoint.identity, {})
        by_owner.pop(owner, None)
        by_owner[owner] = endpoint
        self._publish(endpoint.service)

    def withdraw(self, owner: object, endpoint: Endpoint) -> None:
        """Takes back what `owner` announced at the endpoint's address; nothing when it announced nothing."""
        by_identity = self._announced.get(endpoint.service, {})
        by_owner = by_identity.get(endpoint.identity, {})
        if by_owner.pop(owner, None) is None:
            return
        withdrawn: tuple[Identity, ...] = ()
        if not by_owner:
            del by_identity[endpoint.identity]
            withdrawn = (endpoint.identity,)
        if not by_identity:
            del self._announced[endpoint.service]
        self._publish(endpoint.service, withdrawn)

    def endpoints(self, service: ServiceKey) -> tuple[Endpoint, ...]:
        """The providers of this moment, in the order they were first announced."""
        covered = [service] if not service.groups else [each for each in self._announced if service.covers(each)]
        return tuple(
            next(reversed(by_owner.values())) for each in covered for by_owner in self._announced.get(each, {}).values()
        )

    def attach(self, feed: Feed) -> None:
        """Tells `feed` what there is, now and after every change, until `detach`."""
        self._feeds.add(feed)
        feed.publish(self.endpoints(feed.current.service))

    def detach(self, feed: Feed) -> None:
        """Ends `attach`."""
        self._feeds.discard(feed)

    def _publish(self, service: ServiceKey, withdrawn: Iterable[Identity] = ()) -> None:
        for feed in self._feeds:
            watched = feed.current.service
            if watched.covers(service):
                feed.publish(self.endpoints(watched), withdrawn=withdrawn)


class EmbeddedRegistry:
    """One handle on a hub (`gateway.spi.registry.Registry`); without a hub it is a registry of its own.

    Handles that share a hub see each other's providers; closing one withdraws only what it announced itself.
    """

    def __init__(self, hub: EmbeddedHub | None = None) -> None:
        self.hub: Final = hub or EmbeddedHub()
        self._own: dict[Identity, Endpoint] = {}
        self._feeds: set[Feed] = set()
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
        self._own[endpoint.identity] = endpoint
        self.hub.announce(self, endpoint)
        await _watchers_turn()

    async def unregister(self, endpoint: Endpoint) -> None:
        """Withdraws what this handle announced at the endpoint's address; returns as `register` does."""
        self._own.pop(endpoint.identity, None)
        self.hub.withdraw(self, endpoint)
        await _watchers_turn()

    async def watch(self, service: ServiceKey) -> AsyncGenerator[Snapshot, None]:
        """The snapshot now, then one whenever it differs from the last. Ends when this handle is closed."""
        if self._closed:
            return
        feed = Feed(service)
        self._feeds.add(feed)
        self.hub.attach(feed)
        try:
            async with aclosing(feed.watch()) as snapshots:
                async for snapshot in snapshots:
                    yield snapshot
        finally:
            self._feeds.discard(feed)
            self.hub.detach(feed)

    async def aclose(self) -> None:
        """Withdraws everything announced here and ends this handle's watches."""
        self._closed = True
        for endpoint in self._own.values():
            self.hub.withdraw(self, endpoint)
        self._own.clear()
        for feed in self._feeds:
            feed.close()


async def _watchers_turn() -> None:
    # The watches were woken before this is queued, so they run first.
    await asyncio.sleep(0)


def _build(options: Mapping[str, Any]) -> EmbeddedRegistry:
    return EmbeddedRegistry()


PLUGIN: Final = RegistryPlugin("embedded", MappingProxyType({}), _build, is_local=True)
