"""For whom a connection is, decided from its first bytes."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from gateway.model.recognition import Recognition, Recognizer

__all__ = ["Recognizers", "Undecided"]

_NO: Final = Recognition.NO
_YES: Final = Recognition.YES
_MORE: Final = Recognition.MORE
_MAYBE: Final = Recognition.MAYBE


class Undecided(Enum):
    """Why it is for nobody."""

    WAIT = "wait"
    """More bytes will tell."""
    AMBIGUOUS = "ambiguous"
    """Several may mean it, and none of them is preferred."""
    UNKNOWN = "unknown"
    """Nobody knows it."""


class Recognizers:
    """Those of several wires, which are asked in their order.

    `preferred`: the index of the one that gets what may be of several; None where nobody does.
    """

    __slots__ = ("_by_first", "_preferred")

    def __init__(self, recognizers: Sequence[Recognizer], preferred: int | None) -> None:
        self._preferred = preferred
        # Who says no to the first byte need not be asked again.
        self._by_first = tuple(
            tuple((index, each) for index, each in enumerate(recognizers) if each(bytes((first,))) is not _NO)
            for first in range(256)
        )

    def decide(self, data: bytes, *, is_all: bool) -> int | Undecided:
        """The index of the one whose wire it is. `data`: at least a byte; `is_all`: there will be no more of them."""
        waits = False
        possible: list[int] = []
        for index, recognize in self._by_first[data[0]]:
            found = recognize(data)
            if found is _YES:
                return index
            if found is _MORE:
                waits = True
            elif found is _MAYBE:
                possible.append(index)
        if waits and not is_all:
            return Undecided.WAIT
        if len(possible) == 1:
            return possible[0]
        if not possible:
            return Undecided.UNKNOWN
        preferred = self._preferred
        return preferred if preferred is not None and preferred in possible else Undecided.AMBIGUOUS
