import json
import re
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.jsonform import compile_reader, compile_writer, format_json
from gateway.jsonform.schema import Schemas, json_schema
from gateway.model.contract import Field, ServiceContract, StructType
from gateway.model.typeref import Kind, TypeRef
from protocols.corpus.contract import ANY, EVERYTHING, FAILURE, MAKER, POINT, STATUS, list_of, map_of, of, set_of
from protocols.testing import CONTRACT, CORPUS, KEYS, Case, Maker

TYPES = list(dict.fromkeys([case.type for case in (*CORPUS, *KEYS)] + [FAILURE, list_of(MAKER), MAKER.optional()]))


def valid(schema: dict[str, Any], value: Any) -> bool:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).is_valid(value)


@pytest.mark.parametrize(
    "case", [each for each in (*CORPUS, *KEYS) if "surrogate" not in each.name], ids=lambda case: case.name
)
def test_what_is_written_fits_its_schema(case: Case) -> None:
    written = json.loads(format_json(compile_writer(case.type, CONTRACT)(case.value)))
    assert valid(json_schema(case.type, CONTRACT), written)


@pytest.mark.parametrize("ref", TYPES, ids=str)
def test_examples_fit_their_schema_and_can_be_read(ref: TypeRef) -> None:
    schemas = Schemas()
    example = schemas.example(ref, CONTRACT)
    assert valid(json_schema(ref, CONTRACT), example)
    compile_reader(ref, CONTRACT)(example)


@pytest.mark.parametrize(
    ("ref", "value"),
    [
        (of(Kind.I8), 128),
        (of(Kind.I64), 1 << 63),
        (of(Kind.I32), 1.5),
        (of(Kind.I32), None),
        (of(Kind.F64), "nan"),
        (of(Kind.F32), 1e39),
        (of(Kind.DECIMAL), "NaN"),
        (of(Kind.DECIMAL), "1,5"),
        (of(Kind.BIGINT), "1.0"),
        (of(Kind.CHAR), "ab"),
        (of(Kind.CHAR), "😀"),
        (of(Kind.BYTES), "a"),
        (of(Kind.DATE), "2026-13-01"),
        (of(Kind.DATE), "2026-02-30"),
        (of(Kind.LOCAL_DATETIME), "2026-02-29T00:00:00"),
        (of(Kind.LOCAL_DATETIME), "1900-02-29T00:00:00"),
        (of(Kind.LOCAL_DATETIME), "2026-04-31T00:00:00"),
        (of(Kind.LOCAL_DATETIME), "0000-01-01T00:00:00"),
        (of(Kind.TIME), "24:00:00"),
        (of(Kind.DATETIME), "2026-08-14T09:26:53"),
        (of(Kind.DATETIME), "2026-08-14T09:26:53.1234567Z"),
        (of(Kind.LOCAL_DATETIME), "2026-08-14T09:26:53Z"),
        (of(Kind.DURATION), "P1Y"),
        (of(Kind.DURATION), "P"),
        (of(Kind.DURATION), "PT"),
        (of(Kind.UUID), "x"),
        (STATUS, "active"),
        (list_of(of(Kind.STRING)), [None]),
        (set_of(of(Kind.I32)), [1, 1]),
        (map_of(of(Kind.I8), of(Kind.STRING)), {"128": ""}),
        (map_of(of(Kind.I8), of(Kind.STRING)), {"01": ""}),
        (map_of(of(Kind.BOOL), of(Kind.STRING)), {"yes": ""}),
        (map_of(of(Kind.DATE), of(Kind.STRING)), {"x": ""}),
        (map_of(STATUS, of(Kind.STRING)), {"x": ""}),
        (map_of(POINT, of(Kind.STRING)), {}),
        (map_of(POINT, of(Kind.STRING)), [[{"x": 1, "y": 2}]]),
        (MAKER, {}),
        (MAKER, {"name": "m", "x": 1}),
        (MAKER, None),
        (FAILURE, {"message": 1, "code": 1}),
    ],
    ids=str,
)
def test_what_readers_refuse_does_not_fit(ref: TypeRef, value: Any) -> None:
    assert not valid(json_schema(ref, CONTRACT), value)


