"""Rows H1 to H6, G2, G3 and J4 over hessian:// once more, against a gateway in a process of its own: what one hostile
connection costs in memory, with the limits a gateway has when nobody sets any.

What an attack costs others in time is measured in `test_hessian_http.py`; here it must only go on afterwards.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable

import pytest

from tests.hostile.test_memory import MANY, PROBE
from tests.support.abuse import MOST_GROWTH, hosted
from tests.support.abused_process import AbusedProcess, abused_process, canary_of
from tests.support.dialect import HESSIAN
from tests.support.dubbo_bytes import definition, integer, text
from tests.support.hessian_bytes import FAULT, VALUE, hessian_body, hessian_call, old_body, old_text
from tests.support.http_bytes import HOST, head, message

MEBI = 1 << 20
LARGEST = 8 * MEBI
"""Of a message."""
LARGE_MESSAGE = 4 * LARGEST
"""What one may take whose body has the largest size: as it arrived, in one piece, in Hessian 2, and as a value."""
TYPES = "POST /demo.Types HTTP/1.1"


@pytest.fixture
async def process() -> AsyncIterator[AbusedProcess]:
    async with (
        abused_process(hosted(HESSIAN) + PROBE, HESSIAN) as started,
        canary_of(started) as canary,
    ):
        yield started
        await canary.call()


async def _grown(process: AbusedProcess, before: int) -> int:
    """Bytes that the process had more than `before` at the worst moment."""
    return (await process.state()).peak - before


HOLDING = {
    "g2 a body that is never finished": head(TYPES, HOST, f"Content-Length: {LARGEST}") + bytes(LARGEST - 1),
    "g2 chunks that are never finished": head(TYPES, HOST, "Transfer-Encoding: chunked")
    + b"%x\r\n" % (LARGEST - 1)
    + bytes(LARGEST - 1),
    "j1 a length beyond the limit": head(TYPES, HOST, f"Content-Length: {1 << 62}") + bytes(LARGEST),
}


@pytest.mark.parametrize("name", HOLDING)
async def test_g2_j1_bytes_are_held_as_they_arrive(process: AbusedProcess, name: str) -> None:
    attacker = process.attacker()
    before = (await process.rest()).resident
    await attacker.send(HOLDING[name])
    if "beyond" in name:
        assert (await attacker.reply()).status in (400, 413)
    while (await process.state()).connections < 2 and "beyond" not in name:
        await asyncio.sleep(0.001)
    assert await _grown(process, before) < MOST_GROWTH
    attacker.close()


@pytest.mark.parametrize("name", MANY)
async def test_h1_h2_h3_much_for_little_in_hessian_2(process: AbusedProcess, name: str) -> None:
    attacker = process.attacker()
    invoked = hessian_body(
        "$invoke", text("echoAny"), b"\x71\x07[string\x10java.lang.Object", b"\x71\x07[object" + MANY[name]
    )
    data = [hessian_call("echoAny", MANY[name]), message("/demo.Types/generic", invoked)]
    before = (await process.rest()).resident
    for each in data:
        await attacker.send(each)
        assert (await attacker.reply()).body.startswith(FAULT)
    # Values are made until the limit is met: nobody skips through them first, as a gateway does on dubbo://.
    assert await _grown(process, before) < LARGE_MESSAGE
    attacker.close()


FOUR_MEBI = 4 * MEBI
OLD_MANY: dict[str, Callable[[], bytes]] = {
    "h1 names of fields": lambda: (
        b"M" + old_text(b"t", "a") + b"".join(old_text(b"S", f"{n:05x}") + b"N" for n in range(400_000))
    ),
    "h1 objects of one field": lambda: (
        b"V" + (b"M" + old_text(b"t", "a") + old_text(b"S", "b") + b"Nz") * 300_000 + b"z"
    ),
    "h1 objects of another class each": lambda: (
        b"V" + b"".join(b"M" + old_text(b"t", f"{n:05x}") + b"z" for n in range(400_000)) + b"z"
    ),
    "h1 objects of another field each": lambda: (
        b"V" + b"".join(b"Mt\x00\x01a" + old_text(b"S", f"{n:05x}") + b"Nz" for n in range(250_000)) + b"z"
    ),
    "h2 empty lists": lambda: b"V" + b"Vz" * (FOUR_MEBI // 2) + b"z",
    "h2 empty maps": lambda: b"V" + b"Mz" * (FOUR_MEBI // 2) + b"z",
    "h2 a list without an end": lambda: b"V" + b"N" * FOUR_MEBI,
    "h2 arguments without an end": lambda: b"N" * FOUR_MEBI,
    "h2 pieces of text": lambda: b"s\x00\x00" * (FOUR_MEBI // 3) + b"S\x00\x00",
    "h2 pieces of binary": lambda: b"b\x00\x00" * (FOUR_MEBI // 3) + b"B\x00\x00",
    "h3 lists": lambda: b"V" * FOUR_MEBI,
    "h3 maps in keys": lambda: b"M" * FOUR_MEBI,
    "h4 references to nothing": lambda: b"V" + b"R\x00\x00\x00\x00" * 200_000 + b"R\x00\x00\x00\x01zz",
}


@pytest.mark.parametrize("version", [2, 1], ids=["mixed", "hessian1"])
@pytest.mark.parametrize("name", OLD_MANY)
async def test_h1_h2_h3_much_for_little_in_hessian_1(process: AbusedProcess, name: str, version: int) -> None:
    attacker = process.attacker()
    before = (await process.rest()).resident
    await attacker.send(message("/demo.Types", old_body("echoAny", OLD_MANY[name](), version=version)))
    answer = await attacker.reply()
    assert answer.body.startswith((FAULT, b"r\x01\x00f"))
    assert await _grown(process, before) < MOST_GROWTH
    attacker.close()


@pytest.mark.parametrize("name", ["in hessian 2", "in hessian 1", "of integers"])
async def test_h2_the_largest_message(process: AbusedProcess, name: str) -> None:
    """A good one: what nobody can avoid."""
    size = LARGEST - 200_000
    bodies = {
        "in hessian 2": hessian_body("echoBytes", (b"A\xff\xff" + bytes(65_535)) * (size // 65_538) + b"\x20"),
        "in hessian 1": old_body("echoBytes", (b"b\xff\xff" + bytes(65_535)) * (size // 65_538) + b"B\x00\x00"),
        "of integers": old_body("echoIntList", b"V" + b"I\x00\x00\x00\x01" * 900_000 + b"z"),
    }
    attacker = process.attacker()
    before = (await process.rest()).resident
    await attacker.send(message("/demo.Types", bodies[name]))
    answer = await attacker.reply()
    assert answer.body.startswith(VALUE), answer.body[:200]
    # The answer is as large again.
    assert await _grown(process, before) < 2 * LARGE_MESSAGE
    attacker.close()


def _deflated(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    chunk = bytes(MEBI)
    return b"".join(packer.compress(chunk) for _ in range(size // MEBI)) + packer.flush()


async def test_j4_200_mebibytes_of_bare_deflate(process: AbusedProcess) -> None:
    attacker = process.attacker()
    data = message("/demo.Types", _deflated(200 * MEBI), "Content-Encoding: deflate")
    before = (await process.rest()).resident
    await attacker.send(data)
    assert (await attacker.reply()).status == 413
    assert await _grown(process, before) < LARGE_MESSAGE
    attacker.close()


async def test_g3_large_answers_to_small_requests_that_nobody_reads(process: AbusedProcess) -> None:
    """4,000 answers of a mebibyte asked for in one go: made only as fast as they can leave."""
    attacker = process.attacker()
    asked = hessian_call("big", integer(MEBI), service="test.Probe") * 4_000
    before = (await process.rest()).resident
    sending = asyncio.create_task(attacker.send(asked))
    await asyncio.sleep(0.3)
    assert await _grown(process, before) < MOST_GROWTH
    attacker.close()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    async with asyncio.timeout(10):
        while (await process.state()).connections > 1:
            await asyncio.sleep(0.01)


async def test_h6_names_that_are_made_up(process: AbusedProcess) -> None:
    """Heads, paths, callers, classes and layouts are remembered by their bytes: of each kind a bounded number."""
    attacker = process.attacker()
    before = (await process.rest()).resident
    pad = "x" * 120
    for start in range(0, 12_000, 40):
        asked = []
        for number in range(start, start + 10):
            made_up = definition(f"{pad}{number}", *(f"{pad}{number}{field}" for field in range(8)))
            entries = b"".join(old_text(b"S", f"{pad}{number}{field}") + b"N" for field in range(8))
            old = b"M" + old_text(b"t", f"{pad}{number}") + entries + b"z"
            fields = (f"header{number}: {pad}", f"Polyport-Consumer: {pad}{number}")
            asked += [
                hessian_call("echoAny", made_up + b"\x60" + b"N" * 8, fields=fields),
                message("/demo.Types", old_body("echoAny", old)),
                message(f"/demo.Types?{pad}{number}", hessian_body("echoAny", b"\x91")),
                message(f"/{pad}{number}", hessian_body(f"a{number}")),
            ]
        for each in asked:
            await attacker.send(each)
            assert (await attacker.reply()).status == 200
    assert await _grown(process, before) < MOST_GROWTH
    attacker.close()
