"""webservice:// without a socket: which message is which call, and which answer which message."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from gateway.model.call import Fault, Invocation, Ok, Peer
from gateway.model.contract import MethodContract, Param, ServiceContract, StructType
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, ContractError, NoSuchMethod, Overloaded
from gateway.model.exposure import Exposure
from gateway.model.fault import ServiceError
from gateway.model.typeref import Kind, TypeRef
from protocols.contract import Outcome
from protocols.http.message import Headers, HttpRequest, HttpResponse
from protocols.soap.server import SoapBinding
from tests.support.soap_bytes import NS_11, NS_12, body_of, envelope

I64, TEXT, NOTHING = TypeRef(Kind.I64), TypeRef(Kind.STRING), TypeRef(Kind.NULL)
SHOP = "http://shop/"
GATEWAY = "urn:polyport:soap"


class SoldOut(ServiceError):
    left: int


def a_method(name: str, params: tuple[Param, ...] = (), returns: TypeRef = I64, **more: Any) -> MethodContract:
    return MethodContract(name, params, returns, more.pop("attribute", name), **more)


STORE = ServiceContract(
    "shop.Store",
    (
        a_method("add", (Param("a", I64), Param("b", I64))),
        a_method("join", (Param("a", TEXT), Param("b", TEXT.optional(), default="b")), TEXT),
        a_method("touch", (Param("a", I64),), NOTHING, oneway=True),
        a_method("find", (Param("id", I64),), attribute="find"),
        a_method("find", (Param("name", TEXT),), attribute="find_by_name"),
        a_method("renamed", (), names={"webservice": "Renamed"}),
    ),
    types={"shop.SoldOut": StructType("shop.SoldOut", SoldOut, (), is_exception=True)},
    doc="Sells <things> & more.",
)
KEY = ServiceKey("shop.Store")
BINDING = SoapBinding([Exposure(KEY, STORE), Exposure(ServiceKey("shop.Store", "eu", "1.0"), STORE)])


def post(
    body: bytes,
    path: str = "/shop.Store",
    content_type: str = "text/xml; charset=utf-8",
    fields: tuple[tuple[str, str], ...] = (),
) -> HttpRequest:
    return HttpRequest("POST", path, "", Headers((("Content-Type", content_type), *fields)), body)


def operation(name: str, inside: str = "", **more: Any) -> bytes:
    return envelope(f'<{name} xmlns="{SHOP}">{inside}</{name}>', **more)


def decoded(request: HttpRequest, binding: SoapBinding = BINDING) -> Invocation:
    exchange = binding.decode_call(request, 100.0)
    assert not isinstance(exchange, HttpResponse), exchange.body
    (invocation,) = exchange.calls
    return invocation


def answered(request: HttpRequest, outcome: Outcome | None, binding: SoapBinding = BINDING) -> HttpResponse:
    exchange = binding.decode_call(request, 100.0)
    assert not isinstance(exchange, HttpResponse), exchange.body
    return exchange.encode_reply([outcome])


def refused(request: HttpRequest, binding: SoapBinding = BINDING) -> HttpResponse:
    response = binding.decode_call(request, 100.0)
    assert isinstance(response, HttpResponse)
    assert response.error is not None
    return response


def faultcode(response: HttpResponse) -> str:
    fault = body_of(response.body)
    assert etree.QName(fault).localname == "Fault"
    if etree.QName(fault).namespace == NS_11:
        return fault.findtext("faultcode") or ""
    return fault.findtext(f"{{{NS_12}}}Code/{{{NS_12}}}Value") or ""


ADD = "<a>1</a><b>2</b>"


def test_a_call_is_the_first_element_of_the_body() -> None:
    invocation = decoded(post(operation("add", ADD)))
    assert (invocation.service, invocation.method, invocation.arguments()) == (KEY, "add", (1, 2))


def test_soapaction_does_not_choose_the_operation() -> None:
    fields = (("SOAPAction", '"http://shop/find"'),)
    assert decoded(post(operation("add", ADD), fields=fields)).method == "add"


@pytest.mark.parametrize("path", ["/eu/shop.Store:1.0"])
def test_the_path_says_group_and_version(path: str) -> None:
    assert decoded(post(operation("add", ADD), path)).service == ServiceKey("shop.Store", "eu", "1.0")


@pytest.mark.parametrize(
    ("name", "attribute"), [("find", "find"), ("find_by_name", "find_by_name"), ("Renamed", "renamed")]
)
def test_methods_that_share_a_name_are_called_by_their_attributes(name: str, attribute: str) -> None:
    signature = decoded(post(operation(name))).signature
    assert signature is not None
    assert signature.attribute == attribute


def test_a_default_stands_for_what_is_left_out_and_null_for_null() -> None:
    assert decoded(post(operation("join", "<a>x</a>"))).arguments() == ("x", "b")
    assert decoded(post(operation("join", '<a>x</a><b xsi:nil="true"/>'))).arguments() == ("x", None)
    assert decoded(post(operation("join", "<a>x</a><b/>"))).arguments() == ("x", "")


def test_text_arrives_with_its_blanks() -> None:
    body = operation("join", "<a> a&#13;\tb\n </a><b>&#x20;&amp;&lt;</b>")
    assert decoded(post(body)).arguments() == (" a\r\tb\n ", " &<")


def test_a_carriage_return_comes_back_as_one() -> None:
    response = answered(post(operation("join", "<a/>")), Ok(" a\r\nb<&> "))
    assert b"<return> a&#13;\nb&lt;&amp;&gt; </return>" in response.body
    assert body_of(response.body)[0].text == " a\r\nb<&> "


@pytest.mark.parametrize(
    ("namespace", "content_type", "answered_with"),
    [
        (NS_11, "text/xml; charset=utf-8", "text/xml; charset=utf-8"),
        (NS_11, "application/soap+xml", "text/xml; charset=utf-8"),
        (NS_12, 'application/soap+xml; charset=utf-8; action="http://shop/add"', "application/soap+xml; charset=utf-8"),
        (NS_12, "text/xml", "application/soap+xml; charset=utf-8"),
    ],
)
def test_an_answer_has_the_version_of_the_envelope(namespace: str, content_type: str, answered_with: str) -> None:
    response = answered(post(operation("add", ADD, namespace=namespace), content_type=content_type), Ok(3))
    assert response.status == 200
    assert dict(response.headers)["Content-Type"] == answered_with
    assert etree.QName(etree.fromstring(response.body)).namespace == namespace
    assert etree.tostring(body_of(response.body), method="c14n").endswith(b"<return>3</return></addResponse>")


def test_a_call_nobody_waits_for_is_accepted() -> None:
    response = answered(post(operation("touch", "<a>1</a>")), None)
    assert (response.status, response.body) == (202, b"")


def test_its_arguments_are_read_before() -> None:
    assert faultcode(refused(post(operation("touch", "<a>x</a>")))) == "soap:Client"


@pytest.mark.parametrize(
    ("namespace", "outcome", "status", "code"),
    [
        (NS_11, BadRequest("no"), 500, "soap:Client"),
        (NS_11, Overloaded("no"), 500, "soap:Server"),
        (NS_11, Fault("ValueError", "no"), 500, "soap:Server"),
        (NS_12, BadRequest("no"), 400, "soap:Sender"),
        (NS_12, Overloaded("no"), 500, "soap:Receiver"),
        (NS_12, Fault("ValueError", "no"), 500, "soap:Receiver"),
    ],
)
def test_who_is_to_blame_is_said_by_code_and_status(namespace: str, outcome: Outcome, status: int, code: str) -> None:
    response = answered(post(operation("add", ADD, namespace=namespace)), outcome)
    assert (response.status, faultcode(response)) == (status, code)


def test_children_of_a_fault_are_unqualified_in_1_1_and_qualified_in_1_2() -> None:
    """SOAP 1.1, section 4.4; SOAP 1.2 Part 1, section 5.4."""
    for namespace, names in ((NS_11, ["faultcode", "faultstring", "detail"]), (NS_12, ["Code", "Reason", "Detail"])):
        fault = body_of(answered(post(operation("add", ADD, namespace=namespace)), BadRequest("no")).body)
        qualified = names if namespace == NS_11 else [f"{{{NS_12}}}{name}" for name in names]
        assert [each.tag for each in fault] == qualified


def test_an_error_says_in_its_detail_which_it_is() -> None:
    fault = body_of(answered(post(operation("add", ADD)), Overloaded("full", exhausted=True)).body)
    (error,) = fault.findall(f"detail/{{{GATEWAY}}}error")
    assert dict(error.attrib) == {"code": "overloaded", "retry": "safe", "exhausted": "true"}


def test_in_1_2_the_code_of_an_error_is_the_subcode() -> None:
    fault = body_of(answered(post(operation("add", ADD, namespace=NS_12)), Overloaded("full")).body)
    value = fault.find(f"{{{NS_12}}}Code/{{{NS_12}}}Subcode/{{{NS_12}}}Value")
    assert value is not None
    prefix, _, local = (value.text or "").partition(":")
    assert (value.nsmap[prefix], local) == (GATEWAY, "overloaded")


@pytest.mark.parametrize("namespace", ["http://www.w3.org/2001/12/soap-envelope", "urn:x"])
def test_another_version_is_a_mismatch_that_names_ours(namespace: str) -> None:
    """SOAP 1.2 Part 1, section 5.4.7 and appendix A."""
    response = refused(post(operation("add", ADD, namespace=namespace)))
    assert (response.status, faultcode(response)) == (500, "soap:VersionMismatch")
    supported = etree.fromstring(response.body).findall(f".//{{{NS_12}}}SupportedEnvelope")
    named = [(each.nsmap[each.get("qname").split(":")[0]], each.get("qname").split(":")[1]) for each in supported]
    assert named == [(NS_12, "Envelope"), (NS_11, "Envelope")]


BLOCK = '<w:To xmlns:w="urn:elsewhere" {}>x</w:To>'


@pytest.mark.parametrize(
    ("namespace", "attributes"),
    [
        (NS_11, 'e:mustUnderstand="1"'),
        (NS_11, f'e:mustUnderstand="1" e:actor="{NS_11[:-9]}actor/next"'),
        (NS_12, 'e:mustUnderstand="true"'),
        (NS_12, f'e:mustUnderstand="1" e:role="{NS_12}/role/ultimateReceiver"'),
    ],
)
def test_what_must_be_understood_and_is_not_is_refused(namespace: str, attributes: str) -> None:
    response = refused(post(operation("add", ADD, namespace=namespace, header=BLOCK.format(attributes))))
    assert (response.status, faultcode(response)) == (500, "soap:MustUnderstand")
    if namespace == NS_12:
        (block,) = etree.fromstring(response.body).findall(f".//{{{NS_12}}}NotUnderstood")
        prefix, _, local = block.get("qname").partition(":")
        assert (block.nsmap[prefix], local) == ("urn:elsewhere", "To")


@pytest.mark.parametrize(
    ("namespace", "attributes"),
    [
        (NS_11, ""),
        (NS_11, 'e:mustUnderstand="0"'),
        (NS_11, 'e:mustUnderstand="1" e:actor="urn:somebody"'),
        (NS_12, f'e:mustUnderstand="1" e:role="{NS_12}/role/none"'),
        (NS_12, 'e:mustUnderstand="false"'),
    ],
)
def test_other_header_blocks_are_passed_over(namespace: str, attributes: str) -> None:
    body = operation("add", ADD, namespace=namespace, header=BLOCK.format(attributes))
    assert decoded(post(body)).arguments() == (1, 2)


def test_context_comes_in_a_header_block_or_in_fields_of_http() -> None:
    fields = "".join(
        f'<p:field name="{name}">{value}</p:field>'
        for name, value in (
            ("Polyport-Attachment-User", "ann"),
            ("Polyport-Timeout", "2.5"),
            ("Polyport-Consumer", "shop"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        )
    )
    body = operation("add", ADD, header=f'<p:context xmlns:p="{GATEWAY}">{fields}</p:context>')
    outer = (("Polyport-Attachment-User", "bob"), ("Polyport-Attachment-Lang", "de"), ("Polyport-Timeout", "9"))
    invocation = decoded(post(body, fields=outer))
    assert dict(invocation.attachments) == {"User": "ann", "Lang": "de"}
    assert (invocation.deadline, invocation.consumer) == (102.5, "shop")
    assert invocation.traceparent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert dict(decoded(post(operation("add", ADD), fields=outer)).attachments) == {"User": "bob", "Lang": "de"}


@pytest.mark.parametrize("field", ['<p:field name="Polyport-Timeout">soon</p:field>', "<p:field>x</p:field>", "<x/>"])
def test_a_malformed_context_is_refused(field: str) -> None:
    body = operation("add", ADD, header=f'<p:context xmlns:p="{GATEWAY}">{field}</p:context>')
    assert faultcode(refused(post(body))) == "soap:Client"


def test_attachments_of_an_answer_are_in_its_header() -> None:
    response = answered(post(operation("add", ADD)), Ok(3, {"tenant": "a b"}))
    (field,) = etree.fromstring(response.body).findall(f".//{{{GATEWAY}}}field")
    assert (field.get("name"), field.text) == ("Polyport-Attachment-tenant", "a%20b")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (envelope(""), "no operation"),
        (envelope("<add/>"), "its namespace is http://shop/"),
        (envelope('<add xmlns="http://elsewhere/"/>'), "its namespace is http://shop/"),
        (operation("nothing"), "has no operation"),
        (b"<html/>", "no envelope"),
        (b"not xml", "no well-formed XML"),
        (b"", "no well-formed XML"),
        (operation("add", ADD)[:-20], "no well-formed XML"),
    ],
)
def test_what_is_no_call_is_a_fault_of_the_client(body: bytes, said: str) -> None:
    exchange = BINDING.decode_call(post(body), 0.0)
    if isinstance(exchange, HttpResponse):
        response = exchange
    else:
        with pytest.raises(BadRequest) as raised:
            exchange.calls[0].arguments()
        response = exchange.encode_reply([raised.value])
    assert faultcode(response) == "soap:Client"
    assert said in response.body.decode()


def test_a_second_operation_is_refused() -> None:
    two = operation("add", ADD).replace(b"</e:Body>", f'<add xmlns="{SHOP}"/></e:Body>'.encode())
    with pytest.raises(BadRequest, match="holds a second element"):
        decoded(post(two)).arguments()


@pytest.mark.parametrize(
    ("name", "inside", "path"),
    [
        ("add", "<a>1</a><b>x</b>", r"args\[1\]: expected an integer"),
        ("add", "<a>1</a>", r"args\[1\]: the element 'b' is missing"),
        ("add", "<a>1</a><b>2</b><c>3</c>", "add has no element {http://shop/}c"),
        ("add", '<a>1</a><b xsi:nil="true"/>', r"args\[1\]: null"),
        ("add", '<a href="#1"/><b>2</b>', r"args\[0\]: .* SOAP encoding \(rpc/encoded\) is not read"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(name: str, inside: str, path: str) -> None:
    with pytest.raises(BadRequest, match=path):
        decoded(post(operation(name, inside))).arguments()


def test_rpc_encoding_is_named_when_it_is_refused() -> None:
    body = envelope(
        f'<n:add xmlns:n="{SHOP}" e:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><a>1</a></n:add>'
    )
    with pytest.raises(BadRequest, match="rpc/encoded"):
        decoded(post(body)).arguments()


@pytest.mark.parametrize(
    ("encoding", "charset"),
    [
        ("utf-8", ""),
        ("utf-8", "utf-8"),
        ("utf-8-sig", ""),
        ("utf-8-sig", "utf-8"),
        ("utf-16", ""),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16"),
        ("utf-16-be", "UTF-16BE"),
        ("utf-16-le", ""),
        ("iso-8859-1", "iso-8859-1"),
        ("cp1252", "windows-1252"),
    ],
)
def test_messages_come_in_many_encodings(encoding: str, charset: str) -> None:
    body = operation("join", "<a>Grüße</a>").decode().encode(encoding)
    content_type = f"text/xml; charset={charset}" if charset else "text/xml"
    assert decoded(post(body, content_type=content_type)).arguments() == ("Grüße", "b")


@pytest.mark.parametrize("space", [" ", "\r\n\t", " " * 500])
def test_the_declaration_says_the_encoding_where_nothing_else_does(space: str) -> None:
    declared = f'<?xml version="1.0"{space}encoding="ISO-8859-1"?>'.encode()
    body = declared + operation("join", "<a>Grüße</a>").decode().encode("iso-8859-1")
    assert decoded(post(body, content_type="text/xml")).arguments() == ("Grüße", "b")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "text/plain",
        'multipart/related; type="application/xop+xml"; boundary=x',
        "text/xml; charset=koi8-r",
        "application/x-www-form-urlencoded",
    ],
)
def test_other_media_types_and_encodings_are_refused(content_type: str) -> None:
    response = refused(post(operation("add", ADD), content_type=content_type))
    assert (response.status, faultcode(response)) == (415, "soap:Client")


@pytest.mark.parametrize("encoding", ["koi8-r", "UTF-8" + "a" * 60, "UTF-8 ", ""])
def test_other_encodings_of_the_declaration_are_refused(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'.encode()
    response = refused(post(declared + operation("add", ADD), content_type="text/xml"))
    assert (response.status, faultcode(response)) == (415, "soap:Client")


def test_a_declaration_that_does_not_end_is_refused() -> None:
    declared = b'<?xml version="1.0"' + b" " * 2_000 + b'encoding="ISO-8859-1"?>'
    response = refused(post(declared + operation("add", ADD), content_type="text/xml"))
    assert (response.status, faultcode(response)) == (400, "soap:Client")


def test_another_verb_is_refused() -> None:
    response = refused(HttpRequest("PUT", "/shop.Store"))
    assert response.status == 405
    assert dict(response.headers)["Allow"] == "GET, HEAD, POST"


def test_a_page_of_another_site_may_not_call() -> None:
    response = refused(post(operation("add", ADD), fields=(("Sec-Fetch-Site", "cross-site"),)))
    assert response.status == 403


def test_an_unknown_path_is_not_found() -> None:
    assert refused(post(operation("add", ADD), "/shop.Shop")).status == 404
    assert refused(HttpRequest("GET", "/shop.Shop", "wsdl")).status == 404


def test_what_cannot_be_written_is_a_fault_with_its_place() -> None:
    response = answered(post(operation("join", "<a/>")), Ok("a\0b"))
    assert (response.status, faultcode(response)) == (500, "soap:Server")
    assert "result: the character U+0000 at 1 has no form in XML 1.0" in response.body.decode()


def test_an_answer_beyond_the_limit_is_a_fault() -> None:
    small = SoapBinding([Exposure(KEY, STORE)], max_reply_bytes=1_000)
    response = answered(post(operation("join", "<a/>")), Ok("x" * 1_000), small)
    assert "exceeds the limit of 1000" in response.body.decode()


def test_names_that_cannot_stand_beside_each_other_are_refused_when_the_contract_is_checked() -> None:
    contract = ServiceContract("shop.Store", (a_method("find"), a_method("findResponse")))
    with pytest.raises(ContractError, match="its element 'findResponse' is that of find"):
        SoapBinding([Exposure(KEY, contract)])
    lost = StructType("lost", object, (), is_exception=True)
    contract = ServiceContract("shop.Store", (a_method("lost"),), types={"lost": lost})
    with pytest.raises(ContractError, match="its element 'lost' is that of exception lost"):
        SoapBinding([Exposure(KEY, contract)])
    with pytest.raises(ContractError, match="no contract"):
        SoapBinding([Exposure(KEY, None)])


def document(request: HttpRequest, binding: SoapBinding = BINDING) -> HttpResponse:
    response = binding.decode_call(request, 0.0)
    assert isinstance(response, HttpResponse)
    assert response.error is None
    assert response.status == 200
    return response


def addresses(response: HttpResponse) -> list[str]:
    return [each.get("location") for each in etree.fromstring(response.body).iter("{*}address")]


TRUSTING = SoapBinding([Exposure(KEY, STORE)], trusted=lambda peer: peer.startswith("10."))
FORWARDED = (
    ("Host", "inside:8082"),
    ("X-Forwarded-Host", "api.example"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Prefix", "/soap"),
)


@pytest.mark.parametrize("query", ["wsdl", "WSDL", "Wsdl=1", "singleWsdl"])
def test_a_wsdl_has_the_address_it_was_asked_at(query: str) -> None:
    response = document(HttpRequest("GET", "/shop.Store", query, Headers((("Host", "gate.example:8082"),))))
    assert dict(response.headers)["Content-Type"] == "text/xml; charset=utf-8"
    assert addresses(response) == ["http://gate.example:8082/shop.Store"] * 2


@pytest.mark.parametrize(
    ("peer", "address"),
    [("10.1.2.3:999", "https://api.example/soap/shop.Store"), ("192.0.2.1:999", "http://inside:8082/shop.Store")],
)
def test_only_a_trusted_proxy_says_another_address(peer: str, address: str) -> None:
    request = HttpRequest("GET", "/shop.Store", "wsdl", Headers(FORWARDED), peer=Peer("webservice", peer))
    assert addresses(document(request, TRUSTING)) == [address] * 2
    assert addresses(document(request)) == ["http://inside:8082/shop.Store"] * 2


@pytest.mark.parametrize("host", ["", 'a"b', "a/b", "a b", "a,b", "<a>"])
def test_what_is_no_host_is_no_address(host: str) -> None:
    response = refused(HttpRequest("GET", "/shop.Store", "wsdl", Headers((("Host", host),))))
    assert response.status == 400


def test_a_browser_sees_pages() -> None:
    for path in ("/", "/shop.Store"):
        response = document(HttpRequest("GET", path))
        assert dict(response.headers)["Content-Type"] == "text/html; charset=utf-8"
        assert b"?wsdl" in response.body
    assert b"Sells &lt;things&gt; &amp; more." in response.body


def test_an_unknown_operation_is_no_such_method() -> None:
    assert isinstance(refused(post(operation("nothing"))).error, NoSuchMethod)


def test_a_long_message_is_read_up_to_its_operation_first() -> None:
    text = "x" * 100_000
    invocation = decoded(post(operation("join", f"<a>{text}</a>")))
    assert invocation.arguments() == (text, "b")
    invocation = decoded(post(operation("join", f"<a>{text}</a><c/>")))
    with pytest.raises(BadRequest, match="join has no element"):
        invocation.arguments()
    with pytest.raises(BadRequest, match="join has no element"):
        invocation.arguments()
