"""Which overload a call means."""

from __future__ import annotations

from typing import Any, Protocol

import pytest

from gateway.contracts import I32, I64, contract_of, method, service
from gateway.model.errors import BadRequest
from protocols.http_json.service import ServiceBinding, bind_arguments
from protocols.overloads import ArgumentError


@service("shop.Finder")
class Finder(Protocol):
    async def find(self, id: I64) -> str: ...

    @method(name="find")
    async def find_by_name(self, name: str) -> str: ...

    @method(name="find")
    async def find_flagged(self, flag: bool, limit: I32 = 1) -> str: ...

    @method(name="count")
    async def count_all(self, limit: I32) -> I64: ...

    @method(name="count")
    async def count_some(self, most: I64) -> I64: ...


FINDER = ServiceBinding(contract_of(Finder))


def meant(name: str, arguments: Any) -> tuple[str, tuple[Any, ...]]:
    """The attribute of the method that is called, and its arguments."""
    found, read = bind_arguments(FINDER.group(name), arguments)
    return found.signature.attribute, read()


@pytest.mark.parametrize(
    ("name", "arguments", "attribute", "values"),
    [
        ("find", [7], "find", (7,)),
        ("find", ["lamp"], "find_by_name", ("lamp",)),
        ("find", [True], "find_flagged", (True, 1)),
        ("find", [True, 5], "find_flagged", (True, 5)),
        ("find", {"id": 7}, "find", (7,)),
        ("find", {"name": "lamp"}, "find_by_name", ("lamp",)),
        ("find_by_name", ["7"], "find_by_name", ("7",)),
        ("count_some", [7], "count_some", (7,)),
        ("count", [2**40], "count_some", (2**40,)),
        ("count", {"limit": 7}, "count_all", (7,)),
    ],
)
def test_arguments_say_which_overload_is_meant(
    name: str, arguments: Any, attribute: str, values: tuple[Any, ...]
) -> None:
    assert meant(name, arguments) == (attribute, values)


def test_a_value_that_none_can_read_is_the_fault_of_the_method_of_that_name() -> None:
    with pytest.raises(ArgumentError, match="id: null where i64 is required") as refused:
        meant("find", [None])
    assert refused.value.path == "args[0]"


def test_values_that_several_can_read_decide_nothing() -> None:
    with pytest.raises(BadRequest, match=r"several overloads .*: count_all\(limit: i32\); count_some\(most: i64\)$"):
        meant("count", [7])


@pytest.mark.parametrize("arguments", [["x"], [1, 2]])
def test_values_that_none_can_read_without_a_method_of_that_name(arguments: list[Any]) -> None:
    with pytest.raises(BadRequest, match="no overload takes these arguments"):
        meant("count", arguments)
