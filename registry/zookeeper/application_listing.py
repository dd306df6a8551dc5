"""What is registered by application in ZooKeeper, read whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final, TypeVar

from gateway.model.endpoint import Endpoint
from gateway.model.errors import RegistryError
from gateway.spi.registry_ability import Skipped
from gateway.telemetry.logs import shorten
from registry.instance import Instance, is_name, read_instance, read_mapping
from registry.metadata import Metadata, offered_by
from registry.slice import Slice
from registry.zookeeper.metadata_source import MetadataSource
from registry.zookeeper.session import Session

__all__ = ["bounded", "read_applications", "read_instances"]

_AT_ONCE: Final = 64
_ASKED: Final = 3
"""Instances of a revision, until one says what it means."""
_T = TypeVar("_T")


async def read_applications(session: Session, source: MetadataSource) -> tuple[list[Endpoint], list[Skipped]]:
    """The providers that all instances are, and what cannot be used. Raises RegistryError when it cannot be read."""
    instances, skipped = await read_instances(session, source)
    revisions: dict[tuple[str, str], list[Instance]] = {}
    for each in instances:
        if each.revision:
            revisions.setdefault((each.application, each.revision), []).append(each)
    found = await bounded([partial(_metadata, source, those[:_ASKED]) for those in revisions.values()])
    endpoints: list[Endpoint] = []
    piece = Slice()
    for those, metadata in zip(revisions.values(), found, strict=True):
        if isinstance(metadata, str):
            skipped.append(Skipped(f"{len(those)} of {those[0].application}", shorten(metadata)))
            continue
        skipped += metadata.skipped
        for instance in those:
            for offers in metadata.offers.values():
                for offer in offers:
                    endpoint, skipped_now = offered_by(instance, offer)
                    endpoints += [endpoint] if endpoint is not None else []
                    skipped += skipped_now
                    await piece.breathe()
    return endpoints, skipped


async def read_instances(session: Session, source: MetadataSource) -> tuple[list[Instance], list[Skipped]]:
    """Everything that Dubbo 3 registered by application, and what is there that cannot be used.

    Applications are those that some mapping names, and those in the folder that holds nothing else. Raises
    RegistryError when it cannot be read.
    """
    skipped: list[Skipped] = []
    interfaces = await session.children(source.paths.mappings) or []
    applications = set(await session.children(source.paths.folders[0]) or ()) if source.paths.has_own_folder else set()
    for interface, data in await _held(session, (source.paths.mapping(each) for each in interfaces)):
        try:
            applications.update(read_mapping(data))
        except ValueError as exc:
            skipped.append(Skipped(shorten(interface), str(exc)))
    places = [
        (folder, each) for each in sorted(applications) if is_name(each) for folder in source.paths.instances(each)
    ]
    names = await bounded([partial(session.children, folder) for folder, _ in places])
    nodes = {
        f"{folder}/{name}": application
        for (folder, application), those in zip(places, names, strict=True)
        for name in those or ()
        if ":" in name
    }
    instances: list[Instance] = []
    piece = Slice()
    for path, data in await _held(session, nodes):
        try:
            instances.append(read_instance(data, nodes[path]))
        except ValueError as exc:
            skipped.append(Skipped(shorten(path), str(exc)))
        await piece.breathe()
    return instances, skipped


async def bounded(asks: Iterable[Callable[[], Awaitable[_T]]]) -> list[_T]:
    """All answers, in order, so many at once as do no harm."""
    waiting = list(asks)
    found: list[_T] = []
    for start in range(0, len(waiting), _AT_ONCE):
        found += await asyncio.gather(*(each() for each in waiting[start : start + _AT_ONCE]))
    return found


async def _held(session: Session, paths: Iterable[str]) -> list[tuple[str, bytes]]:
    all_paths = list(paths)
    found = await bounded([partial(session.data, each) for each in all_paths])
    return [(path, data) for path, data in zip(all_paths, found, strict=True) if data is not None]


async def _metadata(source: MetadataSource, instances: list[Instance]) -> Metadata | str:
    """Why there is none, where there is none."""
    trouble = ""
    for each in instances:
        try:
            return await source.fetch(each)
        except RegistryError as exc:
            trouble = f"{each}: {exc}"
    return trouble
