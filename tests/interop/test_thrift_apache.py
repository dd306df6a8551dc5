"""Apache's Python library on the other side, in every protocol and transport it has, in both directions."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from thrift.Thrift import TApplicationException, TMessageType

from gateway import NoSuchMethod, RemoteError, calling, connect
from gateway.demo.catalog import Catalog, Maker, OutOfStock, Product, ProductNotFound, Status
from gateway.demo.types import Types, TypesFailure
from tests.support.thrift_peer.apache import STYLES, ApacheClient, apache_server
from tests.support.thrift_peer.gateway import thrift_gateway
from tests.support.thrift_peer.idl import ApacheTypes, parsed

STYLE = pytest.mark.parametrize("style", STYLES, ids="-".join)
pytestmark = pytest.mark.interop

OPENING_US = 1_767_254_400_000_000


async def in_thread(work: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)


def the_catalog(host: str, port: int, style: tuple[str, str]) -> None:
    with ApacheClient(host, port, "Catalog", style) as client:
        lamp = client.call("find", 1)
        assert (lamp.id, lamp.name, lamp.price, lamp.tags) == (1, "Desk lamp", "49.90", ["light", "office"])
        assert (lamp.stock, lamp.status, lamp.maker.name) == ({"berlin": 12, "oslo": 0}, 0, "Lumen")
        assert (lamp.maker.parent.name, lamp.maker.parent.country, lamp.maker.parent.parent) == (
            "Northwind Group",
            "SE",
            None,
        )
        assert client.call("find_by_name", "Wandleuchte „Grün“ 🌿").id == 3
        assert [each.id for each in client.call("search", "", 10, {"office"})] == [1, 2]
        assert len(client.call("search", "")) == 3  # defaults
        new = client.struct(
            "Product",
            id=0,
            name="Kettle 茶",
            price="1.50",
            tags=[],
            created_at=lamp.created_at,
            status=1,
            stock={"x": 1},
        )
        number = client.call("put", new)
        stored = client.call("find", number)
        assert (stored.name, stored.price, stored.status, stored.updated_at) == ("Kettle 茶", "1.50", 1, None)
        client.call("touch", number)
        # In order: the answer to the next call comes behind what the one before did.
        assert client.call("find", number).updated_at == lamp.created_at // 1000 * 1000 + 1000
        assert set(client.call("price_history", 1).values()) == {"49.90", "54.90"}
        assert client.call("remove", number) is True
        with pytest.raises(client.types.of(idl_type("ProductNotFound"))) as missing:
            client.call("find", -5)
        assert (missing.value.message, missing.value.product_id) == ("no product -5", -5)
        with pytest.raises(client.types.of(idl_type("OutOfStock"))) as empty:
            client.call("reserve", 1, "berlin", 100)
        assert (empty.value.warehouse, empty.value.missing) == ("berlin", 88)
        with pytest.raises(TApplicationException) as undeclared:
            client.call("reserve", 1, "berlin", -1)
        assert (undeclared.value.type, undeclared.value.message) == (6, "ValueError: quantity is negative")


def idl_type(name: str) -> Any:
    return getattr(parsed(), name)


@pytest.mark.direction("Python → us", wire="thrift", peer="apache thrift", quick=True)
@STYLE
async def test_a_stock_client_uses_the_whole_catalog(style: tuple[str, str]) -> None:
    async with thrift_gateway() as (host, port):
        await in_thread(the_catalog, host, port, style)


VALUES: list[tuple[str, Any]] = [
    ("bool", True),
    ("bool", False),
    ("i8", -128),
    ("i16", 32767),
    ("i32", -(1 << 31)),
    ("i64", (1 << 63) - 1),
    ("i64", -(1 << 63)),
    ("i64", (1 << 53) + 1),
    ("f64", 0.1),
    ("f64", float("-inf")),
    ("f64", -0.0),
    ("f32", 1.5),
    ("bigint", "123456789012345678901234567890"),
    ("decimal", "1.10"),
    ("char", "€"),
    ("string", 'Grüße 😀 "quoted" \\ / \n \x01\x7f'),
    ("bytes", bytes(range(256))),
    ("date", "2026-08-14"),
    ("time", "09:26:53.589793"),
    ("datetime", 1_786_699_613_589_793),
    ("local_datetime", "2026-03-29T02:30:00"),
    ("duration", "PT26H0.5S"),
    ("uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
    ("int_list", list(range(1000))),
    ("int_list", []),
    ("nested_list", [["a"], [], ["b", "c"]]),
    ("long_set", {1, 1 << 40}),
    ("int_map", {-1: "minus", 1: ""}),
    ("int_map", {}),
    ("enum", 2),
    ("enum_map", {0: "a", 2: "c"}),
    ("any", '{"a":[1,null]}'),
    ("nullable", "text"),
]


def the_types(host: str, port: int, style: tuple[str, str]) -> None:
    with ApacheClient(host, port, "Types", style, service="demo.Types") as client:
        for name, value in VALUES:
            if style[0] == "json" and value == float("-inf"):
                continue  # Apache's library writes it without quotes, which is no JSON
            echoed = client.call(f"echo_{name}", value)
            assert (name, type(echoed), repr(echoed)) == (name, type(value), repr(value))
        maker = client.struct("Maker", name="a", parent=client.struct("Maker", name="b", country="DE"))
        echoed = client.call("echo_nested_map", {"x": [maker]})["x"][0]
        assert (echoed.name, echoed.country, echoed.parent.name, echoed.parent.country) == ("a", None, "b", "DE")
        assert client.call("echo_nothing") is None
        with pytest.raises(client.types.of(idl_type("TypesFailure"))) as failed:
            client.call("fail_declared", "why 茶")
        assert (failed.value.message, failed.value.code, failed.value.culprit.name) == ("why 茶", 42, "Acme")


@pytest.mark.direction("Python → us", wire="thrift", peer="apache thrift", quick=True)
@STYLE
async def test_a_stock_client_gets_every_type_back(style: tuple[str, str]) -> None:
    async with thrift_gateway() as (host, port):
        await in_thread(the_types, host, port, style)


def bad_calls(host: str, port: int, style: tuple[str, str]) -> None:
    with ApacheClient(host, port, "Catalog", style) as client:

        def refused(method: str, *arguments: Any, kind: int | None = None) -> tuple[int, str]:
            client.send(method, *arguments, kind=kind)
            with pytest.raises(TApplicationException) as error:
                client.receive(method)
            return error.value.type, error.value.message

        assert refused("find") == (7, "[bad-request] args[0]: find is not given its parameter 'product_id'")
        assert refused("find", 1, kind=TMessageType.REPLY)[0] == TApplicationException.INVALID_MESSAGE_TYPE
        client.protocol.writeMessageBegin("nothing", TMessageType.CALL, 77)
        client.struct("Maker", name="x").write(client.protocol)
        client.protocol.writeMessageEnd()
        client.protocol.trans.flush()
        name, kind, seqid = client.protocol.readMessageBegin()
        error = TApplicationException()
        error.read(client.protocol)
        client.protocol.readMessageEnd()
        assert (name, kind, seqid) == ("nothing", TMessageType.EXCEPTION, 77)
        assert error.type == TApplicationException.UNKNOWN_METHOD
        assert client.call("count") == 3  # the connection is still good


@pytest.mark.direction("Python → us", wire="thrift", peer="apache thrift", quick=True)
@STYLE
async def test_a_bad_call_of_a_stock_client_costs_no_connection(style: tuple[str, str]) -> None:
    async with thrift_gateway() as (host, port):
        await in_thread(bad_calls, host, port, style)


def nameless(host: str, port: int, service: str) -> None:
    with ApacheClient(host, port, "Catalog", ("binary", "framed"), service) as client:
        client.send("count")
        name, kind, _ = client.protocol.readMessageBegin()
        assert (name, kind) == ("count", TMessageType.EXCEPTION)


@pytest.mark.parametrize("service", ["Nothing", "Types"], ids=["no such service", "no such method"])
async def test_the_name_in_a_refusal_is_without_the_service(service: str) -> None:
    """Clients in Go compare it with the method, and lose their place in the stream where it differs."""
    async with thrift_gateway() as (host, port):
        await in_thread(nameless, host, port, service)


def answer(types: ApacheTypes) -> Callable[..., Any]:
    """What Apache's server answers: `demo.Catalog` with one product."""

    def struct(name: str, /, **values: Any) -> Any:
        return types.of(idl_type(name))(**values)

    def handle(method: str, *arguments: Any) -> Any:
        match method, arguments:
            case "find", (1,):
                maker = struct("Maker", name="M", parent=struct("Maker", name="P", country="DE"))
                return struct(
                    "Product", id=1, name="Lamp 💡", price="19.90", tags=["a"], created_at=OPENING_US, status=1,
                    maker=maker, stock={"x": 2},
                )  # fmt: skip
            case "find", (number,):
                raise struct("ProductNotFound", message=f"no product {number}", product_id=number)
            case "reserve", (_, warehouse, quantity):
                if quantity < 0:
                    raise ValueError("quantity")
                raise struct("OutOfStock", message=None, warehouse=warehouse, missing=quantity)
            case "count", ():
                return 7
            case "search", (text, limit, tags):
                return [handle("find", 1)] if (text, limit, tags) == ("x", 10, None) else []
            case "remove", (_,):
                return False
            case "price_history", (_,):
                return {"2026-01-01": "1.10"}
        raise TApplicationException(TApplicationException.UNKNOWN_METHOD, f"Unknown function {method}")

    return handle


