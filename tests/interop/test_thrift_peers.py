"""thrift:// as Apache's libraries speak it in other languages, with code generated from our own export."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Final

import pytest

from gateway import RemoteError, connect
from gateway.demo.catalog import Catalog, OutOfStock, ProductNotFound, Status
from gateway.demo.types import Types, TypesFailure
from tests.support.go_peer import go_thrift_checks, go_thrift_server
from tests.support.java_corpus import corpus_invoker, echo_corpus
from tests.support.java_peer import dubbo_thrift_checks, dubbo_thrift_server, java_thrift_checks, java_thrift_server
from tests.support.peer_program import BUILD_TIMEOUT, PeerServer, Report
from tests.support.thrift_peer.gateway import thrift_gateway
from tests.support.thrift_peers import (
    STYLES,
    node_thrift_checks,
    node_thrift_server,
    python_thrift_checks,
    python_thrift_server,
    rust_thrift_checks,
)

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

PATIENT: Final[dict[str, Any]] = {"timeout_s": 10.0, "retries": 0}
PIPELINED: Final = 20
LOST_BY_THRIFT: Final = {
    "char/surrogate",
    *(f"string/{name}" for name in ("lone-high-surrogate", "lone-low-surrogate", "reversed-surrogates")),
    "string/surrogate-last",
}
"""Texts are UTF-8 in Thrift, which has no half of a pair; we refuse them."""

NULL_TO_JAVA: Final = {f"boxed_{kind}/null" for kind in ("bool", "i8", "i16", "i32", "i64", "f32", "f64")}
"""What generated code in Java is given and gives back is a number or truth, never a null."""
NULL_TO_GO: Final = NULL_TO_JAVA | {"boxed_char/null", "nullable/null", "any/null"}
"""In Go texts are values too."""
LOST: Final = {
    go_thrift_server: LOST_BY_THRIFT | NULL_TO_GO,
    java_thrift_server: LOST_BY_THRIFT | NULL_TO_JAVA,
    # Keys of an object in JavaScript are texts, a struct among them is "[object Object]".
    node_thrift_server: LOST_BY_THRIFT | {"struct_map/points", "everything/full"},
}
"""Values of the corpus that do not come back, where these are more than `LOST_BY_THRIFT`."""


def row(text: str, peer: str, quick: bool = True) -> pytest.MarkDecorator:
    return pytest.mark.direction(text, wire="thrift", peer=peer, quick=quick)


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(python_thrift_checks, marks=row("Python → us", "apache thrift")),
        pytest.param(go_thrift_checks, marks=row("Go → us", "thrift go")),
        pytest.param(java_thrift_checks, marks=row("Java → us", "thrift java")),
        pytest.param(node_thrift_checks, marks=row("Node → us", "thrift node")),
        pytest.param(rust_thrift_checks, marks=row("Rust → us", "thrift rust")),
    ],
)
async def test_a_client_uses_both_services(client: Callable[[int], Awaitable[Report]]) -> None:
    async with thrift_gateway() as (_, port):
        report = await client(port)
    report.check()


@row("Java → us", "dubbo thrift")
@pytest.mark.parametrize("protocol", ["thrift", "native-thrift"])
async def test_a_consumer_of_dubbo_uses_both_services(protocol: str) -> None:
    async with thrift_gateway() as (_, port):
        report = await dubbo_thrift_checks(protocol, port)
    report.check()


@row("us → Java", "dubbo thrift")
@pytest.mark.parametrize(
    ("protocol", "options"),
    [
        ("thrift", {"transport": "dubbo27"}),
        ("native-thrift", {"encoding": "compact", "service_name": "demo.Catalog$Iface"}),
    ],
    ids=["thrift", "native-thrift"],
)
async def test_a_provider_of_dubbo_serves_us(protocol: str, options: dict[str, Any]) -> None:
    server = dubbo_thrift_server(protocol)
    try:
        async with connect(f"thrift://{server.address}", Catalog, parameters=options, **PATIENT) as catalog:
            found = await catalog.find(7)
            assert (found.name, found.price, found.stock) == (
                "Teekanne 茶 😀",
                Decimal("49.90"),
                {"berlin": 12, "oslo": 0},
            )
            assert found.maker is not None
            assert (found.maker.country, found.maker.parent and found.maker.parent.country) == (None, "SE")
            assert await catalog.put(found) == 7
            assert [each.name for each in await catalog.search("x", 2, {"a"})] == ["x", "x"]
            with pytest.raises(ProductNotFound, match="no product 42") as missing:
                await catalog.find(42)
            assert missing.value.product_id == 42
            slept = await asyncio.gather(*(catalog.slow(number % 3) for number in range(PIPELINED)))
            assert slept == [f"slept {number % 3} ms" for number in range(PIPELINED)]
    finally:
        server.close()


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[Callable[[], PeerServer]], PeerServer]]:
    """Gives the server that a function starts, the same for all tests."""
    started: dict[Callable[[], PeerServer], PeerServer] = {}

    def server(start: Callable[[], PeerServer]) -> PeerServer:
        if start not in started:
            started[start] = start()
        return started[start]

    yield server
    for each in started.values():
        each.close()


each_style = pytest.mark.parametrize("style", STYLES, ids="-".join)
each_server = pytest.mark.parametrize(
    "start",
    [
        pytest.param(python_thrift_server, marks=row("us → Python", "apache thrift")),
        pytest.param(go_thrift_server, marks=row("us → Go", "thrift go")),
        pytest.param(java_thrift_server, marks=row("us → Java", "thrift java")),
        pytest.param(node_thrift_server, marks=row("us → Node", "thrift node")),
    ],
)


def address_of(server: PeerServer, style: tuple[str, str]) -> tuple[str, dict[str, Any]]:
    encoding, transport = style
    return server.addresses[STYLES.index(style)], {"encoding": encoding, "transport": transport}


@each_style
@each_server
async def test_a_typed_client_uses_a_server_of_apache(
    start: Callable[[], PeerServer], style: tuple[str, str], servers: Callable[..., PeerServer]
) -> None:
    address, options = address_of(servers(start), style)
    async with connect(f"thrift://{address}", Catalog, parameters=options, **PATIENT) as catalog:
        found = await catalog.find(7)
        assert (found.id, found.name, found.price) == (7, "Teekanne 茶 😀", Decimal("49.90"))
        assert (found.tags, found.stock, found.status) == (["kitchen"], {"berlin": 12, "oslo": 0}, Status.PREORDER)
        assert found.created_at.isoformat() == "2026-01-02T08:30:00.123456+00:00"
        assert found.updated_at is not None
        assert found.updated_at.isoformat() == "2023-11-14T22:13:20.123000+00:00"
        assert found.maker is not None
        assert (found.maker.country, found.maker.parent and found.maker.parent.country) == (None, "SE")
        assert await catalog.find_by_name("x") == found
        assert await catalog.put(found) == 7
        assert await catalog.remove(7) is True
        assert await catalog.remove(8) is False
        assert await catalog.price_history(7) == {date(2026, 1, 2): Decimal("49.90")}
        names = [(each.name, each.tags) for each in await catalog.search("x", 2, {"b", "a"})]
        assert names == [("x", ["a", "b"])] * 2
        assert len(await catalog.search("x")) == 10
        with pytest.raises(ProductNotFound, match="no product 42") as missing:
            await catalog.find(42)
        assert missing.value.product_id == 42
        with pytest.raises(OutOfStock, match="empty") as short:
            await catalog.reserve(7, "oslo", 3)
        assert (short.value.warehouse, short.value.missing) == ("oslo", 3)
        before = await catalog.count()
        await catalog.touch(7)
        assert await catalog.count() == before + 1
        slept = await asyncio.gather(*(catalog.slow(number % 3) for number in range(PIPELINED)))
        assert slept == [f"slept {number % 3} ms" for number in range(PIPELINED)]


@each_style
@each_server
async def test_what_a_server_of_apache_does_not_declare_leaves_the_connection_as_it_is(
    start: Callable[[], PeerServer], style: tuple[str, str], servers: Callable[..., PeerServer]
) -> None:
    address, options = address_of(servers(start), style)
    async with connect(f"thrift://{address}", Types, parameters=options, **PATIENT) as types:
        with pytest.raises(TypesFailure, match="why") as failed:
            await types.fail_declared("why")
        assert (failed.value.code, failed.value.culprit and failed.value.culprit.name) == (42, "Acme")
        with pytest.raises(RemoteError):
            await types.fail_undeclared("because")
        assert await types.echo_nothing() is None
        assert await types.echo_i32(1) == 1


@each_style
@each_server
async def test_a_server_without_names_of_services_is_called(
    start: Callable[[], PeerServer], style: tuple[str, str], servers: Callable[..., PeerServer]
) -> None:
    server = servers(start)
    _, options = address_of(server, style)
    options["multiplexed"] = False
    # The last ports are the same ones, but for Node.
    address = server.addresses[-len(STYLES) :][STYLES.index(style)]
    async with connect(f"thrift://{address}", Catalog, parameters=options, **PATIENT) as catalog:
        assert (await catalog.find(7)).id == 7


@each_style
@each_server
async def test_every_value_comes_back_from_a_server_of_apache(
    start: Callable[[], PeerServer], style: tuple[str, str], servers: Callable[..., PeerServer]
) -> None:
    address, options = address_of(servers(start), style)
    async with corpus_invoker(address, "thrift", **options) as invoker:
        differing = {case.name: differs async for case, differs in echo_corpus(invoker) if differs is not None}
    assert set(differing) == LOST.get(start, LOST_BY_THRIFT), differing
