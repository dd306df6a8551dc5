"""The registry in ZooKeeper while servers stop, hang and forget, and sessions expire. Each test has its own server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kazoo.protocol.connection import _CONNECTION_DROP

from gateway.model.endpoint import ServiceKey
from gateway.spi.registry import Freshness, Snapshot
from tests.support.zookeeper_client import (
    at,
    eventually,
    fresh_ports,
    next_that,
    other_client,
    provider_and_watch,
)
from tests.support.zookeeper_server import ZookeeperServer, zookeeper_server

SERVICE = ServiceKey("demo.Catalog")
FOLDER = "/dubbo/demo.Catalog/providers"


def owners(client: Any) -> list[int]:
    """The sessions whose providers there are."""
    stats = [client.exists(f"{FOLDER}/{name}") for name in client.get_children(FOLDER)]
    return [each.ephemeralOwner for each in stats if each is not None]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ZookeeperServer]:
    with zookeeper_server(tmp_path) as server:
        yield server


def stale(snapshot: Snapshot) -> bool:
    return snapshot.freshness is Freshness.STALE


@pytest.mark.serial("within 0.5 s")
async def test_a_server_that_stops_for_a_moment_leaves_the_last_list_and_its_nodes(server: ZookeeperServer) -> None:
    async with provider_and_watch(server.address, SERVICE, session_s=10.0) as (provider, snapshots):
        with other_client(server.address) as other:
            (name,) = other.get_children(FOLDER)
            created = other.exists(f"{FOLDER}/{name}").czxid
        server.stop()
        shown = await next_that(snapshots, stale)
        assert [each.port for each in shown.endpoints] == [1]
        started = time.perf_counter()
        await provider.register(at(2, SERVICE))
        await provider.unregister(at(1, SERVICE))
        # One that is known to be away is not waited for.
        assert time.perf_counter() - started < 0.5
        server.start()
        await next_that(snapshots, fresh_ports(2))
        await provider.register(at(1, SERVICE))
        await next_that(snapshots, fresh_ports(1, 2))
        with other_client(server.address) as other:
            assert len(other.get_children(FOLDER)) == 2
            assert other.exists(f"{FOLDER}/{name}").czxid > created


async def test_what_stays_is_not_written_again_within_one_session(server: ZookeeperServer) -> None:
    async with provider_and_watch(server.address, SERVICE, session_s=10.0) as (_, snapshots):
        with other_client(server.address) as other:
            (name,) = other.get_children(FOLDER)
            created = other.exists(f"{FOLDER}/{name}").czxid
        server.kill()
        await next_that(snapshots, stale)
        server.start()
        await next_that(snapshots, fresh_ports(1))
        with other_client(server.address) as other:
            assert other.exists(f"{FOLDER}/{name}").czxid == created


async def test_a_server_that_forgot_everything_is_told_again(server: ZookeeperServer) -> None:
    async with provider_and_watch(server.address, SERVICE, session_s=1.0) as (provider, snapshots):
        await provider.register(at(2, SERVICE))
        await next_that(snapshots, fresh_ports(1, 2))
        server.kill()
        server.wipe()
        await next_that(snapshots, stale)
        server.start()
        await next_that(snapshots, fresh_ports(1, 2))


async def test_a_server_that_was_away_for_longer_than_a_session(
    server: ZookeeperServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with provider_and_watch(server.address, SERVICE, session_s=1.0) as (provider, snapshots):
        server.stop()
        shown = await next_that(snapshots, stale)
        assert [each.port for each in shown.endpoints] == [1]
        await eventually(lambda: caplog.text.count("as long as a session lasts") == 2)
        server.start()
        await next_that(snapshots, fresh_ports(1))
        with other_client(server.address) as other:
            await eventually(lambda: owners(other) == [provider._session.session_id])


async def test_an_expired_session_is_replaced_and_everything_announced_again(server: ZookeeperServer) -> None:
    async with provider_and_watch(server.address, SERVICE, session_s=5.0) as (provider, snapshots):
        session = provider._session
        former = session.session_id
        # Another client takes the session over and ends it, as the server would when it expires.
        with other_client(server.address, client_id=session._client._kazoo.client_id):
            pass
        await eventually(lambda: session.session_id != former)
        with other_client(server.address) as other:
            await eventually(lambda: owners(other) == [session.session_id])
        await provider.register(at(2, SERVICE))
        await next_that(snapshots, fresh_ports(1, 2))


async def test_a_node_of_our_former_session_does_not_take_ours_along(server: ZookeeperServer) -> None:
    async with provider_and_watch(server.address, SERVICE, session_s=1.5) as (provider, snapshots):
        session = provider._session
        former, client = session.session_id, session._client._kazoo
        # It loses its session without the server knowing, whose node lives on until it expires.
        client._session_id, client._session_passwd = None, b"\x00" * 16
        client._call(_CONNECTION_DROP, client.handler.async_result())
        await eventually(lambda: session.session_id != former)
        with other_client(server.address) as other:
            await eventually(lambda: owners(other) == [session.session_id])
            await asyncio.sleep(2.5)
            assert owners(other) == [session.session_id]
        await provider.register(at(2, SERVICE))
        await next_that(snapshots, fresh_ports(1, 2))


async def test_a_server_that_hangs_leaves_the_last_list(server: ZookeeperServer) -> None:
    async with provider_and_watch(server.address, SERVICE, session_s=1.0, timeout_s=0.3) as (provider, snapshots):
        server.pause()
        shown = await next_that(snapshots, stale)
        assert [each.port for each in shown.endpoints] == [1]
        await provider.register(at(2, SERVICE))
        server.go_on()
        await next_that(snapshots, fresh_ports(1, 2))
