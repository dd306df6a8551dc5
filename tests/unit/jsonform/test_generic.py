import json
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.jsonform import compile_reader, compile_writer, format_json, parse_json
from gateway.jsonform.generic import read_generic, show_generic, to_json_generic
from gateway.model.errors import ValueMappingError
from gateway.model.generic import BigInt, JavaDate, Long, Pairs, Record, TypedList, TypedMap
from protocols.corpus.contract import ANY, Everything
from protocols.testing import CONTRACT, Maker, Point, Status, TypesFailure, difference

MAKER = {"class": "demo.Maker", "name": "m", "country": None, "parent": None}


def typed(kind: str, value: Any) -> dict[str, Any]:
    return {"$type": kind, "value": value}


# Values that come back as they were.
FORMS = [
    (None, None),
    (True, True),
    (7, 7),
    (-(1 << 31), -(1 << 31)),
    (Long(7), typed("i64", 7)),
    (Long(1 << 31), 1 << 31),
    (Long(-(1 << 63)), -(1 << 63)),
    (1 << 63, 1 << 63),
    (1 << 70, 1 << 70),
    (10**5000, typed("bigint", f"1{'0' * 5000}")),
    (BigInt(7), typed("bigint", "7")),
    (1.5, 1.5),
    (-0.0, -0.0),
    (float("nan"), typed("f64", "NaN")),
    (float("inf"), typed("f64", "Infinity")),
    (float("-inf"), typed("f64", "-Infinity")),
    ("text", "text"),
    (b"\xff", typed("bytes", "/w==")),
    (Decimal("1.10"), typed("decimal", "1.10")),
    (UUID(int=1), typed("uuid", "00000000-0000-0000-0000-000000000001")),
    (datetime(2026, 1, 2, 3, tzinfo=UTC), typed("datetime", "2026-01-02T03:00:00Z")),
    (JavaDate(2026, 1, 2, 3, 4, 5, 6000, tzinfo=UTC), typed("java.util.Date", "2026-01-02T03:04:05.006Z")),
    (datetime(2026, 1, 2, 3), typed("local_datetime", "2026-01-02T03:00:00")),
    (date(2026, 1, 2), typed("date", "2026-01-02")),
    (time(1, 2), typed("time", "01:02:00")),
    (timedelta(seconds=1), typed("duration", "PT1S")),
    (Status.ACTIVE, typed("demo.Status", "ACTIVE")),
    ([1, [2]], [1, [2]]),
    ({1}, typed("set", [1])),
    ({frozenset({(1, "a")})}, typed("set", [typed("set", [[1, "a"]])])),
    (TypedList("[int", [1]), {"$type": "list", "class": "[int", "value": [1]}),
    ({"a": 1}, {"a": 1}),
    (TypedMap("java.util.TreeMap", {"a": 1}), {"$type": "map", "class": "java.util.TreeMap", "value": {"a": 1}}),
    (TypedMap("t.M", {2: 1}), {"$type": "map", "class": "t.M", "value": [[2, 1]]}),
    ({1: "a", "b": 2}, typed("map", [[1, "a"], ["b", 2]])),
    ({None: 1, Point(1, 2): 2}, typed("map", [[None, 1], [{"class": "demo.Point", "x": 1, "y": 2}, 2]])),
    (Pairs([([1], "a")]), typed("map", [[[1], "a"]])),
    (Pairs([([1], "a")], "t.M"), {"$type": "map", "class": "t.M", "value": [[[1], "a"]]}),
    (Pairs([(1, "a"), (True, "b"), (1.0, "c")]), typed("map", [[1, "a"], [True, "b"], [1.0, "c"]])),
    (Record("a.User", {"name": "ann", "age": 3}), {"class": "a.User", "name": "ann", "age": 3}),
    (Record("a.User", {"class": 1}), {"$type": "record", "class": "a.User", "value": [["class", 1]]}),
    (
        Record("a.User", {"$type": "list", "value": []}),
        {"$type": "record", "class": "a.User", "value": [["$type", "list"], ["value", []]]},
    ),
    (Maker("m"), MAKER),
    # What looks like one of these and is a map.
    ({"class": "a.User"}, typed("map", [["class", "a.User"]])),
    ({"class": 3}, {"class": 3}),
    (typed("i64", 7), typed("map", [["$type", "i64"], ["value", 7]])),
    (typed("of my own", 7), typed("map", [["$type", "of my own"], ["value", 7]])),
    ({"$type": "System.Int64[]", "$values": [1]}, {"$type": "System.Int64[]", "$values": [1]}),
    ({"$type": 1, "value": 7}, {"$type": 1, "value": 7}),
    ({"$ref": 0}, {"$ref": 0}),
]


