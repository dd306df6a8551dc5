import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.jsonform import compile_reader, compile_writer, format_json, parse_json
from gateway.model.contract import Field, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.generic import Pairs, Record
from gateway.model.typeref import Kind, TypeRef
from protocols.corpus.contract import ANY, EVERYTHING, FAILURE, MAKER, POINT, STATUS, list_of, map_of, of, set_of
from protocols.testing import (
    CONTRACT,
    CORPUS,
    KEYS,
    MISFITS,
    Case,
    Everything,
    Maker,
    Misfit,
    Point,
    Status,
    TypesFailure,
    difference,
)

INTS = map_of(of(Kind.I32), of(Kind.STRING))
TEXTS = map_of(of(Kind.STRING), of(Kind.I32))


def from_json(value: Any, ref: TypeRef) -> Any:
    return compile_reader(ref, CONTRACT)(value)


def to_json(value: Any, ref: TypeRef) -> Any:
    return compile_writer(ref, CONTRACT)(value)


def read(text: str | bytes, ref: TypeRef) -> Any:
    return from_json(parse_json(text), ref)


LONE = {"char/surrogate", *(f"string/{name}" for name in (
    "lone-high-surrogate", "lone-low-surrogate", "reversed-surrogates", "surrogate-last"
))}  # fmt: skip


@pytest.mark.parametrize("case", [*CORPUS, *KEYS], ids=lambda case: case.name)
def test_every_value_survives(case: Case) -> None:
    if case.name in LONE:
        with pytest.raises(ValueMappingError, match=r"the lone surrogate at character [01] has no form in JSON"):
            to_json(case.value, case.type)
        return
    written = to_json(case.value, case.type)
    assert difference(case.value, read(format_json(written), case.type)) is None
    assert difference(case.value, from_json(json.loads(json.dumps(written, allow_nan=False)), case.type)) is None


