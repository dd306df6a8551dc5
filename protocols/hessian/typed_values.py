"""Readers and writers of the contract types that are objects in Java: decimals, big integers, UUIDs, dates and times.

The type table stands in `protocols.hessian.typed`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from gateway.model.errors import ValueMappingError
from gateway.model.generic import Record
from gateway.model.typeref import Kind, TypeRef
from protocols.hessian.definition import ClassDefinition
from protocols.hessian.dialect import LITE, Dialect
from protocols.hessian.errors import HessianError
from protocols.hessian.java_types import (
    KNOWN_CLASSES,
    Inexact,
    big_integer,
    class_names,
    datetime_from_millis,
    parse_decimal,
)
from protocols.hessian.reader import INCOMPLETE, Reader
from protocols.hessian.text import STRING_TAGS
from protocols.hessian.typed_class import ClassPlans, Plan, class_reader
from protocols.hessian.typed_scalars import TypedReader, TypedWriter, read_string, reject
from protocols.hessian.writer import Writer, encode_date

__all__ = ["VALUE_KINDS", "value_reader", "value_writer"]

VALUE_KINDS: Final[Mapping[Kind, str]] = {
    Kind.BIGINT: "BigInteger",
    Kind.DECIMAL: "BigDecimal",
    Kind.UUID: "UUID",
    Kind.DATE: "LocalDate",
    Kind.TIME: "LocalTime",
    Kind.DATETIME: "Instant",
    Kind.LOCAL_DATETIME: "LocalDateTime",
    Kind.DURATION: "Duration",
}
"""The kinds of this module and their Java classes."""

_INTEGER_TAGS: Final = frozenset((*range(0x38, 0x40), 0x49, 0x4C, 0x59, *range(0x80, 0x100)))
_unpack_int: Final = struct.Struct(">i").unpack_from
_unpack_long: Final = struct.Struct(">q").unpack_from


def value_reader(ref: TypeRef, dialect: Dialect = LITE) -> TypedReader:
    """The reader of a type of `VALUE_KINDS`; null aside. Texts are read where the dialect has them.

    With the hint `("precision", "truncate")` a time finer than microseconds loses what is finer; it is refused
    without.
    """
    kind = ref.kind
    fits = _FITS[kind]
    truncate = _truncates(ref)
    convert = {Kind.DECIMAL: _decimal_plan}.get(kind, _fields_plan)
    read_object = class_reader(
        ClassPlans(
            kind.value,
            class_names(VALUE_KINDS[kind]),
            lambda value, form: fits(value),
            lambda definition: convert(kind.value, definition, truncate),
        )
    )
    if (parse_text := dialect.parse_text.get(kind)) is not None:
        read_object = _or_text(kind, parse_text, read_object)
    if kind is Kind.BIGINT:

        def read_bigint(reader: Reader) -> int:
            if reader.data[reader.pos] in _INTEGER_TAGS:
                return int(reader.next_value())
            return int(read_object(reader))

        return read_bigint
    if kind is Kind.DATETIME:

        def read_datetime(reader: Reader) -> datetime:
            tag = reader.data[reader.pos]
            if tag == 0x4A or tag == 0x4B:
                return _read_date(reader, tag)
            value: datetime = read_object(reader)
            return value

        return read_datetime
    return read_object


def _or_text(kind: Kind, parse: Callable[[str], Any], read_object: TypedReader) -> TypedReader:
    """The same reader, which takes a text as well."""

    def read_value(reader: Reader) -> Any:
        pos = reader.pos
        if reader.data[pos] not in STRING_TAGS:
            return read_object(reader)
        try:
            return parse(read_string(reader))
        except ValueMappingError as exc:
            raise HessianError(f"expected {kind.value}, found text that is none ({exc})", pos) from None

    return read_value


def _read_date(reader: Reader, tag: int) -> datetime:
    pos = reader.pos
    if tag == 0x4A:
        millis = _unpack_long(reader.data, pos + 1)[0]
        reader.pos = pos + 9
    else:
        millis = _unpack_int(reader.data, pos + 1)[0] * 60_000
        reader.pos = pos + 5
    try:
        return datetime_from_millis(millis)
    except Inexact as exc:
        raise HessianError(f"expected datetime, found {exc}", pos) from None


def _decimal_plan(title: str, definition: ClassDefinition, truncate: bool) -> Plan:
    if definition.fields != ("value",):
        return _fields_plan(title, definition, truncate)

    def read_decimal(reader: Reader) -> Decimal:
        pos = reader.pos
        reader.charge(1)
        slot = reader.register(INCOMPLETE)
        try:
            value = reader.refs[slot] = parse_decimal(read_string(reader))
        except (ValueError, ArithmeticError):
            raise HessianError("expected decimal, found text that is no decimal number", pos) from None
        return value

    return read_decimal


def _fields_plan(title: str, definition: ClassDefinition, truncate: bool) -> Plan:
    fields = definition.fields
    convert = big_integer if title == Kind.BIGINT.value else KNOWN_CLASSES[definition.name]

    def read_value(reader: Reader) -> Any:
        pos = reader.pos
        reader.enter(len(fields))
        slot = reader.register(INCOMPLETE)
        values = {field: reader.next_value() for field in fields}
        reader.depth += 1
        try:
            value = reader.refs[slot] = convert(_truncated(values) if truncate else values)
        except (ValueError, ArithmeticError) as exc:
            why = _cause(values) or (str(exc) if isinstance(exc, Inexact) else "fields that make no such value")
            raise HessianError(f"expected {title}, found {why}", pos) from None
        return value

    return read_value


def _truncated(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of one of java.time's handles without what is finer than microseconds."""
    coarse = _coarse(fields)
    for name, value in fields.items():
        # The time in a LocalDateTime. It contains no further ones, but may claim to contain itself.
        if isinstance(value, Record) and value.type_name in KNOWN_CLASSES:
            coarse[name] = KNOWN_CLASSES[value.type_name](_coarse(value))
    return coarse


