"""Decimals, big integers, UUIDs, dates and times of declared types."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.model.errors import ValueMappingError
from gateway.model.generic import BigInt, JavaDate, Long
from gateway.model.typeref import Kind, TypeRef
from protocols.corpus.contract import CONTRACT
from protocols.hessian.errors import HessianError
from protocols.hessian.java_types import definition_bytes
from protocols.hessian.reader import Reader
from protocols.hessian.typed import TypedCompiler
from protocols.hessian.writer import Writer
from protocols.testing import difference

COMPILER = TypedCompiler(CONTRACT)
JAVA8 = "com.alibaba.com.caucho.hessian.io.java8."
TRUNCATE = (("precision", "truncate"),)
JAVA_DATE = (("java", "java.util.Date"),)


def read(ref: TypeRef, data: bytes) -> Any:
    reader = Reader(data)
    value = COMPILER.compile_reader(ref)(reader)
    assert reader.at_end
    return value


def write(ref: TypeRef, value: Any) -> bytes:
    writer = Writer()
    COMPILER.compile_writer(ref)(writer, value)
    return writer.finish()


def java(name: str, *fields: tuple[str, bytes]) -> bytes:
    return definition_bytes(name, tuple(field for field, _ in fields)) + b"\x60" + b"".join(data for _, data in fields)


def handle(name: str, *fields: tuple[str, bytes]) -> bytes:
    return java(JAVA8 + name, *fields)


YEAR, SECOND, FOREVER = ("year", b"\xcf\xe8"), ("seconds", b"\xdf"), ("seconds", b"L\x7f" + b"\xff" * 7)
DAY = handle("LocalDateHandle", YEAR, ("month", b"\x91"), ("day", b"\x92"))
NO_DAY = handle("LocalDateHandle", YEAR, ("month", b"\x9d"), ("day", b"\x92"))
BACK = java("com.caucho.hessian.io.java8.DurationHandle", SECOND, ("nanos", b"\x90"))
ENDLESS = handle("DurationHandle", FOREVER, ("nanos", b"\x90"))
INSTANT = java(JAVA8 + "InstantHandle", ("seconds", b"\xe1"), ("nanos", b"\x49\x07\x5b\xca\x00"))
FINE_INSTANT = java(JAVA8 + "InstantHandle", ("nanos", b"\x49\x07\x5b\xcd\x15"), ("seconds", b"\xe1"))
FINE_TIME = java(
    JAVA8 + "LocalTimeHandle", ("hour", b"\x91"), ("minute", b"\x92"), ("second", b"\x93"), ("nano", b"\x91")
)


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        (Kind.DECIMAL, java("java.math.BigDecimal", ("value", b"\x041.20")), Decimal("1.20")),
        (Kind.DECIMAL, java("java.math.BigDecimal", ("other", b"N"), ("value", b"\x041.20")), Decimal("1.20")),
        (Kind.BIGINT, java("java.math.BigInteger", ("signum", b"\x8f"), ("mag", b"\x71\x04[int\x91")), -1),
        (Kind.BIGINT, b"\x91", 1),
        (Kind.BIGINT, b"\xe1", 1),
        (Kind.BIGINT, b"L" + bytes(7) + b"\x01", 1),
        (
            Kind.BIGINT,
            java("java.math.BigInteger", ("bitCountPlusOne", b"\x90"), ("mag", b"\x79\x91"), ("signum", b"\x91")),
            1,
        ),
        (Kind.UUID, java("java.util.UUID", ("value", b"\x30\x24" + str(UUID(int=1)).encode())), UUID(int=1)),
        (Kind.DATE, DAY, date(2024, 1, 2)),
        (Kind.DATETIME, INSTANT, datetime(1970, 1, 1, 0, 0, 1, 123_456, UTC)),
        (Kind.DATETIME, b"K\x00\x00\x00\x01", datetime(1970, 1, 1, 0, 1, tzinfo=UTC)),
        (Kind.DATETIME, b"J" + bytes(7) + b"\x01", datetime(1970, 1, 1, 0, 0, 0, 1_000, UTC)),
        (Kind.DURATION, BACK, timedelta(seconds=-1)),
    ],
)
def test_a_value_is_read(kind: Kind, data: bytes, value: Any) -> None:
    assert difference(value, read(TypeRef(kind), data)) is None


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        (Kind.DATETIME, FINE_INSTANT, "expected datetime, found a time finer than microseconds"),
        (Kind.TIME, FINE_TIME, "expected time, found a time finer than microseconds"),
        (
            Kind.LOCAL_DATETIME,
            definition_bytes(JAVA8 + "LocalDateTimeHandle", ("time", "date"))
            + b"\x60"
            + FINE_TIME.replace(b"\x60", b"\x61")
            + DAY.replace(b"\x60", b"\x62"),
            "found a time finer than microseconds",
        ),
        (Kind.DECIMAL, java("java.math.BigDecimal", ("value", b"\x03NaN")), "no decimal number"),
        (Kind.DECIMAL, java("java.math.BigDecimal", ("value", b"\x91")), "expected string"),
        (Kind.DECIMAL, java("java.math.BigDecimal"), "expected decimal"),
        (Kind.DECIMAL, b"\x041.20", r"expected decimal, found 0x04 \(string\)"),
        (Kind.DECIMAL, b"\x5c", "expected decimal, found 0x5c"),
        (Kind.DECIMAL, b"N", "expected decimal, found null"),
        (Kind.DECIMAL, java("java.math.BigInteger"), "expected decimal, found an object of java.math.BigInteger"),
        (Kind.DECIMAL, b"HZ", r"expected decimal, found 0x48 \(map\)"),
        (Kind.BIGINT, b"\x5c", "expected bigint"),
        (Kind.UUID, java("java.util.UUID", ("value", b"\x01x")), "found field value is no UUID"),
        (Kind.DATE, NO_DAY, "no such value"),
        (Kind.DATE, b"K\x00\x00\x00\x01", r"expected date, found 0x4b \(date\)"),
        (Kind.DATETIME, b"J\x7f" + b"\xff" * 7, "beyond the years 1 to 9999"),
        (Kind.DATETIME, b"J", "end of the data"),
        (Kind.DATETIME, b"\xe1", "expected datetime, found 0xe1"),
        (Kind.LOCAL_DATETIME, b"K\x00\x00\x00\x01", "expected local_datetime"),
        (Kind.DURATION, ENDLESS, "no such value"),
    ],
)
def test_what_makes_no_exact_value_is_refused(kind: Kind, data: bytes, why: str) -> None:
    with pytest.raises(HessianError, match=why):
        read(TypeRef(kind), data)


def test_a_contract_may_ask_for_truncation() -> None:
    assert read(TypeRef(Kind.DATETIME, hints=TRUNCATE), FINE_INSTANT).microsecond == 123_456
    assert read(TypeRef(Kind.TIME, hints=TRUNCATE), FINE_TIME) == time(1, 2, 3)
    fine = (
        definition_bytes(JAVA8 + "LocalDateTimeHandle", ("time", "date"))
        + b"\x60"
        + FINE_TIME.replace(b"\x60", b"\x61")
        + definition_bytes(JAVA8 + "LocalDateHandle", ("year", "month", "day"))
        + b"\x62\xcf\xe8\x91\x92"
    )
    assert read(TypeRef(Kind.LOCAL_DATETIME, hints=TRUNCATE), fine) == datetime(2024, 1, 2, 1, 2, 3)
    moment = datetime(1970, 1, 1, 0, 0, 0, 1_999, UTC)
    assert write(TypeRef(Kind.DATETIME, hints=JAVA_DATE + TRUNCATE), moment) == b"J" + bytes(7) + b"\x01"
    with pytest.raises(ValueMappingError, match="finer than milliseconds"):
        write(TypeRef(Kind.DATETIME, hints=JAVA_DATE), moment)


def test_a_datetime_is_an_instant_or_a_date_as_the_contract_says() -> None:
    moment = datetime(1970, 1, 1, 1, 0, 1, tzinfo=timezone(timedelta(hours=1)))
    instant = definition_bytes(JAVA8 + "InstantHandle", ("nanos", "seconds"))
    assert write(TypeRef(Kind.DATETIME), moment) == instant + b"\x60\x90\xe1"
    assert write(TypeRef(Kind.DATETIME, hints=JAVA_DATE), moment) == b"J" + (1_000).to_bytes(8, "big")
    assert write(TypeRef(Kind.DATETIME), JavaDate(1970, 1, 1, tzinfo=UTC)) == instant + b"\x60\x90\xe0"


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        (Kind.DECIMAL, 1, "expected decimal, found int"),
        (Kind.DECIMAL, Decimal("-Infinity"), "infinities"),
        (Kind.DECIMAL, Decimal("-0.0"), "negative zero"),
        (Kind.BIGINT, True, "expected bigint, found bool"),
        (Kind.UUID, str(UUID(int=1)), "expected uuid, found str"),
        (Kind.DATE, datetime(2024, 1, 1), "expected date, found datetime"),
        (Kind.TIME, time(1, tzinfo=UTC), "without a zone"),
        (Kind.DATETIME, datetime(2024, 1, 1), "with a zone, found one without"),
        (Kind.DATETIME, date(2024, 1, 1), "expected datetime, found date"),
        (Kind.LOCAL_DATETIME, datetime(2024, 1, 1, tzinfo=UTC), "without a zone, found one with"),
        (Kind.DURATION, 1.5, "expected duration, found float"),
        (Kind.DATETIME, None, "expected datetime, found null"),
    ],
)
def test_a_value_of_another_type_is_not_written(kind: Kind, value: Any, why: str) -> None:
    with pytest.raises(ValueMappingError, match=why):
        write(TypeRef(kind), value)


def test_a_generic_value_may_be_given_for_its_type() -> None:
    assert read(TypeRef(Kind.BIGINT), write(TypeRef(Kind.BIGINT), BigInt(7))) == 7
    assert type(read(TypeRef(Kind.BIGINT), write(TypeRef(Kind.BIGINT), Long(7)))) is int


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.DECIMAL, Decimal("1.20")),
        (Kind.DATE, date(2024, 1, 2)),
        (Kind.TIME, time(1, 2, 3, 4)),
        (Kind.DATETIME, datetime(2024, 1, 2, tzinfo=UTC)),
        (Kind.LOCAL_DATETIME, datetime(2024, 1, 2)),
        (Kind.DURATION, timedelta(microseconds=-1)),
    ],
)
def test_a_value_that_occurs_again_is_shared(kind: Kind, value: Any) -> None:
    ref = TypeRef(Kind.LIST, (TypeRef(kind),))
    data = write(ref, [value, value])
    assert data.endswith(b"\x51\x91")
    found = read(ref, data)
    assert found == [value, value]
    assert found[0] is found[1]


def test_a_uuid_that_occurs_again_is_written_again_and_read_in_both_ways() -> None:
    ref = TypeRef(Kind.LIST, (TypeRef(Kind.UUID),))
    value = UUID(int=1)
    one = b"\x60\x30\x24" + str(value).encode()
    once = b"\x7a" + java("java.util.UUID", ("value", one[1:]))
    assert write(ref, [value, value]) == once + one
    assert read(ref, once + one) == [value, value]
    assert read(ref, once + b"\x51\x91") == [value, value]  # as hessian-lite writes it


def test_a_reference_to_a_value_of_another_class_is_refused() -> None:
    decimal = java("java.math.BigDecimal", ("value", b"\x011"))
    reader = Reader(decimal + b"\x51\x90")
    COMPILER.compile_reader(TypeRef(Kind.DECIMAL))(reader)
    with pytest.raises(HessianError, match="expected uuid, found a reference to a value of another type"):
        COMPILER.compile_reader(TypeRef(Kind.UUID))(reader)


def test_a_value_that_refers_to_itself_is_refused() -> None:
    with pytest.raises(HessianError):
        read(
            TypeRef(Kind.DATE),
            java(JAVA8 + "LocalDateHandle", ("year", b"\x51\x90"), ("month", b"\x91"), ("day", b"\x91")),
        )


def test_a_time_that_claims_to_contain_itself_is_refused() -> None:
    looped = definition_bytes(JAVA8 + "LocalTimeHandle", ("nano",)) + b"\x61\x51\x91"
    data = definition_bytes(JAVA8 + "LocalDateTimeHandle", ("time", "date")) + b"\x60" + looped + b"N"
    with pytest.raises(HessianError, match="expected local_datetime, found field hour is no integer"):
        read(TypeRef(Kind.LOCAL_DATETIME, hints=TRUNCATE), data)
