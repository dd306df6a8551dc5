"""Answers that leave in the order of their requests; what is done early waits for what is before it."""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, Protocol, TypeVar

__all__ = ["HELD_COST", "Leaving"]

HELD_COST: Final = 200
"""Bytes of memory that an answer takes which waits, beside its own; most are shorter."""


class Leaver(Protocol):
    """One request. `answer`: its bytes, once they are there; none where nothing is said."""

    answer: bytes | None


_L = TypeVar("_L", bound=Leaver)


class Leaving(Generic[_L]):
    """The requests of one connection whose answers have not left, in their order.

    `slots`: who makes a request puts it there. `held_bytes`: of answers that wait for one before them, with what that
    costs.
    """

    __slots__ = ("held_bytes", "slots")

    def __init__(self) -> None:
        self.slots: Final[deque[_L]] = deque()
        self.held_bytes = 0

    def done(self, slot: _L) -> bytes:
        """What may leave now that this one has its answer."""
        slots, answer = self.slots, slot.answer
        assert answer is not None
        if slots[0] is slot and (len(slots) == 1 or slots[1].answer is None):
            slots.popleft()
            return answer
        self.held_bytes += len(answer) + HELD_COST
        ready: list[bytes] = []
        while slots and (done := slots[0].answer) is not None:
            self.held_bytes -= len(done) + HELD_COST
            ready.append(done)
            slots.popleft()
        return b"".join(ready)

    def hold(self, slot: _L) -> None:
        """This one has its answer, and one before it is about to have its own."""
        assert slot.answer is not None
        self.held_bytes += len(slot.answer) + HELD_COST

    def say(self, slot: _L) -> bytes:
        """One that has its answer at once: gives it back, or holds it for its turn."""
        assert slot.answer is not None
        if not self.slots:
            return slot.answer
        self.slots.append(slot)
        self.held_bytes += len(slot.answer) + HELD_COST
        return b""
