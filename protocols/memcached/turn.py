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
    """One command's place among those for its key. `waiting`: who waits for it.

    `has_begun`: whoever handles calls has taken it; one that was refused never has.
    """

    __slots__ = ("_before", "_key", "_turns", "has_begun", "is_over", "waiting")

    def __init__(self, turns: dict[bytes, Turn], key: bytes, before: Turn | None) -> None:
        self._turns = turns
        self._key = key
        self._before = before
        self.has_begun = False
        self.is_over = False
        self.waiting: list[Callable[[], None]] = []

    def begin(self) -> Turn | None:
        """Takes the place; gives the command that has to be over first. Calls are begun, or refused, in their order."""
        self.has_begun = True
        return self._forget_before()

    def refuse(self) -> None:
        """The command never begins. Later ones wait for the one before it."""
        before = self._forget_before()
        if self._turns.get(self._key) is self:
            if before is None:
                del self._turns[self._key]
            else:
                self._turns[self._key] = before

    def _forget_before(self) -> Turn | None:
        before, self._before = self._before, None
        while before is not None and not before.has_begun:
            before = before._before
        return None if before is None or before.is_over else before

    def end(self) -> None:
        """The command is done; whoever waits for it is told."""
        self.is_over = True
        if self._turns.get(self._key) is self:
            del self._turns[self._key]
        waiting, self.waiting = self.waiting, []
        for tell in waiting:
            tell()


class Turns:
    """The commands of one connection that are not done, by key."""

    __slots__ = ("_taken", "pending")

    def __init__(self) -> None:
        self.pending: Final[dict[bytes, Turn]] = {}
        self._taken: list[Turn] = []
        """Those of whom it is not known whether they have begun."""

    def settle(self) -> None:
        """All calls that were made are begun by now, or refused: the turns of these are over."""
        if self._taken:
            # The last first: each finds the one it would have waited for through those before it.
            for turn in reversed(self._taken):
                if not turn.has_begun:
                    turn.refuse()
            self._taken = []

    def take(self, key: bytes) -> Turn | None:
        """A place behind all others for this key; None where so many keys have some that nobody waits any more."""
        pending = self.pending
        if len(pending) >= _MAX_KEYS:
            return None
        turn = pending[key] = Turn(pending, key, pending.get(key))
        self._taken.append(turn)
        return turn


class TurnInvocation(Invocation):
    """A call that waits for its turn; who handles it calls `turn.end` when it is done."""

    __slots__ = ("turn",)

    def __init__(self, turn: Turn, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.turn: Final = turn
