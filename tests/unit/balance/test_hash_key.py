from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from gateway.balance.hash_key import text_of
from gateway.model.generic import JavaDate, Long, Record


class Color(Enum):
    RED = 1


@dataclass(frozen=True)
class Point:
    x: int
    label: str


# What String.valueOf gives for the same values in Java, where that is the same in every process.
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("lamp", "lamp"),
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-(2**63), "-9223372036854775808"),
        (Long(7), "7"),
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (0.001, "0.001"),
        (1e-4, "1.0E-4"),
        (1e7, "1.0E7"),
        (12345678.9, "1.23456789E7"),
        (9999999.5, "9999999.5"),
        (1e100, "1.0E100"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (Decimal("1.50"), "1.50"),
        (Color.RED, "RED"),
        (date(2026, 1, 2), "2026-01-02"),
        (["a", 1, None], "[a, 1, null]"),
        ({"k": 1}, "{k=1}"),
    ],
)
def test_values_have_the_text_that_java_gives_them(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_equal_values_have_equal_texts_however_they_are_ordered_or_zoned() -> None:
    assert text_of({"a": 1, "b": 2}) == text_of({"b": 2, "a": 1})
    assert text_of({3, 1, 2}) == text_of({2, 3, 1}) == "[1, 2, 3]"
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert text_of(noon) == text_of(noon.astimezone(timezone(timedelta(hours=5)))) == "2026-01-01T12:00:00Z"
    assert text_of(JavaDate(2026, 1, 1, 12, tzinfo=UTC)) == text_of(noon)


def test_structs_and_records_are_told_apart_by_class_and_fields() -> None:
    assert text_of(Point(1, "a")) == "Point{x=1, label=a}"
    assert text_of(Record("demo.P", {"b": 1, "a": b"\x01"})) == "demo.P{a=01, b=1}"
