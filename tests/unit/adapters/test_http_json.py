"""http:// put together: what its options do, asked over real connections on both drivers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.http_json import PLUGIN
from gateway.model.call import Invocation, Ok, Result
from gateway.model.endpoint import ServiceKey
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions
from protocols.http_json.route import parse_route
from tests.support.shop_contract import SHOP

EXPOSURES = [
    Exposure(ServiceKey("shop.Catalog"), SHOP, options={"routes": {"count": parse_route("GET /products/count")}})
]
DRIVERS = pytest.mark.parametrize("driver", ["httptools", "aiohttp"])


async def three(invocation: Invocation) -> Result:
    invocation.arguments()
    return Ok(3)


def options(**own: Any) -> ListenerOptions:
    return ListenerOptions("testing", "http", "127.0.0.1", 0, options=own)


@asynccontextmanager
async def serving(**own: Any) -> AsyncIterator[aiohttp.ClientSession]:
    server = PLUGIN.server(options(**own))
    try:
        (endpoint,) = await server.start(three, EXPOSURES)
        async with aiohttp.ClientSession(f"http://{endpoint.address}") as session:
            yield session
    finally:
        await server.aclose()


async def status(
    session: aiohttp.ClientSession, verb: str, path: str, headers: Mapping[str, str] | None = None, **more: Any
) -> int:
    async with session.request(verb, path, headers=headers, **more) as response:
        await response.read()
        return response.status


@DRIVERS
async def test_calls_by_name_by_route_and_as_json_rpc(driver: str) -> None:
    async with serving(driver=driver) as session:
        async with session.post("/shop.Catalog/count", json={}) as response:
            assert (response.status, await response.json()) == (200, 3)
        async with session.get("/products/count") as response:
            assert (response.status, await response.json()) == (200, 3)
        async with session.head("/products/count") as response:
            assert (response.status, await response.read()) == (200, b"")
        call = {"jsonrpc": "2.0", "id": 1, "method": "shop.Catalog.count"}
        async with session.post("/jsonrpc", json=call) as response:
            assert await response.json() == {"jsonrpc": "2.0", "id": 1, "result": 3}


@DRIVERS
async def test_callers_without_a_secret_may_read_what_there_is_and_call_nothing(driver: str) -> None:
    async with serving(driver=driver, credentials={"billing": "s3cret"}) as session:
        assert await status(session, "POST", "/shop.Catalog/count") == 401
        assert await status(session, "POST", "/shop.Catalog/count", {"X-API-Key": "s3cret"}) == 200
        assert await status(session, "POST", "/shop.Catalog/count", {"Authorization": "Bearer other"}) == 401
        assert await status(session, "GET", "/docs/") == 200


@DRIVERS
async def test_pages_of_allowed_origins_may_call(driver: str) -> None:
    async with serving(driver=driver, cors=("https://shop.example",)) as session:
        preflight = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
        async with session.options("/shop.Catalog/count", headers=preflight) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        async with session.post("/shop.Catalog/count", headers={"Origin": "https://other.example"}) as response:
            assert "Access-Control-Allow-Origin" not in response.headers


@DRIVERS
async def test_documents_can_be_turned_off(driver: str) -> None:
    async with serving(driver=driver, docs=False) as session:
        for path in ("/docs", "/docs/", "/openapi.json"):
            assert await status(session, "GET", path) == 404


@DRIVERS
async def test_unknown_fields_are_refused_or_ignored(driver: str) -> None:
    body = b'{"p0": 1, "more": 2}'
    async with serving(driver=driver) as session:
        assert await status(session, "POST", "/shop.Catalog/price_history", data=body, headers=_JSON) == 400
    async with serving(driver=driver, unknown_fields="ignore", docs=False) as session:
        assert await status(session, "POST", "/shop.Catalog/count", data=b'{"more": 2}', headers=_JSON) == 200


@DRIVERS
async def test_java_names_are_an_option(driver: str) -> None:
    async with serving(driver=driver, names="java") as session:
        assert await status(session, "POST", "/shop.Catalog/priceHistory", data=b"[1, 2]", headers=_JSON) == 400
    async with serving(driver=driver) as session:
        assert await status(session, "POST", "/shop.Catalog/priceHistory", data=b"[1, 2]", headers=_JSON) == 404


@DRIVERS
async def test_limits_hold(driver: str) -> None:
    async with serving(driver=driver, max_header=1_024, max_headers=16, max_target=1_024, max_batch=2) as session:
        assert await status(session, "POST", "/shop.Catalog/count", {"X-Long": "x" * 2_000}) == 431
        assert await status(session, "POST", "/shop.Catalog/count", {f"X-{at}": "x" for at in range(20)}) == 431
        assert await status(session, "GET", "/" + "x" * 2_000) == 414
        async with session.post("/shop.Catalog", json=[{}] * 3) as response:
            assert (await response.json())["error"]["code"] == -32600


async def test_services_can_be_mounted_in_an_application_of_somebody_else() -> None:
    assert PLUGIN.mount is not None
    own = web.Application()
    own.add_subapp("/api/", PLUGIN.mount(options(driver="none"), three, EXPOSURES))
    runner = web.AppRunner(own)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://{host}:{port}/api/shop.Catalog/count") as response,
        ):
            assert (response.status, await response.json()) == (200, 3)
    finally:
        await runner.cleanup()


async def test_listener_without_a_driver_listens_nowhere() -> None:
    server = PLUGIN.server(options(driver="none"))
    await server.start(three, EXPOSURES)
    await server.aclose()


def test_only_mounted_listeners_take_no_port() -> None:
    assert PLUGIN.listens({})
    assert PLUGIN.listens({"driver": "aiohttp"})
    assert not PLUGIN.listens({"driver": "none"})


def test_routes_are_checked_where_they_are_written() -> None:
    contract = EXPOSURES[0].contract
    assert contract is not None
    routes = {"nothing": parse_route("GET /nothing")}

    assert [each.path for each in PLUGIN.check_service(contract, {"routes": routes})] == [("routes", "nothing")]
    assert ("routes", "nothing") in [
        each.path for each in PLUGIN.check_reference(contract, {"style": "rest", "routes": routes})
    ]


def test_snippet_calls_the_demo() -> None:
    assert PLUGIN.client_snippet("h:1", "demo.Catalog") == "curl -s 'http://h:1/demo.Catalog/find?product_id=1'"


def test_every_option_is_described() -> None:
    described = {**PLUGIN.listener_options, **PLUGIN.reference_options, **PLUGIN.service_options}
    assert all(option.doc.endswith(".") for option in described.values())


_JSON = {"Content-Type": "application/json"}
