"""Contracts written as Python: what is read back is what was written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from gateway.contracts import contract_of
from gateway.contracts.module import contract_module, services_of
from gateway.contracts.source import python_source
from gateway.demo.catalog import Catalog
from gateway.demo.reports import Reports
from gateway.demo.types import Types
from gateway.model.contract import MISSING, MethodContract, Param, ServiceContract
from gateway.model.errors import ContractError
from gateway.model.outline import enum_outline, outline_of
from gateway.model.typeref import Kind, TypeRef
from tests.support.contract_strategy import contracts

I64 = TypeRef(Kind.I64)


def read_back(*outlines: ServiceContract) -> list[ServiceContract]:
    services = services_of(contract_module(outlines, "a test"))
    return [outline_of(contract_of(services[each.name])) for each in outlines]


@pytest.mark.parametrize("cls", [Catalog, Types, Reports])
def test_the_demo_services_are_read_back_as_they_were(cls: type) -> None:
    outline = outline_of(contract_of(cls))

    assert read_back(outline) == [outline]


def test_services_of_one_module_share_their_types() -> None:
    both = [outline_of(contract_of(each)) for each in (Catalog, Types)]
    module = contract_module(both, "both")
    catalog, types = (contract_of(services_of(module)[each.name]) for each in both)

    assert read_back(*both) == both
    assert catalog.types["demo.Maker"].python_class is types.types["demo.Maker"].python_class


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(contracts())
def test_any_contract_is_read_back_as_it_was(outline: ServiceContract) -> None:
    assert read_back(outline) == [outline]


def test_the_same_contracts_give_the_same_classes() -> None:
    outline = outline_of(contract_of(Catalog))

    assert contract_module([outline], "a") is contract_module([outline_of(contract_of(Catalog))], "a")


def test_constants_that_are_keywords_are_kept() -> None:
    enum = enum_outline("demo.Kind", {"None": 0, "class": 7}, {"java": "a.Kind"}, "Doc.")
    method = MethodContract("f", (), TypeRef(Kind.ENUM, name="demo.Kind"), "f")
    outline = ServiceContract("demo.Service", (method,), {"demo.Kind": enum})

    assert read_back(outline) == [outline]


def test_code_in_names_is_refused_not_run() -> None:
    evil = "x): pass\nimport os\nasync def f(self"
    for method in (
        MethodContract("f", (), I64, evil),
        MethodContract("f", (Param(evil, I64),), I64, "f"),
    ):
        with pytest.raises(ContractError, match="is no name for"):
            python_source([ServiceContract("demo.Service", (method,))], "Evil.")
    with pytest.raises(ContractError):
        contract_module([ServiceContract(f"demo.{evil}", (MethodContract("f", (), I64, "f"),))], "evil")


def test_code_in_texts_stays_text() -> None:
    evil = '"""\nimport os\n"""'
    method = MethodContract("f", (Param("a", I64, doc=evil),), I64, "f", deprecated=evil, doc=evil)
    outline = ServiceContract("demo.Service", (method,), doc=evil)

    assert read_back(outline) == [outline]


def test_types_of_one_name_must_be_the_same() -> None:
    catalog = outline_of(contract_of(Catalog))
    product = replace(catalog.types["demo.Product"], doc="other")
    other = replace(catalog, name="demo.Other", types={**catalog.types, "demo.Product": product})

    with pytest.raises(ContractError, match=r"two different types demo\.Product"):
        python_source([catalog, other], "Two.")


def test_a_parameter_that_cannot_follow_is_named() -> None:
    params = (Param("a", I64, 1), Param("b", I64, MISSING))
    outline = ServiceContract("demo.Service", (MethodContract("f", params, I64, "f"),))

    with pytest.raises(ContractError, match="b has no default and stands behind a, which has one"):
        python_source([outline], "Order.")
