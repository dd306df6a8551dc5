"""What only the listener over aiohttp does; what it shares with the other driver stands in `test_drivers.py`."""

from __future__ import annotations

import asyncio

import pytest

from adapters.http.server import AiohttpServer, NoServer
from adapters.tcp import acceptor
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions
from tests.support.echo_binding import SERVICE, EchoBinding, EchoService
from tests.support.raw_peer import LIMIT_S, RawPeer

OPTIONS = ListenerOptions("web", "http", "127.0.0.1", 0)
HOLD = b"POST /hold HTTP/1.%d\r\nHost: x\r\nContent-Length: 1\r\n\r\na"


async def test_a_binding_that_raises_is_answered_without_its_secrets(caplog: pytest.LogCaptureFixture) -> None:
    server = AiohttpServer(OPTIONS, lambda _: EchoBinding())
    (endpoint,) = await server.start(EchoService(), [Exposure(SERVICE, None)])
    peer = RawPeer.connect(endpoint.port)
    await peer.send(b"GET /broken HTTP/1.1\r\nHost: x\r\n\r\n")
    said = await peer.end()

    assert said.startswith(b"HTTP/1.1 500 ")
    assert b"text/plain" in said
    assert b"secret" not in said
    peer.sock.close()
    await server.aclose()


async def test_a_half_closed_peer_that_is_gone_altogether_is_found_out() -> None:
    """Its kernel answers an interim response with a reset, so the call does not run for nobody."""
    server = AiohttpServer(
        ListenerOptions("web", "http", "127.0.0.1", 0, frame_timeout_s=0.08), lambda _: EchoBinding()
    )
    service = EchoService()
    (endpoint,) = await server.start(service, [Exposure(SERVICE, None)])
    peer = RawPeer.connect(endpoint.port)
    await peer.send(HOLD % 1)
    await service.held.wait()
    peer.sock.close()
    async with asyncio.timeout(LIMIT_S):
        while not service.cancelled or server.connections:
            await asyncio.sleep(0.005)

    assert service.cancelled == ["hold"]
    await server.aclose()


async def test_closing_while_it_starts_leaves_no_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving, resolved = asyncio.Event(), asyncio.Event()
    listen = acceptor.listen

    async def slow_listen(loop: asyncio.AbstractEventLoop, host: str, port: int) -> object:
        resolving.set()
        await resolved.wait()
        return await listen(loop, host, port)

    monkeypatch.setattr(acceptor, "listen", slow_listen)
    server = AiohttpServer(OPTIONS, lambda _: EchoBinding())
    starting = asyncio.create_task(server.start(EchoService(), []))
    await resolving.wait()
    await server.aclose()
    resolved.set()

    with pytest.raises(RuntimeError, match="closed while it started"):
        await starting


async def test_a_listener_without_a_driver_does_nothing() -> None:
    server = NoServer(OPTIONS)

    assert await server.start(EchoService(), [Exposure(SERVICE, None)]) == []
    await server.drain(0.0)
    await server.aclose()
