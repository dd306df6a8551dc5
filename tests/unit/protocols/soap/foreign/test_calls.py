"""Messages of foreign services. zeep is the other side: it reads what is written here, and writes what is read here."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
import zeep
from lxml import etree

from gateway.contracts import contract_of
from gateway.contracts.module import contract_module, services_of
from gateway.model.call import Fault, Ok
from gateway.model.errors import ContractError, ValueMappingError
from protocols.contract import Outcome
from protocols.soap.envelope import V11
from protocols.soap.foreign.calls import ForeignCalls
from protocols.soap.wsdl_import import read_foreign_wsdl
from tests.support.foreign_wsdl import NAMESPACE, document, one_operation, wsdl

_SCHEMA = (
    '<xs:simpleType name="State"><xs:restriction base="xs:string"><xs:enumeration value="in-stock"/>'
    '<xs:enumeration value="gone"/></xs:restriction></xs:simpleType>'
    '<xs:complexType name="Base"><xs:sequence><xs:element name="id" type="xs:unsignedByte"/></xs:sequence>'
    '<xs:attribute name="lang" type="xs:string"/></xs:complexType>'
    '<xs:complexType name="Item"><xs:complexContent><xs:extension base="t:Base"><xs:sequence>'
    '<xs:element name="state" type="t:State"/><xs:element name="tags" type="xs:string" minOccurs="0" maxOccurs="3"/>'
    '<xs:choice><xs:element name="price" type="xs:decimal"/><xs:element name="free" type="xs:boolean"/></xs:choice>'
    '<xs:element name="note" type="xs:string" nillable="true"/><xs:element name="raw" type="xs:hexBinary"/>'
    '<xs:element name="names" type="t:ArrayOfName" minOccurs="0"/>'
    '</xs:sequence><xs:attribute name="sizes" type="t:Sizes"/></xs:extension></xs:complexContent></xs:complexType>'
    '<xs:simpleType name="Sizes"><xs:list itemType="xs:int"/></xs:simpleType>'
    '<xs:complexType name="ArrayOfName"><xs:sequence><xs:element name="Name" type="xs:string" maxOccurs="unbounded"/>'
    "</xs:sequence></xs:complexType>"
)
_ITEM = '<xs:element name="item" type="t:Item" minOccurs="0" maxOccurs="unbounded"/>'
_WHEN = '<xs:element name="when" type="xs:dateTime"/><xs:element name="at" type="xs:time"/>'


class Calls:
    """A contract that was read from a WSDL, ready to be called."""

    def __init__(self, data: bytes, zone: str = "") -> None:
        (service,) = read_foreign_wsdl(document(data)).services
        self.module = contract_module([service.contract], "shop.wsdl")
        contract = contract_of(services_of(self.module)[service.contract.name])
        self.calls = ForeignCalls(contract, service, zone)

    def request(self, *arguments: Any, operation: str = "Do") -> bytes:
        return self.calls.by_attribute[operation].write_request(V11, "", arguments)

    def answer(self, inside: str, operation: str = "Do") -> Outcome:
        data = (
            '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xmlns:enc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:t="{NAMESPACE}"><e:Body>{inside}</e:Body>'
            "</e:Envelope>"
        )
        return self.calls.by_attribute[operation].read_answer(data.encode(), "utf-8", 10_000)

    def value(self, inside: str, operation: str = "Do") -> Any:
        outcome = self.answer(inside, operation)
        assert isinstance(outcome, Ok)
        return outcome.value

    def item(self, **changed: Any) -> Any:
        values = {"id": 7, "state": self.module.State.in_stock, "tags": ["a b", "<"], "price": None, "free": True}
        values |= {"note": None, "raw": b"\x00\xff", "names": ["x", "y"], "lang": "de", "sizes": [1, 2]}
        return self.module.Item(**(values | changed))


@pytest.fixture(scope="module")
def shop() -> Calls:
    return Calls(one_operation(_SCHEMA, _ITEM, _ITEM))


@pytest.fixture(scope="module")
def operation(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The operation as zeep has it."""
    path: Path = tmp_path_factory.mktemp("wsdl") / "shop.wsdl"
    path.write_bytes(one_operation(_SCHEMA, _ITEM, _ITEM))
    return zeep.Client(str(path)).service._binding.get("Do")


