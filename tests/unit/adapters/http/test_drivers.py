"""Listeners over HTTP on real sockets, the same for both drivers: framing, limits, hang-ups, draining and closing."""

from __future__ import annotations

import asyncio
import gzip
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, Final

import pytest

from adapters.http.server import AiohttpServer
from adapters.tcp.server import TcpServer
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions
from protocols.http.limits import HttpLimits
from protocols.http.server import HttpServerWire
from tests.support.cpu_time import cpu_within
from tests.support.echo_binding import SERVICE, EchoBinding, EchoService
from tests.support.raw_peer import LIMIT_S, RawPeer

Server = AiohttpServer | TcpServer

_QUIET_S = 0.1


@dataclass
class Running:
    """A listener, the service behind it, and where it listens."""

    server: Server
    service: EchoService
    port: int

    def peer(self, **options: Any) -> RawPeer:
        return RawPeer.connect(self.port, **options)

    async def ask(self, data: bytes, **options: Any) -> list[Answer]:
        """What one connection answers to these bytes until it closes, or says nothing for a while."""
        peer = self.peer(**options)
        try:
            await peer.send(data)
            peer.finish()
            # A listener may ask by an interim response whether a peer that sends no more is still there.
            return [each for each in answers(await peer.end()) if each.status >= 200]
        finally:
            peer.sock.close()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not holds():
                await asyncio.sleep(0.005)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def answers(data: bytes) -> list[Answer]:
    """Takes a stream of responses apart, all of which must say their length; a last one may be incomplete."""
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", "0"))
        found.append(Answer(int(first.split(" ")[1]), headers, data[:length]))
        data = data[length:]
    return found


