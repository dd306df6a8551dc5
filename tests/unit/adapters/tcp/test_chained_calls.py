"""Commands of text wires that make several calls, and calls that wait for others, over a real connection."""

from __future__ import annotations

import asyncio
import time

import pytest

from adapters.memcached import PLUGIN as MEMCACHED
from adapters.redis import PLUGIN as REDIS
from gateway.model.call import Invocation, Ok, Result
from tests.support.text_codecs import listening

SET = b"set store:a 0 0 1%b\r\nx\r\n"


async def test_a_long_batch_lets_others_have_their_turn() -> None:
    loop = asyncio.get_running_loop()
    seen: list[int] = []
    calls = 0

    async def handler(invocation: Invocation) -> Result:
        nonlocal calls
        calls += 1
        if calls == 1:
            loop.call_soon(lambda: seen.append(calls))
        return Ok(None)

    async with listening(REDIS, handler) as connect:
        reader, writer = await connect()
        writer.write(b"MULTI\r\n" + b"DEL store:a\r\n" * 5_000 + b"EXEC\r\n")
        await reader.readuntil(b"*5000\r\n")
        assert await reader.readexactly(4 * 5_000) == b":1\r\n" * 5_000
    assert calls == 5_000
    (first,) = seen
    assert first <= 300


async def test_a_batch_whose_caller_closed_its_side_goes_on() -> None:
    async def handler(invocation: Invocation) -> Result:
        return Ok(None)

    async with listening(REDIS, handler) as connect:
        reader, writer = await connect()
        writer.write(b"MULTI\r\n" + b"DEL store:a\r\n" * 2_000 + b"EXEC\r\n")
        writer.write_eof()
        assert (await reader.read()).endswith(b"*2000\r\n" + b":1\r\n" * 2_000)


async def test_a_change_that_was_refused_keeps_no_later_one_waiting() -> None:
    gate = asyncio.Event()
    keys: list[object] = []

    async def handler(invocation: Invocation) -> Result:
        keys.append(invocation.arguments()[1])
        await gate.wait()
        return Ok(None)

    async with listening(MEMCACHED, handler, max_calls_per_connection=1) as connect:
        reader, writer = await connect()
        # The second is refused, for there are too many calls; so is one that nobody wants to have answered.
        writer.write(SET % b"" + SET % b"" + SET % b" noreply" + b"mn\r\n")
        await asyncio.sleep(0)
        while len(keys) < 1:
            await asyncio.sleep(0.001)
        gate.set()
        assert await reader.readline() == b"STORED\r\n"
        assert (await reader.readline()).startswith(b"SERVER_ERROR RPCERR overloaded")
        assert await reader.readline() == b"MN\r\n"
        writer.write(SET % b"" + b"get store:a\r\n")
        async with asyncio.timeout(2):
            assert await reader.readline() == b"STORED\r\n"


@pytest.mark.parametrize("data", [b"DEL store:a\r\n" * 20, b"MULTI\r\n" + b"DEL store:a\r\n" * 20 + b"EXEC\r\n"])
async def test_calls_that_are_answered_at_once_and_take_long_let_others_have_their_turn(data: bytes) -> None:
    loop = asyncio.get_running_loop()
    turns: list[int] = []
    calls = 0

    async def handler(invocation: Invocation) -> Result:
        nonlocal calls
        calls += 1
        loop.call_soon(lambda: turns.append(calls))
        time.sleep(0.03)
        return Ok(None)

    async with listening(REDIS, handler) as connect:
        reader, writer = await connect()
        writer.write(data)
        while calls < 20:
            await reader.readline()
    # One, or two where the second follows from the first.
    assert turns[0] <= 2
    assert turns[4] <= 6
