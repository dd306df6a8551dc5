"""Answers that stock clients of memcached cannot read, and what a listener says instead."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.running import running

CONFIG = """
application: {name: test}
listeners:
  named: {protocol: memcached, port: 0}
  plain: {protocol: memcached, port: 0, options: {flags: false}}
services:
  store:
    contract: gateway.demo.store:Store
    implementation: gateway.demo.store:DemoStore
    listeners: [named, plain]
    protocols:
      memcached: {mounts: {"n:": {get: get, set: "set(key, value)", incr: increment}}}
  catalog:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    listeners: [named, plain]
    protocols:
      memcached: {mounts: {"product:": {get: find ProductNotFound=miss}}}
"""


async def asked(address: str, lines: str) -> list[str]:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(lines.encode().replace(b"\n", b"\r\n"))
    try:
        async with asyncio.timeout(10):
            return (await reader.read()).decode().replace("\r\n", "\n").splitlines()
    finally:
        writer.close()


async def test_a_sum_below_zero_is_an_error_and_the_connection_stays_good() -> None:
    async with running(CONFIG) as app:
        answers = await asked(
            app.listening[0].address, "set n:a 0 0 1\n5\ndecr n:a 7\nma n:a MD D1 v\nincr n:a 10\nquit\n"
        )
    assert answers == [
        "STORED",
        "SERVER_ERROR the sum is -2, and there are no numbers below 0",
        "SERVER_ERROR the sum is -3, and there are no numbers below 0",
        "7",
    ]


@pytest.mark.parametrize(("listener", "json"), [(0, "65536"), (1, "0")], ids=["named", "plain"])
async def test_flags_name_the_format_unless_they_may_not(listener: int, json: str) -> None:
    call = '{"args": [1]}'
    lines = (
        "get demo.Catalog.find(1)\nget product:1\nget demo.Catalog.count()\n"
        f"set demo.Catalog.find#1 0 0 {len(call)}\n{call}\nget demo.Catalog.find#1\nquit\n"
    )
    async with running(CONFIG) as app:
        answers = await asked(app.listening[listener].address, lines)
    heads = [line.rsplit(" ", 1)[0] for line in answers if line.startswith("VALUE")]
    assert heads == [
        f"VALUE demo.Catalog.find(1) {json}",
        f"VALUE product:1 {json}",
        "VALUE demo.Catalog.count() 0",
        f"VALUE demo.Catalog.find#1 {json}",
    ]
