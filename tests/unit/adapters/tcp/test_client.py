"""Calls over real sockets: which connections are shared, and what callers notice of providers that come and go."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest

from adapters.tcp import provider_connection
from adapters.tcp.client import TcpClient
from adapters.tcp.provider_connection import ConnectionOptions, ProviderConnection
from adapters.tcp.server import TcpServer
from gateway.model.call import Invocation, Ok, Result
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import ConnectFailed, ConnectionLost, DeadlineExceeded, Retry, RpcError
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions, Reference
from gateway.spi.cluster import Invoker
from tests.support.raw_peer import LIMIT_S, RawListener, full_listener
from tests.support.toy_wire import (
    SERVICE,
    Frames,
    Kind,
    ToyClientWire,
    ToyServerWire,
    ToyService,
    call_frame,
    frame,
)

REFERENCE = Reference(SERVICE, None, timeout_s=LIMIT_S)


def options_of(reference: Reference) -> ConnectionOptions:
    own: Mapping[str, Any] = reference.parameters
    return ConnectionOptions(**{"backoff_s": 0.01, "max_backoff_s": 0.02, **own})


@asynccontextmanager
async def toy_client(wire: ToyClientWire | None = None) -> AsyncIterator[TcpClient]:
    wire = wire or ToyClientWire()
    client = TcpClient(lambda _: wire, options_of)
    try:
        yield client
    finally:
        await client.aclose()


class Provider:
    """A listener with a toy service, that can be stopped and started again on its port."""

    def __init__(self) -> None:
        self.service = ToyService()
        self.port = 0
        self.server: TcpServer

    async def start(self) -> None:
        options = ListenerOptions("toy", "toy", "127.0.0.1", self.port)
        # Heartbeats, so that it soon notices callers that are gone.
        self.server = TcpServer(options, lambda _: ToyServerWire(), heartbeat_s=0.05, quiet_s=0.1)
        (endpoint,) = await self.server.start(self.service, [Exposure(SERVICE, None)])
        self.port = endpoint.port

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("toy", "127.0.0.1", self.port, SERVICE)

    async def until(self, connections: int) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.server.connections != connections:
                await asyncio.sleep(0)


@asynccontextmanager
async def providing() -> AsyncIterator[Provider]:
    provider = Provider()
    await provider.start()
    try:
        yield provider
    finally:
        await provider.server.aclose()


async def call(invoker: Invoker, argument: bytes = b"x", method: str = "echo", **attributes: Any) -> Any:
    result: Result = await invoker(Invocation(SERVICE, method, (argument,), **attributes))
    assert isinstance(result, Ok)
    return result.value


async def until_available(invoker: Invoker, expected: bool = True) -> None:
    async with asyncio.timeout(LIMIT_S):
        while invoker.available is not expected:
            await asyncio.sleep(0)


async def failure(call: Any) -> RpcError:
    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(RpcError) as caught:
            await call
    return caught.value


async def test_nothing_is_connected_before_the_first_call() -> None:
    async with providing() as provider, toy_client() as client:
        invoker = client.open(provider.endpoint, REFERENCE)
        assert invoker.available
        assert invoker.endpoint == provider.endpoint
        await asyncio.sleep(0)
        assert provider.server.connections == 0
        assert await call(invoker, b"hello") == b"hello"
        assert provider.server.connections == 1


async def test_references_to_one_address_share_a_connection_until_the_last_gives_it_back() -> None:
    async with providing() as provider, toy_client() as client:
        other = replace(provider.endpoint, service=ServiceKey("toy.Other"))
        first, second = client.open(provider.endpoint, REFERENCE), client.open(other, REFERENCE)
        await asyncio.gather(*(call(invoker) for invoker in (first, second) for _ in range(5)))
        assert provider.server.connections == 1
        assert len(client.connections) == 1
        await first.aclose()
        await first.aclose()
        assert await call(second) == b"x"
        await second.aclose()
        await provider.until(connections=0)
        assert client.connections == ()


async def test_address_that_was_given_back_can_be_opened_again() -> None:
    async with providing() as provider, toy_client() as client:
        for _ in range(3):
            invoker = client.open(provider.endpoint, REFERENCE)
            await call(invoker)
            await invoker.aclose()
        await provider.until(connections=0)


async def test_different_options_or_wires_do_not_share() -> None:
    async with providing() as provider:
        wires = {"one": ToyClientWire(), "two": ToyClientWire()}
        client = TcpClient(lambda reference: wires[reference.application])
        plain = replace(REFERENCE, application="one")
        beating = TcpClient(lambda reference: wires["one"], options_of)
        opened = [
            client.open(provider.endpoint, plain),
            client.open(provider.endpoint, plain),
            client.open(provider.endpoint, replace(plain, application="two")),
            beating.open(provider.endpoint, replace(plain, parameters={"heartbeat_s": 1.0})),
            beating.open(provider.endpoint, replace(plain, parameters={"heartbeat_s": 2.0})),
        ]
        for invoker in opened:
            await call(invoker)
        assert (len(client.connections), len(beating.connections)) == (2, 2)
        assert provider.server.connections == 4
        await client.aclose()
        await beating.aclose()


async def test_private_connections_are_taken_in_turn_and_not_shared() -> None:
    async with providing() as provider, toy_client() as client:
        private = replace(REFERENCE, connections=3)
        first, second = client.open(provider.endpoint, private), client.open(provider.endpoint, private)
        for _ in range(6):
            await call(first)
        assert provider.server.connections == 3
        await call(second)
        assert provider.server.connections == 4
        await first.aclose()
        await provider.until(connections=1)


async def test_private_connections_that_are_lost_are_left_out() -> None:
    async with providing() as provider, toy_client() as client:
        invoker = client.open(provider.endpoint, replace(REFERENCE, connections=2))
        for _ in range(2):
            await call(invoker)
        first, second = client.connections
        first._draining = True
        seen = [invoker.available]
        for _ in range(4):
            await call(invoker)
        second._draining = True
        seen.append(invoker.available)
        assert seen == [True, False]
        assert isinstance(await failure(call(invoker)), ConnectFailed)


async def test_many_calls_at_once_get_their_own_answers() -> None:
    async with providing() as provider, toy_client() as client:
        invoker = client.open(provider.endpoint, REFERENCE)
        arguments = [b"%d" % number for number in range(500)]
        assert await asyncio.gather(*(call(invoker, each) for each in arguments)) == arguments
        assert provider.server.connections == 1


async def test_answers_in_another_order() -> None:
    async with providing() as provider, toy_client() as client:
        invoker = client.open(provider.endpoint, REFERENCE)
        calls = [asyncio.create_task(call(invoker, each, "slow")) for each in (b"a", b"b", b"c")]
        await provider.service.until(waiting=3)
        for index in (2, 0, 0):
            provider.service.finish(index)
        assert await asyncio.gather(*calls) == [b"a", b"b", b"c"]


async def test_large_argument_and_answer() -> None:
    async with providing() as provider, toy_client() as client:
        invoker = client.open(provider.endpoint, REFERENCE)
        assert await call(invoker, bytes(3_000_000)) == bytes(3_000_000)
        assert len(await call(invoker, b"3000000", "big")) == 3_000_000


async def test_provider_that_restarts_is_used_again_and_no_later_call_is_lost() -> None:
    async with providing() as provider, toy_client() as client:
        invoker = client.open(provider.endpoint, REFERENCE)
        for restart in range(3):
            assert await call(invoker) == b"x"
            await provider.server.aclose()
            error = await failure(call(invoker))
            assert isinstance(error, ConnectFailed | ConnectionLost), restart
            await provider.start()
            await until_available(invoker)
            assert await asyncio.gather(*(call(invoker) for _ in range(20))) == [b"x"] * 20


async def test_provider_that_is_not_there_yet_is_found_when_it_comes() -> None:
    with RawListener() as nobody:
        port = nobody.port
    async with toy_client() as client:
        provider = Provider()
        provider.port = port
        invoker = client.open(provider.endpoint, REFERENCE)
        assert isinstance(await failure(call(invoker)), ConnectFailed)
        assert not invoker.available
        await provider.start()
        await until_available(invoker)
        assert await call(invoker) == b"x"
        await provider.server.aclose()


async def test_failed_connects_are_not_repeated_for_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = 0
    real = ProviderConnection._connect

    async def counted(self: ProviderConnection) -> None:
        nonlocal attempts
        attempts += 1
        await real(self)

    monkeypatch.setattr(ProviderConnection, "_connect", counted)
    # A refusal spares calls an attempt for a moment; here a moment is long.
    monkeypatch.setattr(provider_connection, "SPARED_S", 60.0)
    with RawListener() as nobody:
        endpoint = Endpoint("toy", "127.0.0.1", nobody.port, SERVICE)
    async with toy_client() as client:
        invoker = client.open(endpoint, replace(REFERENCE, parameters={"backoff_s": 60.0}))
        for _ in range(50):
            error = await failure(call(invoker))
            assert isinstance(error, ConnectFailed)
            assert error.retry is Retry.SAFE
        assert attempts == 1


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "127.0.0.1.", "..", "no such host"])
async def test_host_that_cannot_exist_is_a_failed_connect(host: str) -> None:
    async with toy_client() as client:
        invoker = client.open(Endpoint("toy", host, 1, SERVICE), REFERENCE)
        error = await failure(call(invoker))
        assert isinstance(error, ConnectFailed)
        assert not invoker.available


async def test_connect_that_gets_no_answer_is_given_up() -> None:
    async with full_listener() as port, toy_client() as client:
        endpoint = Endpoint("toy", "127.0.0.1", port, SERVICE)
        invoker = client.open(endpoint, replace(REFERENCE, parameters={"connect_timeout_s": 0.03}))
        error = await failure(call(invoker))
        assert isinstance(error, ConnectFailed)
        assert "no connection within 0.03 s" in str(error)


async def test_connect_does_not_outlast_the_call() -> None:
    async with full_listener() as port, toy_client() as client:
        invoker = client.open(Endpoint("toy", "127.0.0.1", port, SERVICE), replace(REFERENCE, timeout_s=0.03))
        error = await failure(call(invoker))
        assert isinstance(error, DeadlineExceeded)
        assert error.retry is Retry.SAFE


async def test_closing_while_it_connects_fails_the_call_and_leaves_nothing() -> None:
    async with full_listener() as port, toy_client() as client:
        invoker = client.open(Endpoint("toy", "127.0.0.1", port, SERVICE), REFERENCE)
        waiting = asyncio.create_task(call(invoker))
        await asyncio.sleep(0.01)
        await client.aclose()
        assert isinstance(await failure(waiting), ConnectFailed)


@pytest.mark.parametrize("ending", ["reset", "close"])
async def test_calls_in_flight_when_the_connection_breaks_may_have_run(ending: str) -> None:
    with RawListener() as listener:
        async with toy_client() as client:
            invoker = client.open(Endpoint("toy", "127.0.0.1", listener.port, SERVICE), REFERENCE)
            calls = [asyncio.create_task(call(invoker)) for _ in range(3)]
            peer = await listener.accept()
            await peer.frames(3)
            peer.reset() if ending == "reset" else peer.close()
            for each in calls:
                error = await failure(each)
                assert isinstance(error, ConnectionLost)
                assert error.retry is Retry.IF_IDEMPOTENT
            # It comes back by itself.
            (await listener.accept()).close()


async def test_timeouts_are_those_of_the_method_and_never_beyond_the_deadline() -> None:
    with RawListener() as silent:
        async with toy_client() as client:
            reference = replace(REFERENCE, timeout_s=0.04, method_timeouts_s={"slow": 0.02})
            invoker = client.open(Endpoint("toy", "127.0.0.1", silent.port, SERVICE), reference)
            assert "within 0.04 s" in str(await failure(call(invoker)))
            assert "within 0.02 s" in str(await failure(call(invoker, method="slow")))
            deadline = monotonic() + 0.01
            error = await failure(call(invoker, deadline=deadline))
            assert isinstance(error, DeadlineExceeded)
            assert error.retry is Retry.IF_IDEMPOTENT
            assert deadline <= monotonic()
            passed = await failure(call(invoker, deadline=monotonic() - 1))
            assert isinstance(passed, DeadlineExceeded)
            assert passed.retry is Retry.SAFE
            with await silent.accept() as peer:
                await client.aclose()
                assert len(Frames().feed(await peer.end())) == 3


async def test_late_reply_is_counted_and_the_next_call_undisturbed() -> None:
    with RawListener() as listener:
        async with toy_client() as client:
            endpoint = Endpoint("toy", "127.0.0.1", listener.port, SERVICE)
            invoker = client.open(endpoint, replace(REFERENCE, method_timeouts_s={"slow": 0.02}))
            late = asyncio.create_task(call(invoker, method="slow"))
            with await listener.accept() as peer:
                await peer.frames(1)
                assert isinstance(await failure(late), DeadlineExceeded)
                following = asyncio.create_task(call(invoker))
                ((_, call_id, _),) = await peer.frames(1)
                peer.send_now(frame(Kind.REPLY, 1, b"late") + frame(Kind.REPLY, call_id, b"mine"))
                assert await following == b"mine"
                assert client.connections[0].late_replies == 1


async def test_caller_that_goes_away_lets_the_others_go_on() -> None:
    async with providing() as provider, toy_client() as client:
        invoker = client.open(provider.endpoint, REFERENCE)
        gone = asyncio.create_task(call(invoker, b"gone", "slow"))
        staying = asyncio.create_task(call(invoker, b"staying", "slow"))
        await provider.service.until(waiting=2)
        gone.cancel()
        await asyncio.wait([gone])
        assert client.connections[0].in_flight == 1
        provider.service.finish()
        provider.service.finish()
        assert await staying == b"staying"


async def test_provider_that_drains_becomes_unavailable_and_answers_what_it_has() -> None:
    async with providing() as provider, toy_client() as client:
        invoker = client.open(provider.endpoint, REFERENCE)
        running = asyncio.create_task(call(invoker, b"running", "slow"))
        await provider.service.until(waiting=1)
        draining = asyncio.create_task(provider.server.drain(monotonic() + LIMIT_S))
        await until_available(invoker, False)
        error = await failure(call(invoker))
        assert isinstance(error, ConnectFailed)
        assert error.retry is Retry.SAFE
        provider.service.finish()
        assert await running == b"running"
        await draining


async def test_heartbeats_keep_a_quiet_connection() -> None:
    async with providing() as provider, toy_client() as client:
        invoker = client.open(provider.endpoint, replace(REFERENCE, parameters={"heartbeat_s": 0.04}))
        await call(invoker)
        connection = client.connections[0]
        seen = connection._last_read
        async with asyncio.timeout(LIMIT_S):
            while connection._last_read < seen + 0.15:
                await asyncio.sleep(0.005)
        assert connection.connects == 1


async def test_silent_provider_is_given_up() -> None:
    with RawListener() as listener:
        async with toy_client() as client:
            endpoint = Endpoint("toy", "127.0.0.1", listener.port, SERVICE)
            invoker = client.open(endpoint, replace(REFERENCE, parameters={"heartbeat_s": 0.02}))
            waiting = asyncio.create_task(call(invoker))
            with await listener.accept() as peer:
                assert isinstance(await failure(waiting), ConnectionLost)
                sent = Frames().feed(await peer.end())
                assert [kind for kind, _, _ in sent][:2] == [Kind.CALL, Kind.PING]


async def test_oneway_call_right_before_closing_arrives() -> None:
    async with providing() as provider, toy_client() as client:
        invoker = client.open(provider.endpoint, REFERENCE)
        await call(invoker)
        await call(invoker, bytes(2_000_000), oneway=True)
        await client.aclose()
        await provider.service.until(received=2)


async def test_giving_back_lets_calls_in_progress_end() -> None:
    async with providing() as provider, toy_client() as client:
        invoker = client.open(provider.endpoint, REFERENCE)
        running = asyncio.create_task(call(invoker, b"running", "slow"))
        await provider.service.until(waiting=1)
        closing = asyncio.create_task(invoker.aclose())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not closing.done()
        provider.service.finish()
        assert await running == b"running"
        await closing
        await provider.until(connections=0)


async def test_giving_back_that_is_cancelled_closes_all_the_same() -> None:
    async with providing() as provider, toy_client() as client:
        invoker = client.open(provider.endpoint, REFERENCE)
        running = asyncio.create_task(call(invoker, b"running", "slow"))
        await provider.service.until(waiting=1)
        closing = asyncio.create_task(invoker.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        assert isinstance(await failure(running), ConnectionLost)
        assert client.connections == ()


async def test_closing_the_client_fails_calls_and_ends_whoever_waits_to_give_back() -> None:
    async with providing() as provider, toy_client() as client:
        invoker = client.open(provider.endpoint, REFERENCE)
        running = asyncio.create_task(call(invoker, b"running", "slow"))
        await provider.service.until(waiting=1)
        closing = asyncio.create_task(invoker.aclose())
        await asyncio.sleep(0)
        await client.aclose()
        await client.aclose()
        assert isinstance(await failure(running), ConnectionLost)
        async with asyncio.timeout(LIMIT_S):
            await closing
        await provider.service.until(cancelled=1)
        await invoker.aclose()


async def test_client_without_connections_closes() -> None:
    async with toy_client() as client:
        await client.aclose()


async def test_client_that_has_nothing_left_keeps_no_timer() -> None:
    async with providing() as provider, toy_client() as client:
        invoker = client.open(provider.endpoint, replace(REFERENCE, parameters={"heartbeat_s": 0.02}))
        await call(invoker)
        await invoker.aclose()
        async with asyncio.timeout(LIMIT_S):
            while client._sweeper is not None:
                await asyncio.sleep(0.002)


def test_call_frame_and_client_agree() -> None:
    # The tests above rest on the toy wire; this is the form its description promises.
    assert call_frame(7, "echo", b"\x01", 1.5) == bytes.fromhex("0000000f0100000007000005dc04") + b"echo\x01"


@pytest.mark.parametrize("turns", range(6))
async def test_a_client_whose_end_is_cancelled_connects_no_more(turns: int) -> None:
    def at_work() -> list[str]:
        return [str(each) for each in asyncio.all_tasks() if "ProviderConnection" in str(each)]

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = TcpClient(lambda _: ToyClientWire(), options_of)
    with pytest.raises(ConnectFailed):
        await client.open(Endpoint("toy", "127.0.0.1", port, SERVICE), REFERENCE)(Invocation(SERVICE, "echo", ("x",)))
    # It goes on trying by itself.
    assert at_work()
    ending = asyncio.create_task(client.aclose())
    for _ in range(turns):
        await asyncio.sleep(0)
    ending.cancel()
    await asyncio.wait([ending])
    if turns:
        # Otherwise it had not begun.
        async with asyncio.timeout(LIMIT_S):
            while at_work():
                await asyncio.sleep(0.01)
    await client.aclose()
    assert not at_work()
