"""A WSDL of a contract is read back as that contract."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import HealthCheck, given, settings

from gateway.contracts import contract_of
from gateway.contracts.module import contract_module, services_of
from gateway.demo.catalog import Catalog
from gateway.demo.types import Types
from gateway.model.contract import ServiceContract
from gateway.model.outline import outline_of
from protocols.corpus.contract import CONTRACT
from protocols.soap.mapping import check_contract
from protocols.soap.wsdl import ADDRESS, write_wsdl
from protocols.soap.wsdl_reader import read_own_wsdl
from tests.support.contract_strategy import contracts


def read_back(contract: ServiceContract) -> ServiceContract | None:
    return read_own_wsdl(fromstring(write_wsdl(contract, "urn:any").replace(ADDRESS, "http://a/")))


@pytest.mark.parametrize("contract", [contract_of(Catalog), contract_of(Types), CONTRACT], ids=str)
def test_a_contract_is_read_back(contract: ServiceContract) -> None:
    assert read_back(contract) == outline_of(contract)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(contracts())
def test_any_contract_is_read_back_from_its_wsdl(outline: ServiceContract) -> None:
    made = contract_of(services_of(contract_module([outline], "a test"))[outline.name])
    if not check_contract(made):
        assert read_back(made) == outline


def test_a_wsdl_of_others_is_none_of_ours() -> None:
    assert read_own_wsdl(fromstring('<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>')) is None


@pytest.mark.parametrize("service", [Catalog, Types])
def test_no_note_is_called_as_anything_in_xml_schema(service: type) -> None:
    """PHP's reader of WSDLs looks for attributes by their local names alone (seen with 8.2)."""
    root = fromstring(write_wsdl(contract_of(service), "http://demo/").replace(ADDRESS, ""))
    found = {name for element in root.iter() for name in element.attrib}
    plain = {name for name in found if not name.startswith("{")}
    notes = {name.rpartition("}")[2] for name in found - plain}
    assert {"name", "type", "minOccurs"} <= plain
    assert "contract-default" in notes
    assert {each for each in notes if not each.startswith("contract-")} == set()
