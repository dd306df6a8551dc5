import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.contracts.json_generic import from_json_generic, to_json_generic
from gateway.model.errors import ValueMappingError
from gateway.model.generic import JavaDate, Long, Pairs, Record, TypedList, TypedMap
from protocols.testing import CONTRACT, Maker, Status, TypesFailure, difference


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (None, None),
        (True, True),
        (Long(7), 7),
        (1 << 70, 1 << 70),
        (1.5, 1.5),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        ("text", "text"),
        (b"\xff", "/w=="),
        (Decimal("1.10"), "1.10"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00Z"),
        (JavaDate(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00Z"),
        (datetime(2026, 1, 2, 3), "2026-01-02T03:00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (time(1, 2), "01:02:00"),
        (timedelta(seconds=1), "PT1S"),
        (Status.ACTIVE, "ACTIVE"),
        ([1, [2]], [1, [2]]),
        ((1, 2), [1, 2]),
        ({1}, [1]),
        (TypedList("[int", [1]), [1]),
        ({"a": 1}, {"a": 1}),
        (TypedMap("java.util.TreeMap", {"a": 1}), {"a": 1}),
        ({1: "a", "b": 2}, [[1, "a"], ["b", 2]]),
        (Pairs([([1], "a")]), [[[1], "a"]]),
        (Record("com.acme.User", {"name": "ann", "age": Long(3)}), {"class": "com.acme.User", "name": "ann", "age": 3}),
        (Maker("m"), {"class": "Maker", "name": "m", "country": None, "parent": None}),
        (ValueError("text"), {"class": "ValueError", "message": "text"}),
        (ValueError(), {"class": "ValueError", "message": None}),
        (TypesFailure("t", code=1), {"class": "TypesFailure", "message": "t", "code": 1, "culprit": None}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_every_value_has_a_form(value: Any, form: Any) -> None:
    written = to_json_generic(value)
    assert difference(form, written) is None
    json.dumps(written, allow_nan=False)


def test_classes_of_a_contract_have_their_contract_names() -> None:
    written = to_json_generic([TypesFailure("t", code=1, culprit=Maker("m"))], CONTRACT)
    assert written == [
        {
            "class": "demo.TypesFailure",
            "message": "t",
            "code": 1,
            "culprit": {"class": "demo.Maker", "name": "m", "country": None, "parent": None},
        }
    ]


def test_cycles_are_cut_and_numbered_in_the_order_of_opening() -> None:
    node = Record("t.Node", {"name": "a"})
    items: list[Any] = [[], node]
    node["self"] = node
    node["items"] = items
    assert to_json_generic(items) == [
        [],
        {"class": "t.Node", "name": "a", "self": {"$ref": 2}, "items": {"$ref": 0}},
    ]


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
        from_json_generic(value)


def test_what_is_no_value_is_refused() -> None:
    @dataclass
    class Holder:
        inner: object

    with pytest.raises(ValueMappingError, match="object is no value"):
        to_json_generic(Holder(object()))


def test_json_is_read_as_it_stands() -> None:
    value = {"a": [1, Decimal("1.5"), "x", None, True], "b": {"class": "com.acme.User", "tags": [{"class": "t.T"}]}}
    expected = {
        "a": [1, 1.5, "x", None, True],
        "b": Record("com.acme.User", {"tags": [Record("t.T")]}),
    }
    assert difference(expected, from_json_generic(value)) is None
    assert from_json_generic({"class": 3}) == {"class": 3}


def test_a_number_too_large_does_not_become_infinity() -> None:
    with pytest.raises(ValueMappingError, match=r"\[0\]: the number is beyond the largest f64"):
        from_json_generic([Decimal("1e400")])
