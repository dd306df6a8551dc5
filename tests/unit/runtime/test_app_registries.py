"""An app and a registry outside of its process: what it announces there, and what it does when that says nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.config.findings import PluginKind
from gateway.config.load import load_text
from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.plugins.catalog import Catalog
from gateway.runtime.app import App
from gateway.spi.plugin import RegistryPlugin
from gateway.spi.registry import Registry, Snapshot
from registry.embedded import EmbeddedHub, EmbeddedRegistry
from registry.feed import Feed
from tests.support.doubling_service import Doubling

THERE = ServiceKey("com.acme.Doubling")


class Board(EmbeddedRegistry):
    """A registry outside of the process, as far as anybody can tell. `silent`: it cannot be asked.

    `meet`: how many consumers come and go together; each waits for the others.
    """

    def __init__(self, hub: EmbeddedHub, silent: bool, meet: int) -> None:
        super().__init__(hub)
        self.consumers: list[Consumer] = []
        self.taken_over: list[tuple[tuple[Endpoint, ...], tuple[Endpoint, ...]]] = []
        """What was taken over, and what stood there at the time."""
        self._silent = silent
        self._meet = meet
        self._met = asyncio.Condition()
        self._moves = 0

    def watch(self, service: ServiceKey) -> AsyncGenerator[Snapshot, None]:
        return Feed(service).watch() if self._silent else super().watch(service)

    async def take_over(self, endpoints: Sequence[Endpoint]) -> None:
        self.taken_over.append((tuple(endpoints), self.hub.endpoints(THERE)))

    async def register_consumer(self, consumer: Consumer) -> None:
        await self._wait_for_others()
        self.consumers.append(consumer)

    async def unregister_consumer(self, consumer: Consumer) -> None:
        await self._wait_for_others()
        self.consumers.remove(consumer)

    async def _wait_for_others(self) -> None:
        async with asyncio.timeout(5), self._met:
            self._moves += 1
            self._met.notify_all()
            together = -(-self._moves // self._meet) * self._meet
            await self._met.wait_for(lambda: self._moves >= together)


class BoardCatalog(Catalog):
    """Knows registries of the type `board`; all of them are handles of one."""

    def __init__(self) -> None:
        super().__init__([])
        self.hub = EmbeddedHub()
        self.silent = False
        self.meet = 1
        self.made: list[Board] = []

    def names(self, kind: PluginKind) -> Sequence[str]:
        return [*super().names(kind), *(["board"] if kind == "registry" else [])]

    def load(self, kind: PluginKind, name: str) -> Any:
        if (kind, name) != ("registry", "board"):
            return super().load(kind, name)

        def build(_: Mapping[str, Any]) -> Registry:
            self.made.append(Board(self.hub, self.silent, self.meet))
            return self.made[-1]

        return RegistryPlugin("board", {}, build, names="java")


@pytest.fixture
def catalog() -> BoardCatalog:
    return BoardCatalog()


def app(catalog: Catalog, services: str, **application: Any) -> App:
    section = json.dumps({"name": "shop", "registry_wait": "50ms", "drain": "0s", **application})
    text = f"application: {section}\nregistries: {{home: {{type: board}}}}\n{services}"
    return App(load_text(text, "test.yaml", catalog), catalog)


PROVIDER = """
listeners: {wire: {protocol: dubbo, host: 0.0.0.0, port: 0}}
services:
  doubling:
    contract: tests.support.doubling_service:Doubling
    implementation: tests.support.doubling_service:Double
    listeners: [wire]
    announce: [home]
"""
CONSUMER = """
services:
  doubling: {contract: "tests.support.doubling_service:Doubling", remote: {registries: [home]}}
"""


async def test_a_service_is_announced_under_its_java_name_and_an_address_that_others_reach(
    catalog: BoardCatalog,
) -> None:
    async with app(catalog, PROVIDER, host="127.0.0.1") as provider:
        (endpoint,) = catalog.hub.endpoints(THERE)
        port = provider.listening[0].address.rpartition(":")[2]
        assert endpoint.address == f"127.0.0.1:{port}"
        await provider.announce_weight("doubling", 7)
        assert [each.weight for each in catalog.hub.endpoints(THERE)] == [7]
        async with app(catalog, CONSUMER) as consumer:
            assert await consumer.reference("doubling", Doubling).twice(21) == 42
    assert catalog.hub.endpoints(THERE) == ()


async def test_what_a_former_life_left_is_taken_over_before_anything_is_announced(catalog: BoardCatalog) -> None:
    async with app(catalog, PROVIDER, host="127.0.0.1"):
        (board,) = catalog.made
        ((own, there),) = board.taken_over
        assert own == catalog.hub.endpoints(THERE)
        assert there == ()
        async with app(catalog, CONSUMER):
            assert catalog.made[1].taken_over == []


async def test_who_calls_is_shown_as_long_as_it_does(catalog: BoardCatalog) -> None:
    async with app(catalog, CONSUMER, host="10.0.0.9"):
        (board,) = catalog.made
        (consumer,) = board.consumers
        assert (consumer.service, consumer.application, consumer.host) == (THERE, "shop", "10.0.0.9")
        assert consumer.protocol == "dubbo"
    assert board.consumers == []


async def test_services_do_not_wait_for_each_other_at_the_registry(catalog: BoardCatalog) -> None:
    catalog.meet = 3
    remote = '{contract: "tests.support.doubling_service:Doubling", group: %s, remote: {registries: [home]}}'
    services = "services:\n" + "\n".join(f"  {each}: {remote % each}" for each in ("a", "b", "c"))
    async with app(catalog, services):
        assert len(catalog.made[0].consumers) == 3
    assert catalog.made[0].consumers == []


async def test_a_start_without_a_registry_goes_on_with_what_was_known_last(
    catalog: BoardCatalog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "known.json"
    async with app(catalog, PROVIDER, host="127.0.0.1", last_known="off"):
        async with app(catalog, CONSUMER, last_known=str(file)) as consumer:
            await consumer.reference("doubling", Doubling).twice(1)
        catalog.silent = True
        async with app(catalog, CONSUMER, last_known=str(file)) as consumer:
            assert await consumer.reference("doubling", Doubling).twice(21) == 42
    assert "registry home has said nothing in 0.05 s, going on with 1 providers that it named last time" in caplog.text


async def test_the_file_is_in_the_folder_for_state_unless_somebody_says_otherwise(
    catalog: BoardCatalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with app(catalog, CONSUMER):
        pass
    async with app(catalog, CONSUMER, name="other", last_known="off"):
        pass
    kept = sorted(each.name for each in (tmp_path / "polyport").iterdir())
    assert kept == ["shop.last-known.json", "shop.last-known.json.lock"]
