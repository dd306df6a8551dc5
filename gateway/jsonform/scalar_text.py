"""Scalars as text: exact in both directions, strict where text could mean two things.

| type | text |
| --- | --- |
| integers | `-12`, `+12`, digits only, at most 10,000 characters |
| decimal | `19.90`, `1E+10`, at most 10,000 characters; never NaN or infinity |
| bytes | base64 with padding (RFC 4648 §4) |
| date, time | `2026-08-14`, `09:26:53.589793`; seconds and fraction may be missing |
| datetime | RFC 3339: `2026-08-14T09:26:53.589793Z`, any offset; written in UTC |
| local_datetime | the same without a zone |
| duration | ISO 8601 without years and months: `P1DT2H3.5S`, `-PT1.5S`; read also `1.5s`, `1h30m`, `250ms` |
| uuid | 8-4-4-4-12 hexadecimal digits |

Times and durations have at most 100 characters. Fractions finer than a microsecond are refused, not rounded. All
functions raise `ValueMappingError`.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

from gateway.model.errors import ValueMappingError

__all__ = [
    "MAX_DIGITS",
    "format_bytes",
    "format_datetime",
    "format_decimal",
    "format_duration",
    "format_integer",
    "format_local_datetime",
    "format_time",
    "parse_bytes",
    "parse_date",
    "parse_datetime",
    "parse_decimal",
    "parse_duration",
    "parse_integer",
    "parse_local_datetime",
    "parse_time",
    "parse_uuid",
]

MAX_DIGITS: Final = 10_000
"""Longest number read or written, in characters: its cost grows with the square of its length (10,000: 3 ms)."""

_MAX_TIME: Final = 100
"""Longest time or duration read, in characters: a number's cost grows with the square of its length, and a refusal
shows the text."""

# Every integer of so many bits has at most MAX_DIGITS digits with its sign: (MAX_DIGITS - 1) * log2(10), rounded down.
_MAX_BITS: Final = 33_215
_SMALL: Final = 1 << 2048
# Python lets nobody set its own limit for int() below this.
_INT_DIGITS: Final = 640

_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
_DATE: Final = r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
_TIME: Final = r"(?P<minute>[0-9]{2}:[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]+))?)?"
_ZONE: Final = r"(?P<zone>[zZ]|[+-][0-9]{2}:[0-9]{2})"
_ONLY_DATE: Final = re.compile(_DATE)
_ONLY_TIME: Final = re.compile(_TIME)
_DATETIME: Final = re.compile(f"{_DATE}[tT ]{_TIME}{_ZONE}?")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_NUMBER: Final = r"[+-]?[0-9]+(?:[.,][0-9]+)?"
_ISO_DURATION: Final = re.compile(
    rf"(?P<sign>[+-])?P(?:(?P<w>{_NUMBER})W)?(?:(?P<d>{_NUMBER})D)?"
    rf"(?:T(?=.)(?:(?P<h>{_NUMBER})H)?(?:(?P<m>{_NUMBER})M)?(?:(?P<s>{_NUMBER})S)?)?",
    re.IGNORECASE,
)
_SHORT_DURATION: Final = re.compile(r"(?P<sign>[+-])?(?P<parts>(?:[0-9]+(?:\.[0-9]+)?(?:us|ms|s|m|h|d|w))+)")
_SHORT_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(us|ms|s|m|h|d|w)")
_MICROSECONDS: Final = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
_MICROSECOND: Final = timedelta(microseconds=1)


def parse_integer(text: str) -> int:
    """Up to `MAX_DIGITS` digits."""
    if not _INTEGER.fullmatch(text):
        raise _no("an integer", text)
    if len(text) < _INT_DIGITS:
        return int(text)
    if len(text) > MAX_DIGITS:
        raise _too_long(len(text))
    # int() refuses more than 4300 digits, Decimal does not.
    return int(Decimal(text))


def format_integer(value: int) -> str:
    """Up to `MAX_DIGITS` digits."""
    if -_SMALL < value < _SMALL:
        return str(value)
    if value.bit_length() > _MAX_BITS:
        raise ValueMappingError(f"an integer of {value.bit_length()} bits; at most {MAX_DIGITS} digits are written")
    # str() refuses more than 4300 digits, Decimal does not.
    return format(Decimal(value), "f")


def parse_decimal(text: str) -> Decimal:
    """Keeps digits and exponent as written."""
    if not _DECIMAL.fullmatch(text):
        raise _no("a decimal number", text)
    if len(text) > MAX_DIGITS:
        raise _too_long(len(text))
    try:
        return Decimal(text)
    except InvalidOperation:
        raise _no("a decimal number", text) from None


def format_decimal(value: Decimal) -> str:
    """With exponent where the value has one."""
    text = str(value)
    if len(text) > MAX_DIGITS:
        raise _too_long(len(text))
    return text


def parse_bytes(text: str) -> bytes:
    """Standard alphabet, padding required, nothing else in between."""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise _no("base64", text) from None


def format_bytes(value: bytes) -> str:
    """Standard alphabet, with padding."""
    return base64.b64encode(value).decode("ascii")


def parse_date(text: str) -> date:
    """`2026-08-14`."""
    if not _ONLY_DATE.fullmatch(text):
        raise _no("a date like 2026-08-14", text)
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise ValueMappingError(f"{text} is no date: {exc}") from None


def parse_time(text: str) -> time:
    """`09:26`, `09:26:53`, `09:26:53.589793`."""
    found = _full_match(_ONLY_TIME, text)
    if found is None:
        raise _no("a time of day without a zone like 09:26:53.5", text)
    try:
        return _time(found)
    except ValueError as exc:
        raise ValueMappingError(f"{text} is no time of day: {exc}") from None


def format_time(value: time) -> str:
    """With seconds always, with a fraction where there is one."""
    return value.isoformat()


def parse_datetime(text: str) -> datetime:
    """An instant; the offset it was written in is not part of the value."""
    found = _full_match(_DATETIME, text)
    if found is None:
        raise _no("an instant like 2026-08-14T09:26:53Z", text)
    zone = found["zone"]
    if zone is None:
        raise ValueMappingError(f"{text} has no zone; end it with Z or an offset like +02:00")
    hours, minutes = (0, 0) if zone in "zZ" else (int(zone[1:3]), int(zone[4:6]))
    if hours > 23 or minutes > 59:
        raise ValueMappingError(f"{text}: {zone} is no offset")
    offset = timedelta(hours=hours, minutes=minutes)
    try:
        naive = datetime.combine(date.fromisoformat(found["date"]), _time(found))
        return (naive + (offset if zone[0] == "-" else -offset)).replace(tzinfo=UTC)
    except (ValueError, OverflowError) as exc:
        raise ValueMappingError(f"{text} is no instant: {exc}") from None


def format_datetime(value: datetime) -> str:
    """In UTC, ending in Z; with no, three or six digits of a fraction, as java.time prints it.

    Three where they suffice, because Jackson before 2.9 takes all digits of a java.util.Date for milliseconds.
    """
    in_utc = value.astimezone(UTC).replace(tzinfo=None)
    fraction = in_utc.microsecond
    return f"{in_utc.isoformat(timespec='milliseconds' if fraction and fraction % 1000 == 0 else 'auto')}Z"


def parse_local_datetime(text: str) -> datetime:
    """Date and time of day without a zone."""
    found = _full_match(_DATETIME, text)
    if found is None:
        raise _no("date and time like 2026-08-14T09:26:53", text)
    if found["zone"] is not None:
        raise ValueMappingError(f"{text} has a zone, which a local datetime has not")
    try:
        return datetime.combine(date.fromisoformat(found["date"]), _time(found))
    except ValueError as exc:
        raise ValueMappingError(f"{text} is no date and time: {exc}") from None


def format_local_datetime(value: datetime) -> str:
    """Without a zone."""
    return value.isoformat()


def parse_duration(text: str) -> timedelta:
    """ISO 8601 (each part may have a sign and a fraction, as java.time.Duration writes them), or units."""
    total = Decimal(0)
    if found := _full_match(_ISO_DURATION, text):
        parts = [(found[unit], unit) for unit in ("w", "d", "h", "m", "s") if found[unit] is not None]
    elif found := _full_match(_SHORT_DURATION, text):
        parts = [(number, unit) for number, unit in _SHORT_PART.findall(found["parts"])]
    else:
        parts = []
    if found is None or not parts:
        advice = "; years and months have no fixed length" if re.match(r"[+-]?P[^T]*[0-9][YM]", text) else ""
        raise _no("a duration like PT1.5S or 1.5s", text, advice)
    for number, unit in parts:
        total += Decimal(number.replace(",", ".")) * _MICROSECONDS[unit]
    if found["sign"] == "-":
        total = -total
    if total != total.to_integral_value():
        raise ValueMappingError(f"{text} is finer than a microsecond")
    try:
        # In days and microseconds: timedelta(microseconds=…) alone goes through floats beyond 2^53.
        days, microseconds = divmod(int(total), _MICROSECONDS["d"])
        return timedelta(days=days, microseconds=microseconds)
    except OverflowError:
        raise ValueMappingError(f"{text} is longer than {timedelta.max.days} days") from None


def format_duration(value: timedelta) -> str:
    """Hours, minutes and seconds after `PT`, a minus in front: `-PT26H0.5S`; zero is `PT0S`."""
    microseconds = value // _MICROSECOND
    sign, microseconds = ("-", -microseconds) if microseconds < 0 else ("", microseconds)
    seconds, microseconds = divmod(microseconds, 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}H" if hours else ""
    text += f"{minutes}M" if minutes else ""
    if microseconds:
        text += f"{seconds}.{microseconds:06d}".rstrip("0") + "S"
    elif seconds or not text:
        text += f"{seconds}S"
    return f"{sign}PT{text}"


def parse_uuid(text: str) -> UUID:
    """With its dashes, in either case."""
    if not _UUID.fullmatch(text):
        raise _no("a UUID like f81d4fae-7dec-11d0-a765-00a0c91e6bf6", text)
    return UUID(text)


def _full_match(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """None also for a text that is too long to be a time."""
    return pattern.fullmatch(text) if len(text) <= _MAX_TIME else None


def _too_long(length: int) -> ValueMappingError:
    return ValueMappingError(f"a number of {length} characters; at most {MAX_DIGITS} are allowed")


def _time(found: re.Match[str]) -> time:
    fraction = (found["fraction"] or "").rstrip("0")
    if len(fraction) > 6:
        raise ValueError("it is finer than a microsecond")
    hour, minute = found["minute"].split(":")
    return time(int(hour), int(minute), int(found["second"] or 0), int(fraction.ljust(6, "0")))


def _no(expected: str, text: str, advice: str = "") -> ValueMappingError:
    shown = repr(text) if len(text) <= 60 else f"a text of {len(text)} characters"
    return ValueMappingError(f"expected {expected}, found {shown}{advice}")
