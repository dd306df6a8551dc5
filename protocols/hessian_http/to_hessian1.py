"""Hessian 2 values as Hessian 1 values, so that everything that writes the one writes the other.

The inverse of `protocols.hessian_http.from_hessian1`, with the same table: what `protocols.hessian.writer` made goes
in. An object becomes a map of its class with the names of its fields as keys, so it may grow a hundredfold; references
keep their numbers.

Source: Hessian 1.0.2 specification, http://hessian.caucho.com/doc/hessian-1.0-spec.xtp; com.caucho:hessian 4.0:
com/caucho/hessian/io/HessianOutput.java.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

from gateway.model.errors import LocalWireError
from gateway.model.generic import Long
from protocols.hessian.definition import ClassDefinition, decode_definition
from protocols.hessian.errors import TRUNCATED, HessianError, tag_name
from protocols.hessian.numbers import decode_int
from protocols.hessian.reader import Reader
from protocols.hessian.text import STRING_TAGS, end_of_units, split_surrogates
from protocols.reader import Limits

__all__ = ["to_hessian1"]

_OPEN: Final = -1
_pack_int: Final = struct.Struct(">ci").pack
_pack_long: Final = struct.Struct(">cq").pack
_pack_double: Final = struct.Struct(">cd").pack


def to_hessian1(data: bytes, limits: Limits) -> bytes:
    """All values of a message, one after the other.

    Raises:
        LocalWireError: they are no Hessian 2, or beyond a limit, or larger than `Limits.max_frame_bytes` in Hessian 1.
    """
    try:
        return _Translation(data, limits).run()
    except HessianError as exc:
        raise LocalWireError(f"the message has no form in Hessian 1: {exc}") from exc
    except TRUNCATED:
        raise LocalWireError("the message ends inside of a value") from None


class _Inside:
    """A list, map or object that has not ended. `left`: values to come, `_OPEN` for one that ends with `Z`.

    `names`: of an object, its fields.
    """

    __slots__ = ("left", "names")

    def __init__(self, left: int, names: tuple[bytes, ...] = ()) -> None:
        self.left = left
        self.names = names


class _Translation:
    __slots__ = ("classes", "data", "limits", "names", "out", "pos", "reader", "types")

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data = data
        self.limits = limits
        self.reader = Reader(data, limits=limits)
        """Of scalars."""
        self.out = bytearray()
        self.pos = 0
        self.classes: list[ClassDefinition] = []
        self.names: list[tuple[bytes, ...]] = []
        """Of the fields of each class, as values."""
        self.types: list[bytes] = []

    def run(self) -> bytes:
        data, out = self.data, self.out
        stack: list[_Inside] = []
        size, most = len(data), self.limits.max_frame_bytes
        while True:
            if len(out) > most:
                raise LocalWireError(f"the message exceeds {most} bytes")
            while stack:
                top = stack[-1]
                if top.left == 0 or (top.left == _OPEN and data[self.pos] == 0x5A):
                    self.pos += top.left == _OPEN
                    out.append(0x7A)
                    stack.pop()
                    continue
                if top.names:
                    out += top.names[-top.left]
                if top.left > 0:
                    top.left -= 1
                break
            if not stack and self.pos >= size:
                return bytes(out)
            tag = data[self.pos]
            while tag == 0x43:
                self._definition()
                tag = data[self.pos]
            if tag in STRING_TAGS:
                self._string()
            elif tag in (0x4E, 0x54, 0x46):
                out.append(tag)
                self.pos += 1
            elif 0x60 <= tag < 0x70 or tag == 0x4F:
                stack.append(self._object(tag))
            elif tag == 0x48 or tag == 0x4D:
                self.pos += 1
                out += b"Mt\x00\x00" if tag == 0x48 else b"M" + self._type()
                stack.append(_Inside(_OPEN))
            elif 0x70 <= tag < 0x80 or 0x55 <= tag <= 0x58:
                stack.append(self._list(tag))
            elif tag == 0x51:
                slot, self.pos = decode_int(data, self.pos + 1)
                out += _pack_int(b"R", slot)
            else:
                self._scalar(tag)
            if len(stack) > self.limits.max_depth:
                raise HessianError(f"expected at most {self.limits.max_depth} levels, found more", self.pos)

    def _definition(self) -> None:
        definition, self.pos = decode_definition(self.data, self.pos + 1, self.limits)
        self.classes.append(definition)
        self.names.append(tuple(_text(b"S", field) for field in definition.fields))

    def _object(self, tag: int) -> _Inside:
        index, self.pos = (tag - 0x60, self.pos + 1) if tag != 0x4F else decode_int(self.data, self.pos + 1)
        if not 0 <= index < len(self.classes):
            raise HessianError(f"expected the index of one of {len(self.classes)} classes, found {index}", self.pos)
        self.out += b"M" + _text(b"t", self.classes[index].name)
        names = self.names[index]
        return _Inside(len(names), names)

    def _list(self, tag: int) -> _Inside:
        self.pos += 1
        self.out += b"V"
        if tag < 0x57 or 0x70 <= tag < 0x78:
            self.out += self._type()
        if tag == 0x55 or tag == 0x57:
            return _Inside(_OPEN)
        if tag >= 0x70:
            count = tag & 7
        else:
            count, self.pos = decode_int(self.data, self.pos)
        self.out += _pack_int(b"l", count)
        return _Inside(count)

    def _type(self) -> bytes:
        """The type at the position, with its tag: a text, or the index of an earlier one."""
        data, pos = self.data, self.pos
        if data[pos] in STRING_TAGS:
            start, end, units, is_last = self._piece(pos)
            if not is_last:
                raise HessianError("expected the name of a type in one piece, found chunks", pos)
            self.pos = end
            self.types.append(b"t" + units.to_bytes(2, "big") + data[start:end])
            return self.types[-1]
        index, self.pos = decode_int(data, pos)
        if not 0 <= index < len(self.types):
            raise HessianError(f"expected the index of one of {len(self.types)} types, found {index}", pos)
        return self.types[index]

    def _string(self) -> None:
        while True:
            start, end, units, is_last = self._piece(self.pos)
            self.out += (b"S" if is_last else b"s") + units.to_bytes(2, "big") + self.data[start:end]
            self.pos = end
            if is_last:
                return

    def _piece(self, pos: int) -> tuple[int, int, int, bool]:
        """Where the characters of a piece of a string begin and end, how many they are, and whether it is the last."""
        data = self.data
        tag = data[pos]
        if tag < 0x20:
            start, units = pos + 1, tag
        elif 0x30 <= tag < 0x34:
            start, units = pos + 2, (tag - 0x30 << 8) + data[pos + 1]
        elif tag == 0x52 or tag == 0x53:
            start, units = pos + 3, (data[pos + 1] << 8) + data[pos + 2]
        else:
            raise HessianError(f"expected the next piece of a string, found {tag_name(tag)}", pos)
        raw = data[start : start + units]
        end = start + units if raw.isascii() and len(raw) == units else end_of_units(data, start, units)
        return start, end, units, tag != 0x52

    def _scalar(self, tag: int) -> None:
        if tag == 0x4A or tag == 0x4B:
            # As it stands: not every date has a form in Python.
            if tag == 0x4A:
                self.out += b"d" + self.data[self.pos + 1 : self.pos + 9]
                self.pos += 9
            else:
                (minutes,) = struct.unpack_from(">i", self.data, self.pos + 1)
                self.out += _pack_long(b"d", minutes * 60_000)
                self.pos += 5
            return
        reader = self.reader
        reader.pos = self.pos
        value = reader.next_value()
        self.pos = reader.pos
        self.out += _FORMS[type(value)](value)


def _text(tag: bytes, text: str) -> bytes:
    """A short text with its tag and the number of its UTF-16 units."""
    units = split_surrogates(text)
    return tag + len(units).to_bytes(2, "big") + units.encode("utf-8", "surrogatepass")


def _binary(value: bytes) -> bytes:
    last = max(0, len(value) - 1) // 0xFFFF * 0xFFFF
    pieces = [b"b\xff\xff" + value[at : at + 0xFFFF] for at in range(0, last, 0xFFFF)]
    return b"".join((*pieces, b"B", (len(value) - last).to_bytes(2, "big"), value[last:]))


_FORMS: Final[dict[type, Callable[[Any], bytes]]] = {
    int: lambda value: _pack_int(b"I", value),
    Long: lambda value: _pack_long(b"L", value),
    float: lambda value: _pack_double(b"D", value),
    bytes: _binary,
}
