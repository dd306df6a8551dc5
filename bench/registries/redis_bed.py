"""The registry in Redis, measured."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from bench.registries.bed import ServerBed, opened
from bench.registries.population import OWN, PROVIDERS, SERVICES, endpoints, service
from bench.registries.redis_server import RedisServer
from gateway.spi.registry import Registry
from registry.entries import PROVIDERS as PROVIDERS_CATEGORY
from registry.entries import provider_url
from registry.redis.address import parse_peers
from registry.redis.layout import Layout
from registry.redis.registry import RedisRegistry

__all__ = ["RedisBed"]

_LAYOUT: Final = Layout()
_LEASE_S: Final = 600.0


class RedisBed(ServerBed):
    """A server that keeps nothing."""

    name = "redis"

    def __init__(self, folder: Path) -> None:
        self._server = RedisServer(folder, append=False)

    def open(self) -> AbstractAsyncContextManager[Registry]:
        """See `Bed.open`."""
        return opened(RedisRegistry(parse_peers(self._server.url)))

    async def start(self) -> None:
        """See `ServerBed.start`."""
        await asyncio.to_thread(self._server.start)

    async def stop(self) -> None:
        """See `ServerBed.stop`."""
        await asyncio.to_thread(self._server.kill)

    async def fill(self) -> None:
        """See `ServerBed.fill`."""
        ends = str(int((time.time() + _LEASE_S) * 1000))
        async with Redis.from_url(self._server.url, protocol=2) as client:
            for number in range(SERVICES):
                fields = [text for each in endpoints([number], PROVIDERS) for text in (provider_url(each), ends)]
                await client.hset(_LAYOUT.key(service(number).interface, PROVIDERS_CATEGORY), items=fields)

    async def await_own(self) -> None:
        """See `ServerBed.await_own`."""
        async with Redis.from_url(self._server.url, protocol=2) as client:
            found = 0
            while found < OWN:
                await asyncio.sleep(0.02)
                # One key for each service, which is made with its provider.
                found = await client.dbsize()
