"""What stock Dubbo processes are told by a simple registry, without a wire. The real ones are in tests/interop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from gateway.contracts import Call
from gateway.model.call import Peer
from gateway.model.errors import BadRequest, ConnectionLost, DeadlineExceeded
from registry.entries import read_consumers, read_providers
from registry.simple.contract import Record
from registry.simple.server import SimpleServer
from registry.simple.stock import StockRegistry
from registry.simple.stock_contract import AlibabaUrl, ApacheUrl
from tests.support.simple_registry import until

LEASE_S = 0.3
ONE = Call(peer=Peer("dubbo", "10.0.0.1:50001"))
TWO = Call(peer=Peer("dubbo", "10.0.0.2:50002"))
PROVIDER = AlibabaUrl(
    "dubbo",
    None,
    None,
    "10.0.0.1",
    20880,
    "demo.Catalog",
    {"interface": "demo.Catalog", "side": "provider", "a": "x&y"},
)
CONSUMER = AlibabaUrl(
    "consumer",
    None,
    None,
    "10.0.0.2",
    0,
    "demo.Catalog",
    {"interface": "demo.Catalog", "application": "shop", "category": "providers,configurators,routers"},
)


class Ear:
    """A NotifyListener."""

    def __init__(self) -> None:
        self.told: list[list[AlibabaUrl]] = []
        self.error: Exception | None = None

    async def notify(self, urls: list[AlibabaUrl]) -> None:
        if self.error is not None:
            raise self.error
        self.told.append(urls)

    @property
    def providers(self) -> list[AlibabaUrl]:
        """The last list that was of providers."""
        return next(each for each in reversed(self.told) if (each[0].parameters or {}).get("category") in PROVIDING)


PROVIDING = (None, "providers")


@pytest.fixture
async def server() -> AsyncIterator[SimpleServer]:
    made = SimpleServer()
    made.start()
    yield made
    await made.aclose()


@pytest.fixture
async def stock(server: SimpleServer) -> AsyncIterator[StockRegistry]:
    made = StockRegistry(server, AlibabaUrl, LEASE_S)
    yield made
    await made.aclose()


def live(server: SimpleServer) -> list[Record]:
    return [each for each in server.table.records("demo.Catalog") if each.gone_ms < 0]


async def test_a_subscriber_is_told_whole_categories_before_it_gets_its_answer(stock: StockRegistry) -> None:
    ear = Ear()
    await stock.subscribe(CONSUMER, ear, call=TWO)
    assert [(len(each), each[0].protocol) for each in ear.told] == [(1, "empty")] * 3
    assert {(each[0].parameters or {})["category"] for each in ear.told} == {"providers", "configurators", "routers"}


async def test_a_provider_is_shown_as_it_said_until_it_is_taken_back(
    stock: StockRegistry, server: SimpleServer
) -> None:
    ear = Ear()
    await stock.subscribe(CONSUMER, ear, call=TWO)
    await stock.register(PROVIDER, call=ONE)
    await until(lambda: ear.providers == [PROVIDER])
    (record,) = live(server)
    ((endpoint,), _) = read_providers([record.url], None)
    assert (endpoint.address, endpoint.parameters["a"]) == ("10.0.0.1:20880", "x&y")
    assert await stock.lookup(CONSUMER) == [PROVIDER]
    await stock.unregister(PROVIDER, call=ONE)
    await until(lambda: ear.providers[0].protocol == "empty")
    (gone,) = server.table.records("demo.Catalog")
    assert gone.gone_ms >= 0
    await stock.unsubscribe(CONSUMER, ear, call=TWO)
    told = len(ear.told)
    await stock.register(PROVIDER, call=ONE)
    await asyncio.sleep(0.05)
    assert len(ear.told) == told


async def test_versions_and_groups_are_told_apart(stock: StockRegistry) -> None:
    ear = Ear()
    other = replace(PROVIDER, port=20881, parameters={**(PROVIDER.parameters or {}), "group": "red", "version": "2.0"})
    await stock.register(PROVIDER, call=ONE)
    await stock.register(other, call=ONE)
    await stock.subscribe(CONSUMER, ear, call=TWO)
    assert ear.providers == [PROVIDER]
    red = replace(CONSUMER, parameters={**(CONSUMER.parameters or {}), "group": "*", "version": "2.0"})
    await stock.subscribe(red, ear, call=TWO)
    assert ear.providers == [other]


async def test_a_process_stays_as_long_as_its_listener_answers(stock: StockRegistry, server: SimpleServer) -> None:
    ear = Ear()
    await stock.register(PROVIDER, call=ONE)
    await stock.subscribe(replace(CONSUMER, parameters={"interface": "demo.Catalog"}), ear, call=ONE)
    await asyncio.sleep(LEASE_S * 2.5)
    assert len(live(server)) == 1
    ear.error = ConnectionLost("gone")
    await until(lambda: live(server) == [], LEASE_S)
    assert server.table.records("demo.Catalog") == []


async def test_consumers_are_kept_and_rules_are_not(stock: StockRegistry, server: SimpleServer) -> None:
    consumer = replace(CONSUMER, parameters={**(CONSUMER.parameters or {}), "category": "consumers"})
    await stock.register(consumer, call=TWO)
    rule = replace(PROVIDER, protocol="override", parameters={"category": "configurators", "interface": "demo.Catalog"})
    await stock.register(rule, call=TWO)
    (record,) = live(server)
    ((found,), _) = read_consumers([record.url])
    assert (found.application, found.host) == ("shop", "10.0.0.2")


async def test_a_question_for_other_registries_is_left_open(stock: StockRegistry) -> None:
    ear = Ear()
    itself = replace(CONSUMER, path="com.alibaba.dubbo.registry.RegistryService", parameters={})
    await stock.subscribe(itself, ear, call=TWO)
    assert ear.told == []


async def test_what_is_no_provider_is_refused(stock: StockRegistry) -> None:
    with pytest.raises(BadRequest, match="names no interface"):
        await stock.register(replace(PROVIDER, path="", parameters={}), call=ONE)
    with pytest.raises(BadRequest, match="names no interface"):
        await stock.subscribe(replace(CONSUMER, path=None, parameters=None), Ear(), call=TWO)


async def test_dubbo_2_7_gets_urls_with_the_field_it_has_more(server: SimpleServer) -> None:
    stock = StockRegistry(server, ApacheUrl, LEASE_S)
    parameters = {"interface": "demo.Catalog"}
    await stock.register(ApacheUrl("dubbo", "", "", "10.0.0.1", 1, "demo.Catalog", parameters, {}), call=ONE)
    (found,) = await stock.lookup(ApacheUrl("consumer", None, None, "h", 0, "demo.Catalog", {}))
    assert isinstance(found, ApacheUrl)
    assert (found.port, found.methodParameters) == (1, {})
    await stock.aclose()


async def test_a_list_that_did_not_arrive_is_told_again(stock: StockRegistry, server: SimpleServer) -> None:
    ear, first = Ear(), Ear()
    await stock.subscribe(replace(CONSUMER, path="demo.Types", parameters={"category": "providers"}), first, call=TWO)
    await stock.subscribe(CONSUMER, ear, call=TWO)
    ear.error = DeadlineExceeded("slow")
    await stock.register(PROVIDER, call=ONE)
    await asyncio.sleep(0.05)
    ear.error = None
    await until(lambda: ear.providers == [PROVIDER])
    await stock.register(replace(PROVIDER, port=2), call=ONE)
    await until(lambda: [each.port for each in ear.providers] == [20880, 2], 0.2)


async def test_a_provider_is_told_with_the_path_that_it_has(stock: StockRegistry) -> None:
    ear = Ear()
    await stock.subscribe(CONSUMER, ear, call=TWO)
    await stock.register(replace(PROVIDER, protocol="hessian", path="shop/demo.Catalog"), call=ONE)
    await until(lambda: [each.path for each in ear.providers] == ["shop/demo.Catalog"])
