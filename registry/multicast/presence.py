"""What this process announces over multicast, and which of it answers a question."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, Identity, ServiceKey
from registry.multicast.announcement import announced_consumer, announced_provider
from registry.multicast.packet import Verb
from registry.multicast.question import Answer, Question

__all__ = ["Key", "Presence", "Step"]

Key = Identity | tuple[ServiceKey, str, str]
"""Of a provider, or of a consumer."""
Step = tuple[Verb, str]
"""A packet to send."""


class _Announced(NamedTuple):
    entry: Endpoint | Consumer
    url: str
    answer: Answer


class Presence:
    """Belongs to one event loop. `wall`: seconds since 1970."""

    def __init__(self, session_s: float, wall: Callable[[], float]) -> None:
        self._session_s, self._wall = session_s, wall
        self._announced: dict[Key, _Announced] = {}
        self._revision = 0

    @property
    def urls(self) -> set[str]:
        """All that is announced."""
        return {each.url for each in self._announced.values()}

    @property
    def consumers(self) -> list[Consumer]:
        """Those among it."""
        return [each.entry for each in self._announced.values() if isinstance(each.entry, Consumer)]

    def announce(self, entry: Endpoint | Consumer) -> list[Step]:
        """It is to be known from now on. Gives what to send for that, in order.

        Raises:
            RegistryError: its URL does not fit into what Java reads of a packet.
        """
        former = self._announced.get(entry.identity)
        if former is not None and former.entry == entry:
            return [(Verb.REGISTER, former.url)]
        self._revision = max(self._revision + 1, int(self._wall() * 1000))
        if isinstance(entry, Endpoint):
            url = announced_provider(entry, self._session_s, self._revision)
        else:
            url = announced_consumer(entry, self._session_s, self._revision)
        self._announced[entry.identity] = _Announced(entry, url, Answer.parse(url))
        steps = [(Verb.REGISTER, url)]
        if former is not None:
            # After the new one: so Java, which keeps both until then, is never without.
            steps.append((Verb.UNREGISTER, former.url))
        return steps

    def withdraw(self, key: Key) -> list[Step]:
        """It is to be known no more. Gives what to send for that."""
        former = self._announced.pop(key, None)
        return [] if former is None else [(Verb.UNREGISTER, former.url)]

    def withdraw_all(self) -> list[Step]:
        """As `withdraw`, of everything."""
        return [step for key in list(self._announced) for step in self.withdraw(key)]

    def answers(self, question: Question) -> Iterator[str]:
        """The URLs that a question is for."""
        return (each.url for each in self._announced.values() if question.wants(each.answer))
