"""Where messages end on a connection: frames with their length in front, or a stream without any.

Without frames nothing but the message itself says where it ends, so it is passed over once, however it arrives, and
read afterwards.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from gateway.model.errors import RemoteWireError
from protocols.reader import Limits
from protocols.thrift import wire
from protocols.thrift.encoding import Encoding
from protocols.thrift.errors import ThriftError, Truncated
from protocols.thrift.json_reader import Progress, end_of_json
from protocols.thrift.skip import Skip

__all__ = ["FRAME_HEAD_BYTES", "FrameSplitter", "JsonSplitter", "Splitter", "StreamSplitter", "framed"]

FRAME_HEAD_BYTES: Final = 4
_SPACE: Final = b" \t\r\n"
_LEVELS: Final = 3


class Splitter(Protocol):
    """Cuts what arrives into messages."""

    @property
    def pending_bytes(self) -> int:
        """Bytes of an incomplete message held back."""
        ...

    def feed(self, data: bytes, messages: list[bytes]) -> None:
        """Appends the messages that are complete.

        Raises:
            RemoteWireError: the position in the stream is lost; what was complete before is in `messages`.
        """
        ...


def framed(message: bytes) -> bytes:
    """A message with its length in front."""
    return len(message).to_bytes(FRAME_HEAD_BYTES, "big") + message


class FrameSplitter:
    """Frames: the length in four bytes, then so many. See `Splitter`."""

    __slots__ = ("_held", "_max_bytes", "_wanted")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held = bytearray()
        self._wanted = 0
        """Bytes that must be held before it is worth looking again."""

    @property
    def pending_bytes(self) -> int:
        """See `Splitter`."""
        return len(self._held)

    def feed(self, data: bytes, messages: list[bytes]) -> None:
        """See `Splitter.feed`."""
        held = self._held
        if held:
            held += data
            if len(held) < self._wanted:
                return
            data = bytes(held)
            held.clear()
        pos, size = 0, len(data)
        while pos < size:
            start = pos + FRAME_HEAD_BYTES
            if start > size:
                self._wanted = FRAME_HEAD_BYTES
                break
            length = int.from_bytes(data[pos:start], "big")
            if not 0 < length <= self._max_bytes:
                if length > 0x7FFFFFFF:
                    length -= 1 << 32
                raise RemoteWireError(
                    f"a frame of {length} bytes; 1 to {self._max_bytes} are taken", reason="frame-too-large"
                )
            if start + length > size:
                self._wanted = FRAME_HEAD_BYTES + length
                break
            pos = start + length
            messages.append(data[start:pos])
        if pos < size:
            held += data[pos:]


class StreamSplitter:
    """Messages of the binary or compact encoding one behind the other. See `Splitter`."""

    __slots__ = ("_encoding", "_held", "_limits", "_reader", "_skip")

    def __init__(self, encoding: Encoding, limits: Limits) -> None:
        self._encoding = encoding
        self._limits = limits
        self._held = bytearray()
        self._reader: Any = None
        self._skip: Skip | None = None

    @property
    def pending_bytes(self) -> int:
        """See `Splitter`."""
        return len(self._held)

    def feed(self, data: bytes, messages: list[bytes]) -> None:
        """See `Splitter.feed`."""
        held, most = self._held, self._limits.max_frame_bytes
        held += data
        while held:
            if self._reader is None:
                self._reader = self._encoding.reader(held, 0, self._limits, most)
            else:
                self._reader.extend(held)
            try:
                if self._skip is None:
                    self._reader.message()
                    self._skip = Skip(wire.STRUCT)
                self._skip.run(self._reader)
            except Truncated:
                if len(held) >= most:
                    raise RemoteWireError(f"a message of more than {most} bytes", reason="frame-too-large") from None
                return
            except ThriftError as exc:
                raise RemoteWireError(str(exc), reason="malformed") from None
            end = self._reader.pos
            messages.append(_beginning(held, end))
            self._reader = self._skip = None
            del held[:end]


class JsonSplitter:
    """Messages of the JSON encoding one behind the other, perhaps with space between them. See `Splitter`."""

    __slots__ = ("_held", "_limits", "_progress")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = bytearray()
        self._progress = Progress()

    @property
    def pending_bytes(self) -> int:
        """See `Splitter`."""
        return len(self._held)

    def feed(self, data: bytes, messages: list[bytes]) -> None:
        """See `Splitter.feed`."""
        held, limits = self._held, self._limits
        held += data
        while held:
            if self._progress.pos == 0:
                if held[0] in _SPACE:
                    held[:] = held.lstrip(_SPACE)
                    continue
                if held[0] != 0x5B:
                    raise RemoteWireError("no message of the JSON protocol", reason="malformed")
            try:
                end = end_of_json(held, limits.max_depth * _LEVELS + 2, self._progress)
            except ThriftError as exc:
                raise RemoteWireError(str(exc), reason="malformed") from None
            if (len(held) if end is None else end) > limits.max_frame_bytes:
                raise RemoteWireError(
                    f"a message of more than {limits.max_frame_bytes} bytes", reason="frame-too-large"
                )
            if end is None:
                return
            messages.append(_beginning(held, end))
            del held[:end]
            self._progress = Progress()


def _beginning(held: bytearray, end: int) -> bytes:
    # A slice would be a second copy.
    with memoryview(held) as view:
        return bytes(view[:end])
