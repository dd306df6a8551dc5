"""For whom a connection is, decided from its first bytes."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from gateway.model.recognition import Recognition, Recognizer

__all__ = ["Undecided", "decide"]

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


def decide(data: bytes, recognizers: Sequence[Recognizer], preferred: int | None, *, is_all: bool) -> int | Undecided:
    """The index of the one whose wire it is. `is_all`: there will not be more bytes to look at."""
    waits = False
    possible: list[int] = []
    for index, recognize in enumerate(recognizers):
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
    return preferred if preferred in possible else Undecided.AMBIGUOUS
