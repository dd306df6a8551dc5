"""Contract values as plain values and back: the corpus, keys, other versions of a contract, and stock pickles."""

from __future__ import annotations

import pickle
import pickletools
from decimal import Decimal
from typing import Any

import pytest

from gateway.model.errors import ValueMappingError
from gateway.model.generic import Long
from gateway.model.typeref import Kind, TypeRef
from protocols.rmi.mapping import allowed_classes
from protocols.rmi.pickle_reader import read_pickle
from protocols.rmi.pickle_writer import write_pickle
from protocols.rmi.plain_reader import Readers
from protocols.rmi.plain_writer import Writers
from protocols.rmi.walk import read_walk
from protocols.testing import (
    CONTRACT,
    CORPUS,
    EVOLUTION,
    KEYS,
    MISFITS,
    REFUSED,
    Case,
    Evolution,
    Maker,
    Misfit,
    Point,
    Status,
    difference,
)
from tests.support.cpu_time import cpu_within

READERS, WRITERS = Readers(CONTRACT), Writers(CONTRACT)
CLASSES = allowed_classes(CONTRACT)
STOCK = [case for case in (*CORPUS, *KEYS) if not isinstance(case.value, Long)]
"""What a Python program without Polyport can pickle: `Long` is a class of ours."""


def read(ref: TypeRef, plain: Any) -> Any:
    return READERS.compile(ref)(plain, read_walk(1 << 20, 1_000_000))


@pytest.mark.parametrize("case", [*CORPUS, *KEYS], ids=lambda case: case.name)
def test_every_value_survives(case: Case) -> None:
    data = write_pickle(WRITERS.compile(case.type)(case.value))
    assert difference(case.value, read(case.type, read_pickle(data))) is None
    # And means the same to a stock reader.
    assert difference(case.value, read(case.type, pickle.loads(data))) is None


WRITTEN = """
    PROTO FRAME STOP NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 LONG4 BINFLOAT SHORT_BINUNICODE BINUNICODE
    SHORT_BINBYTES BINBYTES EMPTY_LIST APPEND APPENDS EMPTY_DICT SETITEM SETITEMS EMPTY_SET ADDITEMS MARK TUPLE1 TUPLE2
    TUPLE3 STACK_GLOBAL REDUCE
"""
"""The opcodes that docs/rmi.md promises to who reads pickles by hand."""


def test_nothing_is_written_but_the_opcodes_of_the_document() -> None:
    long = [("echo_bigint", 1 << 5_000), ("echo_any", (Point(1, 2), {(1, 2)}, frozenset({3}), [], (), {}, set()))]
    written = [(each.type, each.value) for each in (*CORPUS, *KEYS)]
    written += [(method_type(name), value) for name, value in long]
    found = {
        opcode.name
        for ref, value in written
        for opcode, _, _ in pickletools.genops(write_pickle(WRITERS.compile(ref)(value)))
    }
    assert sorted(found) == sorted(WRITTEN.split())


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_value_as_a_stock_pickler_writes_it(protocol: int) -> None:
    for case in STOCK:
        data = pickle.dumps(case.value, protocol)
        found = read(case.type, read_pickle(data, classes=CLASSES))
        assert difference(case.value, found) is None, case.name


@pytest.mark.parametrize("misfit", MISFITS, ids=lambda misfit: misfit.name)
def test_what_does_not_fit_is_not_written(misfit: Misfit) -> None:
    with pytest.raises(ValueMappingError):
        WRITERS.compile(misfit.type)(misfit.value)


@pytest.mark.parametrize("case", EVOLUTION, ids=lambda case: case.name)
def test_peers_with_another_version_of_the_contract(case: Evolution) -> None:
    readers = Readers(case.read_by)
    plain = read_pickle(write_pickle(Writers(case.sent_by).compile(case.type)(case.value)))
    if case.expected is REFUSED:
        with pytest.raises(ValueMappingError, match=case.culprit):
            readers.compile(case.type)(plain, read_walk(1_000, 1_000))
    else:
        assert difference(case.expected, readers.compile(case.type)(plain, read_walk(1_000, 1_000))) is None


def method_type(name: str) -> Any:
    (method,) = CONTRACT.overloads(name)
    return method.returns


