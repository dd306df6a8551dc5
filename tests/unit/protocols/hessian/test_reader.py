"""The generic reader: every form, and what it does with hostile data (rows H1 to H9 of the table of hostile inputs)."""

from __future__ import annotations

import math
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.model.generic import JavaDate, Long, Pairs, Record, TypedList, TypedMap
from protocols.hessian.definition import DefinitionCache
from protocols.hessian.errors import HessianError
from protocols.hessian.java_types import definition_bytes
from protocols.hessian.reader import Reader
from protocols.hessian.skip import skip
from protocols.hessian.text import encode_text
from protocols.reader import Limits
from protocols.testing import difference
from tests.support.cpu_time import cpu_within


def read(data: str | bytes, **options: Any) -> Any:
    reader = Reader(bytes.fromhex(data) if isinstance(data, str) else data, **options)
    value = reader.read()
    assert reader.at_end
    return value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("4e", None),
        ("54", True),
        ("46", False),
        ("90", 0),
        ("c7ff", -1),
        ("d3ffff", -1),
        ("49ffffffff", -1),
        ("e0", Long(0)),
        ("f7ff", Long(-1)),
        ("3bffff", Long(-1)),
        ("59ffffffff", Long(-1)),
        ("4cffffffffffffffff", Long(-1)),
        ("5b", 0.0),
        ("5c", 1.0),
        ("5dff", -1.0),
        ("5effff", -1.0),
        ("5ffffffc18", -1.0),
        ("44bff0000000000000", -1.0),
        ("447ff8000000000000", math.nan),
        ("448000000000000000", -0.0),
        ("00", ""),
        ("300161", "a"),
        ("53000161", "a"),
        ("5200016100", "a"),
        ("20", b""),
        ("2161", b"a"),
        ("340161", b"a"),
        ("42000161", b"a"),
        ("41000161" + "2162", b"ab"),
        ("41000161" + "41000162" + "340163", b"abc"),
        ("4a0000000000000001", JavaDate(1970, 1, 1, 0, 0, 0, 1_000, tzinfo=UTC)),
        ("4bffffffff", JavaDate(1969, 12, 31, 23, 59, tzinfo=UTC)),
        ("78", []),
        ("79 91", [1]),
        ("58 91 91", [1]),
        ("57 91 92 5a", [1, 2]),
        ("57 5a", []),
        ("70 01 74", TypedList("t")),
        ("71 01 74 91", TypedList("t", [1])),
        ("56 01 74 91 91", TypedList("t", [1])),
        ("55 01 74 91 5a", TypedList("t", [1])),
        ("7a 71 01 74 91 71 90 92", [TypedList("t", [1]), TypedList("t", [2])]),
        ("48 5a", {}),
        ("48 01 61 91 01 62 4e 5a", {"a": 1, "b": None}),
        ("4d 01 74 01 61 91 5a", TypedMap("t", {"a": 1})),
        ("43 01 74 90 60", Record("t")),
        ("43 01 74 91 01 61 60 91", Record("t", {"a": 1})),
        ("43 01 74 91 01 61 4f 90 91", Record("t", {"a": 1})),
        ("43 01 74 90 43 01 75 90 61", Record("u")),
        ("43 01 74 90 91", 1),  # a definition may stand in front of any value
    ],
)
def test_every_form_is_read(data: str, value: Any) -> None:
    assert difference(value, read(data)) is None


def test_sixteen_and_more_classes_take_the_long_form() -> None:
    definitions = b"".join(definition_bytes(f"t.C{number}", ()) for number in range(18))
    assert read(definitions + b"\x6f") == Record("t.C15")
    assert read(definitions + b"O\xa1") == Record("t.C17")


def test_shared_values_are_the_same_object() -> None:
    outer = read("7b 79 91 51 91 51 91")
    assert outer == [[1], [1], [1]]
    assert outer[0] is outer[1] is outer[2]


def test_a_list_a_map_and_an_object_may_contain_themselves() -> None:
    loop = read("79 51 90")
    assert loop[0] is loop
    entries = read("48 01 61 51 90 5a")
    assert entries["a"] is entries
    record = read("43 01 74 91 01 61 60 51 90")
    assert record["a"] is record
    assert repr(record) == "Record('t', fields=['a'])"


