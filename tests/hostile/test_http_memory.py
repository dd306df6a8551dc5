"""Rows G2 to G4, J3 to J6 once more, against a gateway in a process of its own: what one hostile connection costs in
memory, with the limits a gateway has when nobody sets any."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import AsyncIterator, Callable
from functools import cache

import pytest

from tests.support.abuse import MOST_GROWTH, REPEATS, Attacker, hosted
from tests.support.abused_process import AbusedProcess, abused_process, canary_of
from tests.support.dialect import AIOHTTP, HTTP, Dialect
from tests.support.http_bytes import HOST, call, head, message

pytestmark = [
    pytest.mark.serial("calls of others in time, while a process computes with the largest limits"),
    pytest.mark.parametrize("dialect", [HTTP, AIOHTTP], indirect=True, ids=lambda dialect: dialect.name),
]

MEBI = 1 << 20
LARGEST = 8 * MEBI
"""Of a message."""
LARGE_MESSAGE = 4 * LARGEST
"""What one may take whose body has the largest size: as it arrived, in one piece, as text, and as a value."""
PROBE = """
  probe:
    contract: tests.support.probe_service:Probe
    implementation: tests.support.probe_service:Probing
    listeners: [attacked]
"""
ECHO = "POST /demo.Types/echo_any HTTP/1.1"


@pytest.fixture
async def process(dialect: Dialect) -> AsyncIterator[AbusedProcess]:
    configuration = hosted(dialect, "connections_per_address: 10000") + PROBE
    async with (
        abused_process(configuration, dialect) as started,
        canary_of(started) as canary,
        canary.watching(),
    ):
        yield started


async def _grown(process: AbusedProcess, before: int) -> int:
    """Bytes that the process had more than `before` at the worst moment."""
    return (await process.state()).peak - before


HOLDING = {
    "g2 a body that is never finished": head(ECHO, HOST, f"Content-Length: {LARGEST}") + bytes(LARGEST - 1),
    "g2 chunks that are never finished": head(ECHO, HOST, "Transfer-Encoding: chunked")
    + b"%x\r\n" % (LARGEST - 1)
    + bytes(LARGEST - 1),
    "g2 chunks of one byte": head(ECHO, HOST, "Transfer-Encoding: chunked") + b"1\r\na\r\n" * 30_000,
    "j1 a million chunks, beyond the limit": head(ECHO, HOST, "Transfer-Encoding: chunked") + b"1\r\na\r\n" * MEBI,
    "j3 fields that are never finished": head(ECHO, HOST)[:-2] + b"a: b\r\n" * 300,
    "j1 a length beyond the limit": head(ECHO, HOST, f"Content-Length: {1 << 62}") + bytes(LARGEST),
    "j1 a chunk beyond the limit": head(ECHO, HOST, "Transfer-Encoding: chunked")
    + b"7fffffffffffff\r\n"
    + bytes(LARGEST),
}


@pytest.mark.parametrize("name", HOLDING)
async def test_g2_j1_j3_bytes_are_held_as_they_arrive(process: AbusedProcess, name: str) -> None:
    attacker = process.attacker()
    before = (await process.rest()).resident
    await attacker.send(HOLDING[name])
    if "beyond" in name:
        assert (await attacker.reply()).status in (400, 413)
    while (await process.state()).connections < 2 and "beyond" not in name:
        await asyncio.sleep(0.001)
    assert await _grown(process, before) < MOST_GROWTH
    attacker.close()


@cache
def bomb() -> bytes:
    """What becomes a gibibyte: made by its test alone, as it takes seconds."""
    return gzip.compress(bytes(1_000 * MEBI), 9)


MUCH: dict[str, tuple[int, Callable[[], bytes]]] = {
    "j4 a bomb of a gibibyte": (413, lambda: message("/demo.Types/echo_any", bomb(), "Content-Encoding: gzip")),
    "j5 arrays in arrays": (400, lambda: message("/demo.Types/echo_any", b"[" * (LARGEST - 100))),
    "j5 empty arrays": (400, lambda: message("/demo.Types/echo_any", b"[[%b[]]]" % (b"[]," * (2 * MEBI)))),
    "j5 empty objects": (400, lambda: message("/demo.Types/echo_any", b"[[%b{}]]" % (b"{}," * (2 * MEBI)))),
    "j5 small numbers": (400, lambda: message("/demo.Types/echo_long_list", b"[[%b0]]" % (b"0," * (3 * MEBI)))),
    "j5 a text of commas": (200, lambda: message("/demo.Types/echo_string", b'["%b"]' % (b"," * (4 * MEBI)))),
    "j5 a number": (400, lambda: message("/demo.Types/echo_any", b"[" + b"9" * (LARGEST - 100) + b"]")),
    "j6 keys that are escaped": (400, lambda: message("/demo.Types/echo_any", b'[{"' + b"\\u0061" * MEBI + b'":1}')),
    "j5 a batch of nothing": (200, lambda: message("/jsonrpc", b"[" + b"0," * (2 * MEBI) + b"0]")),
}


@pytest.fixture
def much(name: str) -> tuple[int, bytes]:
    """Made before there is anybody whose calls it would keep waiting."""
    status, made = MUCH[name]
    return status, made()


@pytest.mark.parametrize("name", MUCH)
async def test_j4_j5_j6_much_for_little(much: tuple[int, bytes], process: AbusedProcess, name: str) -> None:
    status, data = much
    attacker = process.attacker()
    before = (await process.rest()).resident
    await attacker.send(data)
    answer = await attacker.reply()
    assert answer.status == status, answer.body[:200]
    assert await _grown(process, before) < LARGE_MESSAGE
    attacker.close()


@pytest.mark.parametrize("first", ["answered", "slow"])
async def test_g3_large_answers_to_small_requests_that_nobody_reads(process: AbusedProcess, first: str) -> None:
    """4,000 answers of a mebibyte asked for in one go: made only as fast as they can leave."""
    attacker = process.attacker()
    asked = [process.dialect.forever] if first == "slow" else []
    asked += [call("big", MEBI, service="test.Probe") for _ in range(4_000)]
    before = (await process.rest()).resident
    sending = asyncio.create_task(attacker.send(b"".join(asked)))
    await asyncio.sleep(0.3)
    assert await _grown(process, before) < MOST_GROWTH
    attacker.close()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    async with asyncio.timeout(10):
        while (await process.state()).connections > 1:
            await asyncio.sleep(0.01)


async def test_g3_large_requests_behind_a_slow_one(process: AbusedProcess) -> None:
    """100 requests of a mebibyte behind a call that does not end."""
    attacker = process.attacker()
    large = call("echo_bytes", base64.b64encode(bytes(768 * 1024)).decode())
    before = (await process.rest()).resident
    # In one piece they would keep the calls of others waiting here already.
    sending = asyncio.create_task(attacker.send(process.dialect.forever, *[large] * 100))
    await asyncio.sleep(0.5)
    assert await _grown(process, before) < MOST_GROWTH
    attacker.close()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


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
    assert (state.resident - before.resident) / count < (8_192 if process.dialect is HTTP else 24_576)
    newcomer = process.attacker("127.0.0.2")
    await newcomer.send(call())
    assert (await newcomer.reply()).json == 3
    for attacker in (*attackers, newcomer):
        attacker.close()
    async with asyncio.timeout(10):
        # A task ends a moment after its connection.
        while (after := await process.state()).connections > 1 or after.tasks > before.tasks:
            await asyncio.sleep(0.001)
    assert after.descriptors <= before.descriptors


async def test_j3_j6_names_that_are_made_up(process: AbusedProcess) -> None:
    """Heads, paths, fields, attachments and queries are remembered by their bytes: of each kind a bounded number."""
    attacker = process.attacker()
    before = (await process.rest()).resident
    pad, most = "x" * 120, 20_000
    body = json.dumps([{"class": "a", **{str(number): None for number in range(20)}}]).encode()
    for start in range(0, most, 100):
        asked = []
        for number in range(start, start + 25):
            fields = (f"Polyport-Attachment-{number}: {pad * 8}", f"X-{number}: {pad}", f"Accept: a/{number}")
            asked += [
                message(f"/demo.Types/echo_any?{number}", body, *fields),
                message("/demo.Types/echo_any", body, *fields, f"Content-Type: application/a{number}+json"),
                message(f"/demo.Types/{pad}{number}", body, f"Polyport-Consumer: {pad}{number}"),
                message("/jsonrpc", b'{"jsonrpc":"2.0","id":%d,"method":"a%d.b"}' % (number, number)),
            ]
        for each in asked:
            # One after the other: aiohttp takes 64 KiB in advance.
            await attacker.send(each)
            await attacker.reply()
    assert await _grown(process, before) < MOST_GROWTH
    attacker.close()
