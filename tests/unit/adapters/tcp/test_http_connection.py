"""HTTP on the TCP driver: connections that end by agreement, and callers that leave without saying so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import Any

from adapters.tcp.server import ListenerState, TcpServer
from adapters.tcp.server_connection import ServerConnection
from adapters.tcp.timers import TimerWheel
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions
from protocols.http.limits import HttpLimits
from protocols.http.server import HttpServerWire
from tests.support.echo_binding import SERVICE, EchoBinding
from tests.support.fake_transport import FakeTransport
from tests.support.http_peer import Answer, get, post, read_answers
from tests.support.raw_peer import LIMIT_S, RawPeer
from tests.support.toy_wire import ToyService

CLOSE = b"Connection: close"


class Running:
    """A listener that echoes, and the service behind it."""

    def __init__(self, server: TcpServer, service: ToyService, port: int) -> None:
        self.server = server
        self.service = service
        self.port = port

    def peer(self, **options: Any) -> RawPeer:
        return RawPeer.connect(self.port, **options)

    async def until(self, connections: int) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.server.connections != connections:
                await asyncio.sleep(0)


@asynccontextmanager
async def running(half_close_grace_s: float = 10.0, **limits: Any) -> AsyncIterator[Running]:
    service = ToyService()
    options = replace(ListenerOptions("web", "http", "127.0.0.1", 0), **limits)
    wire = HttpServerWire(EchoBinding(), HttpLimits(max_body_bytes=1_000_000))
    server = TcpServer(options, lambda _: wire, half_close_grace_s=half_close_grace_s, quiet_s=0.1)
    (endpoint,) = await server.start(service, [Exposure(SERVICE, None)])
    try:
        yield Running(server, service, endpoint.port)
    finally:
        await server.aclose()


async def answers(peer: RawPeer, count: int) -> list[Answer]:
    """The next answers of a connection that stays open."""
    data = b""
    async with asyncio.timeout(LIMIT_S):
        while True:
            found = read_answers(data)
            if len(found) >= count and found[-1].complete:
                return found
            data += await asyncio.get_running_loop().sock_recv(peer.sock, 1 << 18)


async def test_pipelined_calls_are_answered_in_order_in_one_write() -> None:
    async with running() as it:
        with it.peer() as peer:
            await peer.send(post(b"1", target=b"/slow") + post(b"2") + get() + post(b"3", target=b"/slow"))
            await it.service.until(waiting=2)
            it.service.finish(1)
            it.service.finish(0)
            assert [each.body for each in await answers(peer, 4)] == [b"1", b"2", b"a document", b"3"]


async def test_connection_closes_behind_the_last_answer() -> None:
    async with running() as it:
        with it.peer() as peer:
            await peer.send(post(b"1", target=b"/slow") + post(b"2", CLOSE) + post(b"never read"))
            await it.service.until(waiting=1)
            assert it.server.connections == 1
            it.service.finish()
            found = read_answers(await peer.end())
            assert [(each.body, each.keep) for each in found] == [(b"1", True), (b"2", False)]
        await it.until(connections=0)
        assert it.server.refused == {}


async def test_connection_closes_behind_an_answer_that_needed_no_call() -> None:
    async with running() as it:
        with it.peer() as peer:
            await peer.send(get(version=b"1.0"))
            assert [each.body for each in read_answers(await peer.end())] == [b"a document"]


async def test_last_answer_of_many_megabytes_arrives_whole() -> None:
    async with running() as it:
        with it.peer(receive_buffer=4096) as peer:
            await peer.send(post(b"8000000", CLOSE, target=b"/big"))
            (answer,) = read_answers(await peer.end())
            assert answer.body == bytes(8_000_000)


async def test_refused_body_gets_its_answer_although_more_arrives() -> None:
    async with running() as it:
        with it.peer() as peer:
            head = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n"
            await peer.send(head + bytes(3_000_000))
            assert [each.status for each in read_answers(await peer.end())] == [413]
        await it.until(connections=0)
        assert it.server.refused == {"body-too-large": 1}


async def test_refusals_of_requests_are_counted_by_their_code() -> None:
    async with running() as it:
        with it.peer() as peer:
            await peer.send(get(b"/refused") + get(method=b"TRACE"))
            assert [each.status for each in await answers(peer, 2)] == [403, 405]
        assert it.server.refused == {"forbidden": 1, "bad-request": 1}


async def test_body_that_trickles_is_closed_after_the_frame_limit() -> None:
    async with running(frame_timeout_s=0.08) as it:
        with it.peer() as peer:
            await peer.send(post(b"x" * 100)[:-50])
            sender = asyncio.create_task(_trickle(peer))
            assert await peer.end() == b""
            sender.cancel()
        await it.until(connections=0)
        assert it.server.refused == {"frame-timeout": 1}


async def _trickle(peer: RawPeer) -> None:
    for _ in range(40):
        await asyncio.sleep(0.01)
        await peer.send(b"x")


async def test_half_closed_peer_gets_its_answer() -> None:
    async with running() as it:
        with it.peer() as peer:
            await peer.send(post(b"x", target=b"/slow"))
            await it.service.until(waiting=1)
            peer.finish()
            await asyncio.sleep(0)
            it.service.finish()
            # What the listener asks whether the peer is there comes before it.
            found = [each for each in read_answers(await peer.end()) if each.status >= 200]
            assert [each.body for each in found] == [b"x"]
        assert it.server.refused == {}


async def test_calls_of_a_peer_that_left_are_cancelled() -> None:
    """An interim response, which clients pass over, comes back as a reset."""
    async with running(half_close_grace_s=0.08) as it:
        peer = it.peer()
        await peer.send(post(b"x", target=b"/slow"))
        await it.service.until(waiting=1)
        peer.close()
        await it.service.until(cancelled=1)
        await it.until(connections=0)
        assert it.server.refused == {}


async def test_calls_of_a_peer_that_cannot_be_asked_whether_it_left_are_cancelled_after_the_grace() -> None:
    async with running(half_close_grace_s=0.08) as it:
        peer = it.peer()
        await peer.send(post(b"x", target=b"/slow").replace(b"HTTP/1.1", b"HTTP/1.0"))
        await it.service.until(waiting=1)
        peer.close()
        await it.service.until(cancelled=1)
        await it.until(connections=0)
        assert it.server.refused == {"half-closed": 1}


async def test_draining_ends_busy_connections_with_their_last_answer() -> None:
    async with running() as it:
        with it.peer() as busy, it.peer() as idle:
            await busy.send(post(b"x", target=b"/slow"))
            await idle.send(post(b"before"))
            await answers(idle, 1)
            await it.service.until(waiting=1)
            draining = asyncio.create_task(it.server.drain(monotonic() + LIMIT_S))
            await asyncio.sleep(0)
            # This one was on its way when draining began.
            await idle.send(post(b"crossed"))
            found = read_answers(await idle.end())
            assert [(each.body, each.keep) for each in found] == [(b"crossed", False)]
            it.service.finish()
            found = read_answers(await busy.end())
            assert [(each.body, each.keep) for each in found] == [(b"x", False)]
            await draining


async def test_requests_held_back_for_a_slow_reader_are_answered_before_the_connection_ends() -> None:
    async with running(max_write_buffer_bytes=4096) as it:
        with it.peer(receive_buffer=4096) as peer:
            await peer.send(post(b"500000", target=b"/big") * 5 + post(b"last", CLOSE))
            found = read_answers(await peer.end())
            assert [len(each.body) for each in found] == [500_000] * 5 + [4]
            assert [each.keep for each in found] == [True] * 5 + [False]


SLOW = post(b"slow", target=b"/slow")


async def test_large_answers_behind_a_slow_call_do_not_pile_up() -> None:
    async with running(max_write_buffer_bytes=10_000) as it:
        with it.peer() as peer:
            await peer.send(SLOW + post(b"6000", target=b"/big") * 100 + post(b"last", CLOSE))
            await it.service.until(received=3, waiting=1)
            # Two exceed the limit together; what follows waits for the slow one, whatever comes in meanwhile.
            await peer.send(post(b"too late"))
            await asyncio.sleep(0.05)
            assert it.service.received == ["slow", "big", "big"]
            it.service.finish()
            found = read_answers(await peer.end())
            assert [len(each.body) for each in found] == [4] + [6000] * 100 + [4]
            assert found[-1].body == b"last"
            assert it.server.refused == {}


async def test_peer_that_leaves_while_answers_pile_up_is_noticed() -> None:
    async with running(max_write_buffer_bytes=10_000, frame_timeout_s=0.2) as it:
        peer = it.peer()
        await peer.send(SLOW + post(b"20000", target=b"/big"))
        await it.service.until(received=2, waiting=1)
        peer.close()
        await it.service.until(cancelled=1)
        await it.until(connections=0)
        assert it.server.refused == {}


async def test_calls_behind_a_slow_one_that_answer_far_too_much_end_the_connection() -> None:
    async with running(max_write_buffer_bytes=1_000, max_frame_bytes=1_000) as it:
        with it.peer() as peer:
            await peer.send(SLOW * 100)
            await it.service.until(waiting=100)
            for _ in range(18):
                it.service.finish(1, bytes(500))
            assert await peer.end() == b""
            assert it.server.refused == {"answers-held": 1}
            await it.service.until(waiting=0, cancelled=82)


async def test_a_message_is_given_its_time_again_after_answers_piled_up() -> None:
    async with running(max_write_buffer_bytes=10_000, frame_timeout_s=0.2) as it:
        with it.peer() as peer:
            await peer.send(SLOW + post(b"20000", target=b"/big") + post(b"half")[:-2])
            await it.service.until(received=2, waiting=1)
            await asyncio.sleep(0.3)
            it.service.finish()
            while len([each for each in await answers(peer, 1) if each.body]) < 2:
                pass
            await peer.send(b"lf")
            assert (await answers(peer, 1))[0].body == b"half"
            assert it.server.refused == {}


def lingering(untaken: int) -> tuple[ServerConnection, FakeTransport]:
    """A connection whose peer was told everything, and has not taken the last bytes of it."""
    loop = asyncio.get_running_loop()
    options = ListenerOptions("web", "http", "127.0.0.1", 0, frame_timeout_s=30.0)
    state = ListenerState(options, ToyService(), HttpServerWire(EchoBinding()), loop, TimerWheel(loop))
    connection = ServerConnection(state, "10.0.0.1", "10.0.0.1:1")
    state.connected.add(connection, "10.0.0.1")
    transport = FakeTransport(connection, is_open=False)
    connection.data_received(get(b"/document", CLOSE))
    assert transport.ended
    transport.held = untaken
    return connection, transport


async def test_peer_that_takes_its_last_answer_slowly_is_given_time() -> None:
    connection, transport = lingering(1000)
    now = monotonic()
    for second in range(0, 200, 20):
        connection.check(now + second, 0)
        assert not transport.aborted
        transport.take(100)
    connection.check(now + 201, 0)
    connection.check(now + 203, 0)
    assert transport.aborted


async def test_peer_that_takes_nothing_of_its_last_answer_is_dropped() -> None:
    connection, transport = lingering(1000)
    now = monotonic()
    connection.check(now + 1, 0)
    connection.check(now + 29, 0)
    assert not transport.aborted
    connection.check(now + 32, 0)
    assert transport.aborted
