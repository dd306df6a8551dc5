from collections import ChainMap, OrderedDict, deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest

from gateway.contracts.values import Checker, compile_check
from gateway.model.contract import Field, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.generic import Long, TypedList
from gateway.model.scalar import round_to_single
from gateway.model.typeref import Kind, TypeRef
from protocols.corpus.contract import MAKER, STATUS, list_of, map_of, of, set_of
from protocols.testing import CONTRACT, CORPUS, KEYS, MISFITS, Case, Maker, Misfit, Status, TypesFailure, difference

CHECKER = Checker(CONTRACT)


def check(value: Any, ref: TypeRef) -> Any:
    return CHECKER.compile(ref)(value)


def shown(value: Any) -> str:
    if isinstance(value, memoryview):
        return f"memory of {bytes(value)!r}"
    return f"{value:x}"[:30] if isinstance(value, int) else str(value)[:30]


@pytest.mark.parametrize("case", [*CORPUS, *KEYS], ids=lambda case: case.name)
def test_a_contract_value_is_returned_as_it_is(case: Case) -> None:
    assert check(case.value, case.type) is case.value


@pytest.mark.parametrize("misfit", MISFITS, ids=lambda misfit: misfit.name)
def test_a_misfit_is_refused(misfit: Misfit) -> None:
    with pytest.raises(ValueMappingError):
        check(misfit.value, misfit.type)


class Number(IntEnum):
    ONE = 1


class Word(StrEnum):
    A = "a"


@pytest.mark.parametrize(
    ("value", "ref", "expected"),
    [
        (Long(7), of(Kind.I32), 7),
        (Number.ONE, of(Kind.I8), 1),
        (3, of(Kind.F64), 3.0),
        (1 << 53, of(Kind.F64), 9007199254740992.0),
        (1, of(Kind.F32), 1.0),
        (0.1, of(Kind.F32), 0.10000000149011612),
        (3, of(Kind.DECIMAL), Decimal(3)),
        (Word.A, of(Kind.STRING), "a"),
        (Word.A, of(Kind.CHAR), "a"),
        (bytearray(b"ab"), of(Kind.BYTES), b"ab"),
        (memoryview(b"ab"), of(Kind.BYTES), b"ab"),
        (
            datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            of(Kind.DATETIME),
            datetime(2026, 1, 1, tzinfo=UTC),
        ),
        ((1, 2), list_of(of(Kind.I32)), [1, 2]),
        (deque([1]), list_of(of(Kind.I32)), [1]),
        (range(2), list_of(of(Kind.I32)), [0, 1]),
        (TypedList("x", [1]), list_of(of(Kind.I32)), [1]),
        ([Long(1)], list_of(of(Kind.I32)), [1]),
        ([1], TypeRef(Kind.LIST, (of(Kind.I32),), hints=(("python", "tuple"),)), (1,)),
        (frozenset({"a"}), set_of(of(Kind.STRING)), {"a"}),
        ({"a"}, TypeRef(Kind.SET, (of(Kind.STRING),), hints=(("python", "frozenset"),)), frozenset({"a"})),
        ({"a": 1}.keys(), set_of(of(Kind.STRING)), {"a"}),
        (OrderedDict(a=1), map_of(of(Kind.STRING), of(Kind.I32)), {"a": 1}),
        (ChainMap({"a": 1}), map_of(of(Kind.STRING), of(Kind.I32)), {"a": 1}),
        ({1: 2}, map_of(of(Kind.I32), of(Kind.F64)), {1: 2.0}),
        (None, of(Kind.I32, nullable=True), None),
        (None, of(Kind.NULL), None),
    ],
    ids=shown,
)
def test_what_stands_for_a_value_becomes_it(value: Any, ref: TypeRef, expected: Any) -> None:
    assert difference(expected, check(value, ref)) is None


@pytest.mark.parametrize(
    ("value", "ref", "message"),
    [
        ((1 << 53) + 1, of(Kind.F64), "no f64 holds exactly"),
        (10**400, of(Kind.F64), "no f64 holds exactly"),
        (1 << 16610, of(Kind.I64), "an integer of 16611 bits does not fit i64"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), of(Kind.DATETIME), "the year is not between"),
        ({1.5, 1.5000000000000002}, set_of(of(Kind.F32)), "elements of set<f32> that differ become the same"),
        ({1.5: 1, 1.5000000000000002: 2}, map_of(of(Kind.F32), of(Kind.I32)), "keys of map<f32,i32> that differ"),
        (0, of(Kind.NULL), "expected null, found int"),
        (None, list_of(of(Kind.I32)), "null where list<i32> is required"),
    ],
    ids=shown,
)
def test_a_refusal_says_why(value: Any, ref: TypeRef, message: str) -> None:
    with pytest.raises(ValueMappingError, match=message):
        check(value, ref)


