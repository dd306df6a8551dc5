from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.jsonform.text_value import compile_text_reader, compile_text_writer
from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind, TypeRef
from protocols.corpus.contract import ANY, MAKER, STATUS, list_of, map_of, of, set_of
from protocols.testing import CONTRACT, CORPUS, KEYS, Case, Maker, Status, difference


@pytest.mark.parametrize("case", [*CORPUS, *KEYS], ids=lambda case: case.name)
def test_every_value_survives(case: Case) -> None:
    if "surrogate" in case.name:
        with pytest.raises(ValueMappingError, match="the lone surrogate at character"):
            compile_text_writer(case.type, CONTRACT)(case.value)
        return
    texts = compile_text_writer(case.type, CONTRACT)(case.value)
    assert difference(case.value, compile_text_reader(case.type, CONTRACT)(texts)) is None


@pytest.mark.parametrize(
    ("ref", "value", "texts"),
    [
        (of(Kind.BOOL), True, ["true"]),
        (of(Kind.I64), 9007199254740993, ["9007199254740993"]),
        (of(Kind.F64), 0.1, ["0.1"]),
        (of(Kind.F64), float("-inf"), ["-Infinity"]),
        (of(Kind.DECIMAL), Decimal("19.90"), ["19.90"]),
        (of(Kind.STRING), "null", ["null"]),
        (of(Kind.STRING), "", [""]),
        (of(Kind.STRING, nullable=True), None, []),
        (of(Kind.STRING, nullable=True), "", [""]),
        (of(Kind.UUID), UUID(int=1), ["00000000-0000-0000-0000-000000000001"]),
        (STATUS, Status.ACTIVE, ["ACTIVE"]),
        (list_of(of(Kind.I32)), [1, 2, 1], ["1", "2", "1"]),
        (list_of(of(Kind.I32)), [], []),
        (set_of(of(Kind.STRING)), {"a b"}, ["a b"]),
        (list_of(of(Kind.STRING, nullable=True)), [None, "null"], ["null", '"null"']),
        (list_of(list_of(of(Kind.I32))), [[1], []], ["[1]", "[]"]),
        (map_of(of(Kind.STRING), of(Kind.I32)), {"a": 1}, ['{"a":1}']),
        (MAKER, Maker("m"), ['{"name":"m","country":null,"parent":null}']),
        (ANY, None, []),
        (ANY, "a", ['"a"']),
        (of(Kind.NULL), None, []),
    ],
    ids=str,
)
def test_the_texts_of_each_type(ref: TypeRef, value: Any, texts: list[str]) -> None:
    assert compile_text_writer(ref, CONTRACT)(value) == texts
    assert difference(value, compile_text_reader(ref, CONTRACT)(texts)) is None


@pytest.mark.parametrize(
    ("ref", "texts", "message"),
    [
        (of(Kind.I32), [], "null where i32 is required"),
        (of(Kind.I32), ["1", "2"], "expected one value, found 2"),
        (of(Kind.I32), ["1.5"], "expected an integer, found '1.5'"),
        (of(Kind.I32), [" 1"], "expected an integer"),
        (of(Kind.I8), ["128"], "does not fit i8"),
        (of(Kind.BOOL), ["True"], "expected true or false"),
        (of(Kind.F64), ["nan"], "expected a decimal number"),
        (of(Kind.F64), ["1e400"], "beyond the largest f64"),
        (STATUS, ["active"], "demo.Status has no constant 'active'"),
        (list_of(of(Kind.I32)), ["1", "x"], r"\[1\]: expected an integer"),
        (set_of(of(Kind.I32)), ["1", "1"], "stands twice"),
        (MAKER, ["m"], "not JSON"),
        (ANY, ["m"], "not JSON"),
    ],
)
def test_a_refusal_says_why(ref: TypeRef, texts: list[str], message: str) -> None:
    with pytest.raises(ValueMappingError, match=message):
        compile_text_reader(ref, CONTRACT)(texts)


def test_an_empty_list_is_not_null() -> None:
    ref = list_of(of(Kind.I32)).optional()
    assert compile_text_reader(ref, CONTRACT)([]) is None
    assert compile_text_writer(ref, CONTRACT)(None) == []
    with pytest.raises(ValueMappingError, match="an empty list cannot be told from null here"):
        compile_text_writer(ref, CONTRACT)([])
