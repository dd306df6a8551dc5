"""What registries show of this process as a consumer: the protocol that its calls take, as it changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.routing.directory import Directory
from gateway.routing.selection import ProtocolOrder, SelectionTable, Selector, ServiceSelection
from gateway.runtime.consumer_entry import ConsumerEntries, ConsumerEntry
from registry.embedded import EmbeddedRegistry
from tests.support.fake_invoker import SERVICE, FakeInvoker, endpoint

ENTRY = ConsumerEntry("board", "catalog", Consumer(SERVICE, "shop", "10.0.0.9"))
DUBBO, HTTP = endpoint(1), endpoint(2, protocol="http")
DUBBO_FIRST = ServiceSelection(ProtocolOrder(("dubbo", "http")))
HTTP_FIRST = ServiceSelection(ProtocolOrder(("http", "dubbo")))


class Board:
    """Shows consumers. `broken`: refuses what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.shown: dict[object, Consumer] = {}
        self.broken = False

    async def register_consumer(self, consumer: Consumer) -> None:
        self.said.append(consumer.protocol)
        if self.broken:
            raise RuntimeError("not now")
        self.shown[consumer.identity] = consumer

    async def unregister_consumer(self, consumer: Consumer) -> None:
        self.shown.pop(consumer.identity, None)


class Rests:
    """Pauses that last until the test ends them."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self._over.wait()
        self._over.clear()

    def end(self) -> None:
        self._over.set()


class Shop:
    """A process that calls `SERVICE`, as far as its entry is concerned."""

    def __init__(self, selection: ServiceSelection) -> None:
        self.selector = Selector(SelectionTable({"catalog": selection}))
        self.providers = EmbeddedRegistry()
        self.directory = Directory(SERVICE, {"them": self.providers}, FakeInvoker, protocols=selection.protocols)
        self.board = Board()
        self.rests = Rests()
        registries = {"board": self.board, "mute": object()}
        entries = [ENTRY, ConsumerEntry("mute", "catalog", ENTRY.consumer)]
        directories = {"catalog": self.directory}
        self.entries = ConsumerEntries(entries, registries, directories, self.selector, "shop", self.rests)

    def swap(self, selection: ServiceSelection) -> None:
        self.selector.swap(SelectionTable({"catalog": selection}))


@asynccontextmanager
async def shop(selection: ServiceSelection, *providers: Endpoint) -> AsyncIterator[Shop]:
    made = Shop(selection)
    for each in providers:
        await made.providers.register(each)
    await made.directory.start(1.0)
    await made.entries.start()
    await quiet()
    try:
        yield made
    finally:
        for _, step in await made.entries.settle():
            await step
        await made.directory.aclose()
    assert made.board.shown == {}


async def quiet() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_the_protocol_is_the_one_in_use() -> None:
    async with shop(DUBBO_FIRST, HTTP) as process:
        assert process.board.said == ["http"]
        (shown,) = process.board.shown.values()
        assert (shown.service, shown.application, shown.host) == (SERVICE, "shop", "10.0.0.9")


async def test_what_changes_of_one_service_is_no_work_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    providers = EmbeddedRegistry()
    names = [f"service-{number}" for number in range(5)]
    selector = Selector(SelectionTable(dict.fromkeys(names, DUBBO_FIRST)))
    directories = {
        name: Directory(ServiceKey(name), {"them": providers}, FakeInvoker, protocols=DUBBO_FIRST.protocols)
        for name in names
    }
    for name, directory in directories.items():
        await directory.start(1.0)
        monkeypatch.setattr(directory, "admit", lambda _, name=name: looked.append(name))
    entries = [ConsumerEntry("board", each, Consumer(ServiceKey(each), "shop", "10.0.0.9")) for each in names]
    made = ConsumerEntries(entries, {"board": Board()}, directories, selector, "shop")
    await made.start()
    await quiet()
    looked.clear()
    await providers.register(Endpoint("dubbo", "127.0.0.1", 1, ServiceKey(names[3])))
    await quiet()
    assert looked == [names[3]]
    for _, step in await made.settle():
        await step
    for directory in directories.values():
        await directory.aclose()


async def test_while_nobody_is_there_it_is_the_preferred_one() -> None:
    async with shop(HTTP_FIRST) as process:
        assert process.board.said == ["http"]
        await process.providers.register(DUBBO)
        await quiet()
        assert process.board.said == ["http", "dubbo"]


async def test_a_fallback_is_shown_and_so_is_its_end() -> None:
    async with shop(DUBBO_FIRST, DUBBO, HTTP) as process:
        await process.providers.unregister(DUBBO)
        await quiet()
        process.rests.end()
        await process.providers.register(DUBBO)
        await quiet()
        assert process.board.said == ["dubbo", "http", "dubbo"]


async def test_another_table_is_shown_with_protocols_that_no_call_has_asked_for_yet() -> None:
    async with shop(ServiceSelection(ProtocolOrder(("dubbo",))), DUBBO, HTTP) as process:
        process.swap(HTTP_FIRST)
        await quiet()
        assert process.board.said == ["dubbo", "http"]


async def test_an_order_for_this_consumer_counts_and_those_of_others_do_not() -> None:
    own = {"shop": ProtocolOrder(("http",), "shop"), "billing": ProtocolOrder(("dubbo",), "billing")}
    async with shop(ServiceSelection(DUBBO_FIRST.default, own), DUBBO, HTTP) as process:
        assert process.board.said == ["http"]


async def test_a_protocol_that_flaps_is_shown_now_and_then() -> None:
    async with shop(DUBBO_FIRST, DUBBO, HTTP) as process:
        for _ in range(50):
            process.swap(HTTP_FIRST)
            await quiet()
            process.swap(DUBBO_FIRST)
            await quiet()
        assert process.board.said == ["dubbo", "http"]
        assert process.rests.asked == [5.0]
        process.rests.end()
        await quiet()
        assert process.board.said == ["dubbo", "http", "dubbo"]


async def test_changes_that_change_nothing_are_not_told() -> None:
    async with shop(DUBBO_FIRST, DUBBO, HTTP) as process:
        await process.providers.register(endpoint(3))
        process.swap(DUBBO_FIRST)
        await quiet()
        assert process.board.said == ["dubbo"]
        assert process.rests.asked == []


async def test_a_registry_that_fails_is_told_of_the_next_change(caplog: pytest.LogCaptureFixture) -> None:
    async with shop(DUBBO_FIRST, DUBBO, HTTP) as process:
        process.board.broken = True
        process.swap(HTTP_FIRST)
        await quiet()
        assert "cannot tell registry board which protocol is in use: not now" in caplog.text
        process.board.broken = False
        process.swap(DUBBO_FIRST)
        await quiet()
        assert process.board.said == ["dubbo", "http", "dubbo"]


async def test_nothing_is_followed_after_the_end() -> None:
    async with shop(DUBBO_FIRST, DUBBO, HTTP) as process:
        pass
    process.swap(HTTP_FIRST)
    await quiet()
    assert process.board.said == ["dubbo"]
