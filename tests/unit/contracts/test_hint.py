"""Hints written as text, as with `from __future__ import annotations`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gateway.contracts import I32, ServiceError, contract_of, method, service
from gateway.contracts.hint import resolve_hint, where_defined
from gateway.model.contract import StructType
from gateway.model.errors import ContractError

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass
class Node:
    date: dt.date | None = None
    list: list[int] | None = None
    next: Node | None = None

    class Inner:
        pass


@dataclass
class Derived(Node):
    size: I32 = 0


class Broken(ServiceError):
    node: Node


@service("shop.Nodes")
class Nodes:
    @method(throws=(Broken,))
    async def set(self, node: Derived, names: set[str]) -> list[Node]: ...  # type: ignore[empty-body, valid-type]


@service("shop.Late")
class Late:
    async def pay(self, amount: Decimal) -> None: ...


def test_names_of_fields_and_methods_do_not_hide_types() -> None:
    contract = contract_of(Nodes)
    assert contract.methods[0].signature == "set(shop.Derived, set<string>) -> list<shop.Node>"
    node = contract.types["shop.Node"]
    assert isinstance(node, StructType)
    assert [str(each.type) for each in node.fields] == ["date?", "list<i64>?", "shop.Node?"]


def test_inherited_fields_come_first() -> None:
    derived = contract_of(Nodes).types["shop.Derived"]
    assert isinstance(derived, StructType)
    assert [each.name for each in derived.fields] == ["date", "list", "next", "size"]


def test_a_name_that_exists_for_type_checkers_only_is_reported() -> None:
    with pytest.raises(ContractError, match=r"Late\.pay\(amount\): the hint 'Decimal' cannot be read: name 'Decimal'"):
        contract_of(Late)


def test_a_class_inside_the_owner_is_found() -> None:
    assert resolve_hint("Inner", Node, {}) is Node.Inner
    assert resolve_hint("Node", Node, {}) is Node


def test_a_name_of_the_module_wins() -> None:
    assert resolve_hint("Inner", Node, {"Inner": int}) is int


def test_the_class_whose_body_annotates_is_found() -> None:
    assert where_defined(Derived, "date") is Node
    assert where_defined(Derived, "size") is Derived
    assert where_defined(Derived, "nothing") is Derived
