"""Dubbo 2.7's own redis:// and memcached://, which store values on a server, beside ours on the same one."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from redis import Redis

from adapters.data.memcached import MemcachedDataClient
from adapters.data.redis import RedisDataClient
from gateway.model.call import Invocation, Ok
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import ProviderFailed
from gateway.spi.adapter import ClientAdapter, Reference
from tests.support.java_cache import COMMANDS, CONTRACT, UIDS, VALUES
from tests.support.java_peer import java_checks, require_java
from tests.support.memcached_server import memcached_server
from tests.support.peer_program import BUILD_TIMEOUT
from tests.support.redis_server import redis_server

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

SERVICE: Final = ServiceKey("cache.Store")
METHODS: Final = {each.attribute: each for each in CONTRACT.methods}


class Cache:
    def __init__(self, invoker: Any) -> None:
        self._invoker = invoker

    async def call(self, name: str, *arguments: Any) -> Any:
        result = await self._invoker(Invocation(SERVICE, name, arguments, signature=METHODS[name]))
        assert isinstance(result, Ok)
        return result.value

    async def write(self, prefix: str) -> None:
        for name, value in VALUES.items():
            await self.call(f"set_{name}", f"{prefix}{name}", value)

    async def check(self, prefix: str) -> None:
        for name, value in VALUES.items():
            found = await self.call(f"get_{name}", f"{prefix}{name}")
            assert found == value or (name == "nan" and math.isnan(found)), name
            assert type(found) is type(value), name


@asynccontextmanager
async def cache(client: ClientAdapter, protocol: str, port: int, encoding: str) -> AsyncIterator[Cache]:
    options = {
        "encoding": encoding,
        "commands": COMMANDS,
        **({"serial_version_uids": UIDS} if encoding == "java" else {}),
    }
    reference = Reference(SERVICE, CONTRACT, timeout_s=10.0, parameters=options)
    try:
        yield Cache(client.open(Endpoint(protocol, "127.0.0.1", port, SERVICE), reference))
    finally:
        await client.aclose()


@pytest.mark.direction("Java ↔ us on one Redis", wire="redis", peer="dubbo redis", quick=True)
async def test_values_on_redis_are_those_of_dubbo(tmp_path: Path) -> None:
    require_java()
    with redis_server(tmp_path, append=False) as server:
        urls = {
            encoding: f"redis://127.0.0.1:{server.port}/cache.Store?serialization={encoding}&timeout=10000"
            for encoding in ("java", "hessian2")
        }
        for encoding in urls:
            async with cache(RedisDataClient(), "redis", server.port, encoding) as ours:
                await ours.write(f"ours-{encoding}:")
                await ours.call("set_null", f"ours-{encoding}:null", None)
        report = await java_checks("dubbo-27-data", "app.DataPeer", *(part for pair in urls.items() for part in pair))
        report.check()
        async with cache(RedisDataClient(), "redis", server.port, "java") as ours:
            await ours.check("java-java:")
            assert await ours.call("get_text", "java-java:null") is None
        # Dubbo 2.7 does not flush its Hessian: what it stores is cut off, and it cannot read it itself.
        async with cache(RedisDataClient(), "redis", server.port, "hessian2") as ours:
            with pytest.raises(ProviderFailed, match="cannot be read"):
                await ours.call("get_text", "java-hessian2:text")
        with Redis(port=server.port) as raw:
            assert raw.get("java-hessian2:text") == b""
            assert raw.get("java-java:null") == bytes.fromhex("aced0005")


@pytest.mark.direction("Java ↔ us on one memcached", wire="memcached", peer="dubbo memcached", quick=True)
async def test_values_on_memcached_are_those_of_dubbo(tmp_path: Path) -> None:
    require_java()
    with memcached_server(tmp_path) as server:
        async with cache(MemcachedDataClient(), "memcached", server.port, "java") as ours:
            await ours.write("ours-memcached:")
            url = f"memcached://127.0.0.1:{server.port}/cache.Store?timeout=10000"
            report = await java_checks("dubbo-27-data", "app.DataPeer", "memcached", url)
            report.check()
            await ours.check("java-memcached:")
