"""The document is valid, and true: what it says is done by the binding it describes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.contracts import contract_of
from gateway.demo.catalog import Catalog
from gateway.jsonform import compile_reader
from gateway.model.call import Fault, Ok
from gateway.model.contract import MethodContract, Param, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import DeadlineExceeded, NoProvider, RpcError
from gateway.model.exposure import Exposure
from gateway.model.typeref import Kind, TypeRef
from protocols.corpus.contract import ANY, FAILURE, MAKER, STATUS, list_of, map_of, of, set_of
from protocols.http.binding import HttpExchange
from protocols.http.message import Headers, HttpRequest, HttpResponse
from protocols.http_json.openapi import export_openapi, openapi_document
from protocols.http_json.server import JsonBinding
from protocols.testing import CONTRACT
from tests.support.http_calls import read

I64, TEXT = of(Kind.I64), of(Kind.STRING)


def a_method(name: str, route: str, params: tuple[Param, ...], returns: TypeRef = TEXT, **more: Any) -> MethodContract:
    routes = {"http": route} if route else {}
    return MethodContract(name, params, returns, more.pop("attribute", name), routes=routes, **more)


SHOP = ServiceContract(
    "demo.Shop",
    (
        a_method("find", "GET /shops/{shop}/items/{id}", (Param("shop", TEXT), Param("id", I64, doc="Its number."))),
        a_method(
            "search",
            "GET /items?q={text}&max={limit} header:X-Tenant={tenant}",
            (
                Param("text", TEXT),
                Param("limit", of(Kind.I32), default=10),
                Param("tenant", TEXT.optional()),
                Param("tags", set_of(STATUS)),
                Param("makers", list_of(MAKER)),
                Param("filter", map_of(TEXT, of(Kind.F64))),
            ),
            list_of(TEXT),
        ),
        a_method(
            "put",
            "PUT /items/{number}/maker body={maker} -> 201 TypesFailure=404",
            (Param("number", I64), Param("maker", MAKER)),
            MAKER,
            throws=(FAILURE,),
        ),
        a_method("drop", "DELETE /items/{id}", (Param("id", of(Kind.UUID)),), of(Kind.NULL), deprecated="Use put."),
        a_method("sell", "POST /items/{id}/sales body=*", (Param("id", I64), Param("count", I64), Param("to", MAKER))),
        a_method("note", "", (Param("what", ANY),), of(Kind.NULL), oneway=True),
        a_method("same", "", (Param("a", I64),), attribute="same_number", idempotent=True),
        a_method("same", "", (Param("a", TEXT),), attribute="same_text", doc="By text.\n\nSlowly."),
        a_method("fail", "", (), throws=(FAILURE,)),
        a_method("pairs", "", (Param("makers", list_of(MAKER)),), idempotent=True),
    ),
    CONTRACT.types,
    doc="A shop.",
)
EXPOSURES = [
    Exposure(ServiceKey("demo.Shop"), SHOP),
    Exposure(ServiceKey("demo.Types", "eu", "1.0"), CONTRACT),
    Exposure(ServiceKey("demo.Catalog"), contract_of(Catalog)),
    Exposure(ServiceKey("any.Thing"), None),
]
DOCUMENT = json.loads(json.dumps(openapi_document(EXPOSURES, title="Shop", version="1.2.3"), allow_nan=False))
BINDING = JsonBinding(EXPOSURES)
OPERATIONS = {
    operation["operationId"]: (path, verb.upper(), operation)
    for path, item in DOCUMENT["paths"].items()
    for verb, operation in item.items()
}
CALLS = [name for name in OPERATIONS if name != "Thing_call"]


def check(schema: dict[str, Any], value: Any) -> None:
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


def examples(parameter: dict[str, Any]) -> Iterator[str]:
    """The texts of a parameter's example in OpenAPI's default styles."""
    content = parameter.get("content")
    if content is not None:
        yield json.dumps(content["application/json"]["example"])
        return
    example = parameter["example"]
    for each in example if isinstance(example, list) else [example]:
        yield each if isinstance(each, str) else json.dumps(each)


def decode(path: str, verb: str, operation: dict[str, Any]) -> HttpExchange | HttpResponse:
    query: list[str] = []
    headers: list[tuple[str, str]] = []
    for each in operation.get("parameters", ()):
        for text in examples(each):
            if each["in"] == "path":
                path = path.replace(f"{{{each['name']}}}", quote(text, safe=""))
            elif each["in"] == "query":
                query.append(f"{quote(each['name'])}={quote(text, safe='')}")
            else:
                headers.append((each["name"], text))
    body = b""
    if "requestBody" in operation:
        body = json.dumps(operation["requestBody"]["content"]["application/json"]["example"]).encode()
        headers.append(("Content-Type", "application/json"))
    return BINDING.decode_call(HttpRequest(verb, path, "&".join(query), Headers(headers), body), 0.0)


def documented(operation: dict[str, Any], response: HttpResponse) -> None:
    """The response is one of the operation's, down to its schema."""
    known = operation["responses"][str(response.status)]
    if "$ref" in known:
        known = DOCUMENT["components"]["responses"][known["$ref"].rpartition("/")[2]]
    kind = dict(response.headers).get("Content-Type")
    if kind is None:
        assert "content" not in known
        assert response.body == b""
    else:
        check(known["content"][kind]["schema"], json.loads(response.body))


def test_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    secured = openapi_document(EXPOSURES, title="Shop", version="1", credentials=True, ignore_unknown=True)
    OpenAPIV31SpecValidator(json.loads(json.dumps(secured))).validate()
    assert set(secured["components"]["securitySchemes"]) == {"apiKey", "bearer", "basic"}
    assert "401" in secured["paths"]["/demo.Shop/fail"]["post"]["responses"]
    assert "401" not in DOCUMENT["paths"]["/demo.Shop/fail"]["post"]["responses"]


