"""JSON of type `any` into values. The notation stands in `gateway.jsonform.generic`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from gateway.jsonform import scalar_text
from gateway.jsonform.form import MAX_DEPTH, SPECIAL_FLOATS, Place, field_place, key_place
from gateway.jsonform.mismatch import too_deep
from gateway.model.errors import ValueMappingError
from gateway.model.generic import BigInt, JavaDate, Long, Pairs, Record, TypedList, TypedMap
from gateway.model.key_hash import KeyHashes
from gateway.model.scalar import INTEGER_RANGES
from gateway.model.typeref import Kind

__all__ = ["ReadNamed", "hashable", "is_envelope", "read_generic"]

ReadNamed = Callable[[str, Mapping[str, Any] | str, int], Any]
"""Reads what names a type of the contract, `depth` levels down; `NotImplemented` if the contract has no such type.

Given are the name and the other members of an object, or the name and the constant of an enum.
"""

_ENVELOPE: Final = frozenset({"$type", "value"})
_NAMED_ENVELOPE: Final = _ENVELOPE | {"class"}
_I32: Final = INTEGER_RANGES[Kind.I32]
_I64: Final = INTEGER_RANGES[Kind.I64]


def _nothing_named(name: str, members: Mapping[str, Any] | str, depth: int) -> Any:
    return NotImplemented


def read_generic(value: Any, read_named: ReadNamed = _nothing_named, depth: int = 0) -> Any:
    """The value that JSON of type `any` stands for, `depth` levels inside of another.

    An object that names a class `read_named` does not know becomes a `Record`.

    Raises:
        ValueMappingError: nested deeper than 64 levels, a `$type` that is none, or its value does not fit; says where.
    """
    if depth > MAX_DEPTH:
        raise too_deep()
    cls = type(value)
    if cls is str or cls is bool or value is None:
        return value
    if isinstance(value, int):
        return value if _I32[0] <= value <= _I32[1] or not _I64[0] <= value <= _I64[1] else Long(value)
    if isinstance(value, Decimal):
        return _real(value)
    if isinstance(value, list | tuple):
        return _read_items(value, read_named, depth)
    if isinstance(value, Mapping):
        return _read_object(value, read_named, depth)
    return value


def _read_object(value: Mapping[str, Any], read_named: ReadNamed, depth: int) -> Any:
    if "$type" in value and is_envelope(value):
        return _read_envelope(value, read_named, depth)
    name = value.get("class")
    if not isinstance(name, str):
        return _read_members(value, read_named, depth, key_place)
    members = {key: each for key, each in value.items() if key != "class"}
    known = read_named(name, members, depth)
    if known is not NotImplemented:
        return known
    return Record(name, _read_members(members, read_named, depth, field_place))


def _read_members(members: Mapping[str, Any], read_named: ReadNamed, depth: int, place: Place) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, each in members.items():
        try:
            found[key] = read_generic(each, read_named, depth + 1)
        except ValueMappingError as exc:
            raise exc.within(place(key, len(found))) from None
    return found


def _read_envelope(value: Mapping[str, Any], read_named: ReadNamed, depth: int) -> Any:
    kind, content = value["$type"], value["value"]
    name = value.get("class", "")
    if not isinstance(name, str) or ("class" in value and kind not in ("list", "map", "record")):
        raise ValueMappingError(f"a $type {kind!r} has no class")
    read_scalar = _SCALARS.get(kind)
    if read_scalar is not None:
        return _at(".value", read_scalar, content)
    if kind in ("list", "set"):
        items = _items(content, "an array")
        if kind == "set":
            return _read_set(items, read_named, depth)
        elements = _read_items(items, read_named, depth, ".value")
        return TypedList(name, elements) if name else elements
    if kind == "map":
        return _read_map(content, name, read_named, depth)
    if kind == "record":
        return _read_record(content, name, read_named, depth)
    found = read_named(kind, content, depth) if isinstance(content, str) else NotImplemented
    if found is NotImplemented:
        raise ValueMappingError(f"{kind!r} is no type that has an own form inside any")
    return found


def _read_items(items: Iterable[Any], read_named: ReadNamed, depth: int, place: str = "") -> list[Any]:
    found: list[Any] = []
    append = found.append
    try:
        for each in items:
            append(read_generic(each, read_named, depth + 1))
    except ValueMappingError as exc:
        raise exc.within(f"{place}[{len(found)}]") from None
    return found


def _read_set(items: Iterable[Any], read_named: ReadNamed, depth: int) -> set[Any]:
    found: set[Any] = set()
    hashes = KeyHashes()
    for index, each in enumerate(_read_items(items, read_named, depth, ".value")):
        element = hashable(each)
        if element is NotImplemented:
            raise ValueMappingError("what cannot be compared cannot be in a set", f".value[{index}]")
        if not hashes.admit(element):
            raise ValueMappingError("too many elements have the same hash", f".value[{index}]")
        if element in found:
            raise ValueMappingError("the element stands twice", f".value[{index}]")
        found.add(element)
    return found


def _read_map(content: Any, name: str, read_named: ReadNamed, depth: int) -> Any:
    pairs: list[tuple[Any, Any]] = []
    hashed: dict[Any, Any] | None = {}
    hashes = KeyHashes()
    for index, (key, item) in enumerate(_pairs(content)):
        pair = (
            _read_at(f".value[{index}][0]", key, read_named, depth),
            _read_at(f".value[{index}][1]", item, read_named, depth),
        )
        pairs.append(pair)
        # What has the hash of too many others stays in pairs, which compare with nothing.
        if hashed is not None and _is_plain_key(pair[0]) and hashes.admit(pair[0]) and pair[0] not in hashed:
            hashed[pair[0]] = pair[1]
        else:
            hashed = None
    if hashed is None:
        return Pairs(pairs, name)
    return TypedMap(name, hashed) if name else hashed


def _read_record(content: Any, name: str, read_named: ReadNamed, depth: int) -> Record:
    record = Record(name)
    for index, (key, item) in enumerate(_pairs(content)):
        if not isinstance(key, str) or key in record:
            raise ValueMappingError("a field has a name, and no other field has it", f".value[{index}][0]")
        record[key] = _read_at(f".value[{index}][1]", item, read_named, depth)
    return record


def _items(content: Any, expected: str) -> list[Any]:
    if not isinstance(content, list):
        raise ValueMappingError(f"expected {expected}", ".value")
    return content


def _pairs(content: Any) -> list[Any]:
    if isinstance(content, Mapping):
        return list(content.items())
    pairs = _items(content, "an array of pairs [[key, value], …], or an object")
    for index, each in enumerate(pairs):
        if not isinstance(each, list) or len(each) != 2:
            raise ValueMappingError("expected a pair [key, value]", f".value[{index}]")
    return pairs


def _is_plain_key(key: Any) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True


def hashable(element: Any) -> Any:
    """The same element as a set holds it; `NotImplemented` where there is no such form."""
    if isinstance(element, set):
        return frozenset(element)
    if isinstance(element, list):
        element = tuple(map(hashable, element))
        return NotImplemented if NotImplemented in element else element
    return element if _is_plain_key(element) else NotImplemented


def _real(value: Decimal) -> float:
    number = math.nan if value.is_nan() else float(value)
    if math.isinf(number) and value.is_finite():
        raise ValueMappingError("the number is beyond the largest f64")
    return number


def _read_long(value: Any) -> Long:
    if type(value) is not int or not _I64[0] <= value <= _I64[1]:
        raise ValueMappingError("expected an integer of 64 bits")
    return Long(value)


def _read_bigint(value: str) -> int:
    number = scalar_text.parse_integer(value)
    return BigInt(number) if _I64[0] <= number <= _I64[1] else number


def _read_special(value: str) -> float:
    if value not in SPECIAL_FLOATS:
        raise ValueMappingError('expected "NaN", "Infinity" or "-Infinity"')
    return SPECIAL_FLOATS[value]


def _read_java_date(value: str) -> JavaDate:
    found = scalar_text.parse_datetime(value)
    if found.microsecond % 1000:
        raise ValueMappingError("a java.util.Date has milliseconds")
    return JavaDate.combine(found.date(), found.timetz())


def _of_text(parse: Callable[[str], Any]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, str):
            raise ValueMappingError("expected a text")
        return parse(value)

    return read


_SCALARS: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "i64": _read_long,
        "bigint": _of_text(_read_bigint),
        "f64": _of_text(_read_special),
        "decimal": _of_text(scalar_text.parse_decimal),
        "bytes": _of_text(scalar_text.parse_bytes),
        "date": _of_text(scalar_text.parse_date),
        "time": _of_text(scalar_text.parse_time),
        "datetime": _of_text(scalar_text.parse_datetime),
        "local_datetime": _of_text(scalar_text.parse_local_datetime),
        "duration": _of_text(scalar_text.parse_duration),
        "uuid": _of_text(scalar_text.parse_uuid),
        "java.util.Date": _of_text(_read_java_date),
    }
)


def is_envelope(value: Mapping[Any, Any]) -> bool:
    """Whether an object with these members says what type another value is of."""
    return isinstance(value.get("$type"), str) and value.keys() in (_ENVELOPE, _NAMED_ENVELOPE)


def _at(place: str, read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except ValueMappingError as exc:
        raise exc.within(place) from None


def _read_at(place: str, value: Any, read_named: ReadNamed, depth: int) -> Any:
    try:
        return read_generic(value, read_named, depth + 1)
    except ValueMappingError as exc:
        raise exc.within(place) from None
