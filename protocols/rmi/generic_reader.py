"""Plain values of type any, and of calls without a contract; see `protocols.rmi.mapping`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from gateway.jsonform.form import key_text
from gateway.jsonform.generic_reader import hashable
from gateway.model.errors import ValueMappingError
from gateway.model.generic import BigInt, JavaDate, Long, Pairs, Record, TypedList, TypedMap
from gateway.model.key_hash import KeyHashes, has_common_hashes
from gateway.model.scalar import INTEGER_RANGES, SCALAR_CHECKS
from gateway.model.typeref import Kind
from protocols.rmi.mapping import CLASS
from protocols.rmi.reduction import Instance, Name, instance_uuid
from protocols.rmi.walk import LONG, Walk, enter, spend, spend_bytes, spend_key

__all__ = ["GenericReader", "ReadNamed"]

ReadNamed = Callable[[str, Any, Walk], Any]
"""Reads what names a type of the contract; `NotImplemented` if the contract has no such type."""

_I32: Final = INTEGER_RANGES[Kind.I32]
_I64: Final = INTEGER_RANGES[Kind.I64]
_AS_THEY_ARE: Final = frozenset({type(None), bool, float, dt.date, dt.timedelta, UUID})
_PAIR: Final = 2
_CHECKED: Final = MappingProxyType({Decimal: Kind.DECIMAL, dt.time: Kind.TIME})


def _nothing_named(name: str, value: Any, walk: Walk) -> Any:
    return NotImplemented


class GenericReader:
    """Reads values of type any. Called with a value and the state of the walk."""

    def __init__(self, read_named: ReadNamed = _nothing_named) -> None:
        self._read_named = read_named
        self._kinds: Mapping[str, Callable[[Any, str, Walk], Any]] = MappingProxyType(
            {
                "$i64": self._long,
                "$bigint": self._bigint,
                "$java.util.Date": self._java_date,
                "$set": self._set,
                "$map": self._map,
                "$list": self._list,
                "$record": self._record,
            }
        )

    def __call__(self, value: Any, walk: Walk) -> Any:
        """The value. Raises `ValueMappingError` with the path of what stands for none, or at a limit."""
        cls = type(value)
        if cls is str or cls is bytes:
            if len(value) > LONG:
                spend_bytes(walk, len(value))
            return value
        if cls in _AS_THEY_ARE:
            return value
        if cls is int:
            if value.bit_length() > LONG:
                spend_bytes(walk, value.bit_length() >> 1)
            return Long(value) if not _I32[0] <= value <= _I32[1] and _I64[0] <= value <= _I64[1] else value
        if cls is dt.datetime:
            return value if value.tzinfo is None else SCALAR_CHECKS[Kind.DATETIME](value, walk)
        if cls in _CHECKED:
            spend_bytes(walk, value.__sizeof__())
            return SCALAR_CHECKS[_CHECKED[cls]](value, walk)
        if cls is Instance:
            return self._instance(value, walk)
        if cls is Name:
            raise ValueMappingError(f"the class {value.title} is no value")
        enter(walk, len(value))
        found = self._dict(value, walk) if cls is dict else self._items(value, walk)
        walk[0] -= 1
        return found if cls not in (set, frozenset) else _as_set([hashable(each) for each in found], walk)

    def _instance(self, value: Instance, walk: Walk) -> Any:
        found = instance_uuid(value)
        if found is not None:
            return found
        named = self._read_named(value.title, value, walk)
        if named is NotImplemented:
            raise ValueMappingError(f"an object of {value.title} that stands for no value")
        return named

    def _dict(self, value: dict[Any, Any], walk: Walk) -> Any:
        name = value.get(CLASS)
        if type(name) is not str:
            return self._pairs_of(value.items(), "", walk)
        if name.startswith("$"):
            read = self._kinds.get(name)
            if read is None or "value" not in value:
                raise ValueMappingError(f"a dict whose class is {name[:40]!r} stands for nothing")
            title = value.get("class", "")
            if type(title) is not str:
                raise ValueMappingError("the name of a class is no text", ".class")
            spend_bytes(walk, len(title))
            return read(value["value"], title, walk)
        walk[0] -= 1  # a struct counts itself
        found = self._read_named(name, value, walk)
        walk[0] += 1
        if found is not NotImplemented:
            return found
        spend_bytes(walk, len(name))
        fields = {key: item for key, item in value.items() if key != CLASS}
        return self._named_fields(name, fields.items(), walk)

    def _named_fields(self, name: str, fields: Iterable[tuple[Any, Any]], walk: Walk) -> Record:
        found = Record(name)
        for key, item in fields:
            if type(key) is not str:
                raise ValueMappingError("the name of a field is no text", f"[key {len(found)}]")
            if len(key) > LONG:
                spend_bytes(walk, len(key))
            found[key] = self._at(key_text(key, len(found)), item, walk)
        return found

    def _at(self, place: str, value: Any, walk: Walk) -> Any:
        try:
            return self(value, walk)
        except ValueMappingError as exc:
            raise exc.within(f"[{place}]") from None

    def _items(self, value: Iterable[Any], walk: Walk) -> list[Any]:
        found: list[Any] = []
        append = found.append
        try:
            for each in value:
                append(self(each, walk))
        except ValueMappingError as exc:
            raise exc.within(f"[{len(found)}]") from None
        return found

    def _pairs_of(self, items: Iterable[tuple[Any, Any]], name: str, walk: Walk) -> Any:
        pairs: list[tuple[Any, Any]] = []
        for key, item in items:
            read_key = self._at(f"key {len(pairs)}", key, walk)
            pairs.append((read_key, self._at(key_text(key, len(pairs)), item, walk)))
        hashes, found = KeyHashes(), dict[Any, Any]()
        try:
            for key, item in pairs:
                spend_key(walk, key)
                if not hashes.admit(key):
                    raise ValueMappingError("too many keys have the same hash")
                found[key] = item
        except TypeError:
            return Pairs(pairs, name)
        if len(found) != len(pairs):
            return Pairs(pairs, name)
        return TypedMap(name, found) if name else found

    def _long(self, value: Any, _: str, walk: Walk) -> Any:
        return Long(SCALAR_CHECKS[Kind.I64](value, walk))

    def _bigint(self, value: Any, _: str, walk: Walk) -> Any:
        return BigInt(SCALAR_CHECKS[Kind.BIGINT](value, walk))

    def _java_date(self, value: Any, _: str, walk: Walk) -> Any:
        at: dt.datetime = SCALAR_CHECKS[Kind.DATETIME](value, walk)
        if at.microsecond % 1000:
            raise ValueMappingError("a java.util.Date has whole milliseconds")
        clock = (at.hour, at.minute, at.second, at.microsecond)
        return JavaDate(at.year, at.month, at.day, *clock, tzinfo=dt.UTC)

    def _listed(self, value: Any, walk: Walk) -> list[Any]:
        if type(value) is not list:
            raise ValueMappingError("expected a list", ".value")
        enter(walk, len(value))
        found = self._items(value, walk)
        walk[0] -= 1
        return found

    def _set(self, value: Any, _: str, walk: Walk) -> Any:
        items = self._listed(value, walk)
        return _as_set([hashable(each) for each in items], walk)

    def _list(self, value: Any, name: str, walk: Walk) -> Any:
        items = self._listed(value, walk)
        return TypedList(name, items) if name else items

    def _map(self, value: Any, name: str, walk: Walk) -> Any:
        return self._pairs_of(_check_pairs(value, walk), name, walk)

    def _record(self, value: Any, name: str, walk: Walk) -> Any:
        return self._named_fields(name, _check_pairs(value, walk), walk)


def _check_pairs(value: Any, walk: Walk) -> list[tuple[Any, Any]]:
    if type(value) is list:
        spend(walk, _PAIR * len(value))
    if type(value) is not list or not all(type(each) in (tuple, list) and len(each) == 2 for each in value):
        raise ValueMappingError("expected a list of pairs", ".value")
    return value


def _as_set(elements: list[Any], walk: Walk) -> set[Any]:
    """A set; `NotImplemented` stands for an element that has no hash."""
    for each in elements:
        if each is NotImplemented:
            raise ValueMappingError("a set of what cannot be told apart: an element can be changed")
        spend_key(walk, each)
    if has_common_hashes(elements):
        raise ValueMappingError("too many elements have the same hash")
    found = set(elements)
    if len(found) != len(elements):
        raise ValueMappingError("an element of the set stands twice")
    return found
