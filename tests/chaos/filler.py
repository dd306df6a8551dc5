"""Many services in a registry, and those who keep them there."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Final

from kazoo.client import KazooClient
from redis.asyncio import Redis

from bench.registries.population import PROVIDERS as PROVIDERS_EACH
from bench.registries.population import SERVICES, endpoints, service
from registry.entries import PROVIDERS, provider_url
from registry.redis.layout import Layout
from registry.zookeeper.layout import category_path, encode_name, parent_of
from tests.chaos.ground import Ground
from tests.chaos.node import Node

__all__ = ["fill"]

_ROOT: Final = "/dubbo"
_LEASE_S: Final = 600
_ANSWER_S: Final = 60.0


async def fill(ground: Ground, port: int) -> None:
    """Puts everybody of `bench.registries.population` into the registry of the ground's kind, for as long as the row
    lasts."""
    if ground.wire == "zookeeper":
        await asyncio.to_thread(_make_nodes, port)
    elif ground.wire == "redis":
        await _write_fields(port)
    else:
        command = [sys.executable, "-m", "bench.registries.simple_bed", "fill", f"127.0.0.1:{port}"]
        await ground.started(Node("filler", port, command, ground.folder / "filler.log"))


def _make_nodes(port: int) -> None:
    """They stay: there is no session that could end."""
    client = KazooClient(f"127.0.0.1:{port}")
    client.start()
    try:
        client.ensure_path(_ROOT)
        waiting = []
        for number in range(SERVICES):
            folder = category_path(_ROOT, service(number).interface, PROVIDERS)
            change = client.transaction()
            change.create(parent_of(folder))
            change.create(folder)
            for each in endpoints([number], PROVIDERS_EACH):
                change.create(f"{folder}/{encode_name(provider_url(each))}")
            waiting.append(change.commit_async())
        for each in waiting:
            each.get(timeout=_ANSWER_S)
    finally:
        client.stop()
        client.close()


async def _write_fields(port: int) -> None:
    """Their leases outlast the row."""
    until = str(int((time.time() + _LEASE_S) * 1000))
    async with Redis(port=port) as client:
        for number in range(SERVICES):
            fields = {provider_url(each): until for each in endpoints([number], PROVIDERS_EACH)}
            await client.hset(Layout().key(service(number).interface, PROVIDERS), mapping=fields)
