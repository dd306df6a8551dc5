"""The composition root: turns a checked configuration into objects that are wired up but not started."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from gateway.cluster.context import RegistryPlace
from gateway.config.model import GatewayConfig
from gateway.config.option import missing_options
from gateway.config.port_check import port_misfits
from gateway.config.sections.choice import Choice, ChoiceConfig
from gateway.config.sections.listener import revealed
from gateway.config.sections.remote import RemoteConfig
from gateway.config.sections.service import RANDOM_TOKEN, ServiceConfig
from gateway.config.target import load_contract, load_implementation, service_key
from gateway.failback.opening import make_outbox
from gateway.failback.outbox import Outbox
from gateway.filters.order import arrange
from gateway.filters.service_token import ServiceToken, random_token
from gateway.model.consumer import Consumer
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ConfigError, ContractError, Problem
from gateway.model.exposure import Exposure
from gateway.plugins.catalog import Catalog
from gateway.routing.directory import Directory
from gateway.routing.local import LocalService
from gateway.routing.selection import Selector
from gateway.routing.table import RoutingTable, Switch, answered
from gateway.runtime.consumer_entry import ConsumerEntries, ConsumerEntry
from gateway.runtime.last_known import LastKnown, last_known_file
from gateway.runtime.named_registry import NamedRegistry, name_in
from gateway.runtime.own_address import own_address
from gateway.runtime.reference import MethodSettings, ReferenceSettings, open_reference
from gateway.runtime.registry_host import DubboRegistryHost
from gateway.runtime.selection import consumer_name, selection_table
from gateway.spi.adapter import ClientAdapter, ListenerOptions
from gateway.spi.handler import Filter, Handler, compose
from gateway.spi.plugin import FilterPlugin, ProtocolPlugin, RegistryPlugin
from gateway.spi.registry import Registry
from gateway.spi.registry_host import HostedRegistry
from gateway.telemetry.counters import Counters
from gateway.telemetry.sample import sampled

__all__ = ["Plan", "PlannedListener", "PlannedPort", "PlannedService", "build"]

_DIRECT: Final = "direct"
_ALWAYS: Final = ("access_log", "deadline", "load_report")
"""Filters every listener has: trouble is always logged and counted, nothing is done for callers that gave up, and who
balances by the load of machines learns that of this one."""


@dataclass(frozen=True, slots=True)
class PlannedService:
    """One service of the configuration. `handler` runs its filters and then answers, here or elsewhere; `questions`
    runs them for what is asked about it. `token`: what callers from outside must show, and registries are told."""

    name: str
    key: ServiceKey
    contract: ServiceContract | None
    handler: Handler
    questions: Handler
    listeners: tuple[str, ...]
    announce: tuple[str, ...]
    weight: int
    warmup_s: float | None
    forwarded: bool
    token: ServiceToken | None


@dataclass(frozen=True, slots=True)
class PlannedListener:
    """One listener of the configuration. `switch` stands behind its filters and holds the current routing table.

    `port`: the name of the one it shares with others, empty where there is none. Where `options.listens` is false that
    is its only one.
    """

    plugin: ProtocolPlugin
    options: ListenerOptions
    handler: Handler
    switch: Switch
    exposures: Sequence[Exposure]
    port: str = ""


@dataclass(frozen=True, slots=True)
class PlannedPort:
    """One port of the configuration that listeners share. `text`: see `SharedPort.start`."""

    options: ListenerOptions
    listeners: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a gateway consists of. `clients` grows as protocols are needed.

    `selector`: holds the table that says which protocol each consumer uses; swap it to change that while calls run.
    `fallbacks`: calls that took another protocol than the one asked for.
    `filters`: every filter, once; `named_filters`: those with an entry of their own, with their plug-ins.
    `outbox`: None where no reference keeps calls. `memory`: None where nothing need be remembered. `host`: under which
    others reach this process. `names`: whose names of services stand in a registry, see `RegistryPlugin.names`.
    `consumers`: what this process calls, as registries show it.
    """

    services: Mapping[str, PlannedService]
    listeners: Mapping[str, PlannedListener]
    ports: Mapping[str, PlannedPort]
    registries: Mapping[str, Registry]
    directories: Mapping[str, Directory]
    clients: dict[str, ClientAdapter]
    selector: Selector
    fallbacks: Counters
    filters: Sequence[object]
    named_filters: Mapping[str, tuple[FilterPlugin, object]]
    outbox: Outbox | None
    memory: LastKnown | None
    host: str
    names: Mapping[str, str]
    consumers: ConsumerEntries


def build(config: GatewayConfig, catalog: Catalog) -> Plan:
    """Makes everything the configuration names.

    Raises:
        ContractError: a contract or implementation is not what it must be; names the service.
        PluginError: a plug-in cannot be loaded.
        ConfigError: a filter stands where it cannot work, a registry lacks an option, or listeners cannot share a port.
    """
    return _Builder(config, catalog).build()


