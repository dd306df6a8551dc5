"""Many services in a registry, and the process that keeps them there: `python -m tests.chaos.filler KIND PORT`.

It says `ready` when all are there, and ends with its input.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from kazoo.client import KazooClient
from redis.asyncio import Redis

from gateway.cli.registry_target import open_registry
from gateway.model.endpoint import Endpoint, ServiceKey
from registry.entries import PROVIDERS, provider_url
from registry.redis.layout import Layout
from registry.zookeeper.layout import category_path, encode_name, parent_of

__all__ = ["FILLED", "FILLED_PROVIDERS", "FILLED_SERVICES", "filling"]

FILLED_SERVICES: Final = 1_000
FILLED_PROVIDERS: Final = 50
FILLED: Final[Sequence[str]] = [f"com.example.chaos.Service{number:04}" for number in range(FILLED_SERVICES)]
"""Their interfaces."""
_LEASE_S: Final = 600
_CLIENTS: Final = 5
"""Of the simple registry, which takes so many entries of one client, and no more."""
_AT_ONCE: Final = 20
_PARAMETERS: Final[Mapping[str, str]] = {
    "application": "filler",
    "timestamp": "1767225600500",
    "warmup": "60000",
    "token": "x" * 32,
}


def filling(kind: str, port: int) -> list[str]:
    """The command that runs it."""
    return [sys.executable, "-m", "tests.chaos.filler", kind, str(port)]


def _endpoints(interface: str) -> list[Endpoint]:
    service = ServiceKey(interface)
    return [
        Endpoint("dubbo", f"10.0.0.{number}", 20880, service, 100, _PARAMETERS) for number in range(FILLED_PROVIDERS)
    ]


@asynccontextmanager
async def _in_zookeeper(port: int) -> AsyncIterator[None]:
    """Nodes that stay: there is no session that could end."""
    client = KazooClient(f"127.0.0.1:{port}")
    await asyncio.to_thread(client.start)
    try:
        await asyncio.to_thread(_make_nodes, client)
        yield
    finally:
        client.stop()
        client.close()


def _make_nodes(client: KazooClient) -> None:
    client.ensure_path("/dubbo")
    waiting = []
    for interface in FILLED:
        folder = category_path("/dubbo", interface, PROVIDERS)
        change = client.transaction()
        change.create(parent_of(folder))
        change.create(folder)
        for each in _endpoints(interface):
            change.create(f"{folder}/{encode_name(provider_url(each))}")
        waiting.append(change.commit_async())
    for each in waiting:
        each.get(timeout=60)


@asynccontextmanager
async def _in_redis(port: int) -> AsyncIterator[None]:
    """Fields whose leases outlast the row."""
    layout = Layout()
    until = str(int((time.time() + _LEASE_S) * 1000))
    async with Redis(port=port) as client:
        for interface in FILLED:
            fields = {provider_url(each): until for each in _endpoints(interface)}
            await client.hset(layout.key(interface, PROVIDERS), mapping=fields)
    yield


@asynccontextmanager
async def _in_simple(port: int) -> AsyncIterator[None]:
    """Clients of our own."""
    registries = [open_registry(f"simple://127.0.0.1:{port}?lease=60s", None) for _ in range(_CLIENTS)]
    try:
        for number, registry in enumerate(registries):
            await registry.start()
            share = FILLED[number::_CLIENTS]
            for first in range(0, len(share), _AT_ONCE):
                part = share[first : first + _AT_ONCE]
                await asyncio.gather(*(registry.register(at) for each in part for at in _endpoints(each)))
        yield
    finally:
        await asyncio.gather(*(each.aclose() for each in registries))


async def _fill(kind: str, port: int) -> None:
    fill = {"zookeeper": _in_zookeeper, "redis": _in_redis, "simple": _in_simple}[kind]
    async with fill(port):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_fill(sys.argv[1], int(sys.argv[2])))