@pytest.mark.direction("us → Python", wire="thrift", peer="apache thrift", quick=True)
@STYLE
async def test_our_client_uses_a_stock_server(style: tuple[str, str]) -> None:
    protocol, transport = style
    encoding = {"accelerated": "binary", "unversioned": "binary"}.get(protocol, protocol)
    types = ApacheTypes()
    parameters = {"encoding": encoding, "transport": transport, "multiplexed": False}
    with apache_server("Catalog", answer(types), style, types) as (port, processor):
        url = f"thrift://127.0.0.1:{port}/demo.Catalog"
        async with connect(url, Catalog, timeout_s=5.0, retries=0, parameters=parameters) as catalog:
            found = await catalog.find(1)
            assert found == Product(
                1, "Lamp 💡", Decimal("19.90"), ["a"], dt.datetime(2026, 1, 1, 8, tzinfo=dt.UTC),
                status=Status.PREORDER, maker=Maker("M", None, Maker("P", "DE")), stock={"x": 2},
            )  # fmt: skip
            assert await catalog.search("x") == [found]
            assert await catalog.price_history(1) == {dt.date(2026, 1, 1): Decimal("1.10")}
            assert await catalog.remove(1) is False
            with pytest.raises(ProductNotFound, match="no product 2") as missing:
                await catalog.find(2)
            assert missing.value.product_id == 2
            with pytest.raises(OutOfStock) as empty:
                await catalog.reserve(1, "w", 9)
            assert (empty.value.message, empty.value.warehouse, empty.value.missing) == (None, "w", 9)
            with pytest.raises(RemoteError, match="Internal error"):
                await catalog.reserve(1, "w", -9)
            with pytest.raises(NoSuchMethod, match="Unknown function slow"):
                await catalog.slow(1)
            # Pipelined on one connection.
            assert await asyncio.gather(*(catalog.count() for _ in range(50))) == [7] * 50
            await calling(catalog, attachments={"user": "ann"}).count()
    if transport == "header":
        assert processor.headers[-1][b"user"] == b"ann"
        assert processor.headers[-1][b"polyport-consumer"] == b"polyport"