def _coarse(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value - value % 1_000 if name in ("nano", "nanos") and isinstance(value, int) else value
        for name, value in fields.items()
    }


def _cause(fields: Mapping[str, Any]) -> str:
    """Why a value inside the fields (the time of a LocalDateTime) has no Python form; empty when none is."""
    for value in fields.values():
        if isinstance(value, Record) and value.type_name in KNOWN_CLASSES:
            try:
                KNOWN_CLASSES[value.type_name](value)
            except Inexact as exc:
                return str(exc)
            except (ValueError, ArithmeticError):
                return "fields that make no such value"
    return ""


def _truncates(ref: TypeRef) -> bool:
    return ref.hint("precision") == "truncate"


def _is_bigint(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_date(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _is_instant(value: object) -> bool:
    return isinstance(value, datetime) and value.utcoffset() is not None


def _is_local_datetime(value: object) -> bool:
    return isinstance(value, datetime) and value.tzinfo is None


_FITS: Final[Mapping[Kind, Callable[[object], bool]]] = {
    Kind.BIGINT: _is_bigint,
    Kind.DECIMAL: lambda value: isinstance(value, Decimal),
    Kind.UUID: lambda value: isinstance(value, UUID),
    Kind.DATE: _is_date,
    Kind.TIME: lambda value: isinstance(value, time),
    Kind.DATETIME: _is_instant,
    Kind.LOCAL_DATETIME: _is_local_datetime,
    Kind.DURATION: lambda value: isinstance(value, timedelta),
}

_WRITE: Final[Mapping[Kind, TypedWriter]] = {
    Kind.BIGINT: Writer.write_bigint,
    Kind.DECIMAL: Writer.write_decimal,
    Kind.UUID: Writer.write_uuid,
    Kind.DATE: Writer.write_local_date,
    Kind.TIME: Writer.write_local_time,
    Kind.DATETIME: Writer.write_instant,
    Kind.LOCAL_DATETIME: Writer.write_local_datetime,
    Kind.DURATION: Writer.write_duration,
}


def value_writer(ref: TypeRef) -> TypedWriter:
    """The writer of a type of `VALUE_KINDS`; None aside.

    A datetime with the hint `("java", "java.util.Date")` is a date of milliseconds; what is finer is refused, or cut
    off with the hint `("precision", "truncate")`.
    """
    kind = ref.kind
    fits, write = _FITS[kind], _WRITE[kind]
    if kind is Kind.DATETIME and ref.hint("java") == "java.util.Date":
        write = _write_truncated_date if _truncates(ref) else _write_date

    def write_value(writer: Writer, value: Any) -> None:
        if not fits(value):
            raise _reject(kind, value)
        write(writer, value)

    return write_value


def _write_date(writer: Writer, value: datetime) -> None:
    writer.out += encode_date(value)


def _write_truncated_date(writer: Writer, value: datetime) -> None:
    writer.out += encode_date(value.replace(microsecond=value.microsecond // 1_000 * 1_000))


def _reject(kind: Kind, value: object) -> ValueMappingError:
    if isinstance(value, datetime) and kind in (Kind.DATETIME, Kind.LOCAL_DATETIME):
        if kind is Kind.DATETIME:
            return ValueMappingError("expected a datetime with a zone, found one without")
        return ValueMappingError("expected a datetime without a zone, found one with a zone")
    return reject(kind.value, value)