@pytest.mark.parametrize(("kind", "bits"), [(Kind.I8, 8), (Kind.I16, 16), (Kind.I32, 32), (Kind.I64, 64)])
def test_integer_keys_are_exactly_those_of_the_type(kind: Kind, bits: int) -> None:
    schema = json_schema(map_of(of(kind), of(Kind.STRING)), CONTRACT)
    pattern = re.compile(schema["propertyNames"]["pattern"])
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    near = [low, low + 1, -10, -9, -1, 0, 1, 9, 10, 99, 100, high - 1, high, *range(0, high, max(1, high // 997))]
    assert all(pattern.fullmatch(str(each)) for each in near)
    assert not any(pattern.fullmatch(each) for each in (str(low - 1), str(high + 1), f"{high}0", "-0", "01", "", "+1"))


def test_the_days_of_four_centuries_are_those_of_the_calendar() -> None:
    pattern = re.compile(json_schema(of(Kind.DATE), CONTRACT)["pattern"])
    day = date(1899, 1, 1)
    while day.year < 2401:
        assert pattern.match(str(day))
        if day.month == 2 and day.day == 28 and (day + timedelta(days=1)).month == 3:
            assert not pattern.match(f"{day.year}-02-29")
        day += timedelta(days=1)


def test_decimals_may_be_numbers() -> None:
    assert valid(json_schema(of(Kind.DECIMAL), CONTRACT), 19.9)
    assert valid(json_schema(of(Kind.BIGINT, nullable=True), CONTRACT), 1 << 70)
    assert not valid(json_schema(of(Kind.BIGINT), CONTRACT), 1.5)


def test_the_schema_of_a_struct() -> None:
    assert json_schema(MAKER, CONTRACT) == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": "#/$defs/demo.Maker",
        "$defs": {
            "demo.Maker": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "country": {"type": ["string", "null"], "default": None},
                    "parent": {"anyOf": [{"$ref": "#/$defs/demo.Maker"}, {"type": "null"}], "default": None},
                },
                "required": ["name"],
                "additionalProperties": False,
            }
        },
    }


def test_documentation_defaults_and_deprecation() -> None:
    fields = (
        Field("price", of(Kind.DECIMAL), "price", default=Decimal("1.10"), doc="In euros."),
        Field("old", of(Kind.I32), "old", deprecated=True),
    )
    struct = StructType("a.B", Maker, fields, doc="A thing.")
    contract = ServiceContract("a.S", (), MappingProxyType({"a.B": struct}))
    schema = json_schema(TypeRef(Kind.STRUCT, name="a.B"), contract, ignore_unknown=True)["$defs"]["a.B"]
    assert schema["description"] == "A thing."
    assert schema["properties"]["price"]["default"] == "1.10"
    assert schema["properties"]["price"]["description"] == "In euros."
    assert schema["properties"]["old"]["deprecated"] is True
    assert "additionalProperties" not in schema


def test_types_of_one_name_are_told_apart() -> None:
    other = StructType("demo.Maker", Maker, (Field("name", of(Kind.I32), "name"),))
    contract = ServiceContract("a.S", (), MappingProxyType({"demo.Maker": other}))
    schemas = Schemas(prefix="#/components/schemas/")
    assert schemas.schema(MAKER, CONTRACT) == {"$ref": "#/components/schemas/demo.Maker"}
    assert schemas.schema(MAKER, contract) == {"$ref": "#/components/schemas/demo.Maker.2"}
    assert schemas.schema(MAKER, contract) == {"$ref": "#/components/schemas/demo.Maker.2"}
    assert set(schemas.definitions) == {"demo.Maker", "demo.Maker.2"}


def test_any_fits_everything() -> None:
    values: list[Any] = [None, 1, {"a": []}]
    assert all(valid(json_schema(ANY, CONTRACT), each) for each in values)
    assert "$defs" in json_schema(EVERYTHING, CONTRACT)
