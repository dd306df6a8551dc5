"""hessian:// called, without a socket: which call is which request, and what a response means."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.model.call import Fault, Invocation, Ok
from gateway.model.contract import MethodContract, Param, ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import (
    BadRequest,
    ContractError,
    LocalWireError,
    NoSuchMethod,
    NoSuchService,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
    Unauthenticated,
    ValueMappingError,
)
from gateway.model.generic import Long
from gateway.model.typeref import Kind, TypeRef
from protocols.contract import Outcome
from protocols.hessian_http.client import COUNTED, PLAIN, ClientOptions, HessianClientBinding
from protocols.hessian_http.envelope import Envelope
from protocols.http.message import HttpRequest, HttpResponse
from tests.support.hessian_bytes import FAULT, VALUE, hessian_body, old_body

I64, TEXT = TypeRef(Kind.I64), TypeRef(Kind.STRING)
PLAIN_TYPES = (TypeRef(Kind.DECIMAL), TypeRef(Kind.DATETIME), TypeRef(Kind.DATE))
STORE = ServiceContract(
    "shop.Store",
    (
        MethodContract("price_of", (Param("name", TEXT),), I64, "price_of"),
        MethodContract("find", (Param("id", I64),), I64, "find"),
        MethodContract("find", (Param("name", TEXT),), I64, "find_by_name"),
        MethodContract("find", (Param("when", PLAIN_TYPES[1]),), I64, "find_when"),
        MethodContract("pay", (Param("price", PLAIN_TYPES[0]), Param("when", PLAIN_TYPES[1])), I64, "pay"),
    ),
)
KEY = ServiceKey("shop.Store")
ENDPOINT = Endpoint("hessian", "10.0.0.7", 8081, KEY)


def encode(
    attribute: str = "price_of",
    *arguments: Any,
    options: ClientOptions | None = None,
    key: ServiceKey = KEY,
    token: str = "",
    contract: ServiceContract | None = STORE,
    timeout_s: float | None = 2.0,
    endpoint: Endpoint = ENDPOINT,
    **more: Any,
) -> HttpRequest:
    binding = HessianClientBinding(options or ClientOptions())
    bound = binding.bind(endpoint, key, contract, token, "app")
    signature = next((each for each in STORE.methods if each.attribute == attribute), None) if contract else None
    name = attribute if signature is None else signature.name
    request, _ = binding.encode_call(bound, Invocation(key, name, arguments, signature=signature, **more), timeout_s)
    return request


def decode(
    body: bytes, status: int = 200, *fields: tuple[str, str], contract: ServiceContract | None = STORE
) -> Outcome:
    binding = HessianClientBinding(ClientOptions())
    bound = binding.bind(ENDPOINT, KEY, contract, "", "app")
    signature = STORE.methods[0] if contract else None
    call = Invocation(KEY, "price_of", ("a",), signature=signature)
    _, ticket = binding.encode_call(bound, call, None)
    return binding.decode_reply(bound, ticket, HttpResponse(status, fields, body))


def fields(request: HttpRequest) -> dict[str, str]:
    return dict(request.headers.pairs)


@pytest.mark.parametrize(
    ("envelope", "body"),
    [
        (Envelope.HESSIAN_2, hessian_body("priceOf", b"\x01a")),
        (Envelope.MIXED, old_body("priceOf", b"S\x00\x01a")),
        (Envelope.HESSIAN_1, old_body("priceOf", b"S\x00\x01a", version=1)),
    ],
)
def test_a_call_in_each_way(envelope: Envelope, body: bytes) -> None:
    request = encode("price_of", "a", options=ClientOptions(envelope=envelope))
    assert (request.method, request.path, request.query) == ("POST", "/shop.Store", "")
    assert request.body == body
    assert fields(request)["Content-Type"] == "x-application/hessian"


def test_group_and_version_stand_in_the_query() -> None:
    request = encode("price_of", "a", key=ServiceKey("shop.Store", "eu", "1.0"))
    assert (request.path, request.query) == ("/shop.Store", "group=eu&version=1.0")


@pytest.mark.parametrize(
    ("announced", "path"),
    [("shop/shop.Store", "/shop/shop.Store"), ("stores", "/stores"), ("a%20b/c d", "/a%20b/c%20d"), ("é", "/%C3%A9")],
)
def test_the_path_of_a_provider_s_url_takes_the_calls(announced: str, path: str) -> None:
    request = encode("price_of", "a", key=ServiceKey("shop.Store", "eu"), endpoint=replace(ENDPOINT, path=announced))
    assert (request.path, request.query) == (path, "group=eu")
    said = encode("price_of", "a", options=ClientOptions(path="/own"), endpoint=replace(ENDPOINT, path=announced))
    assert (said.path, said.query) == ("/own", "")


@pytest.mark.parametrize("announced", ["../admin", "a//b", "a/./b", "50%"])
def test_a_provider_whose_path_no_request_can_have_is_left_out(announced: str) -> None:
    with pytest.raises(ContractError, match=r"shop\.Store"):
        encode("price_of", "a", endpoint=replace(ENDPOINT, path=announced))


def test_a_path_of_its_own_takes_all_calls() -> None:
    request = encode("price_of", "a", key=ServiceKey("shop.Store", "eu"), options=ClientOptions(path="/a/b"))
    assert (request.path, request.query) == ("/a/b", "")


def test_a_service_is_called_by_its_java_name() -> None:
    contract = ServiceContract("shop.Store", STORE.methods, names={"java": "com.shop.Store"})
    assert encode("price_of", "a", contract=contract).path == "/com.shop.Store"


@pytest.mark.parametrize(
    ("attribute", "argument", "options", "name"),
    [
        ("price_of", "a", ClientOptions(), b"\x07priceOf"),
        ("find", 1, ClientOptions(), b"\x09find_long"),
        ("find_by_name", "a", ClientOptions(), b"\x0bfind_string"),
        ("find_when", datetime(1970, 1, 1, tzinfo=UTC), ClientOptions(), b"\x0cfind_Instant"),
        ("find_when", datetime(1970, 1, 1, tzinfo=UTC), ClientOptions(plain_time=True), b"\x09find_date"),
        ("find", 1, ClientOptions(overloads=COUNTED), b"\x07find__1"),
        ("find", 1, ClientOptions(overloads=PLAIN), b"\x04find"),
    ],
)
def test_overloads_have_names_of_their_own(attribute: str, argument: Any, options: ClientOptions, name: bytes) -> None:
    assert encode(attribute, argument, options=options).body[4:].startswith(name + b"\x91")


def test_peers_that_lack_types_get_others() -> None:
    options = ClientOptions(plain_time=True, decimal_text=True)
    moment = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    assert encode("pay", Decimal("1.20"), moment, options=options).body.endswith(b"\x92\x041.20\x4b\x00\x00\x00\x01")
    with pytest.raises(ValueMappingError, match=r"args\[1\].*finer than milliseconds"):
        encode("pay", Decimal("1.20"), moment.replace(microsecond=1), options=options)


def test_what_is_told_beside_a_call() -> None:
    told = fields(encode("price_of", "a", token="t", attachments={"user": "ann"}, consumer="web"))
    assert told["Polyport-Timeout"] == "2.000"
    assert told["Polyport-Consumer"] == "web"
    assert told["Polyport-Attachment-user"] == "ann"
    assert told["Polyport-Token"] == "t"
    assert told["Authorization"] == "Bearer t"
    silent = fields(encode("price_of", "a", options=ClientOptions(send_context=False), attachments={"user": "ann"}))
    assert not [name for name in silent if name.startswith("Polyport")]


def test_dubbo_is_told_in_its_own_way_as_far_as_fields_go() -> None:
    attachments = {"user": "ann", "odd name": "x", "text": "Grüße", "empty": "", "group": "x"}
    told = fields(encode("price_of", "a", options=ClientOptions(dubbo_fields=True), attachments=attachments))
    own = {name: value for name, value in told.items() if name.startswith("header")}
    assert own == {"headeruser": "ann", "headerremote.application": "app", "headertimeout": "2000"}


@pytest.mark.parametrize(
    ("said", "option", "expected"),
    [
        ({"release": "2.7.23", "pid": "7"}, None, True),
        ({"pid": "7"}, None, True),
        ({"dubbo": "2.0.2"}, None, False),
        ({}, True, True),
        ({"release": "2.7.23"}, False, False),
    ],
)
def test_providers_of_which_a_registry_says_that_they_are_dubbo_s_are_told_so(
    said: dict[str, str], option: bool | None, expected: bool
) -> None:
    endpoint = replace(ENDPOINT, parameters=said)
    options = ClientOptions(dubbo_fields=option)
    told = fields(encode("price_of", "a", options=options, endpoint=endpoint, attachments={"user": "ann"}))
    assert ("headeruser" in told) is expected
    assert told["Polyport-Attachment-user"] == "ann"


def test_a_password_is_shown() -> None:
    shown = fields(encode("price_of", "a", options=ClientOptions(basic="ann:secret")))["Authorization"]
    assert shown == "Basic " + b64encode(b"ann:secret").decode()


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(ValueMappingError, match=r"args\[0\]: expected string"):
        encode("price_of", 1)
    with pytest.raises(LocalWireError, match="exceed"):
        encode("price_of", "x" * 2_000, options=ClientOptions(max_request_bytes=1_024))
    deep: Any = 1 << 100
    for _ in range(64):
        deep = [deep]
    for envelope in Envelope:
        options = ClientOptions(envelope=envelope)
        with pytest.raises(LocalWireError, match="name of 70000 characters"):
            encode("x" * 70_000, options=options, contract=None)
        if envelope.old_call:
            with pytest.raises(LocalWireError, match="at most 64 levels"):
                encode("anything", deep, options=options, contract=None)
    with pytest.raises(ContractError, match="is no path"):
        encode("price_of", "a", options=ClientOptions(path="a b"))


def test_a_service_without_a_contract() -> None:
    assert encode("anything", Long(1), "a", contract=None).body == hessian_body("anything", b"\xe1", b"\x01a")
    invoked = encode("$invoke", "anything", ["long"], [Long(1)], contract=None)
    assert invoked.body == hessian_body("anything", b"\xe1")
    outcome = decode(VALUE + b"\x79\x01x", contract=None)
    assert isinstance(outcome, Ok)
    assert outcome.value == ["x"]


@pytest.mark.parametrize("body", [VALUE + b"\xe7", VALUE + b"\x97", b"r\x01\x00L\0\0\0\0\0\0\0\x07z"])
def test_a_value_in_either_version(body: bytes) -> None:
    outcome = decode(body, 200, ("Polyport-Attachment-seen", "yes"))
    assert isinstance(outcome, Ok)
    assert (outcome.value, dict(outcome.attachments)) == (7, {"seen": "yes"})


def fault(code: str, message: str, detail: bytes = b"N") -> bytes:
    texts = [bytes((len(each),)) + each.encode() for each in ("code", code, "message", message)]
    return FAULT + b"H" + b"".join(texts) + b"\x06detail" + detail + b"Z"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (fault("NoSuchMethodException", "no m"), NoSuchMethod),
        (fault("NoSuchMethod", "no m"), NoSuchMethod),
        (fault("NoSuchObjectException", "no o"), NoSuchService),
        (fault("ProtocolException", "bad"), BadRequest),
        (fault("ServiceException", "[overloaded] full"), Overloaded),
        (b"r\x01\x00fS\x00\x04codeS\x00\x0cNoSuchMethodzz", NoSuchMethod),
    ],
)
def test_a_fault_that_is_an_error(body: bytes, kind: type[RpcError]) -> None:
    found = decode(body)
    assert type(found) is kind
    assert str(found).startswith("10.0.0.7:8081: ")


def test_a_fault_that_is_an_exception() -> None:
    detail = b"C\x13java.io.IOException\x91\x0ddetailMessage\x60\x04boom"
    found = decode(fault("ServiceException", "boom &lt;", detail))
    assert isinstance(found, Fault)
    assert (found.type_name, found.message) == ("java.io.IOException", "boom")


def test_a_fault_of_a_server_whose_exceptions_are_no_objects() -> None:
    found = decode(fault("ValueError", "why", b"H\x01a\x01bZ"))
    assert isinstance(found, Fault)
    assert (found.type_name, found.message, found.declared) == ("ValueError", "why", False)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Unauthenticated), (404, NoSuchService), (500, ProviderFailed), (503, Overloaded), (204, ProviderFailed)],
)
def test_any_other_status_is_an_error(status: int, kind: type[RpcError]) -> None:
    assert type(decode(b"gone", status, ("Content-Type", "text/plain"))) is kind


@pytest.mark.parametrize("body", [b"", b"<html>", VALUE, VALUE + b"\x01a", VALUE + b"N", FAULT + b"N"])
def test_an_answer_that_does_not_fit_is_the_providers_failure(body: bytes) -> None:
    found = decode(body)
    assert isinstance(found, ProviderFailed)
    assert "priceOf does not fit" in str(found)
    assert found.retry is Retry.NEVER


def test_what_a_fault_without_an_exception_says_is_cut_where_it_gets_long() -> None:
    code, message = b"S\x0f\xa0" + b"c" * 4_000, b"S\x0f\xa0" + b"m" * 4_000
    fault = decode(FAULT + b"H\x04code" + code + b"\x07message" + message + b"Z")
    assert isinstance(fault, Fault)
    assert (fault.type_name, fault.message) == ("c" * 1_024, "m" * 2_000 + " …")
