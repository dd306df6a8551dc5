"""A transport without a socket: counts writes, holds back what a peer does not take."""

from __future__ import annotations

import asyncio
from typing import Any


class FakeTransport(asyncio.Transport):
    """Takes everything at once while `open` is true; otherwise keeps it in `held` until `take`.

    Calls its protocol as asyncio's transports do: `pause_writing` above the limit, `resume_writing` at a quarter of it,
    `connection_lost` a turn after it was closed and everything was taken.
    """

    def __init__(self, protocol: asyncio.Protocol, *, is_open: bool = True) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._high = 65_536
        self._paused_protocol = False
        self._closing = False
        self._lost = False
        self.is_open = is_open
        self._reading = True
        self.writes: list[bytes] = []
        self.held = 0
        self.most_held = 0
        self.ended = False
        """Whether the sending side was closed."""
        self.aborted = False
        protocol.connection_made(self)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high is not None
        self._high = high

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def receive(self, data: bytes) -> None:
        """The peer sends something to whoever has the transport now."""
        self._protocol.data_received(data)

    def get_write_buffer_size(self) -> int:
        return self.held

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended, "written behind the end"
        self.writes.append(bytes(data))
        if self.is_open:
            return
        self.held += len(data)
        self.most_held = max(self.most_held, self.held)
        if self.held > self._high and not self._paused_protocol:
            self._paused_protocol = True
            self._protocol.pause_writing()

    def take(self, count: int | None = None) -> None:
        """The peer reads so much, or everything."""
        self.held -= min(self.held, self.held if count is None else count)
        if self.held <= self._high // 4 and self._paused_protocol:
            self._paused_protocol = False
            self._protocol.resume_writing()
        self._lose_if_done()

    @property
    def written(self) -> bytes:
        return b"".join(self.writes)

    def pause_reading(self) -> None:
        assert not self._closing, "uvloop refuses that"
        self._reading = False

    def resume_reading(self) -> None:
        assert not self._closing
        self._reading = True

    def is_reading(self) -> bool:
        return self._reading

    def is_closing(self) -> bool:
        return self._closing

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._lose_if_done()

    def abort(self) -> None:
        self.aborted = self._closing = True
        self.held = 0
        self._lose_if_done()

    def fall_silent(self) -> None:
        """Is closed without telling its protocol."""
        self._closing = self._lost = True

    def _lose_if_done(self) -> None:
        if self._closing and not self.held and not self._lost:
            self._lost = True
            self._loop.call_soon(self._protocol.connection_lost, None)
