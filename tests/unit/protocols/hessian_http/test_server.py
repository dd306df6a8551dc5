"""hessian:// without a socket: which request is which call, and which answer which response."""

from __future__ import annotations

import zlib
from decimal import Decimal
from typing import Any

import pytest

from gateway.model.call import Fault, Invocation, Ok
from gateway.model.contract import MethodContract, Param, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, ContractError, Overloaded, RpcError
from gateway.model.exposure import Exposure
from gateway.model.question import Question
from gateway.model.typeref import Kind, TypeRef
from protocols.contract import Outcome
from protocols.hessian_http import arguments
from protocols.hessian_http.from_hessian1 import translate
from protocols.hessian_http.server import HessianBinding
from protocols.http.message import Headers, HttpRequest, HttpResponse
from protocols.reader import Limits
from tests.support.hessian_bytes import FAULT, VALUE, hessian_body, old_body, old_text

I64, I32, TEXT, NOTHING = TypeRef(Kind.I64), TypeRef(Kind.I32), TypeRef(Kind.STRING), TypeRef(Kind.NULL)
DECIMAL, MOMENT = TypeRef(Kind.DECIMAL), TypeRef(Kind.DATETIME)


def a_method(name: str, params: tuple[Param, ...] = (), returns: TypeRef = I64, **more: Any) -> MethodContract:
    return MethodContract(name, params, returns, more.pop("attribute", name), **more)


STORE = ServiceContract(
    "shop.Store",
    (
        a_method("add", (Param("a", I64), Param("b", I64))),
        a_method("price_of", (Param("name", TEXT),), DECIMAL),
        a_method("join", (Param("a", TEXT), Param("b", TEXT.optional(), default="b")), TEXT),
        a_method("touch", (Param("a", I64),), NOTHING, oneway=True),
        a_method("find", (Param("id", I64),), attribute="find"),
        a_method("find", (Param("name", TEXT),), attribute="find_by_name"),
        a_method("find", (Param("name", TEXT), Param("limit", I32)), attribute="find_some"),
        a_method("at", (Param("when", MOMENT),)),
        a_method("same", (Param("a", I64),), attribute="same_long"),
        a_method("same", (Param("a", I32),), attribute="same_int"),
        a_method("long_text", (), TEXT),
    ),
    names={"java": "com.shop.Store"},
)
BINDING = HessianBinding(
    [
        Exposure(ServiceKey("shop.Store"), STORE),
        Exposure(ServiceKey("shop.Store", "eu", "1.0"), STORE),
        Exposure(ServiceKey("any.Thing"), None),
    ],
    Limits(max_frame_bytes=10_000),
)
ONE, TWO, A = b"\xe1", b"\xe2", b"\x01a"


def ask(body: bytes, path: str = "/shop.Store", query: str = "", method: str = "POST", **fields: str) -> Any:
    headers = Headers(tuple((name.replace("_", "-"), value) for name, value in fields.items()))
    return BINDING.decode_call(HttpRequest(method, path, query, headers, body), 100.0)


def call(body: bytes, **more: Any) -> Invocation:
    exchange = ask(body, **more)
    assert not isinstance(exchange, HttpResponse), exchange.body
    (invocation,) = exchange.calls
    assert isinstance(invocation, Invocation)
    return invocation


def answer(body: bytes, outcome: Outcome | None, **more: Any) -> HttpResponse:
    exchange = ask(body, **more)
    assert not isinstance(exchange, HttpResponse), exchange.body
    response: HttpResponse = exchange.encode_reply([outcome])
    return response


