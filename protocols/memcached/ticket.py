"""A command whose answer has not left (`protocols.leaving`)."""

from __future__ import annotations

from protocols.contract import Outcome

__all__ = ["Slot"]


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
