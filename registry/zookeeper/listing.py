"""A registry in ZooKeeper, read whole, and what others announced taken back."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint
from gateway.model.errors import RegistryError
from gateway.spi.registry_ability import Listing, Skipped
from registry.entries import CONSUMERS, PROVIDERS, read_consumers, read_providers
from registry.slice import Slice
from registry.zookeeper.application_listing import read_applications
from registry.zookeeper.layout import category_path
from registry.zookeeper.metadata_source import MetadataSource
from registry.zookeeper.session import Session
from registry.zookeeper.watch import read_names

__all__ = ["read_listing", "remove_provider"]

_AT_ONCE: Final = 64


async def read_listing(session: Session, root: str, source: MetadataSource | None = None) -> Listing:
    """Everything below `root`, and what is registered by application where there is a source of what that means.

    Raises RegistryError when it cannot be read."""
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
    if source is None:
        return Listing(endpoints, consumers, skipped)
    known = {each.identity for each in endpoints}
    try:
        found, skipped_now = await read_applications(session, source)
    except RegistryError as exc:
        if not session.is_connected:
            raise
        # What is registered by interface is shown all the same.
        found, skipped_now = [], [Skipped("applications", str(exc))]
    others = {each.identity: each for each in found if each.identity not in known}
    return Listing([*endpoints, *others.values()], consumers, [*skipped, *skipped_now], others.keys())


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
