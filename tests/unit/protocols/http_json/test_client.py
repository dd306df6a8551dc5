"""http:// called, without a socket: which call is which request, and what a response means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.call import Fault, Invocation, Ok
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import (
    BadRequest,
    ConnectionLost,
    ContractError,
    DeadlineExceeded,
    Forbidden,
    LocalWireError,
    NoProvider,
    NoSuchMethod,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
    Unauthenticated,
    ValueMappingError,
)
from gateway.model.generic import Record
from gateway.model.typeref import Kind, TypeRef
from protocols.contract import Outcome
from protocols.http.message import HttpRequest, HttpResponse
from protocols.http_json.client import ClientOptions, JsonClientBinding
from protocols.http_json.problem import problem_of, problem_of_fault
from tests.support.shop_contract import SHOP, Maker, Product, Status

KEY = ServiceKey("shop.Catalog")
ENDPOINT = Endpoint("http", "10.0.0.7", 8080, KEY)
JSON = (("Content-Type", "application/json"),)
PROBLEM = (("content-type", "application/problem+json"),)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PRODUCT = Product(
    7, "Lamp", Decimal("39.90"), datetime(2024, 2, 29, 12, tzinfo=UTC), Status.ACTIVE, ["a"], {"b": 2}, None, Maker("M")
)
PRODUCT_JSON: dict[str, Any] = {
    "id": 7,
    "name": "Lamp",
    "price": "39.90",
    "created_at": "2024-02-29T12:00:00Z",
    "status": "ACTIVE",
    "tags": ["a"],
    "stock": {"b": 2},
    "updated_at": None,
    "maker": {"name": "M", "country": None, "parent": None},
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["jsonrpc", "id", "result", "error", "code", "message", "data", "type", "exception", "class"]
            ),
            inner | st.sampled_from(["2.0", "urn:polyport:exception", "urn:polyport:error:overloaded", "$type"]),
            max_size=5,
        )
    ),
    max_leaves=10,
)


class Caller:
    """A binding, bound once."""

    def __init__(
        self,
        contract: ServiceContract | None = SHOP,
        key: ServiceKey = KEY,
        token: str = "",
        application: str = "web",
        **options: Any,
    ) -> None:
        self.binding = JsonClientBinding(ClientOptions(**options))
        self.contract = contract
        self.key = key
        self.bound = self.binding.bind(ENDPOINT, key, contract, token, application)
        self.ticket: Any = None

    def request(self, method: str, *arguments: Any, timeout_s: float | None = None, **more: Any) -> HttpRequest:
        signature = None if self.contract is None else method_of(self.contract, method)
        name = method if signature is None else signature.name
        invocation = Invocation(self.key, name, arguments, signature=signature, **more)
        request, self.ticket = self.binding.encode_call(self.bound, invocation, timeout_s)
        return request

    def outcome(
        self,
        status: int,
        body: Any = b"",
        fields: tuple[tuple[str, str], ...] = JSON,
        method: str = "count",
        arguments: tuple[Any, ...] = (),
    ) -> Outcome:
        self.request(method, *arguments)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.binding.decode_reply(self.bound, self.ticket, HttpResponse(status, fields, data))

    def value(self, *args: Any, **more: Any) -> Any:
        outcome = self.outcome(*args, **more)
        assert isinstance(outcome, Ok), outcome
        return outcome.value

    def error(self, *args: Any, **more: Any) -> RpcError:
        outcome = self.outcome(*args, **more)
        assert isinstance(outcome, RpcError), outcome
        return outcome

    def fault(self, *args: Any, **more: Any) -> Fault:
        outcome = self.outcome(*args, **more)
        assert isinstance(outcome, Fault), outcome
        return outcome


def method_of(contract: ServiceContract, attribute: str) -> MethodContract:
    return next(each for each in contract.methods if each.attribute == attribute)


def fields_of(request: HttpRequest) -> dict[str, str]:
    return dict(request.headers.pairs)


def test_a_call_is_a_post_with_the_arguments_by_name() -> None:
    request = Caller().request("search", "lamp", 3, None)

    assert (request.method, request.path, request.query) == ("POST", "/shop.Catalog/search", "")
    assert json.loads(request.body) == {"p0": "lamp", "p1": 3, "p2": None}
    assert fields_of(request) == {
        "Accept": "application/json, application/problem+json",
        "Polyport-Consumer": "web",
        "Content-Type": "application/json",
    }


def test_values_have_their_json_form() -> None:
    assert json.loads(Caller().request("put", PRODUCT).body) == {"p0": PRODUCT_JSON}


def test_overloads_are_called_by_their_own_names() -> None:
    assert Caller().request("find", 7).path == "/shop.Catalog/find"
    assert Caller().request("find_by_name", "Lamp").path == "/shop.Catalog/find_by_name"


@pytest.mark.parametrize(
    ("key", "base", "path"),
    [
        (ServiceKey("shop.Catalog", "eu", "1.0"), "", "/eu/shop.Catalog:1.0/count"),
        (KEY, "/api/v1/", "/api/v1/shop.Catalog/count"),
        (ServiceKey("shop Catalog?"), "", "/shop%20Catalog%3F/count"),
    ],
)
def test_the_service_is_part_of_the_path(key: ServiceKey, base: str, path: str) -> None:
    assert Caller(key=key, path=base).request("count").path == path


def test_what_travels_beside_a_call_is_told() -> None:
    request = Caller().request("count", timeout_s=0.25, attachments={"a b": "ü"}, traceparent=TRACE, consumer="shop")

    assert {name: value for name, value in fields_of(request).items() if name != "Accept"} == {
        "Polyport-Timeout": "0.250",
        "Polyport-Consumer": "shop",
        "traceparent": TRACE,
        "Polyport-Attachment-a%20b": "%C3%BC",
        "Content-Type": "application/json",
    }


def test_nothing_but_the_trace_is_told_where_it_is_not_wanted() -> None:
    caller = Caller(send_context=False)
    request = caller.request("count", timeout_s=0.25, attachments={"a": "b"}, traceparent=TRACE, consumer="shop")

    assert set(fields_of(request)) == {"Accept", "Content-Type", "traceparent"}
    assert "traceparent" not in fields_of(caller.request("count", attachments={"a": "b"}))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"token": "t0ken"}, {"Authorization": "Bearer t0ken", "Polyport-Token": "t0ken"}),
        ({"bearer": "t0ken", "token": "other"}, {"Authorization": "Bearer t0ken", "Polyport-Token": "other"}),
        ({"api_key": "k"}, {"X-API-Key": "k"}),
        ({"api_key": "k", "bearer": "t0ken"}, {"X-API-Key": "k", "Authorization": "Bearer t0ken"}),
        # RFC 7617, section 2 and 2.1.
        ({"basic": "Aladdin:open sesame"}, {"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}),
        ({"basic": "test:123£", "token": "other"}, {"Authorization": "Basic dGVzdDoxMjPCow=="}),
        ({"headers": {"X-Tenant": "a b"}}, {"X-Tenant": "a b"}),
    ],
)
def test_secrets_and_further_fields_are_sent(options: Mapping[str, Any], expected: Mapping[str, str]) -> None:
    assert expected.items() <= fields_of(Caller(**options).request("count")).items()


@pytest.mark.parametrize(
    "options",
    [
        {"bearer": "a\r\nX-Evil: 1"},
        {"token": "ü"},
        {"api_key": " blank"},
        {"bearer": "a", "basic": "b:c"},
        {"basic": "no-colon"},
        {"headers": {"a b": "c"}},
        {"headers": {"a": "b\nc"}},
        {"headers": {"Content-Length": "7"}},
        {"headers": {"Polyport-Timeout": "7"}},
        {"path": "api"},
        {"path": "/a/../b"},
        {"path": "/a?b"},
        {"path": "/a b"},
        {"style": "rest"},
    ],
)
def test_what_no_request_can_have_is_refused_when_it_is_bound(options: Mapping[str, Any]) -> None:
    with pytest.raises(ContractError, match=r"shop\.Catalog") as caught:
        Caller(**options)
    assert "Evil" not in str(caught.value)


@pytest.mark.parametrize(
    ("method", "arguments", "path"),
    [
        ("find", ("x",), "args[0]"),
        ("search", ("a", 2**31, None), "args[1]"),
        ("put", (Product(**{**vars(PRODUCT), "name": None}),), "args[0].name"),
        ("count", (1,), "args"),
    ],
)
def test_an_argument_that_does_not_fit_is_named(method: str, arguments: tuple[Any, ...], path: str) -> None:
    with pytest.raises(ValueMappingError) as caught:
        Caller().request(method, *arguments)
    assert caught.value.path == path


def test_a_method_the_contract_lacks_is_refused() -> None:
    other = MethodContract("other", (), TypeRef(Kind.NULL), "other")
    invocation = Invocation(KEY, "other", (), signature=other)
    caller = Caller()
    with pytest.raises(ValueMappingError, match=r"shop\.Catalog"):
        caller.binding.encode_call(caller.bound, invocation, None)


def test_requests_have_a_limit() -> None:
    caller = Caller(max_request_bytes=20)
    caller.request("count")
    with pytest.raises(LocalWireError, match="20"):
        caller.request("find_by_name", "x" * 20)


def test_answers_are_values_of_the_contract() -> None:
    assert Caller().value(200, 7) == 7
    assert Caller().value(200, PRODUCT_JSON, method="find", arguments=(7,)) == PRODUCT
    assert Caller().value(200, b"7", ()) == 7
    assert Caller().value(200, b"7", (("Content-Type", "application/vnd.x+json; charset=utf-8"),)) == 7


def test_answers_bring_attachments() -> None:
    outcome = Caller().outcome(200, 7, (*JSON, ("polyport-attachment-A", "%C3%BC")))
    assert isinstance(outcome, Ok)
    assert outcome.attachments == {"A": "ü"}


@pytest.mark.parametrize(
    ("status", "body", "fields", "said"),
    [
        (200, b"", JSON, "result: "),
        (204, b"", (), "result: "),
        (200, b'"x"', JSON, "result: "),
        (200, b"7 8", JSON, "not JSON"),
        (200, b'{"a":1,"a":2}', JSON, "twice"),
        (200, b"\xff", JSON, "not JSON"),
        (200, b"[" * 100_000, JSON, "nested"),
        (200, b"7", (("Content-Type", "text/html"),), "text/html"),
        (200, b"7", (("Content-Type", "application/json; charset=utf-16"),), "utf-16"),
        (200, b"7", (*JSON, ("Polyport-Attachment-A", "%")), "Polyport-Attachment-A"),
        (304, b"", (), "304"),
        (101, b"", (), "101"),
    ],
)
def test_an_answer_that_does_not_fit_is_the_provider_s_failure(
    status: int, body: bytes, fields: tuple[tuple[str, str], ...], said: str
) -> None:
    error = Caller().error(status, body, fields)

    assert isinstance(error, ProviderFailed)
    assert error.retry is Retry.NEVER
    assert str(error).startswith("10.0.0.7:8080: ")
    assert said in str(error)


def test_the_place_of_what_does_not_fit_is_named() -> None:
    wrong = {**PRODUCT_JSON, "maker": {"name": 7}}
    assert "result.maker.name" in str(Caller().error(200, wrong, method="find", arguments=(7,)))


def test_unknown_members_are_refused_among_ourselves_and_ignored_elsewhere() -> None:
    more = {**PRODUCT_JSON, "weight": 3}
    call: dict[str, Any] = {"method": "find", "arguments": (7,)}

    assert "weight" in str(Caller().error(200, more, **call))
    assert Caller(ignore_unknown=True).value(200, more, **call) == PRODUCT


def test_errors_are_the_ones_they_were() -> None:
    for sent in (
        BadRequest("no"),
        Unauthenticated("who"),
        Forbidden("not you"),
        NoProvider("none", exhausted=True),
        Overloaded("busy", retry=Retry.NEVER),
        DeadlineExceeded("late"),
        ConnectionLost("gone", exhausted=True),
        ProviderFailed("broken", retry=Retry.SAFE),
    ):
        document = problem_of(sent)
        got = Caller().error(document["status"], document, PROBLEM)
        assert (type(got), str(got), got.retry, got.exhausted) == (type(sent), str(sent), sent.retry, sent.exhausted)


def test_exceptions_are_the_ones_they_were() -> None:
    caller = Caller()
    forms = caller.bound.service.forms
    for sent in (
        Fault("shop.ProductNotFound", "no product 7", {"product_id": 7, "hint": None}, declared=True),
        Fault("ValueError", "oops"),
        Fault("java.lang.IllegalStateException", None),
    ):
        document = problem_of_fault(sent, forms)
        got = caller.fault(document["status"], document, (*PROBLEM, ("Polyport-Attachment-a", "b")))
        assert (got.type_name, got.message, got.declared) == (sent.type_name, sent.message, sent.declared)
        assert got.fields == sent.fields
        assert got.attachments == {"a": "b"}


def test_a_declared_exception_without_its_fields_is_handed_on_by_name() -> None:
    kind = "urn:polyport:exception:shop.ProductNotFound"
    form = {"class": "shop.ProductNotFound", "message": "no product 7"}
    fault = Caller().fault(422, {"type": kind, "exception": form}, PROBLEM)

    assert (fault.type_name, fault.message, fault.declared) == ("shop.ProductNotFound", "no product 7", False)


@pytest.mark.parametrize(
    ("status", "kind", "retry"),
    [
        (400, BadRequest, Retry.NEVER),
        (401, Unauthenticated, Retry.NEVER),
        (403, Forbidden, Retry.NEVER),
        (404, NoSuchMethod, Retry.NEVER),
        (409, BadRequest, Retry.NEVER),
        (429, Overloaded, Retry.SAFE),
        (500, ProviderFailed, Retry.IF_IDEMPOTENT),
        (502, ProviderFailed, Retry.IF_IDEMPOTENT),
        (503, Overloaded, Retry.SAFE),
        (504, DeadlineExceeded, Retry.IF_IDEMPOTENT),
    ],
)
@pytest.mark.parametrize(
    ("body", "fields", "detail"),
    [
        (b"", (), ""),
        (b"<html>", (("Content-Type", "text/html"),), ""),
        (b"not here\r\n", (("Content-Type", "text/plain; charset=utf-8"),), "not here"),
        (b'{"message": "not here"}', JSON, "not here"),
        (b'{"type": "about:blank", "title": "T", "detail": "not here"}', PROBLEM, "not here"),
        (b'{"type": 7}', PROBLEM, ""),
        (b"{", JSON, ""),
        (b"[]", JSON, ""),
    ],
)
def test_a_status_without_a_document_of_ours_speaks_for_itself(
    status: int, kind: type[RpcError], retry: Retry, body: bytes, fields: tuple[tuple[str, str], ...], detail: str
) -> None:
    error = Caller().error(status, body, fields)

    assert type(error) is kind
    assert error.retry is retry
    assert str(error).startswith(f"10.0.0.7:8080: status {status}")
    assert detail in str(error)
    assert "<html>" not in str(error)


def test_a_service_without_a_contract_is_called_by_position() -> None:
    caller = Caller(None, ServiceKey("any.Thing"))
    request = caller.request("do it?", 1, Decimal("1.5"), Record("a.B", {"x": [True]}))

    assert request.path == "/any.Thing/do%20it%3F"
    assert json.loads(request.body) == [1, {"$type": "decimal", "value": "1.5"}, {"class": "a.B", "x": [True]}]
    assert caller.value(200, {"class": "a.B", "x": None}, method="f") == Record("a.B", {"x": None})
    assert caller.value(204, b"", (), method="f") is None
    assert "text/html" in str(caller.error(200, b"7", (("Content-Type", "text/html"),), method="f"))
    assert (
        caller.fault(500, {"type": "urn:polyport:exception", "exception": {"class": "E"}}, method="f").type_name == "E"
    )
    with pytest.raises(ValueMappingError, match=r"args\[1\]"):
        caller.request("f", 1, object())
    for name in ("", ".", ".."):
        with pytest.raises(ValueMappingError, match="name"):
            caller.request(name)


def test_peers_that_know_java_names_only_are_understood() -> None:
    caller = Caller(java_names=True)
    sent = json.loads(caller.request("put", PRODUCT).body)["p0"]
    assert sent == {
        {"created_at": "createdAt", "updated_at": "updatedAt"}.get(k, k): v for k, v in PRODUCT_JSON.items()
    }
    assert caller.value(200, sent, method="find", arguments=(7,)) == PRODUCT
    kind = "urn:polyport:exception:shop.ProductNotFound"
    form = {"class": "shop.ProductNotFound", "message": None, "productId": 7, "hint": "h"}
    fault = caller.fault(422, {"type": kind, "exception": form}, PROBLEM)
    assert (fault.fields, fault.declared) == ({"product_id": 7, "hint": "h"}, True)


def test_a_contract_is_compiled_once() -> None:
    binding = JsonClientBinding(ClientOptions())
    first, second = (binding.bind(ENDPOINT, KEY, SHOP, "", "") for _ in range(2))
    assert first.service is second.service


@given(
    st.sampled_from(["polyport", "jsonrpc", "rest"]),
    st.integers(100, 999),
    st.one_of(st.binary(max_size=60), json_values.map(lambda value: json.dumps(value).encode())),
    st.lists(
        st.tuples(
            st.sampled_from(["Content-Type", "Polyport-Attachment-a", "x"]),
            st.sampled_from(["application/json", "text/plain; charset=idna", "text/plain", "%", "", "é", ";;"]),
        ),
        max_size=3,
    ),
)
def test_nothing_a_peer_sends_raises(style: str, status: int, body: bytes, fields: list[tuple[str, str]]) -> None:
    caller = FUZZED[style]
    for method in ("text", "count"):
        outcome = caller.outcome(status, body, tuple(fields), method=method)
        assert isinstance(outcome, Ok | Fault | RpcError)


LOOSE = ServiceContract(
    "any.Loose",
    (
        MethodContract("text", (), TypeRef(Kind.STRING), "text", routes={"http": "GET /text"}),
        MethodContract("count", (), TypeRef(Kind.ANY), "count", routes={"http": "GET /count"}),
    ),
)
FUZZED = {style: Caller(LOOSE, style=style) for style in ("polyport", "jsonrpc", "rest")}


def test_a_token_that_was_announced_is_shown_as_such_alone() -> None:
    announced = replace(ENDPOINT, parameters={"token": "t0 ken"})
    binding = JsonClientBinding(ClientOptions())
    bound = binding.bind(announced, KEY, SHOP, "t0 ken", "me")
    request, _ = binding.encode_call(bound, Invocation(KEY, "count", (), signature=method_of(SHOP, "count")), None)
    fields = dict(request.headers.pairs)
    assert fields["Polyport-Token"] == "t0%20ken"
    assert "Authorization" not in fields


def test_who_is_told_nothing_of_a_call_is_shown_no_token_of_dubbo() -> None:
    request = Caller(send_context=False, token="t0ken").request("count")
    assert "Polyport-Token" not in fields_of(request)
    assert fields_of(request)["Authorization"] == "Bearer t0ken"
