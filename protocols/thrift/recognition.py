"""Tells Thrift from other wires by the first bytes of a connection; see the table of `protocols.thrift.variant`.

It asks for a little more than `detect`, which knows that what comes is Thrift:

- `80 01 00 01` also begins a `set` of memcached's binary protocol with a key of one byte. The byte behind it (08, the
  length of its extras) no Thrift message has there: it would be the name of a method with more than 128 million bytes.
- `0d 0a 0d 0a` begins a binary header of the PROXY protocol (haproxy: doc/proxy-protocol.txt, section 2.2).
- `16 03` begins a TLS ClientHello (RFC 8446, section 5.1), and all it may go on with could be a frame of Thrift. So a
  connection whose very first message has 256 MiB or more is not recognised.
"""

from __future__ import annotations

from typing import Final

from gateway.model.errors import RemoteWireError
from gateway.model.recognition import Recognition
from protocols.reader import Limits
from protocols.thrift.variant import detect

__all__ = ["recognize_thrift"]

_MAX_FRAME_BYTES: Final = (1 << 28) - 1
"""What a listener takes (`limits.frame`) it says itself."""
_LIMITS: Final = Limits(max_frame_bytes=_MAX_FRAME_BYTES)
_LENGTHS: Final = frozenset(range((_MAX_FRAME_BYTES >> 24) + 1))
_FIRST: Final = _LENGTHS | frozenset(b"\x80\x82[")
_PROXY: Final = b"\r\n\r\n"
_STRICT: Final = b"\x80\x01"
_KINDS: Final = frozenset((1, 2, 3, 4))
"""Of messages: call, reply, exception, oneway."""
_MAX_NAME_BYTES: Final = 1 << 24


def recognize_thrift(data: bytes) -> Recognition:
    """Any encoding in any transport that `detect` knows."""
    if data[0] not in _FIRST or data.startswith(_PROXY):
        return Recognition.NO
    if data[:2] == _STRICT:
        if len(data) < 8:
            return Recognition.MORE
        is_call = data[2] == 0 and data[3] in _KINDS and int.from_bytes(data[4:8], "big") < _MAX_NAME_BYTES
        return Recognition.YES if is_call else Recognition.NO
    try:
        found = detect(data, _LIMITS)
    except RemoteWireError:
        return Recognition.NO
    return Recognition.MORE if found is None else Recognition.YES
