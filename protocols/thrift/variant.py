"""Which of Thrift's encodings and transports a peer speaks, told from the first bytes of its connection.

| first bytes | encoding | transport |
| --- | --- | --- |
| `80 01` | binary | buffered |
| `82`, then `21`, `41`, `61` or `81` | compact | buffered |
| `[1`, or space behind the bracket | JSON | buffered |
| length, `80 01` | binary | framed |
| length, `82 21` and so on | compact | framed |
| length, `[` | JSON | framed |
| length, `0f ff` | as its header says | header |
| length, `da bc` | binary | Dubbo's own framing (2.6, 2.7) |
| length, `00` | binary without a version | framed |
| length of a name, a letter | binary without a version | buffered |

It is decided once and kept for the connection; answers are written in the same way, those of the binary encoding always
with a version, as Thrift's own servers do.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from gateway.model.errors import RemoteWireError
from protocols.reader import Limits
from protocols.sniff import sniff
from protocols.thrift.binary import BINARY
from protocols.thrift.compact import COMPACT
from protocols.thrift.encoding import Encoding
from protocols.thrift.frame import FrameSplitter, JsonSplitter, Splitter, StreamSplitter
from protocols.thrift.header import DUBBO_MAGIC, HEADER_MAGIC
from protocols.thrift.json_writer import JSON

__all__ = ["ENCODINGS", "Transport", "Variant", "detect"]

_NEEDED: Final = 6
"""Bytes that tell everything."""
_BINARY: Final = b"\x80\x01"
_COMPACT: Final = tuple(bytes((0x82, kind << 5 | 1)) for kind in (1, 2, 3, 4))
_FIRST: Final = (b"[", b"\x80", b"\x82")
_BEHIND_BRACKET: Final = (b"", b"1", b" ", b"\t", b"\r", b"\n")
_FIRST_OF_NAMES: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$")
ENCODINGS: Final[dict[str, Encoding]] = {each.name: each for each in (BINARY, COMPACT, JSON)}


class Transport(Enum):
    """How messages are told apart, and what is around them."""

    BUFFERED = "buffered"
    FRAMED = "framed"
    HEADER = "header"
    DUBBO = "dubbo"
    DUBBO_27 = "dubbo27"
    """As we call; calls tell by their heads which it is."""

    @property
    def is_dubbo(self) -> bool:
        """Whether it is Dubbo's own framing."""
        return self in (Transport.DUBBO, Transport.DUBBO_27)


class Variant(NamedTuple):
    """An encoding in a transport. In header transport each message says its encoding; this is that of the first."""

    encoding: Encoding
    transport: Transport

    def splitter(self, limits: Limits) -> Splitter:
        """What cuts a stream of it into messages."""
        if self.transport is not Transport.BUFFERED:
            return FrameSplitter(limits.max_frame_bytes)
        if self.encoding.name == JSON.name:
            return JsonSplitter(limits)
        return StreamSplitter(self.encoding, limits)


def detect(data: bytes, limits: Limits) -> Variant | None:
    """What the first bytes of a connection are; None while there are too few.

    Raises:
        RemoteWireError: they are no Thrift.
    """
    if data[:1] == b"[" and data[1:2] in _BEHIND_BRACKET:
        return Variant(JSON, Transport.BUFFERED) if len(data) > 1 else None
    if data[:2] == _BINARY:
        return Variant(BINARY, Transport.BUFFERED)
    if data[:2] in _COMPACT:
        return Variant(COMPACT, Transport.BUFFERED)
    if len(data) == 1 and data in _FIRST:
        return None
    # At least so long, where not all of it is there.
    length = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
    if length > limits.max_frame_bytes or (not length and len(data) >= 4):
        raise RemoteWireError(f"this looks like {sniff(data)}", reason="bad-magic")
    if len(data) < _NEEDED:
        return None
    inner = data[4:_NEEDED]
    if inner == _BINARY or inner[0] == 0:
        return Variant(BINARY, Transport.FRAMED)
    if inner in _COMPACT:
        return Variant(COMPACT, Transport.FRAMED)
    if inner == HEADER_MAGIC:
        return Variant(BINARY, Transport.HEADER)
    if inner == DUBBO_MAGIC:
        return Variant(BINARY, Transport.DUBBO)
    if inner[:1] == b"[":
        return Variant(JSON, Transport.FRAMED)
    if inner[0] in _FIRST_OF_NAMES and 0 < length <= limits.max_name_bytes:
        return Variant(BINARY, Transport.BUFFERED)
    raise RemoteWireError(f"this looks like {sniff(data)}", reason="bad-magic")
