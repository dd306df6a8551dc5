"""Lends dubbo:// to registries that are services themselves (`gateway.spi.registry_host`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from gateway.contracts.python import contract_of
from gateway.contracts.stub import CallOptions, make_proxy
from gateway.filters.service_token import ServiceToken
from gateway.model.call import Invocation, Result
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.exposure import Exposure
from gateway.plugins.catalog import Catalog
from gateway.routing.local import LocalService
from gateway.routing.table import RoutingTable
from gateway.runtime.offering import offering, taking_callbacks
from gateway.spi.adapter import ClientAdapter, ListenerOptions, Reference, ServerAdapter
from gateway.spi.handler import Handler, compose
from gateway.spi.registry_host import MESSAGE_BYTES

__all__ = ["DubboRegistryHost"]

_T = TypeVar("_T")
_PROTOCOL: Final = "dubbo"
_CALLBACK_TIMEOUT_S: Final = 5.0
_CALLBACKS: Final = 10_000
"""Dubbo's own number for its registry clients, which have a listener for each subscription."""
_CONNECT_TIMEOUT_S: Final = 2.0
_MAX_ELEMENTS: Final = 1_000_000
_ELEMENT_BYTES: Final = 12
"""What registries are told is text of some length. A message of more elements than that takes long to read, and no call
is answered meanwhile."""


class _Server:
    def __init__(self, adapter: ServerAdapter, address: str) -> None:
        self._adapter = adapter
        self.address = address

    async def aclose(self) -> None:
        await self._adapter.aclose()


class _Client(Generic[_T]):
    def __init__(self, adapter: ClientAdapter, proxy: _T) -> None:
        self._adapter = adapter
        self.proxy: Final = proxy

    async def aclose(self) -> None:
        await self._adapter.aclose()


class DubboRegistryHost:
    """A `gateway.spi.registry_host.RegistryHost`. `name`: of the registry, for logs and errors."""

    def __init__(self, catalog: Catalog, name: str, application: str, *, may_serve: bool = True) -> None:
        self._plugin: Final = catalog.protocol(_PROTOCOL)
        self._name = name
        self.application = application
        self.may_serve = may_serve

    async def serve(
        self, address: tuple[str, int], services: Sequence[tuple[Callable[..., object], object]], token: str
    ) -> _Server:
        """See `RegistryHost.serve`."""
        filters = (ServiceToken(token),) if token else ()
        routes: dict[ServiceKey, Handler] = {}
        exposures = []
        for contract, implementation in services:
            described = contract_of(contract)
            key = ServiceKey(described.name)
            routes[key] = compose(filters, LocalService(described, implementation))
            exposures.append(Exposure(key, described))
        host, port = address
        options = ListenerOptions(
            name=f"registry {self._name}",
            protocol=_PROTOCOL,
            host=host,
            port=port,
            application=self.application,
            max_frame_bytes=MESSAGE_BYTES,
            max_write_buffer_bytes=MESSAGE_BYTES,
            options=MappingProxyType({"callback_timeout": _CALLBACK_TIMEOUT_S, "callbacks": _CALLBACKS}),
        )
        adapter = self._plugin.server(options)
        try:
            bound, *_ = await adapter.start(RoutingTable(routes), exposures)
        except BaseException:
            await adapter.aclose()
            raise
        return _Server(adapter, bound.address)

    def connect(
        self,
        address: tuple[str, int],
        contract: Callable[..., _T],
        token: str,
        timeout_s: float,
        quiet_s: float,
        *,
        group: str = "",
        version: str = "",
        message_bytes: int = MESSAGE_BYTES,
        is_logged: bool = True,
    ) -> _Client[_T]:
        """See `RegistryHost.connect`."""
        described = contract_of(contract)
        key = ServiceKey(described.name, group, version)
        parameters = {
            "payload": message_bytes,
            "max_elements": min(_MAX_ELEMENTS, message_bytes // _ELEMENT_BYTES),
            "heartbeat": quiet_s,
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "is_logged": is_logged,
        }
        reference = Reference(
            key, described, timeout_s=timeout_s, token=token, application=self.application, parameters=parameters
        )
        adapter = self._plugin.client()
        invoker = adapter.open(Endpoint(_PROTOCOL, *address, key), reference)

        async def call(invocation: Invocation) -> Result:
            return await invoker(invocation)

        handler = taking_callbacks(described, call)
        return _Client(adapter, make_proxy(contract, key, handler, CallOptions(consumer=self.application)))

    def offer(self, listener: _T, lost: Callable[[str], None]) -> _T:
        """See `RegistryHost.offer`."""
        return offering(listener, lost=lost)
