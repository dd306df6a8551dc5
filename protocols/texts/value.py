"""Contract values as the bytes of one argument, key or answer of a text wire.

| form | types | bytes |
| --- | --- | --- |
| RAW | string, char | UTF-8; U+0000 as it is, a lone surrogate as the three bytes its number has in UTF-8 |
| | bytes | as they are |
| TEXT | bool | `true`, `false`; read also `1`, `0`, which is what clients have that cannot send a boolean |
| | integers, bigint, decimal | digits, as in JSON |
| | f32, f64 | as in JSON; `NaN`, `Infinity`, `-Infinity`, read also `nan`, `inf`, `+inf`, `-inf` in any case |
| | dates, times, durations, uuid, enum | what stands between the quotes in JSON |
| | null where the type allows it; the type null | `null`; for the type null read also nothing |
| JSON | list, set, map, struct, exception, any | JSON in UTF-8, as `gateway.jsonform` has it |

A null among the values of a RAW type has no bytes at all: every text is a value there. An enum that may be null and
has a constant of that name is JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from gateway.jsonform.bare_text import BARE_KINDS, bare_text_of, parser_of_bare_text
from gateway.jsonform.reader import Readers
from gateway.jsonform.text import format_json, parse_json
from gateway.jsonform.writer import Writers
from gateway.model.contract import ServiceContract
from gateway.model.errors import ValueMappingError
from gateway.model.scalar import INTEGER_RANGES, SCALAR_CHECKS
from gateway.model.typeref import Kind, TypeRef

__all__ = ["Form", "TextReader", "TextReaders", "TextWriter", "TextWriters", "form_of"]

TextReader = Callable[[bytes], Any]
"""From bytes to the value they stand for. Raises `ValueMappingError` with the path inside the value."""
TextWriter = Callable[[Any], bytes | None]
"""The inverse; None for a null that has no bytes."""

_RAW: Final = frozenset({Kind.STRING, Kind.CHAR, Kind.BYTES})
_TEXT: Final = (BARE_KINDS | {Kind.NULL}) - _RAW
_NULL: Final = b"null"
_BOOLS: Final[Mapping[bytes, bool]] = MappingProxyType({b"true": True, b"1": True, b"false": False, b"0": False})
_FLOATS: Final[Mapping[bytes, str]] = MappingProxyType(
    {b"nan": "NaN", b"inf": "Infinity", b"+inf": "Infinity", b"-inf": "-Infinity"}
)
_SHORT: Final = 18
"""Digits that every 64-bit integer can have."""


class Form(Enum):
    """How a type stands in bytes."""

    RAW = "raw"
    TEXT = "text"
    JSON = "json"


def form_of(ref: TypeRef, contract: ServiceContract) -> Form:
    """How values of this type stand in bytes."""
    if ref.kind in _RAW:
        return Form.RAW
    if ref.kind is Kind.ENUM and ref.nullable and _NULL.decode() in contract.enum(ref).constants:
        return Form.JSON
    return Form.TEXT if ref.kind in _TEXT else Form.JSON


class TextReaders:
    """Compiles the readers of one contract. `readers`: of its values in JSON, where there are some already."""

    def __init__(self, contract: ServiceContract, readers: Readers | None = None) -> None:
        self._contract = contract
        self._readers = readers or Readers(contract)

    def compile(self, ref: TypeRef) -> TextReader:
        """A function from bytes to a value of this type."""
        form = form_of(ref, self._contract)
        if form is Form.JSON:
            read = self._readers.compile(ref)
            return lambda data: read(parse_json(data))
        if form is Form.RAW:
            return _RAW_READERS[ref.kind]
        scalar = self._scalar(ref)
        return _or_null(scalar) if ref.nullable or ref.kind is Kind.NULL else scalar

    def _scalar(self, ref: TypeRef) -> TextReader:
        kind = ref.kind
        if kind is Kind.BOOL:
            return _read_bool
        if kind is Kind.NULL:
            return _read_nothing
        read, parse = self._readers.compile(ref.required()), parser_of_bare_text(kind)
        if kind in INTEGER_RANGES:
            return _integer(read, parse, kind)
        if kind in (Kind.F32, Kind.F64):
            return lambda data: read(parse(_FLOATS.get(data.lower()) or _text(data)))
        return lambda data: read(parse(_text(data)))


class TextWriters:
    """Compiles the writers of one contract. `writers`: of its values in JSON, where there are some already."""

    def __init__(self, contract: ServiceContract, writers: Writers | None = None) -> None:
        self._contract = contract
        self._writers = writers or Writers(contract)

    def compile(self, ref: TypeRef) -> TextWriter:
        """A function from a value of this type to its bytes; the values accepted are those of `Writers`."""
        form = form_of(ref, self._contract)
        if form is Form.RAW:
            return _raw_writer(ref)
        write = self._writers.compile(ref)
        if form is Form.JSON:
            return lambda value: format_json(write(value))
        return lambda value: _bare(write(value))


def _bare(written: Any) -> bytes:
    return _NULL if written is None else bare_text_of(written).encode()


def _raw_writer(ref: TypeRef) -> TextWriter:
    check, nullable = SCALAR_CHECKS[ref.kind], ref.nullable
    is_bytes = ref.kind is Kind.BYTES

    def write(value: Any) -> bytes | None:
        if value is None:
            if nullable:
                return None
            raise ValueMappingError(f"null where {ref} is required")
        checked = check(value, None)
        data: bytes = checked if is_bytes else checked.encode("utf-8", "surrogatepass")
        return data

    return write


def _integer(read: Callable[[Any], Any], parse: Callable[[str], Any], kind: Kind) -> TextReader:
    is_wide = kind is Kind.I64

    def read_integer(data: bytes) -> Any:
        # The usual one takes neither a pattern nor a range.
        if is_wide and len(data) <= _SHORT and data.isdigit():
            return int(data)
        return read(parse(_text(data)))

    return read_integer


def _or_null(read: TextReader) -> TextReader:
    return lambda data: None if data == _NULL else read(data)


def _read_bool(data: bytes) -> bool:
    found = _BOOLS.get(data)
    if found is None:
        raise ValueMappingError("expected true or false")
    return found


def _read_nothing(data: bytes) -> None:
    if data:
        raise ValueMappingError("expected null")


def _read_string(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass  # it may hold a lone surrogate
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as exc:
        raise ValueMappingError(f"no UTF-8 at byte {exc.start}") from None


def _read_char(data: bytes) -> Any:
    return SCALAR_CHECKS[Kind.CHAR](_read_string(data), None)


_RAW_READERS: Final[Mapping[Kind, TextReader]] = MappingProxyType(
    {Kind.STRING: _read_string, Kind.CHAR: _read_char, Kind.BYTES: bytes}
)


def _text(data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        # A constant of an enum may have any name that Python takes.
        return _read_string(data)
