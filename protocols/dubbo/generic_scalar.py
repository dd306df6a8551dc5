"""Single values of generic calls: what Java's PojoUtils converts, as far as nothing is lost.

| contract type | taken from a caller | sent in a reply |
| --- | --- | --- |
| bool | boolean; 0 and 1; "true", "false" in any case | boolean |
| i8 … i64, bigint | whole numbers of any kind in range; decimal text | Integer; Long for i64; BigInteger |
| f32, f64 | numbers a double (or single) holds; text of a number, "NaN", "Infinity", "-Infinity" | Double |
| decimal | finite numbers; decimal text | BigDecimal |
| char | text of one UTF-16 unit | String |
| string, bytes | text; binary, or a list of integers -128 to 127 | String, byte[] |
| date, time, local_datetime | itself; ISO text of LocalDate, LocalTime, LocalDateTime | the same text |
| datetime | Instant, Date; milliseconds, as a Long; text with a zone | Instant; Date where declared |
| duration, uuid | itself; for uuid its text | Duration, UUID |

PojoUtils makes a map of an Instant, Duration or UUID; those maps are taken too. Where Java would cut (double to int,
long to int) or guess (text that is no number is 0 or false, a date without a zone) the value is refused instead.

Source: apache/dubbo: dubbo-common/src/main/java/org/apache/dubbo/common/utils/{PojoUtils,CompatibleTypeUtils}.java; the
text forms are those of `toString` and `parse` of java.time and of java.lang.Double.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from gateway.model.errors import ValueMappingError
from gateway.model.generic import BigInt, JavaDate, Long, Pairs, Record, TypedList, TypedMap
from gateway.model.typeref import Kind, TypeRef
from protocols.hessian.errors import shorten

__all__ = ["CLASS", "describe", "from_scalar", "is_scalar", "mismatch", "to_scalar"]

CLASS: Final = "class"
"""The key under which a map says which class it stands for."""

_RANGES: Final[Mapping[Kind, tuple[int, int]]] = {
    Kind.I8: (-(2**7), 2**7 - 1),
    Kind.I16: (-(2**15), 2**15 - 1),
    Kind.I32: (-(2**31), 2**31 - 1),
    Kind.I64: (-(2**63), 2**63 - 1),
}
_MAX_DIGITS: Final = 4_300
"""Digits of a number made from text or from a decimal with a large exponent; more take quadratic time."""
_SINGLE: Final = struct.Struct(">f")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

_INTEGER: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,10})?", re.ASCII)
_SPECIAL: Final = {"NaN": math.nan, "Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME: Final = re.compile(r"([0-9]{2}:[0-9]{2})(:[0-9]{2})?(?:\.([0-9]{1,9}))?", re.ASCII)
_ZONE: Final = re.compile(r"(.*)(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


class _Refused(Exception):
    """The value does not become the declared type."""


def is_scalar(ref: TypeRef) -> bool:
    """Whether this module converts values of the type."""
    return ref.kind in _TO


def to_scalar(value: Any, ref: TypeRef) -> Any:
    """The contract value for what a generic caller sent; not for None.

    Raises:
        ValueMappingError: it does not fit the type.
    """
    try:
        return _TO[ref.kind](value, ref)
    except (_Refused, ValueError, ArithmeticError):
        raise mismatch(ref, value) from None


def from_scalar(value: Any, ref: TypeRef) -> Any:
    """The generic form of a contract value; not for None.

    Raises:
        ValueMappingError: it is no value of the type.
    """
    classes, convert = _FROM[ref.kind]
    if not isinstance(value, classes) or (isinstance(value, bool) and ref.kind is not Kind.BOOL):
        raise mismatch(ref, value)
    try:
        return value if convert is None else convert(value, ref)
    except (_Refused, ArithmeticError):
        raise mismatch(ref, value) from None


def mismatch(expected: object, value: Any) -> ValueMappingError:
    """The error for a value of a wrong type; says what it is, not what it holds."""
    return ValueMappingError(f"expected {expected}, found {describe(value)}")


def describe(value: Any) -> str:
    """What a generic value is, for a message."""
    if isinstance(value, Record | TypedList | TypedMap):
        return shorten(value.type_name)
    if isinstance(value, dict) and isinstance(name := value.get(CLASS), str):
        return f"map of class {shorten(name)}"
    for kind, name in _NAMES:
        if isinstance(value, kind):
            return name
    return shorten(type(value).__name__)


def _to_bool(value: Any, _: TypeRef) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return value == 1
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise _Refused


def _to_integer(value: Any, ref: TypeRef) -> int:
    number = _whole(value)
    low, high = _RANGES.get(ref.kind, (number, number))
    if not low <= number <= high:
        raise ValueMappingError(f"expected {ref}, found an integer beyond its range")
    return number


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < _MAX_DIGITS and value == int(value):
        return int(value)
    if isinstance(value, str) and len(value) <= _MAX_DIGITS and _INTEGER.fullmatch(value):
        return int(value)
    raise _Refused


def _to_float(value: Any, ref: TypeRef) -> float:
    if isinstance(value, float):
        return value if ref.kind is Kind.F64 else _single(value)
    if isinstance(value, int) and not isinstance(value, bool):
        number = float(value)  # OverflowError is an ArithmeticError
        exact = number == value
    elif isinstance(value, Decimal):
        number = float(value)
        exact = math.isfinite(number) and Decimal(repr(number)) == value
    elif isinstance(value, str) and value in _SPECIAL:
        return _SPECIAL[value]
    elif isinstance(value, str) and _NUMBER.fullmatch(value):
        number = float(value)
        exact = math.isfinite(number)
    else:
        raise _Refused
    if not exact or (ref.kind is Kind.F32 and isinstance(value, int) and _single(number) != value):
        raise ValueMappingError(f"expected {ref}, found a number that it does not hold")
    return number if ref.kind is Kind.F64 else _single(number)


def _single(value: float) -> float:
    (nearest,) = _SINGLE.unpack(_SINGLE.pack(value))  # OverflowError is an ArithmeticError
    return float(nearest)


def _to_decimal(value: Any, _: TypeRef) -> Decimal:
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, float) and math.isfinite(value):
        value = Decimal(repr(value))
    elif isinstance(value, str) and _NUMBER.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, Decimal) and value.is_finite():
        return value or value.copy_abs()  # BigDecimal has no negative zero
    raise _Refused


def _to_char(value: Any, _: TypeRef) -> str:
    if isinstance(value, str) and len(value) == 1 and value <= "\uffff":
        return value
    raise _Refused


def _to_string(value: Any, _: TypeRef) -> str:
    if isinstance(value, str):
        return value
    raise _Refused


def _to_bytes(value: Any, _: TypeRef) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, list) and all(type(each) is int and -128 <= each <= 127 for each in value):
        return bytes(each & 0xFF for each in value)
    raise _Refused


def _to_date(value: Any, _: TypeRef) -> date:
    if type(value) is date:
        return value
    if isinstance(value, str) and _DATE.fullmatch(value):
        return date.fromisoformat(value)
    raise _Refused


def _to_time(value: Any, _: TypeRef) -> time:
    if isinstance(value, time):
        return value
    if isinstance(value, str):
        # LocalTime is read from the text of a LocalDateTime too.
        day, glue, clock = value.rpartition("T")
        if not glue or _DATE.fullmatch(day):
            return _parse_time(clock)
    raise _Refused


def _parse_time(text: str) -> time:
    match = _TIME.fullmatch(text)
    if match is None or (match[3] and not match[2]):
        raise _Refused
    nanos = int((match[3] or "").ljust(9, "0"))
    if nanos % 1000:
        raise ValueMappingError("expected a time of whole microseconds, found nanoseconds")
    return time.fromisoformat(match[1] + (match[2] or "")).replace(microsecond=nanos // 1000)


def _to_local_datetime(value: Any, _: TypeRef) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value
    if isinstance(value, str):
        day, _glue, clock = value.partition("T")
        if _DATE.fullmatch(day):
            return datetime.combine(date.fromisoformat(day), _parse_time(clock))
    raise _Refused


def _to_datetime(value: Any, ref: TypeRef) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return datetime.combine(value.date(), value.time(), value.tzinfo).astimezone(UTC)
    if isinstance(value, int) and not isinstance(value, bool) and ref.hint("java") == "java.util.Date":
        return _EPOCH + value * _MILLISECOND
    if isinstance(value, str):
        match = _ZONE.fullmatch(value)
        if match is None:
            raise ValueMappingError(f"expected {ref}, found text without a zone")
        zone = datetime.fromisoformat(f"2000-01-01T00:00{match[2]}").tzinfo
        return _to_local_datetime(match[1], ref).replace(tzinfo=zone).astimezone(UTC)
    fields = _fields(value, "java.time.Instant")
    return _EPOCH + _seconds(fields.get("epochSecond"), fields.get("nano"))


def _to_duration(value: Any, _: TypeRef) -> timedelta:
    if isinstance(value, timedelta):
        return value
    fields = _fields(value, "java.time.Duration")
    return _seconds(fields.get("seconds"), fields.get("nano"))


def _to_uuid(value: Any, _: TypeRef) -> UUID:
    if isinstance(value, UUID):
        return value
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    fields = _fields(value, "java.util.UUID")
    halves = (fields.get("mostSignificantBits"), fields.get("leastSignificantBits"))
    most, least = (_in_range(each, Kind.I64) & 0xFFFFFFFFFFFFFFFF for each in halves)
    return UUID(int=most << 64 | least)


def _fields(value: Any, class_name: str) -> dict[Any, Any]:
    """What PojoUtils makes of a class that is no bean to Python: a map of its getters."""
    if isinstance(value, dict) and value.get(CLASS) == class_name:
        return value
    raise _Refused


def _in_range(value: Any, kind: Kind) -> int:
    low, high = _RANGES[kind]
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return int(value)
    raise _Refused


def _seconds(seconds: Any, nanos: Any) -> timedelta:
    fraction = _in_range(nanos, Kind.I32)
    if fraction % 1000:
        raise ValueMappingError("expected a time of whole microseconds, found nanoseconds")
    days, rest = divmod(_in_range(seconds, Kind.I64), 86_400)
    return timedelta(days=days, seconds=rest, microseconds=fraction // 1000)


_TO: Final[Mapping[Kind, Callable[[Any, TypeRef], Any]]] = {
    Kind.BOOL: _to_bool,
    Kind.I8: _to_integer,
    Kind.I16: _to_integer,
    Kind.I32: _to_integer,
    Kind.I64: _to_integer,
    Kind.BIGINT: _to_integer,
    Kind.F32: _to_float,
    Kind.F64: _to_float,
    Kind.DECIMAL: _to_decimal,
    Kind.CHAR: _to_char,
    Kind.STRING: _to_string,
    Kind.BYTES: _to_bytes,
    Kind.DATE: _to_date,
    Kind.TIME: _to_time,
    Kind.DATETIME: _to_datetime,
    Kind.LOCAL_DATETIME: _to_local_datetime,
    Kind.DURATION: _to_duration,
    Kind.UUID: _to_uuid,
}


def _from_f32(value: float, _: TypeRef) -> float:
    # Java sends a Float as the double of its shortest text: 1.1f is 1.1, not 1.10000002384185791015625.
    nearest = _single(value) if math.isfinite(value) else value
    for digits in range(6, 10):
        short = float(f"{nearest:.{digits}g}")
        if not math.isfinite(short) or _single(short) == nearest:
            return short
    return nearest


def _from_time(value: time, _: TypeRef) -> str:
    return _java_time(value)


def _from_local_datetime(value: datetime, ref: TypeRef) -> str:
    if value.tzinfo is not None:
        raise ValueMappingError(f"expected {ref}, found a datetime with a zone")
    return f"{value.date().isoformat()}T{_java_time(value.time())}"


def _java_time(value: time) -> str:
    """As `LocalTime.toString`: seconds only when there are any, then 3 or 6 digits of their fraction."""
    if value.tzinfo is not None:
        raise ValueMappingError("expected a time without a zone, found one with a zone")
    if value.microsecond:
        return value.isoformat("milliseconds" if value.microsecond % 1000 == 0 else "microseconds")
    return value.isoformat("seconds" if value.second else "minutes")


def _from_datetime(value: datetime, ref: TypeRef) -> datetime:
    if value.tzinfo is None:
        raise ValueMappingError(f"expected {ref}, found a datetime without a zone")
    if ref.hint("java") != "java.util.Date":
        return value
    utc = value.astimezone(UTC)
    if utc.microsecond % 1000:
        raise ValueMappingError("java.util.Date holds nothing finer than milliseconds")
    return JavaDate.combine(utc.date(), utc.time(), UTC)


def _from_date(value: date, ref: TypeRef) -> str:
    if isinstance(value, datetime):
        raise mismatch(ref, value)
    return value.isoformat()


_FROM: Final[Mapping[Kind, tuple[type | tuple[type, ...], Callable[[Any, TypeRef], Any] | None]]] = {
    Kind.BOOL: (bool, None),
    Kind.I8: (int, _to_integer),
    Kind.I16: (int, _to_integer),
    Kind.I32: (int, _to_integer),
    Kind.I64: (int, lambda value, ref: Long(_to_integer(value, ref))),
    Kind.BIGINT: (int, lambda value, _: BigInt(value)),
    Kind.F32: ((float, int), _from_f32),
    Kind.F64: ((float, int), lambda value, _: float(value)),
    Kind.DECIMAL: (Decimal, None),
    Kind.CHAR: (str, _to_char),
    Kind.STRING: (str, None),
    Kind.BYTES: ((bytes, bytearray), None),
    Kind.DATE: (date, _from_date),
    Kind.TIME: (time, _from_time),
    Kind.DATETIME: (datetime, _from_datetime),
    Kind.LOCAL_DATETIME: (datetime, _from_local_datetime),
    Kind.DURATION: (timedelta, None),
    Kind.UUID: (UUID, None),
}

# Subclasses come before their bases.
_NAMES: Final[tuple[tuple[type, str], ...]] = (
    (type(None), "null"),
    (bool, "boolean"),
    (Long, "long"),
    (BigInt, "BigInteger"),
    (int, "int"),
    (float, "double"),
    (str, "string"),
    (bytes, "binary"),
    (Decimal, "BigDecimal"),
    (JavaDate, "java.util.Date"),
    (datetime, "date and time"),
    (Pairs, "map"),
    (list, "list"),
    (dict, "map"),
)
