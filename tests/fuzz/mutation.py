"""Random and mutated input, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

__all__ = ["Mutator"]

_MOST_EDITS = 6


class Mutator:
    """Makes inputs from `pool` (well-formed ones) and `dictionary` (bytes that structure hangs on)."""

    def __init__(self, pool: Sequence[bytes], dictionary: bytes, seed: int) -> None:
        self._pool = pool
        self._dictionary = dictionary
        self._dice = random.Random(seed)

    def random(self, most: int) -> bytes:
        """Up to `most` random bytes."""
        return self._dice.randbytes(self._dice.randrange(most + 1))

    def mutated(self) -> bytes:
        """A well-formed input with a few changes."""
        dice = self._dice
        data = bytearray(dice.choice(self._pool))
        for _ in range(dice.randint(1, _MOST_EDITS)):
            at = dice.randrange(len(data) + 1)
            match dice.randrange(5):
                case 0:
                    data[at : at + 1] = bytes((dice.randrange(256),))
                case 1:
                    del data[at : at + dice.randint(1, 16)]
                case 2:
                    other = dice.choice(self._pool)
                    start = dice.randrange(len(other) + 1)
                    data[at:at] = other[start : start + dice.randint(0, 64)]
                case 3:
                    # Lengths at their edges.
                    data[at : at + 4] = dice.choice(
                        (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\1")
                    )
                case _:
                    data[at : at + 1] = bytes((dice.choice(self._dictionary),))
        return bytes(data)
