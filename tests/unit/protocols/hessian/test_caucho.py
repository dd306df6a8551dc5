"""Caucho's dialect. Bytes to read are those that com.caucho:hessian 4.0.66 and 4.0.38 wrote on JDK 17."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind, TypeRef
from protocols.hessian.caucho import CAUCHO, caucho_dialect
from protocols.hessian.dialect import Dialect
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.typed import TypedCompiler
from protocols.hessian.writer import Writer
from protocols.testing import CONTRACT, difference

COMPILER = TypedCompiler(CONTRACT, CAUCHO)
THE_UUID = UUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
UUID_OF_CAUCHO = bytes.fromhex(
    "430e6a6176612e7574696c2e55554944920b6d6f7374536967426974730c6c6561737453696742697473"
    "604cf81d4fae7dec11d04ca76500a0c91e6bf6"
)
DECIMAL_OF_4_0_66 = bytes.fromhex("43146a6176612e6d6174682e426967446563696d616c910576616c75656004312e3230")
DECIMAL_OF_4_0_38 = bytes.fromhex("43146a6176612e6d6174682e426967446563696d616c92057363616c6506696e7456616c60924e")
LONG_DECIMAL_OF_4_0_38 = bytes.fromhex(
    "43146a6176612e6d6174682e426967446563696d616c92057363616c6506696e7456616c609143146a6176612e6d6174682e426967496e74"
    "6567657296067369676e756d0f626974436f756e74506c75734f6e65106269744c656e677468506c75734f6e65136c6f77657374536574426974"
    "506c757354776f1966697273744e6f6e7a65726f496e744e756d506c757354776f036d616761919090909073045b696e749649b14e9f81492f"
    "366c39"
)
BIG_INTEGER = bytes.fromhex(
    "43146a6176612e6d6174682e426967496e746567657296067369676e756d0f626974436f756e74506c75734f6e65106269744c656e677468"
    "506c75734f6e65136c6f77657374536574426974506c757354776f1966697273744e6f6e7a65726f496e744e756d506c757354776f036d61"
    "6760919090909074045b696e7491498ee90ff649c373e0ee494e3f0ad2"
)
BOXED_FLOAT = bytes.fromhex(
    "433021636f6d2e63617563686f2e6865737369616e2e696f2e466c6f617448616e646c6591065f76616c756560443ff19999a0000000"
)
BOXED_BYTE = bytes.fromhex("433020636f6d2e63617563686f2e6865737369616e2e696f2e4279746548616e646c6591065f76616c75656091")
MOMENT = datetime(2026, 8, 14, 9, 26, 53, 589_793, UTC)


def read(kind: Kind, data: bytes) -> Any:
    reader = Reader(data)
    value = COMPILER.compile_reader(TypeRef(kind))(reader)
    assert reader.at_end
    return value


def write(kind: Kind, value: Any, dialect: Dialect = CAUCHO) -> bytes:
    writer = Writer(dialect=dialect)
    TypedCompiler(CONTRACT, dialect).compile_writer(TypeRef(kind))(writer, value)
    return writer.finish()


def text(value: str) -> bytes:
    return bytes((len(value),)) + value.encode()


def test_a_uuid_is_two_longs() -> None:
    assert read(Kind.UUID, UUID_OF_CAUCHO) == THE_UUID
    assert write(Kind.UUID, THE_UUID) == UUID_OF_CAUCHO


def test_behind_a_uuid_values_are_referred_to() -> None:
    shared = ["x"]
    writer = Writer(dialect=CAUCHO)
    writer.write([THE_UUID, shared, shared])
    assert writer.finish().endswith(b"\x79\x01x\x51\x92")


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        (Kind.DECIMAL, DECIMAL_OF_4_0_66, Decimal("1.20")),
        (Kind.DECIMAL, LONG_DECIMAL_OF_4_0_38, Decimal("12345678901234567890.5")),
        (Kind.BIGINT, BIG_INTEGER, 123456789012345678901234567890),
        (Kind.F32, BOXED_FLOAT, 1.100000023841858),
        (Kind.I8, BOXED_BYTE, 1),
        (Kind.I64, BOXED_BYTE, 1),
        (Kind.DATETIME, b"\x4b\x00\x00\x00\x01", datetime(1970, 1, 1, 0, 1, tzinfo=UTC)),
        (Kind.DATETIME, text("2026-08-14T11:26:53.589+02:00"), datetime(2026, 8, 14, 9, 26, 53, 589_000, UTC)),
        (Kind.DATE, text("2026-08-14"), date(2026, 8, 14)),
        (Kind.TIME, text("09:26"), time(9, 26)),
        (Kind.LOCAL_DATETIME, text("2026-08-14T09:26"), datetime(2026, 8, 14, 9, 26)),
        (Kind.DURATION, text("PT-1.5S"), timedelta(seconds=-1.5)),
        (Kind.DECIMAL, text("1.20"), Decimal("1.20")),
    ],
)
def test_what_java_sends_is_read(kind: Kind, data: bytes, expected: Any) -> None:
    assert difference(expected, read(kind, data)) is None


def test_an_object_of_a_boxed_number_is_a_number_where_anything_may_stand() -> None:
    assert (
        difference([1.100000023841858, 1], Reader(b"\x7a" + BOXED_FLOAT + BOXED_BYTE[:-2] + b"\x61\x91").read()) is None
    )


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        # It is lost before it gets here: Java itself reads these bytes as 0.00.
        (Kind.DECIMAL, DECIMAL_OF_4_0_38, "expected decimal, found a BigDecimal whose value was lost"),
        (Kind.DATE, text("2026-02-30"), "expected date, found text that is none"),
        (Kind.DATETIME, text("2026-08-14T09:26"), "has no zone"),
        (Kind.I32, BOXED_FLOAT, "expected i32, found an object"),
        (Kind.F64, BOXED_BYTE, "expected f64, found an object"),
        (Kind.I8, BOXED_BYTE[:-1] + b"\xc8\xff", "beyond its range"),
        (Kind.BOOL, BOXED_BYTE, "expected bool"),
        (Kind.UUID, UUID_OF_CAUCHO[:-9] + b"\x01x", "expected uuid"),
    ],
)
def test_what_fits_no_type_is_refused(kind: Kind, data: bytes, why: str) -> None:
    with pytest.raises(HessianError, match=why):
        read(kind, data)


@pytest.mark.parametrize(
    ("kind", "value", "beginning"),
    [
        (Kind.DATE, date(2026, 8, 14), b"C\x13java.time.LocalDate\x93\x03day\x05month\x04year"),
        (Kind.TIME, time(9), b"C\x13java.time.LocalTime\x94\x04nano\x06second\x06minute\x04hour"),
        (Kind.LOCAL_DATETIME, datetime(2026, 8, 14), b"C\x17java.time.LocalDateTime\x92\x04time\x04date"),
        (Kind.DATETIME, MOMENT, b"C\x11java.time.Instant\x92\x05nanos\x07seconds"),
        (Kind.DURATION, timedelta(microseconds=-1), b"C\x12java.time.Duration\x92\x05nanos\x07seconds"),
    ],
)
def test_times_are_objects_of_java_time(kind: Kind, value: Any, beginning: bytes) -> None:
    data = write(kind, value)
    assert data.startswith(beginning)
    assert difference(value, read(kind, data)) is None
    assert difference(value, Reader(data).read()) is None


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Kind.DATE, date(2026, 8, 14), text("2026-08-14")),
        (Kind.TIME, time(9, 26, 53, 589_793), text("09:26:53.589793")),
        (Kind.LOCAL_DATETIME, datetime(2026, 8, 14, 9, 26), text("2026-08-14T09:26:00")),
        (Kind.DURATION, timedelta(seconds=1.5), text("PT1.5S")),
        (Kind.DATETIME, datetime(1970, 1, 1, 0, 1, tzinfo=UTC), b"\x4b\x00\x00\x00\x01"),
        (Kind.DECIMAL, Decimal("1.20"), text("1.20")),
    ],
)
def test_peers_without_java_time_get_dates_and_texts(kind: Kind, value: Any, expected: bytes) -> None:
    dialect = caucho_dialect(plain_time=True, decimal_text=True)
    assert write(kind, value, dialect) == expected
    writer = Writer(dialect=dialect)
    writer.write(value)
    assert writer.finish() == expected


def test_what_a_date_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueMappingError, match="finer than milliseconds"):
        write(Kind.DATETIME, MOMENT, caucho_dialect(plain_time=True))
