"""Our Hessian codec against the two lines of hessian-lite that stock Dubbo uses, both alive in this test."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.model.generic import BigInt, JavaDate, Long, Record, TypedList
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.writer import Writer
from protocols.reader import Limits
from tests.support.hessian_lite import HESSIAN_LITE_3, HESSIAN_LITE_4, Sample, load_samples
from tests.support.hessian_notation import canonical, to_notation
from tests.support.java_peer import BUILD_TIMEOUT, Oracle, OracleError, Peers

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT, pytest.mark.direction("codec ↔ codec")]

ORACLES = ("oracle-hl3", "oracle-hl4")
SAMPLES = {"oracle-hl3": load_samples(HESSIAN_LITE_3), "oracle-hl4": load_samples(HESSIAN_LITE_4)}

NOT_HELD = {"date/edges"}
"""Samples with dates beyond the year 9999: they are refused, not changed."""

DEEP = Limits(max_depth=500)
"""For the sample of 200 objects in a ring."""


@pytest.fixture(scope="module", params=ORACLES)
def module(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def oracle(module: str, peers: Peers) -> Oracle:
    return peers.oracle(module)


def read_all(data: bytes) -> list[Any]:
    reader = Reader(data, limits=DEEP)
    values = []
    while not reader.at_end:
        values.append(reader.read())
    return values


def write_all(values: list[Any]) -> bytes:
    writer = Writer(DEEP)
    for value in values:
        writer.write(value)
    return bytes(writer.out)


@pytest.mark.parametrize(
    ("module", "sample"),
    [
        pytest.param(module, sample, id=f"{module}-{sample.name}")
        for module in ORACLES
        for sample in SAMPLES[module]
        if sample.decoded is not None  # hessian-lite reads its own bytes
    ],
)
def test_java_reads_our_copy_as_it_reads_its_own_bytes(module: str, sample: Sample, peers: Peers) -> None:
    assert sample.data is not None
    if sample.name in NOT_HELD:
        with pytest.raises(HessianError):
            read_all(sample.data)
        return
    oracle = peers.oracle(module)
    copy = write_all(read_all(sample.data))
    assert oracle.decode(copy) == oracle.decode(sample.data)


TEXTS = st.text(st.characters(codec=None), max_size=80) | st.text(st.characters(codec="ascii"), max_size=2000)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1).map(Long),
    st.integers(-(2**200), 2**200).map(BigInt),
    st.floats(),
    TEXTS,
    st.binary(max_size=5000),
    st.decimals(allow_nan=False, allow_infinity=False).map(lambda value: value + 0),  # BigDecimal has no -0
    st.dates(date(1, 1, 1)),
    st.times(),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(),
    st.timedeltas(),
    st.uuids(),
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(
        lambda value: JavaDate(*value.timetuple()[:6], value.microsecond // 1000 * 1000, UTC)
    ),
)
KEYS = TEXTS | st.integers(-(2**31), 2**31 - 1)
VALUES = st.recursive(
    SCALARS,
    lambda values: st.one_of(
        st.lists(values, max_size=12),
        st.sets(KEYS, max_size=5),
        st.dictionaries(KEYS, values, max_size=5),
        st.lists(st.integers(-(2**31), 2**31 - 1), max_size=12).map(lambda items: TypedList("[int", items)),
        st.lists(st.none() | TEXTS, max_size=3).map(lambda items: TypedList("[string", items)),
        st.lists(values, max_size=3).map(lambda items: TypedList("[object", items)),
        st.builds(
            lambda x, y: Record("t.Point", {"x": x, "y": y}),
            st.integers(-(2**31), 2**31 - 1),
            st.integers(-(2**31), 2**31 - 1),
        ),
    ),
    max_leaves=20,
)

modestly = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,  # a run that fails must fail again; random values are for `make fuzz`
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.direction("codec ↔ codec", quick=True)
@modestly
@given(st.lists(VALUES, min_size=1, max_size=3))
@example([-0.0, math.inf, -math.inf, math.nan, 5e-324, 2147483.647, -2147483.648, 1e22])
@example([2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**31, -(2**31) - 1])
@example(["x" * 32767 + "\U0001f600" + "y", "\0", "\ud83d", "\ude00\ud83d", "\U0001f600" * 40000])
@example([bytes(range(256)) * 300, Decimal("1E+30"), Decimal("0.00"), timedelta(microseconds=-1), time(23, 59)])
def test_java_reads_what_we_write(oracle: Oracle, values: list[Any]) -> None:
    described = oracle.decode(write_all(values))
    assert canonical(described) == [to_notation(value) for value in values]


@modestly
@given(st.lists(VALUES, min_size=2, max_size=4), st.data())
def test_java_finds_what_values_share_beside_uuids(oracle: Oracle, values: list[Any], data: st.DataObject) -> None:
    values.insert(data.draw(st.integers(0, len(values))), UUID(int=1))
    again = data.draw(st.lists(st.sampled_from(values), max_size=6))
    described = oracle.decode(write_all([*values, again]))
    assert canonical(expanded(described)) == [to_notation(value) for value in [*values, again]]


UUID_CASES: dict[str, Callable[[], list[Any]]] = {
    "the same uuid twice": lambda: [UUID(int=1)] * 2,
    "before and after": lambda: [early := ["early"], UUID(int=1), late := ["late"], ["other"], late, early],
    "after several": lambda: [[early := {"k": 1}, UUID(int=1), UUID(int=2), late := Decimal("1.5"), late, early]],
    "in a map": lambda: [{"u": UUID(int=1), "a": (late := ["late"]), "b": late}, late],
    "as a record": lambda: [Record("java.util.UUID", {"value": str(UUID(int=1))}), late := ["late"], ["other"], late],
}


@pytest.mark.parametrize("case", UUID_CASES)
def test_java_finds_the_same_values_after_a_uuid(oracle: Oracle, case: str) -> None:
    # The two lines number what follows differently: one of them would find another value by a reference to it.
    values = UUID_CASES[case]()
    wanted = [to_notation(UUID(value["value"]) if isinstance(value, Record) else value) for value in values]
    assert canonical(expanded(oracle.decode(write_all(values)))) == wanted


def test_hessian_lite_3_gives_a_uuid_no_slot_when_it_reads(module: str, oracle: Oracle) -> None:
    # Why we write no such references. Should a release of line 3 change this, the rule can go.
    uuid = {"text": str(UUID(int=1)), "type": "java.util.UUID"}
    late, other = ({"list": [text], "type": "java.util.ArrayList"} for text in ("late", "other"))
    found = expanded(oracle.decode(oracle.encode(uuid, {**late, "id": 1}, other, {"$ref": 1})))
    assert found == [uuid, late, other, other if module == "oracle-hl3" else late]


def expanded(described: Any) -> Any:
    """Java's description with every `$ref` replaced by what it refers to; for values without cycles."""
    known: dict[int, Any] = {}

    def expand(part: Any) -> Any:
        if isinstance(part, list):
            return [expand(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return known[part["$ref"]]
        whole = {key: expand(item) for key, item in part.items() if key != "id"}
        if "id" in part:
            known[part["id"]] = whole
        return whole

    return expand(described)


@modestly
@given(st.lists(VALUES, min_size=1, max_size=3))
def test_we_read_what_java_writes(oracle: Oracle, values: list[Any]) -> None:
    wanted = [to_notation(value) for value in values]
    data = oracle.encode(*wanted)
    # Java describes its own bytes as well, so that only our reading is in question: a HashMap has its own order,
    # and -0.0 is written as 0.0.
    assert oracle.decode(write_all(read_all(data))) == oracle.decode(data)


def test_shared_and_cyclic_values_arrive_as_such(oracle: Oracle) -> None:
    shared = ["s"]
    own: list[Any] = [shared, shared, Decimal("1.5")]
    own.append(own)
    user = Record("t.User", {"name": "ann", "age": 7, "id": Long(9), "tags": ["p"]})
    user["next"] = user
    assert oracle.decode(write_all([own, user, shared])) == [
        {
            "id": 0,
            "list": [
                {"id": 1, "list": ["s"], "type": "java.util.ArrayList"},
                {"$ref": 1},
                {"decimal": "1.5"},
                {"$ref": 0},
            ],
            "type": "java.util.ArrayList",
        },
        {
            "id": 2,
            "object": "t.User",
            "fields": {
                "name": "ann",
                "age": 7,
                "id": {"long": 9},
                "tags": {"list": ["p"], "type": "java.util.ArrayList"},
                "next": {"$ref": 2},
            },
        },
        {"$ref": 1},
    ]


@pytest.mark.parametrize(
    ("value", "java_type", "expected"),
    [
        (1, "long", {"long": 1}),
        (Long(1), "int", 1),
        (1, "double", {"double": "1.0"}),
        (7, "java.lang.Byte", {"byte": 7}),
        ("a", "char", {"char": "a"}),
        ([1, 2], "int[]", {"list": [1, 2], "type": "int[]"}),
        (["a"], "java.util.Set", {"list": ["a"], "type": "java.util.HashSet"}),
        ({"x": 1, "y": 2}, "t.Point", {"object": "t.Point", "fields": {"x": 1, "y": 2}}),
        (Record("t.Color", {"name": "RED"}), "t.Color", {"enum": "t.Color", "name": "RED"}),
        (JavaDate(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "java.util.Date", {"date": 1000}),
    ],
)
def test_java_fits_our_values_to_declared_types(oracle: Oracle, value: Any, java_type: str, expected: Any) -> None:
    assert oracle.decode(write_all([value]), java_type) == [expected]


def test_the_oracle_reports_rubbish(oracle: Oracle) -> None:
    with pytest.raises(OracleError):
        oracle.decode(b"\x40")
