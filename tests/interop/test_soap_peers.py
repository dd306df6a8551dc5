"""SOAP in Python, Node, PHP and C: clients that read nothing but our WSDL, and spyne, which serves us."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any, Protocol

import pytest
import zeep

from gateway import I64, RemoteError, connect, service
from tests.support.gsoap_peer import gsoap_checks, require_gsoap
from tests.support.http_gateway import DRIVERS, serving
from tests.support.node_peer import node_checks, require_node
from tests.support.peer_program import BUILD_TIMEOUT
from tests.support.php_peer import php_checks, require_php
from tests.support.python_peer import python_server

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

UTC = dt.UTC
PORTS = {"1.1": "Port", "1.2": "Port12"}


def _client(address: str, module: str, version: str) -> tuple[zeep.Client, Any]:
    client = zeep.Client(f"http://{address}/demo.{module}?wsdl")
    return client, client.bind(f"{module}Service", f"{module}{PORTS[version]}")


async def _asked(driver: str, module: str, version: str, ask: Callable[[zeep.Client, Any], None]) -> None:
    async with serving(driver, protocol="webservice") as address:

        def run() -> None:
            client, service = _client(address, module, version)
            ask(client, service)

        await asyncio.to_thread(run)


each_driver = pytest.mark.parametrize("driver", DRIVERS)
each = pytest.mark.parametrize(("driver", "version"), [(driver, version) for driver in DRIVERS for version in PORTS])
direction = pytest.mark.direction("Python → us", wire="webservice", peer="zeep", quick=True)


@direction
@each
async def test_zeep_uses_the_catalog(driver: str, version: str) -> None:
    def ask(client: zeep.Client, service: Any) -> None:
        lamp = service.find(1)
        assert (lamp.name, lamp.price, lamp.status, lamp.maker.parent.name) == (
            "Desk lamp",
            Decimal("49.90"),
            "ACTIVE",
            "Northwind Group",
        )
        assert lamp.created_at == dt.datetime(2026, 1, 2, 8, 30, tzinfo=UTC)
        assert {each.key: each.value for each in lamp.stock.entry} == {"berlin": 12, "oslo": 0}
        assert service.find_by_name("Desk lamp").id == 1
        assert [each.id for each in service.search("desk")] == [1, 2]
        assert [each.id for each in service.search("desk", limit=1)] == [1]
        assert [each.id for each in service.search("", 10, {"item": ["light"]})] == [1]
        assert [each.value for each in service.price_history(1)] == [Decimal("54.90"), Decimal("49.90")]
        assert (service.count(), service.touch(1), service.remove(999)) == (3, None, False)
        made = {"id": 0, "name": "Chair", "price": Decimal("0.10"), "tags": [], "created_at": dt.datetime.now(UTC)}
        number = service.put(made)
        assert service.find(number).name == "Chair"

    await _asked(driver, "Catalog", version, ask)


@direction
@each
async def test_zeep_gets_declared_exceptions(driver: str, version: str) -> None:
    def ask(client: zeep.Client, service: Any) -> None:
        for call, name, fields in (
            (lambda: service.find(99), "ProductNotFound", {"product_id": 99, "message": "no product 99"}),
            (lambda: service.reserve(1, "berlin", 1_000), "OutOfStock", {"warehouse": "berlin", "missing": 988}),
        ):
            with pytest.raises(zeep.exceptions.Fault) as raised:
                call()
            (element,) = raised.value.detail
            assert element.tag == f"{{http://demo/}}{name}"
            found = client.wsdl.types.deserialize(element)
            assert {key: found[key] for key in fields} == fields

    await _asked(driver, "Catalog", version, ask)


VALUES: list[tuple[str, Any, Any]] = [
    ("echo_bool", True, True),
    ("echo_i8", -128, -128),
    ("echo_i64", -(1 << 63), -(1 << 63)),
    ("echo_bigint", 1 << 200, 1 << 200),
    ("echo_f64", 0.1, 0.1),
    ("echo_f64", 5e-324, 5e-324),
    ("echo_decimal", Decimal("1.10"), Decimal("1.10")),
    ("echo_decimal", Decimal("-0.0000001"), Decimal("-0.0000001")),
    ("echo_char", 0xFFFF, 0xFFFF),
    ("echo_string", " a\tb\n 😀 <&> ", " a\tb\n 😀 <&> "),
    ("echo_string", "", None),  # zeep's own: an empty element is None
    ("echo_bytes", bytes(range(256)), bytes(range(256))),
    ("echo_date", dt.date(2026, 8, 14), dt.date(2026, 8, 14)),
    ("echo_time", dt.time(9, 26, 53, 589_793), dt.time(9, 26, 53, 589_793)),
    (
        "echo_datetime",
        dt.datetime(2026, 8, 14, 9, 26, 53, 589_793, UTC),
        dt.datetime(2026, 8, 14, 9, 26, 53, 589_793, UTC),
    ),
    ("echo_local_datetime", dt.datetime(2026, 8, 14, 9, 26, 53), dt.datetime(2026, 8, 14, 9, 26, 53)),
    ("echo_duration", dt.timedelta(days=1, seconds=1, microseconds=5), dt.timedelta(days=1, seconds=1, microseconds=5)),
    ("echo_uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
    ("echo_int_list", [1, 2, 3], [1, 2, 3]),
    ("echo_enum", "PREORDER", "PREORDER"),
    ("echo_nullable", None, None),
]


@direction
@each
async def test_zeep_echoes_values(driver: str, version: str) -> None:
    def ask(client: zeep.Client, service: Any) -> None:
        wrong = [
            (operation, value, found)
            for operation, value, expected in VALUES
            if (found := service[operation](value)) != expected
        ]
        assert wrong == []
        made = service.echo_struct({"name": "m", "parent": {"name": "p"}})
        assert (made.name, made.country, made.parent.name) == ("m", None, "p")
        mapped = service.echo_string_map({"entry": [{"key": "a", "value": 1}, {"key": "", "value": 2}]})
        assert [(each.key, each.value) for each in mapped] == [("a", 1), (None, 2)]
        xsd = zeep.xsd
        assert service.echo_any(xsd.AnyObject(xsd.Int(), 3)) == 3
        maker = client.get_type("{http://demo/}Maker")
        assert service.echo_any(xsd.AnyObject(maker, maker(name="m"))).name == "m"

    await _asked(driver, "Types", version, ask)


@pytest.mark.direction("Node → us", wire="webservice", peer="node-soap", quick=True)
@each_driver
async def test_soap_for_node_uses_a_python_service(driver: str) -> None:
    require_node()
    async with serving(driver, protocol="webservice") as address:
        report = await node_checks("soap_client.mjs", f"http://{address}", "1.1,1.2")
    report.check()


@pytest.mark.direction("PHP → us", wire="webservice", peer="php", quick=True)
@each_driver
async def test_php_uses_a_python_service(driver: str) -> None:
    require_php()
    async with serving(driver, protocol="webservice") as address:
        report = await php_checks("soap_client.php", f"http://{address}", "1.1,1.2")
    report.check()


@pytest.mark.direction("C → us", wire="webservice", peer="gsoap", quick=True)
@each_driver
async def test_gsoap_uses_a_python_service(driver: str) -> None:
    require_gsoap()
    async with serving(driver, protocol="webservice") as address:
        report = await gsoap_checks(f"http://{address}/demo.Catalog")
    report.check()


class State(Enum):
    OPEN = "open"
    SOLD = "sold"


@dataclass
class Item:
    id: I64
    name: str | None = None
    price: Decimal | None = None
    made_at: dt.datetime | None = None
    state: State | None = None
    tags: list[str] = field(default_factory=list)


@service("shop.Stock")
class Stock(Protocol):
    async def find(self, item_id: I64) -> Item: ...
    async def echo(self, item: Item) -> Item: ...
    async def forget(self, item_id: I64) -> None: ...


@pytest.mark.direction("us → Python", wire="webservice", peer="spyne", quick=True)
async def test_spyne_serves_us() -> None:
    server = await asyncio.to_thread(python_server, "spyne_server.py")
    lamp = Item(1, "Lämp", Decimal("49.90"), dt.datetime(2026, 1, 2, 8, 30, tzinfo=UTC), State.SOLD, ["a", "b"])
    try:
        async with connect(f"webservice://{server.address}", Stock, timeout_s=10.0, retries=0) as stock:
            assert await stock.find(1) == lamp
            assert await stock.echo(lamp) == lamp
            assert await stock.echo(Item(2)) == Item(2)
            await stock.forget(1)
            with pytest.raises(RemoteError, match="no item 7") as missing:
                await stock.find(7)
            assert missing.value.type_name == "Client.NotFound"
    finally:
        server.close()
