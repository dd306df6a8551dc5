"""Clients without a configuration file: from provider URLs to a typed proxy."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Generic, TypedDict, TypeVar, Unpack, cast, overload
from urllib.parse import quote

from gateway.config.option import parse_options
from gateway.config.sections.choice import Choice
from gateway.config.sections.ejection import EjectionConfig
from gateway.config.sections.failback import FailbackConfig
from gateway.config.sections.mock import MockChoice, mock_config
from gateway.config.sections.remote import parse_provider
from gateway.config.sections.retry_budget import RetryBudgetConfig
from gateway.config.sections.section import read_section
from gateway.config.suggestion import suggestion
from gateway.contracts.python import contract_of
from gateway.contracts.stub import CallOptions, make_proxy
from gateway.failback.opening import make_outbox
from gateway.failback.outbox import Outbox
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import ContractError
from gateway.plugins.catalog import Catalog
from gateway.routing.selection import ProtocolOrder, SelectionTable, Selector, ServiceSelection
from gateway.runtime.offering import taking_callbacks
from gateway.runtime.proxy import GenericProxy, wrap_sync
from gateway.runtime.reference import (
    WARMUP_S,
    MethodSettings,
    OpenReference,
    ReferenceSettings,
    open_reference,
)
from gateway.runtime.selection import consumer_name, known_protocols
from gateway.runtime.started import StartedCalls, start_threadsafe
from gateway.spi.adapter import ClientAdapter
from gateway.telemetry.counters import Counters

__all__ = ["BlockingClient", "Client", "ClientSettings", "connect", "connect_sync"]

_T = TypeVar("_T")
_NAME: Final = "client"
"""What the selection table of a client calls its one service."""
_START_S: Final = 1.0
"""How long the directory of fixed addresses may take to name them; it does so at once."""
_END_S: Final = 5.0
"""How long cancelled calls of a blocking client may take to end."""


class Client(Generic[_T]):
    """A client of one service. `async with connect(...) as proxy` opens and closes it; or call `open` and `aclose`.

    Connections are made when the first call needs them, on the event loop that opened the client.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        contract: Callable[..., Any] | None,
        settings: ReferenceSettings,
        options: CallOptions,
        protocols: Sequence[str] = (),
        failback: FailbackConfig | None = None,
    ) -> None:
        self._endpoints = tuple(endpoints)
        self._protocols = tuple(protocols)
        self._contract = contract
        self._settings = settings
        self._options = options
        self._failback = failback
        self._outbox: Outbox | None = None
        self._adapters: dict[str, ClientAdapter] = {}
        self._catalog = Catalog()
        self._opened: OpenReference | None = None
        self.counters: Final = Counters()
        """What happened to its providers and to calls that were kept, by reference and reason."""
        self.started: Final = StartedCalls()
        """Calls that run although nobody awaits them yet; they end with this client."""

    async def open(self) -> _T:
        """The proxy.

        Raises:
            LookupError: a protocol, cluster mode or balancer does not exist.
            ContractError: a protocol cannot carry the contract, or its parameters do not fit it; says what of it.
            ValueError: a parameter does not exist, or its text cannot be read.
            StoreError: the file or server that keeps calls for `cluster="failback"` cannot be used.
            RuntimeError: it is open already.
        """
        if self._opened is not None:
            raise RuntimeError("this client is open already")
        order = self._order()
        parameters = {protocol: self._parameters(protocol) for protocol in order.protocols}
        settings = replace(self._settings, parameters=parameters)
        selector = Selector(SelectionTable({_NAME: ServiceSelection(order)}))
        registry = self._catalog.registry("direct").build({"endpoints": self._endpoints})
        reference = open_reference(
            _NAME,
            settings,
            selector,
            {"direct": registry},
            self._adapter,
            self._catalog,
            self.counters,
            outbox=self._box,
        )
        self._opened = reference
        try:
            await reference.directory.start(_START_S)
            if self._outbox is not None:
                await self._outbox.start()
        except BaseException:
            await self.aclose()
            raise
        service = self._settings.service
        if self._contract is None:
            return cast("_T", GenericProxy(service, reference.handler, self._options, self.started.start))
        handler = taking_callbacks(contract_of(self._contract), reference.handler)
        return cast("_T", make_proxy(self._contract, service, handler, self._options, self.started.start))

    def _box(self) -> Outbox:
        if self._outbox is None:
            config = self._failback or _failback({}, self._settings.application)
            self._outbox = make_outbox(config, self.counters.add)
        return self._outbox

    def _order(self) -> ProtocolOrder:
        if self._protocols:
            return ProtocolOrder(self._protocols, written=True)
        spoken = {endpoint.protocol for endpoint in self._endpoints}
        for protocol in spoken:
            self._catalog.protocol(protocol)
        return ProtocolOrder(tuple(name for name in known_protocols(self._catalog) if name in spoken))

    def _parameters(self, protocol: str) -> Mapping[str, Any]:
        """The parameters for a protocol as its adapter takes them, once protocol, contract and parameters fit.

        A directory leaves out what it cannot use, which for a client of fixed addresses would come out as "nobody".
        """
        plugin = self._catalog.protocol(protocol)
        contract = self._settings.contract
        if contract is None and not plugin.generic:
            raise ContractError(f"{protocol}:// carries no service without a contract")
        if contract is not None and (findings := plugin.refusals(contract)):
            raise ContractError(f"{contract.name} cannot be carried by {protocol}://: {'; '.join(findings)}")
        try:
            parameters = parse_options(self._settings.parameters.get(protocol, {}), plugin.reference_options)
        except ValueError as exc:
            raise ValueError(f"parameters for {protocol}: {exc}") from None
        if contract is not None and (misfits := plugin.check_reference(contract, parameters)):
            wrong = "; ".join(f"{'.'.join(map(str, each.path))}: {each.text}".removeprefix(": ") for each in misfits)
            raise ContractError(f"parameters for {protocol} do not fit {contract.name}: {wrong}")
        return parameters

    def _adapter(self, protocol: str) -> ClientAdapter:
        adapter = self._adapters.get(protocol)
        if adapter is None:
            adapter = self._adapters[protocol] = self._catalog.protocol(protocol).client()
        return adapter

    async def aclose(self) -> None:
        """Closes all connections; calls in progress fail. May be called more than once."""
        opened, self._opened = self._opened, None
        adapters, self._adapters = self._adapters, {}
        outbox, self._outbox = self._outbox, None
        if outbox is not None:
            # What is sent again and fails now would wait longer than it must.
            await outbox.drain(0.0)
        # First: a directory gives its providers time to finish calls in progress, which are to fail here.
        for adapter in adapters.values():
            await adapter.aclose()
        await self.started.aclose()
        if outbox is not None:
            # Behind the calls that have just failed: they are still kept.
            await outbox.aclose()
        if opened is not None:
            await opened.directory.aclose()

    async def __aenter__(self) -> _T:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class BlockingClient(Generic[_T]):
    """A client for programs without an event loop: it keeps one of its own, in a thread of its own.

    `with connect_sync(...) as proxy` opens and closes it. The proxy may be used from several threads; calls that are
    in progress when it is closed fail with `ConnectionLost`.
    """

    def __init__(self, client: Client[_T]) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def open(self) -> _T:
        """The blocking proxy; see `Client.open`."""
        with self._lock:
            if self._thread is not None:
                raise RuntimeError("this client is open already")
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="polyport-client", daemon=True)
            self._thread.start()
        try:
            proxy = self._run(self._client.open())
        except BaseException:
            self.close()
            raise
        return cast("_T", wrap_sync(proxy, self._run, self._start))

    def _start(self, coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
        # With the lock, so that nothing is handed to a loop that is about to stop.
        with self._lock:
            if self._loop is None or threading.current_thread() is self._thread:
                coroutine.close()
                closed = "this client is closed"
                raise RuntimeError(closed if self._loop is None else "a client cannot be used from its own event loop")
            return start_threadsafe(self._loop, self._client.started, coroutine)

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        future = self._start(coroutine)
        try:
            return future.result()
        except BaseException:
            # Ctrl-C while waiting: the call must not go on behind the program's back.
            future.cancel()
            raise

    def close(self) -> None:
        """Closes the connections and ends the thread. May be called more than once."""
        with self._lock:
            loop, thread = self._loop, self._thread
            if loop is None or thread is None:
                return
            if threading.current_thread() is thread:
                raise RuntimeError("a client cannot be closed from its own event loop")
            self._loop = self._thread = None
        try:
            asyncio.run_coroutine_threadsafe(self._end(), loop).result()
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _end(self) -> None:
        """Closes the client and ends what still runs on the loop: somebody's thread waits for each of it."""
        try:
            await self._client.aclose()
        finally:
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            if rest:
                await asyncio.wait(rest, timeout=_END_S)

    def __enter__(self) -> _T:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ClientSettings(TypedDict, total=False):
    """What `connect` takes beside addresses and contract; all of it optional.

    `group`, `version`: of the service; they may stand in the URL (`?group=a&version=1.0.0`) instead. The group `*` or
    `a,b` stands for several, whose names stand in the URLs; cluster mode `mergeable` calls them all.
    `timeout_s`: per attempt, 1 second unless written; `deadline_s`: for a call with all its attempts, none unless
    written. `retries`: attempts after the first. Unless written it is 2, and only where repeating cannot do harm;
    writing it also repeats calls that may have run.
    `cluster`, `balance`: the fault-tolerance mode (`failover`) and the load balancer (`random`), by name, or with
    options as a mapping `{"type": name, "options": {…}}`.
    `sticky`: whether calls stay with one provider as long as it is there and gives no trouble. `mock`: an answer that
    no provider gives: `{"when": "fail", "return": value}` with the value as JSON, or as Dubbo writes it,
    `"force:return null"`. `retry_budget`: how much load repeating may add; keys as in `RetryBudgetConfig`.
    `warmup_s`: how long a provider that has just started gets less than its share, 60 seconds unless written.
    `ejection`: when a provider that gives trouble is left alone; keys as in `EjectionConfig`.
    `failback`: where calls wait and how they are sent again with `cluster="failback"`; keys as in `FailbackConfig`.
    Unless `path` is written they wait in the state directory of the user (`$XDG_STATE_HOME`, else `~/.local/state`),
    in the file `polyport/<application>.failback.db`.
    `connections`: private connections per provider; 0 shares one per address within this client.
    `token`: secret the provider asks for. `attachments`: sent with each call.
    `application`: the name of this program. `consumer`: the name providers see and may choose by; unless written, the
    environment variable `POLYPORT_CONSUMER`, else `application`.
    `protocol`: with URLs of several protocols, the one to use, or several, best first: the next one only when no URL
    is of those before. Unless written, the gateway's own order decides (dubbo first); URLs of the rest are not used.
    `methods`: what differs for single methods. `parameters`: options of the protocol, as the adapter takes them or, for
    texts, as they are written in a configuration; by protocol where the URLs are of several.
    """

    group: str
    version: str
    timeout_s: float
    deadline_s: float | None
    retries: int | None
    cluster: Choice
    balance: Choice
    sticky: bool
    mock: MockChoice
    retry_budget: Mapping[str, Any]
    warmup_s: float
    ejection: Mapping[str, Any]
    failback: Mapping[str, Any]
    connections: int
    token: str
    application: str
    consumer: str
    protocol: str | Sequence[str]
    attachments: Mapping[str, Any]
    methods: Mapping[str, MethodSettings]
    parameters: Mapping[str, Any]


@overload
def connect(
    urls: str | Sequence[str], contract: Callable[..., _T], **settings: Unpack[ClientSettings]
) -> Client[_T]: ...
@overload
def connect(
    urls: str | Sequence[str], contract: None = None, **settings: Unpack[ClientSettings]
) -> Client[GenericProxy]: ...
def connect(
    urls: str | Sequence[str], contract: Callable[..., Any] | None = None, **settings: Unpack[ClientSettings]
) -> Client[Any]:
    """A client of the providers at `urls`, for example `dubbo://127.0.0.1:20880/demo.Catalog`.

    `contract`: the class that describes the service; without one the client is a `GenericProxy`. (Its declared type is
    that of a callable because type checkers refuse a Protocol where a class is asked for.) All URLs must name the same
    service.

    Raises:
        ValueError: a URL cannot be read, the URLs name different services, or a setting is out of range.
        TypeError: there is no such setting.
        ContractError: the class is not a contract.
    """
    for name in settings:
        if name not in ClientSettings.__optional_keys__:
            hint = suggestion(name, ClientSettings.__optional_keys__)
            raise TypeError(f"connect() got an unexpected keyword argument {name!r}{hint}")
    listed = [urls] if isinstance(urls, str) else list(urls)
    if not listed:
        raise ValueError("connect needs at least one URL")
    described = contract_of(contract) if contract is not None else None
    interface = described.name if described is not None else ""
    default = ServiceKey(interface, settings.get("group", ""), settings.get("version", ""))
    endpoints = [parse_provider(url, default) for url in listed]
    services = {endpoint.service for endpoint in endpoints}
    if default.groups and default not in services and all(default.covers(each) for each in services):
        services = {default}
    elif default.groups:
        raise ValueError(f"with group {default.group!r}, which stands for several, each URL names its own: ?group=…")
    if len(services) > 1:
        raise ValueError(f"the URLs name different services: {', '.join(sorted(map(str, services)))}")
    _check_settings(settings, described)
    application = settings.get("application", "polyport")
    spoken = tuple(dict.fromkeys(endpoint.protocol for endpoint in endpoints))
    reference = ReferenceSettings(
        service=services.pop(),
        contract=described,
        application=application,
        cluster=settings.get("cluster", "failover"),
        retries=settings.get("retries"),
        balance=settings.get("balance", "random"),
        sticky=settings.get("sticky", False),
        mock=settings.get("mock"),
        retry_budget=read_section(RetryBudgetConfig, settings.get("retry_budget", {}), "retry_budget"),
        warmup_s=settings.get("warmup_s", WARMUP_S),
        ejection=read_section(EjectionConfig, settings.get("ejection", {}), "ejection"),
        timeout_s=settings.get("timeout_s", 1.0),
        connections=settings.get("connections", 0),
        token=settings.get("token") or endpoints[0].parameters.get("token", ""),
        methods=settings.get("methods", {}),
        parameters=_by_protocol(settings.get("parameters", {}), spoken),
        # What waits for other addresses is not for these.
        kept_as=f"{endpoints[0].service}@{','.join(sorted({f'{e.protocol}://{e.address}' for e in endpoints}))}",
    )
    failback = _failback(settings.get("failback", {}), application)
    attachments = MappingProxyType(dict(settings.get("attachments", {})))
    consumer = consumer_name(settings.get("consumer", ""), application)
    options = CallOptions(attachments, settings.get("deadline_s"), consumer)
    protocols = _chosen(settings.get("protocol", ()), spoken)
    return Client(endpoints, contract, reference, options, protocols, failback)


def connect_sync(
    urls: str | Sequence[str], contract: Callable[..., Any] | None = None, **settings: Unpack[ClientSettings]
) -> BlockingClient[Any]:
    """The blocking form of `connect`, with the same arguments: its proxy's methods return values, not coroutines.

    To a type checker its proxy is `Any`: the methods of a contract are declared as coroutines, and there is no type
    for "the same methods, awaited".
    """
    return BlockingClient(cast("Client[Any]", connect(urls, contract, **settings)))


def _chosen(protocol: str | Sequence[str], spoken: Sequence[str]) -> tuple[str, ...]:
    chosen = (protocol,) if isinstance(protocol, str) else tuple(dict.fromkeys(protocol))
    for name in chosen:
        if name not in spoken:
            raise ValueError(f"no URL is of protocol {name!r}, only of {' and '.join(spoken)}")
    return chosen


def _failback(settings: Mapping[str, Any], application: str) -> FailbackConfig:
    written = read_section(FailbackConfig, settings, "failback")
    if written.store == "redis" and written.url is None:
        raise ValueError("failback: the store redis needs a url")
    if written.credential is not None:
        raise ValueError("failback: a program has no credentials by name; put the password into the url")
    if written.path is not None:
        return written.located(Path(), "")
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    name = f"{quote(application, safe='')}.failback.db"
    return written.model_copy(update={"path": str(state / "polyport" / name)})


def _by_protocol(parameters: Mapping[str, Any], spoken: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    if len(spoken) == 1:
        return {spoken[0]: parameters}
    for name, options in parameters.items():
        if name not in spoken or not isinstance(options, Mapping):
            raise ValueError(f"parameters must be mappings by protocol ({', '.join(spoken)}), not {name!r}")
    return parameters


def _check_settings(settings: ClientSettings, contract: ServiceContract | None) -> None:
    methods = settings.get("methods", {})
    for name, value in (
        ("timeout_s", settings.get("timeout_s")),
        ("deadline_s", settings.get("deadline_s")),
        *((f"methods[{method!r}].timeout_s", each.timeout_s) for method, each in methods.items()),
    ):
        if value is not None and not value > 0:
            raise ValueError(f"{name} must be more than 0 seconds, not {value!r}")
    for name, count in (
        ("retries", settings.get("retries")),
        ("connections", settings.get("connections")),
        *((f"methods[{method!r}].retries", each.retries) for method, each in methods.items()),
    ):
        if count is not None and count < 0:
            raise ValueError(f"{name} must be 0 or more, not {count!r}")
    for mock in (settings.get("mock"), *(each.mock for each in methods.values())):
        if mock is not None:
            mock_config(mock)
    if contract is not None:
        known = {method.name for method in contract.methods}
        for name in methods:
            if name not in known:
                raise ValueError(f"{contract.name} has no method {name!r}{suggestion(name, known)}")
