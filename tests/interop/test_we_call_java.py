"""Our clients against stock Dubbo providers."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway import (
    DeadlineExceeded,
    Forbidden,
    RemoteError,
    RpcError,
    calling,
    connect,
    connect_sync,
)
from gateway.demo.catalog import Catalog, Maker, OutOfStock, Product, ProductNotFound, Status
from gateway.demo.reports import Report, Reports, ReportUnwanted
from gateway.demo.types import Types, TypesFailure
from gateway.model.call import Invocation
from gateway.model.generic import Long, Record
from protocols.testing import ATTACHMENTS, CONTRACT
from tests.support.java_corpus import corpus_invoker, echo_corpus
from tests.support.java_peer import BUILD_TIMEOUT, DUBBO_VERSIONS, Peers, Provider
from tests.support.relay import relaying

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

we_call_java = pytest.mark.direction("us → Java")
GUARDED = "group=g&version=1.2.3&token=secret"

PATIENT: dict[str, Any] = {"timeout_s": 10.0, "retries": 0}
HEARTBEAT_REQUEST = b"\xda\xbb\xe2\x00"
HEARTBEAT_REPLY = b"\xda\xbb\x22\x14"


@pytest.fixture(scope="module", params=DUBBO_VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def provider(version: str, peers: Peers) -> str:
    """Address of a provider with three products; who adds one removes it."""
    return peers.provider(version)


@we_call_java
async def test_every_value_of_the_corpus_comes_back(provider: str) -> None:
    async with corpus_invoker(provider) as invoker:
        wrong = [f"{case.name}: {differs}" async for case, differs in echo_corpus(invoker) if differs is not None]
    assert not wrong, "\n".join(wrong)


@pytest.mark.direction("us → Java", quick=True)
async def test_a_typed_client_uses_the_whole_catalog(provider: str) -> None:
    product = Product(
        id=0,
        name="Teekanne 茶 😀",
        price=Decimal("12.3400"),
        tags=["interop", "茶"],
        created_at=dt.datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC),
        stock={"north": 7, "south": 0},
        status=Status.PREORDER,
        maker=Maker("Maker", None, Maker("Owner", "DE")),
    )
    async with connect(f"dubbo://{provider}", Catalog, **PATIENT) as catalog:
        before = await catalog.count()
        product = replace(product, id=await catalog.put(product))
        assert await catalog.count() == before + 1
        assert await catalog.find(product.id) == product
        assert await catalog.find_by_name(product.name) == product
        assert await catalog.search("Teekanne", 5, {"茶"}) == [product]
        assert await catalog.search("Teekanne", tags={"other"}) == []
        history = await catalog.price_history(product.id)
        assert history == {dt.date(2024, 2, 29): Decimal("13.3400"), dt.date(2025, 1, 1): Decimal("12.3400")}
        assert await catalog.reserve(product.id, "north", 2) == 5
        assert await catalog.slow(20) == "slept 20 ms"

        with pytest.raises(OutOfStock) as empty:
            await catalog.reserve(product.id, "north", 100)
        assert (empty.value.warehouse, empty.value.missing) == ("north", 95)
        assert str(empty.value) == "north lacks 95"
        with pytest.raises(ProductNotFound) as missing:
            await catalog.find(-5)
        assert missing.value.product_id == -5

        await catalog.touch(product.id)
        async with asyncio.timeout(10):
            while (await catalog.find(product.id)).updated_at is None:
                await asyncio.sleep(0.01)
        assert await catalog.remove(product.id) is True
        assert await catalog.remove(product.id) is False


class Listening:
    """Keeps what it is told. `unwanted`: the ticket it wants nothing of."""

    def __init__(self, unwanted: str = "") -> None:
        self.pages: list[tuple[str, int]] = []
        self.reports: asyncio.Queue[Report] = asyncio.Queue()
        self._unwanted = unwanted

    async def progressed(self, ticket: str, page: int) -> int:
        if ticket == self._unwanted:
            raise ReportUnwanted(f"no {ticket}", ticket=ticket)
        self.pages.append((ticket, page))
        return len(self.pages)

    async def finished(self, report: Report) -> None:
        self.reports.put_nowait(report)


@pytest.mark.direction("us → Java, callbacks", quick=True)
async def test_java_calls_our_listeners(provider: str) -> None:
    listener, tired, dropped = Listening(), Listening("l3"), Listening()
    async with (
        asyncio.timeout(60),
        connect(f"dubbo://{provider}", Reports, **PATIENT) as reports,
        connect(f"dubbo://{provider}", Reports, timeout_s=0.3, retries=0) as hurried,
    ):
        assert await reports.build("l1", "Sales", 3, listener) == Report("l1", "Sales", 3)
        assert listener.pages == [("l1", 1), ("l1", 2), ("l1", 3)]
        assert await listener.reports.get() == Report("l1", "Sales", 3)

        with pytest.raises(ReportUnwanted, match="no l3") as unwanted:
            await reports.build("l3", "Sales", 3, tired)
        assert unwanted.value.ticket == "l3"

        with pytest.raises(DeadlineExceeded):
            await hurried.build("l4", "Sales", 60, listener)
        assert await listener.reports.get() == Report("l4", "Sales", 60)

        with pytest.raises(DeadlineExceeded):
            await hurried.build("l5", "Sales", 60, dropped)
        assert await hurried.forget(dropped) is True
        assert len(dropped.pages) < 60


@we_call_java
async def test_exceptions_arrive_as_such(provider: str) -> None:
    async with connect(f"dubbo://{provider}", Types, **PATIENT) as types:
        with pytest.raises(TypesFailure, match=r"^why 茶$") as declared:
            await types.fail_declared("why 茶")
        assert declared.value.code == 42
        assert declared.value.culprit == Maker("culprit")
        with pytest.raises(RemoteError, match="because 茶") as undeclared:
            await types.fail_undeclared("because 茶")
        assert undeclared.value.type_name == "java.lang.IllegalStateException"
        assert await types.echo_i32(1) == 1


@we_call_java
async def test_attachments_travel_both_ways(provider: str) -> None:
    async with connect(f"dubbo://{provider}", Types, **PATIENT) as types:
        for case in ATTACHMENTS:
            for key, value in case.attachments.items():
                back: dict[str, Any] = {}
                attached = calling(types, attachments=case.attachments, reply_attachments=back)
                assert await attached.echo_attachments(key) == value, case.name
                assert back.get(key) == value, case.name
        assert await types.echo_attachments("absent") is None


@we_call_java
async def test_a_generic_client_needs_no_contract(provider: str) -> None:
    async with connect(f"dubbo://{provider}/demo.Catalog", **PATIENT) as catalog:
        assert await catalog.invoke("count") == 3
        lamp = await catalog.invoke("find", "Lantern", types=("java.lang.String",))
        assert lamp["class"] == "demo.Product"
        assert lamp["price"] == Decimal("18.00")
        assert lamp["status"] == "DISCONTINUED"
        assert lamp["maker"]["name"] == "Acme"
        assert await catalog.invoke("find", Long(lamp["id"]), types=("long",)) == lamp
        with pytest.raises(RemoteError) as missing:
            await catalog.invoke("find", Long(99), types=("long",))
        assert missing.value.type_name == "demo.ProductNotFound"
        with pytest.raises((RemoteError, RpcError)):
            await catalog.invoke("nonsense")


@we_call_java
async def test_a_generic_client_keeps_cycles(provider: str) -> None:
    async with connect(f"dubbo://{provider}/demo.Types", **PATIENT) as types:
        one: dict[str, Any] = {"class": "demo.Maker", "name": "one"}
        one["parent"] = {"class": "demo.Maker", "name": "two", "parent": one}
        answer = await types.invoke("echoStruct", one, types=("demo.Maker",))
        assert answer["parent"]["name"] == "two"
        assert answer["parent"]["parent"] is answer
        record = Record("demo.Maker", {"name": "typed", "country": None, "parent": None})
        assert (await types.invoke("echoStruct", record, types=("demo.Maker",)))["name"] == "typed"


@we_call_java
async def test_group_version_and_token_are_sent(version: str, peers: Peers) -> None:
    url = f"dubbo://{peers.provider(version, GUARDED)}"
    async with connect(url, Catalog, group="g", version="1.2.3", token="secret", **PATIENT) as catalog:
        assert await catalog.count() == 3
    async with connect(url, Catalog, group="g", version="1.2.3", token="wrong", **PATIENT) as catalog:
        with pytest.raises((Forbidden, RpcError)):
            await catalog.count()
    async with connect(url, Catalog, group="other", token="secret", **PATIENT) as catalog:
        with pytest.raises(RpcError):
            await catalog.count()


@we_call_java
async def test_our_heartbeats_are_answered_and_keep_one_connection(provider: str) -> None:
    (nothing,) = CONTRACT.overloads("echo_nothing")
    async with (
        relaying(provider) as relay,
        corpus_invoker(relay.address, heartbeat=0.5) as invoker,
    ):
        call = Invocation(invoker.endpoint.service, nothing.name, (), signature=nothing)
        await invoker(call)
        async with asyncio.timeout(30):
            while relay.received.count(HEARTBEAT_REPLY) < 3:
                await asyncio.sleep(0.05)
        await invoker(call)
        assert relay.connections == 1
        assert relay.sent.count(HEARTBEAT_REQUEST) - relay.received.count(HEARTBEAT_REPLY) in (0, 1)


@we_call_java
@pytest.mark.serial("who is silent for 1.5 s is given up")
async def test_java_heartbeats_are_answered_by_our_client(version: str, peers: Peers) -> None:
    # Dubbo 2.6 servers send heartbeats; later ones close a connection that stays idle for three intervals.
    address = peers.provider(version, "heartbeat=500")
    async with relaying(address) as relay, corpus_invoker(relay.address, heartbeat=0.4) as invoker:
        (nothing,) = CONTRACT.overloads("echo_nothing")
        call = Invocation(invoker.endpoint.service, nothing.name, (), signature=nothing)
        await invoker(call)
        async with asyncio.timeout(30):
            while relay.received.count(HEARTBEAT_REPLY) + relay.received.count(HEARTBEAT_REQUEST) < 8:
                await asyncio.sleep(0.05)
        await invoker(call)
        assert relay.connections == 1


@we_call_java
async def test_a_cut_connection_is_made_anew(provider: str) -> None:
    async with (
        relaying(provider) as relay,
        connect(f"dubbo://{relay.address}", Catalog, **PATIENT) as catalog,
    ):
        assert await catalog.count() == 3
        relay.cut()
        await until_answered(catalog)
        assert relay.connections == 2


@we_call_java
async def test_a_restarted_provider_is_found_again(version: str, peers: Peers) -> None:
    first = Provider(version)
    try:
        client = connect(f"dubbo://{first.address}", Catalog, **PATIENT)
        catalog = await client.open()
        assert await catalog.count() == 3
    finally:
        first.close()
    try:
        with pytest.raises(RpcError):
            await catalog.count()
        second = Provider(version, port=int(first.address.rpartition(":")[2]))
        peers.dismiss(second)
        await until_answered(catalog)
    finally:
        await client.aclose()


async def until_answered(catalog: Catalog) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                assert await catalog.count() == 3
            except RpcError:
                await asyncio.sleep(0.05)
            else:
                return


@we_call_java
async def test_the_blocking_client_calls_java(provider: str) -> None:
    def use(address: str) -> tuple[int, str]:
        with connect_sync(f"dubbo://{address}", Catalog, **PATIENT) as catalog:
            blocking: Any = catalog  # its methods give values, where the contract's give coroutines
            return blocking.count(), blocking.find_by_name("Kettle").name

    assert await asyncio.to_thread(use, provider) == (3, "Kettle")
