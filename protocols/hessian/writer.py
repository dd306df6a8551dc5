"""Writes any value that says its type itself; the inverse of `protocols.hessian.reader`.

| Python | on the wire |
| --- | --- |
| None, bool, float, str, bytes | null, boolean, double, string, binary |
| int | int where 32 bits hold it, long where 64 do, BigInteger otherwise |
| `Long`, `BigInt` | long, BigInteger |
| `JavaDate` | date; must be a whole number of milliseconds |
| aware datetime, naive datetime | Instant, LocalDateTime |
| date, time, timedelta, UUID, Decimal | LocalDate, LocalTime, Duration, UUID, BigDecimal |
| list, tuple | list without a type, of fixed length |
| set, frozenset | list of type `java.util.HashSet` |
| `TypedList` | list of its type |
| dict | map without a type |
| `TypedMap`, `Pairs` | map of its type, or without |
| `Record` | object of its class |

Anything else is refused, unless `Writer.known` has its class. A list, map or object that occurs again (the same
object, not an equal one) is written as a reference, so shared and cyclic values arrive as such. After a UUID only what
was written before it is referred to: all else, UUIDs too, is written again, and a cycle is refused
(`protocols.hessian.late_reference`).

Source: Hessian 2.0 Serialization Protocol; apache/dubbo-hessian-lite:
hessian-lite/src/main/java/com/alibaba/com/caucho/hessian/io/Hessian2Output.java.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from gateway.model.errors import LocalWireError, ValueMappingError
from gateway.model.generic import BigInt, JavaDate, Long, Pairs, Record, TypedList, TypedMap
from gateway.model.typeref import Kind
from protocols.hessian.dialect import LITE, Dialect
from protocols.hessian.java_types import (
    BIG_DECIMAL,
    BIG_INTEGER,
    Inexact,
    decimal_text,
    definition_bytes,
    magnitude_words,
    millis_from_date,
    split_duration,
    split_instant,
    split_uuid,
)
from protocols.hessian.late_reference import EarlyReferences
from protocols.hessian.numbers import encode_double, encode_int, encode_long
from protocols.hessian.text import encode_text
from protocols.reader import DEFAULT_LIMITS, Limits

__all__ = ["Writer", "encode_bytes", "encode_date"]

_MAX_CHUNK: Final = 0xFFFF
_UUID: Final = "java.util.UUID"


class Writer:
    """Hessian data being built, with the tables that its values share. One writer writes one message.

    Attributes:
        out: What has been written.
        refs: Slot of each list, map and object that may be referred to, by identity (`refer`, `refer_to_early_only`).
        forms: For each slot the form its value was written in; None for the form of this module.
        keep: Keeps what `refs` identifies alive, so that an identity is not used twice.
        classes: Index of each class definition written, by its bytes.
        types: Index of each list or map type written, by name.
        layouts: Class definitions of the records met, by class and field names.
        depth: Containers that may still be entered (`Limits.max_depth`).
        known: How values of a contract's classes are written, by Python class.
        dialect: How times, decimals and UUIDs are written.
    """

    __slots__ = ("classes", "depth", "dialect", "forms", "keep", "known", "layouts", "limits", "out", "refs", "types")

    def __init__(
        self,
        limits: Limits = DEFAULT_LIMITS,
        known: Mapping[type, Callable[[Writer, Any], None]] | None = None,
        dialect: Dialect = LITE,
    ) -> None:
        self.out = bytearray()
        self.refs: dict[Any, int] = {}
        self.forms: list[Any] = []
        self.keep: list[Any] = []
        self.classes: dict[bytes, int] = {}
        self.types: dict[str, int] = {}
        self.layouts: dict[tuple[str, ...], bytes] = {}
        self.depth = limits.max_depth
        self.limits = limits
        self.known = known
        self.dialect = dialect

    def write(self, value: Any) -> None:
        """Appends one value.

        Raises:
            ValueMappingError: the value, or one inside it, has no form; its path is below the written value.
            LocalWireError: the message became larger than `Limits.max_frame_bytes`.
        """
        write = _WRITERS.get(type(value))
        if write is None:
            write = self._writer_of(value)
        write(self, value)

    def finish(self) -> bytes:
        """All that was written. Raises LocalWireError when it is larger than `Limits.max_frame_bytes`."""
        self.check_size()
        return bytes(self.out)

    def check_size(self) -> None:
        """Raises LocalWireError when more than `Limits.max_frame_bytes` were written."""
        if len(self.out) > self.limits.max_frame_bytes:
            raise LocalWireError(f"the message exceeds {self.limits.max_frame_bytes} bytes")

    def refer(self, value: Any, form: Any = None) -> bool:
        """Writes a reference if `value` has been written in this form; gives it the next slot otherwise.

        Returns:
            Whether a reference was written, so that nothing is left to do.
        """
        refs, key = self.refs, id(value)
        slot = refs.get(key)
        if slot is not None and self.forms[slot] is not form:
            # The same list may be declared as List<Integer> here and as long[] there: each form is written once.
            key = (key, form)  # type: ignore[assignment]
            slot = refs.get(key)
        if slot is not None:
            self.out += b"\x51" + encode_int(slot)
            return True
        refs[key] = len(self.forms)
        self.forms.append(form)
        self.keep.append(value)
        return False

    def refer_to_early_only(self) -> None:
        """From here on refers only to what has a slot now: a UUID follows, after which readers count differently."""
        if not isinstance(self.refs, EarlyReferences):
            self.refs = EarlyReferences(self, self.refs)

    def enter(self) -> None:
        """Goes one level deeper; the caller adds 1 to `depth` when it is done."""
        self.check_size()
        self.depth -= 1
        if self.depth < 0:
            raise ValueMappingError(f"nested deeper than {self.limits.max_depth} levels")

    def begin_object(self, definition: bytes) -> None:
        """Starts an instance of the class: its definition where this is the first one, and its tag."""
        index = self.classes.get(definition)
        if index is None:
            index = self.classes[definition] = len(self.classes)
            self.out += definition
        if index < 16:
            self.out.append(0x60 + index)
        else:
            self.out += b"O" + encode_int(index)

    def begin_list(self, type_name: str | None, count: int) -> None:
        """Starts a list of fixed length; `type_name` is None for one without a type."""
        out = self.out
        if type_name is None:
            if count < 8:
                out.append(0x78 + count)
            else:
                out += b"X" + encode_int(count)
        elif count < 8:
            out.append(0x70 + count)
            self.write_type(type_name)
        else:
            out.append(0x56)
            self.write_type(type_name)
            out += encode_int(count)

    def write_type(self, name: str) -> None:
        """A type name: text where this is the first one, its index otherwise."""
        index = self.types.get(name)
        if index is None:
            self.types[name] = len(self.types)
            self.out += encode_text(name)
        else:
            self.out += encode_int(index)

    def write_decimal(self, value: Decimal) -> None:
        """A BigDecimal. Raises ValueMappingError for what it cannot hold."""
        try:
            text = decimal_text(value)
        except Inexact as exc:
            raise ValueMappingError(str(exc)) from None
        if Kind.DECIMAL in self.dialect.format_text:
            self.out += encode_text(text)
        elif not self.refer(value):
            self.begin_object(BIG_DECIMAL)
            self.out += encode_text(text)

    def write_bigint(self, value: int) -> None:
        """A BigInteger."""
        # Equal small ints are one object in Python, so identity says nothing: each is written for itself.
        self.forms.append(None)
        self.begin_object(BIG_INTEGER)
        self.out += encode_int((value > 0) - (value < 0))
        words = magnitude_words(value)
        self.forms.append(None)
        self.begin_list("[int", len(words))
        self.out += b"".join(map(encode_int, words))

    def write_uuid(self, value: UUID) -> None:
        """A UUID."""
        dialect = self.dialect
        if not dialect.uuid_bits:
            self.refer_to_early_only()
        self.forms.append(None)
        self.begin_object(dialect.uuid)
        if dialect.uuid_bits:
            high, low = split_uuid(value)
            self.out += encode_long(high) + encode_long(low)
        else:
            self.out += encode_text(str(value))

    def write_local_date(self, value: date) -> None:
        """A LocalDate."""
        if (format_text := self.dialect.format_text.get(Kind.DATE)) is not None:
            self.out += encode_text(format_text(value))
        elif not self.refer(value):
            self.begin_object(self.dialect.local_date)
            self._local_date_fields(value)

    def _local_date_fields(self, value: date) -> None:
        self.out += encode_int(value.day) + encode_int(value.month) + encode_int(value.year)

    def write_local_time(self, value: time) -> None:
        """A LocalTime. Raises ValueMappingError for a time with a zone."""
        if value.tzinfo is not None:
            raise ValueMappingError("expected a time without a zone, found one with a zone")
        if (format_text := self.dialect.format_text.get(Kind.TIME)) is not None:
            self.out += encode_text(format_text(value))
        elif not self.refer(value):
            self.begin_object(self.dialect.local_time)
            self._local_time_fields(value)

    def _local_time_fields(self, value: time | datetime) -> None:
        self.out += encode_int(value.microsecond * 1_000) + encode_int(value.second)
        self.out += encode_int(value.minute) + encode_int(value.hour)

    def write_local_datetime(self, value: datetime) -> None:
        """A LocalDateTime, from a naive datetime."""
        dialect = self.dialect
        if (format_text := dialect.format_text.get(Kind.LOCAL_DATETIME)) is not None:
            self.out += encode_text(format_text(value))
            return
        if self.refer(value):
            return
        self.begin_object(dialect.local_date_time)
        self.forms.append(None)
        self.begin_object(dialect.local_time)
        self._local_time_fields(value)
        self.forms.append(None)
        self.begin_object(dialect.local_date)
        self._local_date_fields(value)

    def write_instant(self, value: datetime) -> None:
        """An Instant, from an aware datetime; a date where the dialect says so, then of whole milliseconds."""
        if self.dialect.dates:
            self.out += encode_date(value)
        elif not self.refer(value):
            self.begin_object(self.dialect.instant)
            seconds, nanos = split_instant(value)
            self.out += encode_int(nanos) + encode_long(seconds)

    def write_duration(self, value: timedelta) -> None:
        """A Duration."""
        if (format_text := self.dialect.format_text.get(Kind.DURATION)) is not None:
            self.out += encode_text(format_text(value))
        elif not self.refer(value):
            self.begin_object(self.dialect.duration)
            seconds, nanos = split_duration(value)
            self.out += encode_int(nanos) + encode_long(seconds)

    def _writer_of(self, value: Any) -> Callable[[Writer, Any], None]:
        kind = type(value)
        if self.known is not None and (known := self.known.get(kind)) is not None:
            return known
        # An Enum may be a str or an int as well: written as that, its class would be lost.
        if not isinstance(value, Enum):
            for base in kind.__mro__:
                if (write := _WRITERS.get(base)) is not None:
                    return write
        raise ValueMappingError(f"{kind.__qualname__} has no form on this wire")


def encode_bytes(value: bytes) -> bytes:
    """A whole binary value, in chunks of 65535 bytes when it is longer than that."""
    count = len(value)
    if count < 16:
        return bytes((0x20 + count,)) + value
    if count < 1024:
        return bytes((0x34 + (count >> 8), count & 0xFF)) + value
    if count <= _MAX_CHUNK:
        return b"B" + count.to_bytes(2, "big") + value
    last = (count - 1) // _MAX_CHUNK * _MAX_CHUNK
    pieces = [b"A\xff\xff" + value[at : at + _MAX_CHUNK] for at in range(0, last, _MAX_CHUNK)]
    pieces.append(encode_bytes(value[last:]))
    return b"".join(pieces)


def encode_date(value: datetime) -> bytes:
    """A date value, from an aware datetime of whole milliseconds.

    Raises:
        ValueMappingError: it is naive, or finer than milliseconds.
    """
    if value.tzinfo is None:
        raise ValueMappingError("expected a datetime with a zone, found one without")
    if value.microsecond % 1_000:
        raise ValueMappingError("java.util.Date holds nothing finer than milliseconds")
    millis = millis_from_date(value)
    minutes, rest = divmod(millis, 60_000)
    if rest == 0 and -0x80000000 <= minutes <= 0x7FFFFFFF:
        return b"\x4b" + minutes.to_bytes(4, "big", signed=True)
    return b"\x4a" + millis.to_bytes(8, "big", signed=True)


def _write_null(writer: Writer, value: None) -> None:
    writer.out.append(0x4E)


def _write_bool(writer: Writer, value: bool) -> None:
    writer.out.append(0x54 if value else 0x46)


def _write_int(writer: Writer, value: int) -> None:
    if -0x80000000 <= value <= 0x7FFFFFFF:
        writer.out += encode_int(value)
    elif -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
        writer.out += encode_long(value)
    else:
        writer.write_bigint(value)


def _write_long(writer: Writer, value: int) -> None:
    if not -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
        raise ValueMappingError("expected a Long of 64 bits, found a larger one")
    writer.out += encode_long(value)


def _write_float(writer: Writer, value: float) -> None:
    writer.out += encode_double(value)


def _write_str(writer: Writer, value: str) -> None:
    writer.out += encode_text(value)


def _write_bytes(writer: Writer, value: bytes | bytearray) -> None:
    writer.out += encode_bytes(bytes(value))


def _write_datetime(writer: Writer, value: datetime) -> None:
    if value.tzinfo is None:
        writer.write_local_datetime(value)
    else:
        writer.write_instant(value)


def _write_java_date(writer: Writer, value: JavaDate) -> None:
    writer.out += encode_date(value)


def _write_list(writer: Writer, value: list[Any] | tuple[Any, ...]) -> None:
    _write_items(writer, value, None, value, len(value))


def _write_typed_list(writer: Writer, value: TypedList) -> None:
    _write_items(writer, value, value.type_name, value, len(value))


def _write_set(writer: Writer, value: set[Any] | frozenset[Any]) -> None:
    _write_items(writer, value, "java.util.HashSet", value, len(value))


def _write_items(writer: Writer, owner: Any, type_name: str | None, items: Iterable[Any], count: int) -> None:
    if not count and isinstance(owner, tuple | frozenset):
        writer.forms.append(None)  # Python has one empty tuple for all: its identity says nothing
    elif writer.refer(owner):
        return
    writer.enter()
    writer.begin_list(type_name, count)
    write = writer.write
    index = 0
    try:
        for item in items:
            write(item)
            index += 1
    except ValueMappingError as exc:
        raise exc.within(f"[{index}]") from None
    writer.depth += 1


def _write_dict(writer: Writer, value: dict[Any, Any]) -> None:
    _write_entries(writer, value, "", value.items())


def _write_typed_map(writer: Writer, value: TypedMap) -> None:
    _write_entries(writer, value, value.type_name, value.items())


def _write_pairs(writer: Writer, value: Pairs) -> None:
    _write_entries(writer, value, value.type_name, value)


def _write_entries(writer: Writer, owner: Any, type_name: str, entries: Iterable[tuple[Any, Any]]) -> None:
    if writer.refer(owner):
        return
    writer.enter()
    if type_name:
        writer.out.append(0x4D)
        writer.write_type(type_name)
    else:
        writer.out.append(0x48)
    write = writer.write
    index, part = 0, "key"
    try:
        for key, value in entries:
            part = "key"
            write(key)
            part = "value"
            write(value)
            index += 1
    except ValueMappingError as exc:
        raise exc.within(f"[{part} {index}]") from None
    writer.out.append(0x5A)
    writer.depth += 1


def _write_record(writer: Writer, value: Record) -> None:
    if value.type_name == _UUID and not writer.dialect.uuid_bits:
        writer.refer_to_early_only()
    if writer.refer(value):
        return
    writer.enter()
    layout = (value.type_name, *value)
    definition = writer.layouts.get(layout)
    if definition is None:
        definition = writer.layouts[layout] = definition_bytes(value.type_name, tuple(value))
    writer.begin_object(definition)
    write = writer.write
    name = ""
    try:
        for field, item in value.items():
            name = field
            write(item)
    except ValueMappingError as exc:
        raise exc.within(f".{name}") from None
    writer.depth += 1


_WRITERS: Final[Mapping[type, Callable[[Writer, Any], None]]] = {
    type(None): _write_null,
    bool: _write_bool,
    int: _write_int,
    Long: _write_long,
    BigInt: Writer.write_bigint,
    float: _write_float,
    str: _write_str,
    bytes: _write_bytes,
    bytearray: _write_bytes,
    Decimal: Writer.write_decimal,
    UUID: Writer.write_uuid,
    date: Writer.write_local_date,
    time: Writer.write_local_time,
    datetime: _write_datetime,
    JavaDate: _write_java_date,
    timedelta: Writer.write_duration,
    list: _write_list,
    tuple: _write_list,
    set: _write_set,
    frozenset: _write_set,
    dict: _write_dict,
    TypedList: _write_typed_list,
    TypedMap: _write_typed_map,
    Pairs: _write_pairs,
    Record: _write_record,
}
