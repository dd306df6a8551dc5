"""A gateway with the demo services on redis:// and memcached://, and the demo store mounted under `store:`.

It is mounted under the keys too that redis-benchmark (`key:`, `counter:`) and memccapable (`test_ascii`) use.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from tests.support.demo_gateway import hosted
from tests.support.running import running

__all__ = ["CacheGateway", "cache_gateway"]


class CacheGateway(NamedTuple):
    """Ports of its listeners."""

    redis: int
    memcached: int
    without_flags: int


_COMMON: Final = (
    "get: get, set: set, add: add, replace: replace, append: append, delete: delete, expire: expire, flush: clear"
)
_REDIS: Final = f"{{{_COMMON}, incr: increment, getset: exchange, getdel: take, ttl: ttl NotStored=miss, keys: keys}}"
_MEMCACHED: Final = f"{{{_COMMON}, incr: count, prepend: prepend, gets: entry, cas: swap}}"
_CONFIG: Final = f"""
application: {{name: interop}}
listeners:
  redis: {{protocol: redis, port: 0}}
  memcached: {{protocol: memcached, port: 0}}
  memcached-without-flags: {{protocol: memcached, port: 0, options: {{flags: false}}}}
registries:
  local: {{type: embedded}}
services:
  store:
    contract: gateway.demo.store:Store
    implementation: gateway.demo.store:DemoStore
    listeners: [redis, memcached]
    protocols:
      redis: {{mounts: {{"store:": {_REDIS}, "key:": {_REDIS}}}}}
      memcached: {{mounts: {{"store:": {_MEMCACHED}, "test_ascii": {_MEMCACHED}}}}}
  counters:
    contract: gateway.demo.store:Store
    implementation: gateway.demo.store:DemoStore
    group: counters
    listeners: [redis]
    protocols:
      redis: {{mounts: {{"counter:": {_REDIS}}}}}
{hosted(listener="redis, memcached, memcached-without-flags", callbacks=False)}
"""


@asynccontextmanager
async def cache_gateway() -> AsyncIterator[CacheGateway]:
    """One that answers; it is gone afterwards."""
    async with running(_CONFIG) as app:
        ports = {each.listener: int(each.address.rpartition(":")[2]) for each in app.listening}
        yield CacheGateway(ports["redis"], ports["memcached"], ports["memcached-without-flags"])
