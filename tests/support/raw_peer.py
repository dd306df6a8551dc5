"""The other end of a connection, byte by byte: sends what a test likes, closes as it likes, reads when it likes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from typing import Final

from tests.support.toy_wire import Frames

LIMIT_S: Final = 5.0
"""How long anything may take that must happen."""


class RawPeer:
    """A connected socket. What a read is waiting for must come within `LIMIT_S`."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._loop = asyncio.get_running_loop()
        self._frames = Frames()
        self._received: list[tuple[int, int, bytes]] = []

    @classmethod
    def connect(
        cls, port: int, *, source: str = "127.0.0.1", receive_buffer: int | None = None, timeout_s: float = LIMIT_S
    ) -> RawPeer:
        """Connects without giving the loop a turn: the kernel accepts on behalf of a listener in this process."""
        sock = socket.socket()
        try:
            if receive_buffer is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.bind((source, 0))
            sock.settimeout(timeout_s)
            sock.connect(("127.0.0.1", port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            sock.close()
            raise
        return cls(sock)

    def send_now(self, data: bytes) -> None:
        """Sends in one segment, without giving the loop a turn."""
        assert self.sock.send(data) == len(data)

    async def send(self, data: bytes) -> None:
        async with asyncio.timeout(LIMIT_S):
            await self._loop.sock_sendall(self.sock, data)

    async def frames(self, count: int) -> list[tuple[int, int, bytes]]:
        """The next toy frames: kind, id, body. Raises EOFError when the stream ends before."""
        async with asyncio.timeout(LIMIT_S):
            while len(self._received) < count:
                data = await self._loop.sock_recv(self.sock, 1 << 18)
                if not data:
                    raise EOFError
                self._received += self._frames.feed(data)
        found, self._received = self._received[:count], self._received[count:]
        return found

    async def end(self) -> bytes:
        """Reads until the other side closes; gives what came before that. A reset ends it as well."""
        parts = []
        async with asyncio.timeout(LIMIT_S):
            with contextlib.suppress(ConnectionResetError):
                while data := await self._loop.sock_recv(self.sock, 1 << 18):
                    parts.append(data)
        return b"".join(parts)

    def finish(self) -> None:
        """Sends no more, still reads."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Ends the connection with a reset instead of an orderly close."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        self.sock.close()

    def __enter__(self) -> RawPeer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RawListener:
    """A listening socket on 127.0.0.1 whose connections a test accepts by hand."""

    def __init__(self, port: int = 0, backlog: int = 16) -> None:
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(("127.0.0.1", port))
        self.sock.listen(backlog)
        self.sock.setblocking(False)
        self.port: int = self.sock.getsockname()[1]

    async def accept(self) -> RawPeer:
        async with asyncio.timeout(LIMIT_S):
            sock, _ = await asyncio.get_running_loop().sock_accept(self.sock)
        return RawPeer(sock)

    def close(self) -> None:
        self.sock.close()

    def __enter__(self) -> RawListener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextlib.asynccontextmanager
async def full_listener() -> AsyncIterator[int]:
    """The port of a listener whose queue is full: connecting to it neither succeeds nor fails (Linux drops the SYN)."""
    with RawListener(backlog=0) as listener:
        waiting = []
        try:
            for _ in range(3):
                sock = socket.socket()
                sock.setblocking(False)
                sock.connect_ex(("127.0.0.1", listener.port))
                waiting.append(sock)
            yield listener.port
        finally:
            for sock in waiting:
                sock.close()
