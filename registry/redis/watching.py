"""All that is watched: subscribes to it, and reads what has changed or may have ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final

from gateway.model.endpoint import ServiceKey
from gateway.spi.registry import Snapshot
from registry.entries import PROVIDERS
from registry.feed import Feed
from registry.redis.clock import ServerClock
from registry.redis.hashes import read_hashes
from registry.redis.layout import REGISTER, UNREGISTER, Layout, decode, encode
from registry.redis.lease import FOREVER
from registry.redis.link import Link, heed_cancellation
from registry.redis.watched import WATCHED_CATEGORIES, Watched
from registry.slice import Slice

__all__ = ["Watching"]

_GATHER_S: Final = 0.02
"""How long messages are gathered before what they are about is read: also what bounds how often that is."""
_AT_ONCE: Final = 20
"""Interfaces."""
_PATTERNS_AT_ONCE: Final = 50


class Watching:
    """Belongs to one event loop. `session_ms`: as for `LeaseTable`."""

    def __init__(self, layout: Layout, clock: ServerClock, session_ms: int) -> None:
        self._layout = layout
        self._clock = clock
        self._session_ms = session_ms
        self._watched: dict[str, Watched] = {}
        self._dirty: dict[str, None] = {}
        """Interfaces to look at, in order."""
        self._subscribed: dict[bytes, str] = {}
        """Interface by pattern, as the present connection was told."""
        self._confirmed: set[str] = set()
        """Those of them that the server has heard of."""
        self._changed = asyncio.Event()
        self._closed = False

    async def watch(self, service: ServiceKey) -> AsyncGenerator[Snapshot, None]:
        """See `Registry.watch`."""
        feed = self._feed(service)
        try:
            async with aclosing(feed.watch()) as snapshots:
                async for snapshot in snapshots:
                    yield snapshot
        finally:
            self._release(service, feed)

    async def run(self, link: Link, pubsub: Any) -> None:
        """Serves the watches over one connection; ends with what goes wrong with it, and only so.

        `pubsub`: a subscriber of this connection, whose messages come to `heard`.
        """
        self._changed.set()
        while True:
            heed_cancellation()
            await self._changed.wait()
            await asyncio.sleep(_GATHER_S)
            self._changed.clear()
            pace = Slice()
            await self._subscribe(pubsub, pace)
            dirty = list(self._dirty)
            self._dirty.clear()
            for start in range(0, len(dirty), _AT_ONCE):
                await self._look(link, dirty[start : start + _AT_ONCE], pace)

    def heard(self, message: Mapping[str, Any]) -> None:
        """Takes a message of the subscriber."""
        if message["type"] == "psubscribe":
            # From here on nothing is missed, so now is the time to read what there is.
            interface = self._subscribed.get(message["channel"])
            if interface is not None:
                self._confirmed.add(interface)
                self._mark(interface)
        elif message["type"] == "pmessage" and message["data"] in (REGISTER, UNREGISTER):
            place = self._layout.split(decode(message["channel"]))
            watched = self._watched.get(place[0]) if place is not None else None
            if place is not None and watched is not None and place[1] in WATCHED_CATEGORIES:
                watched.heard(place[1], unregistered=message["data"] == UNREGISTER, now_ms=self._clock.now_ms)
                self._mark(place[0])

    def lose(self) -> None:
        """There is no connection any more."""
        self._dirty.clear()
        self._subscribed.clear()
        self._confirmed.clear()
        for watched in self._watched.values():
            watched.lose()

    def close(self) -> None:
        """Ends all watches."""
        self._closed = True
        for watched in self._watched.values():
            watched.stop_timer()
            for feed in watched.feeds.values():
                feed.close()

    def _feed(self, service: ServiceKey) -> Feed:
        watched = self._watched.get(service.interface)
        if watched is None:
            watched = self._watched[service.interface] = Watched(service.interface, self._session_ms)
            self._changed.set()
        feed = watched.feeds.get(service)
        if feed is None:
            feed = watched.feeds[service] = Feed(service)
            if self._closed:
                feed.close()
            self._mark(service.interface)
        return feed

    def _release(self, service: ServiceKey, feed: Feed) -> None:
        watched = self._watched.get(service.interface)
        if watched is None or feed.is_watched or watched.feeds.get(service) is not feed:
            return
        del watched.feeds[service]
        if not watched.feeds:
            watched.stop_timer()
            del self._watched[service.interface]
            self._changed.set()

    def _mark(self, interface: str) -> None:
        if interface in self._watched and interface in self._confirmed:
            self._dirty[interface] = None
            self._changed.set()

    async def _subscribe(self, pubsub: Any, pace: Slice) -> None:
        there = set(self._subscribed.values())
        missing = [each for each in self._watched if each not in there]
        for start in range(0, len(missing), _PATTERNS_AT_ONCE):
            part = {encode(self._layout.pattern(each)): each for each in missing[start : start + _PATTERNS_AT_ONCE]}
            self._subscribed.update(part)
            await pubsub.psubscribe(*part)
            await pace.breathe()
        done_with = [pattern for pattern, each in self._subscribed.items() if each not in self._watched]
        if done_with:
            for pattern in done_with:
                self._confirmed.discard(self._subscribed.pop(pattern))
            await pubsub.punsubscribe(*done_with)

    async def _look(self, link: Link, interfaces: list[str], pace: Slice) -> None:
        keys = {
            each: {category: self._layout.key(each, category) for category in WATCHED_CATEGORIES} for each in interfaces
        }
        found = await read_hashes(link, [key for each in keys.values() for key in each.values()], pace)
        for interface, by_category in keys.items():
            watched = self._watched.get(interface)
            if watched is None:
                continue
            if by_category[PROVIDERS] not in found:
                self._wait(watched, self._session_ms / 2)
                continue
            hashes = {category: found.get(key, {}) for category, key in by_category.items()}
            await watched.read(hashes[PROVIDERS], pace)
            # One that is watched no more while it was read would not be stopped again.
            if self._watched.get(interface) is watched:
                now_ms = self._clock.now_ms
                self._wait(watched, watched.look(hashes, now_ms) - now_ms)
            await pace.breathe()

    def _wait(self, watched: Watched, delay_ms: float) -> None:
        watched.stop_timer()
        if delay_ms != FOREVER:
            loop = asyncio.get_running_loop()
            watched.timer = loop.call_later(delay_ms / 1000, self._mark, watched.interface)