@pytest.mark.parametrize(
    ("method", "plain", "value"),
    [
        ("echo_struct", {"name": "m"}, Maker("m")),
        ("echo_struct", {"__class__": "demo.Maker", "name": "m", "more": 1}, Maker("m")),
        ("echo_enum", "PREORDER", Status.PREORDER),
        ("echo_enum", {"__class__": "demo.Status", "name": "PREORDER"}, Status.PREORDER),
        ("echo_struct_map", [({"x": 1, "y": 2}, "a")], {Point(1, 2): "a"}),
        ("echo_string_map", [["a", 1], ("b", 2)], {"a": 1, "b": 2}),
        ("echo_string_set", ["a", "b"], {"a", "b"}),
        ("echo_string_set", frozenset({"a"}), {"a"}),
        ("echo_int_list", (1, 2), [1, 2]),
        ("echo_f64", 7, 7.0),
        ("echo_decimal", 7, Decimal(7)),
        ("echo_any", {"__class__": "demo.Maker", "name": "m"}, Maker("m")),
        ("echo_any", (1, 2), [1, 2]),
        ("echo_any", {"__class__": "$set", "value": [[1, [2]], {3}]}, {(1, (2,)), frozenset({3})}),
        ("echo_i64", {"__class__": "$i64", "value": 7}, 7),
        ("echo_bigint", {"__class__": "$bigint", "value": 7}, 7),
        ("echo_int_array", {"__class__": "$list", "class": "[int", "value": [7]}, [7]),
        ("echo_string_set", {"__class__": "$set", "value": ["a"]}, {"a"}),
        ("echo_string_map", {"__class__": 7}, {"__class__": 7}),
    ],
)
def test_forms_that_are_read_as_well(method: str, plain: Any, value: Any) -> None:
    assert difference(value, read(method_type(method), plain)) is None


