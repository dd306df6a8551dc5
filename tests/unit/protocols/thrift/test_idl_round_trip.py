"""Contracts written as Thrift files are read back as they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from gateway.contracts import contract_of
from gateway.contracts.module import contract_module, services_of
from gateway.demo.catalog import Catalog
from gateway.demo.types import Types
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import ContractError
from gateway.model.outline import outline_of
from gateway.model.typeref import Kind, TypeRef
from protocols.corpus.contract import CONTRACT
from protocols.thrift.idl.reader import read_thrift
from protocols.thrift.idl.writer import write_thrift
from tests.support.contract_strategy import contracts
from tests.support.memory_document import MemoryDocument


def read_back(*given: ServiceContract) -> Sequence[ServiceContract]:
    return [each for name, text in write_thrift(given).items() for each in read_thrift(MemoryDocument(text, name))]


@pytest.mark.parametrize("contract", [contract_of(Catalog), contract_of(Types), CONTRACT], ids=str)
def test_a_contract_is_read_back(contract: ServiceContract) -> None:
    assert read_back(contract) == [outline_of(contract)]


def test_services_of_one_package_share_a_file() -> None:
    both = [contract_of(Catalog), contract_of(Types)]

    assert list(write_thrift(both)) == ["demo.thrift"]
    assert read_back(*both) == [outline_of(each) for each in both]


def test_packages_have_files_of_their_own() -> None:
    other = replace(contract_of(Catalog), name="com.acme.shop.Catalog")

    assert list(write_thrift([contract_of(Catalog), other])) == ["demo.thrift", "com_acme_shop.thrift"]
    assert read_back(other) == [outline_of(other)]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(contracts())
def test_any_contract_is_read_back_from_its_file(outline: ServiceContract) -> None:
    made = contract_of(services_of(contract_module([outline], "a test"))[outline.name])

    assert read_back(made) == [outline]


def test_names_and_numbers_of_a_contract_are_kept() -> None:
    catalog = outline_of(contract_of(Catalog))
    methods = (
        replace(catalog.methods[0], names={"thrift": "lookUp(5) throws(3)", "java": "lookup"}),
        *catalog.methods[1:],
    )
    types = dict(catalog.types)
    fields = types["demo.Product"].fields  # type: ignore[union-attr]
    fields = (
        replace(fields[0], names={"thrift": "70:ident"}),
        replace(fields[1], names={"thrift": "30:"}),
        *fields[2:],
    )
    types["demo.Product"] = replace(types["demo.Product"], fields=fields, names={"java": "a.Product"})
    types["demo.ProductNotFound"] = replace(types["demo.ProductNotFound"], names={"thrift": "Gone(message=4)"})
    changed = replace(catalog, methods=methods, types=types, names={"thrift": "Shop"})
    text = write_thrift([changed])["demo.thrift"]

    assert read_back(changed) == [changed]
    assert '  70: required i64 ident (polyport.name = "id");\n' in text
    assert "  Product lookUp(5: i64 product_id) throws (3: Gone error) (" in text
    assert "service Shop {" in text


def test_structs_that_are_keys_are_marked_for_python() -> None:
    """Its generated classes have no hash otherwise, and no map with such keys can be read."""
    text = write_thrift([contract_of(Types)])["demo.thrift"]

    assert '  2: required i32 y;\n} (python.immutable = "true")\n' in text
    assert text.count("python.immutable") == 1


def test_callbacks_are_refused() -> None:
    outline = ServiceContract("demo.S", (MethodContract("f", (), TypeRef(Kind.NULL), "f"),))

    with pytest.raises(ContractError, match=r"demo\.S: Thrift has no callbacks, and demo\.C is one"):
        write_thrift([replace(outline, callbacks={"demo.C": outline})])
