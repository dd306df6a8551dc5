"""Reads what Dubbo's own PojoUtils makes of a bean with a field of every type; the recording names its origin."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from gateway.contracts import contract_of
from gateway.demo.catalog import Maker, Status
from gateway.demo.types import Everything, Point, Types
from gateway.model.typeref import Kind, TypeRef
from protocols.dubbo.generic import realize
from protocols.hessian.reader import Reader

RECORDED = Path(__file__).parent / "dubbo" / "pojo-utils-3.3.6.jsonl"
EVERYTHING = TypeRef(Kind.STRUCT, name="demo.Everything")
ANN = Maker("ann", "NO", Maker("root"))

# The bean that was given to PojoUtils.
EXPECTED = Everything(
    bool_=True,
    boxed_bool=False,
    i8=-128,
    i16=-32768,
    i32=2**31 - 1,
    i64=2**53 + 1,
    boxed_i8=127,
    boxed_i16=5,
    boxed_i32=-5,
    boxed_i64=7,
    f32=1.5,
    f64=1.1,
    boxed_f32=0.25,
    boxed_f64=1e300,
    bigint=10**199,
    decimal=Decimal("1.20"),
    character="\u4f60",
    boxed_char="x",
    string="a\U0001f600\0",
    bytes_=bytes(range(256)),
    date=dt.date(2024, 2, 29),
    time=dt.time(3, 4, 5, 6),
    datetime=dt.datetime(2024, 1, 2, 3, 4, 5, 6, dt.UTC),
    java_date=dt.datetime(2024, 1, 2, 3, 4, 5, 6000, dt.UTC),
    local_datetime=dt.datetime(2024, 1, 2, 3, 4),
    duration=dt.timedelta(seconds=-5, microseconds=3),
    uuid=UUID(int=2**127 + 5),
    int_list=[1, 2],
    long_list=[3, 2**40],
    string_list=["a", ""],
    nested_list=[["x"], []],
    string_set={"p", "q"},
    long_set={1, 2**60},
    string_map={"k": 1},
    int_map={5: "v"},
    enum_map={Status.ACTIVE: "e"},
    struct_map={Point(1, 2): "p"},
    nested_map={"m": [ANN, ANN]},
    int_array=[1, 2],
    long_array=[1],
    double_array=[1.5, -0.25],
    string_array=["s", ""],
    maker_array=[ANN],
    enumeration=Status.PREORDER,
    struct=ANN,
    any={"k": [1, "x"]},
)


def recorded() -> dict[str, bytes]:
    lines = map(json.loads, RECORDED.read_text(encoding="ascii").splitlines())
    return {line["name"]: bytes.fromhex(line["hex"]) for line in lines}


@pytest.mark.parametrize("name", ["generalized", "object"])
def test_a_bean_arrives_as_java_sent_it(name: str) -> None:
    found = realize(Reader(recorded()[name]).read(), EVERYTHING, contract_of(Types))
    for attribute in Everything.__slots__:
        value, expected = getattr(found, attribute), getattr(EXPECTED, attribute)
        assert (attribute, value) == (attribute, expected)
        assert type(value) is type(expected), attribute
    first, second = found.nested_map["m"]
    assert first is second
    assert found.struct is first