def test_zeep_reads_what_is_written(shop: Calls, operation: Any) -> None:
    read = operation.input.deserialize(etree.fromstring(shop.request([shop.item(), shop.item(price="1", free=None)])))

    first, second = read
    assert (first.id, first.state, first.tags, first.free, first.note) == (7, "in-stock", ["a b", "<"], True, None)
    assert (first.raw, first.names.Name, first.lang, first.sizes) == ("00FF", ["x", "y"], "de", [1, 2])
    assert second.price == 1


def test_what_is_written_is_valid_by_the_schema(shop: Calls) -> None:
    root = etree.fromstring(one_operation(_SCHEMA, _ITEM, _ITEM))
    schema = etree.XMLSchema(etree.fromstring(etree.tostring(root.find("{*}types")[0])))
    ((body,),) = etree.fromstring(shop.request([shop.item(), shop.item(tags=[], names=None, lang=None, sizes=None)]))

    schema.assertValid(etree.fromstring(etree.tostring(body)))


def test_what_zeep_writes_is_read(shop: Calls, operation: Any) -> None:
    item = {"id": 7, "state": "in-stock", "tags": ["a b", "<"], "free": True, "note": None, "raw": "00FF"}
    item |= {"names": {"Name": ["x", "y"]}, "lang": "de", "sizes": [1, 2]}
    envelope = etree.tostring(
        operation.output.serialize(item=[item, {**item, "free": None, "price": "1.50", "note": "n"}]).content
    )

    outcome = shop.calls.by_attribute["Do"].read_answer(envelope, "utf-8", 10_000)

    assert isinstance(outcome, Ok)
    first, second = outcome.value
    assert first == shop.item()
    assert (str(second.price), second.free, second.note) == ("1.50", None, "n")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"price": 1, "free": True}, "args[0][0]: free, price: values of different branches of one choice"),
        ({"free": None}, "args[0][0]: one of price, free is needed"),
        ({"id": 256}, "args[0][0].id: the number is none of xs:unsignedByte"),
        ({"tags": ["a"] * 4}, "args[0][0].tags: 4 values, where 0 to 3 fit"),
        ({"names": []}, "args[0][0].names.Name: 0 values, where 1 to any number fit"),
        ({"lang": "\x00"}, "args[0][0].lang: the character U+0000"),
    ],
)
def test_values_without_a_place_are_refused_with_theirs(shop: Calls, changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueMappingError) as caught:
        shop.request([shop.item(**changed)])
    assert reason in str(caught.value)


_GOOD = "<t:id>1</t:id><t:state>gone</t:state><t:free>1</t:free><t:note>n</t:note><t:raw/>"


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        (_GOOD.replace("<t:id>1</t:id>", ""), "item[0]: expected id, found 'state'"),
        (_GOOD.replace(">1</t:id>", ">one</t:id>"), "item[0].id: "),
        (_GOOD.replace(">1</t:id>", ">-1</t:id>"), "item[0].id: the number is none of xs:unsignedByte"),
        (_GOOD.replace(">1</t:id>", "><b/></t:id>"), "item[0].id: elements where a text is expected"),
        (_GOOD.replace("<t:id>", '<t:id xsi:nil="true">'), "item[0].id: null"),
        (_GOOD.replace("gone", "lost"), "item[0].state: 'lost' is no com.acme.shop.v1.State"),
        (_GOOD.replace("<t:free>1</t:free>", ""), "item[0]: expected one of price, free, found 'note'"),
        (f"{_GOOD}<t:more/>", "item[0]: 'more' has no place here"),
        (_GOOD.replace("<t:raw/>", "<t:raw>0</t:raw>"), "item[0].raw: expected hexadecimal digits"),
    ],
)
def test_answers_that_do_not_fit_are_refused_with_the_place(shop: Calls, inside: str, reason: str) -> None:
    with pytest.raises(ValueMappingError) as caught:
        shop.answer(f"<t:DoResponse><t:item>{inside}</t:item></t:DoResponse>")
    assert str(caught.value).startswith(reason)


