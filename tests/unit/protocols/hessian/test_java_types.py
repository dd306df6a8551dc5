"""Java's value classes: fields to Python values and back."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.generic import BigInt, JavaDate
from protocols.hessian.java_types import (
    KNOWN_CLASSES,
    Inexact,
    class_names,
    date_from_millis,
    datetime_from_millis,
    decimal_text,
    magnitude_words,
    millis_from_date,
    split_duration,
    split_instant,
)

JAVA8 = "com.alibaba.com.caucho.hessian.io.java8."


@pytest.mark.parametrize(
    ("name", "fields", "value"),
    [
        ("java.math.BigDecimal", {"value": "1.20"}, Decimal("1.20")),
        ("java.math.BigDecimal", {"value": "1E+30"}, Decimal("1E+30")),
        ("java.math.BigDecimal", {"value": "-0"}, Decimal(0)),
        ("java.math.BigInteger", {"signum": 0, "mag": []}, BigInt(0)),
        ("java.math.BigInteger", {"signum": -1, "mag": [1]}, BigInt(-1)),
        ("java.math.BigInteger", {"signum": 1, "mag": [1, -1]}, BigInt(2**33 - 1)),
        ("java.math.BigInteger", {"signum": 1, "mag": [1, 0, 0]}, 2**64),
        ("java.math.BigInteger", {"signum": 1, "mag": [1, 2**32 - 1]}, BigInt(2**33 - 1)),
        (
            "java.util.UUID",
            {"value": "01234567-89ab-cdef-8edc-ba9876543210"},
            UUID(int=0x0123456789ABCDEF8EDCBA9876543210),
        ),
        (JAVA8 + "LocalDateHandle", {"year": 2024, "month": 2, "day": 29}, date(2024, 2, 29)),
        (JAVA8 + "LocalTimeHandle", {"hour": 1, "minute": 2, "second": 3, "nano": 4000}, time(1, 2, 3, 4)),
        (JAVA8 + "LocalDateTimeHandle", {"date": date(1, 1, 1), "time": time(1)}, datetime(1, 1, 1, 1)),
        (
            JAVA8 + "InstantHandle",
            {"seconds": -1, "nanos": 999_999_000},
            datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC),
        ),
        (JAVA8 + "DurationHandle", {"seconds": -1, "nanos": 1_000}, timedelta(seconds=-1, microseconds=1)),
        ("com.caucho.hessian.io.java8.DurationHandle", {"seconds": 1, "nanos": 0}, timedelta(seconds=1)),
    ],
)
def test_fields_make_the_value(name: str, fields: dict[str, Any], value: Any) -> None:
    found = KNOWN_CLASSES[name](fields)
    assert found == value
    assert type(found) is type(value)
    assert str(found) == str(value)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("java.math.BigDecimal", {}),
        ("java.math.BigDecimal", {"value": 1}),
        *(
            ("java.math.BigDecimal", {"value": text})
            for text in ("NaN", "Infinity", "1_000", "\u0661", " 1", "", "1e", ".")
        ),
        ("java.math.BigDecimal", {"value": "1E" + "9" * 40}),
        ("java.math.BigInteger", {"signum": 2, "mag": [1]}),
        ("java.math.BigInteger", {"signum": 1, "mag": []}),
        ("java.math.BigInteger", {"signum": 0, "mag": [1]}),
        ("java.math.BigInteger", {"signum": 1, "mag": [2**32]}),
        ("java.math.BigInteger", {"signum": 1, "mag": [-(2**31) - 1]}),
        ("java.math.BigInteger", {"signum": 1, "mag": ["1"]}),
        ("java.math.BigInteger", {"signum": True, "mag": [1]}),
        ("java.util.UUID", {"value": "{01234567-89ab-cdef-8edc-ba9876543210}"}),
        ("java.util.UUID", {"value": "0123456789abcdef8edcba9876543210"}),
        (JAVA8 + "LocalDateHandle", {"year": 2023, "month": 2, "day": 29}),
        (JAVA8 + "LocalDateHandle", {"year": 10000, "month": 1, "day": 1}),
        (JAVA8 + "LocalDateHandle", {"year": 10**30, "month": 1, "day": 1}),
        (JAVA8 + "LocalTimeHandle", {"hour": 24, "minute": 0, "second": 0, "nano": 0}),
        (JAVA8 + "LocalTimeHandle", {"hour": 0, "minute": 0, "second": 0, "nano": 1}),
        (JAVA8 + "LocalDateTimeHandle", {"date": None, "time": time(1)}),
        (JAVA8 + "InstantHandle", {"seconds": 2**62, "nanos": 0}),
        (JAVA8 + "InstantHandle", {"seconds": 0, "nanos": 1}),
        (JAVA8 + "DurationHandle", {"seconds": -(2**63), "nanos": 0}),
        (JAVA8 + "DurationHandle", {"seconds": 1.5, "nanos": 0}),
    ],
)
def test_fields_that_make_no_exact_value_are_refused(name: str, fields: dict[str, Any]) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        KNOWN_CLASSES[name](fields)


def test_a_class_is_found_in_all_packages() -> None:
    caucho = "com.caucho.hessian.io.java8.InstantHandle"
    dubbo = "org.apache.dubbo.serialize.hessian.serializer.java8.InstantHandle"
    assert class_names("Instant") == (JAVA8 + "InstantHandle", caucho, dubbo, "java.time.Instant")
    assert class_names("UUID") == ("java.util.UUID",)


@pytest.mark.parametrize(
    "value",
    [Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), Decimal("-0"), Decimal("-0.00"), Decimal("1E+2147483648")],
)
def test_what_bigdecimal_lacks_is_refused(value: Decimal) -> None:
    with pytest.raises(Inexact):
        decimal_text(value)


@given(st.decimals(allow_nan=False, allow_infinity=False).filter(lambda value: value != 0))
def test_decimal_keeps_its_scale(value: Decimal) -> None:
    found = KNOWN_CLASSES["java.math.BigDecimal"]({"value": decimal_text(value)})
    assert found.as_tuple() == value.as_tuple()


@given(st.integers())
def test_big_integer_comes_back(value: int) -> None:
    signum = (value > 0) - (value < 0)
    assert KNOWN_CLASSES["java.math.BigInteger"]({"signum": signum, "mag": magnitude_words(value)}) == value


@given(st.datetimes(timezones=st.timezones()))
def test_instant_comes_back_in_utc(value: datetime) -> None:
    seconds, nanos = split_instant(value)
    assert 0 <= nanos < 10**9
    try:
        expected = value.astimezone(UTC)
    except OverflowError:
        return  # near year 1 or 9999 the instant lies outside in UTC
    found = KNOWN_CLASSES[JAVA8 + "InstantHandle"]({"seconds": seconds, "nanos": nanos})
    assert (found, found.tzinfo) == (expected, UTC)


@given(st.timedeltas())
def test_duration_comes_back(value: timedelta) -> None:
    seconds, nanos = split_duration(value)
    assert KNOWN_CLASSES[JAVA8 + "DurationHandle"]({"seconds": seconds, "nanos": nanos}) == value


@pytest.mark.parametrize(
    ("millis", "value"), [(0, "1970-01-01T00:00:00+00:00"), (-1, "1969-12-31T23:59:59.999000+00:00")]
)
def test_date_counts_milliseconds_from_1970(millis: int, value: str) -> None:
    assert date_from_millis(millis).isoformat() == value
    assert type(date_from_millis(millis)) is JavaDate
    assert type(datetime_from_millis(millis)) is datetime
    assert millis_from_date(date_from_millis(millis)) == millis


@pytest.mark.parametrize("millis", [2**63 - 1, -(2**63), 253402300800000])
def test_dates_beyond_the_calendar_are_refused(millis: int) -> None:
    for convert in (date_from_millis, datetime_from_millis):
        with pytest.raises(Inexact):
            convert(millis)
