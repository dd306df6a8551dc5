"""A directory whose registry loses providers, flaps, or says nothing."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import pytest

from gateway.config.sections.protection import ProtectionConfig
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.routing.candidates import CallCandidates
from gateway.routing.directory import Directory
from gateway.spi.cluster import Invoker
from gateway.spi.registry import Freshness, Snapshot
from registry.direct import DirectRegistry
from registry.feed import Feed
from tests.support.fake_invoker import SERVICE, FakeInvoker, endpoint, invocation

RULES = ProtectionConfig(linger=0.05, grace=0.2)


class FedRegistry(DirectRegistry):
    """Says what is published to its feed."""

    def __init__(self, *endpoints: Endpoint) -> None:
        super().__init__([])
        self.feed = Feed(SERVICE)
        if endpoints:
            self.feed.publish(endpoints)

    def watch(self, service: ServiceKey) -> AsyncGenerator[Snapshot, None]:
        return self.feed.watch()


class First:
    """The first of those that can be chosen."""

    def select(self, invokers: Sequence[Invoker], _: Any) -> Invoker:
        return invokers[0]

    def explain(self, *_: Any) -> str:
        return "first"


class Remembered:
    """What was known last, and what shall be next time."""

    def __init__(self, *known: Endpoint) -> None:
        self.known = known
        self.kept: list[list[int]] = []

    def recall(self, registry: str, service: ServiceKey) -> Sequence[Endpoint]:
        assert (registry, service) == ("home", SERVICE)
        return self.known

    def remember(self, registry: str, service: ServiceKey, endpoints: Sequence[Endpoint]) -> None:
        self.kept.append([each.port for each in endpoints])


def ports(directory: Directory) -> list[int]:
    return [each.endpoint.port for each in directory.providers.invokers]


def chosen(directory: Directory) -> list[int]:
    """The order in which a call tries the providers."""
    candidates = CallCandidates(directory.providers, First(), invocation())
    tried: list[Invoker] = []
    while len(tried) < len(candidates):
        tried.append(candidates.pick(tried))
    return [each.endpoint.port for each in tried]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_provider_that_vanishes_is_tried_last_for_a_while_and_keeps_its_connection() -> None:
    source = FedRegistry(endpoint(1), endpoint(2), endpoint(3))
    directory = Directory(SERVICE, {"home": source}, FakeInvoker, protection=RULES)
    await directory.start(5.0)
    first = directory.providers.invokers[0]
    source.feed.publish([endpoint(2), endpoint(3)])
    await turn()
    assert chosen(directory) == [2, 3, 1]
    assert directory.providers.origin == "registry 3 (1 missing)"
    source.feed.publish([endpoint(1), endpoint(2), endpoint(3)])
    await turn()
    assert chosen(directory) == [1, 2, 3]
    assert directory.providers.invokers[0] is first
    source.feed.publish([endpoint(2), endpoint(3)])
    await until(lambda: ports(directory) == [2, 3])
    await directory.aclose()


async def test_an_empty_list_raises_an_alarm_and_keeps_everybody(caplog: pytest.LogCaptureFixture) -> None:
    counted: Counter[str] = Counter()
    source = FedRegistry(endpoint(1), endpoint(2))
    directory = Directory(
        SERVICE, {"home": source}, FakeInvoker, protection=RULES, count=lambda reason: counted.update([reason])
    )
    await directory.start(5.0)
    with caplog.at_level(logging.INFO):
        source.feed.publish([])
        await turn()
        source.feed.publish([endpoint(9)])
        await turn()
    assert chosen(directory) == [9, 1, 2]
    assert counted == {"registry-doubted": 1}
    assert "registry home does not name 2 of 2 providers any more" in caplog.text
    await until(lambda: ports(directory) == [9])
    await directory.aclose()


async def test_one_that_withdraws_is_gone_at_once() -> None:
    source = FedRegistry(endpoint(1))
    directory = Directory(SERVICE, {"home": source}, FakeInvoker, protection=RULES)
    await directory.start(5.0)
    source.feed.publish([], withdrawn=[endpoint(1).identity])
    await turn()
    assert ports(directory) == []
    await directory.aclose()


async def test_one_registry_that_names_a_provider_is_enough() -> None:
    one, two = FedRegistry(endpoint(1), endpoint(2)), FedRegistry(endpoint(1))
    directory = Directory(SERVICE, {"one": one, "two": two}, FakeInvoker, protection=RULES)
    await directory.start(5.0)
    one.feed.publish([endpoint(2)])
    await turn()
    loads = {each.endpoint.port: each.load for each in directory.providers.invokers}
    assert (loads[1].registry, loads[1].missing) == ("two", False)
    two.feed.lose()
    await turn()
    assert sorted(chosen(directory)) == [1, 2]
    assert "stale" in directory.providers.origin
    await directory.aclose()


async def test_a_registry_that_flaps_does_not_keep_the_process_busy() -> None:
    source = FedRegistry(endpoint(1))
    directory = Directory(SERVICE, {"home": source}, FakeInvoker)
    await directory.start(5.0)
    seen = set()
    for number in range(200):
        source.feed.publish([endpoint(1), endpoint(2 + number)])
        await turn()
        seen.add(directory.providers)
    assert len(seen) < 20
    await until(lambda: ports(directory) == [1, 201])
    await directory.aclose()


async def test_what_was_known_last_is_used_where_a_registry_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    source, memory = FedRegistry(), Remembered(endpoint(1), endpoint(2))
    directory = Directory(SERVICE, {"home": source}, FakeInvoker, memory=memory)
    with caplog.at_level(logging.WARNING):
        assert not await directory.start(0.02)
    assert ports(directory) == [1, 2]
    assert directory.providers.origin == "registry 2 (stale)"
    assert "registry home has said nothing in 0.02 s, going on with 2 providers that it named last time" in caplog.text
    source.feed.publish([endpoint(3)])
    await turn()
    assert ports(directory) == [3]
    assert memory.kept == [[3]]
    await directory.aclose()


async def test_what_is_doubted_is_not_remembered() -> None:
    source, memory = FedRegistry(endpoint(1), endpoint(2)), Remembered()
    directory = Directory(SERVICE, {"home": source}, FakeInvoker, protection=RULES, memory=memory)
    await directory.start(5.0)
    source.feed.publish([])
    await turn()
    assert memory.kept == [[1, 2]]
    assert directory.providers.invokers[0].load.missing
    assert source.feed.current.freshness is Freshness.FRESH
    await directory.aclose()
