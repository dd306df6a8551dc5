"""A relay that does to a provider's answers what a bad provider would do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from typing import Final

from tests.support.dubbo_bytes import HEADER
from tests.support.http_bytes import first_answer

__all__ = ["Mischief", "Tamper", "tampering"]

_READ_BYTES: Final = 65_536
_OTHER_ID: Final = 1 << 40


class Mischief(Enum):
    """What becomes of an answer."""

    NONE = "passed on"
    SWALLOW = "never sent"
    LATE = "sent late"
    TWICE = "sent twice"
    WRONG_ID = "sent with another id"


class Tamper:
    """`mischief`: for the answers from now on. `late_s`: how long a late one is held back."""

    def __init__(self, wire: str, port: int, late_s: float) -> None:
        self._wire = wire
        self._port = port
        self._late_s = late_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.mischief = Mischief.NONE
        self.touched = 0
        """Answers that were not simply passed on."""
        self.address = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client."""
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._ask(reader, far_writer), self._answer(far_reader, writer))

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_READ_BYTES):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held = b""
        with contextlib.suppress(OSError):
            while data := await reader.read(_READ_BYTES):
                held += data
                while (end := self._end(held)) is not None:
                    self._pass_on(held[:end], writer)
                    held = held[end:]
                await writer.drain()
        writer.close()

    def _end(self, data: bytes) -> int | None:
        """Where the first answer ends; None while it is not complete."""
        if self._wire == "http":
            found = first_answer(data)
            return None if found is None else found[1]
        if len(data) < HEADER.size:
            return None
        end: int = HEADER.size + HEADER.unpack_from(data)[4]
        return end if len(data) >= end else None

    def _pass_on(self, answer: bytes, writer: asyncio.StreamWriter) -> None:
        mischief = self.mischief
        if mischief is Mischief.NONE:
            writer.write(answer)
            return
        self.touched += 1
        if mischief is Mischief.LATE:
            self._tasks.add(asyncio.create_task(self._later(answer, writer)))
        elif mischief is Mischief.TWICE:
            writer.write(answer * 2)
        elif mischief is Mischief.WRONG_ID:
            magic, flags, status, request_id, length = HEADER.unpack_from(answer)
            writer.write(HEADER.pack(magic, flags, status, request_id + _OTHER_ID, length) + answer[HEADER.size :])

    async def _later(self, answer: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self._late_s)
        if not writer.is_closing():
            writer.write(answer)

    async def close(self) -> None:
        """Ends every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def tampering(wire: str, port: int, late_s: float) -> AsyncIterator[Tamper]:
    """A relay to `127.0.0.1:port`."""
    tamper = Tamper(wire, port, late_s)
    server = await asyncio.start_server(tamper.serve, "127.0.0.1", 0)
    tamper.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield tamper
    finally:
        server.close()
        await tamper.close()
