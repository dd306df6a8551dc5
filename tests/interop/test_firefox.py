"""Scripts of a page in Firefox: what an allowed origin gets, and that others cannot even make a call happen."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.browser import INSTALL_TIMEOUT
from tests.support.firefox import require_firefox, shown_in_firefox
from tests.support.http_gateway import DRIVERS, serving

pytestmark = [
    pytest.mark.interop,
    INSTALL_TIMEOUT,
    pytest.mark.direction("page → us", wire="http", peer="firefox", quick=True),
    pytest.mark.parametrize("driver", DRIVERS),
]

ALLOWED = """
const call = async (path, body, headers = {{}}) => {{
    const answer = await fetch("http://{address}" + path,
        body && {{method: "POST", headers: {{"Content-Type": "application/json", ...headers}}, body}});
    return [answer.status, await answer.json(), answer.headers.get("polyport-attachment-user")];
}};
await tell([
    await call("/demo.Catalog/find?product_id=1"),
    await call("/demo.Types/echo_attachments", '["user"]', {{"Polyport-Attachment-user": "ann"}}),
    await call("/demo.Catalog/find", '{{"product_id": -5}}'),
]);
"""
FOREIGN = """
const seen = [];
const image = (path) => new Promise((done) => {{
    const each = new Image();
    each.onload = each.onerror = done;
    each.src = "http://{address}" + path;
}});
await image("/demo.Catalog/remove?product_id=1");
await fetch("http://{address}/demo.Catalog/remove?product_id=2", {{mode: "no-cors"}});
navigator.sendBeacon("http://{address}/demo.Catalog/remove", new Blob(['{{"product_id": 3}}']));
try {{
    await fetch("http://{address}/demo.Catalog/count");
}} catch (trouble) {{
    seen.push(trouble.name);
}}
await tell(seen);
"""


@pytest.fixture(autouse=True)
def firefox() -> None:
    require_firefox()


async def test_a_page_of_an_origin_that_may_call(driver: str, tmp_path: Path) -> None:
    async with serving(driver, options="cors: ['*']") as address:
        found, attached, missing = await shown_in_firefox(ALLOWED.format(address=address), tmp_path)

    assert (found[0], found[1]["name"]) == (200, "Desk lamp")
    assert attached == [200, "ann", "ann"]
    assert (missing[0], missing[1]["type"]) == (422, "urn:polyport:exception:demo.ProductNotFound")


async def test_a_page_of_another_origin_makes_no_call_happen(driver: str, tmp_path: Path) -> None:
    async with serving(driver) as address:
        seen = await shown_in_firefox(FOREIGN.format(address=address), tmp_path, host="localhost")
        assert seen == ["TypeError"]
        left = await count(address)

    assert left == 3


async def count(address: str) -> int:
    """How many products there are, asked by no browser."""
    async with ClientSession() as session, session.get(f"http://{address}/demo.Catalog/count") as answer:
        return int(await answer.text())
