"""Single values of generic calls. Conversions are those of Dubbo's CompatibleTypeUtils where they lose nothing; text
forms are those java.time and java.lang document."""

from __future__ import annotations

import math
import struct
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.errors import ValueMappingError
from gateway.model.generic import BigInt, JavaDate, Long, Pairs, Record, TypedList, TypedMap
from gateway.model.typeref import Kind
from protocols.dubbo.generic_scalar import describe, from_scalar, to_scalar
from tests.support.shop_contract import ref

NOON = datetime(2024, 1, 2, 12, 0, 0, 5000, UTC)
JAVA_DATE = ref(Kind.DATETIME, java="java.util.Date")

ACCEPTED = [
    (Kind.BOOL, True, True),
    (Kind.BOOL, 0, False),
    (Kind.BOOL, Long(1), True),
    (Kind.BOOL, "TRUE", True),
    (Kind.BOOL, "false", False),
    (Kind.I8, -128, -128),
    (Kind.I8, "127", 127),
    (Kind.I16, Long(-32768), -32768),
    (Kind.I32, Long(2**31 - 1), 2**31 - 1),
    (Kind.I32, 5.0, 5),
    (Kind.I32, "+5", 5),
    (Kind.I32, Decimal("5.00"), 5),
    (Kind.I64, 7, 7),
    (Kind.I64, "-9223372036854775808", -(2**63)),
    (Kind.I64, BigInt(7), 7),
    (Kind.BIGINT, "1" + "0" * 199, 10**199),
    (Kind.BIGINT, Long(3), 3),
    (Kind.BIGINT, Decimal("1E+20"), 10**20),
    (Kind.F64, 1.1, 1.1),
    (Kind.F64, 3, 3.0),
    (Kind.F64, Long(2**53), 2.0**53),
    (Kind.F64, Decimal("1.1"), 1.1),
    (Kind.F64, "1.5e3", 1500.0),
    (Kind.F64, ".5", 0.5),
    (Kind.F64, "-Infinity", -math.inf),
    (Kind.F32, 1.1, struct.unpack(">f", struct.pack(">f", 1.1))[0]),
    (Kind.F32, math.inf, math.inf),
    (Kind.F32, 16_777_216, 16_777_216.0),
    (Kind.F32, "1.1", struct.unpack(">f", struct.pack(">f", 1.1))[0]),
    (Kind.DECIMAL, Decimal("1.20"), Decimal("1.20")),
    (Kind.DECIMAL, "1.20", Decimal("1.20")),
    (Kind.DECIMAL, "-1e-5", Decimal("-0.00001")),
    (Kind.DECIMAL, 1.1, Decimal("1.1")),
    (Kind.DECIMAL, 10**30, Decimal(10**30)),
    (Kind.CHAR, "\u4f60", "\u4f60"),
    (Kind.CHAR, "\ud800", "\ud800"),
    (Kind.STRING, "", ""),
    (Kind.BYTES, b"\x00\xff", b"\x00\xff"),
    (Kind.BYTES, [0, 127, -128, -1], b"\x00\x7f\x80\xff"),
    (Kind.DATE, date(2024, 2, 29), date(2024, 2, 29)),
    (Kind.DATE, "2024-02-29", date(2024, 2, 29)),
    (Kind.TIME, time(1, 2), time(1, 2)),
    (Kind.TIME, "10:15", time(10, 15)),
    (Kind.TIME, "10:15:30", time(10, 15, 30)),
    (Kind.TIME, "10:15:30.5", time(10, 15, 30, 500_000)),
    (Kind.TIME, "10:15:30.123456000", time(10, 15, 30, 123_456)),
    (Kind.TIME, "2024-01-02T10:15:30", time(10, 15, 30)),
    (Kind.LOCAL_DATETIME, datetime(2024, 1, 2), datetime(2024, 1, 2)),
    (Kind.LOCAL_DATETIME, "2024-01-02T03:04", datetime(2024, 1, 2, 3, 4)),
    (Kind.LOCAL_DATETIME, "2024-01-02T03:04:05.000006", datetime(2024, 1, 2, 3, 4, 5, 6)),
    (Kind.DATETIME, NOON, NOON),
    (Kind.DATETIME, NOON.astimezone(timezone(timedelta(hours=5))), NOON),
    (Kind.DATETIME, JavaDate(2024, 1, 2, 12, 0, 0, 5000, UTC), NOON),
    (Kind.DATETIME, "2024-01-02T12:00:00.005Z", NOON),
    (Kind.DATETIME, "2024-01-02T20:00:00.005+08:00", NOON),
    (Kind.DATETIME, {"class": "java.time.Instant", "epochSecond": Long(1704196800), "nano": 5_000_000}, NOON),
    (Kind.DURATION, timedelta(1), timedelta(1)),
    (
        Kind.DURATION,
        {"class": "java.time.Duration", "seconds": Long(-1), "nano": 999_999_000, "negative": True, "zero": False},
        timedelta(microseconds=-1),
    ),
    (Kind.UUID, UUID(int=5), UUID(int=5)),
    (Kind.UUID, "123e4567-e89b-12d3-a456-426614174000", UUID("123e4567-e89b-12d3-a456-426614174000")),
    (
        Kind.UUID,
        {"class": "java.util.UUID", "mostSignificantBits": Long(1), "leastSignificantBits": Long(-1)},
        UUID("00000000-0000-0001-ffff-ffffffffffff"),
    ),
]


