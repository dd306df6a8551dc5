"""Stock HTTP clients against our http:// listener."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.support.go_peer import go_checks, require_go
from tests.support.http_gateway import DRIVERS, serving
from tests.support.java_peer import java_checks, require_java
from tests.support.node_peer import node_checks, require_node
from tests.support.peer_program import BUILD_TIMEOUT, Report
from tests.support.relay import relaying

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT, pytest.mark.parametrize("driver", DRIVERS)]

EVERYTHING = "basic,values,errors,headers,concurrent"


async def fetch(address: str, scenarios: str) -> Report:
    require_node()
    return await node_checks("fetch_client.mjs", f"http://{address}", scenarios)


async def go(address: str, scenarios: str) -> Report:
    require_go()
    return await go_checks(f"http://{address}", scenarios)


async def httpclient(address: str, scenarios: str) -> Report:
    require_java()
    return await java_checks("http", "app.HttpClientPeer", f"http://{address}", scenarios)


Client = Callable[[str, str], Awaitable[Report]]

each_client = pytest.mark.parametrize(
    "client",
    [
        pytest.param(fetch, marks=pytest.mark.direction("Node → us", wire="http", peer="fetch", quick=True)),
        pytest.param(go, marks=pytest.mark.direction("Go → us", wire="http", peer="go", quick=True)),
        pytest.param(httpclient, marks=pytest.mark.direction("Java → us", wire="http", peer="httpclient", quick=True)),
    ],
)


@each_client
async def test_a_stock_client_uses_the_whole_of_both_services(driver: str, client: Client) -> None:
    async with serving(driver) as address:
        report = await client(address, EVERYTHING)
    report.check()


@each_client
async def test_calls_one_after_the_other_keep_their_connection(driver: str, client: Client) -> None:
    async with serving(driver) as address, relaying(address) as relay:
        report = await client(relay.address, "basic,values,errors,headers")
        # fetch opens a second one, to any server, for a call that is made before it is done with the last answer.
        assert relay.connections <= (2 if client is fetch else 1)
    report.check()
