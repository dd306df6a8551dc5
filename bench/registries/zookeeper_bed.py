"""The registry in ZooKeeper, measured."""

from __future__ import annotations

import asyncio
import re
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any, Final

from kazoo.client import KazooClient

from bench.registries.bed import ServerBed, opened
from bench.registries.population import OWN, PROVIDERS, SERVICES, endpoints, service
from bench.registries.zookeeper_server import ZookeeperServer
from gateway.spi.registry import Registry
from registry.entries import CATEGORIES, provider_url
from registry.entries import PROVIDERS as PROVIDERS_CATEGORY
from registry.zookeeper.layout import category_path, encode_name, parent_of, parse_ensemble
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
            client.create(_ROOT)
            # A change for each service: node by node it would take longer than everything that is measured.
            changes = [self._announce(client, number) for number in range(SERVICES)]
            for each in changes:
                if troubles := [result for result in each.get() if isinstance(result, Exception)]:
                    raise troubles[0]
        finally:
            client.stop()
            client.close()

    def _announce(self, client: Any, number: int) -> Any:
        interface = service(number).interface
        folders = {each: category_path(_ROOT, interface, each) for each in CATEGORIES}
        change = client.transaction()
        change.create(parent_of(folders[PROVIDERS_CATEGORY]))
        for folder in folders.values():
            change.create(folder)
        for each in endpoints([number], PROVIDERS):
            change.create(f"{folders[PROVIDERS_CATEGORY]}/{encode_name(provider_url(each))}")
        return change.commit_async()
