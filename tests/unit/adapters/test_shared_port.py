"""For whom a connection is, from what each wire says."""

from __future__ import annotations

import pytest

from adapters.shared_port.verdict import Recognizers, Undecided
from gateway.model.recognition import Recognition, Recognizer

NO, MORE, MAYBE, YES = Recognition.NO, Recognition.MORE, Recognition.MAYBE, Recognition.YES


def saying(*answers: Recognition) -> list[Recognizer]:
    def one(answer: Recognition) -> Recognizer:
        return lambda data: answer if data[:1] == b"x" else NO

    return [one(each) for each in answers]


@pytest.mark.parametrize(
    ("answers", "preferred", "whole", "expected"),
    [
        ((NO, YES, MORE), None, False, 1),
        ((MAYBE, YES), 0, False, 1),
        ((NO, NO), None, False, Undecided.UNKNOWN),
        ((NO, MORE), None, False, Undecided.WAIT),
        ((MAYBE, MORE), None, False, Undecided.WAIT),
        ((MAYBE, MORE), None, True, 0),
        ((NO, MORE), None, True, Undecided.UNKNOWN),
        ((MAYBE, NO), None, False, 0),
        ((MAYBE, MAYBE), None, False, Undecided.AMBIGUOUS),
        ((MAYBE, MAYBE), 1, False, 1),
        ((MAYBE, MAYBE, NO), 2, False, Undecided.AMBIGUOUS),
        ((), None, False, Undecided.UNKNOWN),
    ],
)
def test_a_yes_decides_then_the_only_maybe_then_the_preference(
    answers: tuple[Recognition, ...], preferred: int | None, whole: bool, expected: int | Undecided
) -> None:
    assert Recognizers(saying(*answers), preferred).decide(b"x", is_all=whole) == expected


def test_who_says_no_to_the_first_byte_is_not_asked_again() -> None:
    asked = []

    def picky(data: bytes) -> Recognition:
        asked.append(data)
        return MORE if data[0] == 0x78 else NO

    made = Recognizers([picky], None)
    asked.clear()
    assert made.decide(b"yx", is_all=False) is Undecided.UNKNOWN
    assert asked == []
    assert made.decide(b"xy", is_all=False) is Undecided.WAIT
    assert asked == [b"xy"]
