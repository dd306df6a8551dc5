"""http:// without a socket: which request is which call, and which answer which response."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.model.call import Fault, Invocation, Ok, Peer
from gateway.model.contract import MethodContract, Param, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ContractError, DeadlineExceeded, NoProvider, Overloaded, ProviderFailed, RpcError
from gateway.model.exposure import Exposure
from gateway.model.generic import Long
from gateway.model.typeref import Kind, TypeRef
from protocols.http.binding import HttpExchange
from protocols.http.message import Headers, HttpRequest, HttpResponse
from protocols.http_json.route import parse_route
from protocols.http_json.server import JsonBinding
from tests.support.http_calls import read
from tests.support.shop_contract import MAKER, NOT_FOUND, SHOP, TYPES

I64, TEXT, NOTHING = TypeRef(Kind.I64), TypeRef(Kind.STRING), TypeRef(Kind.NULL)
TEXTS = TypeRef(Kind.LIST, (TEXT,))


def a_method(name: str, params: tuple[Param, ...] = (), returns: TypeRef = I64, **more: Any) -> MethodContract:
    return MethodContract(name, params, returns, more.pop("attribute", name), **more)


A, B, C = Param("a", I64), Param("b", I64), Param("c", TEXT.optional(), default="c")
STORE = ServiceContract(
    "shop.Store",
    (
        a_method("add", (A, B), idempotent=True),
        a_method("join", (A, C, Param("tags", TEXTS)), TEXT, idempotent=True),
        a_method("clear", (), NOTHING),
        a_method("touch", (A,), NOTHING, oneway=True),
        a_method("name_of", (Param("maker", MAKER),), TEXT.optional()),
        a_method("pick", (A,), attribute="pick"),
        a_method("pick", (B,), attribute="pick_b", idempotent=True),
        a_method("pick", (Param("a", TEXT), C), attribute="pick_text"),
        a_method("same", (A,), attribute="same_number"),
        a_method("same", (Param("a", TEXT),), attribute="same_text"),
        a_method("rows", (Param("rows", TypeRef(Kind.LIST, (TEXTS,))),), idempotent=True),
        a_method("fail", (), throws=(NOT_FOUND,)),
    ),
    TYPES,
)
KEY = ServiceKey("shop.Store")
BINDING = JsonBinding(
    [
        Exposure(KEY, STORE),
        Exposure(ServiceKey("shop.Store", "eu", "1.0"), STORE),
        Exposure(ServiceKey("any.Thing"), None),
    ],
    document=lambda: b'{"openapi":"3.1.0"}',
)


def decode(
    verb: str,
    target: str,
    body: bytes | str = b"",
    headers: Mapping[str, str] | None = None,
    *,
    binding: JsonBinding = BINDING,
    now: float = 0.0,
) -> HttpExchange | HttpResponse:
    path, _, query = target.partition("?")
    data = body if isinstance(body, bytes) else body.encode()
    request = HttpRequest(verb, path, query, Headers((headers or {}).items()), data, Peer("http", "testing"))
    return binding.decode_call(request, now)


def call(
    verb: str, target: str, body: bytes | str = b"", headers: Mapping[str, str] | None = None, **more: Any
) -> Invocation:
    exchange = decode(verb, target, body, headers, **more)
    assert not isinstance(exchange, HttpResponse), exchange.body
    (invocation,) = exchange.calls
    return invocation


def refusal(
    verb: str, target: str, body: bytes | str = b"", headers: Mapping[str, str] | None = None, **more: Any
) -> Any:
    """The problem document of a request that is no call, or one whose arguments cannot be read."""
    response = read(decode(verb, target, body, headers, **more))
    assert isinstance(response, HttpResponse)
    assert isinstance(response.error, RpcError)
    assert dict(response.headers)["Content-Type"] == "application/problem+json"
    document = json.loads(response.body)
    assert document["status"] == response.status
    return document


def reply(
    outcome: Any, verb: str = "POST", target: str = "/shop.Store/add", body: str = '{"a": 1, "b": 2}', **more: Any
) -> HttpResponse:
    exchange = decode(verb, target, body, **more)
    assert not isinstance(exchange, HttpResponse), exchange.body
    return exchange.encode_reply([outcome])


@pytest.mark.parametrize(
    ("verb", "target", "body"),
    [
        ("POST", "/shop.Store/add", '{"a": 1, "b": 2}'),
        ("POST", "/shop.Store/add", '{"b": 2, "a": 1}'),
        ("POST", "/shop.Store/add", "[1, 2]"),
        ("POST", "/shop.Store/add", "[1, 2.0]"),
        ("GET", "/shop.Store/add?a=1&b=2", ""),
        ("GET", "/shop.Store/add?b=%32&a=1", ""),
        ("POST", "/shop%2EStore/%61dd", "[1, 2]"),
    ],
)
def test_arguments_by_name_by_position_and_from_a_query(verb: str, target: str, body: str) -> None:
    invocation = call(verb, target, body)
    assert (invocation.service, invocation.method, invocation.arguments()) == (KEY, "add", (1, 2))
    assert invocation.signature is STORE.methods[0]
    assert invocation.peer == Peer("http", "testing")


def test_group_and_version_are_part_of_the_path() -> None:
    assert call("POST", "/eu/shop.Store:1.0/add", "[1, 2]").service == ServiceKey("shop.Store", "eu", "1.0")
    assert refusal("POST", "/eu/shop.Store/add", "[1, 2]")["status"] == 404


@pytest.mark.parametrize(
    ("verb", "target", "body", "arguments"),
    [
        ("POST", "/shop.Store/join", '{"a": 1, "tags": []}', (1, "c", [])),
        ("POST", "/shop.Store/join", '{"a": 1, "c": null, "tags": ["x"]}', (1, None, ["x"])),
        ("GET", "/shop.Store/join?a=1&tags=x&tags=y%20z", "", (1, "c", ["x", "y z"])),
        ("GET", "/shop.Store/join?a=-9223372036854775808&c=", "", (-(2**63), "", [])),
        ("GET", "/shop.Store/join?a=1&c=%C3%BC+%26", "", (1, "ü &", [])),
        ("POST", "/shop.Store/clear", "", ()),
        ("POST", "/shop.Store/clear", "{}", ()),
        ("POST", "/shop.Store/clear", "[]", ()),
    ],
)
def test_what_is_left_out_has_its_default(verb: str, target: str, body: str, arguments: tuple[Any, ...]) -> None:
    assert call(verb, target, body).arguments() == arguments


@pytest.mark.parametrize(
    ("verb", "target", "body", "attribute"),
    [
        ("POST", "/shop.Store/pick", '{"b": 1}', "pick_b"),
        ("POST", "/shop.Store/pick", '{"a": "x", "c": "y"}', "pick_text"),
        ("POST", "/shop.Store/pick", '{"a": 1}', "pick"),
        ("POST", "/shop.Store/pick", "[1]", "pick"),
        ("POST", "/shop.Store/pick", '["x", "y"]', "pick_text"),
        ("POST", "/shop.Store/pick_text", '["x"]', "pick_text"),
        ("POST", "/shop.Store/pick_b", "[1]", "pick_b"),
        ("GET", "/shop.Store/pick?b=1", "", "pick_b"),
    ],
)
def test_overload_is_the_one_the_arguments_fit(verb: str, target: str, body: str, attribute: str) -> None:
    signature = call(verb, target, body).signature
    assert signature is not None
    assert signature.attribute == attribute


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"a": 1}', "several overloads"),
        ("[null]", "no overload takes these arguments"),
        ('{"x": 1}', "no overload takes these arguments"),
        ("[]", "no overload takes these arguments"),
    ],
)
def test_overload_that_cannot_be_told_is_refused_with_all_of_them(body: str, reason: str) -> None:
    document = refusal("POST", "/shop.Store/same", body)
    assert document["status"] == 400
    assert reason in document["detail"]
    assert "same_number(a: i64); same_text(a: string)" in document["detail"]


@pytest.mark.parametrize(
    ("body", "detail", "path"),
    [
        ('{"a": "1", "b": 2}', "add: a: expected i64, found a text", "args[0]"),
        ("[1, 9223372036854775808]", "add: b: ", "args[1]"),
        ("[1, 2.5]", "add: b: ", "args[1]"),
        ("[true, 2]", "add: a: ", "args[0]"),
        ("[null, 2]", "add: a: ", "args[0]"),
        ('{"a": 1}', "add: the argument 'b' (i64) is missing", "args[1]"),
        ("[1]", "add: the argument 'b' (i64) is missing", "args[1]"),
        ("[1, 2, 3]", "add takes 2 arguments, not 3", None),
        ('{"a": 1, "b": 2, "d": 3}', "add has no argument 'd'; it takes a, b", None),
        ('"x"', "expected an object with the arguments by name, or an array", None),
        ('{"a": 1, "a": 2, "b": 3}', "stands twice", None),
        ('{"a": NaN, "b": 1}', "NaN", None),
        ('{"a": 1e999, "b": 1}', "add: a: ", "args[0]"),
        ("{", "not JSON", None),
        ("[1, 2]]", "not JSON", None),
        (b"\xef\xbb\xbf[1, 2]", "byte order mark", None),
        (b"\xff\xfe[", "no UTF-8", None),
        ("[" * 100_000, "nested too deeply", None),
        ("[" + "9" * 100_000 + ", 1]", "100000 characters", None),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_their_place(
    body: str | bytes, detail: str, path: str | None
) -> None:
    document = refusal("POST", "/shop.Store/add", body)
    assert document["status"] == 400
    assert document["type"] == "urn:polyport:error:bad-request"
    assert detail in document["detail"]
    assert document.get("path") == path


def test_place_goes_down_into_a_struct() -> None:
    document = refusal("POST", "/shop.Store/name_of", '{"maker": {"name": "x", "parent": {"name": 7}}}')
    assert document["path"] == "args[0].parent.name"
    assert document["detail"].startswith("name_of: maker.parent.name: ")
    document = refusal("POST", "/shop.Store/name_of", '{"maker": {"name": "x", "nam": 1}}')
    assert "'nam'" in document["detail"]


@pytest.mark.parametrize("path", ["", "/", "*", "/shop.Store/add/x", "//shop.Store/add", "/nothing", "/%FF", "/a\0b"])
def test_path_that_means_nothing_is_404(path: str) -> None:
    assert refusal("POST", path)["type"] == "urn:polyport:error:no-such-service"


def test_unknown_method_of_a_known_service_is_404() -> None:
    assert refusal("POST", "/shop.Store/")["type"] == "urn:polyport:error:no-such-method"
    document = refusal("POST", "/shop.Store/nope")
    assert (document["status"], document["type"]) == (404, "urn:polyport:error:no-such-method")


@pytest.mark.parametrize(
    ("verb", "target", "allow"),
    [
        ("PUT", "/shop.Store/add", "GET, POST, HEAD, OPTIONS"),
        ("TRACE", "/shop.Store/add", "GET, POST, HEAD, OPTIONS"),
        ("GET", "/shop.Store/clear", "POST, OPTIONS"),
        ("GET", "/shop.Store/pick?a=1", "POST, OPTIONS"),
        ("GET", "/shop.Store/rows", "POST, OPTIONS"),
        ("GET", "/shop.Store", "POST, OPTIONS"),
        ("GET", "/jsonrpc", "POST, OPTIONS"),
        ("POST", "/openapi.json", "GET, HEAD, OPTIONS"),
        ("", "/shop.Store/add", "GET, POST, HEAD, OPTIONS"),
    ],
)
def test_other_verb_is_405_with_those_there_are(verb: str, target: str, allow: str) -> None:
    response = decode(verb, target)
    assert isinstance(response, HttpResponse)
    assert (response.status, dict(response.headers)["Allow"]) == (405, allow)


def test_options_says_which_verbs_there_are() -> None:
    response = decode("OPTIONS", "/shop.Store/add")
    assert isinstance(response, HttpResponse)
    assert (response.status, response.headers) == (204, (("Allow", "GET, POST, HEAD, OPTIONS"),))
    everything = decode("OPTIONS", "*")
    assert isinstance(everything, HttpResponse)
    assert everything.status == 204


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/json; charset=latin-1"}, 415),
        ({"Accept": "text/html"}, 406),
        ({"Polyport-Timeout": "soon"}, 400),
        ({"Polyport-Attachment-a": "%"}, 400),
    ],
)
def test_header_that_does_not_fit_is_refused(headers: Mapping[str, str], status: int) -> None:
    assert refusal("POST", "/shop.Store/add", "[1, 2]", headers)["status"] == status


def test_type_of_no_body_does_not_matter() -> None:
    assert call("POST", "/shop.Store/clear", "", {"Content-Type": "application/octet-stream"}).arguments() == ()
    assert call("GET", "/shop.Store/add?a=1&b=2", "", {"Content-Type": "text/plain"}).arguments() == (1, 2)


def test_query_and_body_do_not_mix() -> None:
    assert refusal("POST", "/shop.Store/add?a=1", '{"b": 1}')["status"] == 400
    assert refusal("GET", "/shop.Store/add?a=1&b=2", "[1, 2]")["status"] == 400
    assert "several" not in refusal("GET", "/shop.Store/add?a=1&a=2&b=3")["detail"]
    assert refusal("GET", "/shop.Store/add?a=1&b=2&c=3")["status"] == 400
    assert refusal("GET", "/shop.Store/add?a=%FF&b=2")["status"] == 400
    assert refusal("GET", "/shop.Store/add?" + "a=1&" * 2_000)["status"] == 400


def test_what_travels_beside_a_call_is_in_the_header() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers = {
        "Polyport-Attachment-User": "%C3%BC",
        "polyport-timeout": "1.5",
        "Polyport-Consumer": "billing",
        "traceparent": trace,
    }
    invocation = call("POST", "/shop.Store/add", "[1, 2]", headers, now=10.0)
    assert dict(invocation.attachments) == {"User": "ü"}
    assert (invocation.deadline, invocation.consumer, invocation.traceparent) == (11.5, "billing", trace)


@pytest.mark.parametrize(
    ("target", "body", "value", "status", "answer"),
    [
        ("/shop.Store/add", "[1, 2]", 2**63 - 1, 200, b"9223372036854775807"),
        ("/shop.Store/name_of", '[{"name": "x"}]', None, 200, b"null"),
        ("/shop.Store/name_of", '[{"name": "x"}]', "a\0ü", 200, '"a\\u0000ü"'.encode()),
        ("/shop.Store/clear", "", None, 204, b""),
        ("/any.Thing/do", "[]", {"a": [1, None]}, 200, b'{"a":[1,null]}'),
    ],
)
def test_answer_is_the_value_alone(target: str, body: str, value: Any, status: int, answer: bytes) -> None:
    response = reply(Ok(value), target=target, body=body)
    assert (response.status, response.body) == (status, answer)
    assert dict(response.headers).get("Content-Type") == ("application/json" if answer else None)


def test_oneway_call_is_accepted_at_once() -> None:
    exchange = decode("POST", "/shop.Store/touch", "[1]")
    assert not isinstance(exchange, HttpResponse)
    assert exchange.calls[0].oneway
    response = exchange.encode_reply([None])
    assert (response.status, response.body) == (202, b"")


def test_attachments_of_an_answer_are_in_its_header() -> None:
    assert ("Polyport-Attachment-k", "v%20w") in reply(Ok(1, {"k": "v w"})).headers
    fault = Fault("ValueError", "x", attachments={"k": "v"})
    assert ("Polyport-Attachment-k", "v") in reply(fault).headers


@pytest.mark.parametrize(
    ("outcome", "path"),
    [
        (Ok("text"), "result"),
        (Ok(2**63), "result"),
        (Ok(1, {"k": b"bytes"}), "attachments['k']"),
        (Fault("shop.ProductNotFound", "x", {}, declared=True), "shop.ProductNotFound.product_id"),
    ],
)
def test_answer_that_cannot_be_written_is_500_with_its_place(outcome: Any, path: str) -> None:
    response = reply(outcome)
    document = json.loads(response.body)
    assert (response.status, document["type"]) == (500, "urn:polyport:error:provider-failed")
    assert (document["path"], document["retry"]) == (path, "never")


def test_value_of_a_method_that_returns_nothing_is_refused() -> None:
    assert reply(Ok(7), target="/shop.Store/clear", body="").status == 500


def test_value_whose_own_code_raises_is_500() -> None:
    class Trap(dict[str, Any]):
        def items(self) -> Any:
            raise KeyError("secret")

    response = reply(Ok(Trap(a=1)), target="/any.Thing/do", body="[]")
    assert response.status == 500
    assert b"secret" not in response.body


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (NoProvider("none"), 503, "1"),
        (Overloaded("full"), 503, "1"),
        (Overloaded("too soon", retry_after_s=0.2), 503, "1"),
        (Overloaded("open", retry_after_s=4.2), 503, "5"),
        (DeadlineExceeded("late"), 504, None),
        (ProviderFailed("broken"), 502, None),
    ],
)
def test_trouble_is_a_problem_document(error: RpcError, status: int, retry_after: str | None) -> None:
    response = reply(error)
    assert (response.status, dict(response.headers).get("Retry-After")) == (status, retry_after)
    assert json.loads(response.body)["detail"] == str(error)
    # It was a call, and so no refusal of a request.
    assert response.error is None


def test_raw_answer_that_cannot_be_read_is_trouble() -> None:
    class Broken:
        wire, is_fault = "test", False

        def decode(self) -> Any:
            raise ProviderFailed("does not fit")

    assert reply(Ok(None, raw=Broken())).status == 502


def test_service_without_a_contract_takes_values_as_they_look() -> None:
    invocation = call("POST", "/any.Thing/do%20it", '[1, 5000000000, "x", {"a": [1.5, null]}]')
    assert (invocation.method, invocation.signature) == ("do it", None)
    assert invocation.arguments() == (1, 5_000_000_000, "x", {"a": [1.5, None]})
    assert isinstance(invocation.arguments()[1], Long)
    assert refusal("POST", "/any.Thing/do", '{"a": 1}')["status"] == 400
    assert decode("GET", "/any.Thing/do").status == 405  # type: ignore[union-attr]


def test_unknown_names_can_be_ignored() -> None:
    lenient = JsonBinding([Exposure(KEY, STORE)], ignore_unknown=True)
    assert call("POST", "/shop.Store/add?_=7", '{"a": 1, "b": 2, "d": 3}', binding=lenient).arguments() == (1, 2)
    assert call("GET", "/shop.Store/add?a=1&b=2&d=3", binding=lenient).arguments() == (1, 2)
    body = '{"maker": {"name": "x", "founded": 1999}}'
    assert call("POST", "/shop.Store/name_of", body, binding=lenient).arguments()[0].name == "x"


def test_document_is_made_when_it_is_first_asked_for() -> None:
    made: list[int] = []

    def document() -> bytes:
        made.append(1)
        return b"{}"

    binding = JsonBinding([], document=document)
    assert made == []
    for _ in range(2):
        response = decode("GET", "/openapi.json", headers={"Accept": "text/html"}, binding=binding)
        assert isinstance(response, HttpResponse)
        assert (response.status, response.body) == (200, b"{}")
    assert made == [1]


def test_pages_are_asked_for_what_is_no_service() -> None:
    class Site:
        def answer(self, request: HttpRequest) -> HttpResponse | None:
            return HttpResponse(200, body=b"page") if request.path == "/docs/" else None

    binding = JsonBinding([Exposure(KEY, STORE)], pages=Site())
    page = decode("GET", "/docs/", binding=binding)
    assert isinstance(page, HttpResponse)
    assert page.body == b"page"
    assert call("POST", "/shop.Store/add", "[1, 2]", binding=binding).method == "add"
    assert refusal("GET", "/other", binding=binding)["status"] == 404


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "unauthenticated"), (403, "forbidden"), (413, "bad-request"), (501, "no-such-method"), (503, "overloaded")],
)
def test_refusals_of_a_driver_are_problem_documents(status: int, kind: str) -> None:
    response = BINDING.encode_refusal(status, "because")
    document = json.loads(response.body)
    assert (response.status, document["status"]) == (status, status)
    assert (document["type"], document["detail"]) == (f"urn:polyport:error:{kind}", "because")


def routed(contract: ServiceContract = SHOP, **routes: str) -> JsonBinding:
    options = {"routes": {name: parse_route(line) for name, line in routes.items()}}
    return JsonBinding([Exposure(ServiceKey(contract.name), contract, options=options)])


ROUTES = {
    "add": "GET /sums/{a}?plus={b}",
    "join": "POST /joined/{a} header:X-C={c} -> 201",
    "clear": "DELETE /everything",
    "touch": "PUT /touched/{a}",
    "name_of": "POST /names body={maker} -> 200",
    "pick_b": "GET /sums/last",
    "fail": "GET /failure -> ProductNotFound=404",
}


@pytest.mark.parametrize(
    ("verb", "target", "body", "headers", "method", "arguments"),
    [
        ("GET", "/sums/7?plus=8", "", {}, "add", (7, 8)),
        ("GET", "/sums/-7?plus=%38", "", {}, "add", (-7, 8)),
        ("POST", "/joined/1", '{"tags": ["x"]}', {"x-c": "\xc3\xbc"}, "join", (1, "ü", ["x"])),
        ("POST", "/joined/1", '{"tags": []}', {}, "join", (1, "c", [])),
        ("POST", "/joined/1", "", {}, "join", (1, "c", [])),
        ("DELETE", "/everything", "", {}, "clear", ()),
        ("PUT", "/touched/3", "", {}, "touch", (3,)),
        ("PUT", "/touched/3", "{}", {}, "touch", (3,)),
        ("GET", "/sums/last?b=2", "", {}, "pick", (2,)),
        ("POST", "/shop.Store/add", "[1, 2]", {}, "add", (1, 2)),
    ],
)
def test_call_by_route(
    verb: str, target: str, body: str, headers: Mapping[str, str], method: str, arguments: tuple[Any, ...]
) -> None:
    invocation = call(verb, target, body, headers, binding=routed(STORE, **ROUTES))
    assert (invocation.method, invocation.arguments()) == (method, arguments)


@pytest.mark.parametrize(
    ("verb", "target", "body", "status", "detail"),
    [
        ("GET", "/sums/x?plus=1", "", 400, "add: a: "),
        ("GET", "/sums/1", "", 400, "'b' (i64) is missing"),
        ("GET", "/sums/1?plus=1&minus=2", "", 400, "the query has no part 'minus'; it has plus"),
        ("GET", "/sums/1?plus=1", "{}", 400, "has no body"),
        ("POST", "/joined/1", '{"tag": []}', 400, "the body has no member 'tag'; it has tags"),
        ("POST", "/joined/1", "[]", 400, "expected an object"),
        ("POST", "/names", "", 400, "'maker' (shop.Maker) is missing"),
        ("POST", "/names", '{"name": 7}', 400, "name_of: maker.name: "),
        ("PATCH", "/sums/1", "", 405, "PATCH"),
        ("GET", "/sums/1/2", "", 404, ""),
        ("GET", "/sums/", "", 404, ""),
    ],
)
def test_request_that_does_not_fit_its_route_is_refused(
    verb: str, target: str, body: str, status: int, detail: str
) -> None:
    document = refusal(verb, target, body, binding=routed(STORE, **ROUTES))
    assert document["status"] == status
    assert detail in document["detail"]


@pytest.mark.parametrize(
    ("verb", "target", "body", "outcome", "status"),
    [
        ("POST", "/joined/1", '{"tags": []}', Ok("x"), 201),
        ("DELETE", "/everything", "", Ok(None), 204),
        ("PUT", "/touched/3", "", None, 202),
        ("GET", "/failure", "", Fault("shop.ProductNotFound", "x", {"product_id": 1}, declared=True), 404),
        ("GET", "/failure", "", Fault("ValueError", "x"), 500),
        ("POST", "/shop.Store/fail", "", Fault("shop.ProductNotFound", "x", {"product_id": 1}, declared=True), 422),
    ],
)
def test_route_says_the_status(verb: str, target: str, body: str, outcome: Any, status: int) -> None:
    assert reply(outcome, verb, target, body, binding=routed(STORE, **ROUTES)).status == status


def test_route_of_the_contract_is_served() -> None:
    contract = ServiceContract("s.S", (a_method("add", (A, B), routes={"http": "GET /add/{a}/{b}"}),))
    assert call("GET", "/add/1/2", binding=JsonBinding([Exposure(ServiceKey("s.S"), contract)])).arguments() == (1, 2)


@pytest.mark.parametrize(
    ("routes", "reason"),
    [
        ({"nope": "GET /x"}, "shop.Store has no method 'nope'"),
        ({"same": "GET /x"}, "'same' is overloaded; name one of same_number, same_text"),
        ({"add": "GET /x/{z}"}, "add has no parameter 'z'"),
        ({"add": "GET /x/{a}", "join": "GET /x/{a}"}, "is the address of shop.Store.add and of shop.Store.join"),
        ({"add": "POST /shop.Store/clear"}, "is the address of shop.Store.add and of shop.Store.clear"),
        ({"add": "POST /jsonrpc"}, "is the address of JSON-RPC and of shop.Store.add"),
    ],
)
def test_routes_that_cannot_be_served_are_refused_at_the_start(routes: Mapping[str, str], reason: str) -> None:
    with pytest.raises(ContractError, match=reason):
        routed(STORE, **routes)


def test_route_may_take_the_place_of_the_methods_own_address() -> None:
    binding = routed(STORE, name_of="POST /shop.Store/name_of body={maker}")
    assert call("POST", "/shop.Store/name_of", '{"name": "x"}', binding=binding).arguments()[0].name == "x"


def test_two_services_cannot_have_one_address() -> None:
    options = {"routes": {"add": parse_route("GET /add")}}
    exposures = [Exposure(ServiceKey("shop.Store", version=each), STORE, options=options) for each in ("1", "2")]
    with pytest.raises(ContractError, match=r"shop\.Store:1\.add and of shop\.Store:2\.add"):
        JsonBinding(exposures)


def test_service_without_a_contract_has_no_routes() -> None:
    options = {"routes": {"add": parse_route("GET /add")}}
    with pytest.raises(ContractError, match="has no contract"):
        JsonBinding([Exposure(KEY, None, options=options)])


def test_ways_to_write_a_path_are_remembered_up_to_a_limit() -> None:
    binding = JsonBinding([Exposure(KEY, STORE)])
    for mask in range(1 << 10):
        name = "".join(f"%{ord(letter):02X}" if mask >> at & 1 else letter for at, letter in enumerate("shop.Store"))
        for method in ("add", "%61dd", "a%64d", "ad%64"):
            assert call("POST", f"/{name}/{method}", "[1, 2]", binding=binding).method == "add"
    assert len(binding._known) <= 2_048
