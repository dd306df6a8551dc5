"""Calls over short connections: providers that are away, silent or rude, and callers that give up."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

from adapters.blocking.client import BlockingClient, ShortOptions
from adapters.rmi import PLUGIN
from adapters.testing import joined
from bench.ports import free_port
from gateway.model.call import Invocation, Ok, Result
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    ContractError,
    DeadlineExceeded,
    Overloaded,
    Retry,
)
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions, Reference
from gateway.spi.cluster import Invoker
from protocols.reader import Limits
from protocols.rmi.client import RmiClientCodec, RmiClientWire
from protocols.testing import CONTRACT

pytestmark = pytest.mark.timeout(60)
KEY = ServiceKey(CONTRACT.name)
ECHO = next(each for each in CONTRACT.methods if each.attribute == "echo_string")
LIMIT_S = 5.0


def invocation(value: str = "x", **more: Any) -> Invocation:
    return Invocation(KEY, ECHO.name, (value,), signature=ECHO, **more)


@asynccontextmanager
async def calling(
    port: int, *, timeout_s: float = 5.0, threads: int = 8, connect_s: float = 3.0, each: int = 64
) -> AsyncIterator[tuple[BlockingClient, Invoker]]:
    wire = RmiClientWire(Limits(), None, lambda: 0, lambda: bytes(16))
    client = BlockingClient(lambda _: wire, lambda _: ShortOptions(connect_s, each), "rmi-test", threads)
    invoker = client.open(Endpoint("rmi", "127.0.0.1", port, KEY), Reference(KEY, CONTRACT, timeout_s=timeout_s))
    try:
        yield client, invoker
    finally:
        await client.aclose()


@asynccontextmanager
async def provider(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> AsyncIterator[int]:
    """A provider that does what a test likes with each connection."""
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.get_running_loop().create_task(serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + LIMIT_S
    while not condition():
        assert monotonic() < deadline
        await asyncio.sleep(0.002)


async def test_a_resolver_that_does_not_answer_costs_no_more_than_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    go, found = threading.Event(), socket.getaddrinfo

    def slow(host: str, *more: Any, **named: Any) -> Any:
        if host == "provider.invalid":
            go.wait(10)
            raise socket.gaierror("no such host")
        return found(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    async with calling(free_port()) as (client, _):
        reference = Reference(KEY, CONTRACT, timeout_s=0.1)
        invoker = client.open(Endpoint("rmi", "provider.invalid", 1099, KEY), reference)
        began = monotonic()
        with pytest.raises(DeadlineExceeded) as raised:
            await invoker(invocation())
        assert monotonic() - began < 2
        assert raised.value.retry is Retry.SAFE
        go.set()
        await until(lambda: client.running == 0)


async def test_an_answer_that_its_codec_cannot_read_fails_the_call_and_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(codec: RmiClientCodec, data: bytes) -> None:
        raise TypeError("a bug")

    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"whatever")
        await reader.read()

    monkeypatch.setattr(RmiClientCodec, "receive", fails)
    async with provider(rude) as port, calling(port) as (client, invoker):
        with pytest.raises(ConnectionLost, match="TypeError while the answer was read"):
            await invoker(invocation())
        await until(lambda: client.running == 0)
    assert "an answer could not be read" in caplog.text


async def test_a_provider_that_is_away_fails_quickly_and_is_found_again() -> None:
    port = free_port()
    async with calling(port) as (_, invoker):
        with pytest.raises(ConnectFailed, match="refused") as raised:
            await invoker(invocation())
        assert raised.value.retry is Retry.SAFE
        assert not invoker.available

        async def echo(call: Invocation) -> Result:
            return Ok(*call.arguments())

        server = PLUGIN.server(ListenerOptions("back", "rmi", "127.0.0.1", port))
        await server.start(echo, [Exposure(KEY, CONTRACT)])
        # By itself, without a call: with back-off, for ever.
        await until(lambda: invoker.available)
        result = await invoker(invocation("again"))
        assert isinstance(result, Ok)
        assert result.value == "again"
        await server.aclose()


@pytest.mark.serial("within 1 s")
async def test_a_silent_provider_costs_the_timeout() -> None:
    async with provider(silent) as port, calling(port, timeout_s=0.2) as (client, invoker):
        began = monotonic()
        with pytest.raises(DeadlineExceeded, match="did not answer within") as raised:
            await invoker(invocation())
        assert 0.15 < monotonic() - began < 1.0
        assert raised.value.retry is Retry.IF_IDEMPOTENT
        assert client.running == 0


@pytest.mark.serial("within 1 s")
async def test_the_deadline_of_a_call_is_kept() -> None:
    async with provider(silent) as port, calling(port) as (_, invoker):
        began = monotonic()
        with pytest.raises(DeadlineExceeded):
            await invoker(invocation(deadline=monotonic() + 0.1))
        assert monotonic() - began < 1.0
        with pytest.raises(DeadlineExceeded, match="before the call was sent") as raised:
            await invoker(invocation(deadline=monotonic() - 0.1))
        assert raised.value.retry is Retry.SAFE


async def test_a_cancelled_call_frees_its_thread() -> None:
    asked = asyncio.Event()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        asked.set()
        await asyncio.Event().wait()

    async with provider(hear) as port, calling(port, threads=1) as (client, invoker):
        task = asyncio.create_task(_call(invoker))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: client.running == 0)


async def _call(invoker: Invoker, **more: Any) -> Result:
    return await invoker(invocation(**more))


@pytest.mark.serial("within 1 s")
async def test_a_slot_is_awaited_no_longer_than_the_deadline() -> None:
    async with provider(silent) as port, calling(port, threads=2) as (client, invoker):
        running = [asyncio.create_task(_call(invoker)) for _ in range(2)]
        await until(lambda: client.running == 2)
        began = monotonic()
        with pytest.raises(Overloaded, match="all 2 connections") as raised:
            await invoker(invocation(deadline=monotonic() + 0.1))
        assert 0.05 < monotonic() - began < 1.0
        assert raised.value.unasked
        waiting = asyncio.create_task(_call(invoker))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await until(lambda: client.running == 0)


async def test_a_silent_provider_has_its_share_of_the_threads_and_no_more() -> None:
    async def echo(call: Invocation) -> Result:
        return Ok(*call.arguments())

    async with (
        joined(PLUGIN, echo, CONTRACT) as pair,
        provider(silent) as port,
        calling(port, threads=3, each=2) as (client, invoker),
    ):
        other = client.open(pair.endpoint, Reference(KEY, CONTRACT))
        running = [asyncio.create_task(_call(invoker)) for _ in range(10)]
        await until(lambda: client.running == 2)
        for _ in range(20):
            result = await other(invocation("well"))
            assert isinstance(result, Ok)
        with pytest.raises(Overloaded, match=f"all 2 connections that may lead to 127.0.0.1:{port}") as raised:
            await invoker(invocation(deadline=monotonic() + 0.1))
        assert (raised.value.retry, raised.value.unasked) == (Retry.SAFE, True)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await until(lambda: client.running == 0)


async def test_who_waits_for_a_thread_and_gives_up_leaves_its_place_at_the_provider() -> None:
    async with provider(silent) as port, provider(silent) as other, calling(port, threads=1, each=1) as (client, first):
        second = client.open(Endpoint("rmi", "127.0.0.1", other, KEY), Reference(KEY, CONTRACT, timeout_s=5))
        running = asyncio.create_task(_call(first))
        await until(lambda: client.running == 1)
        for _ in range(3):
            with pytest.raises(Overloaded, match="all 1 connections that may be open"):
                await second(invocation(deadline=monotonic() + 0.05))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        with pytest.raises(DeadlineExceeded):
            await second(invocation(deadline=monotonic() + 0.1))


async def test_those_who_wait_get_their_turn_in_order() -> None:
    order: list[str] = []

    async def echo(call: Invocation) -> Result:
        (value,) = call.arguments()
        order.append(value)
        await asyncio.sleep(0)
        return Ok(value)

    async with joined(PLUGIN, echo, CONTRACT) as pair, calling(pair.endpoint.port, threads=1) as (_, invoker):
        names = [str(at) for at in range(30)]
        found = await asyncio.gather(*(invoker(invocation(name)) for name in names))
        assert [each.value for each in found if isinstance(each, Ok)] == names
        assert order == names


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"", "without an answer"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "begin no frame"),
        (b"PRMI\x01\x02\x00\x00\x00\x00\x00\x10" + bytes(24) + b"N.", "without an answer"),
        (b"PRMI\x01\x02\x00\x00\xff\xff\xff\xff" + bytes(24), "at most"),
    ],
)
async def test_answers_that_are_none(answer: bytes, text: str) -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.write(answer)
        await writer.drain()

    async with provider(rude) as port, calling(port) as (_, invoker):
        with pytest.raises(ConnectionLost, match=text) as raised:
            await invoker(invocation())
        assert raised.value.retry is Retry.IF_IDEMPOTENT
        assert invoker.available


async def test_a_value_that_does_not_fit_is_not_sent() -> None:
    async with calling(free_port()) as (client, invoker):
        with pytest.raises(BadRequest, match=r"args\[0\]"):
            await invoker(Invocation(KEY, ECHO.name, (7,), signature=ECHO))
        assert client.running == 0
        assert invoker.available


async def test_closing_ends_calls_and_threads() -> None:
    before = set(threading.enumerate())
    async with provider(silent) as port, calling(port) as (client, invoker):
        running = [asyncio.create_task(_call(invoker)) for _ in range(5)]
        await until(lambda: client.running == 5)
        began = monotonic()
        await client.aclose()
        assert monotonic() - began < 2
        for outcome in await asyncio.gather(*running, return_exceptions=True):
            assert isinstance(outcome, ConnectionLost | ConnectFailed)
        with pytest.raises(ConnectFailed, match="closed"):
            await invoker(invocation())
    left = [each for each in set(threading.enumerate()) - before if each.name.startswith("rmi")]
    assert left == []


async def test_an_invoker_that_is_closed_waits_for_its_calls() -> None:
    go = asyncio.Event()

    async def slow(call: Invocation) -> Result:
        await go.wait()
        return Ok(*call.arguments())

    async with joined(PLUGIN, slow, CONTRACT) as pair, calling(pair.endpoint.port) as (client, invoker):
        running = asyncio.create_task(_call(invoker))
        await until(lambda: client.running == 1)
        closing = asyncio.create_task(invoker.aclose())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not closing.done()
        go.set()
        assert isinstance(await running, Ok)
        await closing


async def test_a_secret_that_is_too_short_is_refused() -> None:
    client = PLUGIN.client()
    reference = Reference(KEY, CONTRACT, parameters={"secret": "short"})
    with pytest.raises(ContractError, match="less than 16 bytes"):
        client.open(Endpoint("rmi", "127.0.0.1", 1, KEY), reference)
    await client.aclose()