def test_elements_need_not_be_qualified(shop: Calls) -> None:
    (item,) = shop.value(f"<t:DoResponse><item>{_GOOD.replace('t:', '')}</item></t:DoResponse>")

    assert (item.id, item.note, item.tags, item.names) == (1, "n", [], None)


def test_what_a_derived_type_adds_is_passed_over(shop: Calls) -> None:
    (item,) = shop.value(f'<t:DoResponse><t:item xsi:type="t:More">{_GOOD}<t:more>1</t:more></t:item></t:DoResponse>')

    assert item.id == 1


def test_moments_as_dotnet_writes_them() -> None:
    when = "<t:when>2026-08-14T09:26:53.1234567{}</t:when><t:at>09:26:53.0000000+02:00</t:at>"
    moment = datetime(2026, 8, 14, 7, 26, 53, 123456, UTC)

    for zone, said in (("", "+02:00"), ("+02:00", "")):
        found = Calls(one_operation("", "", _WHEN), zone).value(f"<t:DoResponse>{when.format(said)}</t:DoResponse>")
        assert (found.when, found.at) == (moment, time(9, 26, 53))
    with pytest.raises(ValueMappingError, match="has no zone; the option zone says"):
        Calls(one_operation("", "", _WHEN)).answer(f"<t:DoResponse>{when.format('')}</t:DoResponse>")


def test_the_zone_behind_a_long_fraction_is_not_lost() -> None:
    inside = f"<t:when>2026-08-14T09:26:53.{'0' * 85}Z</t:when><t:at>09:26:53.{'0' * 95}nonsense</t:at>"

    with pytest.raises(ValueMappingError, match="a moment of 106 characters"):
        Calls(one_operation("", "", _WHEN), "+01:00").answer(f"<t:DoResponse>{inside}</t:DoResponse>")


def test_a_group_that_is_repeated_keeps_its_order() -> None:
    inside = (
        '<xs:element name="x"><xs:complexType><xs:choice maxOccurs="unbounded"><xs:element name="a" type="xs:int"/>'
        '<xs:element name="b" type="xs:string"/></xs:choice></xs:complexType></xs:element>'
    )
    calls = Calls(one_operation("", inside, inside))

    value = calls.value("<t:DoResponse><t:x><t:a>1</t:a><t:b>2</t:b><t:a>3</t:a></t:x></t:DoResponse>")

    assert [(each.a, each.b) for each in value.choice] == [(1, None), (None, "2"), (3, None)]
    ((request,),) = etree.fromstring(calls.request(value))
    assert [(etree.QName(each).localname, each.text) for each in request[0]] == [("a", "1"), ("b", "2"), ("a", "3")]


def test_unknown_elements_are_texts_that_can_be_sent_again() -> None:
    inside = '<xs:any minOccurs="0" maxOccurs="unbounded" processContents="lax"/><xs:element name="end" type="xs:int"/>'
    calls = Calls(one_operation("", inside, inside))

    value = calls.value('<t:DoResponse><q:a xmlns:q="urn:q" q:k="&lt;">x<b/>y</q:a><t:end>1</t:end></t:DoResponse>')

    assert value.end == 1
    (text,) = value.any
    expected = etree.fromstring('<q:a xmlns:q="urn:q" q:k="&lt;">x<b/>y</q:a>')
    assert etree.tostring(etree.fromstring(text), method="c14n2") != b""
    ((request,),) = etree.fromstring(calls.request(value.any, 2))
    for found in (etree.fromstring(text), request[0]):
        assert [(each.tag, dict(each.attrib), each.text, each.tail) for each in found.iter()] == [
            (each.tag, dict(each.attrib), each.text, each.tail) for each in expected.iter()
        ]
    with pytest.raises(ValueMappingError, match="expected the XML of an element"):
        calls.request(["<a>"], 1)


