from __future__ import annotations

import asyncio
import gzip
import logging
import shutil
import socket
import ssl
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest
from aiohttp import web

from adapters.http.client import HttpClient
from adapters.http.provider_options import ProviderOptions
from gateway.model.call import Invocation, Ok
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    ContractError,
    DeadlineExceeded,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
)
from gateway.spi.adapter import Reference
from gateway.spi.cluster import Invoker
from protocols.contract import Outcome
from protocols.http.message import Headers, HttpRequest, HttpResponse

SERVICE = ServiceKey("demo.Catalog")
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Plain:
    """A binding without ideas: the argument is the request, the response is the answer."""

    def bind(
        self, endpoint: Endpoint, service: ServiceKey, contract: ServiceContract | None, token: str, application: str
    ) -> Any:
        return None

    def encode_call(self, bound: Any, invocation: Invocation, timeout_s: float | None) -> tuple[HttpRequest, Any]:
        (request,) = invocation.arguments()
        return request, "ticket"

    def decode_reply(self, bound: Any, ticket: Any, response: HttpResponse) -> Outcome:
        assert ticket == "ticket"
        return Overloaded("busy") if response.status == 503 else Ok(response)


class Server:
    """A server in raw bytes. `answer` is called once per request, with its head already read into `heads`."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.heads: list[bytes] = []
        self.connections = 0
        self.port = 0
        self.closed = 0
        self.tasks: set[asyncio.Task[Any]] = set()
        self.closing = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head)
                await self.answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # asyncio's streams complain about handlers that are cancelled
        finally:
            writer.close()
            self.closed += 1
            self.closing.set()

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def says(*parts: bytes) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return answer


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def listening(answer: Answer, **options: Any) -> AsyncIterator[Server]:
    server = Server(answer)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, **options)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await server.end()


@asynccontextmanager
async def calling(
    port: int, host: str = "127.0.0.1", timeout_s: float = 5.0, connections: int = 0, **options: Any
) -> AsyncIterator[Invoker]:
    client = HttpClient(lambda reference: Plain(), lambda endpoint, reference: ProviderOptions(**options))
    reference = Reference(SERVICE, None, timeout_s=timeout_s, connections=connections)
    try:
        yield client.open(Endpoint("http", host, port, SERVICE), reference)
    finally:
        await client.aclose()


def call(
    method: str = "POST", path: str = "/a", body: bytes = b"", *fields: tuple[str, str], query: str = "", **more: Any
) -> Invocation:
    return Invocation(SERVICE, "find", (HttpRequest(method, path, query, Headers(fields), body),), **more)


async def value(invoker: Invoker, invocation: Invocation) -> HttpResponse:
    result = await invoker(invocation)
    assert isinstance(result, Ok)
    response = result.value
    assert isinstance(response, HttpResponse)
    return response


def available(invoker: Invoker) -> bool:
    """For type checkers, which think that it stays what it was."""
    return invoker.available


async def failure(invoker: Invoker, invocation: Invocation | None = None) -> RpcError:
    with pytest.raises(RpcError) as caught:
        await invoker(invocation or call())
    return caught.value


async def test_a_request_is_sent_as_the_binding_wrote_it_and_nothing_is_added() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(5) == b"hello"
        writer.write(b"HTTP/1.1 201 Made\r\nX-One: 1\r\nx-One: \xc3\xbc\r\nContent-Length: 3\r\n\r\nyes")

    async with listening(answer) as server, calling(server.port) as invoker:
        fields = [("X-Tenant", "\xc3\xbc"), ("x-tenant", "2"), ("Accept", "a/b")]
        response = await value(invoker, call("POST", "/a%2Fb/%C3%BC", b"hello", *fields, query="q=%20&q=+"))

    lines = server.heads[0].split(b"\r\n")
    assert lines[0] == b"POST /a%2Fb/%C3%BC?q=%20&q=+ HTTP/1.1"
    names = sorted(line.partition(b":")[0].lower() for line in lines[1:-2])
    assert names == [b"accept", b"content-length", b"host", b"user-agent", b"x-tenant"]
    assert b"x-tenant: 2" in lines
    assert f"Host: 127.0.0.1:{server.port}".encode() in lines
    assert (response.status, response.body) == (201, b"yes")
    assert response.headers == (("X-One", "1"), ("x-One", "\xc3\xbc"), ("Content-Length", "3"))


async def test_connections_are_kept_and_shared() -> None:
    async with listening(says(OK)) as server, calling(server.port) as invoker:
        for _ in range(3):
            assert (await value(invoker, call("GET"))).body == b"ok"

    assert server.connections == 1


async def test_more_calls_than_connections_wait_for_one() -> None:
    go = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        writer.write(OK)

    async with listening(answer) as server, calling(server.port, max_connections=2) as invoker:
        tasks = [asyncio.create_task(value(invoker, call())) for _ in range(5)]
        while len(server.heads) < 2:
            await asyncio.sleep(0)
        assert server.connections == 2
        go.set()
        assert [each.body for each in await asyncio.gather(*tasks)] == [b"ok"] * 5

    assert server.connections == 2


async def test_no_connection_is_a_failure_that_can_be_repeated() -> None:
    async with listening(says(OK)) as server:
        port = server.port
    async with calling(port) as invoker:
        assert available(invoker)
        error = await failure(invoker)
        assert not available(invoker)

    assert isinstance(error, ConnectFailed)
    assert error.retry is Retry.SAFE
    assert str(error) == f"cannot connect to 127.0.0.1:{port}: Connection refused"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a queue of connections that is full")
async def test_a_provider_that_takes_no_connections_is_found_out() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        address, port = deaf.getsockname()
        with socket.create_connection((address, port)), socket.socket() as last:
            last.setblocking(False)
            last.connect_ex((address, port))
            async with calling(port, connect_timeout_s=0.2) as invoker:
                error = await failure(invoker)
                assert isinstance(error, ConnectFailed)
                assert str(error) == f"cannot connect to 127.0.0.1:{port}: no connection within 0.2 s"
                assert not available(invoker)
            async with calling(port, timeout_s=0.05, connect_timeout_s=0.2) as invoker:
                error = await failure(invoker)
                assert isinstance(error, DeadlineExceeded)
                assert error.retry is Retry.SAFE
                # Such a call is too short to tell; a trial of its own is not.
                assert available(invoker)
                async with asyncio.timeout(5):
                    while available(invoker):
                        await asyncio.sleep(0.02)


async def test_an_unknown_host_is_named() -> None:
    async with calling(80, "no.such.host.invalid") as invoker:
        error = await failure(invoker)

    assert isinstance(error, ConnectFailed)
    assert "no.such.host.invalid:80" in str(error)


@pytest.mark.parametrize("host", ["a b", "x" * 70, "", "ü" * 70])
async def test_a_host_that_no_address_can_have_is_a_connection_that_failed(host: str) -> None:
    async with calling(80, host) as invoker:
        assert isinstance(await failure(invoker), ConnectFailed)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "localhost"])
async def test_a_host_is_what_it_is_on_other_wires(host: str) -> None:
    async with listening(says(OK)) as server, calling(server.port, host) as invoker:
        assert (await value(invoker, call())).body == b"ok"
        named = "localhost" if host == "localhost" else "127.0.0.1"
        assert f"\r\nHost: {named}:{server.port}\r\n".encode() in server.heads[0]


async def test_a_provider_that_comes_back_is_found_without_a_call() -> None:
    async with listening(says(OK)) as server:
        port = server.port
    async with calling(port) as invoker:
        await failure(invoker)
        again = Server(says(OK))
        listener = await asyncio.start_server(again.serve, "127.0.0.1", port)
        async with listener:
            async with asyncio.timeout(5):
                while not available(invoker):
                    await asyncio.sleep(0.02)
            assert again.heads == []
            assert (await value(invoker, call())).body == b"ok"
        await again.end()


async def test_a_broken_connection_says_that_the_call_may_have_run() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with listening(answer) as server, calling(server.port) as invoker:
        for method in ("GET", "POST", "PUT", "DELETE"):
            error = await failure(invoker, call(method))
            assert isinstance(error, ConnectionLost)
            assert error.retry is Retry.IF_IDEMPOTENT
            assert str(error) == f"127.0.0.1:{server.port} closed the connection before it answered"
        # Nothing was sent twice.
        assert len(server.heads) == 4
        assert available(invoker)


async def test_a_request_on_a_connection_the_provider_gives_up_just_then_is_not_sent_again() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The second request of a connection is read, and the connection reset instead of answered.
        if len(server.heads) % 2:
            writer.write(OK)
        else:
            writer.transport.abort()

    async with listening(answer) as server, calling(server.port) as invoker:
        await value(invoker, call("GET"))
        error = await failure(invoker, call("GET"))
        assert isinstance(error, ConnectionLost)
        assert error.retry is Retry.IF_IDEMPOTENT
        assert len(server.heads) == 2
        assert (await value(invoker, call("GET"))).body == b"ok"


LAST = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


async def test_a_provider_that_ends_a_kept_connection_gets_its_others_back() -> None:
    """It is shutting down: whatever goes out on one of them may cross its end."""
    go_on = asyncio.Event()
    leaving = False

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        writer.write(LAST if leaving else OK)

    async with listening(answer) as server, calling(server.port) as invoker:
        both = [asyncio.create_task(value(invoker, call())) for _ in range(2)]
        while len(server.heads) < 2:
            await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*both)
        leaving = True
        assert (await value(invoker, call())).body == b"ok"
        async with asyncio.timeout(5):
            while server.closed < 2:
                server.closing.clear()
                await server.closing.wait()
        leaving = False
        assert (await value(invoker, call())).body == b"ok"
        assert server.connections == 3


async def test_a_call_in_progress_keeps_the_connection_it_is_on() -> None:
    go_on = asyncio.Event()
    leaving = False

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if server.heads[-1].startswith(b"POST /b"):
            await go_on.wait()
        writer.write(LAST if leaving else OK)

    async with listening(answer) as server, calling(server.port) as invoker:
        await value(invoker, call())
        held = asyncio.create_task(value(invoker, call(path="/b")))
        while len(server.heads) < 2:
            await asyncio.sleep(0)
        await value(invoker, call())
        leaving = True
        await value(invoker, call())
        go_on.set()
        assert (await held).body == b"ok"


async def test_a_provider_that_ends_every_connection_is_called_as_ever() -> None:
    async with listening(says(LAST)) as server, calling(server.port) as invoker:
        for _ in range(3):
            await value(invoker, call())
            await asyncio.sleep(0)
        assert server.connections == 3


async def test_a_connection_that_was_closed_while_it_waited_is_replaced() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await writer.drain()
        writer.close()

    async with listening(answer) as server, calling(server.port) as invoker:
        for _ in range(3):
            await value(invoker, call())
            server.closing.clear()
            await asyncio.sleep(0.05)

    assert server.connections == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ],
)
async def test_an_answer_that_ends_too_early_is_a_lost_connection(answer: bytes) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with listening(cut) as server, calling(server.port) as invoker:
        assert isinstance(await failure(invoker), ConnectionLost)


@pytest.mark.parametrize(
    "answer",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_a_lost_connection(answer: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.write_eof()

    async with listening(speak) as server, calling(server.port) as invoker:
        error = await failure(invoker)

    assert isinstance(error, ConnectionLost)
    assert len(str(error)) < 400


async def test_long_header_fields_arrive() -> None:
    long = b"x" * 40_000
    answer = b"HTTP/1.1 200 OK\r\nPolyport-Attachment-a: " + long + b"\r\nContent-Length: 0\r\n\r\n"
    async with listening(says(answer)) as server, calling(server.port) as invoker:
        response = await value(invoker, call())

    assert dict(response.headers)["Polyport-Attachment-a"] == long.decode()


async def test_no_answer_in_time_ends_the_call_and_its_connection_only() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if b"/slow" not in server.heads[-1]:
            writer.write(OK)

    async with listening(answer) as server, calling(server.port, timeout_s=0.1) as invoker:
        await value(invoker, call())
        error = await failure(invoker, call("POST", "/slow"))
        assert isinstance(error, DeadlineExceeded)
        assert error.retry is Retry.IF_IDEMPOTENT
        assert str(error) == f"127.0.0.1:{server.port} did not answer within 0.1 s"
        async with asyncio.timeout(5):
            await server.closing.wait()
        assert (await value(invoker, call())).body == b"ok"
        assert available(invoker)


async def test_the_deadline_of_a_call_counts_where_it_is_nearer() -> None:
    async with listening(says()) as server, calling(server.port) as invoker:
        started = monotonic()
        error = await failure(invoker, call(deadline=started + 0.1))
        assert isinstance(error, DeadlineExceeded)
        assert monotonic() - started < 2
        late = await failure(invoker, call(deadline=monotonic() - 1))

    assert isinstance(late, DeadlineExceeded)
    assert late.retry is Retry.SAFE
    assert len(server.heads) == 1


async def test_an_answer_that_trickles_in_is_bounded_by_the_same_timeout() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.02)

    async with listening(answer) as server, calling(server.port, timeout_s=0.2) as invoker:
        assert isinstance(await failure(invoker), DeadlineExceeded)


async def test_time_that_runs_out_before_anything_was_sent_is_harmless() -> None:
    async with listening(says()) as server, calling(server.port, timeout_s=0.2, max_connections=1) as invoker:
        waiting = asyncio.create_task(failure(invoker))
        while not server.heads:
            await asyncio.sleep(0)
        error = await failure(invoker, call(deadline=monotonic() + 0.05))
        assert isinstance(error, DeadlineExceeded)
        assert error.retry is Retry.SAFE
        assert str(error) == f"no connection to 127.0.0.1:{server.port} in time"
        await waiting


async def test_a_cancelled_call_closes_its_connection_and_no_other() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if b"/slow" not in server.heads[-1]:
            writer.write(OK)

    async with listening(answer) as server, calling(server.port) as invoker:
        task = asyncio.create_task(failure(invoker, call("POST", "/slow")))
        while not server.heads:
            await asyncio.sleep(0)
        await value(invoker, call())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await server.closing.wait()
        await value(invoker, call())
        assert (server.connections, server.closed) == (2, 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed_but_named(status: int) -> None:
    head = f"HTTP/1.1 {status} Moved\r\nLocation: http://169.254.169.254/\x1b\r\nContent-Length: 0\r\n\r\n"
    async with listening(says(head.encode())) as server, calling(server.port) as invoker:
        error = await failure(invoker)

    assert isinstance(error, ProviderFailed | ConnectionLost)
    assert "\x1b" not in str(error)


async def test_a_redirect_names_where_it_leads() -> None:
    answer = b"HTTP/1.1 308 Moved\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"
    async with listening(says(answer)) as server, calling(server.port) as invoker:
        error = await failure(invoker)

    assert isinstance(error, ProviderFailed)
    assert error.retry is Retry.NEVER
    assert "308" in str(error)
    assert "'/b'" in str(error)
    assert len(server.heads) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + b"x" * 101,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
    ],
)
async def test_an_answer_beyond_the_limit_is_refused(answer: bytes) -> None:
    async with listening(says(answer)) as server, calling(server.port, max_response_bytes=100) as invoker:
        error = await failure(invoker)

    assert isinstance(error, ProviderFailed)
    assert error.retry is Retry.NEVER
    assert "100 bytes" in str(error)


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_content_codings_are_taken_off_within_the_limit(coding: str, pack: Callable[[bytes], bytes]) -> None:
    def answer(body: bytes) -> Answer:
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n"
        return says(head.encode() + body)

    async with listening(answer(pack(b"x" * 1000))) as server, calling(server.port, max_response_bytes=1000) as invoker:
        assert (await value(invoker, call())).body == b"x" * 1000
        server.answer = answer(pack(b"x" * 1001))
        bomb = await failure(invoker)
        server.answer = answer(pack(b"x" * 500)[:-6])
        cut = await failure(invoker)

    assert isinstance(bomb, ProviderFailed)
    assert "1000 bytes" in str(bomb)
    assert isinstance(cut, ProviderFailed)


async def test_an_unknown_content_coding_is_refused_and_none_is_asked_for() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nok"
    async with listening(says(answer)) as server, calling(server.port) as invoker:
        error = await failure(invoker)

    assert isinstance(error, ProviderFailed)
    assert "br" in str(error)
    assert b"accept-encoding" not in server.heads[0].lower()


async def test_larger_bodies_are_compressed_where_asked_for() -> None:
    received: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = server.heads[-1].lower()
        size = int(head.partition(b"content-length: ")[2].partition(b"\r")[0])
        received.append(await reader.readexactly(size))
        writer.write(OK)

    async with listening(answer) as server, calling(server.port, compress=True) as invoker:
        await value(invoker, call("POST", "/a", b"x" * 5000))
        await value(invoker, call("POST", "/a", b"small"))

    assert b"content-encoding: gzip" in server.heads[0].lower()
    assert gzip.decompress(received[0]) == b"x" * 5000
    assert b"content-encoding" not in server.heads[1].lower()
    assert received[1] == b"small"
    assert all(b"accept-encoding: gzip" in head.lower() for head in server.heads)


async def test_a_large_body_arrives_whole() -> None:
    body = bytes(range(256)) * 12_000

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(len(body)) == body
        writer.write(OK)

    async with listening(answer) as server, calling(server.port) as invoker:
        assert (await value(invoker, call("POST", "/a", body))).body == b"ok"

    assert f"content-length: {len(body)}\r\n".encode() in server.heads[0].lower()


@pytest.mark.parametrize(
    "invocation",
    [
        call("POST", "/a", b"", ("X-A", "a\r\nX-Evil: 1")),
        call("POST", "/a", b"", ("X-A", "a\0")),
        call("POST", "/a", b"", ("X-A", "\xff")),
        call("POST", "/a b"),
        call("POST", "/a\r\nHost: evil"),
        call("POST", "/a#b"),
        call("POST", "a"),
        call("POST", "/ü"),
    ],
)
async def test_what_no_request_can_have_is_never_sent(invocation: Invocation) -> None:
    async with listening(says(OK)) as server, calling(server.port) as invoker:
        assert isinstance(await failure(invoker, invocation), BadRequest)
        assert available(invoker)

    assert server.heads == []


async def test_an_error_that_the_binding_finds_is_raised() -> None:
    answer = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    async with listening(says(answer)) as server, calling(server.port) as invoker:
        assert isinstance(await failure(invoker), Overloaded)
        assert available(invoker)


async def test_cookies_proxies_and_interim_responses_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    hint, cookie = b"HTTP/1.1 103 Early Hints\r\n\r\n", b"Set-Cookie: a=b; Path=/\r\n"
    answer = hint + b"HTTP/1.1 200 OK\r\n" + cookie + b"Content-Length: 2\r\n\r\nok"
    async with listening(says(answer)) as server, calling(server.port, "localhost") as invoker:
        for _ in range(2):
            assert (await value(invoker, call())).body == b"ok"

    assert all(b"cookie" not in head.lower() for head in server.heads)


async def test_an_unasked_answer_closes_the_connection() -> None:
    async with listening(says(OK + OK)) as server, calling(server.port) as invoker:
        for _ in range(2):
            assert (await value(invoker, call())).body == b"ok"

    assert server.connections == 2


async def test_a_oneway_call_does_not_wait_for_its_answer() -> None:
    go = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")

    async with listening(answer) as server, calling(server.port) as invoker:
        result = await invoker(call(oneway=True))
        assert isinstance(result, Ok)
        assert result.value is None
        while not server.heads:
            await asyncio.sleep(0)
        go.set()
        await invoker.aclose()

    assert server.connections == 1


async def test_a_oneway_call_that_cannot_be_sent_fails() -> None:
    async with listening(says(OK)) as server:
        port = server.port
    async with calling(port) as invoker:
        assert isinstance(await failure(invoker, call(oneway=True)), ConnectFailed)
        assert isinstance(await failure(invoker, call("POST", "a", oneway=True)), BadRequest | ConnectFailed)


async def test_trouble_with_a_oneway_call_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    with caplog.at_level(logging.WARNING, "polyport.client"):
        async with listening(says(answer)) as server, calling(server.port) as invoker:
            await invoker(call(oneway=True))
            await invoker.aclose()

    assert "404" in caplog.text


async def test_giving_an_invoker_back_lets_its_calls_end() -> None:
    go = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        writer.write(OK)

    async with listening(answer) as server, calling(server.port) as invoker:
        task = asyncio.create_task(value(invoker, call()))
        while not server.heads:
            await asyncio.sleep(0)
        closing = asyncio.create_task(invoker.aclose())
        await asyncio.sleep(0.02)
        assert not closing.done()
        go.set()
        assert (await task).body == b"ok"
        await closing
        await invoker.aclose()
        error = await failure(invoker)
        assert isinstance(error, ConnectFailed)
        assert "closed" in str(error)
        assert not available(invoker)


async def test_closing_the_client_ends_its_calls() -> None:
    async with listening(says()) as server:
        client = HttpClient(lambda reference: Plain())
        endpoint = Endpoint("http", "127.0.0.1", server.port, SERVICE)
        invoker = client.open(endpoint, Reference(SERVICE, None, timeout_s=9))
        tasks = [asyncio.create_task(failure(invoker)) for _ in range(3)]
        while len(server.heads) < 3:
            await asyncio.sleep(0)
        await client.aclose()
        for error in await asyncio.gather(*tasks):
            assert isinstance(error, ConnectionLost)
            assert "client was closed" in str(error)
        await client.aclose()


async def test_who_is_told_that_the_client_closes_cannot_call_again() -> None:
    async with listening(says()) as server:
        client = HttpClient(lambda reference: Plain())
        invoker = client.open(Endpoint("http", "127.0.0.1", server.port, SERVICE), Reference(SERVICE, None))

        async def twice() -> RpcError:
            await failure(invoker)
            return await failure(invoker)

        task = asyncio.create_task(twice())
        while not server.heads:
            await asyncio.sleep(0)
        await client.aclose()
        assert isinstance(await task, ConnectFailed)
        assert len(server.heads) == 1


async def test_references_with_the_same_options_share_connections_and_others_do_not() -> None:
    async with listening(says(OK)) as server:
        client = HttpClient(lambda reference: Plain())
        endpoint = Endpoint("http", "127.0.0.1", server.port, SERVICE)
        first, second = (client.open(endpoint, Reference(SERVICE, None)) for _ in range(2))
        own = client.open(endpoint, Reference(SERVICE, None, connections=1))
        try:
            for invoker in (first, second, first):
                await value(invoker, call())
            assert server.connections == 1
            await value(own, call())
            assert server.connections == 2
            await first.aclose()
            assert second.available
            await value(second, call())
            assert server.connections == 2
        finally:
            await client.aclose()


def test_two_loops_have_nothing_in_common() -> None:
    async def once() -> bytes:
        async with listening(says(OK)) as server, calling(server.port) as invoker:
            return (await value(invoker, call())).body

    assert [asyncio.run(once()), asyncio.run(once())] == [b"ok", b"ok"]


async def test_a_file_without_certificates_is_refused_at_once(tmp_path: Any) -> None:
    broken = tmp_path / "ca.pem"
    broken.write_text("nothing")
    for path in (str(broken), str(tmp_path / "missing.pem")):
        with pytest.raises(ContractError, match=r"\.pem"):
            async with calling(443, tls=True, ca_file=path):
                pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for the name `shop.test` that signs itself, and its key, as files."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the command openssl")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=shop.test"]
    command += ["-addext", "subjectAltName=DNS:shop.test", "-keyout", key, "-out", cert]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return cert, key


@pytest.fixture
def tls(certificate: tuple[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


async def test_tls_is_spoken_with_who_shows_the_right_certificate(
    certificate: tuple[str, str], tls: ssl.SSLContext
) -> None:
    async with (
        listening(says(OK), ssl=tls) as server,
        calling(server.port, tls=True, ca_file=certificate[0], server_name="shop.test") as invoker,
    ):
        for _ in range(2):
            assert (await value(invoker, call())).body == b"ok"

    assert server.connections == 1


async def test_nobody_else_is_sent_anything(certificate: tuple[str, str], tls: ssl.SSLContext) -> None:
    async with listening(says(OK), ssl=tls) as server:
        for ca_file, name in ((certificate[0], ""), ("", "shop.test")):
            async with calling(server.port, tls=True, ca_file=ca_file, server_name=name) as invoker:
                error = await failure(invoker)
                assert isinstance(error, ConnectFailed)
                assert "its certificate is not trusted" in str(error)
                assert not available(invoker)

    assert server.heads == []


async def test_http_where_tls_is_expected_is_a_connection_that_failed() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    listener = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with listener, calling(listener.sockets[0].getsockname()[1], tls=True) as invoker:
        error = await failure(invoker)

    assert isinstance(error, ConnectFailed)
    assert error.retry is Retry.SAFE


async def test_an_aiohttp_server_is_called(aiohttp_server: Any) -> None:
    async def echo(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {"X-Body": str(len(body)), "X-Path": request.raw_path}
        response = web.Response(body=body * 2, headers=headers)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{tail:.*}", echo)
    server = await aiohttp_server(app)
    async with calling(server.port) as invoker:
        for body in (b"", b"a", b"x" * 100_000, b"y" * 2_000_000):
            response = await value(invoker, call("PUT", "/a%20b", body, query="q=1"))
            assert response.body == body * 2
            assert dict(response.headers)["X-Path"] == "/a%20b?q=1"
