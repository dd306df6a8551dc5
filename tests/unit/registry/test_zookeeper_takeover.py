"""What a killed process left in a real ZooKeeper, and the one that is started in its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.spi.registry_ability import TakeoverRegistry
from registry.entries import provider_url
from registry.zookeeper.layout import parse_ensemble
from registry.zookeeper.registry import ZookeeperRegistry
from registry.zookeeper.takeover import take_over
from tests.support.zookeeper_client import at, eventually, fresh_ports, next_that, node_of, other_client, running
from tests.support.zookeeper_server import ZookeeperServer, zookeeper_server

SERVICE = ServiceKey("takeover.Service")
FOLDER = "/dubbo/takeover.Service/providers"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZookeeperServer]:
    with zookeeper_server(tmp_path_factory.mktemp("zookeeper")) as found:
        yield found


@pytest.fixture
def former(server: ZookeeperServer) -> Iterator[Any]:
    """The session of a process that died, which the server does not know yet."""
    with other_client(server.address) as client:
        client.ensure_path(FOLDER)
        for name in client.get_children(FOLDER):
            client.delete(f"{FOLDER}/{name}")
        yield client


def provider(port: int, application: str = "shop", **parameters: str) -> Endpoint:
    return at(port, SERVICE, application=application, **parameters)


def leave(client: Any, endpoint: Endpoint, *, ephemeral: bool = True) -> str:
    name = node_of(provider_url(endpoint))
    client.create(f"{FOLDER}/{name}", ephemeral=ephemeral)
    return name


class Pauses:
    def __init__(self) -> None:
        self.asked: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)


async def test_nodes_of_a_former_life_are_deleted_and_nobody_elses(server: ZookeeperServer, former: Any) -> None:
    leave(former, provider(1, timestamp="1"))
    leave(former, provider(1, timestamp="2"))
    kept = {
        leave(former, provider(2)),
        leave(former, provider(1, application="other")),
        leave(former, replace(provider(1, timestamp="3"), host="127.0.0.11")),
        leave(former, replace(provider(1, timestamp="4"), protocol="http")),
        leave(former, replace(provider(1), service=ServiceKey("takeover.Service", "blue"))),
        leave(former, provider(1, timestamp="5", dynamic="false"), ephemeral=False),
    }
    former.create(f"{FOLDER}/127.0.0.1%3A1%ff", ephemeral=True)
    pauses = Pauses()
    async with running(server.address) as registry:
        await registry.register(provider(3))
        await take_over(registry._session, "/dubbo", [provider(1), provider(3)], pauses)
        names = set(former.get_children(FOLDER))
        assert kept < names
        assert len(names) == len(kept) + 2  # One that cannot be read, and the one of this session.
    assert len(pauses.asked) == 1


async def test_where_nothing_was_left_nobody_waits(server: ZookeeperServer, former: Any) -> None:
    pauses = Pauses()
    async with running(server.address) as registry:
        await eventually(lambda: registry._session.is_connected)
        nowhere = at(1, ServiceKey("takeover.Nowhere"), application="shop")
        await take_over(registry._session, "/dubbo", [provider(1), at(1, SERVICE), nowhere], pauses)
        assert former.exists("/dubbo/takeover.Nowhere") is None
    assert pauses.asked == []


async def test_a_provider_without_an_application_takes_nothing_over(server: ZookeeperServer, former: Any) -> None:
    name = leave(former, at(1, SERVICE))
    async with running(server.address) as registry:
        await registry.take_over([at(1, SERVICE)])
    assert former.get_children(FOLDER) == [name]


async def test_consumers_see_it_go_and_come_back(server: ZookeeperServer, former: Any) -> None:
    leave(former, provider(1, timestamp="1"))
    leave(former, provider(2))
    async with (
        running(server.address) as consumer,
        running(server.address) as registry,
        aclosing(consumer.watch(SERVICE)) as snapshots,
    ):
        assert isinstance(registry, TakeoverRegistry)
        await next_that(snapshots, fresh_ports(1, 2))
        await registry.take_over([provider(1, timestamp="2")])
        await next_that(snapshots, fresh_ports(2))
        await registry.register(provider(1, timestamp="2"))
        await next_that(snapshots, fresh_ports(1, 2))


async def test_who_is_alive_at_the_same_address_all_the_same_comes_back(server: ZookeeperServer, former: Any) -> None:
    async with running(server.address) as living, running(server.address) as registry:
        await living.register(provider(1, timestamp="1"))
        await registry.take_over([provider(1, timestamp="2")])
        await registry.register(provider(1, timestamp="2"))
        await eventually(lambda: len(former.get_children(FOLDER)) == 2)


async def test_a_registry_that_cannot_be_reached_is_not_waited_for(server: ZookeeperServer) -> None:
    registry = ZookeeperRegistry(parse_ensemble("127.0.0.1:1"), timeout_s=0.1)
    await registry.start()
    try:
        await registry.take_over([provider(1)])
    finally:
        await registry.aclose()