@pytest.mark.parametrize(("value", "form"), FORMS, ids=range(len(FORMS)))
def test_every_value_has_a_form_of_its_own(value: Any, form: Any) -> None:
    written = compile_writer(ANY, CONTRACT)(value)
    assert difference(form, written) is None
    read = compile_reader(ANY, CONTRACT)
    assert difference(value, read(parse_json(format_json(written)))) is None
    assert difference(value, read(json.loads(json.dumps(written, allow_nan=False)))) is None


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ((1, 2), [1, 2]),
        (frozenset({1}), {1}),
        (1 << 40, Long(1 << 40)),
        (BigInt(1 << 70), 1 << 70),
        (datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), datetime(2026, 1, 2, 1, tzinfo=UTC)),
        (Pairs([("a", 1)]), {"a": 1}),
        ({(1, 2): "a"}, Pairs([([1, 2], "a")])),
        (bytearray(b"a"), b"a"),
    ],
)
def test_what_no_wire_keeps_apart_comes_back_in_its_plain_form(value: Any, read: Any) -> None:
    assert difference(read, read_generic(parse_json(format_json(to_json_generic(value))))) is None


def test_an_exception_of_the_contract_comes_back() -> None:
    value = [TypesFailure("t", code=1, culprit=Maker("m")), TypesFailure(code=2)]
    written = compile_writer(ANY, CONTRACT)(value)
    assert written == [
        {
            "class": "demo.TypesFailure",
            "message": "t",
            "code": 1,
            "culprit": {"name": "m", "country": None, "parent": None},
        },
        {"class": "demo.TypesFailure", "message": None, "code": 2, "culprit": None},
    ]
    assert difference(value, compile_reader(ANY, CONTRACT)(written)) is None


