"""Calls as bytes, without their arguments.

| Hessian | layout |
| --- | --- |
| 2 | `H` major minor `C`, the method as a string, the number of arguments as an int, the arguments |
| 1 | `c` major minor, headers (`H` length name value)*, `m` length method, the arguments, `z` |

In Hessian 1 the arguments must be read to know how many they are. Lengths have two bytes and count UTF-16 units.

Source: Hessian 1.0.2 specification; Hessian 2.0 Web Services Protocol, http://hessian.caucho.com/doc/hessian-ws.html.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from gateway.model.errors import LocalWireError
from protocols.hessian.errors import TRUNCATED, HessianError
from protocols.hessian.numbers import decode_int, encode_int
from protocols.hessian.text import decode_text, decode_units, encode_text, split_surrogates
from protocols.hessian_http.envelope import Envelope

__all__ = ["OLD_END", "CallHead", "begin_call", "old_text", "read_call", "skip_headers"]

_START: Final = b"H\x02\x00C"
OLD_END: Final = b"z"
_MAX_HEADERS: Final = 64
_MAX_NAME_UNITS: Final = 1_024
_MAX_SENT_NAME: Final = 0x4000
"""Characters that are one piece of a string in Hessian 2, and have a length of two bytes in Hessian 1, whatever they
are."""


class CallHead(NamedTuple):
    """What a call says before its arguments, which begin at `arguments`.

    `size`: how many there are; None in Hessian 1, whose headers are passed over.
    """

    envelope: Envelope
    method: str
    size: int | None
    arguments: int


def read_call(data: bytes) -> CallHead:
    """The head of the call that a request's body is.

    Raises:
        HessianError: it is none, or of a kind that is not served.
    """
    try:
        if data[0] == 0x48:
            return _read_call(data)
        if data[0] == 0x63:
            return _read_old_call(data)
    except TRUNCATED:
        raise HessianError("expected a call, found the end of the data", len(data)) from None
    raise HessianError(f"expected a call of Hessian 1 or 2, found tag 0x{data[0]:02x}", 0)


def begin_call(envelope: Envelope, method: str, count: int) -> bytes:
    """What stands before the arguments; behind those of Hessian 1 comes `OLD_END`.

    Raises:
        LocalWireError: the name is too long.
    """
    if len(method) > _MAX_SENT_NAME:
        raise LocalWireError(f"a method's name of {len(method)} characters does not fit the head of a call")
    if envelope is Envelope.HESSIAN_2:
        return _START + encode_text(method) + encode_int(count)
    return b"c\x01\x00" + old_text(b"m", method) if envelope.old_reply else b"c\x02\x00" + old_text(b"m", method)


def skip_headers(data: bytes, pos: int) -> int:
    """Where the headers of a message in Hessian 1 end.

    Raises:
        HessianError: they are too many, or no texts.
        IndexError: the data ends before.
    """
    count = 0
    while data[pos] == 0x48:
        count += 1
        if count > _MAX_HEADERS:
            raise HessianError(f"expected at most {_MAX_HEADERS} headers, found more", pos)
        _, pos = _short_text(data, pos)
        if data[pos] != 0x53:
            raise HessianError("expected a text as the value of a header, found another value", pos)
        _, pos = _short_text(data, pos)
    return pos


def old_text(tag: bytes, text: str) -> bytes:
    """A short text of Hessian 1 behind its tag."""
    units = split_surrogates(text)
    return tag + len(units).to_bytes(2, "big") + units.encode("utf-8", "surrogatepass")


def _read_call(data: bytes) -> CallHead:
    # Like Caucho's server, take any version behind H.
    if data[3] != 0x43:
        raise HessianError("expected a call, found an envelope or a message, which are not served", 3)
    if data[4] == 0x52:
        raise HessianError("expected the name of a method in one piece, found chunks", 4)
    method, pos = decode_text(data, 4)
    count, pos = decode_int(data, pos)
    if not 0 <= count <= len(data) - pos:
        raise HessianError(f"expected as many arguments as there can be, found {count}", pos)
    return CallHead(Envelope.HESSIAN_2, _name(method), count, pos)


def _read_old_call(data: bytes) -> CallHead:
    envelope = Envelope.MIXED if data[1] >= 2 else Envelope.HESSIAN_1
    pos = skip_headers(data, 3)
    if data[pos] != 0x6D:
        raise HessianError(f"expected the name of a method, found tag 0x{data[pos]:02x}", pos)
    method, pos = _short_text(data, pos)
    return CallHead(envelope, _name(method), None, pos)


def _short_text(data: bytes, pos: int) -> tuple[str, int]:
    return decode_units(data, pos + 3, (data[pos + 1] << 8) + data[pos + 2])


def _name(method: str) -> str:
    if len(method) > _MAX_NAME_UNITS:
        raise HessianError(f"expected the name of a method of at most {_MAX_NAME_UNITS} characters, found a longer one")
    return method