def test_scalars_take_no_slot_but_their_classes_do() -> None:
    # A string, a date and a binary, then a list in slot 0; a BigDecimal in slot 1; a reference to each.
    data = "7f 0161 4b00000000 2161 79 91".replace(" ", "")
    decimal = definition_bytes("java.math.BigDecimal", ("value",)).hex() + "600131"
    found = read(data + decimal + "5191" + "5192")
    assert found[3] is found[5]
    assert found[4] is found[6]
    assert found[6] == Decimal(1)


def test_types_are_counted_over_all_values_of_a_message() -> None:
    reader = Reader(bytes.fromhex("700174" + "7090" + "4d900161915a"))
    assert [reader.read() for _ in range(3)] == [[], [], {"a": 1}]
    assert reader.types == ["t"]


def test_keys_that_python_does_not_hold_apart_become_pairs() -> None:
    found = read("48 91 0161 e1 0162 54 0163 5c 0164 5a")
    assert isinstance(found, Pairs)
    assert difference(Pairs([(1, "a"), (Long(1), "b"), (True, "c"), (1.0, "d")]), found) is None


def test_keys_that_python_cannot_hash_become_pairs() -> None:
    found = read("4d 01 74 0161 91 79 91 0162 5a")
    assert difference(Pairs([("a", 1), ([1], "b")], "t"), found) is None


def test_a_map_that_becomes_pairs_is_shared_as_such() -> None:
    found = read("7a 48 79 91 0162 5a 51 91")
    assert isinstance(found[0], Pairs)
    assert found[1] is found[0]


def test_a_map_that_contains_itself_cannot_become_pairs_any_more() -> None:
    with pytest.raises(HessianError, match="contains itself"):
        read("48 01 61 51 90 79 91 0162 5a")


def test_a_value_without_python_form_stays_a_record() -> None:
    handle = "com.alibaba.com.caucho.hessian.io.java8.InstantHandle"
    data = definition_bytes(handle, ("seconds", "nanos")) + b"\x60\xe1"
    assert read(data + b"\x90") == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert read(data + b"\x91") == Record(handle, {"seconds": Long(1), "nanos": 1})


def test_the_last_of_two_fields_of_one_name_counts() -> None:
    assert read("43 01 74 92 01 61 01 61 60 91 92") == Record("t", {"a": 2})


def test_reading_starts_and_ends_where_it_is_told() -> None:
    reader = Reader(b"\x90\x91\x92", 1, 2)
    assert reader.read() == 1
    assert reader.at_end
    with pytest.raises(HessianError, match="end of the data"):
        reader.read()


def test_single_values_are_read_by_their_type() -> None:
    reader = Reader(b"\x052.0.2\x95")
    assert (reader.read_string(), reader.read_int(), reader.at_end) == ("2.0.2", 5, True)
    with pytest.raises(HessianError, match=r"expected string, found 0x95 \(int\) at offset 0"):
        Reader(b"\x95").read_string()
    with pytest.raises(HessianError, match=r"expected int, found 0x4e \(null\) at offset 0"):
        Reader(b"N").read_int()


def test_a_cached_definition_gives_the_same_records() -> None:
    cache, data = DefinitionCache(), bytes.fromhex("430174910161609143017591016261 92".replace(" ", ""))
    for _ in range(2):
        reader = Reader(data, definitions=cache)
        assert [reader.read(), reader.read()] == [Record("t", {"a": 1}), Record("u", {"b": 2})]


@pytest.mark.parametrize("tag", [0x40, 0x45, 0x47, 0x50, 0x5A])
def test_reserved_tags_are_refused(tag: int) -> None:
    with pytest.raises(HessianError, match=f"expected a value, found 0x{tag:02x}"):
        read(bytes((tag,)))


