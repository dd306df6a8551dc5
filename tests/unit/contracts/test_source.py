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
from gateway.model.contract import MISSING, Field, MethodContract, Param, ServiceContract, StructType
from gateway.model.errors import ContractError
from gateway.model.outline import Unmade, enum_outline, outline_of
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


@pytest.mark.parametrize(
    "name",
    [
        "__init__",
        "__class__",
        "__slots__",
        "__module__",
        "__private",
        # Python takes these for `field`, `def` and an é of one character (PEP 3131: NFKC).
        "\ufb01eld",
        "\U0001d4ed\U0001d4ee\U0001d4ef",
        "e\u0301",
    ],
)
def test_names_that_python_takes_for_others_are_refused(name: str) -> None:
    struct = StructType("demo.A", Unmade, (Field("a", I64, name),))
    returns = TypeRef(Kind.STRUCT, name="demo.A")
    for outline in (
        ServiceContract("demo.Service", (MethodContract("f", (), returns, "f"),), {"demo.A": struct}),
        ServiceContract("demo.Service", (MethodContract("f", (Param(name, I64),), I64, "f"),)),
        ServiceContract("demo.Service", (MethodContract("f", (), I64, name),)),
    ):
        with pytest.raises(ContractError, match="is no name for a"):
            python_source([outline], "Names.")


@pytest.mark.parametrize("name", ["\ufb01eld", "__private"])
def test_so_are_such_constants(name: str) -> None:
    method = MethodContract("f", (), TypeRef(Kind.ENUM, name="demo.E"), "f")
    outline = ServiceContract("demo.Service", (method,), {"demo.E": enum_outline("demo.E", {name: 1})})

    with pytest.raises(ContractError, match="is no name for a member"):
        python_source([outline], "Names.")


def test_names_that_stand_twice_are_refused() -> None:
    struct = StructType("demo.A", Unmade, (Field("a", I64, "q"), Field("b", I64, "q")))
    returns = TypeRef(Kind.STRUCT, name="demo.A")
    method = MethodContract("f", (), I64, "f")
    for outline in (
        ServiceContract("demo.Service", (MethodContract("f", (), returns, "f"),), {"demo.A": struct}),
        ServiceContract("demo.Service", (MethodContract("f", (Param("a", I64), Param("a", I64)), I64, "f"),)),
        ServiceContract("demo.Service", (method, replace(method, name="g"))),
    ):
        with pytest.raises(ContractError, match="there are several"):
            python_source([outline], "Twice.")


def test_types_whose_names_python_takes_for_one_get_two_classes() -> None:
    types = {
        name: StructType(name, Unmade, (Field(field, I64, field),))
        for name, field in (("demo.\ufb01eld", "a"), ("demo.field", "b"), ("demo.__A", "c"))
    }
    methods = tuple(
        MethodContract(f"f{number}", (), TypeRef(Kind.STRUCT, name=name), f"f{number}")
        for number, name in enumerate(types)
    )
    outline = ServiceContract("demo.Service", methods, types)

    assert read_back(outline) == [outline]


def test_a_docstring_may_end_with_a_quotation_mark_and_a_blank() -> None:
    outline = ServiceContract("demo.Service", (MethodContract("f", (), I64, "f", doc='say "a" '),))

    assert read_back(outline)[0].methods[0].doc == 'say "a"'


@pytest.mark.parametrize("name", ["mro", "__class__", "_missing_", "_E__x"])
def test_an_enum_has_no_constant_that_would_be_lost(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        enum_outline("demo.E", {"A": 1, name: 2, "B": 3})
    with pytest.raises(ValueError, match="'B' is none of its constants"):
        enum_outline("demo.E", {"A": 1, "B": True})
