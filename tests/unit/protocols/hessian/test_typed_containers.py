"""Lists, sets and maps of declared types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from gateway.model.contract import Field, ServiceContract, StructType
from gateway.model.errors import LocalWireError, ValueMappingError
from gateway.model.generic import TypedList
from gateway.model.typeref import Kind, TypeRef
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.typed import TypedCompiler
from protocols.hessian.typed_containers import list_type, map_type
from protocols.hessian.writer import Writer
from protocols.reader import Limits


@dataclass(frozen=True)
class Key:
    items: Any
    owner: Any = None


ANY, STRING, I32, I64 = TypeRef(Kind.ANY), TypeRef(Kind.STRING), TypeRef(Kind.I32), TypeRef(Kind.I64)
KEY = TypeRef(Kind.STRUCT, name="t.Key")
CONTRACT = ServiceContract(
    "t.Service",
    (),
    {"t.Key": StructType("t.Key", Key, (Field("items", ANY, "items"), Field("owner", ANY, "owner", default=None)))},
)
COMPILER = TypedCompiler(CONTRACT)


def list_of(element: TypeRef, java: str = "", python: str = "") -> TypeRef:
    hints = (("java", java),) * bool(java) + (("python", python),) * bool(python)
    return TypeRef(Kind.LIST, (element,), hints=hints)


def set_of(element: TypeRef, java: str = "", python: str = "") -> TypeRef:
    hints = (("java", java),) * bool(java) + (("python", python),) * bool(python)
    return TypeRef(Kind.SET, (element,), hints=hints)


def map_of(key: TypeRef, value: TypeRef, java: str = "") -> TypeRef:
    return TypeRef(Kind.MAP, (key, value), hints=(("java", java),) * bool(java))


def read(ref: TypeRef, data: bytes | str, **options: Any) -> Any:
    reader = Reader(bytes.fromhex(data) if isinstance(data, str) else data, **options)
    value = COMPILER.compile_reader(ref)(reader)
    assert reader.at_end
    return value


def write(ref: TypeRef, value: Any) -> bytes:
    writer = Writer()
    COMPILER.compile_writer(ref)(writer, value)
    return writer.finish()


@pytest.mark.parametrize(
    "data",
    ["7a9192", "58929192", "57 91925a", "72 0174 9192", "56 0174 92 9192", "55 0174 9192 5a", "7a e1 5d02"],
)
def test_every_form_of_a_list_is_read(data: str) -> None:
    assert read(list_of(I32), data) == [1, 2]
    assert read(set_of(I32), data) == {1, 2}
    assert read(list_of(I32, python="tuple"), data) == (1, 2)
    assert read(set_of(I32, python="frozenset"), data) == frozenset({1, 2})


def test_the_class_is_the_one_the_contract_wants() -> None:
    made = [read(ref, "7991") for ref in (list_of(I32), list_of(I32, python="tuple"), set_of(I32))]
    assert [type(each) for each in (*made, read(set_of(I32, python="frozenset"), "7991"))] == [
        list,
        tuple,
        set,
        frozenset,
    ]


@pytest.mark.parametrize("data", ["48 0161 91 0162 92 5a", "4d 0174 0161 91 0162 92 5a"])
def test_every_form_of_a_map_is_read(data: str) -> None:
    assert read(map_of(STRING, I32), data) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("hint", "type_name"),
    [
        ("", None),
        ("java.util.List", None),
        ("java.util.ArrayList", None),
        ("java.util.Collection", None),
        ("java.util.LinkedList", "java.util.LinkedList"),
        ("int[]", "[int"),
        ("long[][]", "[[long"),
        ("java.lang.String[]", "[string"),
        ("java.lang.Object[]", "[object"),
        ("java.util.Date[]", "[date"),
        ("java.lang.Integer[]", "[java.lang.Integer"),
        ("demo.Maker[]", "[demo.Maker"),
        ("byte[][]", "[[byte"),
    ],
)
def test_a_list_has_the_type_name_that_hessian_lite_uses(hint: str, type_name: str | None) -> None:
    assert list_type(list_of(I32, hint)) == type_name


def test_sets_and_maps_have_the_type_name_of_their_class() -> None:
    assert list_type(set_of(I32)) == list_type(set_of(I32, "java.util.Set")) == "java.util.HashSet"
    assert list_type(set_of(I32, "java.util.TreeSet")) == "java.util.TreeSet"
    assert map_type(map_of(I32, I32)) is map_type(map_of(I32, I32, "java.util.HashMap")) is None
    assert map_type(map_of(I32, I32, "java.util.TreeMap")) == "java.util.TreeMap"


@pytest.mark.parametrize(
    ("ref", "value", "data"),
    [
        (list_of(I32), [1, 2], b"\x7a\x91\x92"),
        (list_of(I64), (1, 2), b"\x7a\xe1\xe2"),
        (list_of(I32), list(range(8)), b"\x58\x98" + bytes(range(0x90, 0x98))),
        (list_of(I32, "int[]"), [1], b"\x71\x04[int\x91"),
        (list_of(I32, "int[]"), list(range(8)), b"\x56\x04[int\x98" + bytes(range(0x90, 0x98))),
        (list_of(list_of(I32), "int[][]"), [[1], []], b"\x72\x05[[int\x71\x04[int\x91\x70\x91"),
        (set_of(STRING), {"a"}, b"\x71\x11java.util.HashSet\x01a"),
        (set_of(STRING), frozenset({"a"}), b"\x71\x11java.util.HashSet\x01a"),
        (map_of(STRING, I64), {"a": 1}, b"H\x01a\xe1Z"),
        (map_of(STRING, I64, "java.util.TreeMap"), {"a": 1}, b"M\x11java.util.TreeMap\x01a\xe1Z"),
        (list_of(STRING.optional()), ["a", None], b"\x7a\x01aN"),
    ],
)
def test_containers_are_written_with_fixed_length(ref: TypeRef, value: Any, data: bytes) -> None:
    assert write(ref, value) == data
    assert list(read(ref, data)) == [list(each) if isinstance(each, list) else each for each in value]


@pytest.mark.parametrize(
    ("ref", "data", "why"),
    [
        (list_of(I32), "72045b696e74 91 0161", r"\[1\]: expected i32, found 0x01"),  # H5: [int with a string
        (list_of(STRING), "7a 0161 4e", r"\[1\]: expected string, found null"),
        (list_of(list_of(STRING)), "79 7a 0161 91", r"\[0\]\[1\]: expected string"),
        (list_of(STRING), "57 0161 91 5a", r"\[1\]: expected string"),
        (list_of(STRING), "57 0161", r"\[1\]: .*end of the data"),
        (list_of(STRING), "7a 0161", r"\[1\]: .*end of the data"),
        (list_of(STRING), "485a", r"expected list<string>, found 0x48 \(map\)"),
        (list_of(STRING), "0161", "expected list<string>, found 0x01"),
        (list_of(STRING), "4e", "expected list<string>, found null"),
        (list_of(STRING), "58 497fffffff", "expected elements within 0 bytes"),
        (set_of(STRING), "7a 0161 0161", "elements that are equal"),
        (set_of(ANY), "79 78", "an element that cannot be hashed"),
        (map_of(STRING, I32), "78", "expected map<string,i32>, found 0x78"),
        (map_of(STRING, I32), "48 91 91 5a", r"\[key 0\]: expected string"),
        (map_of(STRING, I32), "48 0161 91 0162 0162 5a", r"\[value 1\]: expected i32"),
        (map_of(STRING, I32), "48 0161 91 0161 92 5a", "keys that are equal"),
        (map_of(I64, I32), "48 91 91 e1 92 5a", "keys that are equal"),
        (map_of(ANY, I32), "48 78 91 5a", "a key that can be hashed"),
        (map_of(STRING, I32), "48 0161 91", "end of the data"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(ref: TypeRef, data: str, why: str) -> None:
    with pytest.raises(HessianError, match=why):
        read(ref, data)


@pytest.mark.parametrize(
    ("ref", "value", "why"),
    [
        (list_of(I32), [1, "2"], r"^\[1\]: expected i32, found str"),
        (list_of(I32), "12", r"^expected list<i32>, found str"),
        (list_of(I32), {1}, r"^expected list<i32>, found set"),
        (set_of(I32), [1], r"^expected set<i32>, found list"),
        (set_of(I32), {"a"}, r"^\[0\]: expected i32, found str"),
        (map_of(STRING, I32), [("a", 1)], r"^expected map<string,i32>, found list"),
        (map_of(STRING, I32), {1: 1}, r"^\[key 0\]: expected string, found int"),
        (map_of(STRING, list_of(I32)), {"a": [1], "b": [1, None]}, r"^\[value 1\]\[1\]: expected i32, found null"),
        (list_of(I32), None, r"^expected list<i32>, found null"),
    ],
)
def test_other_values_are_not_written(ref: TypeRef, value: Any, why: str) -> None:
    with pytest.raises(ValueMappingError, match=why):
        write(ref, value)


def test_keys_and_elements_are_hashable_values() -> None:
    assert read(map_of(list_of(list_of(I32)), STRING), "48 79 79 91 0161 5a") == {((1,),): "a"}
    assert read(set_of(set_of(I32)), "79 79 91") == {frozenset({1})}
    assert write(map_of(list_of(I32), STRING), {(1,): "a"}) == b"H\x79\x91\x01aZ"


def test_a_key_that_contains_its_owner_is_refused() -> None:
    # hash(key) would go round: the key's field is the key itself.
    data = b"H\x43\x05t.Key\x91\x05items\x60\x51\x91\x91Z"
    with pytest.raises(HessianError, match="can be hashed"):
        read(map_of(KEY, I32), data)
    # Its field is the map, which cannot be hashed.
    with pytest.raises(HessianError, match="can be hashed"):
        read(map_of(KEY, I32), data.replace(b"\x51\x91", b"\x51\x90"))


def test_a_list_that_contains_itself_comes_back() -> None:
    loop: list[Any] = []
    loop.append(loop)
    ref = list_of(ANY)
    assert write(ref, loop) == bytes.fromhex("795190")
    found = read(ref, bytes.fromhex("795190"))
    assert found[0] is found
    entries: dict[str, Any] = {}
    entries["a"] = entries
    anything = map_of(ANY, ANY)
    assert write(anything, entries) == bytes.fromhex("48016151905a")
    again = read(anything, bytes.fromhex("48016151905a"))
    assert again["a"] is again


@pytest.mark.parametrize("ref", [list_of(ANY), map_of(ANY, ANY), list_of(STRING)])
@pytest.mark.parametrize("first", ["4301749060", "4d 0174 0161 91 5a", "7991"])
def test_a_reference_to_a_generic_value_fits_generic_types_alone(ref: TypeRef, first: str) -> None:
    arguments = COMPILER.compile_arguments_reader([ANY, ref])
    fits = (first == "7991" and ref == list_of(ANY)) or (first.startswith("4d") and ref == map_of(ANY, ANY))
    reader = Reader(bytes.fromhex(first + "5190"))
    if fits:
        generic, declared = arguments(reader)
        assert generic is declared
    else:
        with pytest.raises(HessianError, match=r"^args\[1\]"):
            arguments(reader)


def test_shared_containers_arrive_shared() -> None:
    inner = ["s"]
    for ref, value in (
        (list_of(list_of(STRING)), [inner, inner]),
        (map_of(STRING, list_of(STRING)), {"a": inner, "b": inner}),
    ):
        data = write(ref, value)
        assert data.count(b"\x51\x91") == 1
        found = read(ref, data)
        first, second = found.values() if isinstance(found, dict) else found
        assert first is second


def test_empty_tuples_are_not_shared() -> None:
    assert write(list_of(list_of(STRING)), [(), ()]) == b"\x7a\x78\x78"


def test_one_list_of_two_types_is_written_once_per_type() -> None:
    shared = [1]
    pair = COMPILER.compile_arguments_writer(
        [list_of(I32), list_of(I64), list_of(I32), list_of(I64), list_of(I32, "int[]")]
    )
    writer = Writer()
    pair(writer, [shared] * 5)
    assert writer.finish() == b"\x79\x91" + b"\x79\xe1" + b"\x51\x90" + b"\x51\x91" + b"\x71\x04[int\x91"


def test_a_reference_is_followed_to_values_of_the_same_type() -> None:
    arguments = COMPILER.compile_arguments_reader([list_of(STRING), list_of(STRING).optional(), ANY])
    first, second, third = arguments(Reader(bytes.fromhex("790161 5190 5190")))
    assert first is second is third
    wrong = COMPILER.compile_arguments_reader([list_of(STRING), list_of(I32)])
    with pytest.raises(
        HessianError, match=r"^args\[1\]: expected list<i32>, found a reference to a value of another type"
    ):
        wrong(Reader(bytes.fromhex("790161 5190")))


@pytest.mark.parametrize("empty", ["78", "70 0174", "48 5a"])
def test_one_empty_container_serves_all_types(empty: str) -> None:
    # Java's Collections.emptyList() is one object for lists of everything.
    first, second, third = (
        (map_of(STRING, I32), map_of(I32, STRING), ANY)
        if empty.startswith("48")
        else (list_of(STRING), set_of(I32), list_of(I32, python="tuple"))
    )
    for types in ((first, second, third), (ANY, first, second)):
        values = COMPILER.compile_arguments_reader(types)(Reader(bytes.fromhex(empty + "5190" + "5190")))
        assert [len(each) for each in values] == [0, 0, 0]


def test_an_empty_list_is_no_empty_map() -> None:
    with pytest.raises(HessianError, match="another type"):
        COMPILER.compile_arguments_reader([list_of(STRING), map_of(STRING, I32)])(Reader(bytes.fromhex("785190")))


def test_a_tuple_or_frozenset_that_contains_itself_is_refused() -> None:
    for ref in (list_of(ANY, python="tuple"), set_of(ANY, python="frozenset")):
        with pytest.raises(HessianError, match="complete value"):
            read(ref, "795190")
        with pytest.raises(HessianError, match="another type"):
            read(list_of(ref, python="tuple"), "795190")


def test_limits_hold_inside_containers() -> None:
    deep = list_of(list_of(list_of(I32)))
    assert read(deep, "79797991", limits=Limits(max_depth=3)) == [[[1]]]
    with pytest.raises(HessianError, match="at most 2 levels"):
        read(deep, "79797991", limits=Limits(max_depth=2))
    for data in ("58c82c" + "91" * 44, "57" + "91" * 44 + "5a"):
        with pytest.raises(HessianError, match="at most 40 elements"):
            read(list_of(I32), bytes.fromhex(data.replace("c82c", "bc")), limits=Limits(max_elements=40))
    with pytest.raises(HessianError, match="at most 40 elements"):
        read(
            map_of(I32, I32),
            "48" + "".join(f"{0x80 + each:02x}91" for each in range(44)) + "5a",
            limits=Limits(max_elements=40),
        )
    writer = Writer(Limits(max_frame_bytes=100))
    with pytest.raises(LocalWireError):
        COMPILER.compile_writer(list_of(list_of(STRING)))(writer, [["x" * 90]] * 1 + [["y" * 90], ["z"]])
    with pytest.raises(ValueMappingError, match="deeper than 2"):
        COMPILER.compile_writer(deep)(Writer(Limits(max_depth=2)), [[[1]]])


def test_a_list_that_changes_while_it_is_written_is_refused() -> None:
    class Growing(list[Any]):
        def __len__(self) -> int:
            return 1

    with pytest.raises(ValueMappingError, match="changed while it was written"):
        write(list_of(I32), Growing([1, 2]))


def test_generic_lists_may_be_given_for_declared_ones() -> None:
    assert write(list_of(I32), TypedList("java.util.LinkedList", [1])) == b"\x79\x91"
