"""From "how this service is reached" to a handler: directory, cluster modes and balancers put together in one place."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from gateway.cluster.context import ClusterContext, RegistryPlace
from gateway.cluster.mock import MockCluster
from gateway.cluster.once import once
from gateway.cluster.retry_budget import RetryBudget
from gateway.config.sections.choice import Choice, ClusterChoice, chosen
from gateway.config.sections.ejection import EjectionConfig
from gateway.config.sections.mock import MockChoice, mock_config
from gateway.config.sections.protection import ProtectionConfig
from gateway.config.sections.retry_budget import RetryBudgetConfig
from gateway.failback.outbox import Outbox, ReferenceBox
from gateway.model.call import NO_ATTACHMENTS, Invocation, Result
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import ContractError, ValueMappingError
from gateway.plugins.catalog import Catalog
from gateway.routing.directory import Directory
from gateway.routing.health import Health
from gateway.routing.remote import MethodPolicy, RemoteService
from gateway.routing.selection import Selector
from gateway.routing.sticky import Sticky, StickyTable
from gateway.spi.adapter import ClientAdapter, Reference
from gateway.spi.cluster import Cluster, Invoker
from gateway.spi.failback import CallRecorder
from gateway.spi.filter_ability import AttemptFilter, EndpointFilter
from gateway.spi.handler import Filter, Handler, compose
from gateway.spi.memory import Memory
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
    sticky: bool | None = None
    mock: MockChoice | None = None


@dataclass(frozen=True, slots=True)
class ReferenceSettings:
    """How one service elsewhere is used. Names are those of the plug-in catalogue.

    `retries`: attempts after the first; None means two, and only where repeating cannot do harm.
    `warmup_s`: how long a new provider warms up. `ejection`: when one that gives trouble is left alone.
    `protection`: who is kept that a registry does not name any more.
    `sticky`: the calls of a consumer stay with one provider. `mock`: an answer that no provider gives.
    `retry_budget`: how much load repeating may add. `registries`: where the providers of each are, by name.
    `parameters`: options by protocol. `kept_as`: under which name its calls wait where they do; empty for its own.
    """

    service: ServiceKey
    contract: ServiceContract | None
    application: str = "polyport"
    cluster: Choice = "failover"
    retries: int | None = None
    balance: Choice = "random"
    sticky: bool = False
    mock: MockChoice | None = None
    retry_budget: RetryBudgetConfig = field(default_factory=RetryBudgetConfig)
    timeout_s: float = 1.0
    connections: int = 0
    token: str = ""
    warmup_s: float = WARMUP_S
    ejection: EjectionConfig = field(default_factory=EjectionConfig)
    protection: ProtectionConfig = field(default_factory=ProtectionConfig)
    methods: Mapping[str, MethodSettings] = field(default_factory=lambda: MappingProxyType({}))
    registries: Mapping[str, RegistryPlace] = field(default_factory=lambda: MappingProxyType({}))
    filters: Sequence[Filter] = ()
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    kept_as: str = ""


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
    outbox: Callable[[], Outbox] | None = None,
    memory: Memory | None = None,
) -> OpenReference:
    """Puts a reference together; nothing is watched or connected yet.

    `name`: what the tables of `selector` call this service. `registries`: by name, where providers are looked up.
    `client`: the adapter for a protocol. `counters`: by service and reason, and of calls over another protocol
    than the one asked for. `sampled`: see `RemoteService`.
    `outbox`: gives what keeps calls and sends them again, for modes that do; asked for only by those.
    `memory`: what registries named last.

    Raises:
        LookupError: a cluster mode or balancer does not exist; says what does.
        ValueError: options are not what they must be.
        ContractError: a mode or a mock does not suit the methods it is for.
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
        if not reference.token and (announced := endpoint.parameters.get("token")):
            # What a provider asks for comes with its announcement; who has only its address does not know it.
            reference = replace(reference, token=announced)
        invoker = client(endpoint.protocol).open(endpoint, reference)
        return _FilteredInvoker(invoker, settings.filters) if settings.filters else invoker

    counters = Counters() if counters is None else counters
    protocols = selector.current.services[name].protocols
    health = Health(settings.ejection, settings.warmup_s, partial(counters.add, name))
    directory = Directory(
        settings.service,
        registries,
        open_invoker,
        protocols=protocols,
        health=health,
        protection=settings.protection,
        memory=memory,
        count=partial(counters.add, name),
    )

    policies = _Policies(name, settings, catalog, partial(counters.add, name), outbox)
    methods = {method: policies.of(method, each) for method, each in settings.methods.items() if _differs(each)}
    default = policies.default(methods)
    handler = RemoteService(name, directory, selector, default, methods, counters=counters, sampled=sampled)
    if policies.box is not None:
        # Whatever the mode of a method: a call that is sent again has one attempt, and is not kept once more.
        again = {method: replace(each, cluster=once(each.cluster)) for method, each in methods.items()}
        resent = RemoteService(name, directory, selector, replace(default, cluster=once(default.cluster)), again)
        policies.box.attach(resent, max(settings.timeout_s, *common.method_timeouts_s.values(), 0.0))
    return OpenReference(handler, directory)