@pytest.mark.direction("us → Python", wire="thrift", peer="apache thrift", quick=True)
@pytest.mark.parametrize("style", [("binary", "framed"), ("compact", "header")], ids="-".join)
async def test_our_client_names_the_service_where_it_is_told_to(style: tuple[str, str]) -> None:
    def echo(method: str, *arguments: Any) -> Any:
        if method == "fail_declared":
            raise types.of(idl_type("TypesFailure"))(message="m", code=5)
        return arguments[0] if arguments else None

    types = ApacheTypes()
    parameters = {"encoding": style[0], "transport": style[1], "service_name": "Types"}
    with apache_server("Types", echo, style, types) as (port, _):
        url = f"thrift://127.0.0.1:{port}/demo.Types"
        async with connect(url, Types, timeout_s=5.0, retries=0, parameters=parameters) as client:
            assert await client.echo_bytes(b"\0\xff") == b"\0\xff"
            assert await client.echo_long_set({1, 1 << 40}) == {1, 1 << 40}
            assert await client.echo_struct(Maker("茶")) == Maker("茶")
            assert await client.echo_nullable(None) is None
            await client.echo_nothing()
            with pytest.raises(TypesFailure, match="m") as failed:
                await client.fail_declared("x")
            assert (failed.value.code, failed.value.culprit) == (5, None)
