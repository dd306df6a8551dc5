"""Rows G1, G2, G4, G8 and G9 at a port of several wires, where it is not known yet what a peer speaks."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from adapters.shared_port.front import Front
from gateway.runtime.app import App
from tests.support.abuse import LIMIT_S, REPEATS, Attacker
from tests.support.dialect import DUBBO, HTTP
from tests.support.running import running

FEW = 20
"""Repeats of attacks that wait for a limit."""
AT_ONCE = 50
WIRES = "[dubbo, http, hessian, webservice, thrift, rmi, redis, memcached]"
TEXT = f"""
application: {{name: abused, drain: 1s}}
ports:
  one: {{port: 0, listeners: {WIRES}, text: memcached, limits: {{first_byte: 300ms, connections_per_address: 100}}}}
listeners:
  dubbo: {{protocol: dubbo}}
  http: {{protocol: http}}
  hessian: {{protocol: hessian}}
  webservice: {{protocol: webservice}}
  thrift: {{protocol: thrift}}
  rmi: {{protocol: rmi}}
  redis: {{protocol: redis}}
  memcached: {{protocol: memcached}}
services:
  catalog:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    listeners: {WIRES}
"""
STRANGERS = (
    ("tls", bytes.fromhex("16030100f4010000f00303") + bytes(200)),
    ("unknown-wire", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("unknown-wire", b"SSH-2.0-OpenSSH_9.6\r\n"),
    ("unknown-wire", b"JRMI\x00\x02K"),
    ("unknown-wire", bytes.fromhex("80000001000000000000000100000000")),
    ("unknown-wire", b"\xff" * 70_000),
    ("unknown-wire", b"<" * 70_000),
)


class Abused:
    """The gateway, and what is owed after an attack."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.port = int(app.ports[0].address.rpartition(":")[2])
        ((_, front),) = app._ports._ports.values()
        assert isinstance(front, Front)
        self.front = front

    async def attack(self, attack: Callable[[Attacker, int], Awaitable[None]], times: int) -> None:
        """Many times, some at once, while others are served; nothing of it is left."""
        await self.serves()
        gc.collect()
        descriptors = len(os.listdir("/proc/self/fd"))

        async def once(number: int) -> None:
            attacker = Attacker(self.port)
            try:
                await attack(attacker, number)
            finally:
                attacker.close()

        for begin in range(0, times, AT_ONCE):
            await asyncio.gather(*(once(each) for each in range(begin, min(begin + AT_ONCE, times))), self.serves())
        async with asyncio.timeout(LIMIT_S):
            while self.front.connections or len(os.listdir("/proc/self/fd")) > descriptors:
                await asyncio.sleep(0.02)

    async def serves(self) -> None:
        """Calls of two wires are answered."""
        for dialect in (DUBBO, HTTP):
            well_behaved = Attacker(self.port, dialect=dialect)
            await well_behaved.send(dialect.count)
            assert dialect.is_count(await well_behaved.reply())
            well_behaved.close()


@pytest.fixture
async def abused() -> AsyncIterator[Abused]:
    async with running(TEXT) as app:
        yield Abused(app)


async def test_g1_connects_and_sends_nothing(abused: Abused) -> None:
    async def attack(attacker: Attacker, number: int) -> None:
        await attacker.refused()

    await abused.attack(attack, FEW)
    assert abused.front.refused == {"first-byte-timeout": FEW}


async def test_g2_sends_too_little_to_tell(abused: Abused) -> None:
    beginnings = (b"P", b"\x00", b"\xda", b"ge", b"get k", b"GET", b"\x80\x01\x00", b"touch k 1")

    async def attack(attacker: Attacker, number: int) -> None:
        beginning = beginnings[number % len(beginnings)]
        await attacker.send(*(bytes((each,)) for each in beginning))
        await attacker.refused()

    await abused.attack(attack, FEW)
    assert abused.front.refused == {"frame-timeout": FEW}


async def test_g4_connections_that_say_nothing_are_bounded(abused: Abused) -> None:
    quiet = [Attacker(abused.port) for _ in range(150)]
    await asyncio.gather(*(each.refused() for each in quiet))
    for each in quiet:
        each.close()
    assert abused.front.refused == {"too-many-connections-per-address": 50, "first-byte-timeout": 100}
    await abused.serves()


async def test_g8_speaks_what_nobody_speaks_here(abused: Abused, caplog: pytest.LogCaptureFixture) -> None:
    async def attack(attacker: Attacker, number: int) -> None:
        await attacker.send(STRANGERS[number % len(STRANGERS)][1])
        await attacker.refused()

    with caplog.at_level(logging.WARNING):
        await abused.attack(attack, REPEATS)
    expected: dict[str, int] = {}
    for number in range(REPEATS):
        reason = STRANGERS[number % len(STRANGERS)][0]
        expected[reason] = expected.get(reason, 0) + 1
    assert abused.front.refused == expected
    # The first of each reason, and each tenfold.
    assert len(caplog.records) == sum(len(str(each)) for each in expected.values())
    assert not any("\\xff\\xff" in each or "<<" in each for each in caplog.messages)


async def test_g9_random_first_bytes(abused: Abused, caplog: pytest.LogCaptureFixture) -> None:
    seeded = random.Random(9)

    async def attack(attacker: Attacker, number: int) -> None:
        data = seeded.randbytes(seeded.choice((1, 2, 3, 4, 6, 8, 16, 64, 512, 65_536)))
        if number % 3 == 0:
            # Random bytes hardly ever look like a line of text, or like a length.
            data = bytes(97 + each % 26 if each % 7 else 32 for each in data[:300]) + b"\r\n"
        elif number % 3 == 1:
            data = b"\x00\x00" + data
        await attacker.send(data)
        attacker.finish()
        await attacker.end()

    with caplog.at_level(logging.ERROR):
        await abused.attack(attack, REPEATS)
    assert caplog.messages == []
