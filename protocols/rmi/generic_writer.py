"""Values of type any, and of calls without a contract, into plain values; see `protocols.rmi.mapping`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Set, Sized
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from gateway.jsonform.form import Walk, enter, key_text
from gateway.model.contract import EnumType, NamedType, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.generic import BigInt, JavaDate, Long, Pairs, Record, TypedList, TypedMap
from gateway.model.scalar import INTEGER_RANGES, SCALAR_CHECKS
from gateway.model.typeref import Kind
from protocols.rmi.exact import exact_scalar
from protocols.rmi.mapping import CLASS

__all__ = ["GenericWriter", "WriteStruct"]

WriteStruct = Callable[[StructType, Any, Walk], dict[str, Any]]
"""Writes an instance of a struct or exception of the contract, as where its type is declared."""

_I32: Final = INTEGER_RANGES[Kind.I32]
_I64: Final = INTEGER_RANGES[Kind.I64]
_UNHASHABLE: Final = (dict, list, set)


class GenericWriter:
    """Writes values of type any. Called with a value and the state of the walk.

    `classes`: of the contract; `write_struct`: writes those of them that are structs.
    """

    def __init__(self, classes: Mapping[type[Any], NamedType], write_struct: WriteStruct) -> None:
        self._classes = classes
        self._write_struct = write_struct

    def __call__(self, value: Any, walk: Walk) -> Any:
        """The plain value. Raises `ValueMappingError` with the path of what has no form, or at a limit."""
        if value is None or type(value) in (bool, str, float, bytes):
            return value
        if isinstance(value, Enum):
            return self._constant(value)
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return _integer(value)
        if isinstance(value, float):
            return float(value)
        kind = _kind(value)
        if kind is not None:
            return _scalar(kind, value, walk)
        enter(walk, len(value) if isinstance(value, Sized) else 0)
        written = self._container(value, walk)
        walk[0] -= 1
        return written

    def _constant(self, value: Enum) -> Any:
        definition = self._classes.get(type(value))
        if not isinstance(definition, EnumType):
            raise ValueMappingError(f"{type(value).__qualname__} is no enum of the contract")
        return {CLASS: definition.name, "name": value.name}

    def _container(self, value: Any, walk: Walk) -> Any:
        if isinstance(value, Record):
            return self._record(value, walk)
        if isinstance(value, Pairs):
            return _envelope("$map", self._pairs(value, walk), value.type_name)
        if isinstance(value, Mapping):
            return self._map(value, walk)
        if isinstance(value, TypedList):
            return _envelope("$list", self._items(value, walk), value.type_name)
        if isinstance(value, list | tuple):
            return self._items(value, walk)
        if isinstance(value, Set):
            items = self._items(value, walk)
            plain = not any(isinstance(each, _UNHASHABLE) for each in items)
            return set(items) if plain else _envelope("$set", items)
        return self._instance(value, walk)

    def _record(self, value: Record, walk: Walk) -> Any:
        pairs = self._pairs(value.items(), walk)
        if CLASS in value or value.type_name.startswith("$"):
            return _envelope("$record", pairs, value.type_name)
        return {CLASS: value.type_name, **dict(pairs)}

    def _instance(self, value: Any, walk: Walk) -> Any:
        definition = self._classes.get(type(value))
        if not isinstance(definition, StructType):
            raise ValueMappingError(f"{type(value).__qualname__} is no class of the contract")
        walk[0] -= 1  # the struct counts itself
        written = self._write_struct(definition, value, walk)
        walk[0] += 1
        return written

    def _map(self, value: Mapping[Any, Any], walk: Walk) -> Any:
        pairs = self._pairs(value.items(), walk)
        name = value.type_name if isinstance(value, TypedMap) else ""
        if name or any(isinstance(key, _UNHASHABLE) or key == CLASS for key, _ in pairs):
            return _envelope("$map", pairs, name)
        return dict(pairs)

    def _items(self, items: Iterable[Any], walk: Walk) -> list[Any]:
        written: list[Any] = []
        append = written.append
        try:
            for each in items:
                append(self(each, walk))
        except ValueMappingError as exc:
            raise exc.within(f"[{len(written)}]") from None
        return written

    def _pairs(self, items: Iterable[tuple[Any, Any]], walk: Walk) -> list[tuple[Any, Any]]:
        written: list[tuple[Any, Any]] = []
        for key, item in items:
            try:
                plain = self(key, walk)
            except ValueMappingError as exc:
                raise exc.within(f"[key {len(written)}]") from None
            try:
                written.append((plain, self(item, walk)))
            except ValueMappingError as exc:
                raise exc.within(f"[{key_text(key, len(written))}]") from None
        return written


def _envelope(kind: str, content: Any, name: str = "") -> dict[str, Any]:
    return {CLASS: kind, "class": name, "value": content} if name else {CLASS: kind, "value": content}


def _integer(value: int) -> Any:
    number = int(value)
    if isinstance(value, Long) and _I32[0] <= number <= _I32[1]:
        return _envelope("$i64", number)
    if isinstance(value, BigInt) and _I64[0] <= number <= _I64[1]:
        return _envelope("$bigint", number)
    return number


def _kind(value: Any) -> Kind | None:
    """What scalar it is, of those whose exact class must be made sure of; None for what is no scalar."""
    match value:
        case Decimal():
            return Kind.DECIMAL
        case UUID():
            return Kind.UUID
        case bytes() | bytearray() | memoryview():
            return Kind.BYTES
        case dt.datetime():
            return Kind.LOCAL_DATETIME if value.utcoffset() is None else Kind.DATETIME
        case dt.date():
            return Kind.DATE
        case dt.time():
            return Kind.TIME
        case dt.timedelta():
            return Kind.DURATION
    return None


def _scalar(kind: Kind, value: Any, walk: Walk) -> Any:
    checked = exact_scalar(kind, SCALAR_CHECKS[kind](value, walk))
    return _envelope("$java.util.Date", checked) if isinstance(value, JavaDate) else checked
