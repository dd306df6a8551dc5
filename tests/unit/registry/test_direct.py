import asyncio

import pytest

from gateway.model.endpoint import ServiceKey
from gateway.spi.registry import Freshness, Registry, Snapshot
from registry.direct import PLUGIN, DirectRegistry
from tests.support.fake_invoker import SERVICE, endpoint


async def test_it_shows_what_it_was_given_for_the_service_and_then_waits() -> None:
    registry: Registry = DirectRegistry([endpoint(1), endpoint(2, ServiceKey("demo.Types")), endpoint(3)])
    await registry.start()
    watch = registry.watch(SERVICE)
    assert await anext(watch) == Snapshot(SERVICE, (endpoint(1), endpoint(3)), Freshness.FRESH)
    waiting = asyncio.ensure_future(anext(watch, None))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    await registry.aclose()
    assert await waiting is None


async def test_nothing_can_be_announced_on_a_list() -> None:
    with pytest.raises(RuntimeError, match="cannot announce dubbo://10"):
        await DirectRegistry([]).register(endpoint(1))
    await DirectRegistry([]).unregister(endpoint(1))


async def test_the_plugin_takes_the_endpoints() -> None:
    watch = PLUGIN.build({"endpoints": [endpoint(1)]}).watch(SERVICE)
    assert (await anext(watch)).endpoints == (endpoint(1),)
    await watch.aclose()
