import functools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.contracts import I64, NO_CALL, Call, check_implementation, contract_of, method, service
from gateway.contracts.implementation import bind_implementation
from gateway.model.errors import ContractError


@service("shop.Orders")
class Orders:
    async def find(self, order_id: I64, note: str = "") -> str: ...  # type: ignore[empty-body]

    @method(name="find")
    async def find_by_name(self, name: str) -> str: ...  # type: ignore[empty-body]


CONTRACT = contract_of(Orders)


class Good:
    def find(self, number: int, text: str, extra: int = 0) -> str:
        return f"{number}{text}{extra}"

    async def find_by_name(self, *args: Any) -> str:
        return str(args)


def reasons(implementation: object) -> str:
    with pytest.raises(ContractError) as caught:
        check_implementation(CONTRACT, implementation)
    return str(caught.value)


def test_names_of_parameters_do_not_matter() -> None:
    bound = bind_implementation(CONTRACT, Good())
    assert bound["find"].function(1, "a") == "1a0"
    assert bound["find"].call_parameter is None
    assert bound["find_by_name"].contract is CONTRACT.methods[1]


def test_all_that_is_wrong_is_named_together() -> None:
    class Bad:
        find = 3

    text = reasons(Bad())
    assert "Bad does not implement shop.Orders:" in text
    assert "Bad.find: it is not callable; find(i64, string) -> string" in text
    assert "Bad.find_by_name: it is missing; find(string) -> string" in text


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda number: "", "it does not take 2 arguments by position (too many positional arguments)"),
        (lambda number, text, more: "", "missing a required argument: 'more'"),
        (lambda number, *, text: "", "it does not take 2 arguments by position"),
        (lambda number, text, *, flag: "", "'flag')"),
    ],
)
def test_parameters_must_fit_by_position(function: Any, reason: str) -> None:
    implementation = Good()
    implementation.find = function  # type: ignore[method-assign]
    assert reason in reasons(implementation)


def test_a_generator_is_no_method() -> None:
    class Streaming(Good):
        async def find(self, number: int, text: str) -> AsyncIterator[str]:  # type: ignore[override]
            yield text

    assert "a generator gives a stream; return a list" in reasons(Streaming())


def test_a_class_is_no_implementation() -> None:
    assert "Good is a class; shop.Orders is served by an instance of it" in reasons(Good)


def test_partials_and_builtins_are_taken() -> None:
    implementation = Good()
    implementation.find = functools.partial(implementation.find, extra=7)  # type: ignore[method-assign]
    assert bind_implementation(CONTRACT, implementation)["find"].function(1, "a") == "1a7"
    implementation.find_by_name = print  # type: ignore[method-assign,assignment]
    check_implementation(CONTRACT, implementation)


def test_the_call_is_found_by_its_type() -> None:
    class WithCall(Good):
        def find(self, number: int, text: str, *, current: Call = NO_CALL) -> str:  # type: ignore[override]
            return current.consumer

        async def find_by_name(self, name: str, call: "Call | None" = None) -> str:  # type: ignore[override]
            return name

    bound = bind_implementation(CONTRACT, WithCall())
    assert bound["find"].call_parameter == "current"
    assert bound["find"].function(1, "a", current=Call(consumer="shop")) == "shop"
    assert bound["find_by_name"].call_parameter is None


def test_a_hint_as_text_is_read_where_it_stands() -> None:
    class WithCall(Good):
        def find(self, number: "Unknown", text: str, call: "Call") -> str:  # type: ignore  # noqa: F821
            return call.consumer

    bound = bind_implementation(CONTRACT, WithCall())
    assert bound["find"].call_parameter == "call"


def test_the_call_stands_behind_the_arguments() -> None:
    class First(Good):
        def find(self, call: Call, number: int, text: str) -> str:  # type: ignore[override]
            return ""

    class Both(Good):
        def find(self, number: int, text: str, one: Call, *, two: Call) -> str:  # type: ignore[override]
            return ""

    assert "the Call parameter call stands before an argument; make it keyword-only" in reasons(First())
    assert "both one and two want the Call" in reasons(Both())