@pytest.mark.parametrize(
    ("value", "ref", "form"),
    [
        (9007199254740993, of(Kind.I64), "9007199254740993"),
        (12, of(Kind.BIGINT), '"12"'),
        (Decimal("19.90"), of(Kind.DECIMAL), '"19.90"'),
        (float("nan"), of(Kind.F64), '"NaN"'),
        (float("-inf"), of(Kind.F32), '"-Infinity"'),
        (-0.0, of(Kind.F64), "-0.0"),
        (b"\xff", of(Kind.BYTES), '"/w=="'),
        (Status.ACTIVE, STATUS, '"ACTIVE"'),
        ({"a": 1}, TEXTS, '{"a": 1}'),
        ({1: "a"}, INTS, '{"1": "a"}'),
        ({Status.ACTIVE: "x"}, map_of(STATUS, of(Kind.STRING)), '{"ACTIVE": "x"}'),
        ({Point(1, 2): "x"}, map_of(POINT, of(Kind.STRING)), '[[{"x": 1, "y": 2}, "x"]]'),
        ({None: 1}, map_of(of(Kind.STRING, nullable=True), of(Kind.I32)), "[[null, 1]]"),
        (Maker("m"), MAKER, '{"name": "m", "country": null, "parent": null}'),
        (TypesFailure("text", code=3), FAILURE, '{"message": "text", "code": 3, "culprit": null}'),
        (None, of(Kind.NULL), "null"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_the_form_of_each_type(value: Any, ref: TypeRef, form: str) -> None:
    assert json.dumps(to_json(value, ref), allow_nan=False) == form
    assert difference(value, read(form, ref)) is None


@pytest.mark.parametrize(
    ("text", "ref", "value"),
    [
        ("5.0", of(Kind.I32), 5),
        ("1e3", of(Kind.I64), 1000),
        ("-0", of(Kind.I32), 0),
        ("-0", of(Kind.F64), -0.0),
        ("123456789012345678901234567890", of(Kind.BIGINT), 123456789012345678901234567890),
        ("0.1", of(Kind.DECIMAL), Decimal("0.1")),
        ("1.10", of(Kind.DECIMAL), Decimal("1.10")),
        ("0.1", of(Kind.F64), 0.1),
        ("7", of(Kind.F64), 7.0),
        ("0.1", of(Kind.F32), 0.10000000149011612),
        ('"NaN"', of(Kind.F64), float("nan")),
        ('[[1, "a"]]', INTS, {1: "a"}),
        ('[["a", 1]]', TEXTS, {"a": 1}),
        ('[["ACTIVE", "x"]]', map_of(STATUS, of(Kind.STRING)), {Status.ACTIVE: "x"}),
        ("{}", map_of(POINT, of(Kind.STRING)), "refused"),
        ("[]", map_of(POINT, of(Kind.STRING)), {}),
        ('{"name": "m"}', MAKER, Maker("m")),
        ('{"class": "demo.Maker", "name": "m"}', MAKER, Maker("m")),
        ('{"code": 3}', FAILURE, TypesFailure(code=3)),
        ("null", of(Kind.I32, nullable=True), None),
    ],
)
def test_other_forms_are_read_too(text: str, ref: TypeRef, value: Any) -> None:
    if isinstance(value, str):
        with pytest.raises(ValueMappingError, match=r"write \[\[key, value\], …\]"):
            read(text, ref)
    else:
        assert difference(value, read(text, ref)) is None


def test_what_json_loads_gives_is_read() -> None:
    assert from_json(19.9, of(Kind.DECIMAL)) == Decimal("19.9")
    assert from_json(5.0, of(Kind.I32)) == 5
    assert from_json(float("inf"), of(Kind.F64)) == float("inf")


@pytest.mark.parametrize(
    ("text", "ref", "message"),
    [
        ("1", of(Kind.BOOL), "expected bool, found a number"),
        ('"1"', of(Kind.I32), "expected i32, found a text"),
        ("true", of(Kind.I32), "expected i32, found true"),
        ("1.5", of(Kind.I32), "expected i32, found a number with a fraction"),
        ("128", of(Kind.I8), "the number does not fit i8, which goes from -128 to 127"),
        ("9223372036854775808", of(Kind.I64), "does not fit i64"),
        ("1e999999999", of(Kind.BIGINT), "expected bigint, found a number"),
        ("1e400", of(Kind.F64), "the number is beyond the largest f64"),
        ("1e39", of(Kind.F32), "beyond the largest f32"),
        ('"nan"', of(Kind.F64), 'expected f64 as a number, "NaN", "Infinity" or "-Infinity", found a text'),
        ('"NaN"', of(Kind.DECIMAL), "expected a decimal number"),
        ("NaN", of(Kind.DECIMAL), "not JSON: NaN is no number; write it as a text"),
        ("true", of(Kind.DECIMAL), "expected decimal, found true"),
        ('"ab"', of(Kind.CHAR), "expected one character"),
        ('"😀"', of(Kind.CHAR), "expected one character up to U.FFFF"),
        ("1", of(Kind.STRING), "expected string, found a number"),
        ("1", of(Kind.DATETIME), "expected datetime, found a number"),
        ("null", of(Kind.STRING), "null where string is required"),
        ("1", of(Kind.NULL), "expected null, found a number"),
        ('"ACTIV"', STATUS, "demo.Status has no constant 'ACTIV'; did you mean 'ACTIVE'?"),
        ('"ZZZ"', STATUS, "demo.Status has no constant 'ZZZ'$"),
        ('{"a": 1}', list_of(of(Kind.I32)), "expected list<i32> as an array, found an object"),
        ("[1, 1.0]", set_of(of(Kind.I32)), "an element of set<i32> stands twice"),
        ("[1]", TEXTS, "expected map<string,i32> as an object, or an array of pairs"),
        ('[["a", 1], ["a", 2]]', TEXTS, r"\[key 1\]: the key stands twice"),
        ('{"1": "a", "01": "b"}', INTS, r"\[key 1\]: the key stands twice"),
        ('{"x": "a"}', INTS, "expected an integer"),
        ("[]", MAKER, "expected demo.Maker as an object, found an array"),
        ('{"nam": "m"}', MAKER, "the field 'name' of demo.Maker is missing"),
        ('{"name": "m", "contry": "DE"}', MAKER, "demo.Maker has no field 'contry'; did you mean 'country'?"),
        ('{"class": "demo.Point", "name": "m"}', MAKER, "demo.Maker has no field 'class'"),
        ('{"message": 3, "code": 1}', FAILURE, "message: expected a text, found a number"),
        ('{"class": "demo.Status"}', ANY, "demo.Status is an enum; only structs are objects"),
    ],
)
def test_a_refusal_says_why(text: str, ref: TypeRef, message: str) -> None:
    with pytest.raises(ValueMappingError, match=message):
        read(text, ref)


@pytest.mark.parametrize(
    ("text", "ref", "path"),
    [
        ('[{"name": "a"}, {"name": "b", "parent": {"name": 1}}]', list_of(MAKER), "[1].parent.name"),
        ('{"a": "x"}', TEXTS, "['a']"),
        ('[["a", 1], [2, 1]]', TEXTS, "[key 1]"),
        ('[{"class": "demo.Maker", "name": 1}]', ANY, "[0].name"),
    ],
)
def test_a_refusal_says_where(text: str, ref: TypeRef, path: str) -> None:
    with pytest.raises(ValueMappingError) as caught:
        read(text, ref)
    assert caught.value.path == path


def test_any_knows_the_structs_of_the_contract() -> None:
    text = '{"a": {"class": "demo.Maker", "name": "m"}, "b": {"class": "x.Y", "z": [1.5, null]}}'
    expected = {"a": Maker("m"), "b": Record("x.Y", {"z": [1.5, None]})}
    assert difference(expected, read(text, ANY)) is None


def test_any_is_written_with_contract_names() -> None:
    assert to_json([Maker("m")], ANY) == [{"class": "demo.Maker", "name": "m", "country": None, "parent": None}]


def test_a_value_of_another_type_is_not_written() -> None:
    with pytest.raises(ValueMappingError, match=r"\[0\]: expected i32, found str"):
        to_json(["a"], list_of(of(Kind.I32)))


def test_depth_is_bounded_both_ways() -> None:
    loop = Maker("loop")
    loop.parent = loop
    with pytest.raises(ValueMappingError, match="nested deeper than 64 levels, or containing itself"):
        to_json(loop, MAKER)
    deep = '{"name": "m", "parent": ' * 70 + "null" + "}" * 70
    with pytest.raises(ValueMappingError, match="nested deeper than 64 levels"):
        read(deep, MAKER)
    mixed = '{"class": "demo.Everything", "any": ' * 70 + "null" + "}" * 70
    with pytest.raises(ValueMappingError, match="nested deeper than 64 levels"):
        read(mixed, ANY)
    with pytest.raises(ValueMappingError, match="the JSON is nested too deeply"):
        parse_json("[" * 100_000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON: .* at line 1, column 2"),
        ("", "not JSON: Expecting value at line 1, column 1"),
        ("[1,]", "not JSON"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice in one JSON object"),
    ],
)
def test_bad_json_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueMappingError, match=message):
        parse_json(text)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        (of(Kind.BOOL), True, "true"),
        (of(Kind.I64), -(1 << 63), "-9223372036854775808"),
        (of(Kind.BIGINT), 1 << 70, "1180591620717411303424"),
        (of(Kind.F64), 0.1, "0.1"),
        (of(Kind.F64), float("inf"), "Infinity"),
        (of(Kind.F32), -0.0, "-0.0"),
        (of(Kind.DECIMAL), Decimal("1.10"), "1.10"),
        (of(Kind.CHAR), "é", "é"),
        (of(Kind.STRING), "null", "null"),
        (of(Kind.BYTES), b"\xff", "/w=="),
        (of(Kind.DATE), date(2024, 2, 29), "2024-02-29"),
        (of(Kind.DURATION), timedelta(seconds=1), "PT1S"),
        (STATUS, Status.ACTIVE, "ACTIVE"),
    ],
    ids=str,
)
def test_a_map_with_scalar_keys_is_an_object(key: TypeRef, value: Any, text: str) -> None:
    ref = map_of(key, of(Kind.I32))
    assert to_json({value: 1}, ref) == {text: 1}
    assert difference({value: 1}, from_json({text: 1}, ref)) is None