def post(method: str, body: bytes = b"", *fields: str) -> bytes:
    lines = [f"POST /{method} HTTP/1.1", "Host: x", *fields, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def head(*lines: str) -> bytes:
    return "\r\n".join((*lines, "", "")).encode("latin-1")


@pytest.fixture(params=["aiohttp", "lean"])
def driver(request: pytest.FixtureRequest) -> str:
    driver: str = request.param
    return driver


Listen = Callable[..., Awaitable[Running]]


@pytest.fixture
async def listen(driver: str) -> AsyncIterator[Listen]:
    servers: list[Server] = []

    async def make(**limits: Any) -> Running:
        options = replace(ListenerOptions("web", "http", "127.0.0.1", 0), **limits)
        sizes = HttpLimits(max_body_bytes=options.max_frame_bytes, max_inflated_bytes=options.max_frame_bytes)
        server: Server
        if driver == "aiohttp":
            server = AiohttpServer(options, lambda _: EchoBinding(), sizes, quiet_s=_QUIET_S)
        else:
            server = TcpServer(options, lambda _: HttpServerWire(EchoBinding(), sizes), quiet_s=_QUIET_S)
        service = EchoService()
        (endpoint,) = await server.start(service, [Exposure(SERVICE, None)])
        servers.append(server)
        return Running(server, service, endpoint.port)

    before = asyncio.all_tasks()
    yield make
    for server in servers:
        await server.aclose()
        assert server.connections == 0
    assert {task for task in asyncio.all_tasks() - before if not task.done()} - {asyncio.current_task()} == set()


async def test_keeps_the_connection_between_requests(listen: Listen) -> None:
    web = await listen()

    found = await web.ask(post("echo", b"a") + post("echo", b"b") + head("GET /document HTTP/1.1", "Host: x"))

    assert [each.status for each in found] == [200, 200, 200]
    assert [each.body for each in found[:2]] == [b"a", b"b"]


async def test_closes_when_the_peer_asks_for_it(listen: Listen) -> None:
    web = await listen()
    peer = web.peer()
    await peer.send(post("echo", b"a", "Connection: close"))

    (found,) = answers(await peer.end())

    assert found.headers["connection"] == "close"
    peer.sock.close()


@pytest.mark.parametrize(("fields", "stays"), [((), False), (("Connection: keep-alive",), True)])
async def test_http_1_0_closes_unless_asked_to_stay(listen: Listen, fields: tuple[str, ...], stays: bool) -> None:
    web = await listen()
    peer = web.peer()
    await peer.send(head("GET /a HTTP/1.0", *fields) * 2)
    if stays:
        peer.finish()

    assert len(answers(await peer.end())) == (2 if stays else 1)
    peer.sock.close()


async def test_head_is_get_without_a_body(listen: Listen) -> None:
    web = await listen()

    peer = web.peer()
    await peer.send(head("HEAD /a HTTP/1.1", "Host: x", "Connection: close"))
    data = await peer.end()

    assert data.startswith(b"HTTP/1.1 200 OK\r\n")
    assert data.endswith(b"\r\n\r\n")
    assert b"application/json" in data
    peer.sock.close()


async def test_pipelined_requests_are_answered_in_order_up_to_a_bad_one(listen: Listen) -> None:
    web = await listen()
    good = b"".join(post("echo", b"%d" % number) for number in range(50))

    found = await web.ask(good + b"GET nonsense HTTP/1.1\r\nHost: x\r\n\r\n" + good)

    assert [each.body for each in found[:50]] == [b"%d" % number for number in range(50)]
    assert [each.status for each in found[50:]] == [400]


@pytest.mark.parametrize("size", [1, 2, 7, 64])
async def test_any_split_gives_the_same_answers(listen: Listen, size: int) -> None:
    web = await listen()
    chunked = (
        head("POST /echo HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    )
    data = post("echo", b"hello") + chunked + post("echo", b"again", "Connection: close")
    peer = web.peer()
    reading = asyncio.create_task(peer.end())
    for start in range(0, len(data), size):
        peer.send_now(data[start : start + size])
        await asyncio.sleep(0)

    assert [each.body for each in answers(await reading)] == [b"hello", b"abcde", b"again"]
    peer.sock.close()


BAD: Final = {
    "both lengths": head("POST /echo HTTP/1.1", "Host: x", "Content-Length: 5", "Transfer-Encoding: chunked")
    + b"0\r\n\r\n",
    "two lengths": head("POST /echo HTTP/1.1", "Host: x", "Content-Length: 5", "Content-Length: 6") + b"hello!",
    "plus": head("POST /echo HTTP/1.1", "Host: x", "Content-Length: +5") + b"hello",
    "hexadecimal": head("POST /echo HTTP/1.1", "Host: x", "Content-Length: 0x5") + b"hello",
    "list": head("POST /echo HTTP/1.1", "Host: x", "Content-Length: 5, 5") + b"hello",
    "bare LF": b"GET / HTTP/1.1\nHost: x\n\n",
    "bare LF behind a field": b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    "CR alone": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
    "blank before colon": head("GET / HTTP/1.1", "Host : x"),
    "folded": head("GET / HTTP/1.1", "Host: x", "A: b", " c"),
    "NUL": head("GET / HTTP/1.1", "Host: x", "A: b\0c"),
    "NUL in the target": head("GET /\0 HTTP/1.1", "Host: x"),
    "no host": head("GET / HTTP/1.1"),
    "two hosts": head("GET / HTTP/1.1", "Host: x", "Host: y"),
    "no chunk": head("POST /echo HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") + b"zz\r\n\r\n",
    "long chunk": head("POST /echo HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") + b"1\r\nabc\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": head("POST /echo HTTP/1.0", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "fragment": head("GET /a#b HTTP/1.1", "Host: x"),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
async def test_ambiguous_and_malformed_requests_are_refused_and_the_connection_ends(
    listen: Listen, data: bytes
) -> None:
    web = await listen()
    peer = web.peer()
    await peer.send(data)

    (found,) = answers(await peer.end())

    assert found.status == 400
    assert found.headers["connection"] == "close"
    assert found.headers["content-type"] == "text/plain"
    assert web.service.started == []
    assert sum(web.server.refused.values()) == 1
    peer.sock.close()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (head("GET / HTTP/1.1", "Host: x", "A: " + "b" * (1 << 20)), 431),
        (head("GET / HTTP/1.1", "Host: x", *("A: b",) * 10_000), 431),
        (head("GET /" + "a" * (1 << 20) + " HTTP/1.1", "Host: x"), 414),
        (head("POST /echo HTTP/1.1", "Host: x", "Content-Length: 10000000000"), 413),
        (head("POST /echo HTTP/1.1", "Host: x", "Content-Length: 5", "Expect: wonders") + b"hello", 417),
        (head("GET / HTTP/2.1", "Host: x"), 505),
        (head("POST /echo HTTP/1.1", "Host: x", "Transfer-Encoding: gzip, chunked"), 501),
    ],
    ids=["header", "headers", "target", "body", "expectation", "version", "transfer coding"],
)
async def test_what_exceeds_a_limit_is_refused_with_its_own_status(listen: Listen, data: bytes, status: int) -> None:
    web = await listen()
    peer = web.peer()
    sending = asyncio.create_task(peer.send(data))

    found = answers(await peer.end())

    assert [each.status for each in found] == [status]
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    peer.sock.close()


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "FOO"])
async def test_methods_that_nobody_serves(listen: Listen, method: str) -> None:
    web = await listen()

    found = await web.ask(head(f"{method} {'x:80' if method == 'CONNECT' else '/'} HTTP/1.1", "Host: x"))

    assert [each.status for each in found] == [501 if method == "FOO" else 405]


async def test_an_upgrade_is_passed_over(listen: Listen) -> None:
    web = await listen()

    found = await web.ask(
        post("echo", b"a", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAA") * 2
    )

    assert [(each.status, each.body) for each in found] == [(200, b"a")] * 2


async def test_the_server_as_a_whole_can_be_asked_for_options(listen: Listen) -> None:
    web = await listen()

    (found,) = await web.ask(head("OPTIONS * HTTP/1.1", "Host: x"))

    assert found.status == 204
    assert "POST" in found.headers["allow"]


async def test_absolute_targets_are_taken(listen: Listen) -> None:
    web = await listen()

    (found,) = await web.ask(head("GET http://elsewhere/a?b HTTP/1.1", "Host: elsewhere"))

    assert b'"path": "/a", "query": "b"' in found.body


async def test_the_body_is_asked_for_when_the_peer_waits(listen: Listen) -> None:
    web = await listen()
    peer = web.peer()
    await peer.send(head("POST /echo HTTP/1.1", "Host: x", "Content-Length: 5", "Expect: 100-continue"))
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(LIMIT_S):
        assert await loop.sock_recv(peer.sock, 1_000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    await peer.send(b"hello")
    peer.finish()

    (found,) = answers(await peer.end())
    assert found.body == b"hello"
    peer.sock.close()


async def test_bodies_that_inflate_too_far_are_refused(listen: Listen) -> None:
    web = await listen(max_frame_bytes=100_000)

    found = await web.ask(post("echo", gzip.compress(bytes(10_000_000)), "Content-Encoding: gzip") + post("echo", b"b"))

    assert found[0].status == 413
    assert web.service.started in ([], ["echo"])


async def test_long_answers_are_compressed_for_those_who_take_it(listen: Listen) -> None:
    web = await listen()

    plain, coded = await web.ask(
        post("large", b"x" * 100) + post("large", b"x" * 100, "Accept-Encoding: gzip, deflate")
    )

    assert (plain.body, plain.headers["vary"]) == (b"x" * 10_000, "Accept-Encoding")
    assert coded.headers["content-encoding"] == "gzip"
    assert gzip.decompress(coded.body) == plain.body


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "a TLS ClientHello"),
        (b"*1\r\n$4\r\nPING\r\n", "redis (RESP)"),
        (b"\xda\xbb\xc2\x00" + bytes(12), "dubbo"),
    ],
)
async def test_other_protocols_are_named_and_closed(
    listen: Listen, data: bytes, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    web = await listen()
    peer = web.peer()
    await peer.send(data)
    await peer.end()

    assert web.server.refused == {"not-http": 1}
    assert [name in record.getMessage() for record in caplog.records if record.name == "polyport.listener"] == [True]
    peer.sock.close()


@pytest.mark.parametrize("byte", [b"\x00", b"\xff", b"*", b"[", b"<"])
async def test_a_mebibyte_of_anything_is_refused_early(listen: Listen, byte: bytes) -> None:
    web = await listen()
    peer = web.peer()
    sending = asyncio.create_task(peer.send(byte * (1 << 20)))
    await peer.end()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)

    assert sum(web.server.refused.values()) == 1
    peer.sock.close()


