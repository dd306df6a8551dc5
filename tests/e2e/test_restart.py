"""Providers that stop and start: what runs is answered, nothing is lost, and those that are back are used.

Over wires that have no word of their own for a listener that stops: it is said beside answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

from adapters.tcp.patience import QUIET_S
from adapters.tcp.server import TcpServer
from bench.ports import free_port
from gateway import App, connect
from gateway.demo.catalog import Catalog
from gateway.model.errors import RpcError
from tests.support.running import running

CONFIG = """
application: {{name: provider, drain: 30s}}
listeners:
  main: {{protocol: {protocol}, host: 127.0.0.1, port: {port}}}
services:
  catalog:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    listeners: [main]
"""
STYLES = {
    "thrift": {"encoding": "binary", "transport": "framed"},
    "thrift, compact and buffered": {"encoding": "compact", "transport": "buffered"},
    "thrift, json": {"encoding": "json", "transport": "framed"},
    "thrift, header": {"encoding": "binary", "transport": "header"},
    "memcached": {},
}
WIRES = pytest.mark.parametrize("wire", ["thrift", "memcached"])
LIMIT_S = 20.0


@asynccontextmanager
async def client(style: str, *apps: App) -> AsyncIterator[Any]:
    urls = [f"{app.listening[0].protocol}://{app.listening[0].address}" for app in apps]
    async with connect(urls, Catalog, parameters=STYLES[style]) as made:
        yield made


def calls(app: App) -> int:
    server = app._servers[0]
    assert isinstance(server, TcpServer)
    assert server._state is not None
    return server._state.calls


async def until(condition: Any) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():
            await asyncio.sleep(0.001)


def config(wire: str, port: int = 0) -> str:
    return CONFIG.format(protocol=wire, port=port)


@pytest.mark.parametrize("style", STYLES)
async def test_draining_listener_answers_what_runs_and_is_left_by_its_clients(style: str) -> None:
    async with running(config(style.partition(",")[0])) as app, client(style, app) as catalog:
        assert await catalog.count() == 3
        running_call = asyncio.create_task(catalog.slow(300))
        await until(lambda: calls(app) == 1)
        began = monotonic()
        await app.stop()
        # It need not wait until the client has been quiet for long enough: the client has closed the connection.
        assert monotonic() - began < QUIET_S
        assert running_call.done()
        await running_call


@WIRES
async def test_calls_all_the_time_are_not_lost_while_one_of_two_providers_stops(wire: str) -> None:
    async with (
        running(config(wire)) as first,
        running(config(wire)) as second,
        client(wire, first, second) as catalog,
    ):
        stopped = asyncio.Event()
        done = 0

        async def call_on() -> None:
            nonlocal done
            while not stopped.is_set():
                await catalog.slow(5)
                done += 1

        async with asyncio.TaskGroup() as callers:
            for _ in range(8):
                callers.create_task(call_on())
            await until(lambda: done > 50)
            began = monotonic()
            await first.stop()
            took_s, before = monotonic() - began, done
            await until(lambda: done > before + 50)
            stopped.set()
        assert took_s < QUIET_S


@WIRES
async def test_all_providers_down_and_back_again(wire: str) -> None:
    ports = [free_port(), free_port()]
    async with (
        running(config(wire, ports[0])) as first,
        running(config(wire, ports[1])) as second,
        client(wire, first, second) as catalog,
    ):
        assert await catalog.count() == 3
        running_calls = [asyncio.create_task(catalog.slow(300)) for _ in range(8)]
        await until(lambda: calls(first) + calls(second) == 8)
        await asyncio.gather(first.stop(), second.stop())
        await asyncio.gather(*running_calls)
        for _ in range(5):
            with pytest.raises(RpcError) as caught:
                await catalog.count()
            assert caught.value.code in {"connect-failed", "no-provider"}
        async with running(config(wire, ports[0])), running(config(wire, ports[1])):
            assert await first_answer(catalog) == 3
            assert [await catalog.count() for _ in range(20)] == [3] * 20


async def first_answer(catalog: Any) -> int:
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                return int(await catalog.count())
            except RpcError:
                await asyncio.sleep(0.01)
