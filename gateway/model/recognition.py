"""Whether the first bytes of a connection are of some wire: what a port needs to know on which several are spoken."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

__all__ = ["PLAIN_TEXTS", "Recognition", "Recognizer", "beginning_with"]


class Recognition(Enum):
    """What a wire says of the first bytes of a connection."""

    NO = "no"
    """Nothing of this wire begins so."""
    MORE = "more"
    """It may begin so; more bytes will tell."""
    MAYBE = "maybe"
    """Something of this wire begins so, and something of other ones too; more bytes would not tell."""
    YES = "yes"
    """It begins so, and nothing of any other wire does."""


Recognizer = Callable[[bytes], Recognition]
"""Takes all bytes that are there, from the first on and at least one, and is asked again when there are more. It must
be quick, raise nothing, and never take back a NO or a YES when bytes are added."""

PLAIN_TEXTS: Final = (b"quit\r\n", b"get x\r\n")
"""Lines that mean something to several wires of text. Two wires that both take one of them for theirs cannot always be
told apart."""


def beginning_with(*prefixes: bytes) -> Recognizer:
    """Recognises a wire by bytes that all its connections begin with, and no other wire's."""
    longest = max(map(len, prefixes))

    def recognize(data: bytes) -> Recognition:
        if data.startswith(prefixes):
            return Recognition.YES
        if len(data) < longest and any(each.startswith(data) for each in prefixes):
            return Recognition.MORE
        return Recognition.NO

    return recognize