def test_a_call_in_each_way() -> None:
    old = b"L" + (1).to_bytes(8, "big") + b"L" + (2).to_bytes(8, "big")
    for body in (hessian_body("add", ONE, TWO), old_body("add", old), old_body("add", old, version=1)):
        invocation = call(body)
        assert (invocation.method, invocation.arguments(), str(invocation.service)) == ("add", (1, 2), "shop.Store")
    assert answer(hessian_body("add", ONE, TWO), Ok(3)).body == VALUE + b"\xe3"
    assert answer(old_body("add", old), Ok(3)).body == VALUE + b"\xe3"
    assert answer(old_body("add", old, version=1), Ok(3)).body == b"r\x01\x00L\0\0\0\0\0\0\0\x03z"
    assert dict(answer(hessian_body("add", ONE, TWO), Ok(3)).headers) == {"Content-Type": "x-application/hessian"}


@pytest.mark.parametrize("name", ["priceOf", "price_of", "priceOf__1", "priceOf_string", "price_of_string"])
def test_a_method_has_several_names(name: str) -> None:
    assert call(hessian_body(name, A)).method == "price_of"


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        (hessian_body("find", ONE), "find"),
        (hessian_body("find", A), "find_by_name"),
        (hessian_body("find", A, b"\x91"), "find_some"),
        (hessian_body("find_long", ONE), "find"),
        (hessian_body("find_string", A), "find_by_name"),
        (hessian_body("find_string_int", A, b"\x91"), "find_some"),
        (hessian_body("find__2", A, b"\x91"), "find_some"),
        (hessian_body("find_by_name", A), "find_by_name"),
        (old_body("find", b"S\x00\x01a"), "find_by_name"),
        (old_body("find", b"I\x00\x00\x00\x01"), "find"),
        (old_body("find", b"S\x00\x01aI\x00\x00\x00\x01"), "find_some"),
        (hessian_body("at_Instant", b"\x4b\x00\x00\x00\x01"), "at"),
        (hessian_body("at_date", b"\x4b\x00\x00\x00\x01"), "at"),
        (hessian_body("same_int", b"\x91"), "same_int"),
    ],
)
def test_overloads_are_told_apart(body: bytes, attribute: str) -> None:
    signature = call(body).signature
    assert signature is not None
    assert signature.attribute == attribute


