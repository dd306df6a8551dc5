"""Python values in the value notation of `tests/wire/hessian/README.md`, as Java describes what it read.

Only what a codec without a contract gives and takes is covered. Java has several texts for one time; `canonical`
makes them one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from gateway.model.generic import BigInt, JavaDate, Long, Record, TypedList

__all__ = ["canonical", "to_notation"]

_INT: Final = range(-(2**31), 2**31)
_LONG: Final = range(-(2**63), 2**63)
_DURATION: Final = re.compile(r"PT(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(?:\.(\d+))?S)?")
_JAVA_DOUBLES: Final = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_SETS: Final = ("java.util.HashSet", "java.util.LinkedHashSet")
_ARRAYS: Final = {"[int": "int[]", "[long": "long[]", "[string": "java.lang.String[]", "[object": "java.lang.Object[]"}


def to_notation(value: Any) -> Any:
    """How Java describes what it reads from our bytes of this value."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return _double(value)
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, Record):
        return {"object": value.type_name, "fields": {name: to_notation(item) for name, item in value.items()}}
    if isinstance(value, Mapping):
        return _map([[to_notation(key), to_notation(item)] for key, item in value.items()])
    if isinstance(value, TypedList):
        return {"list": [to_notation(item) for item in value], "type": _ARRAYS[value.type_name]}
    if isinstance(value, list):
        return {"list": [to_notation(item) for item in value], "type": "java.util.ArrayList"}
    if isinstance(value, set | frozenset):
        return {"list": _sorted([to_notation(item) for item in value]), "type": "java.util.HashSet"}
    return _text(value)


def canonical(described: Any) -> Any:
    """Java's own description with one text per value: sets and maps sorted, times and doubles as Python writes them."""
    if isinstance(described, list):
        return [canonical(item) for item in described]
    if not isinstance(described, dict):
        return described
    if "double" in described:
        return _double(float(described["double"]))
    if "map" in described:
        return _map([canonical(entry) for entry in described["map"]])
    if "list" in described:
        items = [canonical(item) for item in described["list"]]
        return {**described, "list": _sorted(items) if described["type"] in _SETS else items}
    if "object" in described:
        return {**described, "fields": {name: canonical(item) for name, item in described["fields"].items()}}
    if "text" in described:
        return _text(_parse(described["type"], described["text"]))
    return described


def _integer(value: int) -> Any:
    plain = int(value)  # a range looks for an instance of a subclass one by one
    if isinstance(value, BigInt) or plain not in _LONG:
        return {"bigint": str(plain)}
    if isinstance(value, Long) or plain not in _INT:
        return {"long": plain}
    return plain


def _double(value: float) -> dict[str, str]:
    text = repr(value)
    return {"double": _JAVA_DOUBLES.get(text, text)}


def _map(entries: list[Any]) -> dict[str, Any]:
    return {"map": _sorted(entries), "type": "java.util.HashMap"}


def _sorted(items: list[Any]) -> list[Any]:
    return sorted(items, key=json.dumps)


def _text(value: Any) -> dict[str, Any]:
    if isinstance(value, JavaDate):
        return {"date": round(value.timestamp() * 1000)}
    if isinstance(value, datetime):
        return {"text": value.isoformat(), "type": f"java.time.{'Instant' if value.tzinfo else 'LocalDateTime'}"}
    if isinstance(value, date):
        return {"text": value.isoformat(), "type": "java.time.LocalDate"}
    if isinstance(value, time):
        return {"text": value.isoformat(), "type": "java.time.LocalTime"}
    if isinstance(value, timedelta):
        micros = value // timedelta(microseconds=1)
        sign, micros = ("-" if micros < 0 else ""), abs(micros)
        return {"text": f"PT{sign}{micros // 10**6}.{micros % 10**6:06}S", "type": "java.time.Duration"}
    if isinstance(value, UUID):
        return {"text": str(value), "type": "java.util.UUID"}
    raise TypeError(f"no notation for {type(value).__name__}")


def _parse(java_type: str, text: str) -> Any:
    if java_type in ("java.time.Instant", "java.time.LocalDateTime"):
        return datetime.fromisoformat(text)
    if java_type == "java.time.LocalDate":
        return date.fromisoformat(text)
    if java_type == "java.time.LocalTime":
        return time.fromisoformat(text)
    if java_type == "java.util.UUID":
        return UUID(text)
    assert java_type == "java.time.Duration", java_type
    matched = _DURATION.fullmatch(text)
    assert matched, text
    hours, minutes, sign, seconds, fraction = matched.groups("")
    micros = int((seconds or "0") + fraction.ljust(6, "0")[:6])
    return timedelta(hours=int(hours or 0), minutes=int(minutes or 0), microseconds=-micros if sign else micros)
