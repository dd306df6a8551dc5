import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from gateway.model.endpoint import ServiceKey
from gateway.spi.registry import Freshness, Registry, Snapshot
from registry.embedded import PLUGIN, EmbeddedHub, EmbeddedRegistry
from tests.support.fake_invoker import SERVICE, endpoint

OTHER = ServiceKey("demo.Types")


def ports(snapshot: Snapshot) -> list[int]:
    return [each.port for each in snapshot.endpoints]


async def next_ports(watch: AsyncGenerator[Snapshot, None]) -> list[int]:
    async with asyncio.timeout(5):
        return ports(await anext(watch))


async def no_news(watch: AsyncGenerator[Snapshot, None]) -> asyncio.Task[Snapshot]:
    """The next snapshot, after making sure that there is none yet."""
    task = asyncio.ensure_future(anext(watch))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    return task


async def test_a_watch_begins_with_what_is_there_and_follows_every_change() -> None:
    registry = EmbeddedRegistry()
    await registry.start()
    await registry.register(endpoint(1))
    watch = registry.watch(SERVICE)
    first = await anext(watch)
    assert first == Snapshot(SERVICE, (endpoint(1),), Freshness.FRESH)
    await registry.register(endpoint(2))
    assert await next_ports(watch) == [1, 2]
    await registry.unregister(endpoint(1))
    assert await anext(watch) == Snapshot(SERVICE, (endpoint(2),), Freshness.FRESH, frozenset({endpoint(1).identity}))
    await registry.unregister(endpoint(2))
    assert await next_ports(watch) == []
    await watch.aclose()


async def test_nothing_there_is_a_fresh_empty_list() -> None:
    watch = EmbeddedRegistry().watch(SERVICE)
    assert await anext(watch) == Snapshot(SERVICE, (), Freshness.FRESH)
    await watch.aclose()


async def test_a_slow_reader_misses_snapshots_in_between_but_never_the_last() -> None:
    registry = EmbeddedRegistry()
    watch = registry.watch(SERVICE)
    await anext(watch)
    for port in (1, 2, 3):
        await registry.register(endpoint(port))
    await registry.unregister(endpoint(2))
    assert await next_ports(watch) == [1, 3]
    waiting = await no_news(watch)
    await registry.aclose()
    with pytest.raises(StopAsyncIteration):
        await waiting


async def test_a_change_that_was_taken_back_is_no_news() -> None:
    registry = EmbeddedRegistry()
    watch = registry.watch(SERVICE)
    await anext(watch)
    waiting = await no_news(watch)
    registry.hub.announce(registry, endpoint(1))
    registry.hub.withdraw(registry, endpoint(1))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    await registry.register(endpoint(2))
    assert ports(await waiting) == [2]
    await watch.aclose()


async def test_a_waiting_watch_has_shown_the_change_when_register_returns() -> None:
    registry = EmbeddedRegistry()
    shown: list[list[int]] = []

    async def follow() -> None:
        async with aclosing(registry.watch(SERVICE)) as snapshots:
            async for snapshot in snapshots:
                shown.append(ports(snapshot))  # noqa: PERF401 - a comprehension would show them only at the end

    task = asyncio.create_task(follow())
    await asyncio.sleep(0)
    await registry.register(endpoint(1))
    assert shown == [[], [1]]
    await registry.unregister(endpoint(1))
    assert shown == [[], [1], []]
    await registry.aclose()
    await task


async def test_registering_again_changes_the_endpoint_in_place() -> None:
    registry = EmbeddedRegistry()
    await registry.register(endpoint(1))
    await registry.register(endpoint(2))
    await registry.register(endpoint(1, weight=7))
    assert [(each.port, each.weight) for each in registry.hub.endpoints(SERVICE)] == [(1, 7), (2, 100)]


async def test_services_do_not_disturb_each_other() -> None:
    registry = EmbeddedRegistry()
    watch = registry.watch(SERVICE)
    await anext(watch)
    await registry.register(endpoint(1, OTHER))
    await registry.register(endpoint(1, ServiceKey("demo.Catalog", group="blue")))
    waiting = await no_news(watch)
    await registry.register(endpoint(2))
    assert ports(await waiting) == [2]
    await watch.aclose()


async def test_handles_of_one_hub_see_each_other_and_closing_withdraws_only_the_own() -> None:
    hub = EmbeddedHub()
    mine, yours = EmbeddedRegistry(hub), EmbeddedRegistry(hub)
    await mine.register(endpoint(1))
    await yours.register(endpoint(2))
    await yours.register(endpoint(1))
    watch = yours.watch(SERVICE)
    assert await next_ports(watch) == [1, 2]
    await mine.unregister(endpoint(2))
    await mine.aclose()
    assert [each.port for each in hub.endpoints(SERVICE)] == [1, 2]
    await yours.unregister(endpoint(1))
    assert await next_ports(watch) == [2]
    await yours.aclose()
    assert hub.endpoints(SERVICE) == ()


async def test_closing_ends_the_watches_of_the_handle_and_no_others() -> None:
    hub = EmbeddedHub()
    mine, yours = EmbeddedRegistry(hub), EmbeddedRegistry(hub)
    ended, goes_on = mine.watch(SERVICE), yours.watch(SERVICE)
    await anext(ended)
    await anext(goes_on)
    ending = asyncio.ensure_future(anext(ended, None))
    await asyncio.sleep(0)
    await mine.aclose()
    assert await ending is None
    await yours.register(endpoint(1))
    assert await next_ports(goes_on) == [1]
    await yours.aclose()
    assert await anext(goes_on, None) is None


async def test_a_closed_handle_takes_no_more_endpoints() -> None:
    registry = EmbeddedRegistry()
    await registry.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await registry.register(endpoint(1))
    await registry.aclose()


async def test_what_was_never_announced_can_be_withdrawn() -> None:
    await EmbeddedRegistry().unregister(endpoint(1))


async def test_nothing_stays_behind_when_everybody_is_gone() -> None:
    registry = EmbeddedRegistry()
    watch = registry.watch(SERVICE)
    await anext(watch)
    await registry.register(endpoint(1))
    await watch.aclose()
    await registry.aclose()
    assert vars(registry.hub) == {"_announced": {}, "_feeds": set()}


def test_the_plugin_builds_a_registry_of_its_own_each_time() -> None:
    one: Registry = PLUGIN.build({})
    two = PLUGIN.build({})
    assert isinstance(one, EmbeddedRegistry)
    assert isinstance(two, EmbeddedRegistry)
    assert one.hub is not two.hub
