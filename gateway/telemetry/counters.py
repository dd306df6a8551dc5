"""Counters of what happened, by protocol and reason. A metrics exporter reads them; nothing here is exported."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["Counters"]


class Counters:
    """How often each reason occurred on each protocol. Belongs to the thread of the event loop.

    Reasons are the short stable codes of errors and refusals (`overloaded`, `bad-magic`), never text of a peer: the
    number of counters must not be in the hands of whoever calls us.
    """

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}

    def add(self, protocol: str, reason: str, amount: int = 1) -> None:
        """Counts `amount` more occurrences."""
        key = (protocol, reason)
        self._counts[key] = self._counts.get(key, 0) + amount

    def count(self, protocol: str, reason: str) -> int:
        """Occurrences so far; 0 for what never happened."""
        return self._counts.get((protocol, reason), 0)

    def snapshot(self) -> Mapping[tuple[str, str], int]:
        """All counts of this moment by `(protocol, reason)`."""
        return MappingProxyType(dict(self._counts))
