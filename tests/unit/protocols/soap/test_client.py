"""webservice:// called: what goes out, and what comes back of servers of many kinds."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from gateway.model.call import Fault, Invocation, Ok
from gateway.model.contract import Field, MethodContract, Param, ServiceContract, StructType
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import (
    BadRequest,
    ContractError,
    LocalWireError,
    NoSuchService,
    Overloaded,
    ProviderFailed,
    Retry,
    Unauthenticated,
    ValueMappingError,
)
from gateway.model.fault import ServiceError
from gateway.model.typeref import Kind, TypeRef
from protocols.contract import Outcome
from protocols.http.message import HttpRequest, HttpResponse
from protocols.soap.client import ClientOptions, SoapClientBinding
from tests.support.soap_bytes import NS_11, NS_12, body_of, envelope

I64, TEXT, NOTHING = TypeRef(Kind.I64), TypeRef(Kind.STRING), TypeRef(Kind.NULL)
XML = (("Content-Type", "text/xml; charset=utf-8"),)
SHOP = "http://shop/"


class SoldOut(ServiceError):
    left: int


STORE = ServiceContract(
    "shop.Store",
    (
        MethodContract(
            "add",
            (Param("a", I64), Param("b", I64)),
            I64,
            "add",
            throws=(TypeRef(Kind.EXCEPTION, name="shop.SoldOut"),),
        ),
        MethodContract("join", (Param("a", TypeRef(Kind.LIST, (TEXT,))),), TEXT, "join"),
        MethodContract("touch", (), NOTHING, "touch", oneway=True),
        MethodContract("find", (Param("a", I64),), I64, "find"),
        MethodContract("find", (Param("a", TEXT),), I64, "find_by_name"),
    ),
    types={"shop.SoldOut": StructType("shop.SoldOut", SoldOut, (Field("left", I64, "left"),), is_exception=True)},
)
KEY = ServiceKey("shop.Store")


def bound(**options: Any) -> tuple[SoapClientBinding, Any]:
    client = SoapClientBinding(ClientOptions(**options))
    return client, client.bind(Endpoint("webservice", "a", 1, KEY), KEY, STORE, "", "tests")


def request(attribute: str, *arguments: Any, timeout_s: float | None = None, **options: Any) -> HttpRequest:
    client, binding = bound(**options)
    return client.encode_call(binding, invocation(attribute, *arguments), timeout_s)[0]


def invocation(attribute: str, *arguments: Any) -> Invocation:
    signature = next(each for each in STORE.methods if each.attribute == attribute)
    return Invocation(KEY, signature.name, arguments, signature=signature)


def outcome(
    body: bytes, status: int = 200, headers: tuple[tuple[str, str], ...] = XML, attribute: str = "add"
) -> Outcome:
    client, binding = bound()
    ticket = binding.service.by_attribute[attribute]
    return client.decode_reply(binding, ticket, HttpResponse(status, headers, body))


def answer(inside: str, name: str = "addResponse") -> bytes:
    return envelope(f'<{name} xmlns="{SHOP}">{inside}</{name}>')


def test_a_call_in_1_1() -> None:
    sent = request("add", 1, 2)
    fields = dict(sent.headers.pairs)
    assert (sent.method, sent.path, sent.query) == ("POST", "/shop.Store", "")
    assert fields["Content-Type"] == "text/xml; charset=utf-8"
    assert fields["SOAPAction"] == '"http://shop/add"'
    assert etree.QName(etree.fromstring(sent.body)).namespace == NS_11
    assert [(each.tag, each.text) for each in body_of(sent.body)] == [(f"{{{SHOP}}}a", "1"), (f"{{{SHOP}}}b", "2")]


def test_a_call_in_1_2() -> None:
    sent = request("add", 1, 2, version="1.2")
    fields = dict(sent.headers.pairs)
    assert fields["Content-Type"] == 'application/soap+xml; charset=utf-8; action="http://shop/add"'
    assert "SOAPAction" not in fields
    assert etree.QName(etree.fromstring(sent.body)).namespace == NS_12


def test_servers_made_with_jaxws_expect_no_namespace_inside() -> None:
    sent = request("add", 1, 2, form="unqualified", namespace="urn:shop", path="/ws/store")
    inside = body_of(sent.body)
    assert inside.tag == "{urn:shop}add"
    assert [each.tag for each in inside] == ["a", "b"]
    assert sent.path == "/ws/store"


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("1.1", {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}),
        ("1.2", {"Content-Type": "application/soap+xml; charset=utf-8"}),
    ],
)
def test_servers_made_with_cxf_refuse_an_action_that_they_do_not_have(version: str, fields: dict[str, str]) -> None:
    sent = dict(request("add", 1, 2, send_action=False, version=version).headers.pairs)
    assert {key: value for key, value in sent.items() if key in ("Content-Type", "SOAPAction")} == fields


def test_overloads_are_told_apart() -> None:
    assert body_of(request("find_by_name", "x").body).tag == f"{{{SHOP}}}find_by_name"
    client, binding = bound()
    with pytest.raises(ValueMappingError, match="no such method"):
        client.encode_call(binding, Invocation(KEY, "find", (1,)), None)


def test_the_path_that_a_provider_announces_is_called() -> None:
    client = SoapClientBinding(ClientOptions())
    endpoint = Endpoint("webservice", "a", 1, KEY, path="soap/shop.Store")
    binding = client.bind(endpoint, KEY, STORE, "", "tests")
    assert client.encode_call(binding, invocation("touch"), None)[0].path == "/soap/shop.Store"


def test_what_goes_beside_a_call_can_be_left_out() -> None:
    assert b"Polyport-Timeout" in request("add", 1, 2, timeout_s=1.5).body
    assert b"Header" not in request("add", 1, 2, timeout_s=1.5, send_context=False).body


def test_a_request_beyond_the_limit_is_not_sent() -> None:
    with pytest.raises(LocalWireError, match="exceeds the limit of 1000"):
        request("join", ["x" * 1_000], max_request_bytes=1_000)


def test_a_value_without_a_form_is_refused_with_its_place() -> None:
    with pytest.raises(ValueMappingError, match=r"args\[0\]\[1\]: the character U\+FFFF at 0 has no form in XML 1.0"):
        request("join", ["x", "\uffff"])


def test_a_service_without_a_contract_cannot_be_called() -> None:
    with pytest.raises(ContractError, match="by a contract"):
        SoapClientBinding(ClientOptions()).bind(Endpoint("webservice", "a", 1, KEY), KEY, None, "", "tests")


@pytest.mark.parametrize(
    "body",
    [
        answer("<return>3</return>"),
        envelope(f'<n:addResponse xmlns:n="{SHOP}"><return>3</return></n:addResponse>'),
        envelope('<addResponse xmlns="urn:elsewhere"><return xmlns="http://shop/"> 3 </return></addResponse>'),
        answer("<return>3</return>").replace(NS_11.encode(), NS_12.encode()),
        answer("<return>3</return>").decode().encode("utf-8-sig"),
        answer('<return xsi:type="xs:long">3</return>'),
    ],
)
def test_answers_of_many_servers_are_read(body: bytes) -> None:
    found = outcome(body)
    assert isinstance(found, Ok)
    assert found.value == 3


def test_a_call_nobody_waits_for_is_done_when_it_was_taken() -> None:
    for status, body in ((202, b""), (200, b""), (200, answer("", "touchResponse"))):
        assert isinstance(outcome(body, status, attribute="touch"), Ok)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (answer("<return>x</return>"), "result: expected an integer"),
        (answer(""), "result: the element 'return' is missing"),
        (answer("<return>1</return>", "subResponse"), "expected addResponse, found {http://shop/}subResponse"),
        (envelope(""), "the answer's body is empty"),
        (answer("<return>3</return>")[:-5], "no well-formed XML"),
        (b"<html/>", "no envelope"),
        (b"<!DOCTYPE a><a/>", "a document type"),
    ],
)
def test_an_answer_that_does_not_fit_is_the_providers_fault(body: bytes, said: str) -> None:
    found = outcome(body)
    assert type(found) is ProviderFailed
    assert found.retry is Retry.NEVER
    assert said in str(found)
    assert str(found).startswith("a:1: ")


def fault_11(code: str, text: str, detail: str = "") -> bytes:
    inside = f"<faultcode>{code}</faultcode><faultstring>{text}</faultstring>{detail}"
    return envelope(f"<e:Fault>{inside}</e:Fault>")


def fault_12(code: str, text: str, detail: str = "") -> bytes:
    inside = f"<e:Code><e:Value>{code}</e:Value></e:Code><e:Reason><e:Text>{text}</e:Text></e:Reason>{detail}"
    return envelope(f"<e:Fault>{inside}</e:Fault>", namespace=NS_12)


SOLD_OUT = '<SoldOut xmlns="http://shop/"><left>2</left><message>two left</message></SoldOut>'
TYPED = SOLD_OUT.replace(" xmlns", ' xsi:type="n:SoldOut" xmlns:n="http://shop/" xmlns')


@pytest.mark.parametrize(
    "body",
    [
        fault_11("e:Server", "two left", f"<detail>{SOLD_OUT}</detail>"),
        fault_12("e:Receiver", "two left", f"<e:Detail>{SOLD_OUT}</e:Detail>"),
        fault_11("e:Server", "x", f'<detail><other xmlns="urn:x"><a>1</a></other>{SOLD_OUT}</detail>'),
        fault_11("e:Server", "x", f"<detail>{TYPED}</detail>"),
    ],
)
def test_a_declared_exception_arrives(body: bytes) -> None:
    found = outcome(body, 500)
    assert isinstance(found, Fault)
    assert (found.type_name, found.message, dict(found.fields), found.declared) == (
        "shop.SoldOut",
        "two left",
        {"left": 2},
        True,
    )


WORDLESS = "<detail><SoldOut xmlns='http://shop/'><left>2</left></SoldOut></detail>"


@pytest.mark.parametrize(("text", "message"), [("two left", "two left"), ("shop.SoldOut", None), ("", None)])
def test_an_exception_without_a_text_of_its_own_has_that_of_its_fault(text: str, message: str | None) -> None:
    """Beans of exceptions that wsimport made have no text unless somebody sets it."""
    found = outcome(fault_11("e:Server", text, WORDLESS), 500)
    assert isinstance(found, Fault)
    assert (found.type_name, found.message) == ("shop.SoldOut", message)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (fault_11("e:Server", "broken"), "Server"),
        (fault_11("e:Client", "broken"), "Client"),
        (fault_11("Server.NoSuchCustomer", "broken", "<detail><x/></detail>"), "Server.NoSuchCustomer"),
        (fault_12("e:Sender", "broken"), "Sender"),
        (fault_12("e:Receiver", "broken").replace(
            b"</e:Value></e:Code>",
            b'</e:Value><e:Subcode><e:Value xmlns:s="urn:s">s:Closed</e:Value></e:Subcode></e:Code>',
        ), "Closed"),
    ],
)  # fmt: skip
def test_a_fault_of_another_server_is_an_exception_called_by_its_code(body: bytes, name: str) -> None:
    found = outcome(body, 500)
    assert isinstance(found, Fault)
    assert (found.type_name, found.message, found.declared) == (name, "broken", False)


@pytest.mark.parametrize("code", ["VersionMismatch", "MustUnderstand"])
def test_a_fault_about_the_envelope_says_that_the_call_does_not_fit(code: str) -> None:
    found = outcome(fault_11(f"e:{code}", "no"), 500)
    assert type(found) is BadRequest
    assert code in str(found)


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind"),
    [
        (404, (("Content-Type", "text/html"),), b"<html>", NoSuchService),
        (401, (), b"", Unauthenticated),
        (503, (("Content-Type", "text/plain"),), b"busy", Overloaded),
        (500, XML, b"<html><br></html>", ProviderFailed),
        (200, (("Content-Type", "text/html"),), b"<html/>", ProviderFailed),
        (302, (), b"", ProviderFailed),
        (200, XML, b"", ProviderFailed),
    ],
)
def test_without_an_envelope_the_status_counts(
    status: int, headers: tuple[tuple[str, str], ...], body: bytes, kind: type[Exception]
) -> None:
    assert type(outcome(body, status, headers)) is kind


def test_a_nested_fault_costs_no_stack() -> None:
    deep = "<a>" * 150 + "x" + "</a>" * 150
    found = outcome(fault_11("e:Server", "broken", f"<detail>{deep}</detail>"), 500)
    assert isinstance(found, Fault)
