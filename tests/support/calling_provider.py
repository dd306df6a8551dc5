"""A dubbo:// provider of test.Prices, byte by byte, that calls listeners when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.callback_bytes import changed
from tests.support.dubbo_bytes import HEADER, HESSIAN2, OK, REQUEST, Reply, frame, text

__all__ = ["CallingProvider", "Visit", "calling_provider"]

LIMIT_S = 5.0


class Visit:
    """One connection to it. `silent`: calls get no answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silent: bool) -> None:
        self._reader = reader
        self._writer = writer
        self._silent = silent
        self.requests: asyncio.Queue[Reply] = asyncio.Queue()
        self.answers: asyncio.Queue[Reply] = asyncio.Queue()
        self.ended = asyncio.Event()

    async def serve(self) -> None:
        """Answers every call with the text `ok`, or with true, until the consumer closes."""
        try:
            while True:
                header = await self._reader.readexactly(HEADER.size)
                _, flags, status, number, length = HEADER.unpack(header)
                message = Reply(flags, status, number, await self._reader.readexactly(length))
                if not flags & REQUEST:
                    self.answers.put_nowait(message)
                    continue
                self.requests.put_nowait(message)
                if not self._silent:
                    answer = b"T" if text("unwatch") in message.body else text("ok")
                    self.send(frame(HESSIAN2, number, b"\x91" + answer, status=OK))
        except (asyncio.IncompleteReadError, ConnectionResetError):
            self.ended.set()

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    def call(self, instance: str, id: int, *, timeout_ms: int | None = None, method: str = "ping") -> None:
        """Calls a listener."""
        more = None if timeout_ms is None else {"timeout": str(timeout_ms)}
        self.send(changed(instance, id=id, method=method, more=more))

    async def answer(self) -> Reply:
        """The next answer of a listener."""
        async with asyncio.timeout(LIMIT_S):
            return await self.answers.get()

    def leave(self) -> None:
        """Closes without a word."""
        self._writer.transport.abort()


class CallingProvider:
    """Where it is, and who came. `silent`: whether those who come from now on get no answers."""

    def __init__(self) -> None:
        self.port = 0
        self.silent = False
        self.visits: list[Visit] = []
        self._came = asyncio.Condition()

    async def welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = Visit(reader, writer, self.silent)
        self.visits.append(visit)
        async with self._came:
            self._came.notify_all()
        try:
            await visit.serve()
        finally:
            writer.close()

    async def visit(self, count: int = 1) -> Visit:
        """The connection that came as the `count`th."""
        async with asyncio.timeout(LIMIT_S), self._came:
            await self._came.wait_for(lambda: len(self.visits) >= count)
        return self.visits[count - 1]


@asynccontextmanager
async def calling_provider() -> AsyncIterator[CallingProvider]:
    """Listens on loopback."""
    provider = CallingProvider()
    server = await asyncio.start_server(provider.welcome, "127.0.0.1", 0)
    provider.port = server.sockets[0].getsockname()[1]
    try:
        yield provider
    finally:
        server.close()
        for visit in provider.visits:
            visit.leave()
