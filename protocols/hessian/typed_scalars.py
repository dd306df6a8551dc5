"""Readers and writers of the scalar contract types; the type table stands in `protocols.hessian.typed`.

A reader takes a `Reader` whose position is at the value. It may let an IndexError or struct.error escape where the
data ends; a writer raises ValueMappingError. Neither takes null: `nullable_reader` and `nullable_writer` add that.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind
from protocols.hessian.definition import decode_definition
from protocols.hessian.errors import HessianError, shorten, tag_name
from protocols.hessian.numbers import encode_double, encode_int, encode_long
from protocols.hessian.reader import Reader
from protocols.hessian.text import STRING_HEADS, STRING_TAGS, decode_text, encode_text
from protocols.hessian.writer import Writer, encode_bytes

__all__ = [
    "RANGES",
    "SCALAR_READERS",
    "SCALAR_WRITERS",
    "TypedReader",
    "TypedWriter",
    "boxed_reader",
    "mismatch",
    "nullable_reader",
    "nullable_writer",
    "reject",
]

TypedReader = Callable[[Reader], Any]
TypedWriter = Callable[[Writer, Any], None]

RANGES: Final[Mapping[Kind, tuple[int, int]]] = {
    Kind.I8: (-(2**7), 2**7 - 1),
    Kind.I16: (-(2**15), 2**15 - 1),
    Kind.I32: (-(2**31), 2**31 - 1),
    Kind.I64: (-(2**63), 2**63 - 1),
}
"""Smallest and largest value of the integer types that have them."""

_unpack_double: Final = struct.Struct(">d").unpack_from
_unpack_int: Final = struct.Struct(">i").unpack_from
_unpack_long: Final = struct.Struct(">q").unpack_from
_single: Final = struct.Struct(">f")
_NUMBERS: Final = frozenset((*range(0x38, 0x40), 0x44, 0x49, 0x4C, 0x59, *range(0x5B, 0x60), *range(0x80, 0x100)))


def mismatch(reader: Reader, expected: str) -> HessianError:
    """The error for a value at the reader's position that is not of the expected type; names its class, if any."""
    data, pos = reader.data, reader.pos
    tag = data[pos]
    found = tag_name(tag)
    if tag == 0x43:
        found = f"an object of {shorten(decode_definition(data, pos + 1, reader.limits)[0].name)}"
    elif 0x60 <= tag < 0x70 and tag - 0x60 < len(reader.classes):
        found = f"an object of {shorten(reader.classes[tag - 0x60].name)}"
    elif tag == 0x4E:
        found = "null"
    return HessianError(f"expected {expected}, found {found}", pos)


def reject(expected: str, value: Any) -> ValueMappingError:
    """The error for a Python value that is not of the expected type."""
    found = "null" if value is None else type(value).__qualname__
    return ValueMappingError(f"expected {expected}, found {found}")


def nullable_reader(read: TypedReader) -> TypedReader:
    """The same reader, which gives None for null."""

    def read_nullable(reader: Reader) -> Any:
        pos = reader.pos
        if reader.data[pos] == 0x4E:
            reader.pos = pos + 1
            return None
        return read(reader)

    return read_nullable


def nullable_writer(write: TypedWriter) -> TypedWriter:
    """The same writer, which writes None as null."""

    def write_nullable(writer: Writer, value: Any) -> None:
        if value is None:
            writer.out.append(0x4E)
        else:
            write(writer, value)

    return write_nullable


def boxed_reader(kind: Kind, read: TypedReader) -> TypedReader:
    """The same reader of numbers, which takes the object of a boxed one as well (Caucho's `ByteHandle`)."""
    wanted = float if kind in (Kind.F32, Kind.F64) else int

    def read_boxed(reader: Reader) -> Any:
        pos = reader.pos
        tag = reader.data[pos]
        if tag != 0x43 and tag != 0x4F and tag != 0x51 and not 0x60 <= tag < 0x70:
            return read(reader)
        value = reader.next_value()
        # Exactly: a boolean is an int, and what else an object may stand for is no such number either.
        if type(value) is not wanted:
            raise HessianError(f"expected {kind.value}, found an object", pos)
        low, high = RANGES.get(kind, (value, value))
        if not (low <= value <= high or value != value):
            raise HessianError(f"expected {kind.value}, found an integer beyond its range", pos)
        return _nearest_single(value, pos) if kind is Kind.F32 else value

    return read_boxed


