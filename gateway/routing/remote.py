"""The handler of a service that lives elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from gateway.model.call import NO_ATTACHMENTS, Attachments, Invocation, Result, attachments_of
from gateway.model.explanation import Explanation
from gateway.routing.candidates import CallCandidates
from gateway.routing.directory import Directory
from gateway.routing.providers import Providers
from gateway.routing.selection import SelectionTable, Selector, narrowed
from gateway.routing.traced import TracedCandidates
from gateway.spi.cluster import Cluster, LoadBalancer, Router
from gateway.spi.handler import direct
from gateway.telemetry.counters import Counters
from gateway.telemetry.logs import call_fields

__all__ = ["MethodPolicy", "RemoteService"]

_LOG: Final = logging.getLogger("polyport.selection")
_SAMPLES: Final = logging.getLogger("polyport.explain")
_FALLBACK: Final = "fallback"


@dataclass(frozen=True, slots=True)
class MethodPolicy:
    """How the calls of a method, or of all methods without a policy of their own, find their provider.

    `balance`: what the balancer is called, for explanations. `attachments`: what it wants every call to carry; what
    comes back under the same keys is not the caller's.
    """

    cluster: Cluster
    balancer: LoadBalancer
    balance: str = "balancer"
    attachments: Attachments = field(default_factory=lambda: NO_ATTACHMENTS)
    run: Cluster = field(init=False, repr=False, compare=False)
    """The mode, as calls take it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "run", direct(self.cluster))


class RemoteService:
    """Gives each call the providers of this moment, over the protocol its consumer takes, and leaves the rest to the
    cluster mode of its method.

    `name`: what the selections call this service. `methods`: policies by contract name of the method, where they differ
    from `policy`. `routers`: rules that narrow the providers, in order. `counters`: gets reason `fallback` of the
    protocol that was to be taken, for each call that took another one. `sampled`: says for each call whether it
    shall be explained in the log.
    """

    __slots__ = (
        "_choices",
        "_counters",
        "_default",
        "_directory",
        "_is_plain",
        "_known",
        "_methods",
        "_name",
        "_noted",
        "_policy",
        "_routers",
        "_sampled",
        "_selector",
        "_table",
    )

    def __init__(
        self,
        name: str,
        directory: Directory,
        selector: Selector,
        policy: MethodPolicy,
        methods: Mapping[str, MethodPolicy] = MappingProxyType({}),
        routers: Sequence[Router] = (),
        counters: Counters | None = None,
        sampled: Callable[[], bool] | None = None,
    ) -> None:
        self._name = name
        self._directory = directory
        self._selector = selector
        self._policy = policy
        self._methods = dict(methods)
        self._routers = tuple(routers)
        self._counters = Counters() if counters is None else counters
        self._sampled = sampled
        self._is_plain = not self._routers and sampled is None
        self._noted: set[tuple[str, str, str]] = set()
        self._known: Providers | None = None
        self._table: SelectionTable | None = None
        self._choices: dict[str, Providers] = {}
        self._default = directory.providers

    def __call__(self, invocation: Invocation) -> Coroutine[Any, Any, Result]:
        """The call on its way. Awaiting it raises `NoProvider` or what the cluster mode raises."""
        if self._known is not self._directory.providers or self._table is not self._selector.current:
            self._choose()
        # Only consumers with an order of their own have an entry: their number is in nobody else's hands.
        providers = self._choices.get(invocation.consumer, self._default)
        if providers.missed:
            self._note(invocation.consumer, providers)
        policy = self._methods.get(invocation.method, self._policy)
        if self._is_plain and invocation.explanation is None and not policy.attachments:
            return policy.run(invocation, CallCandidates(providers, policy.balancer, invocation))
        return self._call(invocation, providers, policy)

    def _choose(self) -> None:
        """Decides once for all calls until providers or selections change."""
        table = self._selector.current
        selection = table.services[self._name]
        if table is not self._table:
            self._directory.admit(selection.protocols)
        known = self._directory.providers
        self._choices = {consumer: narrowed(known, order) for consumer, order in selection.consumers.items()}
        self._default = narrowed(known, selection.default)
        self._known, self._table = known, table
        # Who is back on the protocol that was asked for is worth a line again when that ends.
        self._noted = {note for note in self._noted if self._choices.get(note[0], self._default).missed == note[1]}

    def _note(self, consumer: str, providers: Providers) -> None:
        self._counters.add(providers.missed, _FALLBACK)
        who = consumer if consumer in self._choices else ""
        taken = providers.invokers[0].endpoint.protocol
        note = (who, providers.missed, taken)
        if note not in self._noted:
            self._noted.add(note)
            _LOG.warning(
                "%s%s: no provider over %s, going on over %s (%s)",
                providers.service,
                f" for consumer {who}" if who else "",
                providers.missed,
                taken,
                providers.origin,
                extra={"service": str(providers.service), "protocol": taken},
            )

    async def _call(self, invocation: Invocation, providers: Providers, policy: MethodPolicy) -> Result:
        # A coroutine of its own, so that a rule that fails fails this call and not whoever asked for it.
        if wanted := policy.attachments:
            invocation = invocation.replace(attachments={**invocation.attachments, **wanted})
        is_sampled = invocation.explanation is None and self._sampled is not None and self._sampled()
        sample = Explanation() if is_sampled else None
        try:
            candidates = CallCandidates(providers, policy.balancer, invocation, self._routers)
            told = sample or invocation.explanation
            traced = None if told is None else TracedCandidates(candidates, told, policy.balance)
            result = await policy.cluster(invocation, traced or candidates)
        finally:
            if sample is not None:
                _log(invocation, sample)
        received = attachments_of(result)
        if wanted.keys().isdisjoint(received):
            return result
        return result.with_attachments({key: each for key, each in received.items() if key not in wanted})


def _log(invocation: Invocation, sample: Explanation) -> None:
    fields = call_fields(invocation)
    _SAMPLES.info("%s.%s: %s", fields["service"], fields["method"], "; ".join(sample.lines()), extra=fields)
