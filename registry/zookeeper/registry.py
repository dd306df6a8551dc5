"""A registry in ZooKeeper that Dubbo shares with us: `gateway.spi.registry.Registry`, and what else it can do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import Final

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import RegistryError
from gateway.spi.registry import Snapshot
from gateway.spi.registry_ability import Finding, Listing
from gateway.spi.registry_host import RegistryHost
from gateway.telemetry.once_per import OncePer
from registry.slice import Turn
from registry.zookeeper.announcement import Announcements
from registry.zookeeper.application import Applications
from registry.zookeeper.diagnosis import Diagnosis
from registry.zookeeper.layout import DEFAULT_ROOT, ApplicationPaths, Ensemble, parse_root
from registry.zookeeper.listing import read_listing, remove_provider
from registry.zookeeper.metadata_source import MetadataSource
from registry.zookeeper.session import Session
from registry.zookeeper.takeover import take_over
from registry.zookeeper.watch import ServiceWatch

__all__ = ["ZookeeperRegistry"]

_LOG: Final = logging.getLogger("polyport.registry.zookeeper")
_SAME_SKIP_S: Final = 600.0
_CLOSE_S: Final = 5.0


class ZookeeperRegistry:
    """`group`: the path below which Dubbo keeps everything. `applications`: whether providers that Dubbo 3 registers by
    application are found as well; those that have to be asked what they provide only where there is a host
    (`HostedRegistry`). The others as for `Session`.

    What cannot be reached is tried for ever: providers stay announced, watches keep what they showed last as STALE.
    Withdrawn providers cannot be told from lost ones here, so no snapshot names any.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        *,
        group: str = DEFAULT_ROOT,
        session_s: float = 30.0,
        timeout_s: float = 5.0,
        credential: str = "",
        applications: bool = True,
    ) -> None:
        self._ensemble = ensemble
        self._paths = ApplicationPaths.below(ensemble.chroot, parse_root(group)) if applications else None
        self._root = ensemble.chroot + parse_root(group)
        self._timeout_s = timeout_s
        self._session = Session(
            ensemble,
            session_s=session_s,
            timeout_s=timeout_s,
            credential=credential,
            on_connected=self._on_connected,
            on_lost=self._on_lost,
        )
        self._announcements = Announcements(f"zookeeper {ensemble}", self._root, self._session)
        self._watches: dict[ServiceKey, ServiceWatch] = {}
        self._skips = OncePer(_SAME_SKIP_S)
        self._turn = Turn()
        self._connected = asyncio.Event()
        self._patience = 0.0
        """Until when a registration waits for the first connection; loop time."""
        self._closed = False
        self._host: RegistryHost | None = None
        self._source: MetadataSource | None = None
        self._applications: Applications | None = None

    def hosted_by(self, host: RegistryHost) -> None:
        """See `HostedRegistry`."""
        self._host = host

    async def start(self) -> None:
        """Begins connecting; returns at once."""
        self._patience = asyncio.get_running_loop().time() + self._timeout_s
        if self._paths is not None:
            self._source = MetadataSource(self._session, self._paths, self._host)
            self._applications = Applications(self._session, self._source, self._skips, self._turn)
        self._announcements.start()
        await self._session.start()

    async def register(self, endpoint: Endpoint) -> None:
        """See `Registry.register`. Waits for a registry that is down only in the first moments after `start`.

        Raises:
            RuntimeError: after `aclose`.
        """
        await self._announcements.put(endpoint, await self._moment())

    async def unregister(self, endpoint: Endpoint) -> None:
        """See `Registry.unregister`. Nothing is left to be withdrawn after `aclose`."""
        if not self._closed:
            await self._announcements.take_back(endpoint, await self._moment())

    async def take_over(self, endpoints: Sequence[Endpoint]) -> None:
        """See `TakeoverRegistry.take_over`. Nothing where the registry cannot be reached at the start."""
        await self._first_connection()
        if self._session.is_connected:
            try:
                await take_over(self._session, self._root, endpoints)
            except RegistryError as exc:
                _LOG.warning("registry zookeeper %s: %s", self._ensemble, exc)

    async def register_consumer(self, consumer: Consumer) -> None:
        """See `ConsumerRegistry.register_consumer`."""
        await self._announcements.put(consumer, await self._moment())

    async def unregister_consumer(self, consumer: Consumer) -> None:
        """See `ConsumerRegistry.unregister_consumer`."""
        if not self._closed:
            await self._announcements.take_back(consumer, await self._moment())

    async def watch(self, service: ServiceKey) -> AsyncGenerator[Snapshot, None]:
        """See `Registry.watch`."""
        if self._closed:
            return
        watch = self._watches.get(service)
        if watch is None:
            watch = self._watches[service] = ServiceWatch(
                self._root, service, self._session, self._skips, self._turn, self._applications
            )
            watch.start()
        try:
            async with aclosing(watch.feed.watch()) as snapshots:
                async for snapshot in snapshots:
                    yield snapshot
        finally:
            if not watch.feed.is_watched and self._watches.get(service) is watch:
                del self._watches[service]
                await watch.aclose()

    async def listing(self) -> Listing:
        """See `ListedRegistry.listing`."""
        await self._first_connection()
        return await read_listing(self._session, self._root, self._source)

    async def remove(self, endpoint: Endpoint) -> bool:
        """See `EditableRegistry.remove`."""
        await self._first_connection()
        return await remove_provider(self._session, self._root, endpoint)

    async def diagnose(self) -> Sequence[Finding]:
        """See `DiagnosableRegistry.diagnose`."""
        await self._first_connection()
        return await Diagnosis(self._session, self._ensemble, self._root, self._timeout_s, self._source).run()

    async def aclose(self) -> None:
        """See `Registry.aclose`. Takes some ten seconds at most."""
        if self._closed:
            return
        self._closed = True
        watches, self._watches = self._watches, {}
        for watch in watches.values():
            await watch.aclose()
        if self._applications is not None:
            await self._applications.aclose()
        await self._announcements.aclose(_CLOSE_S)
        await self._session.aclose()

    async def _moment(self) -> float:
        """How long to wait for a registry to do what it is told; waits for the first connection itself."""
        if self._closed:
            raise RuntimeError("the registry is closed")
        await self._first_connection()
        return self._timeout_s if self._session.is_connected else 0.0

    async def _first_connection(self) -> None:
        """Waits for it in the first moments after `start`; never later."""
        if self._connected.is_set():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._patience):
                await self._connected.wait()

    def _on_connected(self) -> None:
        self._connected.set()
        self._announcements.resume()
        if self._applications is not None:
            self._applications.refresh()
        for watch in self._watches.values():
            watch.refresh()

    def _on_lost(self) -> None:
        self._announcements.suspend()
        for watch in self._watches.values():
            watch.lose()
