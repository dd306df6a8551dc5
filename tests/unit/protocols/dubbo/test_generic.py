"""Finding the method of a generic call, by the rules of Dubbo's GenericFilter, and calls sent out."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.model.errors import BadRequest, NoSuchMethod, ValueMappingError
from gateway.model.generic import Long, Record, TypedList
from gateway.model.typeref import Kind
from protocols.dubbo.generic import find_method, generalize_arguments, realize_result
from tests.support.shop_contract import SHOP, Maker, method, ref, service


@pytest.mark.parametrize(
    ("name", "types", "attribute"),
    [
        ("find", ["long"], "find"),
        ("find", ["java.lang.String"], "find_by_name"),
        (" find ", ["long"], "find"),
        ("search", ["java.lang.String", "int", "java.util.Set"], "search"),
        ("priceHistory", ["long"], "price_history"),
        ("put", ["shop.Product"], "put"),
        ("count", [], "count"),
        ("sum", ["int[]"], "sum"),
        ("sum", ["[I"], "sum"),
    ],
)
def test_a_method_is_found_by_its_java_names(name: str, types: list[str], attribute: str) -> None:
    assert find_method(SHOP, name, types, len(types)).attribute == attribute


def test_types_may_be_left_out_where_nothing_is_overloaded() -> None:
    assert find_method(SHOP, "put", None, 1).attribute == "put"
    with pytest.raises(BadRequest, match=r"^find is overloaded.*: find\(long\) or find\(java\.lang\.String\)$"):
        find_method(SHOP, "find", None, 1)


@pytest.mark.parametrize(
    ("name", "types", "count"), [("put", ["shop.Product"], 2), ("count", [], 1), ("nope", ["int"], 0)]
)
def test_as_many_arguments_as_types_are_expected(name: str, types: list[str], count: int) -> None:
    with pytest.raises(BadRequest, match=f"expected as many arguments as types, found {count} and {len(types)}"):
        find_method(SHOP, name, types, count)


def test_as_many_arguments_as_parameters_are_expected() -> None:
    with pytest.raises(BadRequest, match=r"^expected the arguments of put\(shop\.Product\), found 0$"):
        find_method(SHOP, "put", None, 0)


@pytest.mark.parametrize("types", [["int"], ["java.lang.Long"], ["string"], ["J"], [], ["long", "long"]])
def test_an_unknown_overload_is_refused_naming_those_that_exist(types: list[str]) -> None:
    with pytest.raises(NoSuchMethod, match=r"only find\(long\) or find\(java\.lang\.String\)$"):
        find_method(SHOP, "find", types, len(types))


def test_an_unknown_method_is_refused_naming_those_that_exist() -> None:
    with pytest.raises(NoSuchMethod) as caught:
        find_method(SHOP, "price_history", None, 1)
    assert str(caught.value) == (
        "shop.Catalog has no method price_history, only find, search, priceHistory, put, count, sum"
    )
    many = service("shop.Many", *(method(f"m{at}") for at in range(100)))
    with pytest.raises(NoSuchMethod, match=r" m11 and 88 more$"):
        find_method(many, "x", [], 0)


def test_hostile_names_are_shortened() -> None:
    for name, types in (("x\n" * 500_000, None), ("find", ["y\n" * 500_000]), ("find", ["int"] * 10_000)):
        with pytest.raises(NoSuchMethod) as caught:
            find_method(SHOP, name, types, 0 if types is None else len(types))
        assert len(str(caught.value)) < 300
        assert "\n" not in str(caught.value)


def test_arguments_for_an_unknown_provider_pass_as_they_are() -> None:
    values = [1, Long(2), "x", {"class": "a.B"}, TypedList("[int", [1]), None, Record("a.C", {"d": Record("a.E")})]
    found = generalize_arguments(values)
    assert found == [*values[:-1], {"class": "a.C", "d": {"class": "a.E"}}]
    assert [type(each) for each in found[:2]] == [int, Long]


def test_arguments_for_a_known_method_follow_its_contract() -> None:
    contract = service(
        "shop.S", method("m", ref(Kind.I64), ref(Kind.STRUCT, name="shop.Maker")), types=dict(SHOP.types)
    )
    (m,) = contract.methods
    found = generalize_arguments([1, Maker("ann")], m, contract)
    assert found == [1, {"class": "shop.Maker", "name": "ann", "country": None, "parent": None}]
    assert type(found[0]) is Long
    with pytest.raises(ValueMappingError, match=r"^args\[1\]\.name: expected string, found int$"):
        generalize_arguments([1, Maker(5)], m, contract)  # type: ignore[arg-type]
    with pytest.raises(ValueMappingError, match=r"^args: expected 2 arguments, found 1$"):
        generalize_arguments([1], m, contract)


def test_results_follow_the_contract_where_there_is_one() -> None:
    value: dict[str, Any] = {"class": "shop.Maker", "name": "ann"}
    assert realize_result(value) is value
    m = method("m", returns=ref(Kind.STRUCT, name="shop.Maker"))
    assert realize_result(value, m, SHOP) == Maker("ann")
    with pytest.raises(ValueMappingError, match=r"^result\.name: expected string, found nothing$"):
        realize_result({}, m, SHOP)
