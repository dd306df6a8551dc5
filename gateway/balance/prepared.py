"""What balancers prepare for the providers they choose from, kept as long as these are the ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from gateway.spi.cluster import Invoker

__all__ = ["Prepared"]

_P = TypeVar("_P")

_KEPT: Final = 4
"""Preparations at a time: one for each group of consumers that calls over protocols of its own, and some to spare."""
_SWEEP: Final = 4096
"""Choices between two looks at which of them are still in use."""


class Prepared(Generic[_P]):
    """Finds what was prepared for a tuple of invokers, and prepares it when it comes a second time.

    What comes once (the rest of a list after a failed attempt) is not worth it. A list or tuple that is equal to one
    seen before will do as well: rules make a new one for each call. Few are kept, and none for long that is not used,
    so providers that are gone are not held on to.

    `make`: prepares; gets the invokers and what was used last, None at first. `drop`: told of what is kept no more.
    """

    __slots__ = ("_current", "_drop", "_entries", "_left", "_made", "_make", "_seen")

    def __init__(
        self,
        make: Callable[[tuple[Invoker, ...], _P | None], _P],
        drop: Callable[[_P], None] = lambda _: None,
    ) -> None:
        self._make = make
        self._drop = drop
        self._current: Sequence[Invoker] | None = None
        self._made: _P | None = None
        self._entries: list[_Entry[_P]] = []
        self._seen: list[tuple[Invoker, ...]] = []
        self._left = _SWEEP

    def find(self, invokers: Sequence[Invoker]) -> _P | None:
        """What is prepared for `invokers`; None when they come for the first time."""
        if invokers is self._current:
            self._left -= 1
            if not self._left:
                self._sweep()
            return self._made
        return self._search(invokers)

    @property
    def latest(self) -> _P | None:
        """What was used last."""
        return self._made

    def _search(self, invokers: Sequence[Invoker]) -> _P | None:
        wanted = tuple(invokers)
        for at, entry in enumerate(self._entries):
            # Groups of consumers take turns with the same tuples. Comparing others compares identities of what is in
            # them, and ends at the first that differs.
            if entry.invokers is wanted or entry.invokers == wanted:
                if at:
                    self._entries.insert(0, self._entries.pop(at))
                return self._use(entry)
        for at, seen in enumerate(self._seen):
            if seen == wanted:
                del self._seen[at]
                entry = _Entry(wanted, self._make(wanted, self._made))
                self._entries.insert(0, entry)
                if len(self._entries) > _KEPT:
                    self._drop(self._entries.pop().made)
                return self._use(entry)
        self._seen.append(wanted)
        del self._seen[:-_KEPT]
        return None

    def _use(self, entry: _Entry[_P]) -> _P:
        entry.used = True
        self._current, self._made = entry.invokers, entry.made
        return entry.made

    def _sweep(self) -> None:
        self._left = _SWEEP
        self._seen.clear()
        kept = []
        for entry in self._entries:
            if entry.used or entry.made is self._made:
                entry.used = False
                kept.append(entry)
            else:
                self._drop(entry.made)
        self._entries = kept


class _Entry(Generic[_P]):
    __slots__ = ("invokers", "made", "used")

    def __init__(self, invokers: tuple[Invoker, ...], made: _P) -> None:
        self.invokers = invokers
        self.made = made
        self.used = True