@pytest.fixture(scope="module")
def encoded() -> Calls:
    """rpc/encoded, as section 5 of SOAP 1.1 has it."""
    types = (
        '<xs:complexType name="T"><xs:sequence><xs:element name="n" type="xs:int"/>'
        '<xs:element name="next" type="t:T" minOccurs="0"/></xs:sequence></xs:complexType>'
        '<xs:complexType name="Ts"><xs:complexContent><xs:restriction base="enc:Array">'
        '<xs:attribute ref="enc:arrayType" w:arrayType="t:T[]"/></xs:restriction></xs:complexContent></xs:complexType>'
    )
    messages = (
        '<w:message name="In"><w:part name="a" type="xs:int"/><w:part name="b" type="t:Ts"/></w:message>'
        '<w:message name="Out"><w:part name="r" type="t:Ts"/></w:message>'
    )
    operation = '<w:operation name="Do"><w:input message="t:In"/><w:output message="t:Out"/></w:operation>'
    forms = 'elementFormDefault="unqualified"'
    return Calls(wsdl(types, messages, operation, style="rpc", use="encoded", forms=forms))


def test_every_element_says_its_type(encoded: Calls) -> None:
    ((call,),) = etree.fromstring(encoded.request(1, [encoded.module.T(n=2), None]))
    xsi = "{http://www.w3.org/2001/XMLSchema-instance}"

    assert call.tag == f"{{{NAMESPACE}}}Do"
    assert call.get("{http://schemas.xmlsoap.org/soap/envelope/}encodingStyle").endswith("/soap/encoding/")
    number, array = call
    assert (number.tag, number.text, number.get(f"{xsi}type")) == ("a", "1", "xs:int")
    assert array.get("{http://schemas.xmlsoap.org/soap/encoding/}arrayType") == "i:T[2]"
    assert array.nsmap["i"] == NAMESPACE
    assert [each.get(f"{xsi}nil") for each in array] == [None, "true"]
    assert (array[0][0].tag, array[0][0].text) == ("n", "2")


def test_elements_may_be_elsewhere(encoded: Calls) -> None:
    value = encoded.value(
        '<t:DoResponse><r href="#1"/></t:DoResponse><x id="1" enc:arrayType="t:T[2]"><i href="#2"/><i href="#2"/></x>'
        '<x id="2"><n>5</n></x>'
    )

    assert [each.n for each in value] == [5, 5]


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ('<t:DoResponse><r href="#9"/></t:DoResponse>', "is no element of the answer"),
        (
            '<t:DoResponse><r href="#1"/></t:DoResponse><x id="1"><i href="#2"/></x>'
            '<x id="2"><n>1</n><next href="#2"/></x>',
            "deeper than 60 levels",
        ),
    ],
)
def test_references_that_lead_nowhere_are_refused(encoded: Calls, inside: str, reason: str) -> None:
    with pytest.raises(ValueMappingError, match=reason):
        encoded.answer(inside)