HOSTILE = {
    "H1 definition with 2^31-1 fields": "43 01 78 49 7fffffff",
    "H2 list": "58 49 7fffffff",
    "H2 typed list": "56 01 74 49 7fffffff",
    "H2 negative length": "58 8f",
    "H2 string": "53 ffff",
    "H2 string chunk": "52 ffff 61",
    "H2 binary": "42 ffff",
    "H2 binary chunk": "41 ffff 61",
    "H4 reference forward": "79 51 91",
    "H4 reference far out": "51 49 7fffffff",
    "H4 reference to a negative slot": "79 51 8f",
    "H4 class forward": "60",
    "H4 class far out": "4f 49 7fffffff",
    "H4 negative class": "43 01 74 90 4f 8f",
    "H4 type forward": "70 90",
    "H4 negative type": "7a 70 01 74 70 8f",
    "type that is a map": "70 48 5a",
    "type that is null": "4d 4e 5a",
    "definition without value": "43 01 74 90",
    "definition with a number for a name": "43 91 90 60",
    "binary cut in two by a string": "41 0001 61 01 61",
    "map without end": "48 01 61 91",
    "map with a key alone": "48 01 61 5a",
    "list without end": "57 91",
    "date beyond the calendar": "4a 7fffffffffffffff",
    "long cut": "4c 00",
    "int cut": "49 0000",
    "double cut": "44 00",
    "nothing": "",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_data_is_refused(data: str) -> None:
    with pytest.raises(HessianError):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x79" * 100_000,
        b"\x57" * 100_000,
        b"H\x01a" * 100_000,
        b"H" * 100_000,
        b"M\x01t" + b"M\x90" * 100_000,
        b"C\x01t\x91\x01a" + b"\x60" * 100_000,
        b"C\x01t\x90" * 100_000,
        b"\x71\x01t" + b"\x71\x90" * 100_000,
    ],
    ids=["lists", "open lists", "maps", "keys", "typed maps", "objects", "definitions", "typed lists"],
)
def test_h3_deep_nesting_is_refused_without_recursion(data: bytes) -> None:
    for decode in (lambda: Reader(data).read(), lambda: skip(data)):
        with pytest.raises(HessianError):
            decode()


def test_nesting_up_to_the_limit_is_read() -> None:
    limits = Limits(max_depth=8)
    assert read(b"\x79" * 7 + b"\x78", limits=limits) is not None
    with pytest.raises(HessianError, match="at most 8 levels"):
        read(b"\x79" * 8 + b"\x78", limits=limits)
    # Side by side is not inside each other.
    assert read(b"\x7f" + b"\x78" * 7, limits=limits) == [[]] * 7


@pytest.mark.parametrize(
    "data",
    [b"\x78" * 40, b"\x58\xc8\x64" + b"\x90" * 100, b"W" + b"\x90" * 100 + b"Z", b"H" + b"\x01a\x90" * 100 + b"Z"],
    ids=["lists", "list", "open list", "map"],
)
def test_elements_beyond_the_limit_are_refused(data: bytes) -> None:
    with pytest.raises(HessianError, match="at most 99 elements"):
        read(b"W" + data + b"Z", limits=Limits(max_elements=99))


def test_h6_a_long_class_name_is_refused_and_shortened() -> None:
    for data in (definition_bytes("x" * (1 << 20), ()) + b"\x60", b"\x70" + encode_text("\x07" * 2_000)):
        with pytest.raises(HessianError, match="at most 1024 bytes") as caught:
            read(data)
        assert len(str(caught.value)) < 500
        assert str(caught.value).isprintable()


def test_h6_a_gadget_is_a_record_and_nothing_else() -> None:
    name = "com.sun.org.apache.xalan.internal.xsltc.trax.TemplatesImpl"
    assert type(read(definition_bytes(name, ("_bytecodes",)) + b"\x60N")) is Record


def test_large_input_of_one_byte_is_refused_early() -> None:
    for value in (0x00, 0xFF, ord("*"), ord("["), ord("<")):
        data = bytes((value,)) * (1 << 20)
        with cpu_within(1.0), suppress(HessianError):
            reader = Reader(data)
            for _ in range(1_000):
                reader.read()


@pytest.mark.parametrize(
    "data",
    [
        b"W" + b"\x78" * 400_000,
        b"W" + b"HZ" * 400_000,
        b"W" + b"H\x00\x90Z" * 400_000,
        b"W" + b"\xe0" * 900_000,
        b"W" + b"\xf8\xff" * 900_000,
        b"W\x70\x01t" + b"\x70\x90" * 400_000,
        b"WC\x01t\x90" + b"\x60" * 400_000,
        b"WC\x01t\x91\x01a" + b"\x60\x90" * 400_000,
        b"WC\x14java.math.BigDecimal\x91\x05value" + b"\x60\x011" * 400_000,
    ],
    ids=["lists", "maps", "small maps", "longs", "longer longs", "typed lists", "records", "small records", "decimals"],
)
def test_memory_stays_in_proportion_to_the_limit(data: bytes) -> None:
    limits = Limits(max_elements=200_000)  # a fifth of the default
    tracemalloc.start()
    try:
        with pytest.raises(HessianError):
            Reader(data, limits=limits).read()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 << 20
