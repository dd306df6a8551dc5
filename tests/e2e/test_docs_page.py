"""The page at `/docs` in a real browser: it loads without a complaint, and calls are made from it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Locator

from tests.support.browser import INSTALL_TIMEOUT, Visit, visiting
from tests.support.running import running

pytestmark = INSTALL_TIMEOUT

DRIVERS: Final = ("httptools", "aiohttp", "mounted")


@asynccontextmanager
async def shop(driver: str) -> AsyncIterator[str]:
    """The URL below which the demo catalog is served."""
    options = "none" if driver == "mounted" else driver
    text = f"""
application: {{name: shop}}
listeners:
  web: {{protocol: http, port: 0, options: {{driver: {options}}}}}
services:
  catalog:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    listeners: [web]
"""
    async with running(text) as app:
        if driver != "mounted":
            yield f"http://{app.listening[0].address}"
            return
        own = web.Application()
        own.add_subapp("/shop/api/", app.web_application("web"))
        async with TestServer(own) as server:
            yield f"http://127.0.0.1:{server.port}/shop/api"


async def opened(visit: Visit, url: str, path: str) -> Locator:
    """The page's section about `POST` to this path, unfolded."""
    await visit.page.goto(f"{url}/docs")
    summary = visit.page.locator(f'.opblock-post .opblock-summary-path[data-path="{path}"]')
    await summary.click()
    return visit.page.locator(".opblock.is-open")


async def executed(section: Locator, body: str) -> tuple[str, str]:
    """Makes a call from the page; gives the status and the body that it shows."""
    await section.locator("textarea").first.fill(body)
    await section.get_by_role("button", name="Execute").click()
    live = section.locator(".live-responses-table tbody tr")
    status = await live.locator(".response-col_status").first.inner_text()
    return status.split()[0], await live.locator(".highlight-code pre").first.inner_text()


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_call_is_made_from_the_page(driver: str) -> None:
    async with shop(driver) as url, visiting() as visit:
        section = await opened(visit, url, "/demo.Catalog/find")
        status, body = await executed(section, '{"product_id": 1}')

        assert (status, json.loads(body)["name"]) == ("200", "Desk lamp")
        assert visit.troubles == []
        assert {f"http://{host}" for host in visit.hosts} == {url.removesuffix("/shop/api")}


async def test_the_page_shows_why_a_call_failed() -> None:
    async with shop("httptools") as url, visiting() as visit:
        section = await opened(visit, url, "/demo.Catalog/find")
        status, body = await executed(section, '{"product_id": 99}')

        assert (status, json.loads(body)["type"]) == ("422", "urn:polyport:exception:demo.ProductNotFound")
        # The browser itself notes every answer from 400 on.
        assert [each for each in visit.troubles if "422" not in each] == []


async def test_every_method_is_shown_with_what_it_does() -> None:
    async with shop("httptools") as url, visiting() as visit:
        section = await opened(visit, url, "/demo.Catalog/reserve")

        assert "Takes pieces out of a warehouse" in await section.inner_text()
        assert await visit.page.locator(".opblock").count() >= 10
        await section.get_by_text("Schema", exact=True).first.click()
        assert "warehouse" in await section.locator(".opblock-section-request-body").inner_text()
        assert visit.troubles == []
