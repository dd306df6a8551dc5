"""Parts of `definition` that are not reached through `contract_of` alone; the rest is in `test_python.py`."""

from dataclasses import dataclass
from typing import Any

import pytest

from gateway.contracts.definition import Definitions, is_contract_name, read_names, unhashable_reason
from gateway.model.contract import Field, StructType
from gateway.model.typeref import Kind, TypeRef


@pytest.mark.parametrize("name", ["Orders", "shop.Orders", "a.b.C_1", "größe.Ä"])
def test_identifiers_joined_by_dots_are_names(name: str) -> None:
    assert is_contract_name(name)


@pytest.mark.parametrize("name", ["", ".", "a.", "a..b", "1a", "a b", "a/b", "a:b", "a$b"])
def test_other_texts_are_no_names(name: str) -> None:
    assert not is_contract_name(name)


@pytest.mark.parametrize("names", [None, [], "java", {"java": ""}, {"": "x"}, {"java": None}, {1: "x"}])
def test_names_per_protocol_are_texts(names: Any) -> None:
    problems: list[str] = []
    assert read_names(names, "here", lambda where, message: problems.append(f"{where}: {message}")) == {}
    assert problems[0].startswith("here: names= maps protocols to names")


def test_names_per_protocol_are_copied() -> None:
    names = {"java": "com.acme.Order"}
    read = read_names(names, "here", lambda where, message: None)
    names.clear()
    assert read == {"java": "com.acme.Order"}


def test_a_key_that_contains_itself_ends() -> None:
    @dataclass(frozen=True)
    class Node:
        next: Any

    ref = TypeRef(Kind.STRUCT, name="Node")
    defined = {"Node": StructType("Node", Node, (Field("next", ref.optional(), "next"),))}
    assert unhashable_reason(ref, defined) is None


def test_a_class_is_defined_under_one_name() -> None:
    definitions = Definitions("shop", "shop.Orders", lambda where, message: pytest.fail(message))

    @dataclass
    class Line:
        a: int

    assert definitions.name_of(Line, "here") == "shop.Line"
    assert definitions.name_of(Line, "there") == "shop.Line"
    assert list(definitions.define()) == ["shop.Line"]
