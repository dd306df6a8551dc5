"""From "how this service is reached" to a handler: directory, cluster modes and balancers put together in one place."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from gateway.cluster.context import ClusterContext
from gateway.cluster.retry_budget import RetryBudget
from gateway.config.sections.choice import Choice, chosen
from gateway.config.sections.ejection import EjectionConfig
from gateway.model.call import Invocation, Result
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.plugins.catalog import Catalog
from gateway.routing.directory import Directory
from gateway.routing.health import Health
from gateway.routing.remote import MethodPolicy, RemoteService
from gateway.routing.selection import Selector
from gateway.spi.adapter import ClientAdapter, Reference
from gateway.spi.cluster import Invoker
from gateway.spi.filter_ability import AttemptFilter, EndpointFilter
from gateway.spi.handler import Filter, Handler, compose
from gateway.spi.registry import Registry
from gateway.telemetry.counters import Counters

__all__ = ["WARMUP_S", "MethodSettings", "OpenReference", "ReferenceSettings", "open_reference"]

_RETRIES: Final = 2
"""Dubbo's default: three attempts in all."""

WARMUP_S: Final = 60.0
"""How long a new provider warms up unless somebody says otherwise, seconds."""


@dataclass(frozen=True, slots=True)
class MethodSettings:
    """What differs for one method; None takes the reference's value."""

    timeout_s: float | None = None
    retries: int | None = None
    cluster: Choice | None = None
    balance: Choice | None = None


@dataclass(frozen=True, slots=True)
class ReferenceSettings:
    """How one service elsewhere is used. Names are those of the plug-in catalogue.

    `retries`: attempts after the first; None means two, and only where repeating cannot do harm.
    `warmup_s`: how long a new provider warms up. `ejection`: when one that gives trouble is left alone.
    `parameters`: options by protocol.
    """

    service: ServiceKey
    contract: ServiceContract | None
    application: str = "polyport"
    cluster: Choice = "failover"
    retries: int | None = None
    balance: Choice = "random"
    timeout_s: float = 1.0
    connections: int = 0
    token: str = ""
    warmup_s: float = WARMUP_S
    ejection: EjectionConfig = field(default_factory=EjectionConfig)
    methods: Mapping[str, MethodSettings] = field(default_factory=lambda: MappingProxyType({}))
    filters: Sequence[Filter] = ()
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class OpenReference:
    """A reference in use. `directory` is started and closed by whoever opened it."""

    handler: Handler
    directory: Directory


def open_reference(
    name: str,
    settings: ReferenceSettings,
    selector: Selector,
    registries: Mapping[str, Registry],
    client: Callable[[str], ClientAdapter],
    catalog: Catalog,
    counters: Counters | None = None,
    sampled: Callable[[], bool] | None = None,
) -> OpenReference:
    """Puts a reference together; nothing is watched or connected yet.

    `name`: what the tables of `selector` call this service. `registries`: by name, where providers are looked up.
    `client`: the adapter for a protocol. `counters`: by service and reason, and of calls over another protocol
    than the one asked for. `sampled`: see `RemoteService`.

    Raises:
        LookupError: a cluster mode or balancer does not exist; says what does.
    """
    common = Reference(
        service=settings.service,
        contract=settings.contract,
        timeout_s=settings.timeout_s,
        method_timeouts_s={
            name: each.timeout_s for name, each in settings.methods.items() if each.timeout_s is not None
        },
        token=settings.token,
        application=settings.application,
        connections=settings.connections,
    )
    references = {
        protocol: replace(common, parameters=parameters) for protocol, parameters in settings.parameters.items()
    }

    def open_invoker(endpoint: Endpoint) -> Invoker:
        reference = references.get(endpoint.protocol, common)
        invoker = client(endpoint.protocol).open(endpoint, reference)
        return _FilteredInvoker(invoker, settings.filters) if settings.filters else invoker

    counters = Counters() if counters is None else counters
    protocols = selector.current.services[name].protocols
    health = Health(settings.ejection, settings.warmup_s, partial(counters.add, name))
    directory = Directory(settings.service, registries, open_invoker, protocols=protocols, health=health)

    budget = RetryBudget()

    def policy(cluster: Choice, retries: int | None, balance: Choice) -> MethodPolicy:
        context = ClusterContext(
            name=name,
            service=settings.service,
            contract=settings.contract,
            retries=_RETRIES if retries is None else retries,
            retries_written=retries is not None,
            budget=budget,
            count=partial(counters.add, name),
        )
        mode, mode_options = chosen(cluster, catalog.cluster)
        balancer, balancer_options = chosen(balance, catalog.balancer)
        return MethodPolicy(mode.build(mode_options, context), balancer.build(balancer_options), balancer.name)

    methods = {
        method: policy(
            each.cluster or settings.cluster,
            settings.retries if each.retries is None else each.retries,
            each.balance or settings.balance,
        )
        for method, each in settings.methods.items()
        if (each.cluster, each.retries, each.balance) != (None, None, None)
    }
    default = policy(settings.cluster, settings.retries, settings.balance)
    handler = RemoteService(name, directory, selector, default, methods, counters=counters, sampled=sampled)
    return OpenReference(handler, directory)


class _FilteredInvoker:
    """An invoker with filters around each of its attempts. It is available where the filters say so as well."""

    __slots__ = ("_gates", "_handler", "_invoker", "endpoint", "load")

    def __init__(self, invoker: Invoker, filters: Sequence[Filter]) -> None:
        async def attempt(invocation: Invocation) -> Result:
            return await invoker(invocation)

        around = [each.at(invoker.endpoint) if isinstance(each, EndpointFilter) else each for each in filters]
        self._gates = tuple(each for each in around if isinstance(each, AttemptFilter))
        self._invoker = invoker
        self._handler = compose(around, attempt)
        self.endpoint = invoker.endpoint
        self.load = invoker.load

    @property
    def available(self) -> bool:
        return self._invoker.available and all(gate.available for gate in self._gates)

    def __call__(self, invocation: Invocation) -> Coroutine[Any, Any, Result]:
        return self._handler(invocation)

    async def aclose(self) -> None:
        await self._invoker.aclose()
