"""Reading objects of one class: definitions in every place, plans found again, references."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from protocols.hessian.definition import ClassDefinition
from protocols.hessian.errors import HessianError
from protocols.hessian.java_types import definition_bytes
from protocols.hessian.reader import Reader
from protocols.hessian.typed_class import ClassPlans, Plan, class_reader

POINT = definition_bytes("t.Point", ("x", "y"))
SWAPPED = definition_bytes("t.Point", ("y", "x"))
OTHER = definition_bytes("t.Other", ())


def make_plans(planned: list[tuple[str, ...]] | None = None, **options: Any) -> ClassPlans:
    """Plans that read points as dicts, noting for which fields they were made."""

    def make_plan(definition: ClassDefinition) -> Plan:
        if planned is not None:
            planned.append(definition.fields)

        def read_fields(reader: Reader) -> dict[str, Any]:
            point: dict[str, Any] = {}
            reader.register(point, "point")
            point.update((field, reader.next_value()) for field in definition.fields)
            return point

        return read_fields

    return ClassPlans("point", ("t.Point",), lambda value, form: form == "point", make_plan, **options)


def read_all(read: Any, data: bytes) -> list[Any]:
    reader = Reader(data)
    found = []
    while not reader.at_end:
        found.append(read(reader))
    return found


def test_one_plan_serves_all_messages_with_the_same_definition() -> None:
    planned: list[tuple[str, ...]] = []
    read = class_reader(make_plans(planned))
    for _ in range(3):
        assert read_all(read, POINT + b"\x60\x91\x92" + b"\x60\x93\x94") == [{"x": 1, "y": 2}, {"x": 3, "y": 4}]
    assert len(planned) == 1


@pytest.mark.parametrize(
    ("data", "points"),
    [
        (POINT + b"\x60\x91\x92", [{"x": 1, "y": 2}]),
        (POINT + b"O\x90\x91\x92", [{"x": 1, "y": 2}]),
        (SWAPPED + b"\x60\x91\x92", [{"y": 1, "x": 2}]),
        (OTHER + POINT + b"\x61\x91\x92", [{"x": 1, "y": 2}]),
        (POINT + OTHER + b"\x60\x91\x92", [{"x": 1, "y": 2}]),
        (POINT + SWAPPED + b"\x60\x91\x92" + b"\x61\x91\x92", [{"x": 1, "y": 2}, {"y": 1, "x": 2}]),
        (POINT + POINT + b"\x60\x91\x92" + b"\x61\x91\x92", [{"x": 1, "y": 2}, {"x": 1, "y": 2}]),
        (OTHER * 16 + POINT + b"O\xa0\x91\x92" + b"O\xa0\x93\x94", [{"x": 1, "y": 2}, {"x": 3, "y": 4}]),
        (POINT + b"\x60\x91\x92" + b"\x51\x90", [{"x": 1, "y": 2}, {"x": 1, "y": 2}]),
    ],
    ids=lambda value: None if isinstance(value, list) else value.hex()[-24:],
)
def test_a_definition_may_stand_anywhere(data: bytes, points: list[Any]) -> None:
    read = class_reader(make_plans())
    # The second time the definition that came last is known.
    for _ in range(2):
        assert read_all(read, data) == points


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (OTHER + b"\x60", "expected point, found an object of t.Other at offset 10"),
        (POINT + OTHER + b"\x61", "expected point, found an object of t.Other"),
        (POINT + b"\x61", "expected the index of one of 1 classes, found 1"),
        (POINT + b"O\x49\x7f\xff\xff\xff", "expected the index of one of 1 classes"),
        (POINT + b"\x91", r"expected point, found 0x91 \(int\)"),
        (POINT + b"\x60\x91\x92" + b"\x51\x91", "expected a reference to one of 1 values"),
        (b"HZ", r"expected point, found 0x48 \(map\)"),
        (b"N", "expected point, found null"),
        (b"\x60", "expected the index of one of 0 classes"),
    ],
)
def test_what_is_no_such_object_is_refused(data: bytes, why: str) -> None:
    read = class_reader(make_plans())
    assert read_all(read, POINT + b"\x60\x91\x92") == [{"x": 1, "y": 2}]
    for _ in range(2):
        with pytest.raises(HessianError, match=why):
            read_all(read, data)


def test_a_reference_to_another_type_is_refused() -> None:
    reader = Reader(b"\x78\x51\x90")
    reader.read()
    with pytest.raises(HessianError, match="expected point, found a reference to a value of another type"):
        class_reader(make_plans())(reader)


def test_a_map_stands_for_an_object_where_the_class_allows_it() -> None:
    read = class_reader(make_plans(read_map=lambda reader: ["map", reader.next_value()]))
    assert read(Reader(b"H\x91")) == ["map", 1]
    assert read(Reader(b"M\x07t.Point\x91")) == ["map", 1]
    assert read(Reader(b"M\x0djava.util.Map\x91")) == ["map", 1]
    with pytest.raises(HessianError, match=r"found a map of type t\.Other"):
        read(Reader(b"M\x07t.Other\x91"))


def test_threads_that_share_a_reader_do_not_mix_definitions_and_plans() -> None:
    read = class_reader(make_plans())
    messages = [(POINT + b"\x60\x91\x92", {"x": 1, "y": 2}), (SWAPPED + b"\x60\x91\x92", {"y": 1, "x": 2})]

    def work(number: int) -> bool:
        data, expected = messages[number % 2]
        return all(read(Reader(data)) == expected for _ in range(300))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))
