"""A contract compiled for dubbo://: how calls find their method, and what happens to values that do not fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import pytest

from gateway.contracts import I32, I64, contract_of, method, service
from gateway.model.errors import BadRequest, ContractError, NoSuchMethod, ValueMappingError
from protocols.dubbo.service import MethodBinding, ServiceBinding
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.writer import Writer


@service("test.Shop")
class Shop(Protocol):
    async def find(self, number: I64) -> str: ...

    @method(name="find")
    async def find_named(self, name: str) -> str | None: ...

    async def put_all(self, numbers: list[I32]) -> None: ...

    async def ping(self) -> None: ...


CONTRACT = contract_of(Shop)
BINDING = ServiceBinding(CONTRACT)


def bound(attribute: str) -> MethodBinding:
    return BINDING.of(next(each for each in CONTRACT.methods if each.attribute == attribute))


def test_overloads_are_told_apart_by_descriptor() -> None:
    assert BINDING.find("find", "J").signature.attribute == "find"
    assert BINDING.find("find", "Ljava/lang/String;").signature.attribute == "find_named"


@pytest.mark.parametrize("guessed", ["[I", "V", "[Ljava/lang/Integer;", "Ljava/util/ArrayList;"])
def test_types_that_a_caller_guessed_find_the_only_method_with_so_many(guessed: str) -> None:
    assert BINDING.find("putAll", guessed).signature.attribute == "put_all"


def test_method_name_follows_java() -> None:
    assert BINDING.find("putAll", "Ljava/util/List;").signature.attribute == "put_all"


@pytest.mark.parametrize(
    ("name", "descriptor", "text"),
    [
        ("fund", "J", "test.Shop has no method fund"),
        ("find", "I", "test.Shop.find takes J or Ljava/lang/String;, not I"),
        ("find", "V", "test.Shop.find takes J or Ljava/lang/String;, not V"),
        ("find", "", "test.Shop.find takes J or Ljava/lang/String;, not no parameters"),
        ("ping", "J", "test.Shop.ping takes no parameters, not J"),
        ("a\nb", "J", r"test.Shop has no method a\nb"),
    ],
)
def test_unknown_method_says_what_exists(name: str, descriptor: str, text: str) -> None:
    with pytest.raises(NoSuchMethod) as caught:
        BINDING.find(name, descriptor)
    assert str(caught.value) == text


def test_method_of_an_equal_contract_is_found() -> None:
    other = contract_of(Shop).methods[0]
    copy = replace(other)
    assert copy is not other
    assert BINDING.of(copy) is BINDING.of(other)


def test_wrong_argument_names_method_and_place() -> None:
    with pytest.raises(BadRequest, match=r"^putAll: args\[0\]\[1\]: "):
        bound("put_all").read_arguments(Reader(b"\x7a\x91\x01x"))
    with pytest.raises(ValueMappingError, match=r"^args\[0\]\[1\]: "):
        bound("put_all").write_arguments(Writer(), ([1, 1 << 40],))
    with pytest.raises(BadRequest, match=r"^putAll: args\[0\]\[1\]: "):
        bound("put_all").realize_arguments([[1, "x"]])


def test_number_of_arguments_is_checked_before_anything_is_written() -> None:
    writer = Writer()
    with pytest.raises(ValueMappingError, match=r"find\(i64\) -> string takes 1 arguments, got 2"):
        bound("find").write_arguments(writer, (1, 2))
    assert not writer.out


def test_wrong_result_names_its_place() -> None:
    with pytest.raises(HessianError, match=r"^result: "):
        bound("find").read_result(Reader(b"\x91"))
    with pytest.raises(ValueMappingError, match=r"^result: "):
        bound("find").write_result(Writer(), 7)
    with pytest.raises(ValueMappingError, match=r"^result: expected string, found null"):
        bound("find").check_null_result()


@pytest.mark.parametrize("attribute", ["find_named", "ping"])
def test_null_is_a_result_where_the_contract_has_one(attribute: str) -> None:
    bound(attribute).check_null_result()


def test_contract_that_java_cannot_carry_is_refused() -> None:
    @service("test.Same")
    class Same(Protocol):
        async def add(self, numbers: list[I32]) -> None: ...

        @method(name="add")
        async def add_names(self, names: list[str]) -> None: ...

    contract = contract_of(Same)
    # Both are add(java.util.List) to a JVM, which knows nothing of type arguments.
    with pytest.raises(ContractError, match=r"^test\.Same cannot be carried by dubbo://: .*add"):
        ServiceBinding(contract)
