"""`TCompactProtocol`. Source: apache/thrift: doc/specs/thrift-compact-protocol.md."""

from __future__ import annotations

import struct
from typing import Any, Final

from gateway.model.errors import ValueMappingError
from protocols.reader import Limits
from protocols.thrift import wire
from protocols.thrift.encoding import CONTAINER_COST
from protocols.thrift.errors import ThriftError, Truncated
from protocols.thrift.skip import skip_value
from protocols.thrift.text import read_text, write_text

__all__ = ["COMPACT", "CompactEncoding", "CompactReader", "CompactWriter", "write_varint"]

_PROTOCOL: Final = 0x82
_VERSION: Final = 1
_TRUE: Final = 1
_FALSE: Final = 2
_LONG_LIST: Final = 15
_MAX_DELTA: Final = 15
_DOUBLE: Final = struct.Struct("<d")
_TO_WIRE: Final = {
    1: wire.BOOL,
    2: wire.BOOL,
    3: wire.I8,
    4: wire.I16,
    5: wire.I32,
    6: wire.I64,
    7: wire.DOUBLE,
    8: wire.BINARY,
    9: wire.LIST,
    10: wire.SET,
    11: wire.MAP,
    12: wire.STRUCT,
    13: wire.UUID,
}
_FROM_WIRE: Final = {number: code for code, number in _TO_WIRE.items()} | {wire.BOOL: _TRUE}
_LEAST: Final = {number: {wire.DOUBLE: 8, wire.UUID: 16}.get(number, 1) for number in _TO_WIRE.values()}
"""Bytes of the shortest value of each type."""
_I32_BYTES: Final = 5
_I64_BYTES: Final = 10


