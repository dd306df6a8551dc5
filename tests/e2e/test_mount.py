"""Services of a gateway inside somebody's own aiohttp application."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from adapters.http_json import PLUGIN
from gateway.config.load import load_text
from gateway.plugins.catalog import Catalog
from gateway.runtime.app import App
from tests.support.running import running

PORT = PLUGIN.default_port
TEXT = """
application: {name: shop}
listeners:
  web: {protocol: http, options: {driver: none}}
  both: {protocol: http, port: 0}
  dubbo: {protocol: dubbo, port: 0}
services:
  catalog:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    listeners: [web, both, dubbo]
"""


async def health(_: web.Request) -> web.Response:
    return web.Response(text="fine")


@pytest.mark.parametrize("listener", ["web", "both"])
async def test_calls_reach_services_beside_the_handlers_of_the_application(listener: str) -> None:
    async with running(TEXT) as app, ClientSession() as session:
        own = web.Application()
        own.router.add_get("/health", health)
        own.add_subapp("/api/", app.web_application(listener))
        async with TestServer(own) as server:
            async with session.post(server.make_url("/api/demo.Catalog/count"), json={}) as response:
                assert (response.status, await response.json()) == (200, 3)
            async with session.post(server.make_url("/api/demo.Catalog/nothing"), json={}) as response:
                assert (response.status, response.content_type) == (404, "application/problem+json")
            async with session.get(server.make_url("/api/openapi.json")) as response:
                assert (await response.json())["servers"] == [{"url": "."}]
            async with session.get(server.make_url("/health")) as response:
                assert await response.text() == "fine"


async def test_a_listener_without_a_driver_listens_nowhere() -> None:
    async with running(TEXT) as app:
        (shown,) = [each for each in app.listening if each.listener == "web"]
        assert shown.address == ""
        assert [str(each) for each in shown.services] == ["demo.Catalog"]
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", PORT)


def test_a_listener_without_a_driver_leaves_its_port_to_others() -> None:
    both_on_one = TEXT.replace("driver: none}", f"driver: none}}, port: {PORT}").replace(
        "http, port: 0", f"http, port: {PORT}"
    )

    load_text(both_on_one, "test.yaml", Catalog())


async def test_only_what_can_be_mounted_is_given() -> None:
    async with running(TEXT) as app:
        with pytest.raises(LookupError, match="no listener 'nothing' in the configuration; there is both, dubbo, web"):
            app.web_application("nothing")
        with pytest.raises(LookupError, match="'dubbo' speaks dubbo, which cannot be mounted"):
            app.web_application("dubbo")


async def test_nothing_is_mounted_of_a_gateway_that_is_not_started() -> None:
    catalog = Catalog()
    app = App(load_text(TEXT, "test.yaml", catalog), catalog)

    with pytest.raises(RuntimeError, match="not started"):
        app.web_application("web")
