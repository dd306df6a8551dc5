"""Defaults in Thrift's words, and what these words mean for a contract type.

Values that stand in a string on the wire stand in one here: `"19.90"` is a decimal. An instant is its microseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from gateway.jsonform import scalar_text as texts
from gateway.jsonform.reader import compile_reader
from gateway.model.contract import MISSING, ServiceContract
from gateway.model.errors import ContractError, ValueMappingError
from gateway.model.outline import StructValue
from gateway.model.scalar import INTEGER_RANGES, SCALAR_CHECKS
from gateway.model.typeref import Kind, TypeRef
from protocols.thrift import names
from protocols.thrift.identifier import identifier
from protocols.thrift.idl.syntax import Named, Pairs, Value

__all__ = ["format_constant", "read_constant"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_IN_TEXT: Final[Mapping[Kind, Callable[[Any], str]]] = MappingProxyType(
    {
        Kind.BIGINT: texts.format_integer,
        Kind.DECIMAL: texts.format_decimal,
        Kind.DATE: str,
        Kind.TIME: texts.format_time,
        Kind.LOCAL_DATETIME: texts.format_local_datetime,
        Kind.DURATION: texts.format_duration,
        Kind.UUID: str,
        Kind.CHAR: str,
        Kind.STRING: str,
    }
)
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def read_constant(value: Value, ref: TypeRef, outline: ServiceContract, look_up: Callable[[str], Value | None]) -> Any:
    """The plain value (`gateway.model.outline`) that a constant is for a type. `look_up`: constants by name.

    Raises:
        ContractError: it is none of this type.
    """
    seen = 0
    while isinstance(value, Named):
        found = None if seen > 64 else look_up(value.name)
        if found is None:
            break
        seen, value = seen + 1, found
    try:
        return _read(value, ref, outline, look_up)
    except ValueMappingError as exc:
        raise ContractError(f"the value does not fit {ref}: {exc}") from None


def _read(value: Value, ref: TypeRef, outline: ServiceContract, look_up: Callable[[str], Value | None]) -> Any:
    def inner(item: Value, of: TypeRef) -> Any:
        return read_constant(item, of, outline, look_up)

    match ref.kind:
        case Kind.BOOL if isinstance(value, int) and value in (0, 1):
            return bool(value)
        case Kind.F32 | Kind.F64 if isinstance(value, int | float) and not isinstance(value, bool):
            return SCALAR_CHECKS[ref.kind](float(value), None)
        case Kind.DATETIME if isinstance(value, int) and not isinstance(value, bool):
            try:
                return _EPOCH + value * _MICROSECOND
            except OverflowError:
                raise ValueMappingError(f"{value} µs since 1970 are not in the years 1 to 9999") from None
        case Kind.BYTES if isinstance(value, str):
            return value.encode()
        case Kind.STRING | Kind.CHAR:
            return SCALAR_CHECKS[ref.kind](value, None)
        case kind if kind in INTEGER_RANGES:
            return SCALAR_CHECKS[kind](value, None)
        case Kind.ENUM:
            return _enum(value, ref, outline)
        case Kind.LIST | Kind.SET if isinstance(value, tuple):
            items = [inner(each, ref.args[0]) for each in value]
            return tuple(items) if ref.kind is Kind.LIST else frozenset(items)
        case Kind.MAP if isinstance(value, Pairs):
            return {inner(key, ref.args[0]): inner(item, ref.args[1]) for key, item in value.items}
        case Kind.STRUCT if isinstance(value, Pairs):
            return _struct(value, ref, outline, inner)
        case kind if kind in _IN_TEXT and isinstance(value, str):
            return compile_reader(ref, outline)(value)
    raise ValueMappingError(f"expected {ref}, found {value!r}")


def _enum(value: Value, ref: TypeRef, outline: ServiceContract) -> Any:
    enum = outline.enum(ref)
    name = value.name.rpartition(".")[2] if isinstance(value, Named) else None
    for constant, number in names.enum_values(enum).items():
        if name in (constant, identifier(constant)) or (name is None and number == value and type(value) is int):
            return enum.python_class[constant]
    raise ValueMappingError(f"{enum.name} has no constant {name or value!r}")


def _struct(
    value: Pairs, ref: TypeRef, outline: ServiceContract, inner: Callable[[Value, TypeRef], Any]
) -> StructValue:
    said = {key: item for key, item in value.items if isinstance(key, str)}
    found: list[tuple[str, Any]] = []
    for field in outline.struct(ref).fields:
        name = names.field_name(field)
        plain = inner(said.pop(name), field.type) if name in said else field.absent()
        if plain is MISSING:
            raise ValueMappingError(f"{ref.name} needs its field {field.name!r}")
        found.append((field.name, plain))
    if said:
        raise ValueMappingError(f"{ref.name} has no field {next(iter(said))!r}")
    return StructValue(ref.name, tuple(found))


def format_constant(value: Any, ref: TypeRef, name_of: Callable[[TypeRef], str]) -> str | None:
    """A plain value in Thrift's words; None for what they cannot say exactly, or compilers do not take."""
    match ref.kind:
        case _ if value is None:
            return None
        case Kind.BOOL:
            return "true" if value else "false"
        case kind if kind in INTEGER_RANGES:
            return str(value)
        case Kind.F32 | Kind.F64:
            return repr(value) if math.isfinite(value) else None
        case Kind.DATETIME:
            return str((value - _EPOCH) // _MICROSECOND)
        case Kind.BYTES:
            return _quoted(value.decode("ascii")) if value.isascii() else None
        case Kind.ENUM:
            return f"{name_of(ref)}.{identifier(value.name)}"
        case Kind.LIST | Kind.SET:
            items = [format_constant(each, ref.args[0], name_of) for each in value]
            texts_only = [each for each in items if each is not None]
            if len(texts_only) < len(items):
                return None
            return f"[{', '.join(texts_only if ref.kind is Kind.LIST else sorted(texts_only))}]"
        case Kind.MAP:
            return _format_map(value, ref, name_of)
        case kind if kind in _IN_TEXT:
            return _quoted(_IN_TEXT[kind](value))
    return None


def _format_map(value: Mapping[Any, Any], ref: TypeRef, name_of: Callable[[TypeRef], str]) -> str | None:
    pairs = []
    for key, item in value.items():
        pair = format_constant(key, ref.args[0], name_of), format_constant(item, ref.args[1], name_of)
        if pair[0] is None or pair[1] is None:
            return None
        pairs.append(f"{pair[0]}: {pair[1]}")
    return f"{{{', '.join(pairs)}}}"


def _quoted(text: str) -> str | None:
    """A text between quotes; None where it has characters that compilers may not take."""
    plain = text.replace("\n", "").replace("\t", "").replace("\r", "")
    return f'"{text.translate(_ESCAPES)}"' if plain.isprintable() else None