def read_null(reader: Reader) -> None:
    """Null and nothing else."""
    if reader.data[reader.pos] != 0x4E:
        raise mismatch(reader, "null")
    reader.pos += 1


def read_bool(reader: Reader) -> bool:
    """True or false; Java takes an int for a boolean, but never sends one."""
    tag = reader.data[reader.pos]
    if tag != 0x54 and tag != 0x46:
        raise mismatch(reader, "bool")
    reader.pos += 1
    return tag == 0x54


def integer_reader(kind: Kind) -> TypedReader:
    """An int or long in the kind's range, or a double that is an integer in it."""
    low, high = RANGES[kind]

    def read_integer(reader: Reader) -> int:
        pos = reader.pos
        data = reader.data
        tag = data[pos]
        if 0xC0 <= tag < 0xD0:
            value = (tag - 0xC8 << 8) + data[pos + 1]
            reader.pos = pos + 2
        elif tag >= 0xF0:
            value = (tag - 0xF8 << 8) + data[pos + 1]
            reader.pos = pos + 2
        elif tag == 0x49 or tag == 0x59:
            value = _unpack_int(data, pos + 1)[0]
            reader.pos = pos + 5
        elif tag == 0x4C:
            value = _unpack_long(data, pos + 1)[0]
            reader.pos = pos + 9
        elif tag in _NUMBERS:
            number = reader.next_value()
            if isinstance(number, float) and not number.is_integer():
                raise HessianError(f"expected {kind.value}, found a double that is no integer", pos)
            value = int(number)  # plain, also where the reader says that it was a long
        else:
            raise mismatch(reader, kind.value)
        if not low <= value <= high:
            raise HessianError(f"expected {kind.value}, found an integer beyond its range", pos)
        return value

    return read_integer


def read_f64(reader: Reader) -> float:
    """A double, or an integer that a double holds exactly."""
    pos = reader.pos
    tag = reader.data[pos]
    if tag == 0x44:
        value: float = _unpack_double(reader.data, pos + 1)[0]
        reader.pos = pos + 9
        return value
    if tag not in _NUMBERS:
        raise mismatch(reader, "f64")
    number = reader.next_value()
    value = float(number)
    if value != number:
        raise HessianError("expected f64, found an integer that a double does not hold exactly", pos)
    return value


def read_f32(reader: Reader) -> float:
    """Like `read_f64`, rounded to the nearest single: Java sends a Float as the double of its decimal text."""
    pos = reader.pos
    return _nearest_single(read_f64(reader), pos)


def _nearest_single(value: float, pos: int) -> float:
    try:
        rounded: float = _single.unpack(_single.pack(value))[0]
    except OverflowError:
        raise HessianError("expected f32, found a double beyond the largest single", pos) from None
    return rounded


def read_string(reader: Reader) -> str:
    """A string of any length."""
    pos = reader.pos
    data = reader.data
    size = data[pos]
    if size < 0x20:
        start = pos + 1
    elif 0x30 <= size < 0x34:
        size = (size - 0x30 << 8) + data[pos + 1]
        start = pos + 2
    else:
        if size not in STRING_TAGS:
            raise mismatch(reader, "string")
        text, reader.pos = decode_text(data, pos, reader.pay)
        return text
    raw = data[start : start + size]
    if raw.isascii() and len(raw) == size:
        reader.pos = start + size
        return raw.decode()
    text, reader.pos = decode_text(data, pos)
    return text


def read_char(reader: Reader) -> str:
    """A string of exactly one UTF-16 unit."""
    pos = reader.pos
    if reader.data[pos] not in STRING_TAGS:
        raise mismatch(reader, "char")
    text, reader.pos = decode_text(reader.data, pos, reader.pay)
    if len(text) != 1 or text > "\uffff":
        raise HessianError("expected char, found a string that is not one UTF-16 unit", pos)
    return text