def test_a_text_that_is_referred_to_again_and_again_is_not_read_for_ever() -> None:
    text = "x" * 1_000_000
    calls = Calls(
        wsdl(
            '<xs:complexType name="Ts"><xs:complexContent><xs:restriction base="enc:Array">'
            '<xs:attribute ref="enc:arrayType" w:arrayType="xs:base64Binary[]"/></xs:restriction></xs:complexContent>'
            "</xs:complexType>",
            '<w:message name="In"/><w:message name="Out"><w:part name="r" type="t:Ts"/></w:message>',
            '<w:operation name="Do"><w:input message="t:In"/><w:output message="t:Out"/></w:operation>',
            style="rpc",
            use="encoded",
        )
    )

    each = '<i href="#1"/>'

    def inside(times: int) -> str:
        return f'<t:DoResponse><r>{each * times}</r></t:DoResponse><x id="1">{text}</x>'

    assert [len(found) for found in calls.value(inside(3))] == [750_000] * 3
    with pytest.raises(ValueMappingError, match="texts that are referred to too often"):
        calls.answer(inside(100))


def test_namespaces_do_not_make_a_text_of_elements_endless() -> None:
    calls = Calls(one_operation("", "", '<xs:any maxOccurs="unbounded"/>'))
    pair = "<p:a><b/>x</p:a>"

    with pytest.raises(ValueMappingError, match="the XML is too long as a text"):
        calls.answer(f'<t:DoResponse><r xmlns:p="{"n" * 1_000}">{pair * 4_900}</r></t:DoResponse>')
    assert len(calls.value(f'<t:DoResponse><r xmlns:p="p">{pair * 10}</r></t:DoResponse>')[0]) > 10 * len(pair)


@pytest.fixture(scope="module")
def failing() -> Calls:
    schema = (
        '<xs:element name="Do" type="xs:int"/><xs:element name="Gone"><xs:complexType><xs:sequence>'
        '<xs:element name="since" type="xs:date"/></xs:sequence></xs:complexType></xs:element>'
    )
    messages = (
        '<w:message name="In"><w:part name="p" element="t:Do"/></w:message>'
        '<w:message name="F"><w:part name="p" element="t:Gone"/></w:message>'
    )
    operation = (
        '<w:operation name="Do"><w:input message="t:In"/><w:output message="t:In"/>'
        '<w:fault name="f" message="t:F"/></w:operation>'
    )
    return Calls(wsdl(schema, messages, operation))


def test_a_declared_one_has_its_fields(failing: Calls) -> None:
    detail = "<t:Gone><t:since>2026-08-14</t:since></t:Gone>"
    eleven = f"<faultcode>e:Server</faultcode><faultstring>gone</faultstring><detail>{detail}</detail>"
    found = failing.answer(f"<e:Fault>{eleven}</e:Fault>")

    assert isinstance(found, Fault)
    assert (found.type_name, found.message, found.declared) == ("com.acme.shop.v1.Gone", "gone", True)
    assert {name: str(each) for name, each in found.fields.items()} == {"since": "2026-08-14"}


def test_any_other_is_known_by_its_code_and_text(failing: Calls) -> None:
    for detail in ("", "<detail><t:Other/></detail>", "<detail><t:Gone/></detail>"):
        found = failing.answer(f"<e:Fault><faultcode>q:Odd</faultcode><faultstring>no</faultstring>{detail}</e:Fault>")
        assert isinstance(found, Fault)
        assert (found.type_name, found.message, found.declared) == ("Odd", "no", False)


def test_a_contract_that_is_another_one_is_refused(shop: Calls) -> None:
    contract = shop.calls.contract
    method = contract.methods[0]
    (param,) = method.params
    changed = dataclasses.replace(method, params=(dataclasses.replace(param, name="items"),))
    for other, reason in (
        (dataclasses.replace(contract, methods=(changed,)), r"Do is \(items: .*, not \(item: "),
        (dataclasses.replace(contract, methods=(dataclasses.replace(method, attribute="Go"),)), "no such operation"),
    ):
        with pytest.raises(ContractError, match=reason):
            ForeignCalls(other, shop.calls.service)
    # Fewer methods are no other contract.
    assert ForeignCalls(dataclasses.replace(contract, methods=()), shop.calls.service).by_attribute == {}