@pytest.mark.parametrize(("kind", "value", "expected"), ACCEPTED, ids=str)
def test_what_callers_send_becomes_the_contract_value(kind: Kind, value: Any, expected: Any) -> None:
    found = to_scalar(value, ref(kind))
    assert found == expected
    assert type(found) is type(expected)


REFUSED = [
    (Kind.BOOL, "yes", "string"),
    (Kind.BOOL, 2, "int"),
    (Kind.BOOL, 1.0, "double"),
    (Kind.I8, 128, "an integer beyond its range"),
    (Kind.I32, 2**31, "an integer beyond its range"),
    (Kind.I64, "9223372036854775808", "an integer beyond its range"),
    (Kind.I32, 1.5, "double"),
    (Kind.I32, math.nan, "double"),
    (Kind.I32, math.inf, "double"),
    (Kind.I32, Decimal("1.5"), "BigDecimal"),
    (Kind.I32, Decimal("NaN"), "BigDecimal"),
    (Kind.I32, True, "boolean"),
    (Kind.I32, "", "string"),
    (Kind.I32, "1_000", "string"),
    (Kind.I32, " 1", "string"),
    (Kind.I32, "\u0661", "string"),
    (Kind.I32, "1.0", "string"),
    (Kind.I32, [1], "list"),
    (Kind.BIGINT, Decimal("1E+1000000000"), "BigDecimal"),
    (Kind.BIGINT, "9" * 5_000, "string"),
    (Kind.F64, 2**53 + 1, "a number that it does not hold"),
    (Kind.F64, 10**400, "int"),
    (Kind.F64, Decimal("0.1000000000000000055511151231257827"), "a number that it does not hold"),
    (Kind.F64, Decimal("1E+1000000000"), "a number that it does not hold"),
    (Kind.F64, "1e400", "a number that it does not hold"),
    (Kind.F64, "nan", "string"),
    (Kind.F64, "0x1p3", "string"),
    (Kind.F64, True, "boolean"),
    (Kind.F32, 1e300, "double"),
    (Kind.F32, 16_777_217, "a number that it does not hold"),
    (Kind.DECIMAL, math.nan, "double"),
    (Kind.DECIMAL, Decimal("Infinity"), "BigDecimal"),
    (Kind.DECIMAL, "NaN", "string"),
    (Kind.DECIMAL, "1e99999999999", "string"),
    (Kind.CHAR, "ab", "string"),
    (Kind.CHAR, "", "string"),
    (Kind.CHAR, "\U0001f600", "string"),
    (Kind.CHAR, 65, "int"),
    (Kind.STRING, 5, "int"),
    (Kind.STRING, b"a", "binary"),
    (Kind.STRING, {}, "map"),
    (Kind.BYTES, [128], "list"),
    (Kind.BYTES, [Long(1)], "list"),
    (Kind.BYTES, "a", "string"),
    (Kind.DATE, "20240229", "string"),
    (Kind.DATE, "2023-02-29", "string"),
    (Kind.DATE, NOON, "date and time"),
    (Kind.DATE, 0, "int"),
    (Kind.TIME, "10:15.5", "string"),
    (Kind.TIME, "25:00", "string"),
    (Kind.TIME, "xT10:15", "string"),
    (Kind.TIME, "10:15:30.123456789", "nanoseconds"),
    (Kind.LOCAL_DATETIME, NOON, "date and time"),
    (Kind.LOCAL_DATETIME, "2024-01-02", "string"),
    (Kind.LOCAL_DATETIME, "2024-01-02T03:04Z", "string"),
    (Kind.DATETIME, datetime(2024, 1, 2), "date and time"),
    (Kind.DATETIME, 0, "int"),
    (Kind.DATETIME, "2024-01-02 03:04:05", "text without a zone"),
    (Kind.DATETIME, "0001-01-01T00:00+05:00", "string"),
    (Kind.DATETIME, {"class": "java.time.Instant", "epochSecond": 0}, "map of class java.time.Instant"),
    (Kind.DATETIME, {"class": "java.time.Instant", "epochSecond": 0, "nano": 1}, "nanoseconds"),
    (Kind.DATETIME, {"class": "java.time.Instant", "epochSecond": 10**18, "nano": 0}, "java.time.Instant"),
    (Kind.DATETIME, {"epochSecond": 0, "nano": 0}, "map"),
    (Kind.DURATION, "PT1S", "string"),
    (Kind.UUID, "123e4567e89b12d3a456426614174000", "string"),
    (Kind.UUID, {"class": "java.util.UUID", "mostSignificantBits": 2**64}, "map of class java.util.UUID"),
]


