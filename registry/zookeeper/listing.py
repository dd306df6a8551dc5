"""A registry in ZooKeeper, read whole, and what others announced taken back."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint
from gateway.spi.registry_ability import Listing, Skipped
from registry.entries import CONSUMERS, PROVIDERS, read_consumers, read_providers
from registry.slice import Slice
from registry.zookeeper.layout import category_path
from registry.zookeeper.session import Session
from registry.zookeeper.watch import read_names

__all__ = ["read_listing", "remove_provider"]

_AT_ONCE: Final = 64


async def read_listing(session: Session, root: str) -> Listing:
    """Everything below `root`. Raises RegistryError when it cannot be read."""
    endpoints: list[Endpoint] = []
    consumers: list[Consumer] = []
    skipped: list[Skipped] = []
    readers: dict[str, tuple[Any, list[Any]]] = {
        PROVIDERS: (partial(read_providers, service=None), endpoints),
        CONSUMERS: (read_consumers, consumers),
    }
    piece = Slice()
    services = sorted(await session.children(root) or ())
    for start in range(0, len(services), _AT_ONCE):
        places = [(service, category) for service in services[start : start + _AT_ONCE] for category in readers]
        for (_, category), names in zip(
            places, await asyncio.gather(*(session.children(f"{root}/{a}/{b}") for a, b in places)), strict=True
        ):
            read, found = readers[category]
            # Rules and metadata of Dubbo 3 stand there as well, without such folders.
            read_now, skipped_now = read_names(sorted(names or ()), read)
            found += read_now
            skipped += skipped_now
            await piece.breathe()
    return Listing(endpoints, consumers, skipped)


async def remove_provider(session: Session, root: str, endpoint: Endpoint) -> bool:
    """Deletes every node of this provider. False when there is none. Raises RegistryError when it cannot be done."""
    folder = category_path(root, endpoint.service.interface, PROVIDERS)
    removed = False
    for name in await session.children(folder) or ():
        found, _ = read_names([name], partial(read_providers, service=endpoint.service))
        if any(each.identity == endpoint.identity for each in found):
            await session.delete(f"{folder}/{name}")
            removed = True
    return removed
