"""The chunked transfer coding (RFC 9112, section 7.1), taken apart as it arrives."""

from __future__ import annotations

import re
from typing import Final

from protocols.http.errors import HttpWireError
from protocols.http.field import TCHAR
from protocols.http.limits import HttpLimits

__all__ = ["ChunkedBody"]

_TOKEN: Final = TCHAR.encode() + b"++"
_QUOTED: Final = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*+"'
_LINE: Final = re.compile(
    rb"([0-9A-Fa-f]{1,16})((?:[ \t]*+;[ \t]*+"
    + _TOKEN
    + rb"(?:[ \t]*+=[ \t]*+(?:"
    + _TOKEN
    + rb"|"
    + _QUOTED
    + rb"))?)*+)"
)
_PLAIN_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})\r\n").match
_LINE_SO_FAR: Final = re.compile(rb"[0-9A-Fa-f]{1,16}(?:\r|[ \t;][\t \x21-\x7e\x80-\xff]*+\r?)?")
"""What may be there of a line that has not ended yet."""


class ChunkedBody:
    """Collects one body. `feed` until it says where the message ends; then `data` is the body, `trailers` its lines.

    Attributes:
        data: The body so far, without the coding.
        trailers: The trailer lines with their line ends, once the message has ended. Nobody has looked at them.
    """

    __slots__ = ("_chunks", "_extension_bytes", "_left", "_limits", "_partial", "_reading", "data", "trailers")

    def __init__(self, limits: HttpLimits) -> None:
        self._limits = limits
        self._reading = self._chunk_line
        self._left = 0
        """Bytes of the current chunk that have not arrived."""
        self._partial = b""
        """A line that has not ended, or trailers that have not."""
        self._extension_bytes = 0
        self._chunks = 0
        self.data = bytearray()
        self.trailers = b""

    @property
    def pending_bytes(self) -> int:
        """Bytes held."""
        return len(self.data) + len(self._partial)

    def feed(self, data: bytes, position: int) -> int:
        """Takes `data` from `position` on; gives the position behind the message, or -1 while it has not ended.

        Raises:
            HttpWireError: it is no chunked coding (400), or exceeds a limit (400, 413, 431).
        """
        if self._partial:
            data = self._partial + data[position:]
            taken, position, self._partial = len(self._partial) - position, 0, b""
        else:
            taken = 0
        while position >= 0:
            if self._reading == self._chunk_line:
                position = self._whole_chunks(data, position)
            following = self._reading(data, position)
            if following < 0:
                return -1
            if self._reading == self._ended:
                return following - taken
            position = following
        return -1

    def _whole_chunks(self, data: bytes, position: int) -> int:
        """Takes chunks that are all there and within the limits, as most are; gives where the first other thing is."""
        body, most = self.data, self._limits.max_body_bytes
        left = self._limits.max_chunks - self._chunks
        while left and (line := _PLAIN_LINE(data, position)) is not None:
            begin = line.end()
            size = int(line[1], 16)
            end = begin + size
            if not size or size + len(body) > most or data[end : end + 2] != b"\r\n":
                break
            body += data[begin:end]
            position = end + 2
            left -= 1
        self._chunks = self._limits.max_chunks - left
        return position

    def _ended(self, data: bytes, position: int) -> int:
        raise AssertionError("the message has ended")

    def _chunk_line(self, data: bytes, position: int) -> int:
        limits = self._limits
        end = data.find(b"\r\n", position, position + limits.max_chunk_line_bytes + 2)
        if end < 0:
            rest = data[position : position + limits.max_chunk_line_bytes + 2]
            if len(rest) > limits.max_chunk_line_bytes + 1:
                raise _bad(f"the line before a chunk has more than {limits.max_chunk_line_bytes} bytes")
            if rest and _LINE_SO_FAR.fullmatch(rest) is None:
                raise _bad("the size of a chunk is malformed")
            self._partial = rest
            return -1
        found = _LINE.fullmatch(data, position, end)
        if found is None:
            raise _bad("the size of a chunk is malformed")
        self._extension_bytes += found.end(2) - found.start(2)
        if self._extension_bytes > limits.max_chunk_extension_bytes:
            raise _bad(f"more than {limits.max_chunk_extension_bytes} bytes of chunk extensions")
        self._chunks += 1
        if self._chunks > limits.max_chunks:
            raise _bad(f"the body has more than {limits.max_chunks} chunks")
        size = int(found[1], 16)
        if size + len(self.data) > limits.max_body_bytes:
            raise HttpWireError(413, f"the body has more than {limits.max_body_bytes} bytes", reason="body-too-large")
        self._left = size
        self._reading = self._chunk_data if size else self._trailer
        return end + 2

    def _chunk_data(self, data: bytes, position: int) -> int:
        end = min(position + self._left, len(data))
        self.data += memoryview(data)[position:end]
        self._left -= end - position
        if self._left:
            return -1
        self._reading = self._chunk_end
        return end

    def _chunk_end(self, data: bytes, position: int) -> int:
        if data.startswith(b"\r\n", position):
            self._reading = self._chunk_line
            return position + 2
        rest = data[position : position + 2]
        if not b"\r\n".startswith(rest):
            raise _bad("a chunk is longer than its size says")
        self._partial = rest
        return -1

    def _trailer(self, data: bytes, position: int) -> int:
        limits = self._limits
        if data.startswith(b"\r\n", position):
            self._reading = self._ended
            return position + 2
        end = data.find(b"\r\n\r\n", position, position + limits.max_header_bytes + 4)
        if end < 0:
            if len(data) - position > limits.max_header_bytes + 2:
                raise HttpWireError(
                    431, f"the trailers have more than {limits.max_header_bytes} bytes", reason="headers-too-large"
                )
            self._partial = data[position:]
            return -1
        self.trailers = data[position : end + 2]
        self._reading = self._ended
        return end + 4


def _bad(text: str) -> HttpWireError:
    return HttpWireError(400, text, reason="bad-chunk")
