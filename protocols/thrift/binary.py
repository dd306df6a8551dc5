"""`TBinaryProtocol`. Source: apache/thrift: doc/specs/thrift-binary-protocol.md."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from gateway.model.errors import ValueMappingError
from protocols.reader import Limits
from protocols.thrift import wire
from protocols.thrift.encoding import CONTAINER_COST
from protocols.thrift.errors import ThriftError, Truncated
from protocols.thrift.skip import skip_value
from protocols.thrift.text import read_text, write_text

if TYPE_CHECKING:
    from protocols.thrift.strict import StrictArguments

__all__ = ["BINARY", "BinaryEncoding", "BinaryReader", "BinaryWriter", "field_head", "message_head"]

_VERSION: Final = 0x8001
_I8: Final = struct.Struct(">b")
_I16: Final = struct.Struct(">h")
_I32: Final = struct.Struct(">i")
_I64: Final = struct.Struct(">q")
_DOUBLE: Final = struct.Struct(">d")
_FIELD: Final = struct.Struct(">bh")
_LIST: Final = struct.Struct(">bi")
_MAP: Final = struct.Struct(">bbi")
_STRICT: Final = struct.Struct(">HBBi")

_LEAST: Final = {
    wire.BOOL: 1,
    wire.I8: 1,
    wire.DOUBLE: 8,
    wire.I16: 2,
    wire.I32: 4,
    wire.I64: 8,
    wire.BINARY: 4,
    wire.STRUCT: 1,
    wire.MAP: 6,
    wire.SET: 5,
    wire.LIST: 5,
    wire.UUID: 16,
}
"""Bytes of the shortest value of each type."""


class BinaryReader:
    """See `protocols.thrift.encoding.Reader`. `strict`: whether the message began with a version."""

    __slots__ = ("_budget", "_data", "_depth", "_end", "_size", "pos", "strict")

    def __init__(self, data: bytes | bytearray, pos: int, limits: Limits, end: int | None = None) -> None:
        self._data: Any = data
        self._size = len(data)
        self._end = self._size if end is None else end
        self.pos = pos
        self._depth = limits.max_depth
        self._budget = limits.max_elements
        self.strict = True

    def extend(self, data: bytes | bytearray) -> None:
        """The same message with more of its bytes."""
        self._data = data
        self._size = len(data)

    def mark(self) -> int:
        """Where a step begins; `reset` goes back to it."""
        return self.pos

    def reset(self, mark: int) -> None:
        """See `mark`."""
        self.pos = mark

    def message(self) -> tuple[bytes, int, int]:
        """See `Reader.message`; strict or not."""
        start = self.pos
        try:
            version, _, kind, size = _STRICT.unpack_from(self._data, start)
            if version == _VERSION:
                stop = start + _STRICT.size + size
                if size < 0 or stop > self._end:
                    raise ThriftError(f"a name of {size} bytes")
                seqid = _I32.unpack_from(self._data, stop)[0]
                self.pos = stop + 4
                return self._data[start + _STRICT.size : stop], kind, seqid
            if version & 0x8000:
                raise ThriftError(f"version {version & 0x7FFF} of the binary protocol; only 1 is known")
            self.strict = False
            name = self.binary()
            return name, self.i8(), self.i32()
        except struct.error:
            self.pos = start
            raise Truncated from None
        except Truncated:
            self.pos = start
            raise

    def struct(self) -> None:
        """See `Reader.struct`."""
        self._enter(0)

    def _enter(self, count: int) -> None:
        if self._depth <= 0:
            raise ThriftError("containers nested too deep")
        self._budget -= CONTAINER_COST + count
        if self._budget < 0:
            raise ThriftError("too many elements")
        self._depth -= 1

    def end(self) -> None:
        """See `Reader.end`."""
        self._depth += 1

    def field(self) -> tuple[int, int]:
        """See `Reader.field`."""
        pos = self.pos
        if pos >= self._size:
            raise Truncated
        if self._data[pos] == wire.STOP:
            self.pos = pos + 1
            return wire.STOP, 0
        try:
            found: tuple[int, int] = _FIELD.unpack_from(self._data, pos)
        except struct.error:
            raise Truncated from None
        self._budget -= 1
        self.pos = pos + 3
        return found

    def list(self) -> tuple[int, int]:
        """See `Reader.list`."""
        try:
            element, count = _LIST.unpack_from(self._data, self.pos)
        except struct.error:
            raise Truncated from None
        self._check(count, self.pos + 5, _LEAST.get(element, 0) if count else 1)
        self._enter(count)
        self.pos += 5
        return element, count

    def map(self) -> tuple[int, int, int]:
        """See `Reader.map`."""
        try:
            key, value, count = _MAP.unpack_from(self._data, self.pos)
        except struct.error:
            raise Truncated from None
        known = key in _LEAST and value in _LEAST
        self._check(count, self.pos + 6, (_LEAST[key] + _LEAST[value] if known else 0) if count else 1)
        self._enter(count * 2)
        self.pos += 6
        return key, value, count

    def _check(self, count: int, pos: int, least: int) -> None:
        if not least:
            raise ThriftError("elements of an unknown type")
        if count < 0 or count * least > self._end - pos:
            raise ThriftError(f"{count} elements in {self._end - pos} bytes")

    def bool(self) -> bool:
        """See `Reader`; anything but 0 is true, as stock readers have it."""
        return self.i8() != 0

    def i8(self) -> int:
        """See `Reader`."""
        try:
            found: int = _I8.unpack_from(self._data, self.pos)[0]
        except struct.error:
            raise Truncated from None
        self.pos += 1
        return found

    def i16(self) -> int:
        """See `Reader`."""
        try:
            found: int = _I16.unpack_from(self._data, self.pos)[0]
        except struct.error:
            raise Truncated from None
        self.pos += 2
        return found

    def i32(self) -> int:
        """See `Reader`."""
        try:
            found: int = _I32.unpack_from(self._data, self.pos)[0]
        except struct.error:
            raise Truncated from None
        self.pos += 4
        return found

    def i64(self) -> int:
        """See `Reader`."""
        try:
            found: int = _I64.unpack_from(self._data, self.pos)[0]
        except struct.error:
            raise Truncated from None
        self.pos += 8
        return found

    def double(self) -> float:
        """See `Reader`."""
        try:
            found: float = _DOUBLE.unpack_from(self._data, self.pos)[0]
        except struct.error:
            raise Truncated from None
        self.pos += 8
        return found

    def binary(self) -> bytes:
        """See `Reader`."""
        pos = self.pos
        try:
            size = _I32.unpack_from(self._data, pos)[0]
        except struct.error:
            raise Truncated from None
        pos += 4
        stop = pos + size
        if size < 0 or stop > self._end:
            raise ThriftError(f"a string of {size} bytes in {self._end - pos}")
        if stop > self._size:
            raise Truncated
        self.pos = stop
        found: bytes = self._data[pos:stop]
        return found

    def uuid(self) -> bytes:
        """See `Reader.uuid`."""
        pos = self.pos
        if pos + 16 > self._size:
            raise Truncated
        self.pos = pos + 16
        found: bytes = self._data[pos : pos + 16]
        return found

    def text(self) -> str:
        """See `Reader.text`."""
        # As `binary`, in one step: most of what a call holds is text.
        pos = self.pos + 4
        data = self._data
        try:
            stop = pos + _I32.unpack_from(data, pos - 4)[0]
        except struct.error:
            raise Truncated from None
        if pos <= stop <= self._size and stop <= self._end:
            self.pos = stop
            text: bytes = data[pos:stop]
            try:
                return text.decode()
            except UnicodeDecodeError:
                return read_text(text)
        return read_text(self.binary())

    def skip(self, number: int) -> None:
        """See `Reader.skip`."""
        skip_value(self, number)

    def read_usual(self, arguments: StrictArguments) -> tuple[Any, ...] | None:
        """The fields of the outermost struct, if they are as usual, and then the message is read; else None."""
        values = arguments.read(self._data, self.pos)
        if values is not None:
            self.pos = self._size
        return values

    def fork(self) -> BinaryReader:
        """See `Reader.fork`."""
        fork = BinaryReader.__new__(BinaryReader)
        fork._data, fork._size, fork._end = self._data, self._size, self._end
        fork._depth, fork._budget = self._depth, self._budget
        fork.pos, fork.strict = self.pos, self.strict
        return fork

    def earliest(self, number: int, id: int) -> int:
        """See `Reader.earliest`: where the bytes of its head are, or a value that looks like it."""
        found: int = self._data.find(_FIELD.pack(number, id), self.pos)
        return found


def message_head(name: bytes, kind: int) -> bytes:
    """How a message with a version begins, up to its sequence id."""
    return _STRICT.pack(_VERSION, 0, kind, len(name)) + name


def field_head(number: int, id: int) -> bytes:
    """How a field begins: its type and id."""
    return _FIELD.pack(number, id)


class BinaryWriter:
    """See `protocols.thrift.encoding.Writer`."""

    __slots__ = ("_depth", "_out", "_strict")

    def __init__(self, limits: Limits, strict: bool = True) -> None:
        self._out = bytearray()
        self._depth = limits.max_depth
        self._strict = strict

    def message(self, name: bytes, kind: int, seqid: int) -> None:
        """See `Writer.message`."""
        if self._strict:
            self._out += message_head(name, kind) + _I32.pack(seqid)
        else:
            self._out += _I32.pack(len(name)) + name + _I8.pack(kind) + _I32.pack(seqid)

    def struct(self) -> None:
        """See `Writer.struct`."""
        self._enter()

    def _enter(self) -> None:
        if self._depth <= 0:
            raise ValueMappingError("nested too deep, or containing itself")
        self._depth -= 1

    def field(self, number: int, id: int) -> None:
        """See `Writer.field`."""
        self._out += _FIELD.pack(number, id)

    def list(self, element: int, count: int) -> None:
        """See `Writer.list`."""
        self._enter()
        self._out += _LIST.pack(element, count)

    def map(self, key: int, value: int, count: int) -> None:
        """See `Writer.map`."""
        self._enter()
        self._out += _MAP.pack(key, value, count)

    def stop(self) -> None:
        """See `Writer.stop`."""
        self._depth += 1
        self._out.append(wire.STOP)

    def end(self) -> None:
        """See `Writer.end`."""
        self._depth += 1

    def bool(self, value: bool) -> None:
        """See `Writer`."""
        self._out.append(1 if value else 0)

    def i8(self, value: int) -> None:
        """See `Writer`."""
        self._out += _I8.pack(value)

    def i16(self, value: int) -> None:
        """See `Writer`."""
        self._out += _I16.pack(value)

    def i32(self, value: int) -> None:
        """See `Writer`."""
        self._out += _I32.pack(value)

    def i64(self, value: int) -> None:
        """See `Writer`."""
        self._out += _I64.pack(value)

    def double(self, value: float) -> None:
        """See `Writer`."""
        self._out += _DOUBLE.pack(value)

    def binary(self, value: bytes) -> None:
        """See `Writer`."""
        self._out += _I32.pack(len(value))
        self._out += value

    def uuid(self, value: bytes) -> None:
        """See `Writer`."""
        self._out += value

    def text(self, value: str) -> None:
        """See `Writer.text`."""
        try:
            data = value.encode()
        except UnicodeEncodeError:
            data = write_text(value)
        out = self._out
        out += _I32.pack(len(data))
        out += data

    def done(self) -> bytes:
        """See `Writer.done`."""
        return bytes(self._out)


class BinaryEncoding:
    """See `protocols.thrift.encoding.Encoding`. `strict`: write a version in front of messages, as is usual."""

    name: Final = "binary"

    def __init__(self, strict: bool = True) -> None:
        self._strict = strict

    def reader(self, data: bytes | bytearray, pos: int, limits: Limits, end: int | None = None) -> BinaryReader:
        """See `Encoding.reader`."""
        return BinaryReader(data, pos, limits, end)

    def writer(self, limits: Limits) -> BinaryWriter:
        """See `Encoding.writer`."""
        return BinaryWriter(limits, self._strict)


BINARY: Final = BinaryEncoding()
