"""What one byte can ask for is charged for what it takes: in reading and in skipping, typed and not."""

from __future__ import annotations

import pytest

from gateway.model.typeref import Kind, TypeRef
from protocols.corpus.contract import EVERYTHING, MAKER, list_of, of, set_of
from protocols.hessian.errors import HessianError
from protocols.hessian.java_types import definition_bytes
from protocols.hessian.numbers import encode_int
from protocols.hessian.reader import Reader
from protocols.hessian.skip import skip
from protocols.hessian.typed import compile_reader
from protocols.reader import Limits
from protocols.testing import CONTRACT

LIMITS = Limits(max_elements=1_000)
TOO_MANY = "expected at most 1000 elements, found more"


@pytest.mark.parametrize(
    "data",
    [
        b"C\x01a\x90" * 63 + b"N",
        b"\x52\x00\x01a" * 251 + b"\x00",
        b"\x41\x00\x01a" * 251 + b"\x20",
        b"\x57" + b"\x52\x00\x01a\x00" * 201 + b"Z",
    ],
    ids=["definitions", "chunks of text", "chunks of binary", "chunks in a list"],
)
def test_what_is_not_an_element_is_charged_as_well(data: bytes) -> None:
    with pytest.raises(HessianError, match=TOO_MANY):
        Reader(data, limits=LIMITS).read()
    with pytest.raises(HessianError, match=TOO_MANY):
        skip(data, limits=LIMITS)
    assert skip(data) == len(data)


def test_a_map_entry_costs_one_in_reading_and_skipping() -> None:
    data = b"H" + b"".join(encode_int(number) + b"\x90" for number in range(996)) + b"Z"
    assert len(Reader(data, limits=LIMITS).read()) == 996
    assert skip(data, limits=LIMITS) == len(data)


@pytest.mark.parametrize(
    ("element", "data", "most"),
    [
        (set_of(of(Kind.STRING)), b"\x78", 16),
        (EVERYTHING, b"\x60", 40),
    ],
    ids=["sets", "structs"],
)
def test_a_byte_that_makes_a_large_object_costs_more(element: TypeRef, data: bytes, most: int) -> None:
    read = compile_reader(list_of(element), CONTRACT)
    first = definition_bytes("demo.Everything", ()) + b"\x60" if element is EVERYTHING else data
    count = 1_000 // most
    items = first + data * (count - 1)
    with pytest.raises(HessianError, match=TOO_MANY):
        read(Reader(b"X" + encode_int(count) + items, limits=LIMITS))


def test_references_to_one_empty_list_are_charged_where_each_makes_a_set() -> None:
    read = compile_reader(list_of(set_of(of(Kind.I32))), CONTRACT)
    data = b"X" + encode_int(100) + b"\x78" + b"\x51\x91" * 99
    assert read(Reader(data)) == [set()] * 100
    with pytest.raises(HessianError, match=TOO_MANY):
        read(Reader(data, limits=LIMITS))


@pytest.mark.parametrize("fields", [70, 5_000])
def test_no_code_is_generated_for_made_up_fields(fields: int, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("name", *(f"f{number}" for number in range(fields)))
    data = definition_bytes("demo.Maker", names) + b"\x60\x04Acme" + b"N" * fields
    read = compile_reader(MAKER, CONTRACT)
    monkeypatch.setattr("protocols.hessian.source.Source.build", None)
    assert read(Reader(data)).name == "Acme"
