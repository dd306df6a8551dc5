"""What one call may choose from."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.model.call import Invocation
from gateway.model.errors import NoProvider
from gateway.routing.providers import Providers
from gateway.spi.cluster import Invoker, LoadBalancer, Router
from gateway.telemetry.logs import shorten

__all__ = ["CallCandidates"]


class CallCandidates:
    """The candidates of one call (`gateway.spi.cluster.Candidates`), narrowed by the rules once, when it is made.

    The balancer sees the whole list first, and only if its choice cannot be used a narrower one: looking at all
    providers of a long list, to leave out the few that are away, would cost more than the rest of the choice. (Dubbo
    does it in the same order, `apache/dubbo: dubbo-cluster/.../support/AbstractClusterInvoker.java`.)
    """

    __slots__ = ("_balancer", "_invocation", "_invokers", "_providers", "_rules")

    def __init__(
        self, providers: Providers, balancer: LoadBalancer, invocation: Invocation, routers: Sequence[Router] = ()
    ) -> None:
        self._providers = providers
        self._balancer = balancer
        self._invocation = invocation
        self._rules: list[tuple[Router, int]] | None = None
        invokers: Sequence[Invoker] = providers.invokers
        if routers:
            self._rules = []
            for router in routers:
                invokers = router.route(invokers, invocation)
                self._rules.append((router, len(invokers)))
        self._invokers = invokers

    def pick(self, tried: Sequence[Invoker] = ()) -> Invoker:
        """One invoker: best an available one that is not in `tried`; else one not tried; else an available one.

        When nobody is available somebody is tried all the same: a provider that is back is noticed by calling it.

        Raises:
            NoProvider: registry or rules leave nobody; the text counts.
        """
        invokers = self._invokers
        if len(invokers) > 1:
            chosen = self._balancer.select(invokers, self._invocation)
            if chosen.available and chosen not in tried:
                return chosen
            return self._pick_from_part(tried)
        if invokers:
            return invokers[0]
        service, method = self._providers.service, shorten(self._invocation.method)
        raise NoProvider(f"no provider for {service}.{method}: {self.explain()}")

    def explain(self) -> str:
        """The counts: `registry 3, after rules 2, available 1`, and what each rule left over where there are rules."""
        steps = [self._providers.origin]
        steps += [f"rule {router} {count}" for router, count in self._rules or ()]
        steps.append(f"after rules {len(self._invokers)}")
        if self._invokers:
            steps.append(f"available {sum(1 for each in self._invokers if each.available)}")
        return ", ".join(steps)

    def __len__(self) -> int:
        return len(self._invokers)

    def _pick_from_part(self, tried: Sequence[Invoker]) -> Invoker:
        untried = [each for each in self._invokers if each not in tried]
        part = (
            [each for each in untried if each.available]
            or untried
            or [each for each in self._invokers if each.available]
            or self._invokers
        )
        return part[0] if len(part) == 1 else self._balancer.select(part, self._invocation)
