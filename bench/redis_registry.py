"""How the registry in Redis bears many services: `python -m bench.redis_registry`.

Needs `redis-server`. Measured: how long the first lists of all services take and how long the event loop is held up
meanwhile, and how long it takes until a server that was killed and restarted empty knows all own registrations again.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bench.simple_registry import (
    AGAIN_S,
    FIRST_LOAD_S,
    OWN,
    PROVIDERS,
    SERVICES,
    STALL_S,
    endpoints,
    service,
    watching_stalls,
)
from gateway.cli.collector import tuned_collector
from registry.entries import PROVIDERS as PROVIDERS_CATEGORY
from registry.entries import provider_url
from registry.redis.address import parse_peers
from registry.redis.layout import Layout
from registry.redis.registry import RedisRegistry

_PATIENCE_S: Final = 60.0
_LAYOUT: Final = Layout()


class Server:
    """`redis-server` on a free port of the loopback, which keeps nothing."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = str(free.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self._port}"
        self.client: Redis = Redis.from_url(self.url, protocol=2)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Until it answers."""
        command = ["redis-server", "--port", self._port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                try:
                    await self.client.ping()
                except RedisError:
                    await asyncio.sleep(0.01)
                else:
                    return

    async def stop(self) -> None:
        """Kills it."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    async def has(self, services: int) -> None:
        """Until it has a provider of each of the first services."""
        found = 0
        while found < services:
            await asyncio.sleep(0.05)
            pipeline = self.client.pipeline(transaction=False)
            for number in range(services):
                pipeline.hlen(_LAYOUT.key(service(number).interface, PROVIDERS_CATEGORY))
            found = sum(await pipeline.execute())


@asynccontextmanager
async def started(server: Server) -> AsyncIterator[RedisRegistry]:
    """A registry of our own."""
    made = RedisRegistry(parse_peers(server.url))
    await made.start()
    try:
        yield made
    finally:
        await made.aclose()


async def fill(server: Server) -> None:
    """Writes what others would announce."""
    ends = str(int((time.time() + 600) * 1000))
    for number in range(SERVICES):
        fields = [text for each in endpoints([number], PROVIDERS) for text in (provider_url(each), ends)]
        await server.client.hset(_LAYOUT.key(service(number).interface, PROVIDERS_CATEGORY), items=fields)


async def first_load(server: Server) -> tuple[float, float]:
    """Seconds until all services are known, and the longest stall."""
    async with started(server) as made, watching_stalls() as stalls:
        began = time.perf_counter()

        async def know(number: int) -> None:
            async with aclosing(made.watch(service(number))) as snapshots:
                async for snapshot in snapshots:
                    if len(snapshot.endpoints) == PROVIDERS:
                        return

        async with asyncio.timeout(_PATIENCE_S), asyncio.TaskGroup() as all_of_them:
            for number in range(SERVICES):
                all_of_them.create_task(know(number))
        return time.perf_counter() - began, stalls.longest_s


async def announce_again(server: Server) -> tuple[float, float]:
    """Seconds from the restart until the server has all own registrations, and the longest stall."""
    await server.client.flushall()
    async with started(server) as made:
        for each in endpoints(range(OWN), 1):
            await made.register(each)
        async with watching_stalls() as stalls:
            await server.stop()
            await server.start()
            began = time.perf_counter()
            async with asyncio.timeout(_PATIENCE_S):
                await server.has(OWN)
            return time.perf_counter() - began, stalls.longest_s


async def measure() -> int:
    """Prints what was found. Gives the exit status."""
    server = Server()
    await server.start()
    try:
        await fill(server)
        load_s, stall_s = await first_load(server)
        print(f"first lists of {SERVICES} services with {PROVIDERS} providers: {load_s:.2f} s (below {FIRST_LOAD_S:g})")
        again_s, again_stall_s = await announce_again(server)
        print(f"{OWN} own registrations after a restart of the server: {again_s:.2f} s (below {AGAIN_S:g})")
        print(f"longest stalls {stall_s * 1000:.0f} and {again_stall_s * 1000:.0f} ms (below {STALL_S * 1000:g})")
    finally:
        await server.stop()
        await server.client.aclose()
    return int(load_s > FIRST_LOAD_S or again_s > AGAIN_S or max(stall_s, again_stall_s) > STALL_S)


def main() -> None:
    """The command."""
    # As `polyport serve` does it.
    with tuned_collector():
        sys.exit(asyncio.run(measure()))


if __name__ == "__main__":
    main()
