"""Somebody else's client of a ZooKeeper server, and a registry of ours on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any, Final
from urllib.parse import quote

from kazoo.client import KazooClient

from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.plugins.catalog import Catalog
from gateway.runtime.registry_host import DubboRegistryHost
from gateway.spi.registry import Freshness, Snapshot
from registry.zookeeper.layout import parse_ensemble
from registry.zookeeper.registry import ZookeeperRegistry

__all__ = ["at", "eventually", "fresh_ports", "next_that", "node_of", "other_client", "provider_and_watch", "running"]

_WAIT_S: Final = 10.0


@contextmanager
def other_client(address: str, **options: Any) -> Iterator[Any]:
    """A connected client of kazoo."""
    client = KazooClient(address, **options)
    client.start(_WAIT_S)
    try:
        yield client
    finally:
        client.stop()
        client.close()


@asynccontextmanager
async def running(address: str, **options: Any) -> AsyncIterator[ZookeeperRegistry]:
    """A registry that is started, as an application runs it."""
    registry = ZookeeperRegistry(parse_ensemble(address), **{"session_s": 2.0, "timeout_s": 2.0, **options})
    registry.hosted_by(DubboRegistryHost(Catalog([]), "test", "test"))
    await registry.start()
    try:
        yield registry
    finally:
        await registry.aclose()


def at(port: int, service: ServiceKey, **parameters: str) -> Endpoint:
    return Endpoint("dubbo", "127.0.0.1", port, service, parameters=parameters)


def node_of(url: str) -> str:
    """The name of a node as others write it: what need not be encoded is encoded all the same."""
    return quote(url, safe="")


async def next_that(snapshots: Any, holds: Callable[[Snapshot], bool], wait_s: float = _WAIT_S) -> Snapshot:
    """The first snapshot that `holds`; those before are passed over."""
    async with asyncio.timeout(wait_s):
        while True:
            snapshot: Snapshot = await anext(snapshots)
            if holds(snapshot):
                return snapshot


def fresh_ports(*ports: int) -> Callable[[Snapshot], bool]:
    """Whether exactly these are there, and the registry says so now."""
    return lambda snapshot: (
        snapshot.freshness is Freshness.FRESH and sorted(each.port for each in snapshot.endpoints) == sorted(ports)
    )


async def eventually(holds: Callable[[], bool], wait_s: float = _WAIT_S) -> None:
    """Waits until it holds."""
    async with asyncio.timeout(wait_s):
        while not holds():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def provider_and_watch(
    address: str, service: ServiceKey, **options: Any
) -> AsyncIterator[tuple[ZookeeperRegistry, Any]]:
    """One registry that announced port 1, and what another sees of it."""
    async with (
        running(address, **options) as provider,
        running(address, **options) as consumer,
        aclosing(consumer.watch(service)) as snapshots,
    ):
        await provider.register(at(1, service))
        await next_that(snapshots, fresh_ports(1))
        yield provider, snapshots
