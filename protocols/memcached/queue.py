"""Commands whose answers have not left, in order; what is done early waits for what is before it."""

from __future__ import annotations

from collections import deque
from typing import Final

from protocols.contract import Outcome

__all__ = ["Leaving", "Slot"]


_COST: Final = 100
"""Bytes of memory that an answer takes beside its own; most are shorter."""


class Slot:
    """One command. `answer`: its bytes, once they are there."""

    __slots__ = ("answer",)

    def __init__(self, answer: bytes | None = None) -> None:
        self.answer = answer

    def settle(self, outcome: Outcome) -> Slot | None:
        """What became of its call, or of one of them; gives the command when its answer is there.

        Raises whatever writing a value raises.
        """
        raise NotImplementedError


class Leaving:
    """The commands of one connection. `held_bytes`: of answers that wait for one before them, with what that costs."""

    __slots__ = ("held_bytes", "slots")

    def __init__(self) -> None:
        self.slots: Final[deque[Slot]] = deque()
        self.held_bytes = 0

    def done(self, slot: Slot) -> bytes:
        """What may leave now that this one has its answer."""
        slots, answer = self.slots, slot.answer
        assert answer is not None
        if slots[0] is slot and (len(slots) == 1 or slots[1].answer is None):
            slots.popleft()
            return answer
        self.held_bytes += len(answer) + _COST
        ready: list[bytes] = []
        while slots and (done := slots[0].answer) is not None:
            self.held_bytes -= len(done) + _COST
            ready.append(done)
            slots.popleft()
        return b"".join(ready)

    def hold(self, slot: Slot) -> None:
        """This one has its answer, and one before it is about to have its own."""
        assert slot.answer is not None
        self.held_bytes += len(slot.answer) + _COST

    def say(self, answer: bytes) -> bytes:
        """An answer that is there at once: gives it back, or holds it for its turn."""
        if not self.slots:
            return answer
        self.slots.append(Slot(answer))
        self.held_bytes += len(answer) + _COST
        return b""
