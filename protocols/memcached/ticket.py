"""Commands whose answers have not left (`protocols.leaving`), and what hears of the calls that they make."""

from __future__ import annotations

from typing import Protocol

from protocols.contract import Outcome

__all__ = ["Slot", "Ticket"]


class Slot:
    """One command. `answer`: its bytes, once they are there."""

    __slots__ = ("answer",)

    def __init__(self, answer: bytes | None = None) -> None:
        self.answer = answer


class Ticket(Protocol):
    """What a call of a command is answered to."""

    def settle(self, outcome: Outcome) -> Slot | None:
        """What became of the call; gives the command when its answer is there.

        Raises whatever writing a value raises.
        """
        ...