@pytest.mark.parametrize("body", [old_body("find", b"S\x00\x01a"), hessian_body("find", A)])
def test_hessian_1_is_translated_once_however_many_overloads_there_are(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is done before anybody asks who calls, so its cost must not grow with the contract."""
    translated = 0

    def counting(*what: Any) -> Any:
        nonlocal translated
        translated += 1
        return translate(*what)

    monkeypatch.setattr(arguments, "translate", counting)
    assert call(body).arguments() == ("a",)
    assert translated == (body[0] == 0x63)


def test_overloads_that_nothing_tells_apart_are_refused() -> None:
    response = ask(hessian_body("same", b"\x91"))
    assert isinstance(response, HttpResponse)
    assert response.body.startswith(FAULT)
    assert b"several overloads" in response.body


def test_what_is_missing_at_the_end_has_its_default() -> None:
    assert call(hessian_body("join", A)).arguments() == ("a", "b")
    assert call(old_body("join", b"S\x00\x01a")).arguments() == ("a", "b")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (hessian_body("add", ONE), b"NoSuchMethodException"),
        (hessian_body("nothing"), b"NoSuchMethodException"),
        (hessian_body("add__3", ONE, TWO, ONE), b"NoSuchMethodException"),
    ],
)
def test_a_call_that_means_nothing_is_a_fault(body: bytes, code: bytes) -> None:
    response = ask(body)
    assert response.status == 200
    assert response.body.startswith(FAULT)
    assert code in response.body
    assert response.error is not None


def test_in_hessian_1_the_number_of_arguments_shows_when_they_are_read() -> None:
    with pytest.raises(RpcError, match="does not take 1 arguments"):
        call(old_body("add", b"I\x00\x00\x00\x01")).arguments()


@pytest.mark.parametrize(
    ("path", "query", "fields", "service"),
    [
        ("/shop.Store", "", {}, "shop.Store"),
        ("/com.shop.Store", "", {}, "shop.Store"),
        ("/eu/shop.Store:1.0", "", {}, "eu/shop.Store:1.0"),
        ("/eu/shop.Store%3A1.0", "", {}, "eu/shop.Store:1.0"),
        ("/shop.Store", "version=1.0&group=eu&application=x", {}, "eu/shop.Store:1.0"),
        ("/com.shop.Store", "group=eu&version=1.0", {}, "eu/shop.Store:1.0"),
        ("/shop.Store", "", {"headergroup": "eu", "headerversion": "1.0"}, "eu/shop.Store:1.0"),
        ("/shop.Store", "group=us", {}, "shop.Store"),
        ("/shop.Store", "id=7", {}, "shop.Store"),
    ],
)
def test_a_service_has_several_addresses(path: str, query: str, fields: dict[str, str], service: str) -> None:
    for _ in range(2):
        invocation = call(hessian_body("add", ONE, TWO), path=path, query=query, **fields)
        assert str(invocation.service) == service


@pytest.mark.parametrize("path", ["/", "/shop.Nothing", "/shop.Store/add", "*", "/eu/shop.Store"])
def test_a_path_of_nothing_is_a_fault(path: str) -> None:
    response = ask(hessian_body("add", ONE, TWO), path=path)
    assert response.status == 200
    assert b"NoSuchObjectException" in response.body


def test_a_query_without_end_is_a_fault() -> None:
    assert b"ProtocolException" in ask(hessian_body("add", ONE, TWO), query="a=b&" * 200).body


def attribute(body: bytes) -> bytes:
    """The reply to a question, which the filters let through."""
    exchange = ask(body)
    (question,) = exchange.calls
    assert isinstance(question, Question)
    assert (str(question.service), question.method) == ("shop.Store", "_hessian_getAttribute")
    reply: HttpResponse = exchange.encode_reply([question.answer(question.arguments())])
    return reply.body


@pytest.mark.parametrize("name", ["java.api.class", "java.home.class", "java.object.class"])
def test_who_has_no_interface_asks_for_its_name(name: str) -> None:
    asked = bytes((len(name),)) + name.encode()
    assert attribute(hessian_body("_hessian_getAttribute", asked)) == VALUE + b"\x0ecom.shop.Store"
    old = attribute(old_body("_hessian_getAttribute", old_text(b"S", name), version=1))
    assert old == b"r\x01\x00S\x00\x0ecom.shop.Storez"


def test_other_attributes_are_null() -> None:
    assert attribute(hessian_body("_hessian_getAttribute", b"\x01x")) == VALUE + b"N"
    assert attribute(hessian_body("_hessian_getAttribute")) == VALUE + b"N"


def test_an_attribute_is_not_read_before_the_filters_saw_who_asks() -> None:
    exchange = ask(hessian_body("_hessian_getAttribute", b"\x43\xff"))
    (question,) = exchange.calls
    with pytest.raises(BadRequest):
        question.arguments()


def test_a_oneway_call_is_answered_before_it_runs() -> None:
    assert answer(hessian_body("touch", ONE), None).body == VALUE + b"N"
    refused = ask(hessian_body("touch", A))
    assert isinstance(refused, HttpResponse)
    assert b"ProtocolException" in refused.body


def test_what_the_caller_says_beside_its_call() -> None:
    invocation = call(
        hessian_body("add", ONE, TWO),
        Polyport_Timeout="2",
        Polyport_Consumer="shop",
        Polyport_Attachment_user="ann",
        headeruser="bob",
        headertimeout="9000",
        headercolour="red",
        headerinterface="shop.Store",
    )
    assert invocation.deadline == 102.0
    assert invocation.consumer == "shop"
    assert dict(invocation.attachments) == {"user": "ann", "colour": "red"}


def test_what_a_consumer_of_dubbo_says() -> None:
    fields = {"headertimeout": "1500", "headerremote.application": "web", "headertoken": "t", "headerX-Key": "v"}
    invocation = call(hessian_body("add", ONE, TWO), **fields)
    assert (invocation.deadline, invocation.consumer, invocation.token) == (101.5, "web", "t")
    assert dict(invocation.attachments) == {"X-Key": "v"}


def test_attachments_in_both_ways_are_as_many_as_in_one() -> None:
    both = {f"Polyport_Attachment_a{at}": "x" for at in range(200)} | {f"headera{at}": "y" for at in range(256)}
    assert len(call(hessian_body("add", ONE, TWO), **both).attachments) == 256
    for more in ({"headerone": "more"}, {"Polyport_Attachment_one": "more"}):
        assert ask(hessian_body("add", ONE, TWO), **both, **more).status == 400
    long = {"Polyport_Attachment_a": "x" * 20_000, "headerb": "y" * 20_000}
    assert ask(hessian_body("add", ONE, TWO), **long).status == 400


def test_attachments_of_an_answer_are_header_fields() -> None:
    response = answer(hessian_body("add", ONE, TWO), Ok(3, {"seen": "yes"}))
    assert ("Polyport-Attachment-seen", "yes") in response.headers


def test_an_exception_is_a_fault_with_the_exception_as_detail() -> None:
    response = answer(hessian_body("add", ONE, TWO), Fault("java.lang.IllegalStateException", "why <&>"))
    assert response.status == 200
    assert response.body.startswith(FAULT + b"H\x04code\x10ServiceException\x07message\x07why <&>\x06detailC")
    assert b"java.lang.IllegalStateException" in response.body


def test_an_error_is_a_fault_without_detail() -> None:
    body = answer(hessian_body("add", ONE, TWO), Overloaded("full")).body
    assert body == FAULT + b"H\x04code\x10ServiceException\x07message\x11[overloaded] full\x06detailNZ"


def test_a_value_that_does_not_fit_is_a_fault_that_names_its_place() -> None:
    body = answer(hessian_body("add", ONE, TWO), Ok("three")).body
    assert body.startswith(FAULT)
    assert b"result: expected i64" in body
    assert b"exceeds 10000 bytes" in answer(hessian_body("long_text"), Ok("x" * 20_000)).body


@pytest.mark.parametrize("version", [1, 2])
def test_an_error_is_told_whatever_the_limit(version: int) -> None:
    binding = HessianBinding([Exposure(ServiceKey("any.Thing"), None)], Limits(max_frame_bytes=1_024))
    request = HttpRequest("POST", "/any.Thing", "", Headers(()), old_body("anything", version=version))
    exchange = binding.decode_call(request, 100.0)
    assert not isinstance(exchange, HttpResponse)
    for outcome in (Overloaded("x" * 1_900), Ok("x" * 2_000), Fault("a.B", "x" * 1_900)):
        body = exchange.encode_reply([outcome]).body
        assert body.startswith(FAULT if version == 2 else b"r\x01\x00f")


def test_long_replies_are_deflated_for_who_takes_nothing_else() -> None:
    body = hessian_body("long_text")
    for accepted, deflated in (("deflate", True), ("gzip, deflate", False), ("", False), ("gzip", False)):
        response = answer(body, Ok("x" * 5_000), Accept_Encoding=accepted)
        assert (dict(response.headers).get("Content-Encoding") == "deflate") is deflated
        plain = zlib.decompress(response.body, -15) if deflated else response.body
        assert plain.startswith(VALUE + b"S")
    assert "Content-Encoding" not in dict(answer(body, Ok("x"), Accept_Encoding="deflate").headers)


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_only_post_makes_calls(verb: str) -> None:
    response = ask(b"", method=verb)
    assert response.status == 405
    assert ("Allow", "POST") in response.headers


@pytest.mark.parametrize("body", [b"", b"{}", b"H\x02\x00", b"H\x02\x00E"])
def test_a_body_that_is_no_call_is_a_bad_request(body: bytes) -> None:
    response = ask(body)
    assert response.status == 400
    assert isinstance(response.error, BadRequest)


def test_pages_of_other_sites_may_not_call() -> None:
    assert ask(hessian_body("add", ONE, TWO), Sec_Fetch_Site="cross-site").status == 403


def test_a_service_without_a_contract() -> None:
    body = hessian_body("anything", ONE, A)
    invocation = call(body, path="/any.Thing")
    assert (invocation.method, invocation.signature, invocation.arguments()) == ("anything", None, (1, "a"))
    assert answer(body, Ok(["x"]), path="/any.Thing").body == VALUE + b"\x79\x01x"
    assert b"has no form" in answer(body, Ok(object()), path="/any.Thing").body
    with pytest.raises(BadRequest, match=r"args\[1\]"):
        call(hessian_body("anything", ONE, b"\x40"), path="/any.Thing").arguments()


def invoke(method: str, types: bytes, *values: bytes) -> bytes:
    name = bytes((len(method),)) + method.encode()
    return hessian_body("$invoke", name, types, bytes((0x78 + len(values),)) + b"".join(values))


def test_a_generic_consumer_of_dubbo_names_the_method_in_its_arguments() -> None:
    body = invoke("priceOf", b"\x71\x07[string\x10java.lang.String", A)
    invocation = call(body, path="/shop.Store/generic")
    assert (invocation.method, invocation.arguments(), str(invocation.service)) == ("price_of", ("a",), "shop.Store")
    assert answer(body, Ok(Decimal("1.20")), path="/shop.Store/generic").body.endswith(b"\x60\x041.20")
    failed = answer(body, Fault("ValueError", "why"), path="/shop.Store/generic").body
    assert failed.startswith(FAULT)
    assert b"com.alibaba.dubbo.rpc.service.GenericException" in failed
    assert b"ValueError" in failed


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (invoke("nothing", b"N"), b"no-such-method"),
        (invoke("priceOf", b"\x71\x07[string\x04long", ONE), b"no-such-method"),
        (hessian_body("$invoke", A), b"takes a name, types and values"),
        (hessian_body("$invoke", b"\x91", b"N", b"N"), b"must be a string"),
        (hessian_body("$invoke", b"\x40", b"N", b"N"), b"expected a value"),
    ],
)
def test_a_generic_call_that_means_nothing_is_a_fault(body: bytes, said: bytes) -> None:
    response = ask(body, path="/shop.Store/generic")
    assert isinstance(response, HttpResponse)
    assert response.body.startswith(FAULT)
    assert said in response.body


@pytest.mark.parametrize("mode", ["bean", "nativejava", "protobuf-json", "raw.return", "gson"])
def test_a_generic_consumer_does_not_choose_a_decoder(mode: str) -> None:
    for service in ("/shop.Store", "/any.Thing"):
        response = ask(hessian_body("$invoke", A, ONE, TWO), path=f"{service}/generic", headergeneric=mode)
        assert (response.status, response.body[:4]) == (200, FAULT)
        assert f"generic mode '{mode}' is not offered here".encode() in response.body
    # What it does not mean by it has no mode.
    assert call(hessian_body("add", ONE, TWO), headergeneric=mode).method == "add"
    assert (
        call(hessian_body("$invoke", A, ONE, TWO), path="/any.Thing/generic", headergeneric="true").method == "$invoke"
    )


def test_a_generic_call_needs_its_path() -> None:
    assert b"NoSuchMethodException" in ask(invoke("priceOf", b"N", A)).body


def test_a_contract_that_java_cannot_carry_is_refused() -> None:
    broken = ServiceContract("shop.Broken", (a_method("class"),))
    with pytest.raises(ContractError, match="cannot be carried by hessian://"):
        HessianBinding([Exposure(ServiceKey("shop.Broken"), broken)])
