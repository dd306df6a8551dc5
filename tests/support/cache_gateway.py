"""A gateway with the demo services on redis:// and memcached://, and the demo store mounted under `store:`.

It is mounted under the keys too that redis-benchmark (`key:`, `counter:`) and memccapable (`test_ascii`) use.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple
from unittest.mock import patch

from tests.support.demo_gateway import hosted
from tests.support.running import running

__all__ = ["PASSWORD", "CacheGateway", "cache_gateway"]

PASSWORD: Final = "open sesame"


class CacheGateway(NamedTuple):
    """Ports of its listeners.

    `guarded`: wants `PASSWORD`, and has the store alone. `without_flags`: for clients that refuse those of answers.
    """

    redis: int
    guarded: int
    memcached: int
    without_flags: int


_COMMON: Final = (
    "get: get, set: set, add: add, replace: replace, append: append, delete: delete, expire: expire, flush: clear"
)
_REDIS: Final = (
    f"{{{_COMMON}, incr: increment NoNumber=number, getset: exchange, getdel: take, "
    "ttl: ttl NotStored=miss, keys: keys}"
)
_MEMCACHED: Final = f"{{{_COMMON}, incr: count NoNumber=number, prepend: prepend, gets: entry, cas: swap}}"
_CONFIG: Final = f"""
application: {{name: interop}}
listeners:
  redis: {{protocol: redis, port: 0}}
  redis-guarded: {{protocol: redis, port: 0, options: {{credentials: [shop]}}}}
  memcached: {{protocol: memcached, port: 0}}
  memcached-without-flags: {{protocol: memcached, port: 0, options: {{flags: false}}}}
registries:
  local: {{type: embedded}}
credentials:
  shop: {{env: CACHE_PASSWORD}}
services:
  store:
    contract: gateway.demo.store:Store
    implementation: gateway.demo.store:DemoStore
    listeners: [redis, redis-guarded, memcached]
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
    with patch.dict(os.environ, {"CACHE_PASSWORD": PASSWORD}):
        async with running(_CONFIG) as app:
            ports = {each.listener: int(each.address.rpartition(":")[2]) for each in app.listening}
            yield CacheGateway(
                ports["redis"], ports["redis-guarded"], ports["memcached"], ports["memcached-without-flags"]
            )
