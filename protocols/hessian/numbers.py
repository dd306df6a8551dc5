"""Numbers as Hessian writes them: the shortest of several forms each for int, long and double.

Source: Hessian 2.0 Serialization Protocol, sections "int", "long" and "double".
"""

from __future__ import annotations

import struct
from typing import Final

from protocols.hessian.errors import HessianError, tag_name

__all__ = ["COMPACT_INTS", "COMPACT_LONGS", "decode_count", "decode_int", "encode_double", "encode_int", "encode_long"]

COMPACT_INTS: Final = tuple(
    bytes((0x90 + n,)) if -16 <= n <= 47 else (0xC800 + n).to_bytes(2, "big") for n in range(-2048, 2048)
)
"""Ints of one and two bytes; the int `n` stands at `n + 2048`."""

COMPACT_LONGS: Final = tuple(
    bytes((0xE0 + n,)) if -8 <= n <= 15 else (0xF800 + n).to_bytes(2, "big") for n in range(-2048, 2048)
)
"""Longs of one and two bytes; the long `n` stands at `n + 2048`."""

_pack_int: Final = struct.Struct(">ci").pack
_pack_long: Final = struct.Struct(">cq").pack
_pack_double: Final = struct.Struct(">cd").pack
_pack_double_short: Final = struct.Struct(">ch").pack


def decode_int(data: bytes, pos: int) -> tuple[int, int]:
    """The int value that starts at `pos`, and where it ends.

    Raises:
        HessianError: it is no int.
        IndexError: the data ends before.
    """
    tag = data[pos]
    if 0x80 <= tag < 0xC0:
        return tag - 0x90, pos + 1
    if 0xC0 <= tag < 0xD0:
        return (tag - 0xC8 << 8) + data[pos + 1], pos + 2
    if 0xD0 <= tag < 0xD8:
        return (tag - 0xD4 << 16) + (data[pos + 1] << 8) + data[pos + 2], pos + 3
    if tag == 0x49:
        high = data[pos + 1] - (data[pos + 1] >> 7 << 8)
        return (high << 24) + (data[pos + 2] << 16) + (data[pos + 3] << 8) + data[pos + 4], pos + 5
    raise HessianError(f"expected int, found {tag_name(tag)}", pos)


def decode_count(data: bytes, pos: int, what: str) -> tuple[int, int]:
    """A declared number of elements and where it ends, checked against the data that is left.

    Each element takes a byte at least, so nothing is ever allocated for a number that the data cannot hold.

    Raises:
        HessianError: it is no int, negative, or larger than what is left.
        IndexError: the data ends before.
    """
    count, end = decode_int(data, pos)
    if not 0 <= count <= len(data) - end:
        raise HessianError(f"expected {what} within {len(data) - end} bytes, found {count}", pos)
    return count, end


def encode_int(value: int) -> bytes:
    """An int value; `value` must fit 32 bits signed (`struct.error` otherwise)."""
    if -2048 <= value < 2048:
        return COMPACT_INTS[value + 2048]
    if -0x40000 <= value < 0x40000:
        return (0xD40000 + value).to_bytes(3, "big")
    return _pack_int(b"I", value)


def encode_long(value: int) -> bytes:
    """A long value; `value` must fit 64 bits signed (`struct.error` otherwise)."""
    if -2048 <= value < 2048:
        return COMPACT_LONGS[value + 2048]
    if -0x40000 <= value < 0x40000:
        return (0x3C0000 + value).to_bytes(3, "big")
    if -0x80000000 <= value < 0x80000000:
        return _pack_int(b"\x59", value)
    return _pack_long(b"L", value)


def encode_double(value: float) -> bytes:
    """A double value in the shortest form that gives it back exactly.

    The choice is Java's but for -0.0, which Java writes as 0.0: here it keeps its sign in the long form.
    Source: apache/dubbo-hessian-lite: hessian-lite/src/main/java/com/alibaba/com/caucho/hessian/io/Hessian2Output.java
    (`writeDouble`).
    """
    if -2147483.648 <= value <= 2147483.647:
        whole = int(value)
        if whole == value:
            if whole == 0:
                return b"\x5b" if str(value) == "0.0" else _pack_double(b"D", value)
            if whole == 1:
                return b"\x5c"
            if -0x80 <= whole < 0x80:
                return bytes((0x5D, whole & 0xFF))
            if -0x8000 <= whole < 0x8000:
                return _pack_double_short(b"\x5e", whole)
        mills = int(value * 1000)
        if 0.001 * mills == value:
            return _pack_int(b"\x5f", mills)
    return _pack_double(b"D", value)
