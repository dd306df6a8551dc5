"""Where the metadata of a revision comes from: a node, or a process that has it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final

from gateway.model.errors import GatewayError, RegistryError
from gateway.model.fault import ServiceError
from gateway.spi.registry_host import RegistryHost
from registry.instance import Instance
from registry.metadata import MAX_METADATA, Metadata, read_metadata, read_metadata_info
from registry.metadata_service import MetadataService
from registry.zookeeper.layout import ApplicationPaths
from registry.zookeeper.session import Session

__all__ = ["MetadataSource"]

_ASKED_AT_ONCE: Final = 32
_ASKED_AGAIN_AT_ONCE: Final = 8
"""Apart from the others: those that do not answer are not to hold up those that would."""
_CALL_S: Final = 3.0
_QUIET_S: Final = 60.0
_PROTOCOL: Final = "dubbo"


class MetadataSource:
    """Shared by all applications. `host`: None where processes cannot be asked."""

    def __init__(self, session: Session, paths: ApplicationPaths, host: RegistryHost | None) -> None:
        self._session = session
        self.paths: Final = paths
        self._host = host
        self._asking = asyncio.Semaphore(_ASKED_AT_ONCE)
        self._asking_again = asyncio.Semaphore(_ASKED_AGAIN_AT_ONCE)

    async def fetch(self, instance: Instance, *, again: bool = False) -> Metadata:
        """What this instance provides. Takes a few seconds at most, but waits for others. `again`: it, or another of
        the revision, did not say so before.

        Raises:
            RegistryError: it cannot be had, now; with the reasons.
        """
        asking = self._asking_again if again else self._asking
        ways: list[Callable[[Instance], Awaitable[Metadata]]] = [self._read, partial(self._ask, asking=asking)]
        troubles = []
        # The other way as well: metadata may be reported all the same, or a report be lost.
        for way in ways if instance.is_remote else reversed(ways):
            try:
                return await way(instance)
            except (GatewayError, ServiceError, ValueError) as exc:
                troubles.append(str(exc))
        raise RegistryError(f"no metadata of revision {instance.revision}: {'; '.join(troubles)}")

    async def _read(self, instance: Instance) -> Metadata:
        path = self.paths.metadata(instance.application, instance.revision)
        data = await self._session.data(path)
        if data is None:
            raise RegistryError(f"there is no node {path}")
        return read_metadata(data)

    async def _ask(self, instance: Instance, *, asking: asyncio.Semaphore) -> Metadata:
        if instance.metadata_service is None:
            raise RegistryError("it does not say where it answers for it")
        protocol, port, version = instance.metadata_service
        if protocol != _PROTOCOL:
            raise RegistryError(f"it answers for it over {protocol}")
        if self._host is None:
            raise RegistryError("nobody can be asked from here")
        async with asking:
            client = self._host.connect(
                (instance.host, port),
                MetadataService,
                "",
                _CALL_S,
                _QUIET_S,
                group=instance.application,
                version=version,
                message_bytes=MAX_METADATA,
                is_logged=False,
            )
            try:
                info = await client.proxy.getMetadataInfo(instance.revision)
            finally:
                with suppress(GatewayError):
                    await client.aclose()
        if info is None:
            raise RegistryError("it does not know it")
        return read_metadata_info(info)
