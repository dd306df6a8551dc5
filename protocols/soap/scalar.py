"""Scalars as XML Schema writes them: exact in both directions. The table stands in `protocols.soap.mapping`.

All functions raise `ValueMappingError`. What is read must be in the lexical space of its type, and is refused as well
where its value would change: numbers beyond what the type holds, an instant without a zone, fractions finer than a
microsecond. White space around it is not part of it, except for text.

Source: XML Schema Part 2: Datatypes (Second Edition), section 3.
"""

from __future__ import annotations

import binascii
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from gateway.jsonform import scalar_text
from gateway.model.errors import ValueMappingError
from gateway.model.scalar import INTEGER_RANGES, round_to_single
from gateway.model.typeref import Kind
from protocols.soap.text import BLANKS, escape

__all__ = ["BUILT_IN", "FORMATS", "PARSERS", "UUID_PATTERN", "ZONELESS_PATTERN", "parse_decimal", "plain_digits"]

UUID_PATTERN: Final = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
ZONELESS_PATTERN: Final = "[^Z+]*T[^Z+\\-]*"
"""Of an `xs:dateTime` without a zone, as a pattern of XML Schema."""

BUILT_IN: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.BOOL: "boolean",
        Kind.I8: "byte",
        Kind.I16: "short",
        Kind.I32: "int",
        Kind.I64: "long",
        Kind.F32: "float",
        Kind.F64: "double",
        Kind.BIGINT: "integer",
        Kind.DECIMAL: "decimal",
        Kind.CHAR: "unsignedShort",
        Kind.STRING: "string",
        Kind.BYTES: "base64Binary",
        Kind.DATE: "date",
        Kind.TIME: "time",
        Kind.DATETIME: "dateTime",
        Kind.DURATION: "duration",
    }
)
"""The type of XML Schema that a type of the model is."""

_BOOLS: Final = {"true": True, "1": True, "false": False, "0": False}
_FLOAT: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
_SPECIAL: Final = {"INF": math.inf, "-INF": -math.inf, "NaN": math.nan}
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_ZONE: Final = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_ZONED_DATE: Final = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}){_ZONE}")
_MOMENT: Final = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?:\.[0-9]+)?{_ZONE}?")
_CLOCK: Final = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?")
# Years and months have no fixed length; java.xml's Duration writes them as zero.
_DURATION: Final = re.compile(
    r"(-)?P(?:0+Y)?(?:0+M)?(?=[0-9T]|$)(?:([0-9]{1,12})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,14})H)?(?:([0-9]{1,16})M)?(?:([0-9]{1,18})(?:\.([0-9]+))?S)?)?"
)
_LAST_DIGITS: Final = (*(f"{each}==" for each in "AQgw"), *(f"{each}=" for each in "AEIMQUYcgkosw048"))
"""How base64 ends that stands for whole bytes: what is left of its last digit is zero (section 3.2.16)."""
_SHORT: Final = 10
_SHOWN: Final = 60


def _no(expected: str, text: str) -> ValueMappingError:
    shown = repr(text) if len(text) <= _SHOWN else f"a text of {len(text)} characters"
    return ValueMappingError(f"expected {expected}, found {shown}")


def _parse_bool(text: str) -> bool:
    found = _BOOLS.get(text.strip(BLANKS))
    if found is None:
        raise _no("true or false", text)
    return found


def _integer_parser(kind: Kind) -> Callable[[str], int]:
    low, high = INTEGER_RANGES[kind]

    def parse(text: str) -> int:
        # Nearly all of them.
        short = len(text) < _SHORT and text.isascii() and text.isdigit()
        number = int(text) if short else scalar_text.parse_integer(text.strip(BLANKS))
        if low <= number <= high:
            return number
        raise ValueMappingError(f"the number does not fit {kind.value}, which goes from {low} to {high}")

    return parse


def _parse_f64(text: str) -> float:
    text = text.strip(BLANKS)
    if _FLOAT.fullmatch(text) is not None and len(text) <= scalar_text.MAX_DIGITS:
        number = float(text)
        if number in (math.inf, -math.inf):
            raise ValueMappingError("the number is beyond the largest f64")
        return number
    special = _SPECIAL.get(text)
    if special is None:
        raise _no("a number, INF, -INF or NaN", text)
    return special


def _parse_f32(text: str) -> float:
    return round_to_single(_parse_f64(text))


def parse_decimal(text: str) -> Decimal:
    """Keeps the digits as written; there is no exponent."""
    text = text.strip(BLANKS)
    if _DECIMAL.fullmatch(text) is None:
        raise _no("a decimal number without an exponent", text)
    return scalar_text.parse_decimal(text)


def _parse_char(text: str) -> str:
    number = scalar_text.parse_integer(text.strip(BLANKS))
    if 0 <= number <= 0xFFFF:
        return chr(number)
    raise ValueMappingError("expected the number of a UTF-16 unit, 0 to 65535")


