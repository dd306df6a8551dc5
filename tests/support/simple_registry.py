"""Simple registries over real sockets on loopback, and how to look at what they say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager

from gateway.model.endpoint import Endpoint, Identity, ServiceKey, parse_address
from gateway.plugins.catalog import Catalog
from gateway.runtime.registry_host import DubboRegistryHost
from gateway.spi.registry import Freshness, Snapshot
from registry.simple.registry import SimpleRegistry

__all__ = ["PATIENCE_S", "SERVICE", "Seen", "provider", "seeing", "simple", "until"]

PATIENCE_S = 10.0
SERVICE = ServiceKey("demo.Catalog")
_CATALOG = Catalog([])


def provider(port: int, service: ServiceKey = SERVICE, weight: int = 100) -> Endpoint:
    return Endpoint("dubbo", "10.0.0.1", port, service, weight)


@asynccontextmanager
async def simple(
    *servers: str, serve: str = "", lease_s: float = 15.0, token: str = ""
) -> AsyncIterator[SimpleRegistry]:
    """A started registry; closed at the end."""
    addresses = [parse_address(each) for each in servers]
    made = SimpleRegistry(parse_address(serve) if serve else None, addresses, lease_s=lease_s, token=token)
    made.hosted_by(DubboRegistryHost(_CATALOG, "test", "test"))
    await made.start()
    try:
        yield made
    finally:
        async with asyncio.timeout(PATIENCE_S):
            await made.aclose()


class Seen:
    """What a watch has shown."""

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []
        self.withdrawn: set[Identity] = set()

    @property
    def last(self) -> Snapshot:
        return self.snapshots[-1]

    @property
    def ports(self) -> Sequence[int]:
        """Of the last snapshot, sorted."""
        return sorted(each.port for each in self.last.endpoints)

    @property
    def freshness(self) -> Freshness:
        return self.last.freshness

    def shows(self, *ports: int, freshness: Freshness = Freshness.FRESH) -> bool:
        return bool(self.snapshots) and self.freshness is freshness and self.ports == list(ports)


@asynccontextmanager
async def seeing(registry: SimpleRegistry, service: ServiceKey = SERVICE) -> AsyncIterator[Seen]:
    """Watches for as long as the block lasts."""
    seen = Seen()

    async def watch() -> None:
        async with aclosing(registry.watch(service)) as snapshots:
            async for snapshot in snapshots:
                seen.snapshots.append(snapshot)
                seen.withdrawn |= snapshot.withdrawn

    task = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(condition: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)