async def test_random_bytes_do_no_harm(listen: Listen) -> None:
    web = await listen()
    generator = random.Random(20_260_801)
    for _ in range(100):
        await web.ask(generator.randbytes(generator.randrange(1, 4_096)))

    assert (await web.ask(post("echo", b"fine")))[0].body == b"fine"


async def test_a_peer_that_sends_nothing_is_closed(listen: Listen) -> None:
    web = await listen(first_byte_timeout_s=0.1)
    peer = web.peer()

    assert await peer.end() == b""
    assert web.server.refused == {"first-byte-timeout": 1}
    peer.sock.close()


@pytest.mark.parametrize("beginning", [b"", post("echo", b"a")], ids=["first", "second"])
@pytest.mark.parametrize("part", ["head", "body"])
async def test_a_request_must_be_complete_in_time(listen: Listen, beginning: bytes, part: str) -> None:
    web = await listen(frame_timeout_s=0.2)
    slow = post("echo", b"hello")
    split = 10 if part == "head" else len(slow) - 3
    peer = web.peer()
    await peer.send(beginning + slow[:split])
    reading = asyncio.create_task(peer.end())
    started = monotonic()
    # A byte now and then must not prolong it.
    for byte in slow[split : split + 2]:
        await asyncio.sleep(0.05)
        await peer.send(bytes((byte,)))

    assert len(answers(await reading)) == (1 if beginning else 0)
    assert monotonic() - started >= 0.15
    assert web.server.refused == {"frame-timeout": 1}
    peer.sock.close()


