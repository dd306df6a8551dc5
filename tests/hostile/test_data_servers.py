"""What a server of data may send back: whatever it is, the call ends in time with an error that says something."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.data.memcached import MemcachedDataClient
from adapters.data.redis import RedisDataClient
from gateway.model.errors import ConnectionLost, DeadlineExceeded, RpcError
from tests.support.data_shop import calling

BIG = 200_000


@asynccontextmanager
async def server(answer: bytes, *, endless: bytes = b"", closes: bool = False) -> AsyncIterator[int]:
    """Answers everything with these bytes, then with others without an end."""

    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            while await reader.read(65_536):
                writer.write(answer)
                while endless:
                    writer.write(endless)
                    await writer.drain()
                if closes:
                    break
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        # hiredis makes such a list at once, and takes ten seconds to let go of it.
        (b"*1000000000\r\n", "more than 1000000 elements"),
        (b"*1\r\n" * 200 + b":1\r\n", "nested too deeply"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "begins no reply"),
        (b"*-5\r\n", "length of an aggregate"),
    ],
)
async def test_redis_answers_what_costs_more_than_it_sends(answer: bytes, told: str) -> None:
    async with server(answer) as port, calling(RedisDataClient(), "redis", port) as call:
        with pytest.raises(ConnectionLost, match=told):
            await call("get", "a")


@pytest.mark.parametrize(
    ("protocol", "answer"),
    [("redis", b"$5\r\nab"), ("redis", b""), ("memcached", b"VALUE a 0 5\r\nab"), ("memcached", b"")],
)
async def test_half_an_answer_costs_the_deadline(protocol: str, answer: bytes) -> None:
    client = RedisDataClient() if protocol == "redis" else MemcachedDataClient(1)
    async with server(answer) as port, calling(client, protocol, port, timeout_s=0.2) as call:
        for _ in range(2):
            with pytest.raises(DeadlineExceeded):
                await call("get", "a")


@pytest.mark.parametrize("answer", [b"", b"$1000000\r\n", b"*5\r\n"], ids=ascii)
async def test_redis_answers_without_an_end(answer: bytes) -> None:
    endless = b"x" * 10_000 if answer.startswith(b"$") else b"+" + b"x" * 10_000
    async with (
        server(answer, endless=endless) as port,
        calling(RedisDataClient(), "redis", port, payload=BIG) as call,
    ):
        with pytest.raises(
            ConnectionLost, match=r"none of Redis.s: a (reply of more than 200000 bytes|line without an end)"
        ):
            await call("get", "a")


async def test_a_line_of_memcached_without_an_end_costs_the_deadline() -> None:
    async with (
        server(b"", endless=b"x" * 1_000) as port,
        calling(MemcachedDataClient(2), "memcached", port, timeout_s=0.2) as call,
    ):
        with pytest.raises(RpcError):
            await call("get", "a")


@pytest.mark.parametrize(
    ("protocol", "client"), [("redis", RedisDataClient), ("memcached", MemcachedDataClient)], ids=["redis", "memcached"]
)
async def test_an_invoker_is_closed_when_its_calls_have_ended(protocol: str, client: type) -> None:
    async with server(b"") as port, calling(client(), protocol, port, timeout_s=0.3) as call:
        running = asyncio.ensure_future(call("get", "a"))
        await asyncio.sleep(0)
        await call.invoker.aclose()
        assert running.done()
        with pytest.raises(DeadlineExceeded):
            await running
