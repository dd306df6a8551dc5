"""Rows G2 to G4, D3, D5 and H1 to H3 once more, against a gateway in a process of its own: what one hostile connection
costs in memory, with the limits a gateway has when nobody sets any."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.abuse import MOST_GROWTH, REPEATS, Attacker, hosted
from tests.support.abused_process import AbusedProcess, abused_process, canary_of
from tests.support.dubbo_bytes import (
    BAD_REQUEST,
    CALL,
    OK,
    definition,
    echo_any,
    frame,
    heartbeat,
    integer,
    invoke,
    replies,
    request,
)

pytestmark = pytest.mark.serial("calls of others in time, while a process computes with the largest limits")

MEBI = 1 << 20
SIX_MEBI = 6 * MEBI
"""Of a message: the largest one takes twice its 8 MiB while its pieces are put together, which nobody can avoid."""
FOUR_MEBI = 4 * MEBI
"""Of a message whose content is what must not cost much: enough for every limit, and little beside what is allowed."""

PROBE = """
  probe:
    contract: tests.support.probe_service:Probe
    implementation: tests.support.probe_service:Probing
    listeners: [attacked]
"""


@pytest.fixture
async def process() -> AsyncIterator[AbusedProcess]:
    async with (
        abused_process(hosted(limits="connections_per_address: 10000") + PROBE) as started,
        canary_of(started) as canary,
        canary.watching(),
    ):
        yield started


async def _grown(process: AbusedProcess, before: int) -> float:
    """MiB that the process had more than `before` at the worst moment."""
    return ((await process.state()).peak - before) / MEBI


HOLDING = {
    "g2 frame that is never finished": request("echoBytes", "[B", b"B\xff\xff" * 4)[:12]
    + SIX_MEBI.to_bytes(4, "big")
    + bytes(SIX_MEBI - 1),
    "g2 frame of the largest size, not finished": frame(CALL, 7, bytes(8 * MEBI - 1), length=8 * MEBI),
    "d3 body length beyond the limit": frame(CALL, 7, bytes(8 * MEBI), length=0x7FFFFFFF),
    "d3 body length just beyond the limit": frame(CALL, 7, bytes(8 * MEBI + 1)),
}


@pytest.mark.parametrize("name", HOLDING)
async def test_g2_d3_d5_declared_bytes(process: AbusedProcess, name: str) -> None:
    attacker = process.attacker()
    before = (await process.rest()).resident
    await attacker.send(HOLDING[name])
    if "beyond" in name:
        (reply,) = replies(await attacker.end())
        assert (reply.status, reply.id) == (BAD_REQUEST, 7)
    else:
        while (await process.state()).connections < 2:
            await asyncio.sleep(0.001)
    assert await _grown(process, before) < MOST_GROWTH / MEBI
    attacker.close()


CLASS_A = definition("a", "b")
EVERYTHING = definition("demo.Everything")
MANY = {
    "h1 definitions": b"C\x01a\x90" * (FOUR_MEBI // 4) + b"N",
    "h1 definitions with fields": definition("a", *(f"{number:04x}" for number in range(500))) * 1_000 + b"N",
    "h1 objects with 45 fields that are left out": EVERYTHING + b"X" + integer(FOUR_MEBI) + b"\x60" * FOUR_MEBI,
    "h1 objects without fields": definition("a") + b"X" + integer(FOUR_MEBI) + b"\x60" * FOUR_MEBI,
    "h2 empty lists": b"X" + integer(FOUR_MEBI) + b"\x78" * FOUR_MEBI,
    "h2 empty lists without a length": b"W" * 30 + b"\x78" * FOUR_MEBI + b"Z" * 30,
    "h2 empty maps": b"X" + integer(FOUR_MEBI // 2) + b"HZ" * (FOUR_MEBI // 2),
    "h2 chunks of text": b"R\x00\x00" * (FOUR_MEBI // 3) + b"\x00",
    "h2 chunks of binary": b"A\x00\x00" * (FOUR_MEBI // 3) + b"\x20",
    "h3 lists": b"\x79" * FOUR_MEBI + b"N",
    "h3 maps in keys": b"H" * FOUR_MEBI,
    "h3 objects": CLASS_A + b"\x60" * FOUR_MEBI + b"N",
}


@pytest.mark.parametrize("name", MANY)
async def test_h1_h2_h3_much_for_little(process: AbusedProcess, name: str) -> None:
    attacker = process.attacker()
    data = [echo_any(MANY[name], id=7), invoke("echoAny", ["java.lang.Object"], MANY[name], id=8)]
    before = (await process.rest()).resident
    for each in data:
        await attacker.send(each)
        assert (await attacker.reply()).status == BAD_REQUEST
    # Besides the frame in pieces and the frame in one, which come to 9 MiB.
    assert await _grown(process, before) < MOST_GROWTH / MEBI
    attacker.close()


async def test_h1_sets_that_are_made_of_one_byte(process: AbusedProcess) -> None:
    attacker = process.attacker()
    before = (await process.rest()).resident
    value = b"H\x01a" + b"X" + integer(MEBI) + b"\x78" * MEBI + b"Z"
    await attacker.send(request("echoNestedMap", "Ljava/util/Map;", value))
    assert (await attacker.reply()).status == BAD_REQUEST
    assert await _grown(process, before) < MOST_GROWTH / MEBI
    attacker.close()


async def test_g3_large_answers_to_small_requests_that_nobody_reads(process: AbusedProcess) -> None:
    """4,000 answers of 1 MiB asked for in one go: made only as fast as they are taken."""
    attacker = process.attacker()
    asked = [request("big", "I", integer(MEBI), path="test.Probe", id=number) for number in range(4_000)]
    before = (await process.rest()).resident
    sending = asyncio.create_task(attacker.send(b"".join(asked)))
    await asyncio.sleep(0.3)
    assert await _grown(process, before) < MOST_GROWTH / MEBI
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    attacker.close()
    while (await process.state()).connections > 1:
        await asyncio.sleep(0.001)


async def test_g4_thousands_of_idle_connections(process: AbusedProcess) -> None:
    count = max(1_000, min(REPEATS, 8_000))
    before = await process.rest()
    attackers: list[Attacker] = []
    for _ in range(count):
        attackers.append(process.attacker())
        if len(attackers) % 100 == 0:
            while (await process.state()).connections < len(attackers):
                await asyncio.sleep(0.001)
    state = await process.state()
    assert state.connections == count + 1
    assert state.refused == {}
    assert (state.resident - before.resident) / count < 8_192
    newcomer = process.attacker("127.0.0.2")
    await newcomer.send(request())
    assert (await newcomer.reply()).status == OK
    for attacker in (*attackers, newcomer):
        attacker.close()
    while (await process.state()).connections > 1:
        await asyncio.sleep(0.001)
    after = await process.rest()
    assert (after.descriptors, after.tasks) == (before.descriptors, before.tasks)


async def test_d10_names_that_are_made_up(process: AbusedProcess) -> None:
    """Heads, attachments, routes and classes are remembered by their bytes: of each kind a bounded number."""
    attacker = process.attacker()
    before = (await process.rest()).resident
    pad, most = "x" * 400, 20_000
    for start in range(0, most, 100):
        asked = [
            request(
                "echoAny",
                "Ljava/lang/Object;",
                definition(f"a{number}", *(f"{field}" for field in range(20))) + b"\x60" + b"N" * 20,
                id=number,
                more={"path": "demo.Types", "interface": f"{pad}{number}", "padding": f"{number}"},
            )
            for number in range(start, start + 50)
        ]
        asked += [request(f"{pad}{number}", id=number) for number in range(start + 50, start + 100)]
        await attacker.send(b"".join(asked))
        for _ in asked:
            await attacker.reply()
    assert await _grown(process, before) < MOST_GROWTH / MEBI
    attacker.close()


async def test_d8_heartbeats_cost_nothing(process: AbusedProcess) -> None:
    attacker = process.attacker()
    flood = b"".join(heartbeat(number) for number in range(50_000))
    before = (await process.rest()).resident
    await attacker.send(flood, request(path="demo.Catalog"))
    while (await attacker.reply()).id != 7:
        pass
    assert await _grown(process, before) < MOST_GROWTH / MEBI
    attacker.close()
