"""Calls that come in on one connection and go out on another: a caller that leaves must not hurt those who stay.

A reply is handed to its caller inside the provider connection's `data_received`. Writing to a caller that is gone
must therefore not raise there, close the shared connection, or leave later calls hanging.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.tcp.client import TcpClient
from adapters.tcp.server import TcpServer
from gateway.model.call import Invocation, Result
from gateway.model.endpoint import Endpoint
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions, Reference
from tests.support.raw_peer import LIMIT_S, RawListener, RawPeer
from tests.support.toy_wire import SERVICE, Kind, ToyClientWire, ToyServerWire, call_frame, frame


class Gateway:
    """Forwards every call over one shared connection to a provider the test plays itself."""

    def __init__(self, server: TcpServer, client: TcpClient, port: int, provider: RawPeer) -> None:
        self.server = server
        self.client = client
        self.port = port
        self.provider = provider

    def caller(self) -> RawPeer:
        return RawPeer.connect(self.port)

    async def forwarded(self, count: int) -> list[int]:
        """The ids of the next calls as the provider sees them."""
        return [call_id for _, call_id, _ in await self.provider.frames(count)]

    async def until(self, connections: int) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.server.connections != connections:
                await asyncio.sleep(0)


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    wire = ToyClientWire()
    client = TcpClient(lambda _: wire)
    with RawListener() as listener:
        invoker = client.open(
            Endpoint("toy", "127.0.0.1", listener.port, SERVICE), Reference(SERVICE, None, timeout_s=LIMIT_S)
        )

        async def forward(invocation: Invocation) -> Result:
            return await invoker(invocation)

        server = TcpServer(ListenerOptions("toy", "toy", "127.0.0.1", 0), lambda _: ToyServerWire())
        (endpoint,) = await server.start(forward, [Exposure(SERVICE, None)])
        try:
            with RawPeer.connect(endpoint.port) as first:
                await first.send(call_frame(1, "echo"))
                with await listener.accept() as provider:
                    ((_, call_id, _),) = await provider.frames(1)
                    await provider.send(frame(Kind.REPLY, call_id))
                    await first.frames(1)
                    first.close()
                    it = Gateway(server, client, endpoint.port, provider)
                    await it.until(connections=0)
                    yield it
        finally:
            await server.aclose()
            await client.aclose()


def replies(ids: list[int]) -> bytes:
    return b"".join(frame(Kind.REPLY, each, b"answer") for each in ids)


async def still_works(it: Gateway) -> None:
    """The shared connection is the one it was, and carries calls."""
    with it.caller() as caller:
        await caller.send(call_frame(9, "echo"))
        await it.provider.send(replies(await it.forwarded(1)))
        assert await caller.frames(1) == [(Kind.REPLY, 9, b"answer")]
    (connection,) = it.client.connections
    assert connection.connects == 1
    assert connection.in_flight == 0


@pytest.mark.parametrize("leaving", ["reset", "close", "finish"])
@pytest.mark.parametrize("first_to_call", ["leaver", "stayer"])
async def test_caller_leaves_in_the_turn_in_which_the_reply_comes(leaving: str, first_to_call: str) -> None:
    async with gateway() as it:
        leaver, stayer = it.caller(), it.caller()
        order = [leaver, stayer] if first_to_call == "leaver" else [stayer, leaver]
        for caller in order:
            await caller.send(call_frame(1, "echo") + call_frame(2, "echo"))
        ids = await it.forwarded(4)
        # No turn of the loop between the two: both are found ready by the same poll.
        {"reset": leaver.reset, "close": leaver.close, "finish": leaver.finish}[leaving]()
        it.provider.send_now(replies(ids))
        assert await stayer.frames(2) == [(Kind.REPLY, 1, b"answer"), (Kind.REPLY, 2, b"answer")]
        if leaving == "finish":
            assert [kind for kind, _, _ in await leaver.frames(2)].count(Kind.REPLY) >= 1
        leaver.close()
        stayer.close()
        await still_works(it)


async def test_caller_that_left_before_is_no_longer_waited_for() -> None:
    async with gateway() as it:
        leaver, stayer = it.caller(), it.caller()
        for caller in (leaver, stayer):
            await caller.send(call_frame(1, "echo"))
        ids = await it.forwarded(2)
        leaver.reset()
        await it.until(connections=1)
        async with asyncio.timeout(LIMIT_S):
            while it.client.connections[0].in_flight != 1:
                await asyncio.sleep(0)
        it.provider.send_now(replies(ids))
        assert await stayer.frames(1) == [(Kind.REPLY, 1, b"answer")]
        assert it.client.connections[0].late_replies == 1
        stayer.close()
        await still_works(it)


async def test_connection_to_a_caller_is_closed_by_us_in_the_turn_of_the_reply() -> None:
    async with gateway() as it:
        with it.caller() as caller:
            await caller.send(call_frame(1, "echo"))
            ids = await it.forwarded(1)
            assert it.server._state is not None
            (connection,) = it.server._state.connections
            assert connection._transport is not None
            connection._transport.abort()
            it.provider.send_now(replies(ids))
            await it.until(connections=0)
        await still_works(it)


async def test_caller_whose_codec_fails_gets_no_answer_and_the_others_do(monkeypatch: pytest.MonkeyPatch) -> None:
    async with gateway() as it:
        unlucky, stayer = it.caller(), it.caller()
        for caller in (unlucky, stayer):
            await caller.send(call_frame(1, "echo"))
        ids = await it.forwarded(2)
        assert it.server._state is not None
        port = unlucky.sock.getsockname()[1]
        (connection,) = [each for each in it.server._state.connections if each._peer == f"127.0.0.1:{port}"]

        def broken(ticket: object, outcome: object) -> bytes:
            raise RuntimeError("a bug in a codec")

        monkeypatch.setattr(connection._codec, "reply", broken)
        it.provider.send_now(replies(ids))
        assert await stayer.frames(1) == [(Kind.REPLY, 1, b"answer")]
        unlucky.close()
        stayer.close()
        await it.until(connections=0)
        await still_works(it)


async def test_caller_that_does_not_read_does_not_hold_up_the_others() -> None:
    async with gateway() as it:
        slow, stayer = RawPeer.connect(it.port, receive_buffer=4096), it.caller()
        for number in range(40):
            await slow.send(call_frame(number, "echo"))
        for call_id in await it.forwarded(40):
            await it.provider.send(frame(Kind.REPLY, call_id, bytes(1_000_000)))
        await stayer.send(call_frame(1, "echo"))
        await it.provider.send(replies(await it.forwarded(1)))
        assert await stayer.frames(1) == [(Kind.REPLY, 1, b"answer")]
        assert it.server.refused == {"slow-reader": 1}
        slow.close()
        stayer.close()
        await still_works(it)


async def test_provider_that_is_lost_in_the_turn_in_which_callers_leave() -> None:
    async with gateway() as it:
        callers = [it.caller() for _ in range(10)]
        for caller in callers:
            await caller.send(call_frame(1, "echo"))
        await it.forwarded(10)
        for caller in callers[::2]:
            caller.reset()
        it.provider.reset()
        for caller in callers[1::2]:
            ((kind, _, text),) = await caller.frames(1)
            assert kind == Kind.ERROR
            assert text.startswith(b"connection-lost: ")
            caller.close()
        await it.until(connections=0)


async def test_calls_of_many_callers_that_come_and_go_are_all_accounted_for() -> None:
    async with gateway() as it:
        for turn in range(30):
            callers = [it.caller() for _ in range(6)]
            for caller in callers:
                await caller.send(call_frame(1, "echo") + call_frame(2, "slow"))
            ids = await it.forwarded(12)
            for caller in callers[: turn % 6]:
                caller.reset() if turn % 2 else caller.close()
            it.provider.send_now(replies(ids))
            for caller in callers[turn % 6 :]:
                assert len(await caller.frames(2)) == 2
                caller.close()
        await it.until(connections=0)
        await still_works(it)
