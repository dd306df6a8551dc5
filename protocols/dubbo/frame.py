"""The 16-byte frame header of dubbo:// and the machine that cuts a stream into frames.

Source: apache/dubbo: dubbo-remoting/dubbo-remoting-api/.../remoting/exchange/codec/ExchangeCodec.java

    offset 0  2 bytes  magic da bb
    offset 2  1 byte   flags: 80 request, 40 two-way, 20 event, low five bits serialization id
    offset 3  1 byte   response status, 0 on requests
    offset 4  8 bytes  request id, signed, big-endian
    offset 12 4 bytes  body length, signed, big-endian
"""

from __future__ import annotations

import struct
from typing import Final

from gateway.model.errors import RemoteWireError
from protocols.sniff import SNIFF_BYTES, sniff

__all__ = [
    "EVENT",
    "HEADER",
    "HEADER_BYTES",
    "HESSIAN2",
    "MAGIC",
    "MAX_EVENT_BYTES",
    "NULL_BODY",
    "REQUEST",
    "SERIALIZATION_MASK",
    "TWO_WAY",
    "FrameSplitter",
    "FrameTooLarge",
    "heartbeat_reply",
    "heartbeat_request",
    "read_only_event",
]

HEADER: Final = struct.Struct(">HBBqi")
"""magic, flags, status, request id, body length."""
HEADER_BYTES: Final = 16
MAGIC: Final = 0xDABB
REQUEST: Final = 0x80
TWO_WAY: Final = 0x40
EVENT: Final = 0x20
SERIALIZATION_MASK: Final = 0x1F
HESSIAN2: Final = 2
"""Serialization id; Constants.java of dubbo-serialization-api lists the others."""
NULL_BODY: Final = b"N"
MAX_EVENT_BYTES: Final = 50
"""Dubbo 2.7 refuses larger event bodies (`deserialization.event.size`), 3.x takes 15; only null, "R" and "W" exist."""

_STATUS_OK: Final = 20


def heartbeat_request(request_id: int) -> bytes:
    """A heartbeat that asks for an answer."""
    return HEADER.pack(MAGIC, REQUEST | TWO_WAY | EVENT | HESSIAN2, 0, request_id, 1) + NULL_BODY


def heartbeat_reply(request_id: int, serialization: int) -> bytes:
    """The answer to a heartbeat: same id and serialization, status 20, a null body."""
    return HEADER.pack(MAGIC, EVENT | serialization, _STATUS_OK, request_id, 1) + NULL_BODY


def read_only_event(request_id: int) -> bytes:
    """One-way event "R": make no new calls on this connection; answers still arrive."""
    return HEADER.pack(MAGIC, REQUEST | EVENT | HESSIAN2, 0, request_id, 2) + b"\x01R"


class FrameTooLarge(RemoteWireError):
    """A header declares a body that is not accepted. `header`: its 16 bytes, for whoever wants to answer it."""

    def __init__(self, length: int, limit: int, header: bytes) -> None:
        super().__init__(f"body length {length} is outside 0..{limit} bytes", reason="frame-too-large")
        self.header = header


class FrameSplitter:
    """Cuts a byte stream into whole frames, header included.

    The buffer grows with what was received, never with what a header declares.
    """

    __slots__ = ("_max_body", "_need", "_partial")

    def __init__(self, max_body_bytes: int) -> None:
        self._max_body = max_body_bytes
        self._partial: bytearray | None = None
        self._need = HEADER_BYTES

    @property
    def pending_bytes(self) -> int:
        """Bytes of an incomplete frame."""
        return len(self._partial) if self._partial is not None else 0

    def split(self, data: bytes, frames: list[bytes]) -> None:
        """Appends all frames that are complete now to `frames`.

        Raises:
            FrameTooLarge: a body length below 0 or above the limit.
            RemoteWireError: no magic where a frame must begin. In both cases the frames before it have been appended.
        """
        partial = self._partial
        if partial is not None:
            partial += data
            if len(partial) < self._need:
                if self._need > HEADER_BYTES:
                    return
                self._check_magic(partial)
                return
            data = bytes(partial)
            self._partial = partial = None  # before frames are cut out: two copies of a large one are enough
            self._need = HEADER_BYTES
        size = len(data)
        start = 0
        while size - start >= HEADER_BYTES:
            magic, _, _, _, length = HEADER.unpack_from(data, start)
            if magic != MAGIC:
                raise self._bad_magic(data[start : start + SNIFF_BYTES])
            if not 0 <= length <= self._max_body:
                raise FrameTooLarge(length, self._max_body, data[start : start + HEADER_BYTES])
            end = start + HEADER_BYTES + length
            if end > size:
                self._need = end - start
                break
            frames.append(data if end - start == size else data[start:end])
            start = end
        if start < size:
            rest = data[start:]
            self._check_magic(rest)
            self._partial = bytearray(rest)

    def _check_magic(self, head: bytes | bytearray) -> None:
        if head[0] != 0xDA or (len(head) > 1 and head[1] != 0xBB):
            raise self._bad_magic(bytes(head[:SNIFF_BYTES]))

    def _bad_magic(self, head: bytes) -> RemoteWireError:
        return RemoteWireError(
            f"a frame must begin with da bb; the peer sent what looks like {sniff(head)}", reason="bad-magic"
        )
