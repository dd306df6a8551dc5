"""Forms that are written out give what the functions they stand for give."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.errors import ValueMappingError
from gateway.model.typeref import TypeRef
from protocols.hessian.errors import READ_ERRORS
from protocols.hessian.inline import add_read, add_write
from protocols.hessian.reader import Reader
from protocols.hessian.source import Source
from protocols.hessian.typed_scalars import SCALAR_READERS, SCALAR_WRITERS, nullable_reader, nullable_writer
from protocols.hessian.writer import Writer
from protocols.testing import difference

TYPES = [TypeRef(kind, nullable=nullable) for kind in SCALAR_READERS for nullable in (False, True)]

VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3_000, 3_000),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=40),
    st.text("a", min_size=1_000, max_size=1_100),
    st.binary(max_size=40),
)


def reader_of(ref: TypeRef) -> Any:
    read = SCALAR_READERS[ref.kind]
    return nullable_reader(read) if ref.nullable else read


def writer_of(ref: TypeRef) -> Any:
    write = SCALAR_WRITERS[ref.kind]
    return nullable_writer(write) if ref.nullable else write


def inlined_reader(ref: TypeRef) -> Any:
    source = Source("read(reader)")
    source.add(1, "data = reader.data\npos = reader.pos")
    add_read(source, 1, ref, reader_of(ref))
    source.add(1, "reader.pos = pos\nreturn value")
    return source.build("test")


def inlined_writer(ref: TypeRef) -> Any:
    source = Source("write(writer, value)")
    source.add(1, "out = writer.out")
    add_write(source, 1, ref, writer_of(ref))
    return source.build("test")


def outcome_of_reading(read: Any, data: bytes) -> Any:
    reader = Reader(data)
    try:
        return read(reader), reader.pos
    except READ_ERRORS as exc:
        return type(exc), str(exc)


def outcome_of_writing(write: Any, value: Any) -> Any:
    writer = Writer()
    try:
        write(writer, value)
    except ValueMappingError as exc:
        return str(exc)
    return bytes(writer.out)


def encoded(value: Any) -> bytes:
    writer = Writer()
    writer.write(value)
    return bytes(writer.out)


@pytest.mark.parametrize("ref", TYPES, ids=str)
def test_reading_is_the_same_for_every_tag(ref: TypeRef) -> None:
    direct, inlined = reader_of(ref), inlined_reader(ref)
    for tag in range(256):
        for rest in (b"", b"\0", b"a" * 40, b"\xff" * 40, b"\xc3\xa9" * 20):
            data = bytes((tag,)) + rest
            assert difference(outcome_of_reading(direct, data), outcome_of_reading(inlined, data)) is None, data.hex()


@given(st.sampled_from(TYPES), VALUES)
def test_reading_and_writing_values_is_the_same(ref: TypeRef, value: Any) -> None:
    data = encoded(value)
    expected = outcome_of_reading(reader_of(ref), data)
    assert difference(expected, outcome_of_reading(inlined_reader(ref), data)) is None
    assert outcome_of_writing(writer_of(ref), value) == outcome_of_writing(inlined_writer(ref), value)


@pytest.mark.parametrize("ref", TYPES, ids=str)
@pytest.mark.parametrize(
    "value", [-2049, -2048, -129, -128, 127, 128, 2047, 2048, True, False, None, "", "é", "a" * 1023, "a" * 1024]
)
def test_writing_is_the_same_at_every_edge(ref: TypeRef, value: Any) -> None:
    assert outcome_of_writing(writer_of(ref), value) == outcome_of_writing(inlined_writer(ref), value)
