"""The text of a value by which calls are spread: the same in every process, and Java's where Java has a stable one.

| value | text | `String.valueOf` in Java |
| --- | --- | --- |
| text, integers, enum constants | as they are | the same |
| True, False, None | `true`, `false`, `null` | the same |
| floats | shortest digits, `1.0E10` beyond 10^-3 and 10^7 | the same |
| decimals, UUIDs, dates, times | as they are; instants in UTC | mostly the same |
| lists | `[a, b]` | the same |
| sets, maps | `[a, b]`, `{k=v, l=w}`, sorted by text | in the order of the Java collection |
| bytes | hexadecimal | an address, different each time |
| structs | `Name{field=value}` | whatever `toString` says |
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from math import isfinite
from typing import Any

from gateway.model.generic import Record

__all__ = ["text_of"]


def text_of(value: Any) -> str:
    """The text of a value."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, Set):
        return f"[{', '.join(sorted(map(text_of, value)))}]"
    if isinstance(value, Mapping):
        name = value.type_name if isinstance(value, Record) else ""
        return f"{name}{{{', '.join(sorted(f'{text_of(key)}={text_of(each)}' for key, each in value.items()))}}}"
    if is_dataclass(value):
        parts = (f"{field.name}={text_of(getattr(value, field.name))}" for field in fields(value))
        return f"{type(value).__name__}{{{', '.join(parts)}}}"
    return str(value)


def _float(value: float) -> str:
    if not isfinite(value):
        return "NaN" if value != value else ("Infinity" if value > 0 else "-Infinity")
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = repr(value)
        return text if "e" not in text else f"{value:.17f}".rstrip("0")
    digits, _, exponent = f"{value!r}".partition("e")
    if not exponent:
        # Python writes out what Java gives an exponent.
        mantissa, _, exponent = f"{value:.16e}".partition("e")
        for precision in range(17):
            mantissa, _, exponent = f"{value:.{precision}e}".partition("e")
            if float(f"{mantissa}e{exponent}") == value:
                break
        digits = mantissa
    return f"{digits if '.' in digits else digits + '.0'}E{int(exponent)}"
