"""A relay between two TCP peers that remembers what went through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

__all__ = ["Relay", "relaying"]

_READ_BYTES: Final = 65_536


class Relay:
    """Counts connections and keeps the bytes of both directions, joined over all connections.

    Attributes:
        address: Where to connect, `host:port`.
        connections: Accepted so far.
        sent: What the connecting side sent.
        received: What it received.
        is_blocked: Whether new connections are closed at once.
        half_closes: Who stops sending still hears the other; otherwise the end of either direction is that of both.
    """

    def __init__(self, target: str, *, half_closes: bool = False) -> None:
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self.address = ""
        self.connections = 0
        self.is_blocked = False
        self.half_closes = half_closes
        self.sent = bytearray()
        self.received = bytearray()
        self._writers: set[asyncio.StreamWriter] = set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection until either side ends it."""
        if self.is_blocked:
            writer.close()
            return
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, far_writer}
        async with asyncio.TaskGroup() as both:
            both.create_task(_pump(reader, far_writer, self.sent, self.half_closes))
            both.create_task(_pump(far_reader, writer, self.received, self.half_closes))
        self._writers -= {writer, far_writer}
        for each in (writer, far_writer):
            each.close()

    def cut(self) -> None:
        """Resets every connection that is open."""
        writers, self._writers = self._writers, set()
        for writer in writers:
            writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: bytearray, half_closes: bool) -> None:
    try:
        while data := await reader.read(_READ_BYTES):
            seen += data
            writer.write(data)
            await writer.drain()
        if half_closes and not writer.is_closing():
            writer.write_eof()
            return
    except ConnectionError:
        pass
    writer.close()


@asynccontextmanager
async def relaying(target: str, *, half_closes: bool = False) -> AsyncIterator[Relay]:
    """A relay to `host:port`, on a port of its own."""
    relay = Relay(target, half_closes=half_closes)
    server = await asyncio.start_server(relay.accept, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    relay.address = f"{host}:{port}"
    try:
        yield relay
    finally:
        server.close()
        relay.cut()
        await server.wait_closed()