def test_keys_of_one_text_are_refused() -> None:
    with pytest.raises(ValueMappingError, match="keys of map<f64,i32> that differ have the same text"):
        to_json({float("nan"): 1, float("-nan"): 2}, map_of(of(Kind.F64), of(Kind.I32)))


def test_fields_may_have_other_names() -> None:
    def upper(struct: StructType, field: Field) -> str:
        return f"{struct.name.rpartition('.')[2]}_{field.name}".upper()

    value = Maker("m", None, Maker("p"))
    written = compile_writer(MAKER, CONTRACT, field_name=upper)(value)
    assert written["MAKER_PARENT"] == {"MAKER_NAME": "p", "MAKER_COUNTRY": None, "MAKER_PARENT": None}
    read = compile_reader(MAKER, CONTRACT, field_name=upper)
    assert read(written) == value
    with pytest.raises(ValueMappingError, match=r"demo\.Maker has no field 'name'"):
        read({"MAKER_NAME": "m", "name": "m"})


def test_unknown_members_may_be_ignored() -> None:
    read = compile_reader(list_of(MAKER), CONTRACT, ignore_unknown=True)
    assert read([{"name": "m", "x": [1], "parent": {"name": "p", "class": 3}}]) == [Maker("m", None, Maker("p"))]


def test_shared_parts_cannot_grow_without_bound() -> None:
    shared = Everything(int_list=[0] * 1000)
    with pytest.raises(ValueMappingError, match="4 times as many elements"):
        to_json([shared] * 10_000, list_of(EVERYTHING))


@pytest.mark.parametrize("misfit", MISFITS, ids=lambda misfit: misfit.name)
def test_a_misfit_is_not_written(misfit: Misfit) -> None:
    with pytest.raises(ValueMappingError):
        to_json(misfit.value, misfit.type)


MULTIPLES = [str(number * (2**61 - 1)) for number in range(100)]
"""Numbers that have one hash in Python (`sys.hash_info.modulus`)."""


@pytest.mark.parametrize("kind", [Kind.BIGINT, Kind.DECIMAL])
def test_keys_with_one_hash_are_refused(kind: Kind) -> None:
    keys = from_json(MULTIPLES[:20], set_of(of(kind)))
    assert len(keys) == 20
    with pytest.raises(ValueMappingError, match="the same hash"):
        from_json(MULTIPLES, set_of(of(kind)))
    for pairs in (dict.fromkeys(MULTIPLES, 1), [[key, 1] for key in MULTIPLES]):
        with pytest.raises(ValueMappingError, match="the same hash"):
            from_json(pairs, map_of(of(kind), of(Kind.I32)))


def test_keys_of_any_with_one_hash_are_refused_or_stay_pairs() -> None:
    keys = [{"$type": "bigint", "value": each} for each in MULTIPLES]
    with pytest.raises(ValueMappingError, match="the same hash"):
        from_json({"$type": "set", "value": keys}, ANY)
    assert type(from_json({"$type": "map", "value": [[key, 1] for key in keys]}, ANY)) is Pairs
