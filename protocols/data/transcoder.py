"""What xmemcached's `SerializingTranscoder` makes of values: the bytes and the flags that memcached keeps beside them.

| flags | value |
| --- | --- |
| 0 | text in UTF-8 |
| 1 | a serialization stream |
| 2, added to others | compressed with gzip, where it was longer than 16,384 bytes and became shorter |
| 0x100 | Boolean: `1` or `0` |
| 0x200, 0x300, 0x500 | Integer, Long, Byte: big-endian, the first two without zeros in front |
| 0x400 | Date: milliseconds, like a Long |
| 0x600, 0x700 | Float, Double: their bits, like an Integer or Long |
| 0x800 | `byte[]` |

Source: killme2008/xmemcached: src/main/java/net/rubyeye/xmemcached/transcoders/SerializingTranscoder.java,
BaseSerializingTranscoder.java, TranscoderUtils.java.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from gateway.model.contract import ServiceContract
from gateway.model.errors import ValueMappingError
from gateway.model.generic import JavaDate, Long
from gateway.model.scalar import INTEGER_RANGES, SCALAR_CHECKS, round_to_single
from gateway.model.typeref import Kind, TypeRef
from protocols.data.encoding import EncodingOptions, Stored, ValueReader, ValueWriter
from protocols.hessian.java_types import datetime_from_millis, millis_from_date
from protocols.java_stream.from_stream import FromStream
from protocols.java_stream.reader import StreamReader
from protocols.java_stream.to_stream import ToStream
from protocols.java_stream.writer import StreamWriter

__all__ = ["Transcoder"]

_SERIALIZED: Final = 1
_COMPRESSED: Final = 2
_BOOLEAN: Final = 0x100
_INT: Final = 0x200
_LONG: Final = 0x300
_DATE: Final = 0x400
_BYTE: Final = 0x500
_FLOAT: Final = 0x600
_DOUBLE: Final = 0x700
_BYTES: Final = 0x800
_LONG_ENOUGH: Final = 16_384
_GZIP: Final = 16 + zlib.MAX_WBITS
_WIDTHS: Final = MappingProxyType({_INT: 4, _LONG: 8, _DATE: 8, _BYTE: 1, _FLOAT: 4, _DOUBLE: 8})
_JAVA_DATE: Final = "java.util.Date"


class Transcoder:
    """The encoding `java` as memcached has it; a `protocols.data.encoding.Values`."""

    def __init__(self, contract: ServiceContract, options: EncodingOptions) -> None:
        self._from = FromStream(contract, options.limits.max_elements)
        self._to = ToStream(contract, options.uids)
        self._limits = options.limits

    def writer(self, ref: TypeRef) -> ValueWriter:
        """See `Values`."""
        special = self._special_writer(ref)
        write = self._to.compile(ref)

        def write_value(value: Any) -> Stored:
            if value is None:
                raise ValueMappingError("xmemcached stores no null")
            made = special(value)
            if made is None:
                out = StreamWriter(self._limits.max_frame_bytes)
                write(value, out)
                made = Stored(out.data, _SERIALIZED)
            return _compressed(made)

        return write_value

    def reader(self, ref: TypeRef) -> ValueReader:
        """See `Values`."""
        read = self._from.compile(ref)
        read_special = _of_any if ref.kind is Kind.ANY else _special_reader(ref)

        def read_value(data: bytes, flags: int) -> Any:
            if flags & _COMPRESSED:
                data = self._decompressed(data)
            if flags & _SERIALIZED:
                if flags & ~(_SERIALIZED | _COMPRESSED):
                    raise _unknown(flags)
                stream = StreamReader(data, self._limits)
                node = stream.read()
                stream.expect_end()
                if isinstance(node, bytes):
                    raise ValueMappingError("block data where an object is expected")
                return read(node)
            return read_special(data, flags & ~_COMPRESSED)

        return read_value

    def _special_writer(self, ref: TypeRef) -> Callable[[Any], Stored | None]:
        if ref.kind is Kind.ANY:
            return _any_writer
        return lambda value: _written(ref, value)

    def _decompressed(self, data: bytes) -> bytes:
        most = self._limits.max_frame_bytes
        unpack = zlib.decompressobj(_GZIP)
        try:
            found = unpack.decompress(data, most + 1)
        except zlib.error as exc:
            raise ValueMappingError(f"it says it is compressed, and is no gzip: {exc}") from None
        if len(found) > most:
            raise ValueMappingError(f"more than {most} bytes when it is decompressed")
        if not unpack.eof or unpack.unused_data:
            raise ValueMappingError("compressed data that ends early, or goes on")
        return found


def _compressed(stored: Stored) -> Stored:
    if len(stored.data) <= _LONG_ENOUGH:
        return stored
    pack = zlib.compressobj(wbits=_GZIP)
    data = pack.compress(stored.data) + pack.flush()
    return Stored(data, stored.flags | _COMPRESSED) if len(data) < len(stored.data) else stored


def _number(value: int, width: int) -> bytes:
    return (value & ((1 << 8 * width) - 1)).to_bytes(width, "big").lstrip(b"\x00")


def _written(ref: TypeRef, value: Any) -> Stored | None:
    """What has flags of its own; None for what is serialized."""
    kind = ref.kind
    if kind not in _SPECIAL:
        if kind is not Kind.DATETIME or ref.hint("java") != _JAVA_DATE:
            return None
        moment = SCALAR_CHECKS[kind](value, None)
        if moment.microsecond % 1_000 and ref.hint("precision") != "truncate":
            raise ValueMappingError("java.util.Date has milliseconds only")
        return Stored(_number(millis_from_date(moment), 8), _DATE)
    return _SPECIAL[kind](SCALAR_CHECKS[kind](value, None))


_SPECIAL: Final[Mapping[Kind, Callable[[Any], Stored]]] = MappingProxyType(
    {
        # A lone surrogate becomes `?` there; here it is refused.
        Kind.STRING: lambda value: Stored(_utf8(value)),
        Kind.BOOL: lambda value: Stored(b"1" if value else b"0", _BOOLEAN),
        Kind.I8: lambda value: Stored(struct.pack(">b", value), _BYTE),
        Kind.I32: lambda value: Stored(_number(value, 4), _INT),
        Kind.I64: lambda value: Stored(_number(value, 8), _LONG),
        Kind.F32: lambda value: Stored(struct.pack(">f", value).lstrip(b"\x00"), _FLOAT),
        Kind.F64: lambda value: Stored(struct.pack(">d", value).lstrip(b"\x00"), _DOUBLE),
        Kind.BYTES: lambda value: Stored(value, _BYTES),
    }
)


def _utf8(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as exc:
        raise ValueMappingError(f"the lone surrogate at character {exc.start} has no form in UTF-8") from None


def _any_writer(value: Any) -> Stored | None:
    ref = _BY_CLASS.get(type(value))
    if type(value) is int:
        low, high = INTEGER_RANGES[Kind.I32]
        ref = _ref(Kind.I32) if low <= value <= high else None
        if ref is None and -(1 << 63) <= value < 1 << 63:
            ref = _ref(Kind.I64)
    return None if ref is None else _written(ref, value)


def _ref(kind: Kind, *hints: tuple[str, str]) -> TypeRef:
    return TypeRef(kind, hints=hints)


_BY_CLASS: Final[Mapping[type[Any], TypeRef]] = MappingProxyType(
    {
        str: _ref(Kind.STRING),
        bool: _ref(Kind.BOOL),
        Long: _ref(Kind.I64),
        float: _ref(Kind.F64),
        bytes: _ref(Kind.BYTES),
        JavaDate: _ref(Kind.DATETIME, ("java", _JAVA_DATE)),
    }
)


def _of_any(data: bytes, flags: int) -> Any:
    """The value that the flags say it is."""
    if flags == 0:
        return _decoded_text(data)
    if flags == _BOOLEAN:
        return _boolean(data)
    if flags == _BYTES:
        return data
    if flags not in _WIDTHS:
        raise _unknown(flags)
    number = _signed(data, _WIDTHS[flags])
    if flags == _DATE:
        return _moment(number, JavaDate)
    if flags in (_FLOAT, _DOUBLE):
        return _float(data, flags)
    return Long(number) if flags == _LONG else number


def _special_reader(ref: TypeRef) -> ValueReader:
    kind = ref.kind

    def read(data: bytes, flags: int) -> Any:
        found = _of_any(data, flags)
        if kind is Kind.STRING and flags == 0:
            return found
        if kind is Kind.BOOL and flags == _BOOLEAN:
            return found
        if kind is Kind.BYTES and flags == _BYTES:
            return found
        if kind is Kind.DATETIME and flags == _DATE:
            return _moment(_signed(data, 8), datetime)
        if kind in (Kind.F32, Kind.F64) and flags in (_FLOAT, _DOUBLE):
            if kind is Kind.F32 and found == found and round_to_single(found) != found:
                raise ValueMappingError("a double that no single holds exactly")
            return found
        if (kind in INTEGER_RANGES or kind is Kind.BIGINT) and flags in (_BYTE, _INT, _LONG):
            low, high = INTEGER_RANGES.get(kind, (found, found))
            if not low <= found <= high:
                raise ValueMappingError(f"a number beyond {kind.value}, which goes from {low} to {high}")
            return int(found)
        raise ValueMappingError(f"expected {ref}, found a value with the flags {flags:#x}")

    return read


def _decoded_text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        raise ValueMappingError(f"no UTF-8 at byte {exc.start}") from None


def _boolean(data: bytes) -> bool:
    if data not in (b"0", b"1"):
        raise ValueMappingError("a Boolean that is neither 0 nor 1")
    return data == b"1"


def _signed(data: bytes, width: int) -> int:
    if len(data) > width:
        raise ValueMappingError(f"a number of {len(data)} bytes where {width} are the most")
    return int.from_bytes(data.rjust(width, b"\x00"), "big", signed=True)


def _float(data: bytes, flags: int) -> float:
    layout = ">f" if flags == _FLOAT else ">d"
    found: float = struct.unpack(layout, data.rjust(_WIDTHS[flags], b"\x00"))[0]
    return found


def _moment(millis: int, cls: type[Any]) -> Any:
    try:
        found = datetime_from_millis(millis)
    except ValueError as exc:
        raise ValueMappingError(str(exc)) from None
    return found if cls is datetime else JavaDate.combine(found.date(), found.timetz())


def _unknown(flags: int) -> ValueMappingError:
    return ValueMappingError(f"its flags are {flags:#x}, which name a format that is not read here")
