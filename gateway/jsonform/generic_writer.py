"""Values into JSON of type `any`. The notation stands in `gateway.jsonform.generic`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Set, Sized
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from gateway.jsonform import scalar_text
from gateway.jsonform.form import (
    Place,
    Walk,
    enter,
    field_place,
    key_place,
    key_text,
    new_walk,
    refuse_surrogates,
    special_text,
)
from gateway.jsonform.generic_reader import is_envelope
from gateway.model.contract import EnumType, NamedType, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.generic import BigInt, JavaDate, Long, Pairs, Record, TypedList, TypedMap
from gateway.model.scalar import INTEGER_RANGES
from gateway.model.typeref import Kind

__all__ = ["GenericWriter", "WriteStruct", "show_generic"]

_I32: Final = INTEGER_RANGES[Kind.I32]
_I64: Final = INTEGER_RANGES[Kind.I64]
# Parsers of JSON need not read longer numbers; Python itself may refuse them.
_LITERAL_BITS: Final = 2048


WriteStruct = Callable[[StructType, Any, Walk], dict[str, Any]]
"""Writes an instance of a struct or exception of the contract, as where its type is declared."""


class GenericWriter:
    """Writes values of type `any`. Called with a value and the state of the walk.

    `classes`: of the contract; `write_struct`: writes those of them that are structs.
    """

    def __init__(self, classes: Mapping[type[Any], NamedType], write_struct: WriteStruct) -> None:
        self._classes = classes
        self._write_struct = write_struct

    def __call__(self, value: Any, walk: Walk) -> Any:
        """The JSON value. Raises `ValueMappingError` with the path of what has no form, or at a limit."""
        if value is None or type(value) is bool:
            return value
        if isinstance(value, Enum):
            return self._constant(value)
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int):
            return _integer(value)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else _envelope("f64", special_text(value))
        scalar = _scalar(value)
        return self._container(value, walk) if scalar is None else scalar

    def _text(self, value: str) -> str:
        if not value.isascii():
            refuse_surrogates(value)
        return str.__str__(value)

    def _constant(self, value: Enum) -> Any:
        definition = self._classes.get(type(value))
        if not isinstance(definition, EnumType):
            raise ValueMappingError(f"{type(value).__qualname__} is no enum of the contract")
        return _envelope(definition.name, value.name)

    def _container(self, value: Any, walk: Walk) -> Any:
        enter(walk, len(value) if isinstance(value, Sized) else 0)
        written = self._members(value, walk)
        walk[0] -= 1
        return written

    def _members(self, value: Any, walk: Walk) -> Any:
        if isinstance(value, Record):
            if "class" in value or "$type" in value or not all(map(_is_text, value)):
                return _envelope("record", self._pairs(value.items(), walk), value.type_name)
            return {"class": value.type_name, **self._object(value.items(), walk, field_place)}
        if isinstance(value, Pairs):
            return _envelope("map", self._pairs(value, walk), value.type_name)
        if isinstance(value, Mapping):
            return self._map(value, walk)
        if isinstance(value, TypedList):
            return _envelope("list", self._items(value, walk, ".value"), value.type_name)
        if isinstance(value, list | tuple):
            return self._items(value, walk, "")
        if isinstance(value, Set):
            return _envelope("set", self._items(value, walk, ".value"))
        return self._instance(value, walk)

    def _instance(self, value: Any, walk: Walk) -> dict[str, Any]:
        definition = self._classes.get(type(value))
        if not isinstance(definition, StructType):
            raise ValueMappingError(f"{type(value).__qualname__} is no class of the contract")
        walk[0] -= 1  # the struct counts itself
        written = self._write_struct(definition, value, walk)
        walk[0] += 1
        if "class" in written:
            raise ValueMappingError(f"{definition.name} has a field 'class', so nothing can say its class")
        return {"class": definition.name, **written}

    def _map(self, value: Mapping[Any, Any], walk: Walk) -> Any:
        name = value.type_name if isinstance(value, TypedMap) else ""
        plain = all(map(_is_text, value))
        if plain and name:
            return _envelope("map", self._object(value.items(), walk, _value_place), name)
        if plain and not _means_something_else(value):
            return self._object(value.items(), walk, key_place)
        return _envelope("map", self._pairs(value.items(), walk), name)

    def _items(self, items: Iterable[Any], walk: Walk, place: str) -> list[Any]:
        written: list[Any] = []
        append = written.append
        try:
            for each in items:
                append(self(each, walk))
        except ValueMappingError as exc:
            raise exc.within(f"{place}[{len(written)}]") from None
        return written

    def _pairs(self, items: Iterable[tuple[Any, Any]], walk: Walk) -> list[list[Any]]:
        return [
            [self._at(f"[key {index}]", key, walk), self._at(f"[{key_text(key, index)}]", item, walk)]
            for index, (key, item) in enumerate(items)
        ]

    def _object(self, items: Iterable[tuple[str, Any]], walk: Walk, place: Place) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for key, item in items:
            try:
                written[self._text(key)] = self(item, walk)
            except ValueMappingError as exc:
                raise exc.within(place(key, len(written))) from None
        return written

    def _at(self, place: str, value: Any, walk: Walk) -> Any:
        try:
            return self(value, walk)
        except ValueMappingError as exc:
            raise exc.within(place) from None


def show_generic(value: Any) -> Any:
    """A value of type `any` for people: plain JSON that does not say which of several types it stands for.

    What has no exact form is shown as well as it can be.

    Raises:
        ValueMappingError: nested deeper than 64 levels, too large, or of a class that is no value.
    """
    return _Display()(value, new_walk())


class _Display(GenericWriter):
    def __init__(self) -> None:
        super().__init__({}, lambda definition, value, walk: {})
        self._open: dict[int, int] = {}
        self._opened = 0

    def __call__(self, value: Any, walk: Walk) -> Any:
        if isinstance(value, int) and not isinstance(value, Enum | bool):
            return int(value)
        if isinstance(value, float) and not math.isfinite(value):
            return special_text(value)
        if isinstance(value, str | Enum):
            return super().__call__(value, walk)
        scalar = _scalar(value)
        return super().__call__(value, walk) if scalar is None else scalar["value"]

    def _text(self, value: str) -> str:
        return str.__str__(value)

    def _constant(self, value: Enum) -> Any:
        return value.name

    def _members(self, value: Any, walk: Walk) -> Any:
        if isinstance(value, Record) and all(map(_is_text, value)):
            return {"class": value.type_name, **self._object(value.items(), walk, field_place)}
        if isinstance(value, Pairs | Record):
            return self._pairs(value.items() if isinstance(value, Record) else value, walk)
        if isinstance(value, Mapping):
            plain = all(map(_is_text, value))
            return self._object(value.items(), walk, key_place) if plain else self._pairs(value.items(), walk)
        if isinstance(value, list | tuple | Set):
            return self._items(value, walk, "")
        return self._instance(value, walk)

    def _container(self, value: Any, walk: Walk) -> Any:
        number = self._open.get(id(value))
        if number is not None:
            return {"$ref": number}
        self._open[id(value)] = self._opened
        self._opened += 1
        try:
            return super()._container(value, walk)
        finally:
            del self._open[id(value)]

    def _instance(self, value: Any, walk: Walk) -> dict[str, Any]:
        if not isinstance(value, BaseException) and not dataclasses.is_dataclass(value):
            raise ValueMappingError(f"{type(value).__qualname__} is no value")
        shown: dict[str, Any] = {"class": type(value).__qualname__}
        if isinstance(value, BaseException):
            shown["message"] = str(value) if value.args else None
        fields = dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()
        members = [(field.name, getattr(value, field.name)) for field in fields]
        return {**shown, **self._object(members, walk, field_place)}


def _value_place(key: str, index: int) -> str:
    return f".value{key_place(key, index)}"


def _is_text(key: Any) -> bool:
    return isinstance(key, str) and not isinstance(key, Enum)


def _means_something_else(value: Mapping[str, Any]) -> bool:
    """Whether an object with these members would be read as a class or as an envelope."""
    return isinstance(value.get("class"), str) or is_envelope(value)


def _envelope(kind: str, content: Any, name: str = "") -> dict[str, Any]:
    return {"$type": kind, "class": name, "value": content} if name else {"$type": kind, "value": content}


def _integer(value: int) -> Any:
    number = int(value)
    if isinstance(value, Long) and _I32[0] <= number <= _I32[1]:
        return _envelope("i64", number)
    if isinstance(value, BigInt) and _I64[0] <= number <= _I64[1]:
        return _envelope("bigint", scalar_text.format_integer(number))
    return number if number.bit_length() <= _LITERAL_BITS else _envelope("bigint", scalar_text.format_integer(number))


def _scalar(value: Any) -> Any:
    """A scalar that JSON has no form of its own for; None for what is no scalar."""
    match value:
        case Decimal():
            if not value.is_finite():
                raise ValueMappingError(f"expected a finite decimal, found {value}")
            return _envelope("decimal", scalar_text.format_decimal(value))
        case UUID():
            return _envelope("uuid", str(value))
        case bytes() | bytearray() | memoryview():
            return _envelope("bytes", scalar_text.format_bytes(bytes(value)))
        case JavaDate():
            return _envelope("java.util.Date", scalar_text.format_datetime(value))
        case datetime():
            if value.utcoffset() is None:
                return _envelope("local_datetime", scalar_text.format_local_datetime(value.replace(tzinfo=None)))
            return _envelope("datetime", _instant_text(value))
        case date():
            return _envelope("date", str(value))
        case time():
            if value.tzinfo is not None:
                raise ValueMappingError("expected a time of day without a zone, found one with a zone")
            return _envelope("time", scalar_text.format_time(value))
        case timedelta():
            return _envelope("duration", scalar_text.format_duration(value))
    return None


def _instant_text(value: datetime) -> str:
    try:
        return scalar_text.format_datetime(value.astimezone(UTC))
    except OverflowError:
        raise ValueMappingError("in UTC the year is not between 1 and 9999") from None
