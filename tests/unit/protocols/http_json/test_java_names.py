"""http:// under the names of Java beans, for peers that know no others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gateway.model.call import Fault, Invocation, Ok
from gateway.model.contract import Field, MethodContract, Param, ServiceContract, StructType
from gateway.model.endpoint import ServiceKey
from gateway.model.exposure import Exposure
from gateway.model.fault import ServiceError
from gateway.model.typeref import Kind, TypeRef
from protocols.http.binding import HttpExchange
from protocols.http.message import HttpRequest, HttpResponse
from protocols.http_json.java_exposure import java_exposure
from protocols.http_json.route import parse_route
from protocols.http_json.server import JsonBinding

I64, ITEM = TypeRef(Kind.I64), TypeRef(Kind.STRUCT, name="s.Item")
GONE = TypeRef(Kind.EXCEPTION, name="s.Gone")


@dataclass
class Item:
    item_id: int


class Gone(ServiceError):
    item_id: int


CONTRACT = ServiceContract(
    "s.Store",
    (
        MethodContract("put_item", (Param("new_item", ITEM), Param("at_shelf", I64)), ITEM, "put_item", throws=(GONE,)),
        MethodContract(
            "find_item", (Param("item_id", I64), Param("at_shelf", I64)), ITEM, "find_item", idempotent=True
        ),
    ),
    {
        "s.Item": StructType("s.Item", Item, (Field("item_id", I64, "item_id"),)),
        "s.Gone": StructType("s.Gone", Gone, (Field("item_id", I64, "item_id"),), is_exception=True),
    },
)
OPTIONS = {"routes": {"find_item": parse_route("GET /items/{item_id}")}}
EXPOSURE = Exposure(ServiceKey("s.Store"), CONTRACT, options=OPTIONS)
BINDING = JsonBinding([EXPOSURE], java_names=True)


def exchange(verb: str, target: str, body: str = "") -> HttpExchange:
    path, _, query = target.partition("?")
    answer = BINDING.decode_call(HttpRequest(verb, path, query, body=body.encode()), 0.0)
    assert not isinstance(answer, HttpResponse), answer.body
    return answer


def called(verb: str, target: str, body: str = "") -> Invocation:
    return exchange(verb, target, body).calls[0]


PUT = '{"newItem": {"itemId": 7}, "atShelf": 1}'


def test_call_has_java_names_outside_and_those_of_the_contract_inside() -> None:
    for name in ("putItem", "put_item"):
        invocation = called("POST", f"/s.Store/{name}", PUT)
        assert (invocation.method, invocation.arguments()) == ("put_item", (Item(7), 1))
        assert invocation.signature is CONTRACT.methods[0]


def test_answer_and_exception_have_java_names() -> None:
    call = exchange("POST", "/s.Store/putItem", PUT)
    assert json.loads(call.encode_reply([Ok(Item(7))]).body) == {"itemId": 7}
    problem = json.loads(call.encode_reply([Fault("s.Gone", "gone", {"item_id": 9}, declared=True)]).body)
    assert problem["exception"] == {"class": "s.Gone", "message": "gone", "itemId": 9}


def test_query_has_java_names() -> None:
    assert called("GET", "/s.Store/findItem?itemId=7&atShelf=1").arguments() == (7, 1)


def test_route_keeps_the_names_of_the_contract_and_adds_those_of_java() -> None:
    assert called("GET", "/items/7?atShelf=1").arguments() == (7, 1)


def test_document_describes_java_names() -> None:
    shown: Any = java_exposure(EXPOSURE)
    assert shown.contract.methods[1].params[0].name == "itemId"
    assert shown.contract.types["s.Item"].fields[0].name == "itemId"
    assert str(shown.options["routes"]["find_item"]) == "GET /items/{itemId}"
