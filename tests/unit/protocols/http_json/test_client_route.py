"""Foreign REST services called, without a socket."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.model.call import Fault, Invocation, Ok
from gateway.model.contract import MethodContract, Param, ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import (
    BadRequest,
    ContractError,
    DeadlineExceeded,
    Forbidden,
    NoSuchMethod,
    Overloaded,
    ProviderFailed,
    RpcError,
    Unauthenticated,
    ValueMappingError,
)
from gateway.model.typeref import Kind, TypeRef
from protocols.contract import Outcome
from protocols.http.message import HttpRequest, HttpResponse
from protocols.http_json.client import ClientOptions, JsonClientBinding
from protocols.http_json.client_route import misfits
from protocols.http_json.problem import problem_of
from protocols.http_json.route import parse_route
from tests.support.shop_contract import MAKER, NOT_FOUND, TYPES, Maker

TEXT, I64, NOTHING = TypeRef(Kind.STRING), TypeRef(Kind.I64), TypeRef(Kind.NULL)
JSON = (("Content-Type", "application/json"),)
KEY = ServiceKey("shop.Api")


def method(name: str, *params: tuple[str, TypeRef], returns: TypeRef = MAKER, **more: Any) -> MethodContract:
    return MethodContract(name, tuple(Param(*each) for each in params), returns, name, **more)


API = ServiceContract(
    "shop.Api",
    (
        method("get", ("id", TEXT), throws=(NOT_FOUND,), routes={"http": "GET /makers/{id} -> ProductNotFound=404"}),
        method(
            "find",
            ("text", TEXT.optional()),
            ("tags", TypeRef(Kind.LIST, (TEXT,))),
            ("since", TypeRef(Kind.DATETIME).optional()),
            ("exact", TypeRef(Kind.BOOL)),
            returns=TypeRef(Kind.LIST, (MAKER,)),
        ),
        method("put", ("tenant", TEXT), ("id", I64), ("maker", MAKER)),
        method("create", ("name", TEXT), ("country", TEXT.optional())),
        method("remove", ("id", I64), returns=NOTHING),
        method("text", returns=TEXT),
        method("image", returns=TypeRef(Kind.BYTES)),
        method("maybe", returns=TEXT.optional()),
    ),
    TYPES,
)
LINES = {
    "find": "GET /makers?q={text}&tag={tags}",
    "put": "PUT /a%2Fb/makers/{id} header:X-Tenant={tenant} body={maker} -> 201",
    "create": "POST /makers body=*",
    "remove": "DELETE /makers/{id}",
    "text": "GET /text",
    "image": "GET /image",
    "maybe": "GET /maybe",
}
ROUTES = {name: parse_route(line) for name, line in LINES.items()}


class Caller:
    def __init__(self, **options: Any) -> None:
        options.setdefault("routes", ROUTES)
        self.binding = JsonClientBinding(ClientOptions(style="rest", **options))
        self.bound = self.binding.bind(Endpoint("http", "a", 1, KEY), KEY, API, "", "web")
        self.ticket: Any = None

    def request(self, name: str, *arguments: Any, **more: Any) -> HttpRequest:
        signature = next(each for each in API.methods if each.name == name)
        invocation = Invocation(KEY, name, arguments, signature=signature, **more)
        request, self.ticket = self.binding.encode_call(self.bound, invocation, 1.0)
        return request

    def outcome(self, name: str, status: int, body: Any = b"", fields: Any = JSON, arguments: Any = ()) -> Outcome:
        self.request(name, *arguments)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.binding.decode_reply(self.bound, self.ticket, HttpResponse(status, fields, data))


def test_a_path_holds_values_percent_encoded() -> None:
    request = Caller(path="/v1").request("get", "ü/?#%& .a")

    assert (request.method, request.path, request.query, request.body) == (
        "GET",
        "/v1/makers/%C3%BC%2F%3F%23%25%26%20.a",
        "",
        b"",
    )
    assert dict(request.headers.pairs) == {"Accept": "application/json, application/problem+json, */*;q=0.5"}


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_a_value_that_everybody_takes_out_of_a_path_is_refused(text: str) -> None:
    with pytest.raises(ValueMappingError) as caught:
        Caller().request("get", text)
    assert caught.value.path == "args[0]"


def test_a_query_holds_values_and_leaves_out_what_is_null() -> None:
    since = datetime(2024, 2, 29, 12, tzinfo=UTC)
    full = Caller().request("find", "a b&c=d+ü", ["x", "y"], since, True)
    least = Caller().request("find", None, [], None, False)

    assert full.path == "/makers"
    assert full.query == "q=a%20b%26c%3Dd%2B%C3%BC&tag=x&tag=y&since=2024-02-29T12%3A00%3A00Z&exact=true"
    assert least.query == "exact=false"


def test_a_header_field_and_a_body_hold_one_value_each() -> None:
    request = Caller().request("put", "Köln 1", 7, Maker("M", None, None))

    assert (request.method, request.path) == ("PUT", "/a%2Fb/makers/7")
    assert request.headers.get("x-tenant").encode("latin-1").decode() == "Köln 1"
    assert request.headers.get("content-type") == "application/json"
    assert json.loads(request.body) == {"name": "M", "country": None, "parent": None}


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\0", " a", "a\t", "\x7f"])
def test_a_text_that_no_header_field_carries_is_refused(text: str) -> None:
    with pytest.raises(ValueMappingError) as caught:
        Caller().request("put", text, 7, Maker("M"))
    assert caught.value.path == "args[0]"


def test_a_body_may_hold_all_arguments() -> None:
    assert json.loads(Caller().request("create", "M", None).body) == {"name": "M", "country": None}


def test_only_the_trace_is_told_unless_asked_for() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    told = Caller().request("text", traceparent=trace, attachments={"a": "b"})
    more = Caller(send_context=True).request("text", attachments={"a": "b"})

    assert [name for name, _ in told.headers.pairs] == ["Accept", "traceparent"]
    assert "polyport-attachment-a" in more.headers
    assert more.headers.get("polyport-consumer") == "web"


@pytest.mark.parametrize(
    ("name", "arguments", "status", "body", "fields", "value"),
    [
        ("get", ("a",), 200, {"name": "M", "unknown": 1}, JSON, Maker("M")),
        ("create", ("a", None), 201, {"name": "M"}, JSON, Maker("M")),
        ("create", ("a", None), 202, {"name": "M"}, (), Maker("M")),
        ("remove", (1,), 204, b"", (), None),
        ("remove", (1,), 200, b"gone", (("Content-Type", "text/plain"),), None),
        ("remove", (1,), 200, b"null", JSON, None),
        ("text", (), 200, b'"a"', JSON, "a"),
        ("text", (), 200, b'"a"', (("content-type", "text/plain"),), '"a"'),
        ("text", (), 200, b"\xfc", (("Content-Type", "text/plain; charset=ISO-8859-1"),), "ü"),
        ("image", (), 200, b"\x89PNG", (("Content-Type", "image/png"),), b"\x89PNG"),
        ("image", (), 200, b'"AQI="', JSON, b"\1\2"),
        ("maybe", (), 204, b"", (), None),
        ("maybe", (), 200, b"", (("Content-Type", "text/plain"),), None),
    ],
)
def test_a_success_is_a_value_by_its_content(
    name: str, arguments: Any, status: int, body: Any, fields: Any, value: Any
) -> None:
    outcome = Caller().outcome(name, status, body, fields, arguments)

    assert isinstance(outcome, Ok), outcome
    assert outcome.value == value


@pytest.mark.parametrize(
    ("name", "body", "fields"),
    [
        ("text", b"", ()),
        ("text", b"\xff", (("Content-Type", "text/plain"),)),
        ("text", b"a", (("Content-Type", "text/plain; charset=klingon"),)),
        ("text", b"a", (("Content-Type", "image/png"),)),
        ("text", b"a", ()),
        ("image", b'"?"', JSON),
    ],
)
def test_a_success_that_does_not_fit_is_the_provider_s_failure(name: str, body: bytes, fields: Any) -> None:
    assert isinstance(Caller().outcome(name, 200, body, fields), ProviderFailed)


def test_unknown_members_can_be_refused() -> None:
    outcome = Caller(ignore_unknown=False).outcome("get", 200, {"name": "M", "unknown": 1}, arguments=("a",))
    assert isinstance(outcome, ProviderFailed)


@pytest.mark.parametrize(
    ("body", "message", "fields"),
    [
        ({"product_id": 7, "message": "no 7", "more": 1}, "no 7", {"product_id": 7, "hint": None}),
        ({"product_id": 7, "detail": "no 7", "hint": "h"}, "no 7", {"product_id": 7, "hint": "h"}),
        ({"product_id": 7}, None, {"product_id": 7, "hint": None}),
    ],
)
def test_a_status_of_the_route_is_the_exception_with_its_fields(body: Any, message: Any, fields: Any) -> None:
    outcome = Caller().outcome("get", 404, body, arguments=("a",))

    assert isinstance(outcome, Fault)
    assert (outcome.type_name, outcome.message, outcome.declared) == ("shop.ProductNotFound", message, True)
    assert outcome.fields == fields


@pytest.mark.parametrize("body", [b"", b"<html>", {"product_id": "x", "message": "no 7"}, {"message": "no 7"}])
def test_an_exception_whose_fields_are_not_told_is_handed_on_by_name(body: Any) -> None:
    outcome = Caller().outcome("get", 404, body, arguments=("a",))

    assert isinstance(outcome, Fault)
    assert (outcome.type_name, outcome.declared) == ("shop.ProductNotFound", False)


@pytest.mark.parametrize("status", [402, 404, 409, 410, 412, 418, 422, 451])
def test_what_a_service_says_about_its_things_is_an_answer(status: int) -> None:
    outcome = Caller().outcome("text", status, {"error": "because"})

    assert isinstance(outcome, Fault)
    assert (outcome.type_name, outcome.message, outcome.declared) == (f"http.Status{status}", "because", False)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, ProviderFailed),
        (400, BadRequest),
        (401, Unauthenticated),
        (403, Forbidden),
        (405, NoSuchMethod),
        (408, DeadlineExceeded),
        (413, BadRequest),
        (415, BadRequest),
        (429, Overloaded),
        (500, ProviderFailed),
        (501, NoSuchMethod),
        (502, ProviderFailed),
        (503, Overloaded),
        (504, DeadlineExceeded),
        (599, ProviderFailed),
    ],
)
def test_what_it_says_about_the_call_is_trouble(status: int, kind: type[RpcError]) -> None:
    outcome = Caller().outcome("text", status, {"message": "because"})

    assert type(outcome) is kind
    assert str(outcome).startswith("a:1: ")


def test_trouble_of_gateways_is_the_error_it_was() -> None:
    outcome = Caller().outcome("get", 404, problem_of(NoSuchMethod("none such")), arguments=("a",))

    assert type(outcome) is NoSuchMethod
    assert str(outcome) == "none such"


def test_methods_without_a_route_are_named_when_it_is_bound() -> None:
    some = {name: route for name, route in ROUTES.items() if name not in ("put", "text")}
    with pytest.raises(ContractError, match="without a route: put, text"):
        Caller(routes=some)


def test_everything_wrong_with_routes_is_named() -> None:
    routes = {
        **ROUTES,
        "nothing": parse_route("GET /nothing"),
        "remove": parse_route("DELETE /makers/{key}"),
        "get": parse_route("GET /makers/{id} -> Unheard=404"),
    }
    found = misfits(API, routes)

    assert [name for name, _ in found] == ["nothing", "get", "remove"]
    assert "nothing" in found[0][1]
    assert "Unheard" in found[1][1]
    assert "key" in found[2][1]