def _parse_bytes(text: str) -> bytes:
    try:
        compact = text if text.isascii() and not any(each in text for each in BLANKS) else "".join(text.split())
        if compact.endswith("=") and not compact.endswith(_LAST_DIGITS):
            raise binascii.Error
        return binascii.a2b_base64(compact.encode("ascii"), strict_mode=True) if compact else b""
    except (UnicodeEncodeError, binascii.Error):
        raise _no("base64", text) from None


def _parse_date(text: str) -> Any:
    text = text.strip(BLANKS)
    # Java's XMLGregorianCalendar and .NET often write a zone; the day is the one that stands there.
    zoned = _ZONED_DATE.fullmatch(text)
    return scalar_text.parse_date(text if zoned is None else zoned[1])


def _parse_time(text: str) -> Any:
    text = text.strip(BLANKS)
    if _CLOCK.fullmatch(text) is None:
        raise _no("a time of day without a zone like 09:26:53.5", text)
    return scalar_text.parse_time(text)


def _moment_parser(parse_moment: Callable[[str], datetime]) -> Callable[[str], datetime]:
    def parse(text: str) -> datetime:
        text = text.strip(BLANKS)
        if _MOMENT.fullmatch(text) is None:
            raise _no("date and time like 2026-08-14T09:26:53Z", text)
        return parse_moment(text)

    return parse


def _parse_duration(text: str) -> timedelta:
    text = text.strip(BLANKS)
    found = _DURATION.fullmatch(text) if len(text) <= _SHOWN * 2 else None
    if found is None or text.endswith("P"):
        raise _no("a duration like PT1.5S, without years and months", text)
    sign, days, hours, minutes, seconds, fraction = found.groups()
    fraction = (fraction or "").rstrip("0")
    if len(fraction) > 6:
        raise ValueMappingError(f"{text} is finer than a microsecond")
    total = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    whole, rest = divmod(total, 86_400)
    try:
        # Of the sign, not of the whole: the least timedelta has no positive counterpart.
        factor = -1 if sign else 1
        return timedelta(
            days=factor * (int(days or 0) + whole),
            seconds=factor * rest,
            microseconds=factor * int(fraction.ljust(6, "0")),
        )
    except OverflowError:
        raise ValueMappingError(f"{text} is longer than {timedelta.max.days} days") from None


def _parse_text(text: str) -> str:
    return text


def _parse_uuid(text: str) -> UUID:
    return scalar_text.parse_uuid(text.strip(BLANKS))


PARSERS: Final[Mapping[Kind, Callable[[str], Any]]] = MappingProxyType(
    {
        Kind.BOOL: _parse_bool,
        **{kind: _integer_parser(kind) for kind in INTEGER_RANGES},
        Kind.F32: _parse_f32,
        Kind.F64: _parse_f64,
        Kind.BIGINT: lambda text: scalar_text.parse_integer(text.strip(BLANKS)),
        Kind.DECIMAL: parse_decimal,
        Kind.CHAR: _parse_char,
        Kind.STRING: _parse_text,
        Kind.BYTES: _parse_bytes,
        Kind.DATE: _parse_date,
        Kind.TIME: _parse_time,
        Kind.DATETIME: _moment_parser(scalar_text.parse_datetime),
        Kind.LOCAL_DATETIME: _moment_parser(scalar_text.parse_local_datetime),
        Kind.DURATION: _parse_duration,
        Kind.UUID: _parse_uuid,
    }
)
"""From the text of an element to the value."""


def _format_float(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "INF" if value > 0 else "-INF"


def plain_digits(value: Decimal) -> str:
    """A decimal without an exponent. One with a positive exponent has another one then: the caller says it besides."""
    if abs(value.adjusted()) > scalar_text.MAX_DIGITS:
        raise ValueMappingError(f"a decimal of more than {scalar_text.MAX_DIGITS} digits")
    text = format(value, "f")
    if len(text) > scalar_text.MAX_DIGITS:
        raise ValueMappingError(f"a decimal of {len(text)} characters; at most {scalar_text.MAX_DIGITS} are written")
    return text


FORMATS: Final[Mapping[Kind, Callable[[Any], str]]] = MappingProxyType(
    {
        Kind.BOOL: lambda value: "true" if value else "false",
        **dict.fromkeys(INTEGER_RANGES, str),
        Kind.F32: _format_float,
        Kind.F64: _format_float,
        Kind.BIGINT: scalar_text.format_integer,
        Kind.DECIMAL: plain_digits,
        Kind.CHAR: lambda value: str(ord(value)),
        Kind.STRING: escape,
        Kind.BYTES: scalar_text.format_bytes,
        Kind.DATE: str,
        Kind.TIME: scalar_text.format_time,
        Kind.DATETIME: scalar_text.format_datetime,
        Kind.LOCAL_DATETIME: scalar_text.format_local_datetime,
        Kind.DURATION: scalar_text.format_duration,
        Kind.UUID: str,
    }
)
"""From a checked value to the content of its element, escaped."""
