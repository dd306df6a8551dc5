"""Our clients against HTTP services that somebody else wrote."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway import DeadlineExceeded, NoSuchMethod, RemoteError, RpcError, calling, connect
from gateway.demo.catalog import Catalog, Maker, OutOfStock, Product, ProductNotFound, Status
from gateway.demo.types import Types, TypesFailure
from tests.support.java_peer import Peers, require_java
from tests.support.peer_program import BUILD_TIMEOUT
from tests.support.relay import relaying

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

PATIENT: dict[str, Any] = {"timeout_s": 10.0, "retries": 0}

ROUTES = {
    "find": "GET /products/{product_id}",
    "find_by_name": "GET /nowhere?name={name}",
    "search": "GET /products?q={text}&limit={limit}&tag={tags}",
    "put": "POST /products body={product} -> 201",
    "remove": "DELETE /products/{product_id}",
    "price_history": "GET /nowhere",
    "reserve": "POST /products/{product_id}/reservations",
    "slow": "GET /nowhere",
    "count": "GET /statistics/count",
    "touch": "POST /nowhere",
}


def product() -> Product:
    return Product(
        id=0,
        name="Teekanne 茶 😀 / ?&%",
        price=Decimal("12.3400"),
        tags=["interop", "茶"],
        created_at=dt.datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC),
        stock={"north": 7, "south": 0},
        status=Status.PREORDER,
        maker=Maker("Maker", None, Maker("Owner", "DE")),
    )


async def use_the_whole_catalog(catalog: Catalog, day: dt.date | None) -> None:
    """Every method; `day`: from when the price of a new product is valid there."""
    before = await catalog.count()
    mine = product()
    mine = replace(mine, id=await catalog.put(mine))
    assert await catalog.count() == before + 1
    assert await catalog.find(mine.id) == mine
    assert await catalog.find_by_name(mine.name) == mine
    assert await catalog.search("Teekanne", 5, {"茶"}) == [mine]
    assert await catalog.search("Teekanne", tags={"other"}) == []
    if day is not None:
        assert (await catalog.price_history(mine.id))[day] == Decimal("12.3400")
    assert await catalog.reserve(mine.id, "north", 2) == 5
    assert await catalog.slow(20) == "slept 20 ms"
    await catalog.touch(mine.id)
    async with asyncio.timeout(10):
        while (await catalog.find(mine.id)).updated_at is None:
            await asyncio.sleep(0.01)
    assert await catalog.remove(mine.id) is True
    assert await catalog.remove(mine.id) is False


async def exceptions_are_declared(catalog: Catalog) -> None:
    """With their fields."""
    with pytest.raises(OutOfStock) as empty:
        await catalog.reserve(1, "north", 100)
    assert (empty.value.warehouse, empty.value.missing) == ("north", 90)
    with pytest.raises(ProductNotFound, match="no product -5") as missing:
        await catalog.find(-5)
    assert missing.value.product_id == -5


@pytest.mark.direction("us → Node", wire="http", peer="node", quick=True)
async def test_a_typed_client_uses_a_node_service(peers: Peers) -> None:
    async with connect(f"http://{peers.node_service()}", Catalog, **PATIENT) as catalog:
        await use_the_whole_catalog(catalog, dt.date(2024, 1, 2))
        await exceptions_are_declared(catalog)
        with pytest.raises(DeadlineExceeded):
            await calling(catalog, deadline_s=0.2).slow(5_000)


@pytest.mark.direction("us → Node", wire="http", peer="node")
async def test_values_headers_and_refusals_of_a_node_service(peers: Peers) -> None:
    async with connect(f"http://{peers.node_service()}", Types, **PATIENT) as types:
        for number in (2**53 + 1, -(2**63), 2**63 - 1):
            assert await types.echo_i64(number) == number
        for decimal in (Decimal("1.20"), Decimal("-0.000"), Decimal("123456789012345678901234567890.5")):
            echoed = await types.echo_decimal(decimal)
            assert str(echoed) == str(decimal)
        assert await types.echo_f64(float("-inf")) == float("-inf")
        assert await types.echo_string('茶 😀 \t\n\0"') == '茶 😀 \t\n\0"'
        assert await types.echo_bytes(b"\x00\xff\x10") == b"\x00\xff\x10"
        assert await types.echo_enum_map({Status.ACTIVE: "a"}) == {Status.ACTIVE: "a"}
        assert await types.echo_int_map({-1: "a"}) == {-1: "a"}
        assert await types.echo_nullable(None) is None
        await types.echo_nothing()
        back: dict[str, Any] = {}
        attached = calling(types, attachments={"X.key 1": "Mixed Value 茶"}, reply_attachments=back)
        assert await attached.echo_attachments("X.key 1") == "Mixed Value 茶"
        assert back["X.key 1"] == "Mixed Value 茶"
        with pytest.raises(TypesFailure, match=r"^why 茶$") as declared:
            await types.fail_declared("why 茶")
        assert (declared.value.code, declared.value.culprit) == (42, Maker("Acme", "US"))
        with pytest.raises(RemoteError, match="because"):
            await types.fail_undeclared("because")


@pytest.mark.direction("us → Node", wire="http", peer="node")
async def test_calls_share_connections(peers: Peers) -> None:
    async with (
        relaying(peers.node_service()) as relay,
        connect(f"http://{relay.address}", Types, **PATIENT) as types,
    ):
        for number in range(20):
            assert await types.echo_i32(number) == number
        assert relay.connections == 1
        assert await asyncio.gather(*map(types.echo_i32, range(100))) == list(range(100))
        assert relay.connections <= 100


@pytest.mark.direction("us → Node, by routes", wire="http", peer="node", quick=True)
async def test_a_foreign_service_by_its_routes(peers: Peers) -> None:
    parameters = {"style": "rest", "routes": ROUTES}
    async with connect(f"http://{peers.node_service()}", Catalog, parameters=parameters, **PATIENT) as catalog:
        before = await catalog.count()
        mine = product()
        mine = replace(mine, id=await catalog.put(mine))
        assert await catalog.count() == before + 1
        assert await catalog.find(mine.id) == mine
        assert await catalog.search(mine.name, 5, {"茶", "interop"}) == [mine]
        assert await catalog.search(mine.name, tags={"other"}) == []
        assert await catalog.reserve(mine.id, "north", 2) == 5
        assert await catalog.remove(mine.id) is True
        with pytest.raises(RpcError):
            await catalog.find_by_name("not routed there")


@pytest.mark.direction("us → Node", wire="http", peer="jayson", quick=True)
@pytest.mark.parametrize(
    "parameters",
    [
        {"style": "jsonrpc"},
        {"style": "jsonrpc", "params": "positional"},
        {"style": "jsonrpc", "path": "/jsonrpc", "qualified": True},
    ],
    ids=["named", "positional", "qualified"],
)
async def test_a_typed_client_uses_jayson(parameters: dict[str, Any], peers: Peers) -> None:
    async with connect(f"http://{peers.node_service()}", Catalog, parameters=parameters, **PATIENT) as catalog:
        await use_the_whole_catalog(catalog, dt.date(2024, 1, 2))
        await exceptions_are_declared(catalog)


JAVA: dict[str, Any] = {"style": "jsonrpc", "params": "positional", "names": "java"}


@pytest.mark.direction("us → Java", wire="http", peer="jsonrpc4j", quick=True)
async def test_a_typed_client_uses_jsonrpc4j(peers: Peers) -> None:
    address = peers.json_rpc_service()
    async with connect(f"http://{address}", Catalog, parameters=JAVA, **PATIENT) as catalog:
        await use_the_whole_catalog(catalog, dt.date(2025, 1, 1))
    async with connect(f"http://{address}", Types, parameters=JAVA, **PATIENT) as types:
        for number in (2**53 + 1, -(2**63), 2**63 - 1):
            assert await types.echo_i64(number) == number
        echoed = await types.echo_decimal(Decimal("1.20"))
        assert str(echoed) == "1.20"
        moment = dt.datetime(2024, 1, 2, 3, 4, 5, 678000, tzinfo=dt.UTC)
        assert await types.echo_java_date(moment) == moment
        assert await types.echo_nullable(None) is None


@pytest.mark.direction("us → Java", wire="http", peer="dubbo http", quick=True)
async def test_a_typed_client_uses_the_http_protocol_of_dubbo(peers: Peers) -> None:
    require_java()
    address = peers.provider("27-http", "protocol=http")
    async with connect(f"http://{address}", Catalog, parameters=JAVA, **PATIENT) as catalog:
        assert await catalog.count() >= 3
        assert await catalog.search("no such product") == []
        assert await catalog.slow(10) == "slept 10 ms"
        assert await catalog.remove(-5) is False
        await catalog.touch(1)
        # Without the last zeros: Dubbo's Jackson drops them.
        assert (await catalog.price_history(2))[dt.date(2025, 1, 1)] == Decimal("24.5")
    async with connect(f"http://{address}", Types, parameters=JAVA, **PATIENT) as types:
        for number in (2**53 + 1, -(2**63), 2**63 - 1):
            assert await types.echo_i64(number) == number
        assert await types.echo_decimal(Decimal("1.25")) == Decimal("1.25")
        moment = dt.datetime(2024, 1, 2, 3, 4, 5, 678000, tzinfo=dt.UTC)
        assert await types.echo_java_date(moment) == moment
        assert await types.echo_string("茶 😀 \t\n\0") == "茶 😀 \t\n\0"
        assert await types.echo_bytes(b"\x00\xff") == b"\x00\xff"
        assert await types.echo_struct(Maker("a", "DE", Maker("b"))) == Maker("a", "DE", Maker("b"))
        assert await types.echo_enum(Status.PREORDER) is Status.PREORDER
        assert await types.echo_int_map({1: "a"}) == {1: "a"}
        assert await types.echo_nullable(None) is None
        await types.echo_nothing()


@pytest.mark.direction("us → Java", wire="http", peer="dubbo http")
@pytest.mark.parametrize("peer", ["jsonrpc4j", "dubbo"])
async def test_exceptions_of_json_rpc_in_java(peer: str, peers: Peers) -> None:
    """They travel as a class and a message; a declared one whose fields did not is still told by its class."""
    require_java()
    address = peers.json_rpc_service() if peer == "jsonrpc4j" else peers.provider("27-http", "protocol=http")
    async with connect(f"http://{address}", Catalog, parameters=JAVA, **PATIENT) as catalog:
        with pytest.raises(RemoteError, match="no product -5") as missing:
            await catalog.find(-5)
        assert missing.value.type_name == "demo.ProductNotFound"
    async with connect(f"http://{address}", Types, parameters=JAVA, **PATIENT) as types:
        with pytest.raises(RemoteError, match="because") as undeclared:
            await types.fail_undeclared("because")
        assert undeclared.value.type_name == "java.lang.IllegalStateException"


async def test_a_method_that_a_node_service_lacks(peers: Peers) -> None:
    async with connect(f"http://{peers.node_service()}", Types, **PATIENT) as types:
        with pytest.raises(NoSuchMethod):
            await types.echo_uuid(UUID(int=1))