@pytest.mark.parametrize("name", CALLS)
def test_examples_are_calls_and_answers_are_as_described(name: str) -> None:
    path, verb, operation = OPERATIONS[name]
    for each in operation.get("parameters", ()):
        place = each.get("content", {}).get("application/json", each)
        check(place["schema"], place["example"])
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        check(content["schema"], content["example"])
    exchange = decode(path, verb, operation)
    assert not isinstance(exchange, HttpResponse), exchange.body
    (call,) = exchange.calls
    signature = call.signature
    assert signature is not None
    contract = next(each.contract for each in EXPOSURES if each.service == call.service)
    assert contract is not None
    assert operation["tags"] == [str(call.service)]
    if signature.oneway:
        documented(operation, exchange.encode_reply([None]))
        return
    success = min(operation["responses"])
    content = operation["responses"][success].get("content")
    value = None
    if content is not None:
        example = content["application/json"]["example"]
        check(content["application/json"]["schema"], example)
        value = compile_reader(signature.returns, contract)(example)
    response = exchange.encode_reply([Ok(value)])
    assert str(response.status) == success
    documented(operation, response)
    errors: list[RpcError] = [DeadlineExceeded("late"), NoProvider("none")]
    for error in errors:
        documented(operation, exchange.encode_reply([error]))
    documented(operation, exchange.encode_reply([Fault("ValueError", "broken")]))
    for ref in signature.throws:
        fields = {each.name: each.absent() for each in contract.struct(ref).fields if each.optional}
        fields |= {each.name: 7 for each in contract.struct(ref).fields if not each.optional}
        documented(operation, exchange.encode_reply([Fault(ref.name, "text", fields, declared=True)]))


def test_what_the_binding_refuses_is_described() -> None:
    path, verb, operation = OPERATIONS["Shop_sell"]
    path = path.replace("{id}", "7")
    for headers, body in (
        ([], b"{"),
        ([], b'{"count": 1}'),
        ([("Content-Type", "text/xml")], b"<a/>"),
        ([("Accept", "text/xml")], b'{"count": 1, "to": {"name": "m"}}'),
    ):
        response = read(BINDING.decode_call(HttpRequest(verb, path, "", Headers(headers), body), 0.0))
        assert isinstance(response, HttpResponse)
        documented(operation, response)


def test_every_method_is_there_once() -> None:
    assert {f"{verb} {path}" for path, verb, _ in OPERATIONS.values() if "Shop" in path or "item" in path} == {
        "GET /shops/{shop}/items/{id}",
        "GET /items",
        "PUT /items/{number}/maker",
        "DELETE /items/{id}",
        "POST /items/{id}/sales",
        "POST /demo.Shop/note",
        "POST /demo.Shop/same_number",
        "GET /demo.Shop/same_number",
        "POST /demo.Shop/same_text",
        "POST /demo.Shop/fail",
        "POST /demo.Shop/pairs",
    }
    assert "POST /eu/demo.Types:1.0/echo_i64" in {f"{verb} {path}" for path, verb, _ in OPERATIONS.values()}


def test_documentation_and_deprecation() -> None:
    assert DOCUMENT["info"]["version"] == "1.2.3"
    assert DOCUMENT["tags"][0] == {"name": "demo.Shop", "description": "A shop."}
    _, _, operation = OPERATIONS["Shop_same_text"]
    assert (operation["summary"], operation["description"]) == ("By text.", "Slowly.")
    _, _, operation = OPERATIONS["Shop_drop"]
    assert operation["deprecated"] is True
    assert operation["description"] == "Deprecated: Use put."
    _, _, operation = OPERATIONS["Shop_find"]
    assert operation["parameters"][1] == {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "Its number.",
        "schema": {"type": "integer", "format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1},
        "example": 1,
    }


def test_a_query_says_what_may_be_left_out() -> None:
    _, _, operation = OPERATIONS["Shop_search"]
    parameters = {each["name"]: each for each in operation["parameters"]}
    assert [name for name, each in parameters.items() if each.get("required")] == ["q", "filter"]
    assert parameters["max"]["schema"]["default"] == 10
    assert parameters["X-Tenant"]["in"] == "header"


def test_paths_of_one_shape_share_the_names_of_their_parameters() -> None:
    other = ServiceContract(
        "demo.Other", (a_method("get", "GET /items/{key}/maker", (Param("key", I64),)),), CONTRACT.types
    )
    exposures = [*EXPOSURES, Exposure(ServiceKey("demo.Other"), other)]
    document = openapi_document(exposures, title="t", version="1")
    assert set(document["paths"]["/items/{number}/maker"]) == {"put", "get"}
    assert document["paths"]["/items/{number}/maker"]["get"]["parameters"][0]["name"] == "number"
    OpenAPIV31SpecValidator(json.loads(json.dumps(document))).validate()


def test_services_of_one_interface_have_operations_of_their_own() -> None:
    twice = [*EXPOSURES, replace(EXPOSURES[0], service=ServiceKey("demo.Shop", "b"), contract=CONTRACT)]
    document = openapi_document([*twice, Exposure(ServiceKey("demo.Types"), CONTRACT)], title="t", version="1")
    OpenAPIV31SpecValidator(json.loads(json.dumps(document))).validate()


def test_the_export_is_a_file() -> None:
    (name,) = files = export_openapi(EXPOSURES)
    assert name == "openapi.json"
    document = json.loads(files[name])
    assert document["info"]["title"] == "demo.Shop, demo.Types, demo.Catalog, any.Thing"
    OpenAPIV31SpecValidator(document).validate()
    assert json.loads(export_openapi([])["openapi.json"])["info"]["title"] == "Services"
