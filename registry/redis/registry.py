"""The registry in Redis, as Dubbo has it: `gateway.spi.registry.Registry` and what else it is able to do."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Callable, Collection, Hashable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from redis.exceptions import ReadOnlyError

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import RegistryError
from gateway.spi.registry import Snapshot
from gateway.spi.registry_ability import Finding, Listing
from gateway.telemetry.logs import shorten
from gateway.telemetry.once_per import OncePer
from registry.entries import CONSUMERS, PROVIDERS, provider_url, read_providers
from registry.redis.address import Peer
from registry.redis.announcer import Announcer, Entry
from registry.redis.clock import ServerClock
from registry.redis.diagnosis import diagnose
from registry.redis.hashes import read_hashes
from registry.redis.layout import DEFAULT_GROUP, Layout
from registry.redis.link import TROUBLES, Link, heed_cancellation
from registry.redis.listing import read_listing
from registry.redis.session import Session
from registry.redis.sweep import Sweep
from registry.redis.watching import Watching
from registry.slice import Slice
from registry.upkeep import Upkeep

__all__ = ["DEFAULT_SESSION_S", "DEFAULT_TIMEOUT_S", "RedisRegistry"]

DEFAULT_SESSION_S: Final = 60.0
"""Dubbo's (apache/dubbo: dubbo-registry/dubbo-registry-api/.../registry/Constants.java, DEFAULT_SESSION_TIMEOUT)."""
DEFAULT_TIMEOUT_S: Final = 3.0
_LISTING_S: Final = 30.0
_CLOSE_S: Final = 5.0
"""For taking back thousands of entries; a server that is away is not waited for."""
_PATIENCE: Final = 4
"""Answers that one edit may take."""
_SAME_REFUSAL_S: Final = 60.0
_LOG: Final = logging.getLogger("polyport.registry")


