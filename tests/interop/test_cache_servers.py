"""Real servers of Redis and memcached behind us: a service on every wire whose values are theirs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pymemcache.client.base import Client
from redis import Redis

from gateway import connect
from tests.support.data_shop import Colour, Item, NotThere, Shop
from tests.support.memcached_server import memcached_server
from tests.support.redis_server import redis_server
from tests.support.running import running

pytestmark = pytest.mark.interop

TEA = Item("茶", 3, Colour.BLUE)
JSON = '{"name":"茶","price":3,"colour":"BLUE","note":null}'.encode()
CONFIG = """
application: {{name: cache}}
listeners:
  door: {{protocol: {protocol}, port: 0}}
  dubbo: {{protocol: dubbo, port: 0}}
  http: {{protocol: http, port: 0}}
services:
  shop.Items:
    contract: tests.support.data_shop:Shop
    listeners: [door, dubbo, http]
    protocols:
      {protocol}: {{mounts: {{"here:": {{get: find NotThere=miss, set: "set(key, value)", delete: delete}}}}}}
    remote:
      addresses: ["{protocol}://127.0.0.1:{port}"]
      options:
        mode: data
        prefix: "there:"
        encoding: json
        commands: {{find: get NotThere=miss, several: mget, lend: {lend}}}
"""


async def uses(port: int, protocol: str, lend: str, stored: Any, asked: Any) -> None:
    """`stored`: what the server has under a key; `asked`: what a stock client is told at our port, after a set."""
    async with running(CONFIG.format(protocol=protocol, port=port, lend=lend)) as app:
        for endpoint in app.listening:
            async with connect(f"{endpoint.protocol}://{endpoint.address}", Shop) as shop:
                with pytest.raises(NotThere):
                    await shop.find("x")
                await shop.set("x", TEA)
                assert stored("there:x") == JSON
                assert await shop.find("x") == TEA
                assert await shop.lend("y", TEA, None) is True
                assert await shop.several(["x", "nobody", "y"]) == {"x": TEA, "y": TEA}
                assert [await shop.delete(each) for each in ("x", "y", "x")] == [True, True, False]
                assert stored("there:x") is None
        door = next(each for each in app.listening if each.listener == "door")
        found = await asyncio.to_thread(asked, int(door.address.rpartition(":")[2]))
        assert found == JSON
        assert stored("there:z") == JSON


@pytest.mark.direction("us → C", wire="redis", peer="redis-server", quick=True)
async def test_values_are_kept_in_redis(tmp_path: Path) -> None:
    def asked(port: int) -> Any:
        with Redis(port=port) as client:
            assert client.get("here:z") is None
            client.set("here:z", JSON)
            return client.get("here:z")

    with redis_server(tmp_path, append=False) as server, Redis(port=server.port) as raw:
        await uses(server.port, "redis", "set", raw.get, asked)


@pytest.mark.direction("us → C", wire="memcached", peer="memcached server", quick=True)
async def test_values_are_kept_in_memcached(tmp_path: Path) -> None:
    def asked(port: int) -> Any:
        client = Client(("127.0.0.1", port), default_noreply=False)
        try:
            assert client.get("here:z") is None
            client.set("here:z", JSON)
            return client.get("here:z")
        finally:
            client.close()

    with memcached_server(tmp_path) as server:
        raw = Client(server.address)
        await uses(server.port, "memcached", "add", raw.get, asked)
        raw.close()