@pytest.mark.parametrize(("kind", "value", "found"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_would_lose_something_is_refused(kind: Kind, value: Any, found: str) -> None:
    with pytest.raises(ValueMappingError, match=f"^expected .*, found .*{found}$"):
        to_scalar(value, ref(kind))


def test_milliseconds_are_a_date_only_where_java_has_a_date() -> None:
    assert to_scalar(Long(-1), JAVA_DATE) == datetime(1969, 12, 31, 23, 59, 59, 999_000, UTC)
    with pytest.raises(ValueMappingError):
        to_scalar(Long(2**62), JAVA_DATE)


def test_a_negative_zero_decimal_loses_its_sign_as_in_java() -> None:
    assert not to_scalar("-0.0", ref(Kind.DECIMAL)).is_signed()


@given(st.floats(width=32) | st.integers() | st.decimals() | st.text() | st.binary() | st.booleans() | st.none())
def test_nothing_but_a_mapping_error_comes_out(value: Any) -> None:
    for kind in Kind:
        if kind in {k for k, _, _ in ACCEPTED} and value is not None:
            with suppress(ValueMappingError):
                to_scalar(value, ref(kind))


GENERIC = [
    (ref(Kind.BOOL), True, True),
    (ref(Kind.I32), 5, 5),
    (ref(Kind.I64), 5, Long(5)),
    (ref(Kind.BIGINT), 5, BigInt(5)),
    (ref(Kind.F64), 1.1, 1.1),
    (ref(Kind.F32), struct.unpack(">f", struct.pack(">f", 1.1))[0], 1.1),
    (ref(Kind.F32), struct.unpack(">f", struct.pack(">f", 3.4028235e38))[0], 3.4028235e38),
    (ref(Kind.F32), 16_777_217.0, 16_777_216.0),
    (ref(Kind.F32), -math.inf, -math.inf),
    (ref(Kind.DECIMAL), Decimal("1.20"), Decimal("1.20")),
    (ref(Kind.CHAR), "x", "x"),
    (ref(Kind.STRING), "x", "x"),
    (ref(Kind.BYTES), b"x", b"x"),
    (ref(Kind.DATE), date(2024, 2, 9), "2024-02-09"),
    (ref(Kind.TIME), time(3, 4), "03:04"),
    (ref(Kind.TIME), time(3, 4, 5), "03:04:05"),
    (ref(Kind.TIME), time(3, 4, 0, 1000), "03:04:00.001"),
    (ref(Kind.TIME), time(3, 4, 5, 6), "03:04:05.000006"),
    (ref(Kind.LOCAL_DATETIME), datetime(2024, 1, 2, 3, 4), "2024-01-02T03:04"),
    (ref(Kind.LOCAL_DATETIME), datetime(2024, 1, 2, 3, 4, 5, 6), "2024-01-02T03:04:05.000006"),
    (ref(Kind.DATETIME), NOON, NOON),
    (JAVA_DATE, NOON, JavaDate(2024, 1, 2, 12, 0, 0, 5000, UTC)),
    (ref(Kind.DURATION), timedelta(1), timedelta(1)),
    (ref(Kind.UUID), UUID(int=1), UUID(int=1)),
]


@pytest.mark.parametrize(("type_", "value", "expected"), GENERIC, ids=str)
def test_contract_values_get_their_generic_form(type_: Any, value: Any, expected: Any) -> None:
    found = from_scalar(value, type_)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("type_", "value", "expected"), GENERIC, ids=str)
def test_a_generic_form_is_read_back(type_: Any, value: Any, expected: Any) -> None:
    again = to_scalar(expected, type_)
    if value != 16_777_217.0:
        assert again == value
        assert type(again) is type(value)


def test_not_a_number_stays_so() -> None:
    assert math.isnan(from_scalar(math.nan, ref(Kind.F32)))
    assert math.isnan(to_scalar("NaN", ref(Kind.F32)))


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (ref(Kind.I32), "5"),
        (ref(Kind.I32), True),
        (ref(Kind.I32), 2**31),
        (ref(Kind.F64), True),
        (ref(Kind.F64), 10**400),
        (ref(Kind.F32), 1e300),
        (ref(Kind.STRING), 5),
        (ref(Kind.CHAR), "ab"),
        (ref(Kind.DATE), NOON),
        (ref(Kind.TIME), time(1, tzinfo=UTC)),
        (ref(Kind.DATETIME), datetime(2024, 1, 1)),
        (ref(Kind.LOCAL_DATETIME), NOON),
        (JAVA_DATE, datetime(2024, 1, 1, 0, 0, 0, 1, UTC)),
    ],
    ids=str,
)
def test_values_that_are_not_of_the_type_are_refused(type_: Any, value: Any) -> None:
    with pytest.raises(ValueMappingError):
        from_scalar(value, type_)


def test_messages_say_what_a_value_is_and_not_what_it_holds() -> None:
    assert describe(Record("demo.Maker", {"name": "secret"})) == "demo.Maker"
    assert describe(TypedList("java.util.HashSet")) == "java.util.HashSet"
    assert describe(TypedMap("x\n" + "y" * 1000)) == "x\\n" + "y" * 78 + "\u2026"
    assert describe({"class": "demo.Maker"}) == "map of class demo.Maker"
    assert describe({"class": 5}) == "map"
    assert describe(Pairs()) == "map"
    assert describe(None) == "null"
    assert describe(object()) == "object"
