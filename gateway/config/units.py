"""Durations, sizes and shares, written with their unit: `3s`, `500ms`, `8MiB`, `40%`.

A `Seconds` attribute is a `float` in seconds, a `Bytes` attribute an `int` in bytes, a `Share` a `float` from 0 to 1.
In a file a number without a unit is refused, because readers disagree about what it means; code that builds sections
may pass plain numbers.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from gateway.config.scalar import Scalar, describe

__all__ = [
    "Bytes",
    "Seconds",
    "Share",
    "format_bytes",
    "format_seconds",
    "format_share",
    "parse_bytes",
    "parse_seconds",
    "parse_share",
]

_QUANTITY: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([A-Za-z]*|%)\Z", re.ASCII)

_SECONDS: Final = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
}
_SHARES: Final = {"%": Decimal(1)}
_BYTES: Final = {
    "B": 1,
    "kB": 1000,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}


def parse_seconds(text: str) -> float:
    """Reads a duration. Raises ValueError that says what is wrong and how to write it."""
    number, unit = _split(text, "a duration", _SECONDS, "3s, 500ms, 2m")
    return float(number * _SECONDS[unit])


def parse_bytes(text: str) -> int:
    """Reads a size. Raises ValueError that says what is wrong and how to write it."""
    number, unit = _split(text, "a size", _BYTES, "64KiB, 8MiB, 1GB")
    size = number * _BYTES[unit]
    if size != size.to_integral_value():
        raise ValueError(f"{text!r} is not a whole number of bytes")
    return int(size)


def parse_share(text: str) -> float:
    """Reads a share. Raises ValueError that says what is wrong and how to write it."""
    number, _ = _split(text, "a share", _SHARES, "50%, 12.5%")
    return float(number / 100)


def format_share(share: float) -> str:
    """`0.4` as `40%`."""
    return f"{_plain(Decimal(repr(float(share))) * 100)}%"


def format_seconds(seconds: float) -> str:
    """The shortest exact form: `3m`, `1.5s`, `250ms`."""
    exact = Decimal(repr(float(seconds)))
    for unit in ("d", "h", "m"):
        if exact and exact % _SECONDS[unit] == 0:
            return f"{_plain(exact / _SECONDS[unit])}{unit}"
    if exact and exact < 1:
        return f"{_plain(exact * 1000)}ms"
    return f"{_plain(exact)}s"


def format_bytes(size: int) -> str:
    """The shortest exact form in binary units: `8MiB`, `1000B`."""
    for unit in ("GiB", "MiB", "KiB"):
        if size and size % _BYTES[unit] == 0:
            return f"{size // _BYTES[unit]}{unit}"
    return f"{size}B"


def _split(text: str, what: str, units: dict[str, Any], examples: str) -> tuple[Decimal, str]:
    found = _QUANTITY.match(text)
    if found is None:
        raise ValueError(f"expected {what} such as {examples}, found {describe(text)}")
    number, unit = found.groups()
    if not unit:
        hidden = isinstance(text, Scalar) and text.source != str(text)
        likely = " or ".join(f"{'…' if hidden else number}{each}" for each in list(units)[:2])
        raise ValueError(f"{describe(text)} has no unit, write {likely} (units: {', '.join(units)})")
    if unit not in units:
        same = [each for each in units if each.lower() == unit.lower()]
        hint = f", did you mean {same[-1]}?" if same else f" (units: {', '.join(units)})"
        raise ValueError(f"{describe(text)} has an unknown unit{hint}")
    return Decimal(number), unit


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _seconds(value: Any) -> float:
    if isinstance(value, str):
        return parse_seconds(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"expected a duration such as 3s, 500ms, 2m, found {describe(value)}")


def _bytes(value: Any) -> int:
    if isinstance(value, str):
        return parse_bytes(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"expected a size such as 64KiB, 8MiB, 1GB, found {describe(value)}")


def _share(value: Any) -> float:
    if isinstance(value, str):
        return parse_share(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"expected a share such as 50%, 12.5%, found {describe(value)}")


Seconds = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?(ms|s|m|h|d)$|\$\{env:"}),
]
"""A duration with its unit; the attribute holds seconds."""

Bytes = Annotated[
    int,
    BeforeValidator(_bytes),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?(B|kB|KB|MB|GB|KiB|MiB|GiB)$|\$\{env:"}),
]
"""A size with its unit; the attribute holds bytes."""

Share = Annotated[
    float,
    BeforeValidator(_share),
    Field(ge=0, le=1),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?%$|\$\{env:"}),
]
"""A part of a whole in percent; the attribute holds a number from 0 to 1."""