@pytest.mark.parametrize(
    ("value", "path", "message"),
    [
        ([1, "a\ud800"], "[1]", "the lone surrogate at character 1 has no form in JSON"),
        ({"\udc00": 1}, r"['\udc00']", "lone surrogate"),
        (Record("a.B", {"\udc00": 1}), r"['\udc00']", "lone surrogate"),
        ({"a": {1: object()}}, "['a'][1]", "object is no class of the contract"),
        (Record("a.B", {"x": [ValueError("t")]}), ".x[0]", "ValueError is no class of the contract"),
        ([Decimal("NaN")], "[0]", "expected a finite decimal"),
        ({(Point(1, 2),): time(1, tzinfo=UTC)}, "[0]", "without a zone"),
        (TypedMap("t.M", {"a": ValueError}), ".value['a']", "type is no class of the contract"),
        (TypedList("t.L", [Decimal("Infinity")]), ".value[0]", "finite"),
        ([10**10_000], "[0]", "at most 10000 digits are written"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_has_no_form_is_refused_with_its_path(value: Any, path: str, message: str) -> None:
    with pytest.raises(ValueMappingError, match=message) as caught:
        to_json_generic(value, CONTRACT)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ('[{"$type": "i65", "value": 1}]', "[0]", "'i65' is no type that has an own form inside any"),
        ('{"$type": "i64", "value": 9223372036854775808}', ".value", "expected an integer of 64 bits"),
        ('{"$type": "i64", "value": true}', ".value", "expected an integer of 64 bits"),
        ('{"$type": "i64", "value": 1, "class": "x"}', "", "a .type 'i64' has no class"),
        ('{"$type": "list", "value": [], "class": 1}', "", "has no class"),
        ('{"$type": "bytes", "value": "?"}', ".value", "expected base64"),
        ('{"$type": "bytes", "value": 1}', ".value", "expected a text"),
        ('{"$type": "f64", "value": "1"}', ".value", "expected .NaN."),
        ('{"$type": "java.util.Date", "value": "2026-01-01T00:00:00.000001Z"}', ".value", "has milliseconds"),
        ('{"$type": "set", "value": [1, 2, 1]}', ".value[2]", "the element stands twice"),
        ('{"$type": "set", "value": [{}]}', ".value[0]", "cannot be in a set"),
        ('{"$type": "set", "value": 1}', ".value", "expected an array"),
        ('{"$type": "map", "value": [[1]]}', ".value[0]", "expected a pair"),
        ('{"$type": "map", "value": [[1, 1e400]]}', ".value[0][1]", "beyond the largest f64"),
        ('{"$type": "record", "class": "a.B", "value": [[1, 2]]}', ".value[0][0]", "a field has a name"),
        ('{"$type": "demo.Status", "value": "ACTIV"}', "", "did you mean 'ACTIVE'"),
        ('{"$type": "demo.Status", "value": 1}', "", "'demo.Status' is no type"),
        ('{"class": "demo.Status"}', "", "demo.Status is an enum; only structs are objects"),
        ('[{"class": "demo.Maker", "name": 1}]', "[0].name", "expected string, found a number"),
        ("[1e400]", "[0]", "the number is beyond the largest f64"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_path(text: str, path: str, message: str) -> None:
    with pytest.raises(ValueMappingError, match=message) as caught:
        compile_reader(ANY, CONTRACT)(parse_json(text))
    assert caught.value.path == path


def test_a_container_inside_itself_is_refused() -> None:
    items: list[Any] = [1]
    items.append({"a": items})
    with pytest.raises(
        ValueMappingError, match=r"\[1\]\['a'\]\[1\].*: nested deeper than 64 levels, or containing itself"
    ):
        to_json_generic(items)


def test_people_see_where_a_container_contains_itself() -> None:
    node = Record("t.Node", {"name": "a"})
    items: list[Any] = [[], node]
    node["self"] = node
    node["items"] = items
    assert show_generic(items) == [
        [],
        {"class": "t.Node", "name": "a", "self": {"$ref": 2}, "items": {"$ref": 0}},
    ]


def test_people_see_values_without_their_types() -> None:
    shown = show_generic(
        [Long(7), BigInt(7), Decimal("1.10"), b"\0", math.nan, {"class": "a.B", "id": Long(1)}, {1: "one"}, {1}]
    )

    assert shown == [7, 7, "1.10", "AA==", "NaN", {"class": "a.B", "id": 1}, [[1, "one"]], [1]]
    assert show_generic(TypedList("[long", [Long(1)])) == [1]


def test_people_see_classes_without_a_contract() -> None:
    assert show_generic([Maker("m"), ValueError("text"), ValueError(), Status.ACTIVE, "\ud800"]) == [
        {**MAKER, "class": "Maker"},
        {"class": "ValueError", "message": "text"},
        {"class": "ValueError", "message": None},
        "ACTIVE",
        "\ud800",
    ]


def test_a_struct_inside_any_has_its_typed_form() -> None:
    value = [Everything(decimal=Decimal("1.10"), i64=7, any=[Long(7)])]
    written = compile_writer(ANY, CONTRACT)(value)
    assert (written[0]["class"], written[0]["decimal"], written[0]["i64"]) == ("demo.Everything", "1.10", 7)
    assert difference(value, compile_reader(ANY, CONTRACT)(written)) is None


def test_what_is_only_shared_is_written_each_time() -> None:
    shared = {"a": 1}
    assert to_json_generic([shared, shared]) == [{"a": 1}, {"a": 1}]


def test_sharing_cannot_grow_without_bound() -> None:
    value: list[Any] = []
    for _ in range(40):
        value = [value, value]
    with pytest.raises(ValueMappingError, match="more than 1000000 lists, maps and objects"):
        to_json_generic(value)


def test_depth_is_bounded_both_ways() -> None:
    value: list[Any] = []
    for _ in range(70):
        value = [value]
    with pytest.raises(ValueMappingError, match="nested deeper than 64 levels"):
        to_json_generic(value)
    with pytest.raises(ValueMappingError, match="nested deeper than 64 levels"):
        read_generic(value)


def test_what_is_no_value_is_refused() -> None:
    @dataclass
    class Holder:
        inner: object

    with pytest.raises(ValueMappingError, match="inner: object is no value"):
        show_generic(Holder(object()))


def test_json_is_read_as_it_stands() -> None:
    value = {"a": [1, Decimal("1.5"), "x", None, True], "b": {"class": "com.acme.User", "tags": [{"class": "t.T"}]}}
    expected = {
        "a": [1, 1.5, "x", None, True],
        "b": Record("com.acme.User", {"tags": [Record("t.T")]}),
    }
    assert difference(expected, read_generic(value)) is None
