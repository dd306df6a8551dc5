"""The directory of one reference: which providers there are, kept up to date from registries."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from math import inf
from time import monotonic
from typing import Final

from gateway.config.sections.protection import ProtectionConfig
from gateway.model.endpoint import Endpoint, Identity, ServiceKey
from gateway.model.errors import GatewayError
from gateway.routing.guard import Guard
from gateway.routing.health import Health
from gateway.routing.providers import Providers
from gateway.routing.source import Source, describe
from gateway.spi.cluster import Invoker
from gateway.spi.memory import Memory
from gateway.spi.registry import Freshness, Registry, Snapshot
from gateway.telemetry.logs import shorten

__all__ = ["Directory"]

_LOG: Final = logging.getLogger("polyport.directory")
_FIRST_BACK_OFF_S: Final = 0.5
_LONGEST_BACK_OFF_S: Final = 30.0
_CLOSE_S: Final = 10.0
_EARLY_S: Final = 0.01
_DOUBTED: Final = "registry-doubted"

_FREE_CHANGES: Final = 10
_CHANGE_S: Final = 0.05
"""After ten changes in a row the next are taken together, twenty times a second: a registry that flaps must not keep
the process busy."""


class Directory:
    """Keeps an invoker for every provider the registries name, and shows them as one immutable `Providers`.

    `service`: what it covers (`ServiceKey.covers`): group and version of an endpoint must be equal to its own, unless
    its group stands for several. `registries`: by name; an address that several of them announce is one provider, as
    the first of them describes it, and that one is its `Load.registry`. `open_invoker`: makes an invoker, does not
    connect. `protocols`: leaves out the endpoints of other protocols; None takes all. `health`: decides how much each
    provider gets; the directory tells it who is there and when time has passed. `protection`: who is kept that a
    registry does not name any more; None keeps nobody. `memory`: what was known when this ran last, for registries that
    cannot be asked at the start. `count`: counts what is worth an alarm, by reason. `sleep`, `uniform` (numbers from 0
    to 1) and `clock` (seconds, monotonic) are for tests.

    Life: construct, `start`, `aclose`. The invokers belong to the directory: one whose endpoint is gone, or came back
    with other parameters, is closed in the background after the swap; a changed weight goes to the living invoker.
    """

    def __init__(
        self,
        service: ServiceKey,
        registries: Mapping[str, Registry],
        open_invoker: Callable[[Endpoint], Invoker],
        *,
        protocols: Iterable[str] | None = None,
        health: Health | None = None,
        protection: ProtectionConfig | None = None,
        memory: Memory | None = None,
        count: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        uniform: Callable[[], float] = random.random,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._health = health or Health()
        self._health.on_change(self._show)
        self._pacing: asyncio.TimerHandle | None = None
        self._weights: dict[str, float] = {}
        self._origin = "registry unknown"
        self._unfit = 0
        self.providers = Providers(service, (), self._origin)
        """The providers of this moment. Read it once per call."""
        self._service = service
        self._registries = dict(registries)
        self._open_invoker = open_invoker
        self._protocols = None if protocols is None else frozenset(protocols)
        self._sleep = sleep
        self._uniform = uniform
        self._memory = memory
        self._count = count
        self._clock = clock
        self._sources = {name: Source(name, Guard(protection, clock)) for name in self._registries}
        self._opened: dict[Identity, tuple[Endpoint, Invoker]] = {}
        self._doubted: set[str] = set()
        """Registries that are doubted, as far as somebody was told."""
        self._changes = 0.0
        """Changes that were taken lately."""
        self._changed_at = 0.0
        self._swapping: asyncio.TimerHandle | None = None
        self._expiring: asyncio.TimerHandle | None = None
        self._refused: dict[Endpoint, str] = {}
        self._informed = asyncio.Event()
        self._watches: set[asyncio.Task[None]] = set()
        self._closers: set[asyncio.Task[None]] = set()
        self._told: list[Callable[[], None]] = []

    def on_change(self, told: Callable[[], None]) -> None:
        """Calls `told` after each change of those who are in `providers`."""
        self._told.append(told)

    async def start(self, wait_s: float) -> bool:
        """Begins watching, and waits at most `wait_s` until every registry has said something it stands for.

        False when one of them has not; the watch goes on all the same.
        """
        for name, registry in self._registries.items():
            self._watches.add(asyncio.create_task(self._watch(name, registry), name=f"watch {self._service}"))
        if not self._registries:
            return True
        try:
            async with asyncio.timeout(wait_s):
                await self._informed.wait()
        except TimeoutError:
            if self._informed.is_set():
                # With no time to wait, both may be true at once.
                return True
            self._recall([each for each in self._sources.values() if each.freshness is Freshness.UNKNOWN], wait_s)
            return False
        return True

    def _recall(self, silent: Sequence[Source], wait_s: float) -> None:
        """Goes on with what was known last, where a registry has said nothing so far."""
        extra = {"service": str(self._service)}
        for source in silent:
            known = self._memory.recall(source.name, self._service) if self._memory is not None else ()
            if known:
                self._take(source, Snapshot(self._service, tuple(known), Freshness.STALE))
                text = "%s: registry %s has said nothing in %g s, going on with %d providers that it named last time"
                _LOG.warning(text, self._service, source.name, wait_s, len(known), extra=extra)
            else:
                text = "%s: no providers known yet from registry %s after %g s, going on without"
                _LOG.warning(text, self._service, source.name, wait_s, extra=extra)

    def admit(self, protocols: Iterable[str]) -> None:
        """Takes endpoints of these protocols too, from now on.

        Those admitted before stay: calls in progress may still be on them.
        """
        if self._protocols is not None and not self._protocols.issuperset(protocols):
            self._protocols = self._protocols.union(protocols)
            if self._watches:
                self._swap()

    def set_weight(self, address: str, weight: float | None) -> None:
        """Gives the provider at `address` (`host:port`) this weight from the next choice on, whatever registries say;
        None leaves it to them again. It holds for one that is not there yet, too.

        Raises:
            ValueError: the weight is less than 0, or no finite number.
        """
        if weight is not None and not 0 <= weight < inf:
            raise ValueError(f"a weight is a finite number, 0 or more, not {weight!r}")
        if weight is None:
            self._weights.pop(address, None)
        else:
            self._weights[address] = weight
        for endpoint, invoker in self._opened.values():
            if endpoint.address == address:
                invoker.load.set_weight(self._weights.get(address, endpoint.weight))

    async def aclose(self) -> None:
        """Ends the watches and closes all invokers, for at most ten seconds; what is not closed by then is given up."""
        watches, self._watches = self._watches, set()
        for task in watches:
            task.cancel()
        if watches:
            await asyncio.wait(watches, timeout=_CLOSE_S)
        for timer in (self._pacing, self._swapping, self._expiring):
            if timer is not None:
                timer.cancel()
        self._pacing = self._swapping = self._expiring = None
        opened, self._opened = self._opened, {}
        self._origin = "closed"
        self.providers = Providers(self._service, (), self._origin)
        for _, invoker in opened.values():
            self._close_later(invoker)
        closers = set(self._closers)
        if not closers:
            return
        try:
            await asyncio.wait(closers, timeout=_CLOSE_S)
        finally:
            unfinished = [task for task in closers if task.cancel()]
        if unfinished:
            _LOG.warning("%s: gave up closing %d providers", self._service, len(unfinished))
            await asyncio.wait(unfinished)

    async def _watch(self, name: str, registry: Registry) -> None:
        source = self._sources[name]
        failures = 0
        while True:
            problem = "the watch ended"
            try:
                async with aclosing(registry.watch(self._service)) as snapshots:
                    async for snapshot in snapshots:
                        failures = 0
                        self._take(source, snapshot)
            except Exception as error:  # Whatever a registry does wrong, its last list keeps serving.
                problem = f"{type(error).__name__}: {error}"
            self._take(source, Snapshot(self._service, (), Freshness.UNKNOWN))
            delay = min(_LONGEST_BACK_OFF_S, _FIRST_BACK_OFF_S * 2.0**failures) * (0.5 + self._uniform() / 2)
            failures += 1
            _LOG.warning(
                "%s: cannot watch registry %s, keeping its last list and asking again in %.1f s: %s",
                self._service,
                name,
                delay,
                shorten(problem),
                extra={"service": str(self._service), "registry": name},
            )
            await self._sleep(delay)

    def _take(self, source: Source, snapshot: Snapshot) -> None:
        endpoints, missing = source.endpoints, source.missing
        source.take(snapshot, self._fits)
        if snapshot.freshness is Freshness.FRESH and self._memory is not None and not source.in_doubt:
            self._memory.remember(source.name, self._service, snapshot.endpoints)
        if (source.endpoints, source.missing) == (endpoints, missing) and not self._refused:
            # A registry that is lost says so of all its services at once, and each may have many providers.
            self._restate()
        else:
            self._swap_soon()
        self._tell_of_doubt(source)
        if all(each.freshness is not Freshness.UNKNOWN for each in self._sources.values()):
            self._informed.set()

    def _tell_of_doubt(self, source: Source) -> None:
        if source.in_doubt == (source.name in self._doubted):
            return
        extra = {"service": str(self._service), "registry": source.name}
        if source.in_doubt:
            self._doubted.add(source.name)
            self._count(_DOUBTED)
            text = "%s: registry %s does not name %d of %d providers any more; they are kept for now, and tried last"
            _LOG.error(text, self._service, source.name, len(source.missing), len(source.endpoints), extra=extra)
        else:
            self._doubted.discard(source.name)
            _LOG.info("%s: registry %s is no longer doubted", self._service, source.name, extra=extra)

    def _swap_soon(self) -> None:
        now = self._clock()
        self._changes = max(0.0, self._changes - (now - self._changed_at) / _CHANGE_S) + 1.0
        self._changed_at = now
        if self._changes <= _FREE_CHANGES:
            self._swap()
        elif self._swapping is None:
            self._swapping = asyncio.get_running_loop().call_later(_CHANGE_S, self._swap)

    def _fits(self, endpoint: Endpoint) -> bool:
        return self._service.covers(endpoint.service) and (
            self._protocols is None or endpoint.protocol in self._protocols
        )

    def _swap(self) -> None:
        if self._swapping is not None:
            self._swapping.cancel()
            self._swapping = None
        wanted: dict[Identity, tuple[Endpoint, str]] = {}
        kept: set[Identity] = set()
        unfit = 0
        for name, source in self._sources.items():
            missing = source.missing
            for endpoint in source.endpoints:
                if not self._fits(endpoint):
                    unfit += 1
                    continue
                identity = endpoint.identity
                if identity not in wanted or (identity in kept and identity not in missing):
                    # One registry that names it is enough.
                    wanted[identity] = (endpoint, name)
                    (kept.add if identity in missing else kept.discard)(identity)
        before, after = self._opened, {}
        refused: dict[Endpoint, str] = {}
        for address, (endpoint, registry) in wanted.items():
            invoker = self._reuse(before.get(address), endpoint) or self._open(endpoint, refused)
            if invoker is not None:
                invoker.load.registry = registry
                invoker.load.missing = address in kept
                after[address] = (endpoint, invoker)
        self._opened, self._refused, self._unfit = after, refused, unfit
        self._origin = describe(self._sources.values(), unfit, len(refused))
        for address, (_, invoker) in before.items():
            if address not in after or after[address][1] is not invoker:
                self._health.dismiss(invoker)
                self._close_later(invoker)
        self._show()
        self._expire_later()

    def _restate(self) -> None:
        """The providers are the same; how far the list can be trusted may be another matter now."""
        origin = describe(self._sources.values(), self._unfit, len(self._refused))
        if origin != self._origin:
            self._origin = origin
            self.providers = Providers(self._service, self.providers.invokers, origin, panic=self._health.panic)

    def _expire_later(self) -> None:
        if self._expiring is not None:
            self._expiring.cancel()
            self._expiring = None
        waits = [each for each in (source.next_s for source in self._sources.values()) if each is not None]
        if waits:
            # Loops may count a little faster than the clock.
            self._expiring = asyncio.get_running_loop().call_later(min(waits) + _EARLY_S, self._expire)

    def _expire(self) -> None:
        self._expiring = None
        changed = [source for source in self._sources.values() if source.expire()]
        if not changed:
            self._expire_later()
            return
        self._swap()
        for source in changed:
            self._tell_of_doubt(source)

    def _show(self) -> None:
        """Makes what is known now the providers of the next call."""
        invokers = tuple(invoker for _, invoker in self._opened.values())
        self.providers = Providers(self._service, invokers, self._origin, panic=self._health.panic)
        for told in self._told:
            told()
        if self._pacing is None:
            self._pace()

    def _pace(self) -> None:
        self._pacing = None
        if self._opened and (after_s := self._health.tick()) is not None and self._pacing is None:
            self._pacing = asyncio.get_running_loop().call_later(after_s, self._pace)

    def _open(self, endpoint: Endpoint, refused: dict[Endpoint, str]) -> Invoker | None:
        try:
            invoker = self._open_invoker(endpoint)
        except Exception as error:  # One bad entry, or a plug-in that fails on it, must not cost the others.
            expected = isinstance(error, GatewayError | ValueError)
            refused[endpoint] = reason = shorten(f"{type(error).__name__}: {error}")
            if self._refused.get(endpoint) != reason:
                _LOG.warning(
                    "%s: provider %s://%s left out: %s",
                    self._service,
                    endpoint.protocol,
                    endpoint.address,
                    reason,
                    extra={"service": str(self._service)},
                    exc_info=None if expected else error,
                )
            return None
        if endpoint.address in self._weights:
            invoker.load.set_weight(self._weights[endpoint.address])
        self._health.welcome(invoker, is_new=self._informed.is_set())
        return invoker

    def _reuse(self, opened: tuple[Endpoint, Invoker] | None, endpoint: Endpoint) -> Invoker | None:
        """The invoker opened for this provider, with its new weight; None when there is none or it is another one."""
        if opened is None or replace(opened[0], weight=endpoint.weight) != endpoint:
            return None
        invoker = opened[1]
        invoker.load.set_weight(self._weights.get(endpoint.address, endpoint.weight))
        return invoker

    def _close_later(self, invoker: Invoker) -> None:
        task = asyncio.create_task(self._close(invoker), name=f"close provider of {self._service}")
        self._closers.add(task)
        task.add_done_callback(self._closers.discard)

    async def _close(self, invoker: Invoker) -> None:
        try:
            await invoker.aclose()
        except Exception:  # The outermost frame of its task.
            _LOG.exception("%s: a provider could not be closed cleanly", self._service)