@pytest.mark.parametrize(
    ("method", "plain", "text"),
    [
        ("echo_struct", {"__class__": "demo.Point", "name": "m"}, "expected demo.Maker, found a demo.Point"),
        ("echo_struct", {"__class__": 7, "name": "m"}, "found something else"),
        ("echo_struct", {}, "the field 'name' of demo.Maker is missing"),
        ("echo_struct", {"name": 7}, r"\.name: expected string, found int"),
        ("echo_struct", "m", "expected demo.Maker"),
        ("echo_enum", "NOTHING", "no constant 'NOTHING'"),
        ("echo_enum", "x" * 100, "no constant of 100 characters"),
        ("echo_enum", {"__class__": "demo.Status"}, "expected demo.Status"),
        ("echo_string_set", ["a", "a"], "stands twice"),
        ("echo_string_map", [("a", 1), ("a", 2)], r"\[key 1\]: the key stands twice"),
        ("echo_string_map", [("a", 1, 2)], "a dict, or a list of pairs"),
        ("echo_string_map", "ab", "a dict, or a list of pairs"),
        ("echo_i32", True, "expected i32, found bool"),
        ("echo_i32", 1.0, "expected i32, found float"),
        ("echo_bool", 1, "expected bool, found int"),
        ("echo_i64", {"__class__": "$i64", "value": "7"}, "expected i64, found str"),
        ("echo_i64", {"__class__": "$i64"}, "expected i64, found dict"),
        ("echo_i64", {"__class__": "demo.Maker", "value": 7}, "expected i64, found dict"),
        ("echo_string", b"a", "expected string, found bytes"),
        ("echo_bytes", "a", "expected bytes, found str"),
        ("echo_nested_list", [["a"], [7]], r"\[1\]\[0\]: expected string, found int"),
        ("echo_everything", {"struct": {"name": 7}}, r"\.struct\.name: expected string"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(method: str, plain: Any, text: str) -> None:
    with pytest.raises(ValueMappingError, match=text):
        read(method_type(method), plain)


class Hostile:
    """A class whose objects do things when they are restored."""

    def __setstate__(self, state: Any) -> None:
        raise AssertionError("was restored")


def test_r2_an_object_of_another_class_under_an_allowed_name_is_data() -> None:
    """The pickle names the contract's class and brings attributes that it has not."""
    state = b"}(X\x04\0\0\0nameX\x01\0\0\0mX\x09\0\0\0__class__X\x02\0\0\0osX\x04\0\0\0evilNu"
    found = read(method_type("echo_struct"), read_pickle(b"cdemo\nMaker\n)\x81" + state + b"b.", classes=CLASSES))
    assert difference(Maker("m"), found) is None
    assert not hasattr(found, "evil")
    with pytest.raises(ValueError, match="may not stand"):
        read_pickle(pickle.dumps(Hostile()), classes=CLASSES)


def test_shared_values_are_counted_each_time_they_are_read() -> None:
    """R3: thirty levels of twice the one below, as lists that may be shared."""
    value: list[Any] = ["x"]
    for _ in range(30):
        value = [value, value]
    data = pickle.dumps(value, 4)
    with cpu_within(0.5), pytest.raises(ValueMappingError, match="more than"):
        READERS.compile(method_type("echo_any"))(read_pickle(data), read_walk(len(data), 1_000_000))


def shared_text(levels: str) -> bytes:
    """A text of 100 kB that stands in a list which is used again and again."""
    text = b"X" + (100_000).to_bytes(4, "little") + b"a" * 100_000 + b"\x94"
    return {
        "text": b"](" + text + b"h\0" * 5_000 + b"e.",
        "list": b"](](" + text + b"h\0" * 99 + b"e\x94" + b"h\1" * 5_000 + b"e.",
        "key": b"](}" + text + b"Ns\x94" + b"h\1" * 5_000 + b"e.",
        "number": b"](\x8b" + (8_000).to_bytes(4, "little") + b"\x7f" * 8_000 + b"\x94" + b"h\0" * 100_000 + b"e.",
        "decimal": b"](cdecimal\nDecimal\nX" + (20_000).to_bytes(4, "little") + b"7" * 20_000
        + b"\x85R\x94" + b"h\0" * 100_000 + b"e.",
    }[levels]  # fmt: skip


@pytest.mark.parametrize("where", ["text", "list", "key", "number", "decimal"])
def test_what_is_long_and_shared_is_counted_each_time_it_is_read(where: str) -> None:
    """R3: whoever sends the values on writes it each time."""
    data = shared_text(where)
    with pytest.raises(ValueMappingError, match="more than the pickle's size allows"):
        READERS.compile(method_type("echo_any"))(read_pickle(data), read_walk(len(data), 1_000_000))


def test_a_large_text_that_stands_once_is_read() -> None:
    text = "a" * (8 << 20)
    assert READERS.compile(method_type("echo_string"))(text, read_walk(len(text), 1_000_000)) == text


def test_integers_that_become_decimals_are_counted_by_their_digits() -> None:
    number = int.from_bytes(b"\x7f" * 8_000, "little")
    with cpu_within(1.0), pytest.raises(ValueMappingError, match="more than the pickle's size allows"):
        READERS.compile(TypeRef(Kind.LIST, (TypeRef(Kind.DECIMAL),)))([number] * 100_000, read_walk(300_000, 1_000_000))


@pytest.mark.parametrize("kind", ["$map", "$record"])
def test_pairs_are_counted_each_time_they_are_read(kind: str) -> None:
    pairs = [(f"{at:05}", None) for at in range(10_000)]
    value = [{"__class__": kind, "value": pairs} for _ in range(1_000)]
    data = pickle.dumps(value, 4)
    with cpu_within(2.0), pytest.raises(ValueMappingError, match="more than the pickle's size allows"):
        READERS.compile(method_type("echo_any"))(read_pickle(data), read_walk(len(data), 1_000_000))


@pytest.mark.parametrize("value", [{(1, 2)}, {frozenset({1}), frozenset({2, (3,)})}, frozenset({(frozenset({1}),)})])
def test_sets_of_containers_that_have_a_hash(value: Any) -> None:
    plain = read_pickle(pickle.dumps(value, 4))
    assert read(method_type("echo_any"), plain) == value


@pytest.mark.parametrize("value", [{(1, 2), (3, (4,))}, {frozenset({1}), (frozenset({2}),)}, {"a", (1,)}])
def test_sets_of_tuples_and_sets_survive_where_any_value_may_stand(value: Any) -> None:
    data = write_pickle(WRITERS.compile(method_type("echo_any"))(value))
    assert read(method_type("echo_any"), read_pickle(data)) == value
    assert read(method_type("echo_any"), read_pickle(pickle.dumps(value, 4))) == value
