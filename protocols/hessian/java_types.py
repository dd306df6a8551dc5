"""Java classes that have a Python value of their own: BigDecimal, BigInteger, UUID and the handles of java.time.

Each travels as an ordinary object of a few fields. Here is how these become the Python value and how the Python value
becomes them. All forms that are known are read; which ones are written says `protocols.hessian.dialect`.

Source: apache/dubbo-hessian-lite: hessian-lite/src/main/java/com/alibaba/com/caucho/hessian/io (`java8/*Handle.java`,
`UUIDDeserializer.java`, `BigDecimalDeserializer.java`); BigInteger by its Java serialized form (`signum`, `mag`);
apache/dubbo (2.7): dubbo-serialization/dubbo-serialization-native-hession/.../hessian/serializer/java8/.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from gateway.model.generic import BigInt, JavaDate
from protocols.hessian.numbers import encode_int
from protocols.hessian.text import encode_text

__all__ = [
    "BIG_DECIMAL",
    "BIG_INTEGER",
    "KNOWN_CLASSES",
    "Inexact",
    "big_integer",
    "class_names",
    "date_from_millis",
    "datetime_from_millis",
    "decimal_text",
    "definition_bytes",
    "magnitude_words",
    "millis_from_date",
    "parse_decimal",
    "split_duration",
    "split_instant",
    "split_uuid",
]

_PACKAGES: Final = ("com.alibaba.com.caucho.hessian.io.", "com.caucho.hessian.io.")
_TIME_HANDLES: Final = (
    *(f"{package}java8.{{}}Handle" for package in _PACKAGES),
    # What Dubbo 2.7 adds to Caucho's library for its hessian://.
    "org.apache.dubbo.serialize.hessian.serializer.java8.{}Handle",
    "java.time.{}",
)
_MICROS_PER_SECOND: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_JAVA_EPOCH: Final = JavaDate(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_DECIMAL_TEXT: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,10})?", re.ASCII)
_UUID_TEXT: Final = re.compile("[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
_USUAL_WORDS: Final = 512
"""Words of the largest BigInteger that becomes an int without a contract: to compare a larger one with a Decimal, as a
map of both would, takes quadratic time."""


class Inexact(ValueError):
    """The fields make a value of the Java class that Python cannot hold exactly, or no such value at all."""


def class_names(simple_name: str) -> tuple[str, ...]:
    """The full names of a class of `KNOWN_CLASSES`, in all packages it is read from: `Instant`, `UUID`."""
    return tuple(name for name in KNOWN_CLASSES if name.rpartition(".")[2].removesuffix("Handle") == simple_name)


def definition_bytes(name: str, fields: tuple[str, ...]) -> bytes:
    """A class definition as it stands in a stream."""
    return b"".join((b"C", encode_text(name), encode_int(len(fields)), *map(encode_text, fields)))


BIG_DECIMAL: Final = definition_bytes("java.math.BigDecimal", ("value",))
BIG_INTEGER: Final = definition_bytes("java.math.BigInteger", ("signum", "mag"))


def decimal_text(value: Decimal) -> str:
    """What `new BigDecimal(String)` reads back as the same value with the same scale.

    Raises:
        Inexact: NaN, an infinity, a negative zero, or a scale beyond 32 bits: BigDecimal has none of them.
    """
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise Inexact("BigDecimal has neither NaN nor infinities")
    if not value and value.is_signed():
        raise Inexact("BigDecimal has no negative zero")
    if not -0x7FFFFFFF <= exponent <= 0x7FFFFFFF:
        raise Inexact("the exponent does not fit BigDecimal's scale of 32 bits")
    return str(value)


def magnitude_words(value: int) -> list[int]:
    """BigInteger's `mag`: the magnitude as signed 32-bit words, most significant first, none for zero."""
    magnitude = abs(value)
    data = magnitude.to_bytes((magnitude.bit_length() + 31) // 32 * 4, "big")
    return [int.from_bytes(data[at : at + 4], "big", signed=True) for at in range(0, len(data), 4)]


def split_instant(value: datetime) -> tuple[int, int]:
    """Seconds since 1970 and the nanoseconds from there (0 to 999,999,999) of an aware datetime."""
    return _split(value - _EPOCH)


def split_duration(value: timedelta) -> tuple[int, int]:
    """Seconds and the nanoseconds from there (0 to 999,999,999)."""
    return _split(value)


def split_uuid(value: UUID) -> tuple[int, int]:
    """The most and the least significant 64 bits, signed."""
    high, low = struct.unpack(">qq", value.bytes)
    return high, low


def _split(value: timedelta) -> tuple[int, int]:
    return value.days * 86_400 + value.seconds, value.microseconds * 1_000


def date_from_millis(millis: int) -> JavaDate:
    """A `java.util.Date`. Raises `Inexact` beyond the years 1 to 9999."""
    try:
        return _JAVA_EPOCH + timedelta(milliseconds=millis)
    except OverflowError:
        raise Inexact("a date beyond the years 1 to 9999") from None


def datetime_from_millis(millis: int) -> datetime:
    """The same instant as a plain datetime. Raises `Inexact` beyond the years 1 to 9999."""
    try:
        return _EPOCH + timedelta(milliseconds=millis)
    except OverflowError:
        raise Inexact("a date beyond the years 1 to 9999") from None


def millis_from_date(value: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime, rounded down."""
    return (value - _EPOCH) // _MICROSECOND // 1_000


def _int(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Inexact(f"field {name} is no integer")


def _long(fields: Mapping[str, Any], name: str) -> int:
    value = _int(fields, name)
    if not -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
        raise Inexact(f"field {name} has more than 64 bits")
    return value


def _boxed(fields: Mapping[str, Any]) -> int | float:
    value = fields.get("_value")
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return value
    raise Inexact("field _value is no number")


def _micros(fields: Mapping[str, Any], name: str) -> int:
    nanos = _int(fields, name)
    if nanos % 1_000:
        raise Inexact("a time finer than microseconds")
    return nanos // 1_000


def _big_decimal(fields: Mapping[str, Any]) -> Decimal:
    if "value" in fields:
        return parse_decimal(fields["value"])
    # Caucho's library up to 4.0.51 writes the fields as they are, and a BigDecimal of up to 18 digits keeps its value
    # in another one, which is not written.
    unscaled = fields.get("intVal")
    if not isinstance(unscaled, int) or isinstance(unscaled, bool):
        raise Inexact("a BigDecimal whose value was lost when it was written (Caucho's Hessian up to 4.0.51)")
    sign, digits, _ = Decimal(unscaled).as_tuple()
    return Decimal((sign, digits, -_int(fields, "scale")))


def parse_decimal(text: object) -> Decimal:
    """The value of BigDecimal's text. Raises ValueError or ArithmeticError for anything else."""
    if not isinstance(text, str) or not _DECIMAL_TEXT.fullmatch(text):
        raise Inexact("field value is no decimal number")
    value = Decimal(text)
    return value if value else value.copy_abs()  # Java reads "-0" as 0


def _usual_integer(fields: Mapping[str, Any]) -> int:
    words = fields.get("mag")
    if isinstance(words, list) and len(words) > _USUAL_WORDS:
        raise Inexact(f"an integer of more than {_USUAL_WORDS * 32} bits")
    return big_integer(fields)


def big_integer(fields: Mapping[str, Any]) -> int:
    """The value of BigInteger's fields, however large. Raises `Inexact` when they make none."""
    signum, words = _int(fields, "signum"), fields.get("mag")
    if not isinstance(words, list) or not -1 <= signum <= 1 or (signum == 0) != (not words):
        raise Inexact("signum and mag do not make a number")
    data = bytearray()
    # dubbo-go writes words without a sign.
    for word in words:
        if not isinstance(word, int) or isinstance(word, bool) or not -0x80000000 <= word <= 0xFFFFFFFF:
            raise Inexact("mag has other things than ints")
        data += (word & 0xFFFFFFFF).to_bytes(4, "big")
    value = signum * int.from_bytes(data, "big")
    return BigInt(value) if -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF else value


def _uuid(fields: Mapping[str, Any]) -> UUID:
    if "value" not in fields:
        return UUID(bytes=struct.pack(">qq", _long(fields, "mostSigBits"), _long(fields, "leastSigBits")))
    text = fields.get("value")
    if not isinstance(text, str) or not _UUID_TEXT.fullmatch(text):
        raise Inexact("field value is no UUID")
    return UUID(text)


def _local_date(fields: Mapping[str, Any]) -> date:
    return date(_int(fields, "year"), _int(fields, "month"), _int(fields, "day"))


def _local_time(fields: Mapping[str, Any]) -> time:
    return time(_int(fields, "hour"), _int(fields, "minute"), _int(fields, "second"), _micros(fields, "nano"))


def _local_date_time(fields: Mapping[str, Any]) -> datetime:
    day, clock = fields.get("date"), fields.get("time")
    if type(day) is not date or type(clock) is not time:
        raise Inexact("date and time do not make a date with time")
    return datetime.combine(day, clock)


def _instant(fields: Mapping[str, Any]) -> datetime:
    return _EPOCH + _duration(fields)


def _duration(fields: Mapping[str, Any]) -> timedelta:
    # Whole days apart: timedelta takes the rest exactly, and refuses what is too large with OverflowError.
    days, seconds = divmod(_int(fields, "seconds"), 86_400)
    return timedelta(days=days, seconds=seconds, microseconds=_micros(fields, "nanos"))


def _known() -> dict[str, Callable[[Mapping[str, Any]], Any]]:
    known: dict[str, Callable[[Mapping[str, Any]], Any]] = {
        "java.math.BigDecimal": _big_decimal,
        "java.math.BigInteger": _usual_integer,
        "java.util.UUID": _uuid,
    }
    for package in _PACKAGES:
        known |= {f"{package}{name}Handle": _boxed for name in ("Byte", "Short", "Float")}
    for form in _TIME_HANDLES:
        known[form.format("LocalDate")] = _local_date
        known[form.format("LocalTime")] = _local_time
        known[form.format("LocalDateTime")] = _local_date_time
        known[form.format("Instant")] = _instant
        known[form.format("Duration")] = _duration
    return known


KNOWN_CLASSES: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = _known()
"""Java class to what makes the Python value of its fields by name.

A BigInteger of more than 16384 bits is refused here; `big_integer` takes any. The functions raise ValueError (`Inexact`
is one) or ArithmeticError (OverflowError is one) when the fields make no value that Python holds.
"""
