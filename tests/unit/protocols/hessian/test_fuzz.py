"""Short form of the fuzz target, and a replay of its corpus."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fuzz.hessian import CORPUS_FOLDER, check, seeds


@pytest.mark.parametrize("path", sorted(CORPUS_FOLDER.glob("*.hex")), ids=lambda path: path.stem)
def test_the_corpus_holds(path: Path) -> None:
    check(bytes.fromhex(path.read_text(encoding="ascii")))


def test_the_seeds_hold() -> None:
    for seed in seeds():
        check(seed)


def test_mutated_seeds_hold() -> None:
    dice = random.Random(20_240_102)
    pool = list(seeds())
    for _ in range(3_000):
        data = bytearray(dice.choice(pool))
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(len(data) + 1)
            match dice.randrange(4):
                case 0:
                    data[at : at + 1] = bytes((dice.randrange(256),))
                case 1:
                    del data[at : at + dice.randint(1, 16)]
                case 2:
                    other = dice.choice(pool)
                    data[at:at] = other[: dice.randint(0, 64)]
                case _:
                    # A tag of a container, a reference or a length: what structure hangs on.
                    data[at : at + 1] = bytes((dice.choice(b"CHMOQUVWXZNRSAB\x60\x61\x70\x79\x90\x91"),))
        check(bytes(data))


def test_random_bytes_hold() -> None:
    dice = random.Random(20_240_103)
    for _ in range(3_000):
        check(dice.randbytes(dice.randrange(1, 65)))
