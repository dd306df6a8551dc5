"""The order of commands for one key on one connection.

Calls of different keys run beside each other. A command for a key that an earlier one on the same connection may still
be changing waits for that: clients that store without waiting for an answer (`noreply`) expect to read what they did.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gateway.model.call import Invocation

__all__ = ["TurnInvocation", "Turns"]

_MAX_KEYS: Final = 10_000


class Turn:
    """One command's place among those for its key. `before`: what it waits for. `waiting`: who waits for it."""

    __slots__ = ("_key", "_turns", "before", "is_over", "waiting")

    def __init__(self, turns: dict[bytes, Turn], key: bytes, before: Turn | None) -> None:
        self._turns = turns
        self._key = key
        self.before = before
        self.is_over = False
        self.waiting: list[Callable[[], None]] = []

    def end(self) -> None:
        """The command is done; whoever waits for it is told."""
        self.is_over = True
        self.before = None
        if self._turns.get(self._key) is self:
            del self._turns[self._key]
        waiting, self.waiting = self.waiting, []
        for tell in waiting:
            tell()


class Turns:
    """The commands of one connection that are not done, by key."""

    __slots__ = ("pending",)

    def __init__(self) -> None:
        self.pending: Final[dict[bytes, Turn]] = {}

    def take(self, key: bytes) -> Turn | None:
        """A place behind all others for this key; None where so many keys have some that nobody waits any more."""
        pending = self.pending
        if len(pending) >= _MAX_KEYS:
            return None
        turn = pending[key] = Turn(pending, key, pending.get(key))
        return turn


class TurnInvocation(Invocation):
    """A call that waits for its turn; who handles it calls `turn.end` when it is done."""

    __slots__ = ("turn",)

    def __init__(self, turn: Turn, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.turn: Final = turn
