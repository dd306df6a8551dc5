"""Hessian 1 to Hessian 2 and back, with bytes that com.caucho:hessian 4.0.66 wrote for the same values."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.model.errors import LocalWireError, ValueMappingError
from gateway.model.generic import Record
from protocols.hessian.caucho import CAUCHO
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.typed import TypedCompiler
from protocols.hessian.writer import Writer
from protocols.hessian_http.from_hessian1 import Layouts, translate
from protocols.hessian_http.to_hessian1 import to_hessian1
from protocols.reader import DEFAULT_LIMITS, Limits
from protocols.testing import CONTRACT, CORPUS, Case, difference

# Name, in Hessian 1, in Hessian 2. Class `t.Node` has the fields name and next, `Probe$Color` is an enum.
BY_JAVA = {
    "object that contains itself": (
        "4d740006742e4e6f64655300046e616d65530001785300046e65787452000000007a",
        "4306742e4e6f646592046e616d65046e6578746001785190",
    ),
    "two objects of a class, one of them twice": (
        "567400075b6f626a6563746c000000034d740006742e4e6f64655300046e616d65530001795300046e6578744e7a4d740006742e4e6f6465"
        "5300046e616d655300017a5300046e65787452000000017a52000000017a",
        "73075b6f626a6563744306742e4e6f646592046e616d65046e6578746001794e60017a51915191",
    ),
    "a list twice": (
        "567400075b6f626a6563746c00000002566c00000001530001707a52000000017a",
        "72075b6f626a6563747901705191",
    ),
    "a map": (
        "4d7400005300016b566c000000034c0000000000000001444004000000000000547a7a",
        "48016b7be15f000009c4545a",
    ),
    "a map of a class": (
        "4d7400116a6176612e7574696c2e547265654d61704900000001530001617a",
        "4d116a6176612e7574696c2e547265654d61709101615a",
    ),
    "a set": (
        "567400116a6176612e7574696c2e486173685365746c0000000149000000017a",
        "71116a6176612e7574696c2e4861736853657491",
    ),
    "arrays": (
        "567400055b5b696e746c00000001567400045b696e746c0000000149000000017a7a",
        "71055b5b696e7471045b696e7491",
    ),
    "an enum": (
        "4d74000b50726f626524436f6c6f725300046e616d655300035245447a",
        "430b50726f626524436f6c6f7291046e616d656003524544",
    ),
    "a UUID": (
        "4d74000e6a6176612e7574696c2e5555494453000b6d6f7374536967426974734cf81d4fae7dec11d053000c6c65617374536967426974734c"
        "a76500a0c91e6bf67a",
        "430e6a6176612e7574696c2e55554944920b6d6f7374536967426974730c6c65617374536967426974736"
        "04cf81d4fae7dec11d04ca76500a0c91e6bf6",
    ),
    "a whole minute": ("64000000000000ea60", "4b00000001"),
    "a date": ("640000000000000001", "4a0000000000000001"),
    "surrogates": ("53000461eda0bdedb88062", "0461eda0bdedb88062"),
    "half of a pair": ("53000361eda0bd62", "0361eda0bd62"),
    "a longer text": ("530028" + "78" * 40, "3028" + "78" * 40),
    "bytes": ("420003010203", "23010203"),
}
EACH = pytest.mark.parametrize(("old", "new"), BY_JAVA.values(), ids=BY_JAVA)


def read(old: bytes, layouts: Layouts | None = None) -> Any:
    """The value of Hessian 1 that stands before a `z`."""
    translated = translate(old + b"z", 0, DEFAULT_LIMITS, layouts or Layouts())
    assert translated.values == 1
    assert translated.end == len(old) + 1
    reader = Reader(translated.data)
    reader.classes = translated.classes
    value = reader.read()
    assert reader.at_end
    return value


@EACH
def test_both_versions_are_the_same_value(old: str, new: str) -> None:
    assert difference(Reader(bytes.fromhex(new)).read(), read(bytes.fromhex(old))) is None


@EACH
def test_what_is_written_is_what_java_writes(old: str, new: str) -> None:
    assert to_hessian1(bytes.fromhex(new), DEFAULT_LIMITS).hex() == old


@EACH
def test_what_is_known_of_classes_changes_nothing(old: str, new: str) -> None:
    layouts = Layouts()
    first = read(bytes.fromhex(old), layouts)
    assert difference(first, read(bytes.fromhex(old), layouts)) is None


@pytest.mark.parametrize("case", [case for case in CORPUS if not case.large], ids=lambda case: case.name)
def test_every_value_survives_both_ways(case: Case) -> None:
    compiler = TypedCompiler(CONTRACT, CAUCHO)
    writer = Writer(dialect=CAUCHO)
    try:
        compiler.compile_writer(case.type)(writer, case.value)
    except ValueMappingError:
        return
    translated = translate(to_hessian1(writer.finish(), DEFAULT_LIMITS) + b"z", 0, DEFAULT_LIMITS, Layouts())
    reader = Reader(translated.data)
    reader.classes = translated.classes
    assert difference(case.value, compiler.compile_reader(case.type)(reader)) is None


def maker(*fields: tuple[str, bytes]) -> bytes:
    entries = b"".join(b"S" + len(name).to_bytes(2, "big") + name.encode() + value for name, value in fields)
    return b"Mt\x00\x0ademo.Maker" + entries + b"z"


def test_objects_of_a_class_need_not_be_alike() -> None:
    layouts = Layouts()
    alike = maker(("name", b"S\x00\x01a"), ("country", b"N"))
    for fields in (("name", "country"), ("country", "name"), ("name",), ("name", "country", "parent"), ()):
        given = maker(*((name, b"S\x00\x01a") for name in fields))
        both = read(b"V" + alike + given + b"z", layouts)
        assert [type(each) for each in both] == [Record, Record]
        assert list(both[1]) == list(fields)


def test_nothing_more_is_expected_of_a_class_whose_objects_are_never_alike() -> None:
    layouts = Layouts()
    for number in range(300):
        assert list(read(maker((f"field{number}", b"N")), layouts)) == [f"field{number}"]
    assert layouts.expected(b"demo.Maker") is None


def test_a_map_of_an_unknown_class_whose_keys_are_no_texts_stays_a_map() -> None:
    found = read(b"Mt\x00\x05a.MapS\x00\x01kNI\x00\x00\x00\x01Nz")
    assert found.type_name == "a.Map"
    assert dict(found) == {"k": None, 1: None}


def test_a_remote_object_is_an_object_with_its_address() -> None:
    found = read(b"rt\x00\x01aS\x00\x08http://b")
    assert found.type_name == "com.caucho.hessian.io.HessianRemote"
    assert dict(found) == {"type": "a", "url": "http://b"}


@pytest.mark.parametrize("length", [b"", b"l\xff\xff\xff\xff", b"l\x00\x00\x00\x07"], ids=["none", "-1", "wrong"])
def test_the_length_of_a_list_may_be_missing(length: bytes) -> None:
    assert read(b"V" + length + b"TFz") == [True, False]


def test_pieces_are_one_value() -> None:
    assert read(b"s\x00\x02abs\x00\x01cS\x00\x00") == "abc"
    assert read(b"b\x00\x01aB\x00\x01b") == b"ab"
    assert read(b"X\x00\x04<a/>") == "<a/>"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "end of the data"),
        (b"V", "end of the data"),
        (b"I\x00", "end of the data"),
        (b"MNz", "value of a map's entry"),
        (b"s\x00\x01aB\x00\x01b", "next piece of a string"),
        (b"\x91", "expected a Hessian 1 value"),
        (b"V" * 65, "at most 64 levels"),
    ],
)
def test_what_is_no_hessian_1_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(HessianError, match=why):
        translate(data, 0, DEFAULT_LIMITS, Layouts())


def test_limits_hold() -> None:
    with pytest.raises(HessianError, match="at most 10 elements"):
        translate(b"V" + b"N" * 10 + b"zz", 0, Limits(max_elements=10), Layouts())


@pytest.mark.parametrize(
    ("data", "limits", "why"),
    [
        (b"\x79\x79\x79N", Limits(max_depth=2), "at most 2 levels"),
        (b"\x79", DEFAULT_LIMITS, "ends inside of a value"),
        (b"\x40", DEFAULT_LIMITS, "expected a value"),
        (b"\x71R\x00\x01a\x01b\x90", DEFAULT_LIMITS, "name of a type in one piece"),
    ],
)
def test_what_has_no_form_in_hessian_1_is_not_sent(data: bytes, limits: Limits, why: str) -> None:
    with pytest.raises(LocalWireError, match=why):
        to_hessian1(data, limits)


def test_what_grows_beyond_the_limit_is_not_sent() -> None:
    """One byte is an object, with the names of its class and fields in Hessian 1."""
    names = b"".join(b"\x1f" + bytes((0x61 + at,)) * 31 for at in range(16))
    objects = b"C\x01a\xa0" + names + b"X\xd4\x4e\x20" + (b"\x60" + b"N" * 16) * 20_000
    assert len(objects) < 400_000
    with pytest.raises(LocalWireError, match="exceeds 1000000 bytes"):
        to_hessian1(objects, Limits(max_frame_bytes=1_000_000))
