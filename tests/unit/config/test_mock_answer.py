"""Mocks as they are written: Dubbo's grammar, the mapping, and what becomes of both under a contract."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from gateway.config.mock_answer import mock_answer
from gateway.config.sections.mock import mock_config
from gateway.contracts import I32, contract_of, method, service
from gateway.model.call import Fault, Ok
from gateway.model.errors import ProviderFailed, Retry, ValueMappingError
from gateway.model.fault import ServiceError


class Color(Enum):
    RED = 1


@dataclass
class Item:
    name: str
    count: I32 = 0


@dataclass
class Empty:
    note: str | None = None


class Gone(ServiceError):
    item_id: I32


@service(name="test.Shop")
class Shop:
    async def nothing(self) -> None: ...
    async def flag(self) -> bool: ...
    async def number(self) -> I32: ...
    async def price(self) -> Decimal: ...
    async def text(self) -> str: ...
    async def maybe(self) -> str | None: ...
    async def day(self) -> dt.date: ...
    async def color(self) -> Color: ...
    @method(throws=(Gone,))
    async def item(self) -> Item: ...
    async def empty(self) -> Empty: ...
    async def items(self) -> list[Item]: ...
    async def names(self) -> set[str]: ...
    async def stock(self) -> dict[str, I32]: ...
    async def anything(self) -> Any: ...


CONTRACT = contract_of(Shop)


def made(mock: Any, name: str) -> Any:
    return mock_answer(mock_config(mock), CONTRACT.overloads(name)[0], CONTRACT)()


def returned(mock: Any, name: str) -> Any:
    result = made(mock, name)
    assert isinstance(result, Ok)
    return result.value


@pytest.mark.parametrize(
    ("mock", "when"),
    [
        ("return null", "fail"),
        ("fail:return null", "fail"),
        ("fail: return null", "fail"),
        ("force:return null", "force"),
        ("force: return", "force"),
        ("  throw  ", "fail"),
        ("force:throw demo.X", "force"),
        ("false", "never"),
        (False, "never"),
        ({"return": 1}, "fail"),
        ({"when": "force"}, "force"),
    ],
)
def test_when_a_mock_answers(mock: Any, when: str) -> None:
    assert mock_config(mock).when == when


@pytest.mark.parametrize(
    "mock", ["true", "default", "force", "fail", "com.acme.CatalogMock", "returns 1", "force:", "", True, 5]
)
def test_what_is_no_mock_is_refused(mock: Any) -> None:
    with pytest.raises(ValueError, match="mock: "):
        mock_config(mock)


@pytest.mark.parametrize(
    ("mock", "problem"),
    [
        ({"return": 1, "throw": "X"}, "returns or throws, not both"),
        ({"fields": {"a": 1}}, "for a mock that throws"),
        ({"when": "sometimes"}, "'sometimes' is not one of fail, force, never"),
        ({"retrun": 1}, "retrun"),
    ],
)
def test_mappings_that_make_no_sense_are_refused(mock: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        mock_config(mock)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("null", "nothing", None),
        ("", "maybe", None),
        ("true", "flag", True),
        ("5", "number", 5),
        ("5", "text", "5"),
        ("true", "text", "true"),
        ("1.10", "price", Decimal("1.10")),
        ("some text", "text", "some text"),
        ('"null"', "maybe", "null"),
        ("'a b'", "text", "a b"),
        ("empty", "text", ""),
        ("empty", "maybe", ""),
        ("empty", "items", []),
        ("empty", "names", set()),
        ("empty", "stock", {}),
        ("empty", "empty", Empty()),
        ("2026-11-28", "day", dt.date(2026, 11, 28)),
        ("RED", "color", Color.RED),
        ('{"name": "x"}', "item", Item("x", 0)),
        ('[{"name": "x", "count": 2}]', "items", [Item("x", 2)]),
        ('["a", "b"]', "names", {"a", "b"}),
        ('{"a": 1}', "stock", {"a": 1}),
        ('{"a": 1}', "anything", {"a": 1}),
    ],
)
def test_text_after_return_is_what_the_type_makes_of_it(text: str, name: str, value: Any) -> None:
    assert returned(f"return {text}", name) == value


@pytest.mark.parametrize(
    ("mock", "name", "problem"),
    [
        ("return null", "text", r"text\(\) -> string cannot return this: null where string is required"),
        ("return null", "number", r"number\(\) -> i32 cannot return this: null where i32 is required"),
        ("return 3000000000", "number", "does not fit i32"),
        ("return empty", "item", "field 'name' of .* is missing"),
        ({"return": "5"}, "number", "expected i32, found a text"),
        ({"return": {"nmae": "x"}}, "item", "name"),
        ("return BLUE", "color", "no constant 'BLUE'"),
        ({"throw": "test.Nope", "fields": {"a": 1}}, "item", "no exception of the contract"),
    ],
)
def test_values_that_do_not_fit_the_type_are_refused(mock: Any, name: str, problem: str) -> None:
    with pytest.raises(ValueMappingError, match=problem):
        made(mock, name)


def test_values_of_a_mapping_mean_what_they_are() -> None:
    assert returned({"return": "5"}, "text") == "5"
    assert returned({"return": [{"name": "x"}]}, "items") == [Item("x")]
    assert returned({"when": "force"}, "maybe") is None


def test_each_call_gets_a_value_of_its_own() -> None:
    answer = mock_answer(mock_config("return []"), CONTRACT.overloads("items")[0], CONTRACT)
    first, second = answer(), answer()
    assert isinstance(first, Ok)
    assert isinstance(second, Ok)
    assert first.value is not second.value


def test_an_exception_of_the_contract_is_thrown_with_its_fields() -> None:
    name = CONTRACT.overloads("item")[0].throws[0].name
    fault = made({"throw": name, "message": "sold out", "fields": {"item_id": 7}}, "item")
    assert isinstance(fault, Fault)
    assert (fault.type_name, fault.message, dict(fault.fields), fault.declared) == (
        name,
        "sold out",
        {"item_id": 7},
        True,
    )
    with pytest.raises(ValueMappingError, match="item_id"):
        made(f"throw {name}", "item")


def test_any_other_class_is_thrown_by_name() -> None:
    fault = made("throw java.lang.IllegalStateException", "number")
    assert isinstance(fault, Fault)
    assert (fault.type_name, fault.message, fault.declared) == ("java.lang.IllegalStateException", "mocked", False)


def test_throw_alone_is_a_call_without_an_answer_that_nobody_repeats() -> None:
    with pytest.raises(ProviderFailed, match="mocked") as caught:
        made("force:throw", "number")
    assert caught.value.retry is Retry.NEVER
    assert caught.value.exhausted


def test_without_a_contract_values_are_json() -> None:
    for text, value in (("null", None), ("[1, true]", [1, True]), ("hello", "hello"), ("'1'", "1")):
        result = mock_answer(mock_config(f"return {text}"), None, None)()
        assert isinstance(result, Ok)
        assert result.value == value