class CompactReader:
    """See `protocols.thrift.encoding.Reader`."""

    __slots__ = ("_bool", "_budget", "_data", "_depth", "_end", "_last", "_lasts", "_size", "pos")

    def __init__(self, data: bytes | bytearray, pos: int, limits: Limits, end: int | None = None) -> None:
        self._data: Any = data
        self._size = len(data)
        self._end = self._size if end is None else end
        self.pos = pos
        self._depth = limits.max_depth
        self._budget = limits.max_elements
        self._bool: bool | None = None
        """Of a field whose header holds its value."""
        self._last = 0
        """Id of the field before, in this struct; `_lasts`: in those around it."""
        self._lasts: list[int] = []

    def extend(self, data: bytes | bytearray) -> None:
        """The same message with more of its bytes."""
        self._data = data
        self._size = len(data)

    def mark(self) -> tuple[int, int]:
        """Where a step begins; `reset` goes back to it."""
        return self.pos, self._last

    def reset(self, mark: tuple[int, int]) -> None:
        """See `mark`."""
        self.pos, self._last = mark
        self._bool = None

    def _varint(self, most_bytes: int, bits: int) -> int:
        """Unsigned."""
        pos, found, shift = self.pos, 0, 0
        data, size = self._data, self._size
        byte: int
        while True:
            if pos >= size:
                raise Truncated
            byte = data[pos]
            pos += 1
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift >= most_bytes * 7:
                raise ThriftError(f"a number of more than {most_bytes} bytes")
        if found >> bits:
            raise ThriftError(f"a number of more than {bits} bits")
        self.pos = pos
        return found

    def size(self, what: str) -> int:
        """An unsigned number that counts something."""
        size = self._varint(_I32_BYTES, 32)
        if size > 0x7FFFFFFF:
            raise ThriftError(f"a {what} of a negative size")
        return size

    def message(self) -> tuple[bytes, int, int]:
        """See `Reader.message`."""
        start = self.pos
        try:
            if start + 2 > self._size:
                raise Truncated
            if self._data[start] != _PROTOCOL or self._data[start + 1] & 0x1F != _VERSION:
                raise ThriftError("not version 1 of the compact protocol")
            kind = self._data[start + 1] >> 5
            self.pos = start + 2
            seqid = self._varint(_I32_BYTES, 32)
            return self.binary(), kind, seqid - (1 << 32) if seqid >> 31 else seqid
        except Truncated:
            self.pos = start
            raise

    def struct(self) -> None:
        """See `Reader.struct`."""
        self._enter(0)
        self._lasts.append(self._last)
        self._last = 0

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
        self._last = self._lasts.pop()

    def field(self) -> tuple[int, int]:
        """See `Reader.field`."""
        pos = self.pos
        if pos >= self._size:
            raise Truncated
        head = self._data[pos]
        if head == wire.STOP:
            self.pos = pos + 1
            return wire.STOP, 0
        number = _TO_WIRE.get(head & 15)
        if number is None:
            raise ThriftError(f"a field of type {head & 15}, which there is not")
        self.pos = pos + 1
        delta = head >> 4
        if delta:
            id = self._last + delta
        else:
            try:
                id = self.i16()
            except Truncated:
                self.pos = pos
                raise
        if number == wire.BOOL:
            self._bool = head & 15 == _TRUE
        self._budget -= 1
        self._last = id
        return number, id

    def list(self) -> tuple[int, int]:
        """See `Reader.list`."""
        start = self.pos
        if start >= self._size:
            raise Truncated
        head = self._data[start]
        self.pos = start + 1
        count = head >> 4
        try:
            if count == _LONG_LIST:
                count = self.size("list")
        except Truncated:
            self.pos = start
            raise
        element = _TO_WIRE.get(head & 15, wire.STOP)
        self._check(count, _LEAST.get(element, 0) if count else 1)
        self._enter(count)
        self._lasts.append(self._last)
        return element, count

    def map(self) -> tuple[int, int, int]:
        """See `Reader.map`. An empty map does not say its types."""
        start = self.pos
        key = value = wire.STOP
        try:
            count = self.size("map")
            if count:
                if self.pos >= self._size:
                    raise Truncated
                head = self._data[self.pos]
                self.pos += 1
                key, value = _TO_WIRE.get(head >> 4, wire.STOP), _TO_WIRE.get(head & 15, wire.STOP)
        except Truncated:
            self.pos = start
            raise
        known = key in _LEAST and value in _LEAST
        self._check(count, (_LEAST[key] + _LEAST[value] if known else 0) if count else 1)
        self._enter(count * 2)
        self._lasts.append(self._last)
        return key, value, count

    def _check(self, count: int, least: int) -> None:
        if not least:
            raise ThriftError("elements of an unknown type")
        if count * least > self._end - self.pos:
            raise ThriftError(f"{count} elements in {self._end - self.pos} bytes")

    def bool(self) -> bool:
        """See `Reader`. As an element 1 is true, anything else is not."""
        held = self._bool
        if held is not None:
            self._bool = None
            return held
        return self.i8() == _TRUE

    def i8(self) -> int:
        """See `Reader`."""
        pos = self.pos
        if pos >= self._size:
            raise Truncated
        self.pos = pos + 1
        byte: int = self._data[pos]
        return byte - 256 if byte > 127 else byte

    def i16(self) -> int:
        """See `Reader`."""
        found = self.i32()
        if not -(1 << 15) <= found < 1 << 15:
            raise ThriftError(f"{found} does not fit i16")
        return found

    def i32(self) -> int:
        """See `Reader`."""
        found = self._varint(_I32_BYTES, 32)
        return (found >> 1) ^ -(found & 1)

    def i64(self) -> int:
        """See `Reader`."""
        found = self._varint(_I64_BYTES, 64)
        return (found >> 1) ^ -(found & 1)

    def double(self) -> float:
        """See `Reader`; the one number whose lowest byte comes first."""
        try:
            found: float = _DOUBLE.unpack_from(self._data, self.pos)[0]
        except struct.error:
            raise Truncated from None
        self.pos += 8
        return found

    def binary(self) -> bytes:
        """See `Reader`."""
        start = self.pos
        size = self.size("string")
        pos = self.pos
        stop = pos + size
        if stop > self._end:
            raise ThriftError(f"a string of {size} bytes in {self._end - pos}")
        if stop > self._size:
            self.pos = start
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
        return read_text(self.binary())

    def skip(self, number: int) -> None:
        """See `Reader.skip`."""
        skip_value(self, number)

    def fork(self) -> CompactReader:
        """See `Reader.fork`."""
        fork = CompactReader.__new__(CompactReader)
        fork._data, fork._size, fork._end = self._data, self._size, self._end
        fork._depth, fork._budget = self._depth, self._budget
        fork.pos, fork._bool, fork._last, fork._lasts = self.pos, None, 0, []
        return fork

    def earliest(self, number: int, id: int) -> int:
        """See `Reader.earliest`. A field may say only how far its id is from the one before it: reading tells."""
        return self.pos


