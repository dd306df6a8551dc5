"""WSDLs made to hurt whoever reads them."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from gateway.contracts.document import open_document
from gateway.model.errors import ContractError
from protocols.soap.wsdl_import import omitted_operations, read_wsdl
from tests.support.foreign_wsdl import document, one_operation

_BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)


def refused(data: bytes) -> str:
    with pytest.raises(ContractError) as caught:
        read_wsdl(document(data))
    return str(caught.value)


@pytest.mark.parametrize("doctype", [_BOMB, '<!DOCTYPE x SYSTEM "file:///etc/passwd">', "<!DOCTYPE x>"])
def test_no_document_has_a_document_type(doctype: str) -> None:
    plain = one_operation("", '<xs:element name="a" type="xs:int"/>').decode()

    assert "a document type, which no document may have in line 1" in refused(
        plain.replace("?>", f"?>{doctype}").encode()
    )
    included = f'<?xml version="1.0"?>{doctype}<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>'
    found = document(
        one_operation('<xs:include schemaLocation="a.xsd"/>', '<xs:element name="a" type="t:T"/>'),
        {"a.xsd": included},
    )
    with pytest.raises(ContractError, match="a document type"):
        read_wsdl(found)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no element found"),
        (b"<a>", "no element found"),
        (b"\xff\xfe\xfd", "not in utf-16"),
        (b"<a/>", "it begins with a"),
        (b"<a>" * 5_000 + b"</a>" * 5_000, "nested deeper than 200"),
        (b"<a>" + b"<b/>" * 500_001 + b"</a>", "more than 500000 elements"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "encoding"),
        (b'<d:definitions xmlns:d="http://schemas.xmlsoap.org/wsdl/"/>', "no binding to SOAP"),
        (b'<d:description xmlns:d="http://www.w3.org/ns/wsdl"/>', "WSDL 2.0"),
    ],
    ids=range(9),
)
def test_what_is_no_wsdl_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    assert reason in refused(data)


def test_references_are_counted() -> None:
    many = "".join(f'<xs:include schemaLocation="{number}.xsd"/>' for number in range(1_001))

    assert "more than 1000 references" in refused(one_operation(many, ""))


@pytest.mark.parametrize(
    "types",
    [
        '<xs:complexType name="T"><xs:complexContent><xs:extension base="t:T"/></xs:complexContent></xs:complexType>',
        '<xs:complexType name="T"><xs:group ref="t:G"/></xs:complexType>'
        '<xs:group name="G"><xs:sequence><xs:group ref="t:G"/></xs:sequence></xs:group>',
        '<xs:complexType name="T"><xs:attributeGroup ref="t:A"/></xs:complexType>'
        '<xs:attributeGroup name="A"><xs:attributeGroup ref="t:A"/></xs:attributeGroup>',
        '<xs:simpleType name="T"><xs:restriction base="t:T"/></xs:simpleType>',
        '<xs:simpleType name="T"><xs:union memberTypes="t:T t:T"/></xs:simpleType>',
        '<xs:simpleType name="T"><xs:list itemType="t:T"/></xs:simpleType>',
        '<xs:complexType name="T"><xs:sequence><xs:element ref="t:E"/></xs:sequence></xs:complexType>'
        '<xs:element name="E" substitutionGroup="t:E"/>',
        '<xs:complexType name="ArrayOfT"><xs:sequence><xs:element name="a" type="t:ArrayOfT" maxOccurs="9"/>'
        '</xs:sequence></xs:complexType><xs:complexType name="T"><xs:sequence><xs:element name="a" type="t:ArrayOfT"/>'
        "</xs:sequence></xs:complexType>",
        '<xs:complexType name="T"><xs:sequence><xs:element name="a" type="nowhere:T"/></xs:sequence></xs:complexType>',
        '<xs:complexType name="T"><xs:sequence><xs:element name="a" type="xs:int" maxOccurs="-1"/></xs:sequence>'
        "</xs:complexType>",
        '<xs:complexType name="T"><xs:sequence><xs:element name="a" type="xs:int" minOccurs="x"/></xs:sequence>'
        "</xs:complexType>",
        '<xs:simpleType name="T"/>',
        '<xs:complexType name="T"><xs:simpleContent/></xs:complexType>',
    ],
    ids=range(13),
)
def test_schemas_that_make_no_sense_take_their_operations_with_them(types: str) -> None:
    assert "no operation for a contract" in refused(one_operation(types, '<xs:element name="a" type="t:T"/>'))


def test_groups_that_multiply_are_bounded() -> None:
    groups = "".join(
        f'<xs:group name="G{at}"><xs:sequence>{f"<xs:group ref=%st:G{at + 1}%s/>" % (chr(34), chr(34)) * 10}'
        "</xs:sequence></xs:group>"
        for at in range(12)
    )
    last = '<xs:group name="G12"><xs:sequence><xs:element name="a" type="xs:int"/></xs:sequence></xs:group>'

    assert "more than 2000 fields" in refused(one_operation(groups + last, '<xs:group ref="t:G0"/>'))


def test_empty_groups_that_multiply_are_bounded() -> None:
    groups = "".join(
        f'<xs:group name="G{at}"><xs:sequence>{f"<xs:group ref=%st:G{at + 1}%s/>" % (chr(34), chr(34)) * 10}'
        "</xs:sequence></xs:group>"
        for at in range(12)
    )
    last = '<xs:group name="G12"><xs:sequence/></xs:group>'

    assert "more than 100000 elements" in refused(one_operation(groups + last, '<xs:group ref="t:G0"/>'))


def test_attributes_that_multiply_are_bounded() -> None:
    groups = "".join(
        f'<xs:attributeGroup name="G{at}">{f"<xs:attributeGroup ref=%st:G{at + 1}%s/>" % (chr(34), chr(34)) * 10}'
        "</xs:attributeGroup>"
        for at in range(12)
    )
    last = '<xs:attributeGroup name="G12"><xs:attribute name="a"/></xs:attributeGroup>'
    types = groups + last + '<xs:complexType name="T"><xs:attributeGroup ref="t:G0"/></xs:complexType>'

    assert "more than 100000 elements" in refused(one_operation(types, '<xs:element name="a" type="t:T"/>'))


def test_unions_that_multiply_are_bounded() -> None:
    types = "".join(
        f'<xs:simpleType name="U{at}"><xs:union memberTypes="{f"t:U{at + 1} " * 10}"/></xs:simpleType>'
        for at in range(30)
    )
    types += '<xs:simpleType name="U30"><xs:restriction base="xs:int"/></xs:simpleType>'

    (contract,) = read_wsdl(document(one_operation(types, '<xs:element name="a" type="t:U0"/>')))
    assert str(contract.methods[0].params[0].type) == "i32"


@pytest.mark.parametrize("reference", ["http://127.0.0.1:9/a.xsd", "ftp://127.0.0.1:9/a.xsd", "/nowhere/a.xsd"])
def test_a_file_does_not_lead_to_the_web(tmp_path: Path, reference: str) -> None:
    types = f'<xs:include schemaLocation="{reference}"/><xs:element name="E" type="t:Nothing"/>'
    path = tmp_path / "shop.wsdl"
    path.write_bytes(one_operation(types, '<xs:element name="a" type="t:T"/>'))

    with pytest.raises(ContractError, match=r"is not read from the web here|cannot be read"):
        omitted_operations(open_document(str(path), web=False))


@pytest.mark.parametrize("reference", ["file:///etc/passwd", "FILE:/etc/passwd", "ftp://127.0.0.1:9/a.xsd"])
def test_a_document_of_the_web_does_not_lead_to_files(reference: str) -> None:
    types = f'<xs:include schemaLocation="{reference}"/>'
    data = one_operation(types, '<xs:element name="a" type="t:T"/>')

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        found = open_document(f"http://127.0.0.1:{server.server_port}/shop?wsdl", web=True)
        thread.join()

    with pytest.raises(ContractError, match="which is not on the web"):
        read_wsdl(found)