def _differs(method: MethodSettings) -> bool:
    return any(
        each is not None for each in (method.cluster, method.retries, method.balance, method.sticky, method.mock)
    )


class _Policies:
    """Builds the policies of one reference; they share its retry budget, and whom consumers stay with."""

    def __init__(
        self,
        name: str,
        settings: ReferenceSettings,
        catalog: Catalog,
        count: Callable[[str], None],
        outbox: Callable[[], Outbox] | None,
    ) -> None:
        self.box: ReferenceBox | None = None
        """What keeps its calls, once a mode has asked for it."""
        self._outbox = outbox
        self._name = name
        self._settings = settings
        self._catalog = catalog
        self._count = count
        written = settings.retry_budget
        self._budget = RetryBudget(written.share, written.per_second, written.burst)
        self._stays = StickyTable()

    def of(self, method: str, own: MethodSettings) -> MethodPolicy:
        contract = self._settings.contract
        return self._policy(own, contract.overloads(method) if contract is not None else ())

    def default(self, others: Mapping[str, MethodPolicy]) -> MethodPolicy:
        """For all methods but those that have policies of their own."""
        contract = self._settings.contract
        methods = [each for each in contract.methods if each.name not in others] if contract is not None else []
        return self._policy(MethodSettings(), methods)

    def _policy(self, own: MethodSettings, methods: Sequence[MethodContract]) -> MethodPolicy:
        settings = self._settings
        retries = settings.retries if own.retries is None else own.retries
        context = ClusterContext(
            name=self._name,
            service=settings.service,
            contract=settings.contract,
            methods=tuple(methods),
            retries=_RETRIES if retries is None else retries,
            retries_written=retries is not None,
            budget=self._budget,
            count=self._count,
            registries=settings.registries,
            recorder=self._recorder,
        )
        context = replace(context, mode=partial(self._inner_mode, context))
        balancer, balancer_options = chosen(own.balance or settings.balance, self._catalog.balancer)
        balance = balancer.build(balancer_options)
        wanted = getattr(balance, "attachments", NO_ATTACHMENTS)
        if settings.sticky if own.sticky is None else own.sticky:
            balance = Sticky(balance, self._stays)
        mode = self._mode(own.cluster or settings.cluster, context)
        mock = own.mock if own.mock is not None else settings.mock
        if mock is not None and (config := mock_config(mock)).when != "never":
            try:
                mode = MockCluster(config, context, mode)
            except ValueMappingError as exc:
                raise ContractError(f"the mock does not fit: {exc}") from None
        return MethodPolicy(mode, balance, balancer.name, wanted)

    def _recorder(self) -> CallRecorder:
        if self._outbox is None:
            raise LookupError(f"{self._name}: nothing here keeps calls")
        self.box = self._outbox().box(self._settings.kept_as or self._name, self._settings.contract)
        return self.box

    def _mode(self, choice: Choice, context: ClusterContext) -> Cluster:
        plugin, options = chosen(choice, self._catalog.cluster)
        if context.contract is not None and (misfits := plugin.check(options, context.contract, context.methods)):
            wrong = "; ".join(f"{'.'.join(map(str, each.path))}: {each.text}".removeprefix(": ") for each in misfits)
            raise ContractError(f"cluster mode {plugin.name} does not suit {context.contract.name}: {wrong}")
        mode: Cluster = plugin.build(options, context)
        return mode

    def _inner_mode(self, context: ClusterContext, choice: ClusterChoice) -> Cluster:
        inner = replace(context, mode=partial(self._inner_mode, context))
        return self._mode({"type": choice.type, "options": choice.options}, inner)


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
