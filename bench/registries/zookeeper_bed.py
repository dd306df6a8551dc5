"""The registry in ZooKeeper, measured."""

from __future__ import annotations

import asyncio
import re
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Final

from kazoo.client import KazooClient

from bench.registries.bed import ServerBed, opened
from bench.registries.population import OWN, PROVIDERS, SERVICES, endpoints, service
from bench.registries.zookeeper_server import ZookeeperServer
from gateway.spi.registry import Registry
from registry.entries import CATEGORIES, provider_url
from registry.entries import PROVIDERS as PROVIDERS_CATEGORY
from registry.zookeeper.layout import category_path, encode_name, parse_ensemble
from registry.zookeeper.registry import ZookeeperRegistry

__all__ = ["ZookeeperBed"]

_ROOT: Final = "/dubbo"
_EPHEMERALS: Final = re.compile(rb"^zk_ephemerals_count\s+(\d+)$", re.MULTILINE)


class ZookeeperBed(ServerBed):
    """One server, emptied whenever it starts."""

    name = "zookeeper"

    def __init__(self, folder: Path) -> None:
        self._server = ZookeeperServer(folder, memory_mb=512)

    def open(self) -> AbstractAsyncContextManager[Registry]:
        """See `Bed.open`."""
        return opened(ZookeeperRegistry(parse_ensemble(self._server.address)))

    async def start(self) -> None:
        """See `ServerBed.start`."""
        await asyncio.to_thread(self._server.start)

    async def stop(self) -> None:
        """See `ServerBed.stop`."""
        await asyncio.to_thread(self._server.kill)
        await asyncio.to_thread(self._server.wipe)

    async def fill(self) -> None:
        """See `ServerBed.fill`."""
        await asyncio.to_thread(self._fill)

    async def await_own(self) -> None:
        """See `ServerBed.await_own`."""
        found = 0
        while found < OWN:
            await asyncio.sleep(0.02)
            # Without a client, which would take its share of this process.
            found = await asyncio.to_thread(self._own)

    def _own(self) -> int:
        with suppress(OSError):
            found = _EPHEMERALS.search(self._server.ask(b"mntr"))
            return int(found[1]) if found else 0
        return 0

    def _fill(self) -> None:
        client = KazooClient(self._server.address)
        client.start()
        try:
            for number in range(SERVICES):
                folders = [category_path(_ROOT, service(number).interface, each) for each in CATEGORIES]
                for each in [client.create_async(folder, makepath=True) for folder in folders]:
                    each.get()
                folder = folders[CATEGORIES.index(PROVIDERS_CATEGORY)]
                names = [encode_name(provider_url(each)) for each in endpoints([number], PROVIDERS)]
                for each in [client.create_async(f"{folder}/{name}") for name in names]:
                    each.get()
        finally:
            client.stop()
            client.close()
