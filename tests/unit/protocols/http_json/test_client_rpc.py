"""JSON-RPC called, without a socket. Objects are those of the specification and of jsonrpc4j."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.model.call import Fault, Invocation, Ok
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import BadRequest, NoSuchMethod, Overloaded, ProviderFailed, Retry, RpcError
from protocols.contract import Outcome
from protocols.http.message import HttpRequest, HttpResponse
from protocols.http_json.client import ClientOptions, JsonClientBinding
from tests.support.shop_contract import SHOP

KEY = ServiceKey("shop.Catalog", version="1.0")
JSON = (("Content-Type", "application/json"),)


class Caller:
    """A binding in JSON-RPC style, bound once; call number 7."""

    def __init__(self, contract: ServiceContract | None = SHOP, **options: Any) -> None:
        self.binding = JsonClientBinding(ClientOptions(style="jsonrpc", **options))
        self.contract = contract
        self.bound = self.binding.bind(Endpoint("http", "a", 1, KEY), KEY, contract, "", "web")
        self.ticket: Any = None

    def request(self, attribute: str, *arguments: Any, **more: Any) -> HttpRequest:
        methods = () if self.contract is None else self.contract.methods
        signature = next((each for each in methods if each.attribute == attribute), None)
        name = attribute if signature is None else signature.name
        invocation = Invocation(KEY, name, arguments, signature=signature, call_id=7, **more)
        request, self.ticket = self.binding.encode_call(self.bound, invocation, None)
        return request

    def outcome(
        self, answer: Any, status: int = 200, fields: tuple[tuple[str, str], ...] = JSON, method: str = "count"
    ) -> Outcome:
        self.request(method)
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return self.binding.decode_reply(self.bound, self.ticket, HttpResponse(status, fields, body))

    def fails(self, error: Any, **more: Any) -> Outcome:
        return self.outcome({"jsonrpc": "2.0", "error": error, "id": 7}, **more)


def test_a_call_is_a_request_object() -> None:
    request = Caller().request("search", "lamp", 3, None)

    assert (request.method, request.path) == ("POST", "/shop.Catalog:1.0")
    assert request.headers.get("content-type") == "application/json"
    assert request.headers.get("accept") == "application/json"
    assert json.loads(request.body) == {
        "jsonrpc": "2.0",
        "method": "search",
        "params": {"p0": "lamp", "p1": 3, "p2": None},
        "id": 7,
    }


@pytest.mark.parametrize(
    ("options", "attribute", "arguments", "expected"),
    [
        ({}, "count", (), {"method": "count"}),
        ({"params": "positional"}, "count", (), {"method": "count"}),
        ({"params": "positional"}, "sum", ([1, 2],), {"method": "sum", "params": [[1, 2]]}),
        ({"qualified": True}, "count", (), {"method": "shop.Catalog:1.0.count"}),
        ({}, "find_by_name", ("x",), {"method": "find_by_name", "params": {"p0": "x"}}),
        ({}, "price_history", (7,), {"method": "price_history", "params": {"p0": 7}}),
        ({"java_names": True}, "price_history", (7,), {"method": "priceHistory", "params": {"p0": 7}}),
        ({"java_names": True, "params": "positional"}, "find_by_name", ("x",), {"method": "find", "params": ["x"]}),
    ],
)
def test_methods_and_params_are_written_as_told(
    options: dict[str, Any], attribute: str, arguments: tuple[Any, ...], expected: dict[str, Any]
) -> None:
    body = json.loads(Caller(**options).request(attribute, *arguments).body)

    assert body == {"jsonrpc": "2.0", "id": 7, **expected}


def test_all_calls_go_to_one_path() -> None:
    assert Caller(path="/jsonrpc").request("count").path == "/jsonrpc"


def test_a_call_without_answer_is_a_notification() -> None:
    assert "id" not in json.loads(Caller().request("count", oneway=True).body)


@pytest.mark.parametrize(
    ("answer", "fields"),
    [
        ({"jsonrpc": "2.0", "result": 3, "id": 7}, JSON),
        ({"jsonrpc": "2.0", "result": 3, "id": "7"}, ()),
        ({"jsonrpc": "2.0", "result": 3, "error": None, "id": 7}, (("Content-Type", "application/json-rpc"),)),
        (b'{"jsonrpc":"2.0","id":7,"result":3}\n', (("Content-Type", "text/plain"),)),
    ],
)
def test_results_are_values_of_the_contract(answer: Any, fields: tuple[tuple[str, str], ...]) -> None:
    outcome = Caller().outcome(answer, fields=(*fields, ("Polyport-Attachment-a", "b")))

    assert isinstance(outcome, Ok)
    assert outcome.value == 3
    assert outcome.attachments == {"a": "b"}


@pytest.mark.parametrize(
    "answer",
    [
        {"jsonrpc": "2.0", "result": 3, "id": 8},
        {"jsonrpc": "2.0", "result": 3, "id": None},
        {"jsonrpc": "2.0", "result": 3, "id": 7.5},
        {"jsonrpc": "2.0", "result": 3, "id": True},
        {"jsonrpc": "2.0", "result": 3},
        {"jsonrpc": "2.0", "id": 7},
        {"jsonrpc": "1.0", "result": 3, "id": 7},
        {"result": 3, "id": 7},
        {"jsonrpc": "2.0", "error": {"code": 1, "message": ""}, "id": 8},
        {"jsonrpc": "2.0", "result": "x", "id": 7},
        [{"jsonrpc": "2.0", "result": 3, "id": 7}],
        3,
        b"",
        b"<html>",
        b'{"jsonrpc":"2.0","id":7,"id":7,"result":3}',
    ],
)
def test_what_is_no_answer_to_this_call_is_the_provider_s_failure(answer: Any) -> None:
    outcome = Caller().outcome(answer)

    assert isinstance(outcome, ProviderFailed)
    assert outcome.retry is Retry.NEVER


# The codes: section 5.1.
@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-32700, BadRequest),
        (-32600, BadRequest),
        (-32601, NoSuchMethod),
        (-32602, BadRequest),
        (-32603, ProviderFailed),
    ],
)
def test_codes_of_the_specification_are_trouble_on_the_way(code: int, kind: type[RpcError], status: int) -> None:
    outcome = Caller().fails({"code": code, "message": "said"}, status=status)

    assert type(outcome) is kind
    assert "said" in str(outcome)


def test_an_error_may_come_without_the_id_of_the_call() -> None:
    answer = {"jsonrpc": "2.0", "error": {"code": -32600, "message": "?"}, "id": None}
    assert type(Caller().outcome(answer)) is BadRequest


@pytest.mark.parametrize("code", [1, -1, 0, 404, -32000, -32099])
def test_every_other_code_is_the_service_s_own(code: int) -> None:
    outcome = Caller().fails({"code": code, "message": "said", "data": [1]})

    assert isinstance(outcome, Fault)
    assert (outcome.message, outcome.declared) == ("said", False)


def test_exceptions_of_gateways_keep_their_fields() -> None:
    data = {
        "type": "urn:polyport:exception:shop.ProductNotFound",
        "exception": {"class": "shop.ProductNotFound", "message": "no 7", "product_id": 7, "hint": None},
    }
    outcome = Caller().fails({"code": -32000, "message": "no 7", "data": data})

    assert isinstance(outcome, Fault)
    assert (outcome.type_name, outcome.message, outcome.declared) == ("shop.ProductNotFound", "no 7", True)
    assert outcome.fields == {"product_id": 7, "hint": None}


def test_exceptions_of_jsonrpc4j_keep_their_class() -> None:
    data = {"exceptionTypeName": "shop.ProductNotFound", "message": "no 7"}
    outcome = Caller().fails({"code": 0, "message": "no 7", "data": data})

    assert isinstance(outcome, Fault)
    # Its field product_id did not come along, so it is no instance of the class.
    assert (outcome.type_name, outcome.message, outcome.declared) == ("shop.ProductNotFound", "no 7", False)


def test_trouble_of_gateways_keeps_what_may_be_repeated() -> None:
    data = {"type": "urn:polyport:error:overloaded", "retry": "never", "exhausted": True}
    outcome = Caller().fails({"code": -32013, "message": "busy", "data": data})

    assert type(outcome) is Overloaded
    assert (outcome.retry, outcome.exhausted, str(outcome)) == (Retry.NEVER, True, "busy")


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NoSuchMethod), (503, Overloaded), (500, ProviderFailed), (301, ProviderFailed)]
)
def test_without_a_response_object_the_status_counts(status: int, kind: type[RpcError]) -> None:
    assert type(Caller().outcome(b"<html>", status, (("Content-Type", "text/html"),))) is kind
    assert type(Caller().outcome({"error": "x"}, status)) is kind


def test_a_service_without_a_contract_is_called_by_position() -> None:
    caller = Caller(None)
    assert json.loads(caller.request("f", 1, [None]).body)["params"] == [1, [None]]
    outcome = caller.outcome({"jsonrpc": "2.0", "result": [1], "id": 7}, method="f")
    assert isinstance(outcome, Ok)
    assert outcome.value == [1]
    fault = caller.fails({"code": 5, "message": "m"}, method="f")
    assert isinstance(fault, Fault)
