"""JSON-RPC 2.0 as its specification shows it (https://www.jsonrpc.org/specification, section 7), and beyond."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from gateway.model.call import Fault, Invocation, Ok
from gateway.model.contract import MethodContract, Param, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    RPC_ERRORS,
    BadRequest,
    NoSuchMethod,
    NoSuchService,
    ProviderFailed,
    Retry,
    RpcError,
)
from gateway.model.exposure import Exposure
from gateway.model.typeref import Kind, TypeRef
from protocols.contract import Outcome
from protocols.http.binding import HttpBatch
from protocols.http.message import Headers, HttpRequest, HttpResponse
from protocols.http_json.jsonrpc import error_object, error_of_object, fault_object
from protocols.http_json.problem import ExceptionForms
from protocols.http_json.server import JsonBinding
from tests.support.shop_contract import SHOP

I64, NOTHING = TypeRef(Kind.I64), TypeRef(Kind.NULL)
CALC = ServiceContract(
    "Calc",
    (
        MethodContract("subtract", (Param("minuend", I64), Param("subtrahend", I64)), I64, "subtract"),
        MethodContract("sum", (Param("a", I64), Param("b", I64), Param("c", I64)), I64, "sum"),
        MethodContract("notify_hello", (Param("a", I64),), NOTHING, "notify_hello", oneway=True),
        MethodContract("get_data", (), TypeRef(Kind.LIST, (TypeRef(Kind.ANY),)), "get_data"),
        MethodContract("update", tuple(Param(f"p{at}", I64) for at in range(5)), NOTHING, "update"),
    ),
)
ANSWERS: dict[str, Any] = {
    "subtract": lambda a, b: a - b,
    "sum": lambda a, b, c: a + b + c,
    "get_data": lambda: ["hello", 5],
    "update": lambda *_: None,
}
BINDING = JsonBinding(
    [Exposure(ServiceKey("Calc"), CALC), Exposure(ServiceKey("Calc", version="2"), None)], max_batch=5
)


def outcome_of(call: Invocation) -> Outcome:
    try:
        arguments = call.arguments()
        return Ok(ANSWERS[call.method](*arguments))
    except RpcError as error:
        return error


def post(body: str | bytes, path: str = "/Calc", **headers: str) -> HttpResponse:
    """The response to a request whose calls are answered as `ANSWERS` says."""
    data = body if isinstance(body, bytes) else body.encode()
    fields = Headers((name.replace("_", "-"), value) for name, value in headers.items())
    answer = BINDING.decode_call(HttpRequest("POST", path, headers=fields, body=data), 0.0)
    if isinstance(answer, HttpResponse):
        return answer
    outcomes = [None if call.oneway else outcome_of(call) for call in answer.calls]
    if len(outcomes) > 1:
        # As drivers may: every other part is written when it comes.
        for index in reversed(range(0, len(outcomes), 2)):
            outcome, outcomes[index] = outcomes[index], None
            if outcome is not None:
                assert cast("HttpBatch", answer).keep(index, outcome) > 0
    return answer.encode_reply(outcomes)


def answered(body: str, path: str = "/Calc") -> Any:
    response = post(body, path)
    assert response.status == 200
    return json.loads(response.body)


def without_texts(answer: Any) -> Any:
    """An answer without what the specification leaves open: message and data of errors."""
    if isinstance(answer, list):
        return [without_texts(each) for each in answer]
    if "error" in answer:
        return {**answer, "error": answer["error"]["code"]}
    return answer


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        (
            '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
            {"jsonrpc": "2.0", "result": 19, "id": 1},
        ),
        (
            '{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}',
            {"jsonrpc": "2.0", "result": -19, "id": 2},
        ),
        (
            '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
            {"jsonrpc": "2.0", "result": 19, "id": 3},
        ),
        ('{"jsonrpc": "2.0", "method": "foobar", "id": "1"}', {"jsonrpc": "2.0", "error": -32601, "id": "1"}),
        (
            '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
            {"jsonrpc": "2.0", "error": -32700, "id": None},
        ),
        ('{"jsonrpc": "2.0", "method": 1, "params": "bar"}', {"jsonrpc": "2.0", "error": -32600, "id": None}),
        (
            '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"}, {"jsonrpc": "2.0", "method"]',
            {"jsonrpc": "2.0", "error": -32700, "id": None},
        ),
        ("[]", {"jsonrpc": "2.0", "error": -32600, "id": None}),
        ("[1]", [{"jsonrpc": "2.0", "error": -32600, "id": None}]),
        ("[1,2,3]", [{"jsonrpc": "2.0", "error": -32600, "id": None}] * 3),
    ],
)
def test_examples_of_the_specification(request_: str, response: Any) -> None:
    assert without_texts(answered(request_)) == response


@pytest.mark.parametrize(("method", "path"), [("getData", "/Calc"), ("Calc.getData", "/jsonrpc")])
def test_methods_have_their_java_name_too(method: str, path: str) -> None:
    assert answered(f'{{"jsonrpc": "2.0", "method": "{method}", "id": 1}}', path)["result"] == ["hello", 5]


def test_java_names_are_no_addresses() -> None:
    assert post("{}", "/Calc/getData").status == 404


def test_batch_of_the_specification() -> None:
    answer = without_texts(
        answered(
            """[
            {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
            {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
            {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
            {"foo": "boo"},
            {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"}
            ]"""
        )
    )
    assert sorted(answer, key=lambda each: str(each["id"])) == [
        {"jsonrpc": "2.0", "result": 7, "id": "1"},
        {"jsonrpc": "2.0", "result": 19, "id": "2"},
        {"jsonrpc": "2.0", "error": -32601, "id": "5"},
        {"jsonrpc": "2.0", "error": -32600, "id": None},
    ]


@pytest.mark.parametrize(
    "body",
    [
        '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}',
        '{"jsonrpc": "2.0", "method": "foobar"}',
        '{"jsonrpc": "2.0", "method": "sum", "params": ["no", "numbers", "here"]}',
        '[{"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}, {"jsonrpc": "2.0", "method": "foobar"}]',
    ],
)
def test_notifications_are_not_answered(body: str) -> None:
    response = post(body)
    assert (response.status, response.body) == (204, b"")


def test_notification_is_called_oneway() -> None:
    body = b'{"jsonrpc": "2.0", "method": "subtract", "params": [1, 2]}'
    exchange = BINDING.decode_call(HttpRequest("POST", "/Calc", body=body), 0.0)
    assert not isinstance(exchange, HttpResponse)
    assert [call.oneway for call in exchange.calls] == [True]


@pytest.mark.parametrize(
    "request_id", ['"a\\u0000ü"', "123456789012345678901234567890", "-7", "1.50", "null", '""', "0"]
)
def test_id_is_echoed_as_it_was(request_id: str) -> None:
    response = post(f'{{"jsonrpc": "2.0", "method": "get_data", "id": {request_id}}}')
    assert response.status == 200
    echoed = json.loads(response.body, parse_float=str, parse_int=str)["id"]
    assert echoed == json.loads(request_id, parse_float=str, parse_int=str)


@pytest.mark.parametrize("request_id", ["true", "[]", "{}"])
def test_other_ids_are_no_requests(request_id: str) -> None:
    answer = answered(f'{{"jsonrpc": "2.0", "method": "get_data", "id": {request_id}}}')
    assert (answer["id"], answer["error"]["code"]) == (None, -32600)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ('"method": "sum", "params": [1]', -32600),
        ('"jsonrpc": "1.0", "method": "sum"', -32600),
        ('"jsonrpc": 2.0, "method": "sum"', -32600),
        ('"jsonrpc": "2.0"', -32600),
        ('"jsonrpc": "2.0", "method": null', -32600),
        ('"jsonrpc": "2.0", "method": "sum", "params": null', -32600),
        ('"jsonrpc": "2.0", "method": "sum", "params": 7', -32600),
        ('"jsonrpc": "2.0", "method": "sum", "params": [1, 2]', -32602),
        ('"jsonrpc": "2.0", "method": "sum", "params": [1, 2, 3, 4]', -32602),
        ('"jsonrpc": "2.0", "method": "sum", "params": [1, 2, "x"]', -32602),
        ('"jsonrpc": "2.0", "method": "sum", "params": {"a": 1, "b": 2, "c": 3, "d": 4}', -32602),
        ('"jsonrpc": "2.0", "method": "sum"', -32602),
        ('"jsonrpc": "2.0", "method": "rpc.discover"', -32601),
    ],
)
def test_what_is_wrong_has_its_code_and_the_id_of_the_request(members: str, code: int) -> None:
    answer = answered(f'{{"id": 7, {members}}}')
    assert (answer["id"], answer["error"]["code"]) == (7, code)


def test_argument_that_does_not_fit_is_named() -> None:
    error = answered('{"jsonrpc": "2.0", "id": 1, "method": "sum", "params": [1, 2, 9223372036854775808]}')["error"]
    assert error["message"].startswith("sum: c: ")
    assert error["data"]["path"] == "args[2]"
    assert error["data"]["type"] == "urn:polyport:error:bad-request"


def test_batch_has_a_limit() -> None:
    answer = answered("[" + ",".join(['{"jsonrpc": "2.0", "method": "get_data", "id": 1}'] * 6) + "]")
    assert (answer["id"], answer["error"]["code"]) == (None, -32600)


def test_one_door_for_all_services_takes_the_longest_name() -> None:
    call = '{{"jsonrpc": "2.0", "id": 1, "method": "{}", "params": [5, 3]}}'
    assert answered(call.format("Calc.subtract"), "/jsonrpc")["result"] == 2
    assert answered(call.format("subtract"), "/jsonrpc")["error"]["code"] == -32601
    assert answered(call.format("Other.subtract"), "/jsonrpc")["error"]["code"] == -32601
    assert answered(call.format("." * 5_000), "/jsonrpc")["error"]["code"] == -32601
    body = call.format("Calc:2.any.thing").encode()
    exchange = BINDING.decode_call(HttpRequest("POST", "/jsonrpc", body=body), 0.0)
    assert not isinstance(exchange, HttpResponse)
    (generic,) = exchange.calls
    assert (str(generic.service), generic.method, generic.arguments()) == ("Calc:2", "any.thing", (5, 3))


def test_service_without_a_contract_takes_arguments_by_position_alone() -> None:
    answer = answered('{"jsonrpc": "2.0", "id": 1, "method": "any", "params": {"a": 1}}', "/Calc:2")
    assert answer["error"]["code"] == -32602


@pytest.mark.parametrize(
    ("sent", "accept", "media_type"),
    [
        ("application/json", "", "application/json"),
        ("application/json-rpc", "application/json-rpc", "application/json-rpc"),
        ("application/json-rpc", "application/json", "application/json"),
        ("application/json", "application/json-rpc", "application/json-rpc"),
    ],
)
def test_answer_has_the_type_the_caller_speaks(sent: str, accept: str, media_type: str) -> None:
    fields = {"Content_Type": sent, **({"Accept": accept} if accept else {})}
    response = post('{"jsonrpc": "2.0", "method": "get_data", "id": 1}', **fields)
    assert (response.status, dict(response.headers)["Content-Type"]) == (200, media_type)


def test_wrong_media_types_are_refused_by_http() -> None:
    assert post("{}", Content_Type="text/plain").status == 415
    assert post("{}", Accept="text/html").status == 406


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a": ' * 100_000, " ", b"\xef\xbb\xbf{}", b"\xff", "NaN"])
def test_what_is_not_json_is_a_parse_error(body: str | bytes) -> None:
    response = post(body)
    assert response.status == 200
    assert json.loads(response.body)["error"]["code"] == -32700


def test_request_without_a_body_asks_for_nothing() -> None:
    response = post("")
    assert (response.status, json.loads(response.body)["type"]) == (400, "urn:polyport:error:bad-request")


@pytest.mark.parametrize("kind", RPC_ERRORS.values(), ids=lambda kind: kind.code)
@pytest.mark.parametrize("retry", Retry)
def test_error_is_the_same_one_at_the_other_end(kind: type[RpcError], retry: Retry) -> None:
    found = error_of_object(error_object(kind("why", retry=retry, exhausted=True)), ExceptionForms(None))
    assert type(found) is kind
    assert (str(found), found.retry, found.exhausted) == ("why", retry, True)


def test_exception_is_the_same_one_at_the_other_end() -> None:
    forms = ExceptionForms(SHOP)
    fault = Fault("shop.ProductNotFound", "no 7", {"product_id": 7, "hint": "eight"}, declared=True)
    error = fault_object(fault, forms)
    assert error["code"] == -32000
    # What jsonrpc4j's client looks at.
    assert (error["data"]["exceptionTypeName"], error["data"]["message"]) == ("shop.ProductNotFound", "no 7")
    found = error_of_object(error, forms)
    assert isinstance(found, Fault)
    assert (found.type_name, found.message, found.declared) == ("shop.ProductNotFound", "no 7", True)
    assert found.fields == fault.fields


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-32700, BadRequest), (-32600, BadRequest), (-32601, NoSuchMethod), (-32602, BadRequest),
        (-32603, ProviderFailed), (-32500, ProviderFailed), ("x", ProviderFailed),
    ],
)  # fmt: skip
def test_error_of_a_foreign_server_says_what_it_can(code: Any, kind: type[RpcError]) -> None:
    assert type(error_of_object({"code": code, "message": "why"}, ExceptionForms(None))) is kind


def test_error_of_a_foreign_application_is_an_exception() -> None:
    found = error_of_object({"code": 7, "message": "no funds"}, ExceptionForms(None))
    assert isinstance(found, Fault)
    assert (found.type_name, found.message) == ("jsonrpc.Error7", "no funds")
    data = {"exceptionTypeName": "a.B", "message": "m"}
    found = error_of_object({"code": -32001, "message": "x", "data": data}, ExceptionForms(None))
    assert isinstance(found, Fault)
    assert (found.type_name, found.message) == ("a.B", "m")


@pytest.mark.parametrize("outcome", [NoSuchService("gone"), Ok("not a number")])
def test_trouble_becomes_an_error_object(outcome: Any) -> None:
    body = b'{"jsonrpc": "2.0", "id": 1, "method": "subtract", "params": [1, 2]}'
    exchange = BINDING.decode_call(HttpRequest("POST", "/Calc", body=body), 0.0)
    assert not isinstance(exchange, HttpResponse)
    error = json.loads(exchange.encode_reply([outcome]).body)["error"]
    assert error["code"] == (-32601 if isinstance(outcome, NoSuchService) else -32603)