@pytest.mark.parametrize(
    ("value", "ref", "path"),
    [
        ([[1], ["x"]], list_of(list_of(of(Kind.I32))), "[1][0]"),
        ({"a": [1, None]}, map_of(of(Kind.STRING), list_of(of(Kind.I32))), "['a'][1]"),
        ({1: 1}, map_of(of(Kind.STRING), of(Kind.I32)), "[key 0]"),
        ({"k" * 99: None}, map_of(of(Kind.STRING), of(Kind.I32)), f"['{'k' * 39}…]"),
        ([Maker("m", None, Maker(1))], list_of(MAKER), "[0].parent.name"),  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_a_refusal_says_where(value: Any, ref: TypeRef, path: str) -> None:
    with pytest.raises(ValueMappingError) as caught:
        check(value, ref)
    assert caught.value.path == path


def test_only_what_changes_is_copied() -> None:
    inner = Maker("inner")
    outer = Maker("outer", Word.A, inner)
    checked = check(outer, MAKER)
    assert checked is not outer
    assert checked.parent is inner
    assert type(checked.country) is str
    assert outer.country is Word.A


def test_a_value_that_contains_itself_is_checked_once() -> None:
    loop = Maker("loop")
    loop.parent = loop
    assert check(loop, MAKER) is loop
    loop.country = Word.A
    with pytest.raises(ValueMappingError, match="contains itself"):
        check(loop, MAKER)
    loop.country = 3  # type: ignore[assignment]
    with pytest.raises(ValueMappingError, match=r"\.country: expected string, found int"):
        check(loop, MAKER)


def test_depth_is_bounded() -> None:
    chain = Maker("last")
    for _ in range(63):
        chain = Maker("next", None, chain)
    assert check(chain, MAKER) is chain
    with pytest.raises(ValueMappingError, match="structs nested deeper than 64 levels"):
        check(Maker("next", None, chain), MAKER)


def test_a_subclass_is_not_taken_for_its_base() -> None:
    @dataclass
    class BigMaker(Maker):
        size: int = 0

    with pytest.raises(ValueMappingError, match=r"expected demo\.Maker, found .*BigMaker"):
        check(BigMaker("m"), MAKER)


def test_attributes_never_set_become_their_default() -> None:
    @dataclass(slots=True)
    class Box:
        name: str
        tags: list[str]

    text = of(Kind.STRING)
    box = StructType(
        "Box", Box, (Field("name", text, "name"), Field("tags", list_of(text), "tags", default_factory=list))
    )
    contract = ServiceContract("Boxes", (), MappingProxyType({"Box": box}))
    ref = TypeRef(Kind.STRUCT, name="Box")
    half = object.__new__(Box)
    half.name = "n"
    assert compile_check(ref, contract)(half) == Box("n", [])
    with pytest.raises(ValueMappingError, match="name: the attribute is not set"):
        compile_check(ref, contract)(object.__new__(Box))


def test_an_exception_keeps_its_text() -> None:
    ref = TypeRef(Kind.EXCEPTION, name="demo.TypesFailure")
    failure = TypesFailure("text", code=Long(7))
    checked = check(failure, ref)
    assert difference(checked, TypesFailure("text", code=7)) is None


def test_an_enum_of_another_class_is_refused() -> None:
    assert check(Status.ACTIVE, STATUS) is Status.ACTIVE
    with pytest.raises(
        ValueMappingError, match=r"expected demo\.Status, found Number; use Status\.ACTIVE and the like"
    ):
        check(Number.ONE, STATUS)


def test_any_takes_anything() -> None:
    marker = object()
    assert check(marker, TypeRef(Kind.ANY, nullable=True)) is marker
    assert check(marker, TypeRef(Kind.ANY)) is marker


def test_singles_are_rounded_to_the_nearest() -> None:
    assert round_to_single(16777217.0) == 16777216.0
    assert round_to_single(3.4028235e38) == 3.4028234663852886e38
    with pytest.raises(ValueMappingError):
        round_to_single(3.5e38)


def test_checks_are_compiled_once_per_type() -> None:
    checker = Checker(replace(CONTRACT))
    first, second = checker.compile(MAKER), checker.compile(list_of(MAKER))
    assert first(Maker("m")) == Maker("m")
    assert second([Maker("m")]) == [Maker("m")]
