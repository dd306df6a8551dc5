"""Values without a contract as JSON: what a generic call gives and takes.

A record becomes an object with its class under `class`; so does a dataclass, under its contract name where it has one.
What JSON has no form for is written as in `gateway.contracts.jsonform`. A container inside itself becomes
`{"$ref": n}`, where n counts the containers of the output from 0 in the order they open.

The way back knows no types: an object with a text under `class` becomes that struct where `any` stands in a contract
that has it, else a `Record`; numbers with a fraction become floats; everything else stays what JSON says it is.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from gateway.contracts import scalar_text
from gateway.model.contract import ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.generic import Pairs, Record

__all__ = ["ReadClass", "from_json_generic", "read_generic", "to_json_generic"]

ReadClass = Callable[[str, Mapping[str, Any], int], Any]
"""Reads an object that names its class, from the name, the other members and the depth; `NotImplemented` if unknown."""

_MAX_DEPTH: Final = 64
_MAX_CONTAINERS: Final = 1_000_000


def to_json_generic(value: Any, contract: ServiceContract | None = None) -> Any:
    """Any value as values `json.dumps` writes.

    `contract`: whose names and fields its own classes get; dataclasses of others are shown as Python names them.

    Raises:
        ValueMappingError: nested deeper than 64 levels, more than a million containers (shared ones count each
            time), or of a class that is no value.
    """
    return _Writer(contract).write(value, 0)


def from_json_generic(value: Any) -> Any:
    """A JSON value as the value a generic call sends.

    Raises:
        ValueMappingError: nested deeper than 64 levels.
    """
    return read_generic(value, lambda name, members, depth: NotImplemented, 0)


def read_generic(value: Any, read_class: ReadClass, depth: int) -> Any:
    """`from_json_generic` inside of a typed value, `depth` levels down; `read_class` reads known classes."""
    if depth > _MAX_DEPTH:
        raise ValueMappingError(f"nested deeper than {_MAX_DEPTH} levels")
    if isinstance(value, Decimal):
        return _real(value)
    if isinstance(value, list | tuple):
        return [_read_at(f"[{index}]", each, read_class, depth) for index, each in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    name = value.get("class")
    if not isinstance(name, str):
        return {key: _read_at(f"[{key!r}]", each, read_class, depth) for key, each in value.items()}
    members = {key: each for key, each in value.items() if key != "class"}
    known = read_class(name, members, depth)
    if known is not NotImplemented:
        return known
    return Record(name, {key: _read_at(f".{key}", each, read_class, depth) for key, each in members.items()})


def _real(value: Decimal) -> float:
    number = math.nan if value.is_nan() else float(value)
    if math.isinf(number) and value.is_finite():
        raise ValueMappingError("the number is beyond the largest f64")
    return number


class _Writer:
    def __init__(self, contract: ServiceContract | None) -> None:
        self._contract = contract
        self._types = {each.python_class: each for each in contract.types.values()} if contract is not None else {}
        self._open: dict[int, int] = {}
        self._opened = 0

    def write(self, value: Any, depth: int) -> Any:
        if value is None or (isinstance(value, str | bool) and not isinstance(value, Enum)):
            return value
        if isinstance(value, Enum):
            return value.name
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else _special(value)
        text = _scalar(value)
        return self._container(value, depth) if text is None else text

    def _container(self, value: Any, depth: int) -> Any:
        number = self._open.get(id(value))
        if number is not None:
            return {"$ref": number}
        if depth > _MAX_DEPTH:
            raise ValueMappingError(f"nested deeper than {_MAX_DEPTH} levels")
        if self._opened >= _MAX_CONTAINERS:
            raise ValueMappingError(f"more than {_MAX_CONTAINERS} lists, maps and objects")
        self._open[id(value)] = self._opened
        self._opened += 1
        try:
            return self._members(value, depth + 1)
        finally:
            del self._open[id(value)]

    def _members(self, value: Any, depth: int) -> Any:
        if isinstance(value, Record):
            return {"class": value.type_name, **self._object(value.items(), depth)}
        if isinstance(value, Pairs):
            return [[self.write(key, depth), self.write(item, depth)] for key, item in value]
        if isinstance(value, Mapping):
            if all(isinstance(key, str) for key in value):
                return self._object(value.items(), depth)
            return [[self.write(key, depth), self.write(item, depth)] for key, item in value.items()]
        if isinstance(value, list | tuple | Set):
            return [self.write(each, depth) for each in value]
        if isinstance(value, BaseException) or dataclasses.is_dataclass(value):
            return self._instance(value, depth)
        raise ValueMappingError(f"{type(value).__qualname__} is no value")

    def _object(self, items: Iterable[tuple[str, Any]], depth: int) -> dict[str, Any]:
        return {key: self.write(item, depth) for key, item in items}

    def _instance(self, value: Any, depth: int) -> dict[str, Any]:
        definition = self._types.get(type(value))
        if isinstance(definition, StructType):
            name = definition.name
            members = [(field.name, getattr(value, field.attribute)) for field in definition.fields]
        else:
            name = type(value).__qualname__
            fields = dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()
            members = [(field.name, getattr(value, field.name)) for field in fields]
        shown: dict[str, Any] = {"class": name}
        if isinstance(value, BaseException):
            shown["message"] = str(value) if value.args else None
        return {**shown, **self._object(members, depth)}


def _special(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _scalar(value: Any) -> str | None:
    """The text form of a scalar that JSON lacks; None for what is no scalar."""
    match value:
        case Decimal() | UUID():
            return str(value)
        case bytes() | bytearray() | memoryview():
            return scalar_text.format_bytes(bytes(value))
        case datetime():
            return scalar_text.format_datetime(value) if value.tzinfo else scalar_text.format_local_datetime(value)
        case date():
            return str(value)
        case time():
            return scalar_text.format_time(value)
        case timedelta():
            return scalar_text.format_duration(value)
    return None


def _read_at(place: str, value: Any, read_class: ReadClass, depth: int) -> Any:
    try:
        return read_generic(value, read_class, depth + 1)
    except ValueMappingError as exc:
        raise exc.within(place) from None