@pytest.mark.parametrize("goes", ["closes", "resets"])
async def test_oneway_calls_go_on_when_their_caller_is_gone(listen: Listen, goes: str) -> None:
    web = await listen()
    peer = web.peer()
    await peer.send(post("batch", b"!hold"))
    await web.service.held.wait()
    if goes == "resets":
        peer.reset()
    else:
        peer.sock.close()
    await web.until(lambda: web.server.connections == 0)
    web.service.release.set()

    await web.until(lambda: web.service.ended == ["hold"])


async def test_oneway_calls_count_among_those_of_their_connection(listen: Listen) -> None:
    web = await listen(max_calls_per_connection=1)

    found = await web.ask(post("batch", b"!hold\nhold"))

    assert b"too many calls" in found[0].body
    assert web.service.started == ["hold"]


async def test_oneway_calls_are_cancelled_when_the_listener_closes(listen: Listen) -> None:
    web = await listen()
    await web.ask(post("batch", b"!hold"))
    await web.service.held.wait()

    await web.server.aclose()

    assert web.service.cancelled == ["hold"]


async def test_an_idle_connection_is_closed_but_not_one_with_a_call(listen: Listen) -> None:
    web = await listen(idle_timeout_s=0.15)
    peer = web.peer()
    await peer.send(post("hold", b"a"))
    await web.service.held.wait()
    await asyncio.sleep(0.4)
    web.service.release.set()

    assert [each.body for each in answers(await peer.end())] == [b"a"]
    assert web.server.refused == {"idle": 1}
    peer.sock.close()


async def test_a_peer_that_does_not_read_is_dropped(listen: Listen) -> None:
    web = await listen(max_frame_bytes=1 << 18, max_write_buffer_bytes=1 << 14, idle_timeout_s=0.3)
    peer = web.peer(receive_buffer=4_096)
    sending = asyncio.create_task(peer.send(post("large", b"x" * 100_000) * 20))
    await web.until(lambda: web.server.connections == 0 and bool(web.server.refused))

    assert set(web.server.refused) <= {"idle", "slow-reader"}
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    peer.sock.close()


async def test_connections_beyond_the_limits_are_closed_at_once(listen: Listen) -> None:
    web = await listen(max_connections=3, max_connections_per_address=2)
    peers = [web.peer(source="127.0.0.1") for _ in range(2)]
    await web.until(lambda: web.server.connections == 2)
    refused = web.peer(source="127.0.0.1")
    assert await refused.end() == b""
    peers += [refused, web.peer(source="127.0.0.2")]
    await web.until(lambda: web.server.connections == 3)
    beyond = web.peer(source="127.0.0.3")
    assert await beyond.end() == b""
    for peer in (*peers, beyond):
        peer.sock.close()
    await web.until(lambda: web.server.connections == 0)

    assert web.server.refused == {"too-many-connections-per-address": 1, "too-many-connections": 1}
    assert (await web.ask(post("echo", b"a")))[0].status == 200


