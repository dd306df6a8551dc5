"""The simple registry as a gateway uses it: with any number of servers, one of which may be this process."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from typing import Final
from uuid import uuid4

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, ServiceKey, format_address
from gateway.model.errors import RegistryError, RpcError
from gateway.spi.registry import Freshness, Snapshot
from gateway.spi.registry_ability import Finding, Listing
from gateway.spi.registry_host import RegistryClient, RegistryHost, RegistryServer
from registry.entries import MAX_ENTRY, provider_url, read_consumers, read_providers
from registry.feed import Feed
from registry.simple.contract import Changes, Record, ServiceList, SimpleRegistryService
from registry.simple.diagnosis import diagnose
from registry.simple.entry import Entry, Identity, consumer_key, provider_key
from registry.simple.peering import Peering
from registry.simple.server import SimpleServer
from registry.simple.session import Session
from registry.simple.stock import StockRegistry
from registry.simple.stock_contract import AlibabaRegistryService, AlibabaUrl, ApacheRegistryService, ApacheUrl
from registry.simple.union import Union

__all__ = ["SimpleRegistry"]

_LOG: Final = logging.getLogger("polyport.registry")
_Address = tuple[str, int]
_CALL_S: Final = 5.0
_WAIT_S: Final = 1.0
"""How long announcing and withdrawing wait for servers."""
_HERE: Final = "this process"


class SimpleRegistry:
    """A `gateway.spi.registry.Registry`; see `gateway.spi.registry_ability` for what else.

    `serve`: where to be a server, None to be none. `servers`: addresses of others. A process that is a server asks
    itself alone, and is kept like its peers (`registry.simple.peering`); others ask all servers.
    `token`: what servers ask for. `wall`: seconds since 1970; `clock`: seconds, monotonic.

    Attributes:
        address: Where this process serves, `host:port` as really bound; empty where it does not.
    """

    def __init__(
        self,
        serve: _Address | None,
        servers: Sequence[_Address],
        *,
        lease_s: float = 15.0,
        token: str = "",
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._serve = serve
        self._servers = tuple(servers)
        self._token = token
        self._lease_s = lease_s
        self._clock = clock
        self._identity = Identity(uuid4().hex, lease_s, wall)
        self._host: RegistryHost | None = None
        self._own: SimpleServer | None = None
        self._stock: Sequence[StockRegistry] = ()
        self._listening: RegistryServer | None = None
        self._union = Union((), lease_s, clock)
        self._sessions: dict[str, Session] = {}
        self._clients: list[RegistryClient[SimpleRegistryService]] = []
        self._peerings: list[Peering] = []
        self._remotes: dict[str, SimpleRegistryService] = {}
        self._feeds: dict[ServiceKey, Feed] = {}
        self._interfaces: dict[str, set[ServiceKey]] = {}
        self._settling: asyncio.TimerHandle | None = None
        self._showing: asyncio.Task[None] | None = None
        self._closed = False
        self.address = ""

    def hosted_by(self, host: RegistryHost) -> None:
        """See `HostedRegistry.hosted_by`."""
        self._host = host
        if self._serve is not None and not host.may_serve:
            self._servers = tuple(dict.fromkeys((self._serve, *self._servers)))
            self._serve = None

    async def start(self) -> None:
        """See `Registry.start`.

        Raises:
            RegistryError: the address to serve at cannot be bound.
            RuntimeError: nobody has said who hosts it.
        """
        if self._host is None:
            raise RuntimeError("a simple registry needs a host")
        names = [_HERE] if self._serve is not None else [format_address(*each) for each in self._servers]
        self._union = Union(names, self._lease_s, self._clock)
        if self._serve is not None:
            self._own = SimpleServer()
            of_26, of_27 = StockRegistry(self._own, AlibabaUrl), StockRegistry(self._own, ApacheUrl)
            self._stock = [of_26, of_27]
            services: list[tuple[Callable[..., object], object]] = [
                (SimpleRegistryService, self._own),
                (AlibabaRegistryService, of_26),
                (ApacheRegistryService, of_27),
            ]
            try:
                self._listening = await self._host.serve(self._serve, services, self._token)
            except OSError as exc:
                where = format_address(*self._serve)
                raise RegistryError(f"cannot serve at {where}: {exc.strerror or exc}") from exc
            self.address = self._listening.address
            if not self._token and not _is_loopback(self._serve[0]):
                text = "the registry at %s has no credential: whoever reaches it can say where providers are"
                _LOG.warning(text, self.address)
            self._own.start()
            self._add_session(_HERE, self._own, is_here=True)
        for address in self._servers:
            name = format_address(*address)
            quiet_s = self._identity.lease_s / 3
            client = self._host.connect(address, SimpleRegistryService, self._token, _CALL_S, quiet_s)
            self._clients.append(client)
            self._remotes[name] = client.proxy
            if self._own is None:
                self._add_session(name, client.proxy)
            else:
                peering = Peering(self._own, name, client.proxy, min(2.0, self._identity.lease_s / 6))
                self._peerings.append(peering)
                peering.start()

    def _add_session(self, name: str, remote: SimpleRegistryService, *, is_here: bool = False) -> None:
        assert self._host is not None
        session = Session(name, self._identity, remote, self, None if is_here else self._host.offer)
        self._sessions[name] = session
        for interface in self._interfaces:
            session.watch(interface)
        session.start()

    async def register(self, endpoint: Endpoint) -> None:
        """See `Registry.register`.

        Raises:
            ValueError: the endpoint's URL is longer than a registry reads.
        """
        await self._put(provider_key(endpoint), endpoint.service.interface, provider_url(endpoint))

    async def unregister(self, endpoint: Endpoint) -> None:
        """See `Registry.unregister`."""
        await self._take_back(provider_key(endpoint))

    async def register_consumer(self, consumer: Consumer) -> None:
        """See `ConsumerRegistry.register_consumer`. Raises as `register`."""
        await self._put(consumer_key(consumer), consumer.service.interface, consumer.url)

    async def unregister_consumer(self, consumer: Consumer) -> None:
        """See `ConsumerRegistry.unregister_consumer`."""
        await self._take_back(consumer_key(consumer))

    async def _put(self, key: str, interface: str, url: str) -> None:
        if len(url) > MAX_ENTRY:
            raise ValueError(f"{key}: its URL has {len(url)} characters; a registry takes {MAX_ENTRY}")
        entry = Entry(interface, key, url, self._identity.number())
        await asyncio.gather(*(each.upkeep.put(key, entry, self._wait_s(each)) for each in self._sessions.values()))

    async def _take_back(self, key: str) -> None:
        await asyncio.gather(*(each.upkeep.take_back(key, self._wait_s(each)) for each in self._sessions.values()))

    def _wait_s(self, session: Session) -> float:
        """One that is away is waited for only at the very beginning, or when all are."""
        waits = session.is_online is not False or not self._union.is_online
        return _WAIT_S if waits else 0.0

    async def watch(self, service: ServiceKey) -> AsyncGenerator[Snapshot, None]:
        """See `Registry.watch`."""
        if self._closed:
            return
        feed = self._feeds.get(service)
        if feed is None:
            feed = self._feeds[service] = Feed(service)
            self._begin(service)
        watch = feed.watch()
        try:
            async for snapshot in watch:
                yield snapshot
        finally:
            await watch.aclose()
            if not feed.is_watched and self._feeds.get(service) is feed:
                del self._feeds[service]
                self._end(service)

    def _begin(self, service: ServiceKey) -> None:
        interface = service.interface
        services = self._interfaces.setdefault(interface, set())
        services.add(service)
        if len(services) == 1:
            for each in self._sessions.values():
                each.watch(interface)
        else:
            self._show(interface)

    def _end(self, service: ServiceKey) -> None:
        interface = service.interface
        services = self._interfaces[interface]
        services.discard(service)
        if not services:
            del self._interfaces[interface]
            for each in self._sessions.values():
                each.unwatch(interface)
            self._union.drop(interface)

    def found(self, session: Session) -> None:
        """See `SessionOwner.found`."""
        self._union.found(session.server)
        self._settle_later()

    def lost(self, session: Session) -> None:
        """See `SessionOwner.lost`."""
        self._union.lost(session.server)
        if self._union.is_online:
            self._settle_later()
            # What it said still counts; those that waited for it wait no more.
            waiting = {each for each, feed in self._feeds.items() if feed.current.freshness is not Freshness.FRESH}
            for interface in {each.interface for each in waiting}:
                self._show(interface)
        else:
            for feed in self._feeds.values():
                feed.lose()

    def overruled(self, entries: Sequence[Entry]) -> None:
        """See `SessionOwner.overruled`."""
        for each in entries:
            again = replace(each, sequence=self._identity.number())
            for session in self._sessions.values():
                session.upkeep.want(each.key, again)

    def told(self, session: Session, lists: Sequence[ServiceList]) -> None:
        """See `SessionOwner.told`."""
        for each in lists:
            self._union.put(session.server, each.interface_name, each.records)
            self._show(each.interface_name)

    def _show(self, interface: str) -> None:
        if not self._union.is_known(interface):
            return
        for service in self._interfaces.get(interface, ()):
            feed = self._feeds[service]
            endpoints, gone = self._union.providers(service)
            shown = {each.identity for each in feed.current.endpoints} if gone else set()
            feed.publish(endpoints, withdrawn=gone & shown)

    def _settle_later(self) -> None:
        if self._settling is not None:
            self._settling.cancel()
        # A moment more than the union waits.
        after_s = self._identity.lease_s * 1.01 + 0.01
        self._settling = asyncio.get_running_loop().call_later(after_s, self._settle)

    def _settle(self) -> None:
        self._settling = None
        if self._union.settle():
            if self._showing is not None:
                self._showing.cancel()
            self._showing = asyncio.create_task(self._show_all(), name="settling of a simple registry")

    async def _show_all(self) -> None:
        for interface in tuple(self._interfaces):
            self._show(interface)
            # There may be thousands of them.
            await asyncio.sleep(0)

    async def listing(self) -> Listing:
        """See `ListedRegistry.listing`; of all servers that can be asked."""
        newest: dict[tuple[str, str], Record] = {}
        problems = []
        for session in self._sessions.values():
            try:
                for each in await everything(session.remote):
                    known = newest.get((each.client, each.key))
                    if known is None or known.sequence < each.sequence:
                        newest[each.client, each.key] = each
            except RpcError as exc:
                problems.append(f"{session.server}: {exc}")
        if len(problems) == len(self._sessions):
            raise RegistryError(f"no server of the registry can be asked: {'; '.join(problems) or 'none is started'}")
        live = [each.url for each in newest.values() if each.gone_ms < 0]
        endpoints, skipped = read_providers([each for each in live if not each.startswith("consumer:")], None)
        consumers, others = read_consumers([each for each in live if each.startswith("consumer:")])
        return Listing(endpoints, consumers, [*skipped, *others])

    async def remove(self, endpoint: Endpoint) -> bool:
        """See `EditableRegistry.remove`."""
        key = provider_key(endpoint)
        found, problems = False, []
        for session in self._sessions.values():
            try:
                there = [each for each in await everything(session.remote) if each.key == key and each.gone_ms < 0]
                # As another server would say it that has heard so from the client.
                gone = [replace(each, sequence=each.sequence + 1, gone_ms=0) for each in there]
                await session.remote.merge(Changes("", 0, False, [], gone))
                found |= bool(gone)
            except RpcError as exc:
                problems.append(f"{session.server}: {exc}")
        if len(problems) == len(self._sessions):
            raise RegistryError(f"no server of the registry can be asked: {'; '.join(problems) or 'none is started'}")
        return found

    async def diagnose(self) -> Sequence[Finding]:
        """See `DiagnosableRegistry.diagnose`."""
        remotes = dict(self._remotes)
        if self._own is not None:
            remotes = {_HERE: self._own, **remotes}
        return await diagnose(remotes, self._identity.lease_s)

    async def aclose(self) -> None:
        """See `Registry.aclose`."""
        self._closed = True
        if self._settling is not None:
            self._settling.cancel()
        if self._showing is not None:
            self._showing.cancel()
        for feed in self._feeds.values():
            feed.close()
        await asyncio.gather(*(each.aclose(_WAIT_S) for each in self._sessions.values()))
        if self._peerings:
            # What was just withdrawn here is still passed on.
            await asyncio.gather(*(each.flush(_WAIT_S) for each in self._peerings))
        await asyncio.gather(*(each.aclose() for each in self._peerings))
        await asyncio.gather(*(each.aclose() for each in self._clients))
        await asyncio.gather(*(each.aclose() for each in self._stock))
        if self._own is not None:
            await self._own.aclose()
        if self._listening is not None:
            await self._listening.aclose()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def everything(remote: SimpleRegistryService) -> list[Record]:
    """All records of a server.

    Raises:
        RpcError: it cannot be asked.
    """
    found: list[Record] = []
    instance, since = "", 0
    while True:
        changes = await remote.changes(instance, since, 0)
        found += changes.records
        if not changes.more:
            return found
        instance, since = changes.instance, changes.upto
