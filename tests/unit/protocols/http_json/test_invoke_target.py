"""Generic calls of Dubbo consumers over http://, as Apache Dubbo 2.7.23 sends them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.model.call import Fault, Ok
from gateway.model.endpoint import ServiceKey
from gateway.model.exposure import Exposure
from protocols.http.message import Headers, HttpRequest, HttpResponse
from protocols.http_json.server import JsonBinding
from tests.support.http_calls import read
from tests.support.shop_contract import SHOP

BINDING = JsonBinding([Exposure(ServiceKey("shop.Catalog"), SHOP), Exposure(ServiceKey("any.Thing"), None)])
HEADERS = Headers([("Content-Type", "application/json-rpc")])


def invoke(*params: Any, path: str = "/shop.Catalog/generic", method: str = "$invoke") -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": "1", "method": method, "params": params}).encode()
    return BINDING.decode_call(HttpRequest("POST", path, "", HEADERS, body), 0.0)


@pytest.mark.parametrize(
    ("params", "method", "arguments"),
    [
        (("find", ["long"], [7]), "find", (7,)),
        (("find", ["java.lang.String"], ["x"]), "find", ("x",)),
        (("priceHistory", None, [7]), "price_history", (7,)),
        (("sum", ["[I"], [[1, 2]]), "sum", ([1, 2],)),
        (("count", [], None), "count", ()),
    ],
)
def test_method_is_found_by_its_java_name_and_types(params: Any, method: str, arguments: tuple[Any, ...]) -> None:
    exchange = invoke(*params)
    assert not isinstance(exchange, HttpResponse), exchange.body
    (invocation,) = exchange.calls
    assert (invocation.method, invocation.arguments()) == (method, arguments)
    assert invocation.signature in SHOP.methods


def test_answer_is_a_response_object() -> None:
    exchange = invoke("count", [], [])
    assert json.loads(exchange.encode_reply([Ok(3)]).body) == {"jsonrpc": "2.0", "id": "1", "result": 3}
    error = json.loads(exchange.encode_reply([Fault("java.lang.IllegalStateException", "no")]).body)["error"]
    assert error["data"]["exceptionTypeName"] == "java.lang.IllegalStateException"


@pytest.mark.parametrize(
    ("params", "method", "code"),
    [
        (("find", None, [7]), "$invoke", -32602),
        (("find", ["int"], [7]), "$invoke", -32601),
        (("nope", [], []), "$invoke", -32601),
        (("find", ["long"], []), "$invoke", -32602),
        (("find", ["long"], ["x"]), "$invoke", -32602),
        (("find", "long", [7]), "$invoke", -32602),
        ((7, [], []), "$invoke", -32602),
        (("find", [], {}), "$invoke", -32602),
        (("find",), "$invoke", -32602),
        ((), "find", -32601),
    ],
)
def test_what_names_no_method_is_refused(params: Any, method: str, code: int) -> None:
    response = read(invoke(*params, method=method))
    assert isinstance(response, HttpResponse)
    assert json.loads(response.body)["error"]["code"] == code


def test_service_without_a_contract_passes_it_on() -> None:
    exchange = invoke("find", ["long"], [7], path="/any.Thing/generic")
    (invocation,) = exchange.calls
    assert (invocation.method, invocation.arguments()) == ("$invoke", ("find", ["long"], [7]))