async def test_a_reset_cancels_the_call(listen: Listen) -> None:
    web = await listen()
    peer = web.peer()
    await peer.send(post("hold", b"a"))
    await web.service.held.wait()
    peer.reset()
    peer.sock.close()
    await web.until(lambda: web.service.cancelled == ["hold"])


async def test_a_half_closed_peer_still_gets_its_answers(listen: Listen) -> None:
    web = await listen()
    peer = web.peer()
    await peer.send(post("hold", b"a") + post("echo", b"b"))
    peer.finish()
    await web.service.held.wait()
    await asyncio.sleep(0.05)
    web.service.release.set()

    assert [each.body for each in answers(await peer.end())] == [b"a", b"b"]
    peer.sock.close()


async def test_a_stream_that_ends_inside_a_request_is_counted(listen: Listen) -> None:
    web = await listen()

    assert await web.ask(post("echo", b"hello")[:-2]) == []
    await web.until(lambda: web.server.connections == 0)
    assert web.server.refused == {"truncated": 1}


async def test_calls_beyond_the_limit_are_refused(listen: Listen) -> None:
    web = await listen(max_calls=1)
    peer = web.peer()
    await peer.send(post("hold", b"a"))
    await web.service.held.wait()

    (found,) = await web.ask(post("echo", b"b"))
    assert b"overloaded" in found.body
    assert web.server.refused == {"too-many-calls": 1}
    web.service.release.set()
    peer.finish()
    assert len(answers(await peer.end())) == 1
    peer.sock.close()


async def test_draining_finishes_what_was_asked_and_takes_nothing_new(listen: Listen) -> None:
    web = await listen()
    peer = web.peer()
    idle = web.peer()
    await idle.send(post("echo", b"i"))
    async with asyncio.timeout(LIMIT_S):
        first = await asyncio.get_running_loop().sock_recv(idle.sock, 1_000)
    await peer.send(post("hold", b"a"))
    await web.service.held.wait()
    draining = asyncio.create_task(web.server.drain(monotonic() + LIMIT_S))
    await asyncio.sleep(0.02)
    with pytest.raises(ConnectionRefusedError):
        web.peer()
    # It was on its way.
    await idle.send(post("echo", b"j"))
    web.service.release.set()
    await draining

    (held,) = answers(await peer.end())
    assert (held.body, held.headers["connection"]) == (b"a", "close")
    assert [each.body for each in answers(first + await idle.end())] == [b"i", b"j"]
    peer.sock.close()
    idle.sock.close()


async def test_closing_cancels_calls_and_tells_their_callers(listen: Listen) -> None:
    web = await listen()
    peer = web.peer()
    await peer.send(post("hold", b"a"))
    await web.service.held.wait()
    reading = asyncio.create_task(peer.end())
    await web.server.aclose()

    (found,) = answers(await reading)
    assert b"connection-lost" in found.body
    assert web.service.cancelled == ["hold"]
    peer.sock.close()


async def test_answers_to_refused_requests_keep_the_connection_where_its_position_is_known(listen: Listen) -> None:
    web = await listen()

    found = await web.ask(
        head("PATCH /a HTTP/1.1", "Host: x") + head("GET /refused HTTP/1.1", "Host: x") + post("echo", b"a")
    )

    assert [each.status for each in found] == [405, 403, 200]
    assert web.server.refused == {"bad-request": 1, "forbidden": 1}


async def test_a_field_that_is_none_does_not_leave(listen: Listen) -> None:
    web = await listen()

    found = await web.ask(head("GET /injected HTTP/1.1", "Host: x"))

    assert [each.status for each in found] == [500]
    assert "x-other" not in found[0].headers


async def test_a_long_head_byte_by_byte_takes_no_longer_than_its_length(listen: Listen) -> None:
    web = await listen()
    data = head("GET /a HTTP/1.1", "Host: x", *(f"A{number}: " + "b" * 200 for number in range(250)))
    peer = web.peer()
    reading = asyncio.create_task(peer.end())
    with cpu_within(2.0):
        for start in range(0, len(data), 16):
            peer.send_now(data[start : start + 16])
            await asyncio.sleep(0)
        peer.finish()
        assert [each.status for each in answers(await reading)] == [200]
    peer.sock.close()
