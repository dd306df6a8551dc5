from __future__ import annotations

import asyncio
from contextlib import aclosing

from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.spi.registry import Freshness, Snapshot
from registry.feed import Feed

SERVICE = ServiceKey("demo.Catalog")


def at(port: int) -> Endpoint:
    return Endpoint("dubbo", "10.0.0.1", port, SERVICE)


async def next_of(snapshots: object) -> Snapshot:
    async with asyncio.timeout(5):
        return await anext(snapshots)  # type: ignore[call-overload, no-any-return]


async def test_a_watch_shows_what_is_known_and_then_every_change() -> None:
    feed = Feed(SERVICE)
    async with aclosing(feed.watch()) as snapshots:
        assert (await next_of(snapshots)).freshness is Freshness.UNKNOWN
        feed.publish([at(1)])
        assert await next_of(snapshots) == Snapshot(SERVICE, (at(1),), Freshness.FRESH)
        feed.publish([at(1)])
        feed.publish([at(1), at(2)], routers=["route://x"])
        shown = await next_of(snapshots)
        assert (len(shown.endpoints), shown.routers) == (2, ("route://x",))
        assert feed.is_watched
    assert not feed.is_watched


async def test_what_cannot_be_asked_any_more_is_stale_but_never_asked_stays_unknown() -> None:
    feed = Feed(SERVICE)
    feed.lose()
    assert feed.current.freshness is Freshness.UNKNOWN
    feed.publish([at(1)])
    feed.lose()
    assert feed.current == Snapshot(SERVICE, (at(1),), Freshness.STALE)


async def test_slow_watchers_hear_of_everybody_who_withdrew() -> None:
    feed = Feed(SERVICE)
    feed.publish([at(1), at(2), at(3)])
    async with aclosing(feed.watch()) as snapshots:
        await next_of(snapshots)
        feed.publish([at(2), at(3)], withdrawn=[at(1).identity])
        feed.publish([at(3)], withdrawn=[at(2).identity])
        feed.publish([at(2), at(3)])
        feed.publish([at(2)], withdrawn=[at(3).identity])
        shown = await next_of(snapshots)
        assert shown.endpoints == (at(2),)
        assert shown.withdrawn == {at(1).identity, at(2).identity, at(3).identity} - {at(2).identity}
    async with aclosing(feed.watch()) as snapshots:
        assert (await next_of(snapshots)).withdrawn == frozenset()


async def test_closing_ends_all_watches() -> None:
    feed = Feed(SERVICE)
    watches = [asyncio.create_task(_all(feed)) for _ in range(3)]
    await asyncio.sleep(0)
    feed.close()
    async with asyncio.timeout(5):
        assert [len(each) for each in await asyncio.gather(*watches)] == [1, 1, 1]


async def _all(feed: Feed) -> list[Snapshot]:
    return [each async for each in feed.watch()]
