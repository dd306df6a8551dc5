"""Registries in Redis for tests, and what a stock client writes beside them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final

from redis.asyncio import Redis

from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.spi.registry import Freshness, Snapshot
from registry.redis.address import parse_peers
from registry.redis.registry import RedisRegistry

__all__ = ["KEY", "SERVICE", "Watcher", "eventually", "java_url", "provider", "redis_registry", "stock", "watching"]

SERVICE: Final = ServiceKey("demo.Catalog")
KEY: Final = "/dubbo/demo.Catalog/providers"
WAIT_S: Final = 5.0


def provider(port: int, weight: int = 100) -> Endpoint:
    return Endpoint("dubbo", "10.0.0.1", port, SERVICE, weight)


def java_url(port: int, more: str = "") -> str:
    """As Dubbo 2.7.23 registers a service."""
    return (
        f"dubbo://10.0.0.2:{port}/demo.Catalog?anyhost=true&application=shop&deprecated=false&dubbo=2.0.2&dynamic=true"
        f"&generic=false&interface=demo.Catalog&methods=find,put{more}&pid=77&release=2.7.23&side=provider"
        "&timestamp=1700000000000"
    )


@asynccontextmanager
async def redis_registry(url: str, **options: Any) -> AsyncIterator[RedisRegistry]:
    registry = RedisRegistry(parse_peers(url), **{"timeout_s": 1.0, **options})
    await registry.start()
    try:
        yield registry
    finally:
        async with asyncio.timeout(WAIT_S):
            await registry.aclose()


@asynccontextmanager
async def stock(url: str) -> AsyncIterator[Redis]:
    """The client library itself, to do what other programs do."""
    client = Redis.from_url(url, decode_responses=True, protocol=2)
    try:
        yield client
    finally:
        await client.aclose()


class Watcher:
    """Everything that a watch has shown."""

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []

    @property
    def ports(self) -> list[int]:
        return sorted(each.port for each in self.snapshots[-1].endpoints) if self.snapshots else []

    @property
    def freshness(self) -> Freshness:
        return self.snapshots[-1].freshness

    @property
    def withdrawn(self) -> list[int]:
        return sorted(each[2] for snapshot in self.snapshots for each in snapshot.withdrawn)

    async def sees(self, *ports: int, within_s: float = WAIT_S, freshness: Freshness = Freshness.FRESH) -> None:
        await eventually(
            lambda: bool(self.snapshots) and self.ports == list(ports) and self.freshness is freshness, within_s
        )


@asynccontextmanager
async def watching(registry: RedisRegistry, service: ServiceKey = SERVICE) -> AsyncIterator[Watcher]:
    watcher = Watcher()

    async def watch() -> None:
        async with aclosing(registry.watch(service)) as snapshots:
            async for snapshot in snapshots:
                watcher.snapshots.append(snapshot)

    task = asyncio.create_task(watch())
    try:
        yield watcher
    finally:
        task.cancel()
        await asyncio.wait([task])


async def eventually(holds: Callable[[], bool], within_s: float = WAIT_S) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.01)
