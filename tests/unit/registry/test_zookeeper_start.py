"""The registry in ZooKeeper where servers are not there at the start, or are something else."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from gateway.model.endpoint import ServiceKey
from gateway.spi.registry import Freshness
from tests.support.zookeeper_client import at, eventually, fresh_ports, next_that, running
from tests.support.zookeeper_server import ZookeeperServer, zookeeper_server

SERVICE = ServiceKey("demo.Catalog")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ZookeeperServer]:
    with zookeeper_server(tmp_path) as server:
        yield server


async def test_one_of_several_servers_that_says_nothing_is_not_waited_for(server: ZookeeperServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]},{server.address}"
        for _ in range(4):
            # Each time in an order of its own, so that the silent one is the first sometimes.
            async with running(address, session_s=60.0, timeout_s=0.2) as registry:
                await eventually(lambda: registry._session.is_connected, 3.0)


@pytest.mark.serial("within 1 s")
async def test_nobody_waits_for_a_server_that_is_not_there_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = ZookeeperServer(tmp_path)
    started = time.perf_counter()
    async with (
        running(server.address, timeout_s=0.3) as registry,
        aclosing(registry.watch(SERVICE)) as snapshots,
    ):
        assert (await anext(snapshots)).freshness is Freshness.UNKNOWN
        for port in range(1, 6):
            await registry.register(at(port, SERVICE))
        # The first waits for a moment, all others do not.
        assert time.perf_counter() - started < 1.0
        assert [each.what for each in await registry.diagnose() if not each.is_well] == [
            f"server {server.address}",
            "session",
        ]
        await eventually(lambda: "cannot be reached" in caplog.text)
        try:
            server.start()
            await next_that(snapshots, fresh_ports(1, 2, 3, 4, 5))
        finally:
            closing = time.perf_counter()
            server.kill()
    assert time.perf_counter() - closing < 5.0


async def test_something_else_behind_the_port_does_no_harm(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.zookeeper.client._SUPERVISE_S", 0.1)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        # A session is granted; what follows is in no protocol.
        writer.write(bytes.fromhex("00000024 00000000 00002710 0000000000000001 00000010") + bytes(16))
        writer.write(bytes.fromhex("00000010") + bytes.fromhex("0000000100000000000000010000ffff") + b"\xff" * 100)
        await writer.drain()
        writer.close()

    server = ZookeeperServer(tmp_path)
    junk = await asyncio.start_server(answer, "127.0.0.1", server.port)
    async with running(server.address, timeout_s=0.3) as registry, aclosing(registry.watch(SERVICE)) as snapshots:
        await registry.register(at(1, SERVICE))
        await eventually(lambda: "opening another" in caplog.text)
        junk.close()
        await junk.wait_closed()
        try:
            server.start()
            await next_that(snapshots, fresh_ports(1))
        finally:
            server.kill()
