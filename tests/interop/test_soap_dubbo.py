"""Dubbo 2.7's own webservice://, which is CXF's simple frontend, against ours in both directions."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import pytest

from gateway import RemoteError, connect
from tests.support.http_gateway import DRIVERS, LISTENER, serving
from tests.support.java_orders import FIRST, Order, OrderNotFound, Orders, State
from tests.support.java_peer import Peers, java_checks, require_java
from tests.support.peer_program import BUILD_TIMEOUT

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

LIKE_DUBBO: Final[dict[str, Any]] = {"form": "parameters", "send_action": False}

HOSTED = f"""
  shop.Orders:
    contract: tests.support.java_orders:Orders
    implementation: tests.support.java_orders:MemoryOrders
    listeners: [{LISTENER}]
    announce: [local]
    protocols: {{webservice: {{form: parameters}}}}"""


@pytest.mark.direction("Java → us", wire="webservice", peer="dubbo webservice", quick=True)
@pytest.mark.parametrize("driver", DRIVERS)
async def test_dubbo_uses_a_python_service(driver: str) -> None:
    require_java()
    async with serving(driver, services=HOSTED, protocol="webservice") as address:
        report = await java_checks("dubbo-27-webservice", "app.WebServicePeer", address)
    report.check()


@pytest.mark.direction("us → Java", wire="webservice", peer="dubbo webservice", quick=True)
async def test_dubbo_serves_us(peers: Peers) -> None:
    url = f"webservice://{peers.dubbo_web_service()}"
    async with connect(url, Orders, parameters=LIKE_DUBBO, timeout_s=10.0, retries=0) as orders:
        assert await orders.find(1) == FIRST
        assert await orders.find(2) == Order(2, "茶 😀", follows=FIRST, discount=10)
        assert [each.id for each in await orders.search("", None, set())] == [1, 2]
        assert [each.id for each in await orders.search("", 1, set())] == [1]
        assert [each.id for each in await orders.search("", 10, {"gift"})] == [1]
        assert await orders.search("nobody", None, set()) == []
        assert await orders.sum([Decimal("0.10"), Decimal("0.20")]) == Decimal("0.30")
        assert await orders.state(State.OPEN) is State.OPEN
        number = await orders.put(replace(FIRST, id=0, follows=FIRST))
        assert await orders.find(number) == replace(FIRST, id=number, follows=FIRST)
        await orders.cancel(number)
        with pytest.raises(OrderNotFound, match=f"^no order {number}$") as missing:
            await orders.find(number)
        assert missing.value.orderId == number
        with pytest.raises(RemoteError, match="because"):
            await orders.fail("because")
