"""What a Python value must be to stand for a scalar type of the model, and the form it then has.

The table of what is accepted and what it becomes stands in `gateway.contracts.values`, which checks whole values; the
checks of single scalars are here because JSON is written through them too.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind

__all__ = ["INTEGER_RANGES", "SCALAR_CHECKS", "ScalarCheck", "mismatch", "round_to_single"]

ScalarCheck = Callable[[Any, Any], Any]
"""From a Python value to its contract value; raises `ValueMappingError`.

The second argument is ignored: it is what the checks of containers, beside which these stand, keep about a walk.
"""

INTEGER_RANGES: Final[Mapping[Kind, tuple[int, int]]] = MappingProxyType(
    {
        Kind.I8: (-(2**7), 2**7 - 1),
        Kind.I16: (-(2**15), 2**15 - 1),
        Kind.I32: (-(2**31), 2**31 - 1),
        Kind.I64: (-(2**63), 2**63 - 1),
    }
)
"""Smallest and largest value of every integer type that has them."""

_SINGLE: Final = struct.Struct(">f")


def round_to_single(value: float) -> float:
    """The nearest IEEE 754 single. Raises `ValueMappingError` beyond the largest one."""
    try:
        rounded: float = _SINGLE.unpack(_SINGLE.pack(value))[0]
    except OverflowError:
        raise ValueMappingError(f"{value!r} is beyond the largest f32") from None
    return rounded


def mismatch(expected: str, value: Any, advice: str = "") -> ValueMappingError:
    """The error for a Python value of a wrong class."""
    found = "null" if value is None else type(value).__qualname__
    return ValueMappingError(f"expected {expected}, found {found}{f'; {advice}' if advice else ''}")


def _integer(kind: Kind) -> ScalarCheck:
    low, high = INTEGER_RANGES.get(kind, (None, None))

    def check(value: Any, _: Any) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            raise mismatch(kind.value, value)
        number = value if type(value) is int else int(value)
        if low is not None and high is not None and not low <= number <= high:
            shown = number if number.bit_length() <= 64 else f"an integer of {number.bit_length()} bits"
            raise ValueMappingError(f"{shown} does not fit {kind.value}, which goes from {low} to {high}")
        return number

    return check


def _check_null(value: Any, _: Any) -> Any:
    if value is not None:
        raise mismatch("null", value)


def _check_f64(value: Any, _: Any) -> Any:
    if type(value) is float:
        return value
    if isinstance(value, float):
        return float(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise mismatch("f64", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if number != value:
        raise ValueMappingError(f"an integer of {value.bit_length()} bits that no f64 holds exactly")
    return number


def _check_f32(value: Any, _: Any) -> Any:
    number = _check_f64(value, _)
    rounded = round_to_single(number)
    return number if rounded == number or math.isnan(number) else rounded


def _check_decimal(value: Any, _: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if not isinstance(value, Decimal):
        raise mismatch("decimal", value, "a float is not exact; use Decimal" if isinstance(value, float) else "")
    if not value.is_finite():
        raise ValueMappingError(f"expected a finite decimal, found {value}")
    return value


def _check_char(value: Any, _: Any) -> Any:
    if not isinstance(value, str):
        raise mismatch("char", value)
    if len(value) != 1 or value > "\uffff":
        units = len(value.encode("utf-16-le", "surrogatepass")) // 2
        raise ValueMappingError(f"expected one character up to U+FFFF, found {units} UTF-16 units")
    return _exact_text(value)


def _check_string(value: Any, _: Any) -> Any:
    if not isinstance(value, str):
        raise mismatch("string", value, "decode it" if isinstance(value, bytes) else "")
    return _exact_text(value)


def _exact_text(value: str) -> str:
    return value if type(value) is str else str.__str__(value)


def _check_bytes(value: Any, _: Any) -> Any:
    if type(value) is bytes:
        return value
    if not isinstance(value, bytes | bytearray | memoryview):
        raise mismatch("bytes", value, "encode it" if isinstance(value, str) else "")
    return bytes(value)


def _check_date(value: Any, _: Any) -> Any:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise mismatch("date", value, "use .date()" if isinstance(value, datetime) else "")
    return value


def _check_time(value: Any, _: Any) -> Any:
    if not isinstance(value, time):
        raise mismatch("time", value)
    if value.tzinfo is not None:
        raise ValueMappingError("expected a time of day without a zone, found one with a zone")
    return value


def _check_datetime(value: Any, _: Any) -> Any:
    if not isinstance(value, datetime):
        raise mismatch("datetime", value)
    if value.tzinfo is UTC:
        return value
    if value.utcoffset() is None:
        raise ValueMappingError(
            "expected an instant, found a datetime without a zone; give it one, or use LocalDateTime"
        )
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueMappingError("in UTC the year is not between 1 and 9999") from None


def _check_local_datetime(value: Any, _: Any) -> Any:
    if not isinstance(value, datetime):
        raise mismatch("local_datetime", value)
    if value.tzinfo is not None:
        raise ValueMappingError("expected date and time without a zone, found a datetime with one; use datetime")
    return value


def _check_duration(value: Any, _: Any) -> Any:
    if not isinstance(value, timedelta):
        raise mismatch("duration", value, "use timedelta(seconds=…)" if isinstance(value, int | float) else "")
    return value


def _check_uuid(value: Any, _: Any) -> Any:
    if not isinstance(value, UUID):
        raise mismatch("uuid", value, "use UUID(text)" if isinstance(value, str) else "")
    return value


def _check_bool(value: Any, _: Any) -> Any:
    if type(value) is not bool:
        raise mismatch("bool", value)
    return value


SCALAR_CHECKS: Final[Mapping[Kind, ScalarCheck]] = MappingProxyType(
    {
        **{kind: _integer(kind) for kind in (*INTEGER_RANGES, Kind.BIGINT)},
        Kind.NULL: _check_null,
        Kind.BOOL: _check_bool,
        Kind.F32: _check_f32,
        Kind.F64: _check_f64,
        Kind.DECIMAL: _check_decimal,
        Kind.CHAR: _check_char,
        Kind.STRING: _check_string,
        Kind.BYTES: _check_bytes,
        Kind.DATE: _check_date,
        Kind.TIME: _check_time,
        Kind.DATETIME: _check_datetime,
        Kind.LOCAL_DATETIME: _check_local_datetime,
        Kind.DURATION: _check_duration,
        Kind.UUID: _check_uuid,
    }
)
"""The check of every scalar type."""
