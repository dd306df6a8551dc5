"""Whatever JSON comes in, it is read or refused; whatever value of a scalar goes out, it comes back."""

import json
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.contracts.values import compile_check
from gateway.jsonform import compile_reader, compile_writer, format_json, parse_json
from gateway.jsonform.generic import read_generic, to_json_generic
from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind, TypeRef
from protocols.corpus.contract import ANY, EVERYTHING, FAILURE, MAKER, STATUS, of
from protocols.testing import CONTRACT, KEYS, difference

TYPES = list(
    dict.fromkeys(
        [each.returns for each in CONTRACT.methods]
        + [case.type for case in KEYS]
        + [MAKER, STATUS, EVERYTHING, FAILURE, ANY]
    )
)

TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["ACTIVE", "NaN", "-Infinity", "PT1S", "2026-01-01", "2026-01-01T00:00:00Z", "AA==", "demo.Maker"]),
    st.from_regex(r"-?P?T?[0-9.,]{1,9}[HMSDW]?", fullmatch=True),
    st.from_regex(r"[0-9+-]{1,3}[.eE][0-9+-]{1,12}", fullmatch=True),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), TEXTS)
NAMES = st.one_of(TEXTS, st.sampled_from(["class", "name", "parent", "code", "message", "any", "string", "x", "y"]))
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(value=JSON, ref=st.sampled_from(TYPES))
def test_json_is_read_or_refused(value: Any, ref: TypeRef) -> None:
    try:
        read = compile_reader(ref, CONTRACT)(value)
    except ValueMappingError:
        return
    assert compile_check(ref, CONTRACT)(read) is read
    again = compile_reader(ref, CONTRACT)(parse_json(format_json(compile_writer(ref, CONTRACT)(read))))
    if ref.kind is not Kind.ANY and ref is not EVERYTHING:
        assert difference(read, again) is None


@settings(max_examples=300, deadline=None)
@given(value=JSON)
def test_generic_json_is_read_and_written(value: Any) -> None:
    json.dumps(to_json_generic(read_generic(value)), allow_nan=False)


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet='{}[]",:0123456789.eE+- tfn\\u', max_size=40))
def test_text_is_json_or_refused(text: str) -> None:
    try:
        expected = json.loads(text, object_pairs_hook=lambda pairs: pairs)
    except ValueError:
        with pytest.raises(ValueMappingError):
            parse_json(text)
        return
    if has_key_twice(expected):
        with pytest.raises(ValueMappingError, match="stands twice"):
            parse_json(text)
    else:
        json.dumps(to_json_generic(parse_json(text)), allow_nan=False)


def has_key_twice(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    if value and all(isinstance(each, tuple) for each in value):
        keys = [key for key, _ in value]
        return len(set(keys)) != len(keys) or any(has_key_twice(each) for _, each in value)
    return any(has_key_twice(each) for each in value)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Kind.I64, st.integers(-(2**63), 2**63 - 1)),
        (Kind.BIGINT, st.integers()),
        (Kind.F64, st.floats()),
        (Kind.F32, st.floats(width=32)),
        (Kind.DECIMAL, st.decimals(allow_nan=False, allow_infinity=False)),
        (Kind.STRING, st.text()),
        (Kind.BYTES, st.binary()),
        (Kind.DATE, st.dates()),
        (Kind.TIME, st.times()),
        (Kind.DATETIME, st.datetimes(timezones=st.just(UTC))),
        (Kind.LOCAL_DATETIME, st.datetimes()),
        (Kind.DURATION, st.timedeltas(timedelta.min, timedelta.max)),
        (Kind.UUID, st.uuids()),
    ],
    ids=str,
)
def test_scalars_come_back(kind: Kind, values: st.SearchStrategy[Any]) -> None:
    @settings(max_examples=200, deadline=None)
    @given(value=values)
    def run(value: Any) -> None:
        ref = of(kind)
        text = format_json(compile_writer(ref, CONTRACT)(value))
        assert difference(value, compile_reader(ref, CONTRACT)(parse_json(text))) is None

    run()