def write_varint(out: bytearray, value: int) -> None:
    """Unsigned, seven bits a byte, the lowest first."""
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


class CompactWriter:
    """See `protocols.thrift.encoding.Writer`."""

    __slots__ = ("_bool_id", "_depth", "_last", "_lasts", "_out")

    def __init__(self, limits: Limits) -> None:
        self._out = bytearray()
        self._depth = limits.max_depth
        self._bool_id: int | None = None
        """Id of a field whose header is written together with its value."""
        self._last = 0
        self._lasts: list[int] = []

    def message(self, name: bytes, kind: int, seqid: int) -> None:
        """See `Writer.message`."""
        out = self._out
        out.append(_PROTOCOL)
        out.append(kind << 5 | _VERSION)
        write_varint(out, seqid & 0xFFFFFFFF)
        self.binary(name)

    def struct(self) -> None:
        """See `Writer.struct`."""
        self._enter()
        self._last = 0

    def _enter(self) -> None:
        if self._depth <= 0:
            raise ValueMappingError("nested too deep, or containing itself")
        self._depth -= 1
        self._lasts.append(self._last)

    def field(self, number: int, id: int) -> None:
        """See `Writer.field`."""
        if number == wire.BOOL:
            self._bool_id = id
        else:
            self._head(_FROM_WIRE[number], id)

    def _head(self, code: int, id: int) -> None:
        delta = id - self._last
        if 0 < delta <= _MAX_DELTA:
            self._out.append(delta << 4 | code)
        else:
            self._out.append(code)
            self.i32(id)
        self._last = id

    def list(self, element: int, count: int) -> None:
        """See `Writer.list`."""
        self._enter()
        if count < _LONG_LIST:
            self._out.append(count << 4 | _FROM_WIRE[element])
        else:
            self._out.append(_LONG_LIST << 4 | _FROM_WIRE[element])
            write_varint(self._out, count)

    def map(self, key: int, value: int, count: int) -> None:
        """See `Writer.map`."""
        self._enter()
        write_varint(self._out, count)
        if count:
            self._out.append(_FROM_WIRE[key] << 4 | _FROM_WIRE[value])

    def stop(self) -> None:
        """See `Writer.stop`."""
        self._out.append(wire.STOP)
        self.end()

    def end(self) -> None:
        """See `Writer.end`."""
        self._depth += 1
        self._last = self._lasts.pop()

    def bool(self, value: bool) -> None:
        """See `Writer`."""
        code = _TRUE if value else _FALSE
        if self._bool_id is None:
            self._out.append(code)
        else:
            self._head(code, self._bool_id)
            self._bool_id = None

    def i8(self, value: int) -> None:
        """See `Writer`."""
        self._out.append(value & 0xFF)

    def i16(self, value: int) -> None:
        """See `Writer`."""
        self.i32(value)

    def i32(self, value: int) -> None:
        """See `Writer`."""
        write_varint(self._out, (value << 1) ^ (value >> 31))

    def i64(self, value: int) -> None:
        """See `Writer`."""
        write_varint(self._out, (value << 1) ^ (value >> 63))

    def double(self, value: float) -> None:
        """See `Writer`."""
        self._out += _DOUBLE.pack(value)

    def binary(self, value: bytes) -> None:
        """See `Writer`."""
        write_varint(self._out, len(value))
        self._out += value

    def uuid(self, value: bytes) -> None:
        """See `Writer`."""
        self._out += value

    def text(self, value: str) -> None:
        """See `Writer.text`."""
        self.binary(write_text(value))

    def done(self) -> bytes:
        """See `Writer.done`."""
        return bytes(self._out)


class CompactEncoding:
    """See `protocols.thrift.encoding.Encoding`."""

    name: Final = "compact"

    def reader(self, data: bytes | bytearray, pos: int, limits: Limits, end: int | None = None) -> CompactReader:
        """See `Encoding.reader`."""
        return CompactReader(data, pos, limits, end)

    def writer(self, limits: Limits) -> CompactWriter:
        """See `Encoding.writer`."""
        return CompactWriter(limits)


COMPACT: Final = CompactEncoding()
