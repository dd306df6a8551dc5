"""Values as bytes: what is expected was written down from the table of `protocols.texts.value`."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest

from gateway.model.contract import EnumType, ServiceContract
from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind, TypeRef
from protocols.corpus.contract import MAKER, STATUS, list_of, of
from protocols.testing import CONTRACT, CORPUS, Case, Status, difference
from protocols.texts.value import Form, TextReaders, TextWriters, form_of

READERS, WRITERS = TextReaders(CONTRACT), TextWriters(CONTRACT)
UTC = dt.UTC


def optional(kind: Kind) -> TypeRef:
    return of(kind).optional()


def read(ref: TypeRef, data: bytes) -> Any:
    return READERS.compile(ref)(data)


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_every_value_survives(case: Case) -> None:
    data = WRITERS.compile(case.type)(case.value)
    if data is None:
        assert case.value is None
        assert form_of(case.type, CONTRACT) is Form.RAW
    else:
        assert difference(case.value, read(case.type, data)) is None


@pytest.mark.parametrize(
    ("ref", "value", "data"),
    [
        (of(Kind.STRING), "a\0b\r\n", b"a\0b\r\n"),
        (of(Kind.STRING), "\udc00", b"\xed\xb0\x80"),
        (of(Kind.STRING), "🌿", b"\xf0\x9f\x8c\xbf"),
        (of(Kind.STRING), "null", b"null"),
        (of(Kind.CHAR), "\ud800", b"\xed\xa0\x80"),
        (of(Kind.BYTES), b"\x00\xff", b"\x00\xff"),
        (of(Kind.BOOL), True, b"true"),
        (of(Kind.I64), -(2**63), b"-9223372036854775808"),
        (of(Kind.I8), 127, b"127"),
        (optional(Kind.I32), None, b"null"),
        (of(Kind.NULL), None, b"null"),
        (of(Kind.F64), math.inf, b"Infinity"),
        (of(Kind.F64), -0.0, b"-0.0"),
        (of(Kind.DECIMAL), Decimal("19.90"), b"19.90"),
        (of(Kind.BIGINT), 2**70, b"1180591620717411303424"),
        (of(Kind.DATETIME), dt.datetime(2026, 1, 2, 8, 30, 0, 5, UTC), b"2026-01-02T08:30:00.000005Z"),
        (of(Kind.UUID), UUID(int=1), b"00000000-0000-0000-0000-000000000001"),
        (STATUS, Status.PREORDER, b"PREORDER"),
        (list_of(of(Kind.STRING)), ["a", "ü"], '["a","ü"]'.encode()),
    ],
    ids=str,
)
def test_values_have_these_bytes(ref: TypeRef, value: Any, data: bytes) -> None:
    assert WRITERS.compile(ref)(value) == data
    assert difference(value, read(ref, data)) is None


@pytest.mark.parametrize(
    ("ref", "data", "value"),
    [
        (of(Kind.BOOL), b"1", True),
        (of(Kind.BOOL), b"0", False),
        (of(Kind.F64), b"inf", math.inf),
        (of(Kind.F64), b"-INF", -math.inf),
        (of(Kind.F32), b"NaN", math.nan),
        (of(Kind.NULL), b"", None),
        (of(Kind.I64), b"000000000000000007", 7),
    ],
    ids=str,
)
def test_what_clients_write_otherwise_is_read_too(ref: TypeRef, data: bytes, value: Any) -> None:
    assert difference(value, read(ref, data)) is None


@pytest.mark.parametrize(
    ("ref", "data", "message"),
    [
        (of(Kind.I64), b"4 2", "expected an integer"),
        (of(Kind.I64), b"4_2", "expected an integer"),
        (of(Kind.I64), "٤٢".encode(), "expected an integer"),
        (of(Kind.I64), b"9223372036854775808", "i64"),
        (of(Kind.I32), b"2147483648", "i32"),
        (of(Kind.I32), b"null", "expected an integer"),
        (of(Kind.BOOL), b"TRUE", "expected true or false"),
        (of(Kind.STRING), b"\xff", "no UTF-8 at byte 0"),
        (of(Kind.CHAR), b"ab", "char"),
        (MAKER, b"{", "not JSON"),
        (of(Kind.NULL), b"x", "expected null"),
    ],
    ids=str,
)
def test_what_fits_no_type_is_refused(ref: TypeRef, data: bytes, message: str) -> None:
    with pytest.raises(ValueMappingError, match=message):
        read(ref, data)


def test_null_among_texts_has_no_bytes() -> None:
    for kind in (Kind.STRING, Kind.BYTES, Kind.CHAR):
        assert WRITERS.compile(optional(kind))(None) is None


class Odd(Enum):
    null = 1


def test_an_enum_with_a_constant_null_is_told_from_null() -> None:
    contract = ServiceContract("t.Odd", (), {"t.Odd": EnumType("t.Odd", Odd, ("null",))})
    ref = TypeRef(Kind.ENUM, name="t.Odd", nullable=True)

    assert form_of(ref, contract) is Form.JSON
    write = TextWriters(contract).compile(ref)
    assert (write(None), write(Odd.null)) == (b"null", b'"null"')
    assert form_of(ref.required(), contract) is Form.TEXT
