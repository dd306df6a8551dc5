import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from gateway.cluster.merger import is_merger, merger
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import ContractError, ProviderFailed, Retry, ValueMappingError
from gateway.model.typeref import Kind, TypeRef

STRING = TypeRef(Kind.STRING)
I8, I64, F64, DECIMAL = TypeRef(Kind.I8), TypeRef(Kind.I64), TypeRef(Kind.F64), TypeRef(Kind.DECIMAL)
LIST = TypeRef(Kind.LIST, (STRING,))
TUPLE = TypeRef(Kind.LIST, (STRING,), hints=(("python", "tuple"),))
SET = TypeRef(Kind.SET, (STRING,))
MAP = TypeRef(Kind.MAP, (STRING, I64))


def average(values: list[Any]) -> Any:
    return sum(each for each in values if each is not None) // len(values)


def broken(values: list[Any]) -> Any:
    raise KeyError("no")


NOT_A_FUNCTION = 5


def merged(name: str, ref: TypeRef, values: Sequence[Any]) -> Any:
    method = MethodContract("get", (), ref, "get")
    return merger(name, method, ServiceContract("test.Shop", (method,)))(values)


@pytest.mark.parametrize(
    ("name", "ref", "values", "result"),
    [
        ("auto", LIST, [["a"], ["b", "a"]], ["a", "b", "a"]),
        ("list", TUPLE, [("a",), ("b",)], ("a", "b")),
        ("auto", SET, [{"a"}, {"b", "a"}], {"a", "b"}),
        ("auto", MAP, [{"a": 1, "b": 1}, {"b": 2}], {"a": 1, "b": 2}),
        ("auto", LIST.optional(), [None, ["b"], None], ["b"]),
        ("auto", LIST.optional(), [None, None], None),
        ("auto", TypeRef(Kind.NULL), [None, None], None),
        ("sum", I64, [1, 2, 3], 6),
        ("sum", F64, [0.5, 0.25], 0.75),
        ("sum", DECIMAL, [Decimal("1E+30"), Decimal("0.1")], Decimal("1000000000000000000000000000000.1")),
        ("sum", TypeRef(Kind.DURATION), [dt.timedelta(1), dt.timedelta(2)], dt.timedelta(3)),
        ("sum", I64.optional(), [None, 4], 4),
        ("tests.unit.cluster.test_merger:average", I64, [1, 2, 6], 3),
    ],
)
def test_answers_become_one(name: str, ref: TypeRef, values: Sequence[Any], result: Any) -> None:
    found = merged(name, ref, values)
    assert found == result
    assert type(found) is type(result)


@pytest.mark.parametrize(
    ("name", "ref", "problem"),
    [
        ("auto", I64, "not merged by themselves; say sum, first or a function"),
        ("auto", STRING, "say first or a function"),
        ("list", SET, r"get\(\) -> set<string> cannot be merged by list"),
        ("sum", LIST, "cannot be merged by sum"),
        ("map", LIST, "cannot be merged by map"),
    ],
)
def test_what_cannot_be_merged_is_refused_before_any_call(name: str, ref: TypeRef, problem: str) -> None:
    with pytest.raises(ValueMappingError, match=problem):
        merged(name, ref, [])


@pytest.mark.parametrize(
    ("name", "problem"),
    [("tests.nowhere:merge", "no module"), ("tests.unit.cluster.test_merger:NOT_A_FUNCTION", "is not a function")],
)
def test_functions_that_do_not_exist_are_refused(name: str, problem: str) -> None:
    with pytest.raises(ContractError, match=problem):
        merged(name, LIST, [])


@pytest.mark.parametrize(
    ("name", "ref", "values", "problem"),
    [
        ("sum", I8, [100, 100], "the merged answers do not fit: .*i8"),
        ("tests.unit.cluster.test_merger:average", LIST, [1, 2], "the merged answers do not fit"),
        ("tests.unit.cluster.test_merger:broken", I64, [1, 2], "merging the answers failed: KeyError"),
        ("sum", TypeRef(Kind.DURATION), [dt.timedelta.max, dt.timedelta(1)], "have no sum: OverflowError"),
        ("sum", DECIMAL, [Decimal("1E+20000"), Decimal("1")], "have no sum: Inexact"),
    ],
)
def test_a_merge_that_fails_is_trouble_that_repeating_does_not_help(
    name: str, ref: TypeRef, values: Sequence[Any], problem: str
) -> None:
    with pytest.raises(ProviderFailed, match=problem) as caught:
        merged(name, ref, values)
    assert caught.value.retry is Retry.NEVER


def test_without_a_contract_values_are_merged_by_what_they_are() -> None:
    assert merger("auto", None, None)([[1], ["a"]]) == [1, "a"]
    assert merger("auto", None, None)([{"a": 1}, {"b": 2}]) == {"a": 1, "b": 2}
    assert merger("sum", None, None)([1, 2]) == 3
    for name, values in (("auto", [1, 2]), ("auto", [[1], {"a": 1}]), ("list", ["ab", "cd"]), ("sum", [1, "a"])):
        with pytest.raises(ProviderFailed, match="cannot be merged"):
            merger(name, None, None)(values)


def test_values_of_the_providers_are_not_changed() -> None:
    first, second = ["a"], ["b"]
    merged("list", LIST, [first, second])
    assert (first, second) == (["a"], ["b"])


def test_names_of_mergers() -> None:
    assert all(map(is_merger, ("auto", "list", "set", "map", "sum", "first", "package.module:function")))
    assert not is_merger("lst")
