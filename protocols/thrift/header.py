"""The two wrappers a frame may have around its message: Thrift's header transport and Dubbo's.

Sources: apache/thrift: doc/specs/HeaderFormat.md; apache/dubbo 2.6 and 2.7: ThriftCodec.java of dubbo-rpc-thrift.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final, NamedTuple

from gateway.model.errors import ValueMappingError
from protocols.reader import Limits
from protocols.thrift.binary import BINARY, BinaryReader
from protocols.thrift.compact import COMPACT, CompactReader, write_varint
from protocols.thrift.context import NO_PAIRS, Pairs
from protocols.thrift.encoding import Encoding
from protocols.thrift.errors import ThriftError
from protocols.thrift.text import read_text, write_text

__all__ = [
    "DUBBO_MAGIC",
    "HEADER_MAGIC",
    "DubboHead",
    "HeaderHead",
    "UnknownTransform",
    "read_dubbo",
    "read_header",
    "write_dubbo",
    "write_header",
]

HEADER_MAGIC: Final = b"\x0f\xff"
DUBBO_MAGIC: Final = b"\xda\xbc"
_HEADER: Final = struct.Struct(">HHiH")
_DUBBO: Final = struct.Struct(">HiHb")
_I32: Final = struct.Struct(">i")
_I64: Final = struct.Struct(">q")
_VERSION: Final = 1
_ZLIB: Final = 1
_KEY_VALUES: Final = 1
_MAX_TRANSFORMS: Final = 4
_MAX_PAIRS: Final = 1_024
_MAX_HEADER_BYTES: Final = 0xFFFF * 4
_ENCODINGS: Final[dict[int, Encoding]] = {0: BINARY, 2: COMPACT}
_IDS: Final = {encoding.name: id for id, encoding in _ENCODINGS.items()}


class HeaderHead(NamedTuple):
    """The head of a message in header transport. `flags` and `seqid` go back as they came."""

    encoding: Encoding
    flags: int
    seqid: int
    pairs: Pairs


class DubboHead(NamedTuple):
    """The head of a message in Dubbo's framing. `path`: only Dubbo 2.7 says one, and only in calls (`write_dubbo`)."""

    service: bytes
    request_id: int
    path: bytes | None = None


class UnknownTransform(ThriftError):
    """The message was changed in a way that nothing here can undo. `head`: of the message."""

    def __init__(self, number: int, head: HeaderHead) -> None:
        super().__init__(f"transform {number} is not known here, only {_ZLIB} (zlib)")
        self.head = head


def read_header(frame: bytes, limits: Limits) -> tuple[HeaderHead, bytes]:
    """Head and message of a frame that begins with `HEADER_MAGIC`. Raises ThriftError."""
    if len(frame) < _HEADER.size:
        raise ThriftError("a header that ends early")
    _, flags, seqid, words = _HEADER.unpack_from(frame)
    end = _HEADER.size + words * 4
    if end > len(frame):
        raise ThriftError(f"a header of {words * 4} bytes in a frame of {len(frame)}")
    reader = CompactReader(frame[:end], _HEADER.size, limits)
    encoding = _ENCODINGS.get(reader.size("protocol"))
    if encoding is None:
        raise ThriftError("a protocol that is neither binary nor compact")
    count = reader.size("transforms")
    if count > _MAX_TRANSFORMS:
        raise ThriftError(f"{count} transforms; {_MAX_TRANSFORMS} are taken")
    transforms = [reader.size("transform") for _ in range(count)]
    pairs: dict[str, str] = {}
    while reader.pos < end and reader.size("info") == _KEY_VALUES:
        count = reader.size("headers")
        if count + len(pairs) > _MAX_PAIRS:
            raise ThriftError(f"more than {_MAX_PAIRS} headers")
        for _ in range(count):
            key = _text(reader)
            pairs[key] = _text(reader)
    head = HeaderHead(encoding, flags, seqid, pairs or NO_PAIRS)
    message = frame[end:]
    for transform in reversed(transforms):
        if transform != _ZLIB:
            raise UnknownTransform(transform, head)
        message = _inflate(message, limits.max_frame_bytes)
    return head, message


def _text(reader: CompactReader) -> str:
    try:
        return read_text(reader.binary())
    except ValueMappingError as exc:
        raise ThriftError(f"a header that is {exc}") from None


def _inflate(data: bytes, most_bytes: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        found = inflater.decompress(data, most_bytes)
    except zlib.error:
        raise ThriftError("a message that zlib cannot read") from None
    if inflater.unconsumed_tail:
        raise ThriftError(f"a message of more than {most_bytes} bytes behind its compression")
    if not inflater.eof or inflater.unused_data:
        raise ThriftError("a compressed message that does not end where it should")
    return found


def write_header(head: HeaderHead, message: bytes) -> bytes:
    """The content of a frame. Raises `ValueMappingError` when the pairs are too long together."""
    out = bytearray()
    write_varint(out, _IDS[head.encoding.name])
    write_varint(out, 0)
    if head.pairs:
        write_varint(out, _KEY_VALUES)
        write_varint(out, len(head.pairs))
        for pair in head.pairs.items():
            for text in map(write_text, pair):
                write_varint(out, len(text))
                out += text
    out += bytes(-len(out) % 4)
    if len(out) > _MAX_HEADER_BYTES:
        raise ValueMappingError(f"{len(out)} bytes; a header takes {_MAX_HEADER_BYTES}", "attachments")
    return HEADER_MAGIC + _HEADER.pack(0, head.flags, head.seqid, len(out) // 4)[2:] + out + message


def read_dubbo(frame: bytes, limits: Limits) -> tuple[DubboHead, bytes]:
    """Head and message of a frame that begins with `DUBBO_MAGIC`. Raises ThriftError."""
    if len(frame) < _DUBBO.size:
        raise ThriftError("a header that ends early")
    _, length, head_bytes, version = _DUBBO.unpack_from(frame)
    if length != len(frame) or version != _VERSION:
        raise ThriftError("a header whose length or version is wrong")
    reader = BinaryReader(frame, _DUBBO.size, limits)
    service = reader.binary()
    path = reader.binary() if head_bytes - reader.pos > _I64.size else None
    request_id = reader.i64()
    if reader.pos != head_bytes:
        raise ThriftError(f"a header of {head_bytes} bytes that takes {reader.pos}")
    return DubboHead(service, request_id, path), frame[head_bytes:]


def write_dubbo(head: DubboHead, message: bytes) -> bytes:
    """The content of a frame.

    An answer has the path that its call had: consumers of Dubbo 2.7 expect one, though its providers send none.
    """
    texts = (head.service,) if head.path is None else (head.service, head.path)
    tail = b"".join(_I32.pack(len(each)) + each for each in texts) + _I64.pack(head.request_id)
    size = _DUBBO.size + len(tail)
    return _DUBBO.pack(0xDABC, size + len(message), size, _VERSION) + tail + message