def _choice(section: ChoiceConfig) -> Choice:
    return {"type": section.type, "options": section.options}


class _Builder:
    def __init__(self, config: GatewayConfig, catalog: Catalog) -> None:
        self._config = config
        self._catalog = catalog
        self._registries: dict[str, Registry] = {}
        self._directories: dict[str, Directory] = {}
        self._clients: dict[str, ClientAdapter] = {}
        self._selector = Selector(selection_table(config, catalog))
        self._fallbacks = Counters()
        self._sampled = sampled(config.telemetry.explain)
        self._named_filters: dict[str, tuple[FilterPlugin, Filter]] = {}
        self._made_filters: list[Filter] = []
        self._outbox: Outbox | None = None
        self._memory: LastKnown | None = None
        self._host = own_address(config.application.host)
        self._names: dict[str, str] = {}
        self._consumers: list[ConsumerEntry] = []

    def build(self) -> Plan:
        config = self._config
        for name, registry in config.registries.items():
            plugin = self._catalog.registry(registry.type)
            self._check_options(name, plugin, registry.options)
            made = self._registries[name] = plugin.build(revealed(registry.options))
            if isinstance(made, HostedRegistry):
                made.hosted_by(DubboRegistryHost(self._catalog, name, config.application.name))
            self._names[name] = plugin.names
            if not plugin.is_local and self._memory is None:
                file = last_known_file(config.application.last_known, config.application.name)
                self._memory = LastKnown(file, config.application.name) if file is not None else None
        services = {name: self._service(name, service) for name, service in config.services.items()}
        listeners = {name: self._listener(name, services) for name in config.listeners}
        return Plan(
            services,
            listeners,
            {name: self._port(name) for name in config.ports},
            self._registries,
            self._directories,
            self._clients,
            self._selector,
            self._fallbacks,
            self._made_filters,
            self._named_filters,
            self._outbox,
            self._memory,
            self._host,
            self._names,
            ConsumerEntries(
                self._consumers,
                self._registries,
                self._directories,
                self._selector,
                consumer_name("", config.application.name),
            ),
        )

    def _check_options(self, name: str, plugin: RegistryPlugin, options: Mapping[str, Any]) -> None:
        """What the loader says of a file, for configurations that a program made."""
        wrong = [f"{each!r} is required" for each in missing_options(options, plugin.options)]
        if wrong := wrong or [each.text for each in plugin.check(options)]:
            at = f"registries.{name}.options"
            raise ConfigError([Problem("configuration", 0, 0, at, text) for text in wrong])

    def _service(self, name: str, service: ServiceConfig) -> PlannedService:
        try:
            contract = load_contract(service)
            key = service_key(service, contract)
            if service.remote is not None:
                handler = self._remote(name, key, contract, service.remote)
            elif contract is not None:
                handler = LocalService(contract, load_implementation(service, contract))
            else:
                raise ContractError("a service without a contract cannot be hosted")
        except ContractError as exc:
            raise ContractError(f"services.{name}: {exc}") from exc
        token = self._token(service)
        filters = self._filters(service.filters)
        if token is not None:
            # First: who does not know it shall learn nothing and take nothing.
            filters = (token, *filters)
        return PlannedService(
            name=name,
            key=key,
            contract=contract,
            handler=compose(filters, handler),
            questions=compose(filters, answered),
            listeners=service.listeners,
            announce=service.announce,
            weight=service.weight,
            warmup_s=service.warmup,
            forwarded=service.remote is not None,
            token=token,
        )

    def _token(self, service: ServiceConfig) -> ServiceToken | None:
        if service.token is None:
            return None
        made = ServiceToken(random_token() if service.token == RANDOM_TOKEN else self._secret(service.token))
        self._made_filters.append(made)
        return made

    def _remote(self, name: str, key: ServiceKey, contract: ServiceContract | None, remote: RemoteConfig) -> Handler:
        settings = ReferenceSettings(
            service=remote.provided(key),
            contract=contract,
            application=self._config.application.name,
            cluster=_choice(remote.cluster),
            retries=remote.retries,
            balance=_choice(remote.balance),
            sticky=remote.sticky,
            mock=remote.mock,
            retry_budget=remote.retry_budget,
            registries={name: self._place(name) for name in remote.registries},
            warmup_s=remote.warmup,
            ejection=remote.ejection,
            protection=remote.protection,
            timeout_s=remote.timeout,
            connections=remote.connections,
            token=self._secret(remote.token),
            methods={
                method: MethodSettings(
                    each.timeout,
                    each.retries,
                    None if each.cluster is None else _choice(each.cluster),
                    None if each.balance is None else _choice(each.balance),
                    each.sticky,
                    each.mock,
                )
                for method, each in remote.methods.items()
            },
            filters=self._filters(remote.filters, around_attempts=True),
            parameters=remote.parameters(),
        )
        registries: dict[str, Registry]
        if remote.addresses:
            registries = {_DIRECT: self._catalog.registry(_DIRECT).build({"endpoints": remote.endpoints(key)})}
        else:
            registries = {each: self._registry(each, settings.service, contract) for each in remote.registries}
            application = self._config.application.name
            for each in remote.registries:
                there = name_in(self._names[each], settings.service, contract)
                self._consumers.append(ConsumerEntry(each, name, Consumer(there, application, self._host)))
        reference = open_reference(
            name,
            settings,
            self._selector,
            registries,
            self._client,
            self._catalog,
            self._fallbacks,
            self._sampled,
            self._box,
            self._memory,
        )
        self._directories[name] = reference.directory
        return reference.handler

    def _registry(self, name: str, service: ServiceKey, contract: ServiceContract | None) -> Registry:
        """A registry as the reference to `service` sees it."""
        there = name_in(self._names[name], service, contract)
        registry = self._registries[name]
        return registry if there == service else NamedRegistry(registry, service, there)

    def _box(self) -> Outbox:
        if self._outbox is None:
            section = self._config.failback
            self._outbox = make_outbox(section, self._fallbacks.add, self._secret(section.credential))
        return self._outbox

    def _place(self, registry: str) -> RegistryPlace:
        written = self._config.registries[registry]
        return RegistryPlace(written.zone, written.weight, written.preferred)

    def _client(self, protocol: str) -> ClientAdapter:
        client = self._clients.get(protocol)
        if client is None:
            client = self._clients[protocol] = self._catalog.protocol(protocol).client()
        return client

    def _secret(self, name: str | None) -> str:
        return self._config.credentials[name].secret.reveal() if name else ""

    def _listener(self, name: str, services: Mapping[str, PlannedService]) -> PlannedListener:
        listener = self._config.listeners[name]
        plugin = self._catalog.protocol(listener.protocol)
        shown = [service for service in services.values() if name in service.listeners]
        switch = Switch(
            RoutingTable(
                {service.key: service.handler for service in shown},
                {service.key: service.questions for service in shown},
            )
        )
        port = next((each for each, port in self._config.ports.items() if name in port.listeners), "")
        options = listener.listener_options(name, self._config.application.name, plugin.default_port)
        return PlannedListener(
            plugin=plugin,
            options=replace(options, listens=False) if port and listener.port is None else options,
            handler=compose(self._filters((*_ALWAYS, *listener.filters)), switch),
            switch=switch,
            exposures=tuple(self._exposure(service, listener.protocol) for service in shown),
            port=port,
        )

    def _port(self, name: str) -> PlannedPort:
        port = self._config.ports[name]
        members = {}
        for each in port.listeners:
            listener = self._config.listeners.get(each)
            if listener is None:
                raise ConfigError([Problem("configuration", 0, 0, f"ports.{name}", f"there is no listener {each!r}")])
            members[each] = self._catalog.protocol(listener.protocol), listener.options
        # What the loader says of a file, for configurations that a program made.
        wrong = [text for _, text in port_misfits(port.host, members)]
        if wrong:
            raise ConfigError([Problem("configuration", 0, 0, f"ports.{name}", text) for text in wrong])
        return PlannedPort(port.listener_options(name, self._config.application.name), port.listeners, port.text or "")

    def _exposure(self, service: PlannedService, protocol: str) -> Exposure:
        options = revealed(self._config.services[service.name].protocols.get(protocol, {}))
        return Exposure(service.key, service.contract, service.forwarded, MappingProxyType(options))

    def _filters(self, names: Iterable[str], *, around_attempts: bool = False) -> Sequence[Filter]:
        """Filters by their names in the configuration, or by plug-in names where no entry is called so."""
        made: dict[str, tuple[str, Filter]] = {}
        for name in names:
            kind, each = self._filter(name, around_attempts)
            # A filter written out replaces the one of its kind that every listener has.
            made[kind if kind in _ALWAYS else name] = (kind, each)
        return arrange(made.values())

    def _filter(self, name: str, around_attempts: bool) -> tuple[str, Filter]:
        """The filter and its kind. One with an entry of its own is the same object wherever it is named, so that a
        limit written once is one limit; one named by its type is made anew for each use."""
        entry = self._config.filters.get(name)
        kind = entry.type if entry is not None else name
        plugin = self._catalog.filter(kind)
        values: Mapping[str, Any] = entry.options if entry is not None else {}
        if kind == "access_log" and self._config.telemetry.access_log:
            values = {"calls": True, **values}
        options = plugin.options(**values)
        if plugin.attempts_only(options) and not around_attempts:
            text = f"filter {name!r} is per provider, so it can stand in the filters of a remote only"
            raise ConfigError([Problem("configuration", 0, 0, f"filters.{name}", text)])
        if name in self._named_filters:
            return kind, self._named_filters[name][1]
        made = plugin.build(options)
        self._made_filters.append(made)
        if entry is not None:
            self._named_filters[name] = (plugin, made)
        return kind, made
