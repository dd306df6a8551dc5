"""Scripts of a page, in a real browser, that call us from another origin."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.browser import INSTALL_TIMEOUT, Visit, visiting
from tests.support.http_gateway import DRIVERS, serving
from tests.support.java_peer import Peers

pytestmark = [
    pytest.mark.interop,
    INSTALL_TIMEOUT,
    pytest.mark.direction("page → us", wire="http", peer="chromium", quick=True),
    pytest.mark.parametrize("driver", DRIVERS),
]

CALL = """async ([url, method, headers, body]) => {
    try {
        const answer = await fetch(url, {method, headers, body});
        return [answer.status, await answer.json(), Object.fromEntries(answer.headers)];
    } catch (trouble) {
        return trouble.name;
    }
}"""
JSON = {"Content-Type": "application/json"}


async def call(visit: Visit, url: str, body: str | None = None, headers: dict[str, str] = JSON) -> Any:
    """What a script of the page gets: status, value and the headers it may see, or the name of an error."""
    verb = "GET" if body is None else "POST"
    return await visit.page.evaluate(CALL, [url, verb, headers if body else {}, body])


async def test_a_page_of_an_origin_that_may_call(driver: str, peers: Peers) -> None:
    origin = f"http://{peers.node_service()}"
    async with serving(driver, options=f"cors: ['{origin}']") as address, visiting() as visit:
        url = f"http://{address}"
        await visit.page.goto(f"{origin}/products")
        status, value, _ = await call(visit, f"{url}/demo.Catalog/find?product_id=1")
        assert (status, value["name"]) == (200, "Desk lamp")

        attached = {**JSON, "Polyport-Attachment-user": "ann", "Polyport-Timeout": "5"}
        status, value, headers = await call(visit, f"{url}/demo.Types/echo_attachments", '["user"]', attached)
        assert (status, value, headers["polyport-attachment-user"]) == (200, "ann", "ann")

        status, value, _ = await call(visit, f"{url}/demo.Catalog/find", '{"product_id": -5}')
        assert (status, value["type"]) == (422, "urn:polyport:exception:demo.ProductNotFound")
        status, value, _ = await call(visit, f"{url}/nothing/here", "{}")
        assert (status, value["type"]) == (404, "urn:polyport:error:no-such-service")
    # A console tells statuses that scripts can see, too.
    assert [each for each in visit.troubles if "the server responded with a status of 4" not in each] == []


async def test_a_page_of_another_origin(driver: str, peers: Peers) -> None:
    host, _, port = peers.node_service().rpartition(":")
    async with serving(driver, options=f"cors: ['http://{host}:{port}']") as address, visiting() as visit:
        # The same server under another name is another origin.
        await visit.page.goto(f"http://localhost:{port}/products")
        refused = await call(visit, f"http://{address}/demo.Catalog/remove", '{"product_id": 1}')
        assert refused == "TypeError"
        assert any("Access-Control-Allow-Origin" in each for each in visit.troubles)
        await visit.page.goto(f"http://{host}:{port}/products")
        status, value, _ = await call(visit, f"http://{address}/demo.Catalog/count")
        assert (status, value) == (200, 3)