class RedisRegistry:
    """Belongs to one event loop. Also a `ConsumerRegistry`, and one that is listed, edited and diagnosed
    (`gateway.spi.registry_ability`).

    `peers`: where it may be, in the order in which they are tried. `password`: instead of those in the addresses.
    `group`: the first part of all keys. `session_s`: how long leases are. `timeout_s`: for connecting, and for each
    answer. `wall`, `monotonic`: our clocks, in seconds.
    """

    def __init__(
        self,
        peers: Sequence[Peer],
        *,
        password: str = "",
        group: str = DEFAULT_GROUP,
        session_s: float = DEFAULT_SESSION_S,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._peers = peers
        self._password = password
        self._session_s = session_s
        self._timeout_s = timeout_s
        self._layout = Layout(group)
        self._clock = ServerClock(monotonic, wall)
        self._new_clock: Callable[[], ServerClock] = lambda: ServerClock(monotonic, wall)
        session_ms = round(session_s * 1000)
        self._announcer = Announcer(self._clock, session_ms)
        self._upkeep: Upkeep[Hashable, Entry] = Upkeep(
            str(peers[0]), self._announcer.announce, self._announcer.withdraw
        )
        self._watching = Watching(self._layout, self._clock, session_ms)
        self._session = Session(
            peers,
            self._connect,
            self._layout,
            self._clock,
            opened=self._opened,
            serve=self._serve,
            heard=self._watching.heard,
            lost=self._lost,
            timeout_s=timeout_s,
            session_s=session_s,
        )
        self._running: asyncio.Task[None] | None = None
        self._refusals = OncePer(_SAME_REFUSAL_S)

    async def start(self) -> None:
        """See `Registry.start`."""
        self._upkeep.start()
        self._running = asyncio.create_task(self._session.run(), name=f"registry at {self._peers[0]}")

    async def register(self, endpoint: Endpoint) -> None:
        """See `Registry.register`."""
        entry = Entry(self._layout.key(endpoint.service.interface, PROVIDERS), provider_url(endpoint))
        await self._upkeep.put((PROVIDERS, endpoint.identity), entry, self._patience_s)

    async def unregister(self, endpoint: Endpoint) -> None:
        """See `Registry.unregister`."""
        await self._upkeep.take_back((PROVIDERS, endpoint.identity), self._patience_s)

    async def register_consumer(self, consumer: Consumer) -> None:
        """See `ConsumerRegistry.register_consumer`."""
        entry = Entry(self._layout.key(consumer.service.interface, CONSUMERS), consumer.url)
        await self._upkeep.put((CONSUMERS, consumer.identity), entry, self._patience_s)

    async def unregister_consumer(self, consumer: Consumer) -> None:
        """See `ConsumerRegistry.unregister_consumer`."""
        await self._upkeep.take_back((CONSUMERS, consumer.identity), self._patience_s)

    def watch(self, service: ServiceKey) -> AsyncGenerator[Snapshot, None]:
        """See `Registry.watch`."""
        return self._watching.watch(service)

    async def listing(self) -> Listing:
        """See `ListedRegistry.listing`."""
        async with self._asked(_LISTING_S) as link:
            return await read_listing(link, self._layout, self._clock)

    async def remove(self, endpoint: Endpoint) -> bool:
        """See `EditableRegistry.remove`."""
        key = self._layout.key(endpoint.service.interface, PROVIDERS)
        async with self._asked(_PATIENCE * self._timeout_s) as link:
            fields = (await read_hashes(link, [key], Slice())).get(key, {})
            entries = [
                Entry(key, field)
                for field in fields
                if any(each.identity == endpoint.identity for each in read_providers((field,), endpoint.service)[0])
            ]
            if entries:
                await self._announcer.withdraw(entries)
        return bool(entries)

    async def diagnose(self) -> Sequence[Finding]:
        """See `DiagnosableRegistry.diagnose`. Asks every peer, over connections of its own."""
        findings: list[Finding] = []
        for peer in self._peers:
            findings += await diagnose(self._connect(peer), self._layout, self._new_clock(), self._timeout_s)
        return findings

    async def aclose(self) -> None:
        """See `Registry.aclose`."""
        await self._upkeep.aclose(max(self._timeout_s, _CLOSE_S))
        self._session.leave()
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.wait([running])
        self._watching.close()

    @asynccontextmanager
    async def _asked(self, wait_s: float) -> AsyncGenerator[Link]:
        """The connection, if there is one or the first attempts bring one; translates what goes wrong with it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._session.tried.wait()
        link = self._session.link
        if link is None:
            raise RegistryError(f"{self._peers[0]}: there is no connection: {shorten(self._session.trouble)}")
        try:
            async with asyncio.timeout(wait_s):
                yield link
        except TROUBLES as exc:
            raise RegistryError(f"{link.peer}: {shorten(str(exc) or type(exc).__name__)}") from exc

    @property
    def _patience_s(self) -> float:
        """How long somebody who announces waits: not at all for a server that is known to be away."""
        return self._timeout_s if self._session.link is not None or not self._session.tried.is_set() else 0.0

    def _connect(self, peer: Peer) -> Link:
        return Link(peer, self._password, self._timeout_s)

    def _wanted(self) -> Collection[Entry]:
        return self._upkeep.wanted

    async def _opened(self, link: Link) -> None:
        self._announcer.link = link
        # It may be another server, or the same one emptied. What it has not it gets here, with what else is wanted; so
        # it need not be written entry by entry, and what is to be taken back is not forgotten.
        await self._renew()
        self._upkeep.resume()

    def _lost(self) -> None:
        self._announcer.link = None
        self._upkeep.suspend()
        self._watching.lose()

    async def _serve(self, link: Link, pubsub: Any) -> None:
        sweep = Sweep(self._layout, self._clock, self._session_s)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watching.run(link, pubsub))
            tasks.create_task(self._keep_renewing(link))
            tasks.create_task(sweep.run(link))

    async def _keep_renewing(self, link: Link) -> None:
        while True:
            heed_cancellation()
            # At half of the session, as Dubbo does, or a little before: not all processes at the same moment.
            await asyncio.sleep(self._session_s / 2 * random.uniform(0.9, 1.0))
            await self._clock.measure(link.client)
            await self._renew()

    async def _renew(self) -> None:
        for refusal in await self._announcer.renew(self._wanted):
            if isinstance(refusal, ReadOnlyError):
                # The server has become a replica.
                raise refusal
            # A server that can be read all the same is no reason to leave it.
            if self._refusals.admit(type(refusal).__name__) is not None:
                _LOG.warning("registry at %s: cannot renew: %s", self._peers[0], shorten(str(refusal)))
