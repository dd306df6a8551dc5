"""Styles of messages, faults, and documents that are in pieces, as the table of `foreign.operation` has it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.contracts import contract_of
from gateway.contracts.module import contract_module, services_of
from gateway.model.errors import ContractError
from protocols.soap.wsdl_import import omitted_operations, read_foreign_wsdl, read_wsdl
from tests.support.foreign_wsdl import NAMESPACE, document, lines, one_operation, wsdl

_WS: str = 'xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:xs="http://www.w3.org/2001/XMLSchema"'


def message(name: str, *parts: str) -> str:
    """`parts`: `name element=…` or `name type=…`."""
    said = "".join('<w:part name="{}" {}="{}"/>'.format(*each.replace("=", " ").split()) for each in parts)
    return f'<w:message name="{name}">{said}</w:message>'


def operation(name: str, request: str, response: str = "", faults: str = "") -> str:
    output = f'<w:output message="t:{response}"/>' if response else ""
    return f'<w:operation name="{name}"><w:input message="t:{request}"/>{output}{faults}</w:operation>'


def read(data: bytes, others: Mapping[str, str] | None = None) -> list[str]:
    (contract,) = read_wsdl(document(data, others))
    return lines(contract)


def test_the_contract_is_called_like_its_port_type() -> None:
    (contract,) = read_wsdl(document(one_operation("", "")))

    assert contract.name == "com.acme.shop.v1.Shop"


def test_parts_of_bare_messages_are_parameters() -> None:
    schema = '<xs:element name="Query" type="xs:string"/><xs:element name="Found" type="xs:int" nillable="true"/>'
    messages = message("In", "body element=t:Query") + message("Out", "body element=t:Found")

    assert read(wsdl(schema, messages, operation("Find", "In", "Out"))) == ["Find(Query: string) -> i32?"]


def test_an_element_with_attributes_is_no_wrapper() -> None:
    inside = '<xs:sequence><xs:element name="a" type="xs:int"/></xs:sequence><xs:attribute name="k" type="xs:int"/>'
    schema = f'<xs:element name="Find"><xs:complexType>{inside}</xs:complexType></xs:element>'
    data = wsdl(schema, message("In", "p element=t:Find"), operation("Find", "In"))

    assert read(data) == ["Find(Find: com.acme.shop.v1.Find) -> oneway", "struct Find k: i32? = None, a: i32"]


def test_parts_of_rpc_messages_are_parameters() -> None:
    schema = '<xs:complexType name="T"><xs:sequence><xs:element name="a" type="xs:int"/></xs:sequence></xs:complexType>'
    messages = message("In", "first type=xs:int", "class type=t:T") + message("Out", "x type=xs:int", "y type=t:T")

    assert read(wsdl(schema, messages, operation("Find", "In", "Out"), style="rpc")) == [
        "Find(first: i32, class_: com.acme.shop.v1.T) -> com.acme.shop.v1.FindResult",
        "struct FindResult x: i32, y: com.acme.shop.v1.T",
        "struct T a: i32",
    ]


def test_encoded_messages_may_have_null_and_arrays() -> None:
    array = (
        '<xs:complexType name="Names"><xs:complexContent><xs:restriction base="enc:Array">'
        '<xs:attribute ref="enc:arrayType" w:arrayType="xs:string[]"/></xs:restriction></xs:complexContent>'
        "</xs:complexType>"
    )
    messages = message("In", "a type=enc:int", "b type=t:Names") + message("Out", "r type=xs:string")

    assert read(wsdl(array, messages, operation("Find", "In", "Out"), style="rpc", use="encoded")) == [
        "Find(a: i32?, b: list<string?>?) -> string?"
    ]


def test_faults_are_exceptions_with_what_is_inside() -> None:
    schema = (
        '<xs:complexType name="Gone"><xs:sequence><xs:element name="since" type="xs:date"/>'
        '<xs:element name="args" type="xs:int"/></xs:sequence></xs:complexType>'
        '<xs:element name="GoneFault" type="t:Gone"/><xs:element name="Text" type="xs:string"/>'
        '<xs:element name="Q" type="t:Gone"/>'
    )
    faults = '<w:fault name="a" message="t:F1"/><w:fault name="b" message="t:F2"/>'
    messages = (
        message("In", "p element=t:Q") + message("F1", "p element=t:GoneFault") + message("F2", "p element=t:Text")
    )

    assert read(wsdl(schema, messages, operation("Find", "In", "In", faults))) == [
        "Find(Q: com.acme.shop.v1.Gone) -> com.acme.shop.v1.Gone ! com.acme.shop.v1.GoneFault ! com.acme.shop.v1.Text",
        "exception GoneFault since: date, args_: i32",
        "exception Text value: string",
        "struct Gone since: date, args: i32",
    ]


def test_operations_of_one_name_are_told_apart() -> None:
    schema = '<xs:element name="A" type="xs:int"/><xs:element name="B" type="xs:string"/>'
    messages = message("In1", "p element=t:A") + message("In2", "p element=t:B")
    data = wsdl(schema, messages, operation("Find", "In1") + operation("Find", "In2"))

    assert read(data) == ["Find(A: i32) -> oneway", "Find_(B: string) -> oneway"]
    (service,) = read_foreign_wsdl(document(data)).services
    assert {each.method.name for each in service.operations.values()} == {"Find", "Find_"}


def test_what_has_no_form_in_a_contract_is_left_out_with_its_reason() -> None:
    schema = '<xs:element name="A" type="xs:int"/><xs:element name="B" type="t:Nothing"/>'
    messages = message("In1", "p element=t:A") + message("In2", "p element=t:B") + message("In3", "p element=t:C")
    operations = operation("One", "In1") + operation("Two", "In2") + operation("Three", "In3")
    operations += '<w:operation name="Four"><w:output message="t:In1"/></w:operation>'
    found = document(wsdl(schema, messages, operations))

    assert [each.name for each in read_wsdl(found)[0].methods] == ["One"]
    assert omitted_operations(found) == (
        f"com.acme.shop.v1.Shop.Two: shop.wsdl:1: there is no type {{{NAMESPACE}}}Nothing",
        f"com.acme.shop.v1.Shop.Three: shop.wsdl:1: there is no element {{{NAMESPACE}}}C",
        "com.acme.shop.v1.Shop.Four: shop.wsdl:1: the service calls, not its client",
    )


def test_a_type_that_failed_takes_those_with_it_that_refer_to_it() -> None:
    types = (
        '<xs:complexType name="A"><xs:sequence><xs:element name="b" type="t:B" minOccurs="0"/>'
        '<xs:element name="x" type="t:Nothing"/></xs:sequence></xs:complexType>'
        '<xs:complexType name="B"><xs:sequence><xs:element name="a" type="t:A"/></xs:sequence></xs:complexType>'
        '<xs:element name="EA" type="t:A"/><xs:element name="EB" type="t:B"/><xs:element name="C" type="xs:int"/>'
    )
    messages = message("M1", "p element=t:EA") + message("M2", "p element=t:EB") + message("M3", "p element=t:C")
    data = wsdl(types, messages, operation("One", "M1") + operation("Two", "M2") + operation("Three", "M3"))

    assert read(data) == ["Three(C: i32) -> oneway"]


def test_nothing_left_is_an_error_with_all_reasons() -> None:
    data = wsdl("", message("In", "p element=t:A"), operation("One", "In"))

    with pytest.raises(
        ContractError, match=r"(?s)no operation for a contract:.*One: shop\.wsdl:1: there is no element"
    ):
        read(data)


def test_documents_are_followed_and_read_once() -> None:
    schema = '<xs:include schemaLocation="a.xsd"/><xs:import namespace="urn:b" schemaLocation="b.xsd"/>'
    included = (
        f'<xs:schema {_WS} xmlns:b="urn:b"><xs:include schemaLocation="a.xsd"/><xs:element name="A" type="b:B"/>'
        "</xs:schema>"
    )
    imported = (
        f'<xs:schema {_WS} xmlns:t="{NAMESPACE}" targetNamespace="urn:b">'
        f'<xs:import namespace="{NAMESPACE}" schemaLocation="a.xsd"/>'
        '<xs:complexType name="B"><xs:sequence><xs:element ref="t:A" minOccurs="0"/></xs:sequence></xs:complexType>'
        "</xs:schema>"
    )
    found = document(
        wsdl(schema, message("In", "p element=t:A"), operation("One", "In")),
        {"a.xsd": included, "b.xsd": imported},
    )

    assert lines(read_wsdl(found)[0]) == ["One(A: b.B) -> oneway", "struct B A: b.B? = None"]
    # Each reference of each document once, whatever circles they make.
    assert len(found.referred) <= 4


def test_a_document_that_cannot_be_read_is_missed_where_it_is_needed() -> None:
    schema = (
        '<xs:import namespace="urn:b" schemaLocation="b.xsd"/><xs:element name="A" type="xs:int"/>'
        '<xs:element name="B" xmlns:b="urn:b" type="b:B"/>'
    )
    messages = message("M1", "p element=t:A") + message("M2", "p element=t:B")
    found = document(wsdl(schema, messages, operation("One", "M1") + operation("Two", "M2")))

    assert lines(read_wsdl(found)[0]) == ["One(A: i32) -> oneway"]
    assert omitted_operations(found) == (
        "com.acme.shop.v1.Shop.Two: shop.wsdl:1: there is no type {urn:b}B "
        "(line 1: b.xsd cannot be read: No such file or directory)",
    )


@pytest.mark.parametrize("namespace", ["http://schemas.xmlsoap.org/soap/encoding/", "http://www.w3.org/2001/XMLSchema"])
def test_what_everybody_knows_is_not_fetched(namespace: str) -> None:
    schema = f'<xs:import namespace="{namespace}" schemaLocation="{namespace}"/><xs:element name="A" type="xs:int"/>'
    found = document(wsdl(schema, message("M1", "p element=t:A"), operation("One", "M1")))

    assert lines(read_wsdl(found)[0]) == ["One(A: i32) -> oneway"]
    assert found.referred == []


def test_bindings_to_anything_but_soap_over_http_are_passed_over() -> None:
    plain = one_operation("", "").decode()
    http = plain.replace("http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/http/")
    jms = plain.replace("http://schemas.xmlsoap.org/soap/http", "http://www.w3.org/2010/soapjms/")

    for each in (http, jms):
        with pytest.raises(ContractError, match="no binding to SOAP"):
            read(each.encode())


def test_parts_in_the_header_are_no_parameters() -> None:
    schema = '<xs:element name="A" type="xs:int"/><xs:element name="Key" type="xs:string"/>'
    bound = (
        '<w:operation name="One"><s:operation soapAction="urn:one"/><w:input>'
        '<s:header message="t:In" part="key" use="literal"/><s:body use="literal"/></w:input></w:operation>'
    )
    data = wsdl(schema, message("In", "p element=t:A", "key element=t:Key"), operation("One", "In"), bound=bound)

    assert read(data) == ["One(A: i32) -> oneway"]


def test_a_port_without_a_binding_is_left_out() -> None:
    whole = one_operation("", "").decode()
    found = document(whole.replace("</w:service>", '<w:port name="Q" binding="t:No"/></w:service>').encode())

    assert [each.name for each in read_wsdl(found)] == ["com.acme.shop.v1.Shop"]
    assert omitted_operations(found) == (f"port Q: shop.wsdl:1: there is no binding {{{NAMESPACE}}}No",)


def test_operations_with_attachments_are_left_out() -> None:
    schema = '<xs:element name="A" type="xs:int"/>'
    attached = (
        '<w:operation name="Two"><s:operation soapAction=""/><w:input>'
        '<m:multipartRelated xmlns:m="http://schemas.xmlsoap.org/wsdl/mime/"><m:part><s:body use="literal"/></m:part>'
        '<m:part><m:content part="file" type="image/png"/></m:part></m:multipartRelated></w:input></w:operation>'
    )
    plain = '<w:operation name="One"><w:input><s:body use="literal"/></w:input></w:operation>'
    messages = message("M1", "p element=t:A") + message("M2", "p element=t:A", "file type=xs:base64Binary")
    operations = operation("One", "M1") + operation("Two", "M2")
    found = document(wsdl(schema, messages, operations, bound=plain + attached))

    assert lines(read_wsdl(found)[0]) == ["One(A: i32) -> oneway"]
    assert omitted_operations(found) == ("com.acme.shop.v1.Shop.Two: shop.wsdl:1: its messages have attachments",)


def test_types_that_are_nested_too_deep_are_refused() -> None:
    open_ = '<xs:element name="a" maxOccurs="9"><xs:complexType><xs:sequence>'
    close = "</xs:sequence></xs:complexType></xs:element>"
    types = "".join(
        f'<xs:complexType name="ArrayOf{each}"><xs:sequence>{open_ * 40}<xs:element name="x" type="t:ArrayOf{each + 1}"'
        f' maxOccurs="9"/>{close * 40}</xs:sequence></xs:complexType>'
        for each in range(30)
    )
    last = '<xs:complexType name="ArrayOf30"><xs:sequence/></xs:complexType>'

    with pytest.raises(ContractError, match="types that are nested too deep"):
        read_foreign_wsdl(document(one_operation(types + last, '<xs:element name="p" type="t:ArrayOf0"/>')))


def test_an_element_may_be_called_as_what_every_class_has() -> None:
    both = '<xs:element name="mro" type="xs:int"/><xs:element name="mro_" type="xs:int"/>'
    (service,) = read_foreign_wsdl(document(one_operation("", "", both))).services

    contract = contract_of(services_of(contract_module([service.contract], "mro"))[service.contract.name])
    struct = contract.struct(contract.methods[0].returns)
    assert [each.name for each in struct.fields] == ["mro_", "mro__"]