def read_bytes(reader: Reader) -> bytes:
    """A binary value; a list of numbers is none."""
    tag = reader.data[reader.pos]
    if not (0x20 <= tag < 0x30 or 0x34 <= tag < 0x38 or tag == 0x41 or tag == 0x42):
        raise mismatch(reader, "bytes")
    value: bytes = reader.next_value()
    return value


def write_null(writer: Writer, value: Any) -> None:
    """None and nothing else."""
    if value is not None:
        raise reject("null", value)
    writer.out.append(0x4E)


def write_bool(writer: Writer, value: Any) -> None:
    """A bool; an int is none."""
    if value is True:
        writer.out.append(0x54)
    elif value is False:
        writer.out.append(0x46)
    else:
        raise reject("bool", value)


def integer_writer(kind: Kind) -> TypedWriter:
    """An int in the kind's range: i64 as long, the others as int. A bool is none."""
    low, high = RANGES[kind]
    encode = encode_long if kind is Kind.I64 else encode_int

    def write_integer(writer: Writer, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise reject(kind.value, value)
        if not low <= value <= high:
            raise ValueMappingError(f"expected {kind.value} from {low} to {high}, found an integer beyond it")
        writer.out += encode(value)

    return write_integer


def write_f64(writer: Writer, value: Any) -> None:
    """A float, or an int that a double holds exactly."""
    writer.out += encode_double(_float(value, "f64"))


def write_f32(writer: Writer, value: Any) -> None:
    """Like `write_f64`, rounded to the nearest single; refuses what is beyond the largest one."""
    try:
        rounded: float = _single.unpack(_single.pack(_float(value, "f32")))[0]
    except OverflowError:
        raise ValueMappingError("expected f32, found a float beyond the largest single") from None
    writer.out += encode_double(rounded)


def _float(value: Any, expected: str) -> float:
    if isinstance(value, float):
        return value
    if not isinstance(value, int) or isinstance(value, bool):
        raise reject(expected, value)
    try:
        exact = float(value)
    except OverflowError:
        exact = 0.5
    if exact != value:
        raise ValueMappingError(f"expected {expected}, found an integer that no double holds exactly")
    return exact


def write_string(writer: Writer, value: Any) -> None:
    """A str."""
    if not isinstance(value, str):
        raise reject("string", value)
    if value.isascii() and len(value) < 1024:
        out = writer.out
        out += STRING_HEADS[len(value)]
        out += value.encode()
    else:
        writer.out += encode_text(value)


def write_char(writer: Writer, value: Any) -> None:
    """A str of one UTF-16 unit."""
    if not isinstance(value, str):
        raise reject("char", value)
    if len(value) != 1 or value > "\uffff":
        raise ValueMappingError("expected char, found a string that is not one UTF-16 unit")
    writer.out += encode_text(value)


def write_bytes(writer: Writer, value: Any) -> None:
    """Bytes."""
    if not isinstance(value, bytes | bytearray | memoryview):
        raise reject("bytes", value)
    writer.out += encode_bytes(bytes(value))


SCALAR_READERS: Final[Mapping[Kind, TypedReader]] = {
    Kind.NULL: read_null,
    Kind.BOOL: read_bool,
    Kind.I8: integer_reader(Kind.I8),
    Kind.I16: integer_reader(Kind.I16),
    Kind.I32: integer_reader(Kind.I32),
    Kind.I64: integer_reader(Kind.I64),
    Kind.F32: read_f32,
    Kind.F64: read_f64,
    Kind.CHAR: read_char,
    Kind.STRING: read_string,
    Kind.BYTES: read_bytes,
}
"""How scalars without a class of their own are read."""

SCALAR_WRITERS: Final[Mapping[Kind, TypedWriter]] = {
    Kind.NULL: write_null,
    Kind.BOOL: write_bool,
    Kind.I8: integer_writer(Kind.I8),
    Kind.I16: integer_writer(Kind.I16),
    Kind.I32: integer_writer(Kind.I32),
    Kind.I64: integer_writer(Kind.I64),
    Kind.F32: write_f32,
    Kind.F64: write_f64,
    Kind.CHAR: write_char,
    Kind.STRING: write_string,
    Kind.BYTES: write_bytes,
}
"""How scalars without a class of their own are written."""
