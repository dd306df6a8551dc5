"""Scalars of declared types: every form that is accepted, every value that is not."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind, TypeRef
from protocols.corpus.contract import CONTRACT
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.typed import TypedCompiler
from protocols.hessian.writer import Writer
from protocols.testing import difference

COMPILER = TypedCompiler(CONTRACT)


def read(ref: TypeRef, data: str | bytes) -> Any:
    reader = Reader(bytes.fromhex(data) if isinstance(data, str) else data)
    value = COMPILER.compile_reader(ref)(reader)
    assert reader.at_end
    return value


def write(ref: TypeRef, value: Any) -> str:
    writer = Writer()
    COMPILER.compile_writer(ref)(writer, value)
    return writer.finish().hex()


INTEGERS = (Kind.I8, Kind.I16, Kind.I32, Kind.I64)
ONE_IN_EVERY_FORM = ("91", "c801", "d40001", "4900000001", "e1", "f801", "3c0001", "5900000001", "4c0000000000000001")
ONE_AS_DOUBLE = ("5c", "5d01", "5e0001", "5f000003e8", "443ff0000000000000")


@pytest.mark.parametrize("kind", INTEGERS)
@pytest.mark.parametrize("data", [*ONE_IN_EVERY_FORM, *ONE_AS_DOUBLE])
def test_an_integer_is_read_from_every_form_of_it(kind: Kind, data: str) -> None:
    value = read(TypeRef(kind), data)
    assert value == 1
    assert type(value) is int


@pytest.mark.parametrize("data", [*ONE_IN_EVERY_FORM, *ONE_AS_DOUBLE])
@pytest.mark.parametrize("kind", [Kind.F64, Kind.F32])
def test_a_float_is_read_from_every_form_of_it(kind: Kind, data: str) -> None:
    assert difference(1.0, read(TypeRef(kind), data)) is None


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [(Kind.I8, -128, 127), (Kind.I16, -32768, 32767), (Kind.I32, -(2**31), 2**31 - 1), (Kind.I64, -(2**63), 2**63 - 1)],
)
def test_the_width_of_an_integer_is_checked(kind: Kind, low: int, high: int) -> None:
    ref = TypeRef(kind)
    for value in (low, high):
        assert read(ref, write(ref, value)) == value
    for value in (low - 1, high + 1):
        with pytest.raises(ValueMappingError, match=f"expected {kind.value} from {low} to {high}"):
            write(ref, value)
        if kind is not Kind.I64:
            with pytest.raises(HessianError, match=f"expected {kind.value}, found an integer beyond its range"):
                read(ref, "4c" + value.to_bytes(8, "big", signed=True).hex())


def test_i64_is_a_long_and_the_others_are_ints() -> None:
    assert [write(TypeRef(kind), 5) for kind in INTEGERS] == ["95", "95", "95", "e5"]


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        (Kind.I32, "5f000001f4", "double that is no integer"),
        (Kind.I32, "447ff8000000000000", "double that is no integer"),
        (Kind.I64, "447ff0000000000000", "double that is no integer"),
        (Kind.I32, "54", r"expected i32, found 0x54 \(true\)"),
        (Kind.I32, "0131", r"expected i32, found 0x01 \(string\)"),
        (Kind.I32, "4e", "expected i32, found null"),
        (Kind.F64, "4e", "expected f64, found null"),
        (Kind.F64, "0131", r"expected f64, found 0x01 \(string\)"),
        (Kind.F64, "4c0020000000000001", "does not hold exactly"),
        (Kind.F32, "447fefffffffffffff", "beyond the largest single"),
        (Kind.BOOL, "91", r"expected bool, found 0x91 \(int\)"),
        (Kind.BOOL, "4e", "expected bool, found null"),
        (Kind.STRING, "2161", r"expected string, found 0x21 \(binary\)"),
        (Kind.STRING, "91", "expected string, found 0x91"),
        (Kind.STRING, "4e", "expected string, found null"),
        (Kind.STRING, "4301749060", "expected string, found an object of t"),
        (Kind.CHAR, "00", "not one UTF-16 unit"),
        (Kind.CHAR, "026162", "not one UTF-16 unit"),
        (Kind.CHAR, "02eda0bdedb880", "not one UTF-16 unit"),
        (Kind.CHAR, "91", "expected char, found 0x91"),
        (Kind.BYTES, "0161", r"expected bytes, found 0x01 \(string\)"),
        (Kind.BYTES, "7991", r"expected bytes, found 0x79 \(list\)"),
        (Kind.BYTES, "4e", "expected bytes, found null"),
        (Kind.NULL, "90", "expected null, found 0x90"),
        (Kind.STRING, "", "found the end of the data"),
        (Kind.STRING, "0561", "end of the data"),
        (Kind.I64, "4c00", "end of the data"),
        (Kind.I32, "49", "end of the data"),
        (Kind.F64, "4400", "end of the data"),
    ],
)
def test_what_is_not_of_the_type_is_refused(kind: Kind, data: str, why: str) -> None:
    with pytest.raises(HessianError, match=why):
        read(TypeRef(kind), data)


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        (Kind.I32, True, "expected i32, found bool"),
        (Kind.I32, 1.0, "expected i32, found float"),
        (Kind.I32, None, "expected i32, found null"),
        (Kind.I64, "1", "expected i64, found str"),
        (Kind.F64, True, "expected f64, found bool"),
        (Kind.F64, "1", "expected f64, found str"),
        (Kind.F64, 2**53 + 1, "no double holds exactly"),
        (Kind.F64, 10**400, "no double holds exactly"),
        (Kind.F32, 3.5e38, "beyond the largest single"),
        (Kind.BOOL, 1, "expected bool, found int"),
        (Kind.BOOL, None, "expected bool, found null"),
        (Kind.STRING, b"a", "expected string, found bytes"),
        (Kind.STRING, None, "expected string, found null"),
        (Kind.CHAR, "", "not one UTF-16 unit"),
        (Kind.CHAR, "\U0001f600", "not one UTF-16 unit"),
        (Kind.CHAR, 97, "expected char, found int"),
        (Kind.BYTES, "a", "expected bytes, found str"),
        (Kind.NULL, 0, "expected null, found int"),
    ],
)
def test_a_value_of_another_type_is_not_written(kind: Kind, value: Any, why: str) -> None:
    with pytest.raises(ValueMappingError, match=why):
        write(TypeRef(kind), value)


def test_a_float_without_fraction_may_be_given_as_int() -> None:
    assert write(TypeRef(Kind.F64), 2**53) == "444340000000000000"
    assert write(TypeRef(Kind.F32), 1) == "5c"


def test_f32_is_rounded_to_single() -> None:
    # 0.1 as Java's Float: the decimal text of it, or its bits.
    single = struct.unpack(">f", struct.pack(">f", 0.1))[0]
    assert read(TypeRef(Kind.F32), "5f00000064") == single
    assert read(TypeRef(Kind.F32), "443fb99999a0000000") == single
    assert write(TypeRef(Kind.F32), 0.1) == "443fb99999a0000000"
    assert read(TypeRef(Kind.F32), write(TypeRef(Kind.F32), math.inf)) == math.inf


@pytest.mark.parametrize("kind", [*INTEGERS, Kind.F32, Kind.F64, Kind.BOOL, Kind.CHAR, Kind.STRING, Kind.BYTES])
def test_null_belongs_to_nullable_types_alone(kind: Kind) -> None:
    assert read(TypeRef(kind, nullable=True), "4e") is None
    assert write(TypeRef(kind, nullable=True), None) == "4e"


@given(st.text(st.characters(codec="utf-8"), max_size=2_000))
def test_text_comes_back(text: str) -> None:
    assert read(TypeRef(Kind.STRING), write(TypeRef(Kind.STRING), text)) == text


@given(st.binary(max_size=2_000))
def test_binary_comes_back(data: bytes) -> None:
    assert read(TypeRef(Kind.BYTES), write(TypeRef(Kind.BYTES), data)) == data
