"""What one call may choose from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gateway.model.call import Invocation
from gateway.model.errors import NoProvider
from gateway.routing.health import healthy_part
from gateway.routing.providers import Providers
from gateway.spi.cluster import Invoker, LoadBalancer, Router
from gateway.telemetry.logs import shorten

__all__ = ["CallCandidates"]


class CallCandidates:
    """The candidates of one call (`gateway.spi.cluster.Candidates`), narrowed by the rules once, when it is made.

    The balancer sees all healthy ones first, and only if its choice cannot be used a narrower list: looking at all
    providers of a long list, to leave out the few that are away, would cost more than the rest of the choice. (Dubbo
    does it in the same order, `apache/dubbo: dubbo-cluster/.../support/AbstractClusterInvoker.java`.)
    """

    __slots__ = ("_balancer", "_chosen", "_chosen_from", "_healthy", "_invocation", "_invokers", "_providers", "_rules")

    def __init__(
        self, providers: Providers, balancer: LoadBalancer, invocation: Invocation, routers: Sequence[Router] = ()
    ) -> None:
        self._providers = providers
        self._balancer = balancer
        self._invocation = invocation
        self._rules: list[tuple[Router, int]] | None = None
        self._invokers: Sequence[Invoker] = providers.invokers
        self._healthy: Sequence[Invoker] = providers.healthy
        self._chosen: Invoker | None = None
        self._chosen_from: Sequence[Invoker] = ()
        if routers:
            self._rules = []
            for router in routers:
                self._invokers = router.route(self._invokers, invocation)
                self._rules.append((router, len(self._invokers)))
            if self._invokers is not providers.invokers:
                self._healthy = healthy_part(self._invokers, providers.panic)

    @property
    def invokers(self) -> Sequence[Invoker]:
        """See `Candidates.invokers`."""
        return self._invokers

    def pick(self, tried: Sequence[Invoker] = ()) -> Invoker:
        """One invoker: best a healthy, available one that is not in `tried`; the worst is one that is in it.

        When nobody is available somebody is tried all the same: a provider that is back is noticed by calling it.

        Raises:
            NoProvider: registry or rules leave nobody; the text counts.
        """
        invokers = self._healthy
        if len(invokers) > 1:
            chosen = self._balancer.select(invokers, self._invocation)
            if chosen.available and chosen not in tried:
                self._chosen, self._chosen_from = chosen, invokers
                return chosen
            return self._pick_from_part(tried)
        if len(self._invokers) == 1:
            return self._invokers[0]
        if self._invokers:
            return self._pick_from_part(tried)
        service, method = self._providers.service, shorten(self._invocation.method)
        error = NoProvider(f"no provider for {service}.{method}: {self.counts()}")
        error.explanation = self.explain
        raise error

    def partition(self, key: Callable[[Invoker], str]) -> Mapping[str, CallCandidates]:
        """See `Candidates.partition`."""
        providers = self._providers
        known = providers.parts.get(key) if self._rules is None else None
        if known is None:
            known = self._split(key)
            if self._rules is None:
                providers.parts[key] = known
        return {name: CallCandidates(part, self._balancer, self._invocation) for name, part in known.items()}

    def _split(self, key: Callable[[Invoker], str]) -> Mapping[str, Providers]:
        providers = self._providers
        members: dict[str, list[Invoker]] = {}
        for invoker in self._invokers:
            members.setdefault(key(invoker), []).append(invoker)
        before = ", ".join((providers.origin, *(f"rule {router} {count}" for router, count in self._rules or ())))
        return {
            name: Providers(
                providers.service,
                tuple(part),
                f"{before}, of {name or 'no name'} {len(part)}",
                panic=providers.panic,
            )
            for name, part in members.items()
        }

    def explain(self) -> str:
        """The counts, and the figures behind the last choice: `registry 3, …, choice weight 100 of 300`."""
        figures = self.choice()
        return f"{self.counts()}, choice {figures}" if figures else self.counts()

    def choice(self) -> str:
        """What the balancer went by when it chose last, as far as it still holds; empty when it was not asked."""
        if self._chosen is None or len(self._chosen_from) < 2:
            return ""
        return self._balancer.explain(self._chosen_from, self._invocation, self._chosen)

    def counts(self) -> str:
        """`registry 3, after rules 2, healthy 2, available 1`, and what each rule left where there are rules."""
        steps = [self._providers.origin]
        steps += [f"rule {router} {count}" for router, count in self._rules or ()]
        steps.append(f"after rules {len(self._invokers)}")
        if self._invokers:
            named = [each for each in self._invokers if not each.load.missing] or self._invokers
            if len(named) < len(self._invokers):
                steps.append(f"named {len(named)}")
            ejected = sum(1 for each in named if each.load.ejected)
            panic = " (too few, so all are used)" if ejected and len(self._healthy) == len(named) else ""
            steps.append(f"healthy {len(named) - ejected}{panic}")
            steps.append(f"available {sum(1 for each in self._invokers if each.available)}")
        return ", ".join(steps)

    def __len__(self) -> int:
        return len(self._invokers)

    def _pick_from_part(self, tried: Sequence[Invoker]) -> Invoker:
        """From the first of these that has anybody: untried, available and healthy; whoever is ejected too; whoever the
        registry does not name too; whoever is away too; those tried before."""
        untried = [each for each in self._invokers if each not in tried]
        healthy = [each for each in self._healthy if each not in tried]
        part = (
            [each for each in healthy if each.available]
            or [each for each in untried if each.available and not each.load.missing]
            or [each for each in untried if each.available]
            or untried
            or [each for each in self._invokers if each.available]
            or self._invokers
        )
        # Of one, too: a balancer that keeps consumers with their provider must hear of the change.
        self._chosen = self._balancer.select(part, self._invocation)
        self._chosen_from = part
        return self._chosen
