"""http:// called as configured, against aiohttp applications that speak as other people's services do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from adapters.http.client import HttpClient
from adapters.http.json_client import REFERENCE_OPTIONS, check_reference, make_client
from adapters.http.provider_options import ProviderOptions
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.contract import MethodContract, Param, ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import ContractError, Overloaded, ProviderFailed, Unauthenticated
from gateway.model.typeref import Kind, TypeRef
from gateway.spi.adapter import Reference
from gateway.spi.cluster import Invoker
from gateway.spi.plugin import OptionKind
from protocols.http_json.route import parse_route
from tests.support.shop_contract import MAKER, NOT_FOUND, TYPES, Maker

TEXT, I64 = TypeRef(Kind.STRING), TypeRef(Kind.I64)
KEY = ServiceKey("shop.Makers")
MAKERS = ServiceContract(
    "shop.Makers",
    (
        MethodContract("get", (Param("name", TEXT),), MAKER, "get", throws=(NOT_FOUND,), idempotent=True),
        MethodContract("put", (Param("maker", MAKER),), I64, "put"),
    ),
    TYPES,
)
LINES = {"get": "GET /makers/{name} -> ProductNotFound=404", "put": "POST /makers body={maker} -> 201"}
ROUTES = {name: parse_route(line) for name, line in LINES.items()}


@asynccontextmanager
async def calling(port: int, token: str = "", **parameters: Any) -> AsyncIterator[Invoker]:
    client = make_client()
    reference = Reference(KEY, MAKERS, timeout_s=5.0, token=token, parameters=parameters)
    try:
        yield client.open(Endpoint("http", "127.0.0.1", port, KEY), reference)
    finally:
        await client.aclose()


async def call(invoker: Invoker, name: str, *arguments: Any) -> Result:
    signature = next(each for each in MAKERS.methods if each.name == name)
    return await invoker(Invocation(KEY, name, arguments, signature=signature))


def rest_api() -> web.Application:
    makers: dict[str, Mapping[str, Any]] = {"Gröna & Söner": {"name": "Gröna & Söner", "country": "SE", "staff": 12}}

    async def get(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer s3cret":
            raise web.HTTPUnauthorized(text="token, please")
        found = makers.get(request.match_info["name"])
        if found is None:
            return web.json_response({"message": "no such maker", "product_id": 7}, status=404)
        return web.json_response(found)

    async def put(request: web.Request) -> web.Response:
        maker = await request.json()
        if maker["name"] == "busy":
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "7"})
        if maker["name"] == "moved":
            raise web.HTTPPermanentRedirect("/elsewhere")
        makers[maker["name"]] = maker
        return web.json_response(len(makers), status=201)

    app = web.Application()
    app.router.add_get("/api/makers/{name}", get)
    app.router.add_post("/api/makers", put)
    return app


async def test_a_foreign_rest_service_is_called_by_routes(aiohttp_server: Any) -> None:
    server = await aiohttp_server(rest_api())
    async with calling(server.port, style="rest", path="/api", routes=ROUTES, bearer="s3cret") as invoker:
        found = await call(invoker, "get", "Gröna & Söner")
        assert isinstance(found, Ok)
        assert found.value == Maker("Gröna & Söner", "SE")
        stored = await call(invoker, "put", Maker("a/b?"))
        assert isinstance(stored, Ok)
        assert stored.value == 2
        again = await call(invoker, "get", "a/b?")
        assert isinstance(again, Ok)
        assert again.value == Maker("a/b?")
        missing = await call(invoker, "get", "nobody")
        assert isinstance(missing, Fault)
        assert (missing.type_name, missing.message, missing.declared) == ("shop.ProductNotFound", "no such maker", True)
        with pytest.raises(Overloaded):
            await call(invoker, "put", Maker("busy"))
        with pytest.raises(ProviderFailed, match="/elsewhere"):
            await call(invoker, "put", Maker("moved"))


async def test_the_token_of_the_reference_is_shown(aiohttp_server: Any) -> None:
    server = await aiohttp_server(rest_api())
    for token, fits in (("s3cret", True), ("", False)):
        async with calling(server.port, token, style="rest", path="/api", routes=ROUTES) as invoker:
            if fits:
                assert isinstance(await call(invoker, "get", "nobody"), Fault)
            else:
                with pytest.raises(Unauthenticated, match="token, please"):
                    await call(invoker, "get", "nobody")


async def test_a_json_rpc_server_is_called(aiohttp_server: Any) -> None:
    seen: list[Any] = []

    async def serve(request: web.Request) -> web.Response:
        asked = await request.json()
        seen.append(asked)
        reply: dict[str, Any] = {"jsonrpc": "2.0", "id": asked["id"]}
        if asked["method"] == "put":
            reply["result"] = 3
        else:
            reply["error"] = {"code": 17, "message": "no such maker"}
        return web.json_response(reply)

    app = web.Application()
    app.router.add_post("/rpc", serve)
    server = await aiohttp_server(app)
    async with calling(server.port, style="jsonrpc", path="/rpc", params="positional") as invoker:
        stored = await call(invoker, "put", Maker("a"))
        assert isinstance(stored, Ok)
        assert stored.value == 3
        assert isinstance(await call(invoker, "get", "a"), Fault)

    assert [each["params"] for each in seen] == [[{"name": "a", "country": None, "parent": None}], ["a"]]


async def test_references_with_the_same_options_share_what_a_contract_compiles_to() -> None:
    client = make_client()
    assert isinstance(client, HttpClient)
    try:
        endpoints = [Endpoint("http", "127.0.0.1", port, KEY) for port in (1, 2)]
        first, second, other = (
            client.open(endpoint, Reference(KEY, MAKERS, parameters=parameters))
            for endpoint, parameters in (
                (endpoints[0], {"style": "rest", "routes": dict(ROUTES)}),
                (endpoints[1], {"style": "rest", "routes": dict(ROUTES)}),
                (endpoints[1], {"style": "jsonrpc"}),
            )
        )
        assert first._binding is second._binding  # type: ignore[attr-defined]
        assert other._binding is not first._binding  # type: ignore[attr-defined]
    finally:
        await client.aclose()


@pytest.mark.parametrize(
    ("parameters", "endpoint_parameters", "tls"),
    [({}, {}, False), ({}, {"tls": "true"}, True), ({"tls": True}, {}, True), ({"tls": False}, {"tls": "true"}, False)],
)
def test_the_address_says_whether_tls_is_spoken_unless_the_options_do(
    parameters: Mapping[str, Any], endpoint_parameters: Mapping[str, str], tls: bool
) -> None:
    client = make_client()
    assert isinstance(client, HttpClient)
    endpoint = Endpoint("http", "a", 1, KEY, parameters=endpoint_parameters)
    options = client._options_for(endpoint, Reference(KEY, None, parameters=parameters))
    assert options.tls is tls


def test_options_have_the_defaults_they_say() -> None:
    defaults = ProviderOptions()
    for name, field in (
        ("connect_timeout", "connect_timeout_s"),
        ("keep_alive", "keep_alive_s"),
        ("payload", "max_response_bytes"),
    ):
        assert REFERENCE_OPTIONS[name].default == getattr(defaults, field)
    secrets = {name for name, option in REFERENCE_OPTIONS.items() if option.kind is OptionKind.CREDENTIAL}
    assert secrets == {"api_key", "bearer", "basic"}


async def test_a_rest_service_without_routes_is_refused_at_once() -> None:
    with pytest.raises(ContractError, match="without a route: get, put"):
        async with calling(1, style="rest"):
            pass


def test_what_does_not_fit_a_contract_is_told_with_its_place() -> None:
    wrong = {"get": parse_route("GET /makers/{id}"), "nothing": parse_route("GET /")}

    assert not check_reference(MAKERS, {"style": "rest", "routes": ROUTES})
    assert not check_reference(MAKERS, {})
    found = check_reference(MAKERS, {"style": "rest", "routes": wrong, "headers": {"Host": "a", "X": "b"}})
    assert [each.path for each in found] == [("routes", "nothing"), ("routes", "get"), ("routes",), ("headers", "Host")]
    assert [each.path for each in check_reference(MAKERS, {"style": "rest"})] == [()]
    assert [each.path for each in check_reference(MAKERS, {"routes": ROUTES})] == [("routes",)]
