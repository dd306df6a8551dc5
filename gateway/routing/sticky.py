"""Sticky calls: a consumer stays with the provider it was given, as long as it can be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.model.call import Invocation
from gateway.spi.cluster import Invoker, LoadBalancer

__all__ = ["Sticky", "StickyTable"]

_MAX_CONSUMERS: Final = 10_000
_MAX_PROVIDERS: Final = 8
_MAX_LISTS: Final = 8
_MAX_NAME: Final = 200
"""Of a consumer that is remembered: how long names are is in the hands of whoever calls."""


class StickyTable:
    """Whom each consumer of a reference stays with. Shared by the policies of its methods.

    `max_consumers`: who called longest ago is forgotten beyond it: the names of consumers are in their own hands.
    """

    __slots__ = ("_max_consumers", "_providers")

    def __init__(self, max_consumers: int = _MAX_CONSUMERS) -> None:
        self._max_consumers = max_consumers
        self._providers: dict[str, tuple[Invoker, ...]] = {}

    def __len__(self) -> int:
        return len(self._providers)

    def get(self, consumer: str) -> tuple[Invoker, ...]:
        """The providers of a consumer, the one it was given last before the others; they may be gone meanwhile.

        It has several where a call goes to several groups or registries, each of which gives it one.
        """
        found = self._providers.pop(consumer, ())
        if found:
            self._providers[consumer] = found
        return found

    def add(self, consumer: str, provider: Invoker) -> None:
        """Gives it another one; the oldest of many is forgotten."""
        others = (each for each in self._providers.pop(consumer, ()) if each is not provider)
        self._providers[consumer] = (provider, *others)[:_MAX_PROVIDERS]
        if len(self._providers) > self._max_consumers:
            del self._providers[next(iter(self._providers))]


class Sticky:
    """A load balancer that asks another one only for consumers without a provider they can stay with.

    It sees nobody who is ejected, and is asked again without those that are away or were tried, so that consumers of
    such a provider get another one, and stay with that. Consumers are known by the name they state, the nameless by
    their address; those with names of more than 200 characters stay with nobody.
    """

    __slots__ = ("_balancer", "_members", "_table")

    def __init__(self, balancer: LoadBalancer, table: StickyTable) -> None:
        self._balancer = balancer
        self._table = table
        self._members: dict[int, tuple[Sequence[Invoker], frozenset[int]]] = {}

    def select(self, invokers: Sequence[Invoker], invocation: Invocation) -> Invoker:
        """The consumer's provider where it is among `invokers`, else another one that it gets from now on."""
        consumer = _consumer(invocation)
        if len(consumer) > _MAX_NAME:
            return self._balancer.select(invokers, invocation)
        for known in self._table.get(consumer):
            if known.available and self._holds(invokers, known):
                return known
        chosen = self._balancer.select(invokers, invocation)
        self._table.add(consumer, chosen)
        return chosen

    def explain(self, invokers: Sequence[Invoker], invocation: Invocation, chosen: Invoker) -> str:
        """Whose provider it is, and what the other balancer says of it."""
        return f"sticky, {self._balancer.explain(invokers, invocation, chosen)}"

    def _holds(self, invokers: Sequence[Invoker], known: Invoker) -> bool:
        if not isinstance(invokers, tuple):
            return any(each is known for each in invokers)
        # The same few tuples come again until providers change.
        found = self._members.get(id(invokers))
        if found is None or found[0] is not invokers:
            if len(self._members) >= _MAX_LISTS:
                self._members.clear()
            found = self._members[id(invokers)] = (invokers, frozenset(map(id, invokers)))
        return id(known) in found[1]


def _consumer(invocation: Invocation) -> str:
    if invocation.consumer or invocation.peer is None:
        return invocation.consumer
    return f"{invocation.peer.protocol}://{invocation.peer.address}"
