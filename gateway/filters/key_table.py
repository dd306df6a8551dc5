"""One state per key, where the keys are in the hands of whoever calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

__all__ = ["KeyTable"]

_S = TypeVar("_S")
_SWEEP_S: Final = 1.0
"""Seconds between two looks for states that may go. Each looks at all of them, and callers decide how often one would
be worth it."""


class KeyTable(Generic[_S]):
    """At most `max_keys` states, and one more that all further keys share.

    Only when the table is full, states go that `is_idle(state, now)` says nothing would be lost with; so whoever makes
    up keys displaces nobody, and gets no more than the shared state. `clock`: seconds, monotonic.
    """

    __slots__ = ("_clock", "_is_idle", "_make", "_states", "_swept_at", "max_keys", "shared")

    def __init__(
        self,
        make: Callable[[], _S],
        is_idle: Callable[[_S, float], bool],
        max_keys: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._is_idle = is_idle
        self._clock = clock
        self._states: dict[Hashable, _S] = {}
        self._swept_at = float("-inf")
        self.max_keys = max_keys
        self.shared: Final = make()
        """The state of all keys that found the table full."""

    def get(self, key: Hashable) -> _S:
        """The state of `key`: its own, a new one, or the shared one."""
        state = self._states.get(key)
        return self._add(key) if state is None else state

    def peek(self, key: Hashable) -> _S | None:
        """The state of `key` where it has one of its own."""
        return self._states.get(key)

    def __len__(self) -> int:
        """Keys with a state of their own."""
        return len(self._states)

    def states(self) -> list[_S]:
        """All states, the shared one last."""
        return [*self._states.values(), self.shared]

    def _add(self, key: Hashable) -> _S:
        if len(self._states) >= self.max_keys:
            now = self._clock()
            if now - self._swept_at >= _SWEEP_S:
                self._swept_at = now
                self._states = {each: state for each, state in self._states.items() if not self._is_idle(state, now)}
            if len(self._states) >= self.max_keys:
                return self.shared
        made = self._states[key] = self._make()
        return made
