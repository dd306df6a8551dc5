"""WSDLs as files: exported, imported, and named by a configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import examine_text
from gateway.config.target import load_contract
from gateway.contracts import contract_of
from gateway.demo.catalog import Catalog
from gateway.model.endpoint import ServiceKey
from gateway.model.exposure import Exposure
from gateway.model.outline import outline_of
from gateway.plugins import catalog
from protocols.soap.wsdl_export import export_wsdl
from protocols.soap.wsdl_import import omitted_operations, read_wsdl
from tests.support.foreign_wsdl import document, one_operation
from tests.support.program import inside


def test_what_was_exported_is_the_contract_again() -> None:
    contract = contract_of(Catalog)
    exposure = Exposure(ServiceKey("demo.Catalog", "eu", "2.0"), contract, False, {"namespace": "urn:shop"})

    files = export_wsdl([exposure], 8082)

    assert list(files) == ["eu_demo.Catalog_2.0.wsdl"]
    (text,) = files.values()
    assert 'location="http://127.0.0.1:8082/eu/demo.Catalog:2.0"' in text
    assert 'targetNamespace="urn:shop"' in text
    found = document(text.encode())
    assert read_wsdl(found) == (outline_of(contract),)
    assert omitted_operations(found) == ()


def test_a_wsdl_goes_through_the_command_line(tmp_path: Path) -> None:
    done = inside("export", "wsdl", "gateway.demo.catalog:Catalog", "--output", str(tmp_path))

    assert (done.code, done.out) == (0, f"{tmp_path}/demo.Catalog.wsdl\n")
    done = inside("import", "wsdl", str(tmp_path / "demo.Catalog.wsdl"))
    assert (done.code, done.err) == (0, "")
    assert "class Catalog(Protocol):" in done.out


def test_what_is_left_out_is_told_beside_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "shop.wsdl"
    whole = one_operation("", '<xs:element name="a" type="xs:int"/>').decode()
    lost = '<w:operation name="Lost"><w:input message="t:Nothing"/></w:operation></w:portType>'
    path.write_text(whole.replace("</w:portType>", lost))

    done = inside("import", "wsdl", str(path))

    assert done.code == 0
    assert "async def Do(self, a: I32) -> None:" in done.out
    assert done.err == f"left out: com.acme.shop.v1.Shop.Lost: {path}:1: the binding does not have it\n"


@pytest.mark.parametrize("name", ["demo.Catalog", "com.acme.shop.v1.Shop"])
def test_a_configuration_names_a_wsdl(tmp_path: Path, name: str) -> None:
    exposure = Exposure(ServiceKey("demo.Catalog"), contract_of(Catalog), False, {})
    (tmp_path / "demo.Catalog.wsdl").write_text(export_wsdl([exposure], 1)["demo.Catalog.wsdl"])
    (tmp_path / "com.acme.shop.v1.Shop.wsdl").write_bytes(one_operation("", '<xs:element name="a" type="xs:int"/>'))
    service = f"{{contract: {name}.wsdl, remote: {{addresses: ['webservice://127.0.0.1:7000']}}}}"

    examined = examine_text(f"services: {{s: {service}}}\n", "x.yaml", catalog.Catalog([]), {}, tmp_path)

    assert examined.problems == ()
    assert examined.config is not None
    contract = load_contract(examined.config.services["s"])
    assert contract is not None
    assert contract.name == name
