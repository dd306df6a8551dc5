"""Enums of declared types."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest

from gateway.model.contract import EnumType, ServiceContract
from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind, TypeRef
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.typed import TypedCompiler
from protocols.hessian.writer import Writer


class Colour(Enum):
    RED = 1
    A_NAME_OF_MORE_THAN_THIRTY_ONE_LETTERS = 2


class Other(Enum):
    RED = 1


REF = TypeRef(Kind.ENUM, name="t.Colour")
CONTRACT = ServiceContract(
    "t.Paint",
    (),
    {"t.Colour": EnumType("t.Colour", Colour, tuple(each.name for each in Colour), names={"java": "t.Color"})},
)
COMPILER = TypedCompiler(CONTRACT)


def read(data: bytes, ref: TypeRef = REF) -> Any:
    reader = Reader(data)
    value = COMPILER.compile_reader(ref)(reader)
    assert reader.at_end
    return value


def write(value: Any, ref: TypeRef = REF) -> bytes:
    writer = Writer()
    COMPILER.compile_writer(ref)(writer, value)
    return writer.finish()


RED = b"C\x07t.Color\x91\x04name\x60\x03RED"


def test_a_constant_travels_by_name_in_its_java_class() -> None:
    assert write(Colour.RED) == RED
    assert read(RED) is Colour.RED


@pytest.mark.parametrize("colour", Colour)
def test_every_constant_comes_back(colour: Colour) -> None:
    assert read(write(colour)) is colour


def test_a_constant_that_occurs_again_is_a_reference() -> None:
    ref = TypeRef(Kind.LIST, (REF,))
    data = write([Colour.RED, Colour.RED], ref)
    assert data == b"\x7a" + RED + b"\x51\x91"
    assert read(data, ref) == [Colour.RED, Colour.RED]


def test_a_name_in_another_form_is_read() -> None:
    assert read(b"C\x07t.Color\x91\x04name\x60\x30\x03RED") is Colour.RED


def test_unknown_fields_are_dropped() -> None:
    assert read(b"C\x07t.Color\x93\x01a\x04name\x01b\x60\x79\x91\x03RED\x4e") is Colour.RED


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (RED.replace(b"RED", b"TAN"), "expected a constant of t.Colour, found TAN"),
        (RED.replace(b"t.Color", b"t.Other"), "expected t.Colour, found an object of t.Other"),
        (RED.replace(b"\x04name", b"\x04none"), "with a field name"),
        (b"\x03RED", r"expected t.Colour, found 0x03 \(string\)"),
        (b"\x91", r"expected t.Colour, found 0x91 \(int\)"),
        (b"N", "expected t.Colour, found null"),
        (b"HZ", r"expected t.Colour, found 0x48 \(map\)"),
        (RED[:-4] + b"\x91", "expected string"),
        (RED[:-1], "end of the data"),
        (b"\x51\x90", "reference"),
    ],
)
def test_what_is_no_constant_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(HessianError, match=why):
        read(data)


@pytest.mark.parametrize("value", [Other.RED, "RED", 1, None])
def test_other_values_are_not_written(value: Any) -> None:
    with pytest.raises(ValueMappingError, match=r"expected t\.Colour, found"):
        write(value)
