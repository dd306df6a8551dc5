"""Skipping: the same ends as reading, the same refusals, nothing built."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.hessian.definition import ClassDefinition, DefinitionCache
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.skip import skip
from protocols.hessian.writer import Writer
from protocols.reader import Limits

ANY_BYTES = st.binary(max_size=200)


@pytest.mark.parametrize(
    "data",
    [
        "4e",
        "90",
        "c800",
        "d40000",
        "4900000000",
        "e0",
        "f800",
        "3c0000",
        "5900000000",
        "4c0000000000000000",
        "5b",
        "5d00",
        "5e0000",
        "5f00000000",
        "440000000000000000",
        "4a0000000000000000",
        "4b00000000",
        "0161",
        "01c3a9",
        "02eda0bdedb880",
        "300161",
        "53000161",
        "5200016100",
        "520001c3a9300161",
        "2161",
        "340161",
        "42000161",
        "410001612162",
        "79790161",
        "589191",
        "57905a",
        "55017457905a5a",
        "7101745190",
        "5601749190",
        "480161485a5a",
        "4d017490915a",
        "4301749101616090",
        "4301749101614301759061",
        "430174904f90",
        "4301749090",
        "430174904e",
        "43017490485a",
        "430174900161",
        "430174902161",
        "7a78430174905191",
    ],
)
def test_a_value_ends_where_it_ends(data: str) -> None:
    raw = bytes.fromhex(data)
    reader = Reader(raw + b"rest")
    reader.read()
    assert skip(raw + b"rest") == reader.pos
    for end in range(reader.pos):
        with pytest.raises(HessianError):
            skip(raw[:end])


def test_classes_are_continued_from_one_call_to_the_next() -> None:
    data = bytes.fromhex("430174910161" + "6090" + "6091")
    classes: list[ClassDefinition] = []
    first = skip(data, 0, 1, classes)
    assert skip(data, first, 1, classes) == len(data)
    with pytest.raises(HessianError, match="one of 0 classes"):
        skip(data, first)


def test_several_values_are_skipped_at_once() -> None:
    data = b"\x052.0.2\x90\x79\x91N"
    assert skip(data, 0, 4) == len(data)
    assert skip(data, 6, 2) == 9
    assert skip(data, 0, 0) == 0


def test_a_cached_definition_skips_the_same() -> None:
    cache, data = DefinitionCache(), bytes.fromhex("430174910161" + "6090")
    assert [skip(data, definitions=cache) for _ in range(3)] == [8, 8, 8]


@pytest.mark.parametrize(
    "data",
    ["58497fffffff", "43017849 7fffffff", "60", "5a", "40", "48915a", "79", "410001610161", "51", "704890", "558e"],
)
def test_hostile_data_is_refused(data: str) -> None:
    with pytest.raises(HessianError):
        skip(bytes.fromhex(data))


def test_limits_hold_as_for_reading() -> None:
    for data in (b"W" + b"\x90" * 200 + b"Z", b"\x58\xc8\xc8" + b"\x90" * 200, b"\x78" * 30):
        with pytest.raises(HessianError, match="at most 100 elements"):
            skip(data, 0, 30 if data[0] == 0x78 else 1, limits=Limits(max_elements=100))
    assert skip(b"\x79" * 8 + b"\x90", limits=Limits(max_depth=8)) == 9
    with pytest.raises(HessianError, match="at most 8 levels"):
        skip(b"\x79" * 9 + b"\x90", limits=Limits(max_depth=8))


@given(
    st.lists(
        st.recursive(
            st.none() | st.text() | st.integers() | st.floats(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
        )
    )
)
def test_skipping_and_reading_end_at_the_same_place(values: list[Any]) -> None:
    writer = Writer()
    for value in values:
        writer.write(value)
    data = writer.finish()
    reader, pos, classes = Reader(data), 0, []
    for _ in values:
        reader.read()
        pos = skip(data, pos, 1, classes)
        assert pos == reader.pos


@given(ANY_BYTES)
def test_what_reading_accepts_skipping_accepts(data: bytes) -> None:
    reader = Reader(data)
    try:
        reader.read()
    except HessianError:
        return
    assert skip(data) == reader.pos
