"""Zone aware: of several registries that know providers, the nearest one that has somebody to offer.

| | registries, in this order |
| --- | --- |
| 1 | those that are `preferred` |
| 2 | those of the caller's zone |
| 3 | the others, drawn by weight |

A registry is passed over while none of its providers is available. The call is made by another mode, which sees one
list: first the providers of the first registry; those of the next one when all before were tried or are away, or the
call has been sent to two of them. So a call whose zone breaks down goes on elsewhere by the rules of that mode, before
its attempts are used up.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final

from gateway.cluster.attempt import explained
from gateway.cluster.context import ClusterContext, RegistryPlace
from gateway.cluster.once import once
from gateway.config.scalar import Flag, Text
from gateway.config.sections.choice import Cluster as ClusterConfig
from gateway.config.sections.choice import ClusterChoice
from gateway.config.sections.section import Section
from gateway.model.call import Invocation, Result
from gateway.model.errors import NoProvider
from gateway.spi.cluster import Candidates, Cluster, Invoker
from gateway.spi.plugin import ClusterPlugin
from gateway.telemetry.logs import shorten

__all__ = ["FORCE", "PLUGIN", "ZONE", "Tiers", "ZoneAware", "ZoneAwareOptions"]

ZONE: Final = "registry_zone"
FORCE: Final = "registry_zone_force"
"""Attachments by which a caller says its zone, and (`true`) that it takes no other. Source: Dubbo's
`RegistryConstants.java`."""

_NOWHERE: Final = RegistryPlace()
_TRIES: Final = 2
"""Providers of one registry that a call tries before it is made elsewhere."""


class ZoneAwareOptions(Section):
    """Where this gateway is, and how calls are made within a registry."""

    zone: Text = ""
    """Zone of callers that name none (attachment `registry_zone`)."""

    force: Flag = False
    """Whether calls of a zone stay in it, even if nobody is there and whatever registry is preferred. Callers ask for
    it with the attachment `registry_zone_force: true`."""

    cluster: ClusterConfig = ClusterChoice(type="failover")
    """The mode that makes the call."""


class ZoneAware:
    """See above. `inner`: makes the call. `uniform`: gives numbers from 0 (inclusive) to 1 (exclusive); for tests."""

    __slots__ = ("_inner", "_options", "_places", "_uniform")

    def __init__(
        self,
        options: ZoneAwareOptions,
        places: Mapping[str, RegistryPlace],
        inner: Cluster,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        self._options = options
        self._places = places
        self._inner = inner
        self._uniform = uniform

    def __call__(self, invocation: Invocation, candidates: Candidates) -> Coroutine[Any, Any, Result]:
        """The call on its way. Awaiting it raises what the inner mode raises; `NoProvider` in an empty forced zone."""
        parts = candidates.partition(_registry)
        zone, force = self._wanted(invocation)
        if force and zone:
            parts = {name: part for name, part in parts.items() if self._place(name).zone == zone}
            if not parts:
                return _refused(invocation, candidates, zone)
        if len(parts) <= 1:
            return self._inner(invocation, next(iter(parts.values()), candidates))
        tiers = [parts[name] for name in self._order(parts, zone)]
        return self._inner(invocation, Tiers(tiers, candidates.explain))

    @property
    def once(self) -> Cluster:
        """One attempt, in the zone where that is forced; see `gateway.cluster.once`."""
        return ZoneAware(self._options, self._places, once(self._inner), self._uniform)

    def _wanted(self, invocation: Invocation) -> tuple[str, bool]:
        attachments = invocation.attachments
        zone = attachments.get(ZONE) or self._options.zone
        force = self._options.force or str(attachments.get(FORCE, "")).lower() == "true"
        return str(zone), force

    def _place(self, registry: str) -> RegistryPlace:
        return self._places.get(registry, _NOWHERE)

    def _order(self, names: Iterable[str], zone: str) -> Sequence[str]:
        """All registries, the best first."""
        left = list(names)
        preferred = [name for name in left if self._place(name).preferred]
        near = [name for name in left if zone and self._place(name).zone == zone and name not in preferred]
        left = [name for name in left if name not in preferred and name not in near]
        left.sort(key=lambda name: self._drawn(self._place(name).weight), reverse=True)
        return [*preferred, *near, *left]

    def _drawn(self, weight: int) -> float:
        # The largest of such keys first draws without replacement by weight (Efraimidis and Spirakis 2006).
        return self._uniform() ** (1 / weight) if weight else -1.0


class Tiers:
    """Candidates in several parts, of which each is there for when the parts before it have nobody to offer."""

    __slots__ = ("_explain", "_parts")

    def __init__(self, parts: Sequence[Candidates], explain: Callable[[], str]) -> None:
        self._parts = parts
        self._explain = explain

    @property
    def invokers(self) -> Sequence[Invoker]:
        """Those of the part that gets the call first: whoever calls all of them means all of one part."""
        return self._first(()).invokers

    def pick(self, tried: Sequence[Invoker] = ()) -> Invoker:
        """See `Candidates.pick`."""
        return self._first(tried).pick(tried)

    def partition(self, key: Callable[[Invoker], str]) -> Mapping[str, Candidates]:
        """See `Candidates.partition`; of the part that gets the call first."""
        return self._first(()).partition(key)

    def explain(self) -> str:
        """See `Candidates.explain`."""
        return self._explain()

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def _first(self, tried: Sequence[Invoker]) -> Candidates:
        """The first part with somebody to offer, best one where the call was not tried twice; when there is none, one
        with somebody who was not tried."""
        for part in self._parts:
            if tried and sum(1 for each in part.invokers if each in tried) >= _TRIES:
                continue
            for each in part.invokers:
                if each.available and not each.load.ejected and each not in tried:
                    return part
        for part in self._parts:
            if any(each.available and not each.load.ejected and each not in tried for each in part.invokers):
                return part
        for part in self._parts:
            if any(each not in tried for each in part.invokers):
                return part
        return self._parts[0]


def _registry(invoker: Invoker) -> str:
    return invoker.load.registry


async def _refused(invocation: Invocation, candidates: Candidates, zone: str) -> Result:
    where = f"no provider for {invocation.service}.{shorten(invocation.method)} in zone {shorten(zone)!r}"
    raise explained(NoProvider(f"{where}: {candidates.explain()}"), candidates)


def _build(options: ZoneAwareOptions, context: ClusterContext) -> ZoneAware:
    return ZoneAware(options, context.registries, context.mode(options.cluster))


PLUGIN: Final = ClusterPlugin("zone_aware", ZoneAwareOptions, _build)
