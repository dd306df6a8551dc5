"""A union holds exactly one of its fields, in both directions."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from gateway.contracts import contract_of
from gateway.contracts.module import contract_module, services_of
from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind, TypeRef
from protocols.reader import Limits
from protocols.thrift.binary import BinaryReader, BinaryWriter
from protocols.thrift.forms import Forms
from protocols.thrift.idl.reader import read_thrift
from tests.support.memory_document import MemoryDocument

U = TypeRef(Kind.STRUCT, name="shop.U")
A, B = (struct.pack(">bhi", 8, number, value) for number, value in ((1, 5), (2, 6)))


@pytest.fixture(scope="module")
def union() -> tuple[Any, Any]:
    (outline,) = read_thrift(MemoryDocument("union U { 1: i32 a, 2: i32 b }\nservice S { U f() }"))
    contract = contract_of(services_of(contract_module([outline], "union"))["shop.S"])
    return Forms(contract).compile(U), contract.struct(U).python_class


def test_one_field_is_written_and_read(union: tuple[Any, Any]) -> None:
    form, cls = union
    writer = BinaryWriter(Limits())
    form.write(writer, cls(b=6))

    assert writer.done() == B + b"\0"
    assert form.read(BinaryReader(B + b"\0", 0, Limits())) == cls(b=6)


@pytest.mark.parametrize(("data", "count"), [(b"\0", 0), (A + B + b"\0", 2)])
def test_none_or_two_are_refused(union: tuple[Any, Any], data: bytes, count: int) -> None:
    form, cls = union
    reason = f"the union shop.U has exactly one field, found {count}"

    with pytest.raises(ValueMappingError, match=reason):
        form.read(BinaryReader(data, 0, Limits()))
    with pytest.raises(ValueMappingError, match=reason):
        form.write(BinaryWriter(Limits()), cls(a=5, b=6) if count else cls())
