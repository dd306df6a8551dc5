"""One gateway in this process: what a configuration describes, started and stopped in the right order.

Start: registries → directories (first snapshot, bounded wait) → listeners → announce. A port that listeners share is
bound before them, as they announce it, and accepts once they are there. Stop: withdraw → tell peers and finish running
calls → close listeners → close clients → close registries. Announcing before listening, or closing before withdrawing,
is how calls get lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, time
from types import TracebackType
from typing import Any, Final, TypeVar

from gateway.config.load import load
from gateway.config.model import GatewayConfig
from gateway.contracts.python import contract_of
from gateway.contracts.stub import CallOptions, make_proxy
from gateway.filters.access_log import AccessLog
from gateway.filters.service_token import random_token
from gateway.model.endpoint import MAX_WEIGHT, Endpoint, ServiceKey, format_address
from gateway.model.errors import RegistryError
from gateway.plugins.catalog import Catalog
from gateway.runtime.build import Plan, PlannedService, build
from gateway.runtime.named_registry import name_in
from gateway.runtime.offering import taking_callbacks
from gateway.runtime.own_address import reachable_host
from gateway.runtime.proxy import GenericProxy
from gateway.runtime.selection import consumer_name
from gateway.runtime.shared_ports import ListeningPort, SharedPorts
from gateway.runtime.side_by_side import side_by_side
from gateway.runtime.start_error import StartError
from gateway.runtime.started import StartedCalls
from gateway.spi.adapter import ServerAdapter
from gateway.spi.filter_ability import CountingFilter, UpdatableFilter
from gateway.spi.registry_ability import TakeoverRegistry

__all__ = ["App", "Listening", "ListeningPort", "StartError"]

_T = TypeVar("_T")
_LOG: Final = logging.getLogger("polyport.app")


@dataclass(frozen=True, slots=True)
class Listening:
    """One listener that is up. `services` in the order of the file.

    `address`: `host:port` as really bound; empty where nothing is bound, because the services are only mounted in
    somebody's own application.
    """

    listener: str
    protocol: str
    address: str
    services: tuple[ServiceKey, ...]


@dataclass(frozen=True, slots=True)
class _Announcement:
    """An endpoint that was announced. `service`: what it is called here; in the registry it may have another name."""

    registry: str
    service: ServiceKey
    endpoint: Endpoint


class App:
    """Life: construct (touches nothing), `start`, `stop`; or `async with App(config) as app`.

    `start` and `stop` never run at the same time: one that is called meanwhile waits for the other. A stopped app may
    be started again. Several apps in one process share nothing; an embedded registry belongs to one of them.
    """

    def __init__(self, config: GatewayConfig, catalog: Catalog | None = None, wall: Callable[[], float] = time) -> None:
        self._config = config
        self._wall = wall
        self._catalog = catalog or Catalog()
        self._plan: Plan | None = None
        self._servers: list[ServerAdapter] = []
        self._ports = SharedPorts()
        self._announced: list[_Announcement] = []
        self._started = StartedCalls()
        self._changing = asyncio.Lock()
        self.listening: Sequence[Listening] = ()

    @property
    def ports(self) -> Sequence[ListeningPort]:
        """Ports that are up and shared by several listeners."""
        return self._ports.listening

    @classmethod
    def from_file(cls, path: str | Path) -> App:
        """An app as the file describes it, not started. Raises `ConfigError` with everything that is wrong with it."""
        catalog = Catalog()
        return cls(load(path, catalog), catalog)

    async def start(self) -> None:
        """Brings everything up; what was started is taken down again when something fails.

        When it returns, every service announced here is known to every reference of this app that looks for it in the
        same embedded registry.

        Raises:
            StartError: an address cannot be bound, or a registry cannot work on this machine.
            ContractError: a service does not fit its contract or its wire.
            RuntimeError: it is started already.
        """
        async with self._changing:
            if self._plan is not None:
                raise RuntimeError("the app is started already")
            try:
                await self._start()
            except BaseException:
                await self._withdraw()
                await self._take_down()
                raise

    async def _start(self) -> None:
        plan = self._plan = build(self._config, self._catalog)
        if plan.memory is not None:
            await plan.memory.start()
        for registry_name, registry in plan.registries.items():
            try:
                await registry.start()
            except RegistryError as exc:
                # Not that it is away, which it would wait for, but that it cannot work here.
                raise StartError(
                    f"registry {registry_name} ({self._config.registries[registry_name].type}): {exc}"
                ) from exc
        wait_s = self._config.application.registry_wait
        # What lives in this process is announced below; waiting for it here would only wait for ourselves.
        await asyncio.gather(*(directory.start(wait_s) for directory in plan.directories.values()))
        if plan.outbox is not None:
            await plan.outbox.start()
        bound = await self._ports.bind(plan.ports, self._catalog)
        listening = []
        for name, listener in plan.listeners.items():
            options = listener.options
            if not options.listens:
                at = bound[listener.port]
                options = replace(options, host=at.host, port=at.port)
            server = listener.plugin.server(options)
            self._servers.append(server)
            try:
                endpoints = await server.start(listener.handler, listener.exposures)
            except OSError as exc:
                text = exc.strerror or str(exc)
                raise StartError(f"listener {name} ({options.protocol}): {text}") from exc
            services = tuple(exposure.service for exposure in listener.exposures)
            address = ""
            if listener.plugin.listens(options.options):
                # Endpoints are of services; a listener that shows none has a port all the same.
                configured = format_address(options.host, options.port)
                address = endpoints[0].address if endpoints else configured
            listening.append(Listening(name, options.protocol, address, services))
            for endpoint in endpoints:
                self._plan_announcements(plan, name, endpoint)
        await self._ports.open(plan.listeners, self._servers)
        self.listening = tuple(listening)
        for name, registry in plan.registries.items():
            own = [each.endpoint for each in self._announced if each.registry == name]
            if own and isinstance(registry, TakeoverRegistry):
                await registry.take_over(own)
        # A registry that is away may let each of them wait a moment.
        await side_by_side(plan.registries[each.registry].register(each.endpoint) for each in self._announced)
        await plan.consumers.start()

    def _plan_announcements(self, plan: Plan, listener: str, endpoint: Endpoint) -> None:
        for service in plan.services.values():
            if service.key == endpoint.service and listener in service.listeners:
                parameters = {
                    **endpoint.parameters,
                    "application": self._config.application.name,
                    # How consumers know that it has only just started.
                    "timestamp": str(int(self._wall() * 1000)),
                }
                if service.warmup_s is not None:
                    parameters["warmup"] = str(round(service.warmup_s * 1000))
                if service.token is not None:
                    parameters["token"] = service.token.current
                host = reachable_host(endpoint.host, plan.host)
                announced = replace(endpoint, host=host, weight=service.weight, parameters=parameters)
                for registry in service.announce:
                    there = name_in(plan.names[registry], service.key, service.contract)
                    self._announced.append(_Announcement(registry, service.key, replace(announced, service=there)))

    def reference(self, name: str, contract: Callable[..., _T], *, consumer: str = "") -> _T:
        """A typed client of the service called `name` in the configuration, hosted or remote, through its filters.

        `consumer`: who calls; unless given, the environment variable `POLYPORT_CONSUMER`, else `application.name`.

        Raises:
            LookupError: there is no such service, or its contract is another one.
        """
        service = self._service(name)
        asked = contract_of(contract)
        if service.contract is None:
            raise LookupError(f"service {name!r} has no contract; generic_reference calls it without one")
        if service.contract is not asked:
            raise LookupError(
                f"service {name!r} has the contract {service.contract.name}, "
                f"not {asked.name} as {contract.__module__}.{contract.__qualname__} describes it"
            )
        handler = taking_callbacks(asked, service.handler)
        return make_proxy(contract, service.key, handler, self._call_options(consumer), self._started.start)

    def generic_reference(self, name: str, *, consumer: str = "") -> GenericProxy:
        """A client without contract of the remote service called `name` in the configuration.

        Raises:
            LookupError: there is no such service, or it is hosted here, where calls follow its contract.
        """
        service = self._service(name)
        if not service.forwarded:
            raise LookupError(f"service {name!r} is hosted here; reference calls it with its contract")
        return GenericProxy(service.key, service.handler, self._call_options(consumer), self._started.start)

    def set_weight(self, name: str, address: str, weight: float | None) -> None:
        """Gives the provider at `address` (`host:port`) of a remote service this weight, from the next call on.

        It holds for this process, whatever registries say, also when the provider goes and comes back; None leaves it
        to them again. 0 means: only when all are 0.

        Raises:
            LookupError: there is no such service, or it is hosted here.
            ValueError: the weight is less than 0, or no finite number.
        """
        self._service(name)
        directory = self._plan.directories.get(name) if self._plan is not None else None
        if directory is None:
            raise LookupError(f"service {name!r} is hosted here; announce_weight says how many calls it wants")
        directory.set_weight(address, weight)

    async def announce_weight(self, name: str, weight: int) -> None:
        """Announces a service with another weight where it is announced; consumers follow when they hear of it.

        It lasts until the app is stopped.

        Raises:
            LookupError: there is no such service, or it is announced nowhere.
            ValueError: the weight is less than 0, or greater than a million.
        """
        if not 0 <= weight <= MAX_WEIGHT:
            raise ValueError(f"a weight is from 0 to {MAX_WEIGHT}, not {weight!r}")
        async with self._changing:
            service = self._service(name)
            if self._plan is None or not service.announce:
                raise LookupError(f"service {name!r} is announced nowhere")
            await self._announce_again(service.key, lambda endpoint: replace(endpoint, weight=weight))

    def web_application(self, listener: str) -> Any:
        """An `aiohttp.web.Application` that answers as this listener does, filters included, to mount in another one.

        It may be asked for several times, but only while the app is started, and serves until the app is stopped. A
        listener that shall do nothing else has the option `driver: none`.

        Raises:
            LookupError: there is no such listener, or its protocol cannot be mounted.
            RuntimeError: the app is not started.
        """
        if self._plan is None:
            raise RuntimeError("the app is not started")
        listeners = self._plan.listeners
        if listener not in listeners:
            known = ", ".join(sorted(listeners)) or "none"
            raise LookupError(f"no listener {listener!r} in the configuration; there is {known}")
        planned = listeners[listener]
        if planned.plugin.mount is None:
            raise LookupError(f"listener {listener!r} speaks {planned.options.protocol}, which cannot be mounted")
        return planned.plugin.mount(planned.options, planned.handler, planned.exposures)

    def update_filter(self, name: str, options: Mapping[str, Any]) -> None:
        """Gives the filter called `name` in the configuration other options while calls run.

        `options`: all of them, as they are written in a file (`{"rate": 50, "per": "consumer"}`); what is left out is
        its default again. From the next call on they hold, all at once; calls in progress stay counted. The
        configuration itself does not change: a restarted app begins with what the file says.

        Raises:
            LookupError: there is no such filter, or its kind cannot be changed while calls run.
            ValueError: the options do not fit, or cannot be changed to these; nothing was changed.
            RuntimeError: the app is not started.
        """
        if self._plan is None:
            raise RuntimeError("the app is not started")
        named = self._plan.named_filters
        if name not in named:
            known = ", ".join(sorted(named)) or "none"
            raise LookupError(f"no filter {name!r} in use that has an entry under filters; there is {known}")
        plugin, made = named[name]
        if not isinstance(made, UpdatableFilter):
            raise LookupError(f"filter {name!r} is of type {plugin.name}, which cannot be changed while calls run")
        made.update(plugin.options.model_validate(options))

    async def change_token(self, name: str, token: str = "", *, keep_s: float = 10.0) -> None:
        """Gives the service called `name` another token while calls run, and tells the registries.

        `token`: the secret; a random one unless given. `keep_s`: for how many seconds more the one before is taken,
        until consumers have heard from their registries. When it returns, the registries have been told.

        Raises:
            LookupError: there is no such service, or it asks for no token.
            RuntimeError: the app is not started.
        """
        async with self._changing:
            service = self._service(name)
            if service.token is None:
                raise LookupError(f"service {name!r} asks for no token")
            assert self._plan is not None
            service.token.change(token or random_token(), keep_s)
            told = {"token": service.token.current}
            await self._announce_again(
                service.key, lambda endpoint: replace(endpoint, parameters={**endpoint.parameters, **told})
            )

    async def _announce_again(self, service: ServiceKey, change: Callable[[Endpoint], Endpoint]) -> None:
        assert self._plan is not None
        for at, each in enumerate(self._announced):
            if each.service == service:
                changed = self._announced[at] = replace(each, endpoint=change(each.endpoint))
                await self._plan.registries[each.registry].register(changed.endpoint)

    def refusals(self) -> Mapping[tuple[str, str], int]:
        """How often filters refused calls and attempts since the start, by protocol and reason.

        Reasons are those of the limits and lists (`rate-limit`, `circuit-open`, `access` …). What became of calls in
        the end is counted elsewhere: a refused attempt may have been repeated with another provider.
        """
        total: Counter[tuple[str, str]] = Counter()
        for each in self._plan.filters if self._plan is not None else ():
            if isinstance(each, CountingFilter):
                total.update(each.refusals)
        return dict(total)

    def troubles(self) -> Mapping[tuple[str, str], int]:
        """How many calls that came in on listeners ended without an answer since the start, by protocol and code.

        What a listener refuses before it is a call (`limits`, bytes that are no request) is not among them.
        """
        total: Counter[tuple[str, str]] = Counter()
        for each in self._plan.filters if self._plan is not None else ():
            if isinstance(each, AccessLog):
                total.update(each.troubles)
        return dict(total)

    def _service(self, name: str) -> PlannedService:
        if self._plan is None:
            raise RuntimeError("the app is not started")
        services = self._plan.services
        if name not in services:
            known = ", ".join(sorted(services)) or "none"
            raise LookupError(f"no service {name!r} in the configuration; there is {known}")
        return services[name]

    def _call_options(self, consumer: str) -> CallOptions:
        return CallOptions(consumer=consumer_name(consumer, self._config.application.name))

    async def stop(self) -> None:
        """Withdraws, lets running calls finish for the configured drain time, then closes everything.

        Cancelling it ends the wait: everything is closed at once. Nothing happens when the app is not started.
        """
        async with self._changing:
            if self._plan is None:
                return
            deadline = monotonic() + self._config.application.drain
            try:
                await self._withdraw()
                # First: whom they hand over is told goodbye as well.
                await _all([self._ports.stop_accepting()])
                await _all([self._ports.drain(deadline), *(server.drain(deadline) for server in self._servers)])
                if self._plan.outbox is not None:
                    await self._plan.outbox.drain(deadline - monotonic())
            finally:
                await self._take_down()

    async def _withdraw(self) -> None:
        announced, self._announced = self._announced, []
        plan = self._plan
        if plan is None:
            return
        steps = [(each.registry, plan.registries[each.registry].unregister(each.endpoint)) for each in announced]
        steps += await plan.consumers.settle()
        outcomes = await asyncio.gather(*(step for _, step in steps), return_exceptions=True)
        for (name, _), outcome in zip(steps, outcomes, strict=True):
            # Whatever a registry does wrong, running calls still get their time to finish.
            if isinstance(outcome, Exception):
                _LOG.warning("cannot withdraw from registry %s: %s", name, outcome)

    async def _take_down(self) -> None:
        """Closes everything, also when it is cancelled meanwhile; cancelled a second time it gives up."""
        closing = asyncio.create_task(self._close(), name="close app")
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await closing
            raise

    async def _close(self) -> None:
        servers, self._servers = self._servers, []
        plan, self._plan = self._plan, None
        self._announced = []
        self.listening = ()
        await _all([self._ports.aclose()])
        await _all(server.aclose() for server in servers)
        if plan is not None:
            # Clients before directories: those give providers time to finish calls in progress, and that time is over.
            await _all(client.aclose() for client in plan.clients.values())
            await self._started.aclose()
            if plan.outbox is not None:
                # Behind everything whose calls fail now: they are still kept.
                await _all([plan.outbox.aclose()])
            await _all(directory.aclose() for directory in plan.directories.values())
            await _all(registry.aclose() for registry in plan.registries.values())
            if plan.memory is not None:
                await _all([plan.memory.aclose()])

    async def __aenter__(self) -> App:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


async def _all(steps: Iterable[Awaitable[None]]) -> None:
    """Waits for all of them; what one raises is logged and keeps no other from its work."""
    for outcome in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(outcome, BaseException):
            _LOG.error("something did not stop cleanly", exc_info=outcome)
