"""The five strings every dubbo:// request body begins with, cut out fast and cached by their bytes.

They repeat in every message of a caller: protocol version, path, service version, method name, parameter descriptor.
"""

from __future__ import annotations

from typing import Final

from gateway.model.errors import BadRequest
from protocols import java
from protocols.dubbo.frame import HEADER_BYTES
from protocols.hessian.errors import HessianError, shorten
from protocols.hessian.reader import Reader
from protocols.reader import Limits

__all__ = ["MAX_CACHED_BYTES", "RequestHead", "RequestHeads"]

_MAX_CACHED: Final = 2_048
_NULL: Final = b"N"
MAX_CACHED_BYTES: Final = 512
"""Longest head that is remembered, or that anything is remembered about."""
_MAX_DESCRIPTOR: Final = 65_535
"""Bytes of the longest descriptor that a class file can hold (The Java Virtual Machine Specification 17, §4.4.7)."""
_LOWEST_WITH_ATTACHMENTS: Final = 2_000_200
_HIGHEST_WITH_ATTACHMENTS: Final = 2_009_900


class RequestHead:
    """One distinct head. Immutable; equal only to itself.

    Attributes:
        path: Path of the service, normally its interface name.
        version: Service version as written (`0.0.0` for none); empty for null.
        method: Method name.
        descriptor: JVM descriptors of the parameters, concatenated.
        argument_count: How many arguments follow.
        method_start: Offset in the frame of the method name's first byte.
        end: Offset in the frame of the first argument.
        reply_attachments: Whether the caller understands answers with attachments.
    """

    __slots__ = (
        "argument_count",
        "descriptor",
        "end",
        "method",
        "method_start",
        "path",
        "reply_attachments",
        "version",
    )

    def __init__(self, reader: Reader) -> None:
        """Raises HessianError or BadRequest."""
        longest = reader.limits.max_name_bytes
        self.reply_attachments: Final = _understands_attachments(_read(reader, "protocol version", longest))
        self.path: Final = _read(reader, "path", longest)
        # Dubbo providers send null when they call a callback.
        self.version: Final = "" if _skip_null(reader) else _read(reader, "service version", longest)
        self.method_start: Final = reader.pos
        self.method: Final = _read(reader, "method name", longest)
        self.descriptor: Final = _read(reader, "type descriptor", _MAX_DESCRIPTOR)
        self.end: Final = reader.pos
        try:
            types = java.parse_descriptor(self.descriptor)
        except ValueError as exc:
            raise BadRequest(f"{shorten(self.path)}.{shorten(self.method)}: {exc}") from exc
        self.argument_count: Final = len(types)


class RequestHeads:
    """Reads heads, remembering those seen; bounded, shared by all connections of a listener."""

    __slots__ = ("_limits", "_seen")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._seen: dict[bytes, RequestHead] = {}

    def read(self, frame: bytes) -> RequestHead:
        """The head of a request frame (header included).

        Raises:
            BadRequest: the body does not begin with five strings, one is too long, or the descriptor is malformed.
        """
        position = HEADER_BYTES
        try:
            # Short ASCII strings, which is what names are. A wrong guess finds nothing in the cache.
            for _ in range(5):
                tag = frame[position]
                if tag < 0x20:
                    position += tag + 1
                else:
                    position += ((tag - 0x30) << 8) + frame[position + 1] + 2
            found = self._seen.get(frame[HEADER_BYTES:position])
        except IndexError:
            found = None
        if found is not None:
            return found
        try:
            head = RequestHead(Reader(frame, HEADER_BYTES, len(frame), self._limits))
        except HessianError as exc:
            raise BadRequest(
                f"the request does not begin with version, path, version, method and types: {exc}"
            ) from exc
        if head.end == position and position - HEADER_BYTES <= MAX_CACHED_BYTES:
            if len(self._seen) >= _MAX_CACHED:
                self._seen.clear()
            self._seen[frame[HEADER_BYTES:position]] = head
        return head


def _skip_null(reader: Reader) -> bool:
    if reader.data[reader.pos : reader.pos + 1] != _NULL:
        return False
    reader.pos += 1
    return True


def _read(reader: Reader, what: str, longest: int) -> str:
    text = reader.read_string()
    if len(text) > longest:
        raise BadRequest(f"a {what} of {len(text)} characters; {longest} are allowed")
    return text


def _understands_attachments(version: str) -> bool:
    """Whether `version` lies in 2.0.2 … 2.0.99.

    Source: apache/dubbo: dubbo-common/.../common/Version.java, isSupportResponseAttachment.
    """
    parts = version.split(".")
    if len(parts) > 4 or not all(part.isascii() and part.isdecimal() and len(part) < 6 for part in parts):
        return False
    number = 0
    for part in parts:
        number = number * 100 + int(part)
    if len(parts) == 3:
        number *= 100
    return _LOWEST_WITH_ATTACHMENTS <= number <= _HIGHEST_WITH_ATTACHMENTS
