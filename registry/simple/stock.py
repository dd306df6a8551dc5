"""Lets stock Dubbo 2.6 and 2.7 use a simple registry as `dubbo://host:port`.

Each Java process is a client of the server as any other. It says nothing between calls, so its lease is prolonged as
long as its listeners answer: providers and consumers both have one. Listeners get whole categories; those other than
providers are always empty, because a simple registry keeps no rules.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import urlencode
from uuid import uuid4

from gateway.contracts import NO_CALL, Call
from gateway.model.consumer import Consumer
from gateway.model.endpoint import DEFAULT_WEIGHT, Endpoint, ServiceKey, format_address
from gateway.model.errors import BadRequest, ConnectionLost, Overloaded, RpcError
from gateway.telemetry.logs import shorten
from registry.entries import CATEGORIES, PROVIDERS
from registry.simple.contract import ServiceList
from registry.simple.entry import Entry, Identity, consumer_key, provider_key
from registry.simple.server import SimpleServer
from registry.simple.stock_contract import AlibabaUrl, ApacheUrl
from registry.simple.union import Union

__all__ = ["StockRegistry"]

_LOG: Final = logging.getLogger("polyport.registry")
_HERE: Final = "here"
_LEASE_S: Final = 15.0
_MAX_PEERS: Final = 2_000
_MAX_SUBSCRIPTIONS: Final = 10_000

_REGISTRIES: Final = ("com.alibaba.dubbo.registry.RegistryService", "org.apache.dubbo.registry.RegistryService")
_Url = AlibabaUrl | ApacheUrl


class _Notified(Protocol):
    async def notify(self, urls: list[Any]) -> None: ...


@dataclass(slots=True, eq=False)
class _Subscription:
    """`url`: as it was asked for. `told`: the last list of providers, None when it may not have arrived. `telling`: one
    list after the other, since Java hands them to several threads."""

    url: _Url
    service: ServiceKey
    categories: Sequence[str]
    listener: _Notified
    told: list[str] | None = None
    telling: asyncio.Lock = field(default_factory=asyncio.Lock)


class StockRegistry:
    """Implements both contracts of `registry.simple.stock_contract`, with URLs of `url_class`."""

    def __init__(
        self, server: SimpleServer, url_class: type[AlibabaUrl] | type[ApacheUrl], lease_s: float = _LEASE_S
    ) -> None:
        self._server = server
        self._url_class = url_class
        self._lease_s = lease_s
        self._peers: dict[str, _Peer] = {}

    async def register(self, url: _Url, *, call: Call = NO_CALL) -> None:
        """See the contract."""
        await self._peer(call).put(url)

    async def unregister(self, url: _Url, *, call: Call = NO_CALL) -> None:
        """See the contract."""
        await self._peer(call).take_back(url)

    async def subscribe(self, url: _Url, listener: _Notified, *, call: Call = NO_CALL) -> None:
        """See the contract."""
        await self._peer(call).subscribe(url, listener)

    async def unsubscribe(self, url: _Url, listener: _Notified, *, call: Call = NO_CALL) -> None:
        """See the contract."""
        self._peer(call).unsubscribe(url)

    async def lookup(self, url: _Url) -> list[_Url]:
        """See the contract."""
        service = _service(url)
        union = Union([_HERE], self._lease_s)
        union.put(_HERE, service.interface, self._server.table.records(service.interface))
        return [_read(each.url, self._url_class) for each in union.providers(service)[0]]

    async def aclose(self) -> None:
        """Keeps nobody alive any more."""
        tasks = [each.task for each in self._peers.values()]
        for each in tasks:
            each.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def forget(self, address: str) -> None:
        """The process at this address is gone."""
        self._peers.pop(address, None)

    def _peer(self, call: Call) -> _Peer:
        address = "" if call.peer is None else call.peer.address
        peer = self._peers.get(address)
        if peer is None:
            if len(self._peers) >= _MAX_PEERS:
                raise Overloaded(f"{_MAX_PEERS} Dubbo processes use this registry")
            peer = self._peers[address] = _Peer(self, self._server, self._url_class, address, self._lease_s)
        return peer


class _Peer:
    """One Java process, by the address of its connection."""

    def __init__(
        self,
        owner: StockRegistry,
        server: SimpleServer,
        url_class: type[AlibabaUrl] | type[ApacheUrl],
        address: str,
        lease_s: float,
    ) -> None:
        self._owner = owner
        self._server = server
        self._url_class = url_class
        self._address = address
        self._identity = Identity(uuid4().hex, lease_s, time.time)
        self._entries: dict[str, Entry] = {}
        self._subscriptions: list[_Subscription] = []
        self._union = Union([_HERE], lease_s)
        self.task = asyncio.create_task(self._keep(), name=f"Dubbo process {address}")

    async def put(self, url: _Url) -> None:
        entry = self._entry(url)
        if entry is not None:
            self._entries[entry.key] = entry
            await self._server.announce(self._identity.lease(), [self._identity.record(entry)])

    async def take_back(self, url: _Url) -> None:
        entry = self._entry(url)
        if entry is not None and (known := self._entries.pop(entry.key, None)) is not None:
            await self._server.announce(self._identity.lease(), [self._identity.gone(known)])

    async def subscribe(self, url: _Url, listener: _Notified) -> None:
        if _service(url).interface in _REGISTRIES:
            # It asks where other registries are. To say "nowhere" would close this connection.
            return
        self.unsubscribe(url)
        if len(self._subscriptions) >= _MAX_SUBSCRIPTIONS:
            raise Overloaded(f"a Dubbo process may have {_MAX_SUBSCRIPTIONS} subscriptions here")
        asked = (url.parameters or {}).get("category", PROVIDERS)
        categories = CATEGORIES if asked == "*" else [each for each in asked.split(",") if each in CATEGORIES]
        made = _Subscription(url, _service(url), categories, listener)
        await self._server.announce(self._identity.lease(), [])
        # The list is there when the answer is: a consumer that checks its providers looks at once.
        interface = made.service.interface
        self._union.put(_HERE, interface, self._server.table.records(interface))
        self._subscriptions.append(made)
        for category in categories:
            if category != PROVIDERS:
                await listener.notify([_empty(url, category, self._url_class)])
        await self._notify(made)
        await self._server.watch(self._identity.name, [interface], self)

    def unsubscribe(self, url: _Url) -> None:
        text = _text(url)
        self._subscriptions = [each for each in self._subscriptions if _text(each.url) != text]

    async def changed(self, lists: list[ServiceList]) -> None:
        """See `registry.simple.contract.Listener`."""
        for each in lists:
            self._union.put(_HERE, each.interface_name, each.records)
            for subscription in tuple(self._subscriptions):
                if subscription.service.interface != each.interface_name:
                    continue
                try:
                    await self._notify(subscription)
                except RpcError as exc:
                    # It is told again with the next sign of life, or is gone then.
                    _LOG.info("Dubbo process %s was not told: %s", self._address, shorten(str(exc)))

    async def _notify(self, subscription: _Subscription, *, again: bool = False) -> None:
        if PROVIDERS not in subscription.categories:
            if again:
                await subscription.listener.notify(
                    [_empty(subscription.url, subscription.categories[0], self._url_class)]
                )
            return
        async with subscription.telling:
            urls = [each.url for each in self._union.providers(subscription.service)[0]]
            if urls == subscription.told and not again:
                return
            subscription.told = None
            shown: list[_Url] = [_read(each, self._url_class) for each in urls]
            await subscription.listener.notify(shown or [_empty(subscription.url, PROVIDERS, self._url_class)])
            subscription.told = urls

    async def _keep(self) -> None:
        """Prolongs the lease as long as the process answers."""
        missed = 0
        while missed < 2:
            await asyncio.sleep(self._identity.lease_s / 3)
            try:
                if not self._subscriptions:
                    missed += 1
                    continue
                await self._notify(self._subscriptions[0], again=True)
                missed = 0
                for each in tuple(self._subscriptions):
                    if PROVIDERS in each.categories and each.told is None:
                        await self._notify(each)
                await self._server.announce(
                    self._identity.lease(), [self._identity.record(each) for each in self._entries.values()]
                )
            except ConnectionLost as exc:
                _LOG.info("Dubbo process %s is gone: %s", self._address, shorten(str(exc)))
                self._server.table.end(self._identity.name)
                break
            except RpcError as exc:
                missed += 1
                _LOG.info("Dubbo process %s does not answer: %s", self._address, shorten(str(exc)))
            except Exception:  # The outermost frame of its task.
                _LOG.exception("Dubbo process %s cannot be told", self._address)
                break
        self._owner.forget(self._address)

    def _entry(self, url: _Url) -> Entry | None:
        """None for what a simple registry does not keep."""
        text, category = _text(url), (url.parameters or {}).get("category", PROVIDERS)
        try:
            if url.protocol == "consumer":
                consumer = Consumer.parse(text)
                return Entry(consumer.service.interface, consumer_key(consumer), text, self._identity.number())
            if category != PROVIDERS:
                return None
            endpoint = Endpoint.parse(text)
        except ValueError as exc:
            raise BadRequest(shorten(str(exc))) from None
        return Entry(endpoint.service.interface, provider_key(endpoint), text, self._identity.number())


def _service(url: _Url) -> ServiceKey:
    parameters = url.parameters or {}
    interface = parameters.get("interface") or (url.path or "").lstrip("/")
    if not interface:
        raise BadRequest("the URL names no interface")
    return ServiceKey(interface, parameters.get("group", ""), parameters.get("version", ""))


def _text(url: _Url) -> str:
    host = url.host or ""
    where = format_address(host, url.port) if url.port else host
    query = urlencode(sorted((url.parameters or {}).items()))
    return f"{url.protocol}://{where}/{(url.path or '').lstrip('/')}?{query}"


def _read(text: str, url_class: type[AlibabaUrl] | type[ApacheUrl]) -> _Url:
    endpoint = Endpoint.parse(text)
    parameters: dict[str, str] = {**_own(endpoint), **dict(endpoint.parameters.items())}
    path = endpoint.path or endpoint.service.interface
    return _made(url_class, endpoint.protocol, endpoint.host, endpoint.port, path, parameters)


def _own(endpoint: Endpoint) -> Mapping[str, str]:
    service = endpoint.service
    own = {"interface": service.interface, "group": service.group, "version": service.version}
    if endpoint.weight != DEFAULT_WEIGHT:
        own["weight"] = str(endpoint.weight)
    return {name: value for name, value in own.items() if value}


def _empty(url: _Url, category: str, url_class: type[AlibabaUrl] | type[ApacheUrl]) -> _Url:
    """What stands for "nobody" of a category."""
    return _made(
        url_class, "empty", url.host or "", url.port, url.path, {**(url.parameters or {}), "category": category}
    )


def _made(
    url_class: type[AlibabaUrl] | type[ApacheUrl],
    protocol: str,
    host: str,
    port: int,
    path: str | None,
    parameters: dict[str, str],
) -> _Url:
    if issubclass(url_class, ApacheUrl):
        return ApacheUrl(protocol, None, None, host, port, path, parameters, {})
    return AlibabaUrl(protocol, None, None, host, port, path, parameters)
