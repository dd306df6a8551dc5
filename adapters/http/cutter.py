"""Cuts a stream of bytes into whole requests, each checked before anybody else reads it."""

from __future__ import annotations

from typing import Final

from protocols.http.chunked import ChunkedBody
from protocols.http.errors import HttpWireError
from protocols.http.head import CHUNKED, FieldBlock, HeadReader, RequestLine, parse_fields
from protocols.http.limits import HttpLimits

__all__ = ["CutRequest", "RequestCutter"]

_HEAD_END: Final = b"\r\n\r\n"


class CutRequest:
    """One whole request. `body`: without transfer coding."""

    __slots__ = ("block", "body", "line")

    def __init__(self, line: RequestLine, block: FieldBlock, body: bytes) -> None:
        self.line: Final = line
        self.block: Final = block
        self.body: Final = body

    def normalized(self, raw_line: bytes) -> bytes:
        """The request as plainly as it can be said: `raw_line`, the fields that are no framing, a length, the body."""
        block = self.block
        fields = [f"{name}: {value}" for name, value in block.headers.pairs]
        if block.codings:
            fields.append(f"Content-Encoding: {', '.join(block.codings)}")
        if block.close:
            fields.append("Connection: close")
        elif block.keep_alive:
            fields.append("Connection: keep-alive")
        fields.append(f"Content-Length: {len(self.body)}")
        return b"%b\r\n%b\r\n\r\n%b" % (raw_line, "\r\n".join(fields).encode("latin-1"), self.body)


class RequestCutter:
    """One connection's incoming stream: `feed` bytes, then `take` requests until there is none.

    Attributes:
        wants_continue: The peer sends the body only when it is asked to; whoever asks sets this back.
        raw_line: The first line of the request that `take` gave last.
    """

    __slots__ = (
        "_block",
        "_buffer",
        "_chunked",
        "_length",
        "_limits",
        "_line",
        "_reader",
        "_searched",
        "raw_line",
        "wants_continue",
    )

    def __init__(self, reader: HeadReader, limits: HttpLimits) -> None:
        self._reader = reader
        self._limits = limits
        self._buffer = bytearray()
        self._line: RequestLine | None = None
        self._block: FieldBlock | None = None
        self._chunked: ChunkedBody | None = None
        self._length = 0
        self._searched = 0
        """Bytes of the buffer that hold no end of a head."""
        self.raw_line = b""
        self.wants_continue = False

    @property
    def pending_bytes(self) -> int:
        """Bytes held that make no whole request yet; at least 1 inside a request."""
        if self._line is None:
            return len(self._buffer)
        chunked = self._chunked.pending_bytes if self._chunked is not None else 0
        return len(self._buffer) + chunked + 1

    def feed(self, data: bytes) -> None:
        """Takes what arrived."""
        self._buffer += data

    def take(self) -> CutRequest | None:
        """The next whole request, None when more bytes are needed.

        Raises:
            HttpWireError: what arrived is no request, or exceeds a limit. The stream cannot be read any further.
        """
        if self._line is None and not self._take_head():
            return None
        line, block = self._line, self._block
        assert line is not None
        assert block is not None
        body = self._take_body()
        if body is None:
            return None
        self._line = self._block = self._chunked = None
        self.wants_continue = False
        return CutRequest(line, block, body)

    def _take_head(self) -> bool:
        buffer = self._buffer
        # An empty line before a request is passed over (RFC 9112, section 2.2).
        start = 2 if buffer.startswith(b"\r\n") else 0
        limits = self._limits
        end = buffer.find(_HEAD_END, max(start, self._searched - len(_HEAD_END)))
        if end < 0:
            self._searched = len(buffer)
            if buffer:
                self._reader.check_beginning(buffer)
            return False
        self._searched = 0
        line_end = buffer.find(b"\r\n", start)
        self.raw_line = bytes(buffer[start:line_end])
        line = self._reader.line(self.raw_line)
        block = self._reader.block(bytes(buffer[line_end + 2 : end + 2]))
        if not block.has_host and not line.is_http_1_0:
            raise HttpWireError(400, "an HTTP/1.1 request without a Host field", reason="bad-host")
        if block.length == CHUNKED:
            if line.is_http_1_0:
                # RFC 9112, section 6.1: whoever wrote that cannot know what it means.
                raise HttpWireError(400, "a transfer coding in an HTTP/1.0 request", reason="bad-framing")
            self._chunked = ChunkedBody(limits)
        elif block.length > limits.max_body_bytes:
            raise HttpWireError(413, f"the body has more than {limits.max_body_bytes} bytes", reason="body-too-large")
        self._length = block.length
        if block.expects and not line.is_http_1_0:
            if block.expects != "100-continue":
                raise HttpWireError(417, "only 100-continue can be expected here", reason="bad-expectation")
            self.wants_continue = True
        self._line, self._block = line, block
        del buffer[: end + 4]
        return True

    def _take_body(self) -> bytes | None:
        buffer = self._buffer
        if self._chunked is not None:
            arrived = bytes(buffer)
            end = self._chunked.feed(arrived, 0)
            if arrived:
                self.wants_continue = False
            if end < 0:
                buffer.clear()
                return None
            del buffer[:end]
            if self._chunked.trailers:
                # What they say is of no use here, but they must not be able to say how long the message is.
                parse_fields(b"Transfer-Encoding: chunked\r\n" + self._chunked.trailers, self._limits)
            return bytes(self._chunked.data)
        if len(buffer) < self._length:
            if buffer:
                self.wants_continue = False
            return None
        with memoryview(buffer) as view:
            body = bytes(view[: self._length])
        del buffer[: self._length]
        return body
