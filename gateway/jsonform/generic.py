"""Values of type `any`, and of calls without a contract, as JSON that says what JSON alone cannot.

| value | JSON |
| --- | --- |
| null, bool, text | null, true and false, a text |
| integer of 32 bits; `Long` of 33 to 64 bits; integer beyond | a number |
| finite float | a number with a fraction or an exponent |
| list | an array |
| map with text keys | an object |
| `Record`, struct or exception of the contract | an object with the name as `class`; the text as `message` |
| `Long` that 32 bits hold | `{"$type": "i64", "value": 7}` |
| `BigInt` that 64 bits hold, integer beyond 2048 bits | `{"$type": "bigint", "value": "7"}` |
| NaN, infinities | `{"$type": "f64", "value": "NaN"}` |
| decimal, bytes, date, time, datetime, local_datetime, duration, uuid | the same with the type's name and text |
| `JavaDate` | `{"$type": "java.util.Date", "value": "2026-01-02T03:04:05Z"}` |
| enum of the contract | `{"$type": "demo.Status", "value": "ACTIVE"}` |
| set | `{"$type": "set", "value": […]}` |
| map with other keys, `Pairs` | `{"$type": "map", "value": [[key, value], …]}` |
| `TypedList`, `TypedMap` | `{"$type": "list", "class": "[int", "value": […]}`, the same with `map` |
| map that would be taken for one of these | as a map with other keys |
| `Record` with a field `class` or `$type` | `{"$type": "record", "class": "a.B", "value": [[name, value], …]}` |

So an object means something else than itself only when it has a text under `class`, or consists of `$type`, `value` and
maybe `class`. A value comes back as the value it was, except where no wire makes a difference: a tuple comes back as a
list, a frozenset as a set, an aware datetime in UTC, a plain integer of 33 to 64 bits as `Long`, `Pairs` whose keys can
be hashed as a map. What has no form is refused with its path: a container inside itself, classes without a contract.

`show_generic` writes those too, for people: a container inside itself becomes `{"$ref": n}`, where n counts the
containers of the output from 0 in the order they open; an unknown dataclass or exception stands under its Python name.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Set
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from gateway.jsonform import scalar_text
from gateway.model.contract import EnumType, NamedType, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.generic import BigInt, JavaDate, Long, Pairs, Record, TypedList, TypedMap
from gateway.model.scalar import INTEGER_RANGES
from gateway.model.typeref import Kind

__all__ = [
    "MAX_DEPTH",
    "ReadNamed",
    "compile_generic_writer",
    "key_text",
    "read_generic",
    "refuse_surrogates",
    "show_generic",
    "special_text",
    "to_json_generic",
]

ReadNamed = Callable[[str, Mapping[str, Any] | str, int], Any]
"""Reads what names a type of the contract, `depth` levels down; `NotImplemented` if the contract has no such type.

Given are the name and the other members of an object, or the name and the constant of an enum.
"""

_Place = Callable[[str, int], str]
"""How a path goes on to a member, from its key and its number."""

MAX_DEPTH: Final = 64
"""How many levels values nest: what wires carry by default."""

_MAX_CONTAINERS: Final = 1_000_000
_SHOWN: Final = 64
_ENVELOPE: Final = frozenset({"$type", "value"})
_NAMED_ENVELOPE: Final = _ENVELOPE | {"class"}
_I32: Final = INTEGER_RANGES[Kind.I32]
_I64: Final = INTEGER_RANGES[Kind.I64]
_SPECIAL: Final = MappingProxyType({"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf})
# Parsers of JSON need not read longer numbers; Python itself may refuse them.
_LITERAL_BITS: Final = 2048


def to_json_generic(value: Any, contract: ServiceContract | None = None) -> Any:
    """A value of type `any` as values `format_json` writes. `contract`: whose classes it may hold.

    Raises:
        ValueMappingError: nested deeper than 64 levels, more than a million containers (shared ones count each
            time), or something in it has no form; `path` says where.
    """
    return compile_generic_writer(contract)(value, 0)


def compile_generic_writer(contract: ServiceContract | None) -> Callable[[Any, int], Any]:
    """`to_json_generic` for one contract and values so many levels deep inside of another."""
    types = {each.python_class: each for each in contract.types.values()} if contract is not None else {}

    def write(value: Any, depth: int) -> Any:
        if value is None or type(value) is bool:
            return value
        return _Writer(types, for_people=False).write(value, depth)

    return write


def show_generic(value: Any) -> Any:
    """The same for people: what has no exact form is shown as well as it can be.

    Raises:
        ValueMappingError: nested deeper than 64 levels, more than a million containers, or of a class that is no value.
    """
    return _Writer({}, for_people=True).write(value, 0)


def _nothing_named(name: str, members: Mapping[str, Any] | str, depth: int) -> Any:
    return NotImplemented


def read_generic(value: Any, read_named: ReadNamed = _nothing_named, depth: int = 0) -> Any:
    """The value that JSON of type `any` stands for, `depth` levels inside of another.

    An object that names a class `read_named` does not know becomes a `Record`.

    Raises:
        ValueMappingError: nested deeper than 64 levels, a `$type` that is none, or its value does not fit; says where.
    """
    if depth > MAX_DEPTH:
        raise ValueMappingError(f"nested deeper than {MAX_DEPTH} levels")
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
    if "$type" in value and value.keys() in (_ENVELOPE, _NAMED_ENVELOPE) and isinstance(value["$type"], str):
        return _read_envelope(value, read_named, depth)
    name = value.get("class")
    if not isinstance(name, str):
        return _read_members(value, read_named, depth, _key)
    members = {key: each for key, each in value.items() if key != "class"}
    known = read_named(name, members, depth)
    if known is not NotImplemented:
        return known
    return Record(name, _read_members(members, read_named, depth, _field))


def _read_members(members: Mapping[str, Any], read_named: ReadNamed, depth: int, place: _Place) -> dict[str, Any]:
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
    for index, each in enumerate(_read_items(items, read_named, depth, ".value")):
        element = _hashable(each)
        if element is NotImplemented:
            raise ValueMappingError("what cannot be compared cannot be in a set", f".value[{index}]")
        if element in found:
            raise ValueMappingError("the element stands twice", f".value[{index}]")
        found.add(element)
    return found


def _read_map(content: Any, name: str, read_named: ReadNamed, depth: int) -> Any:
    pairs: list[tuple[Any, Any]] = []
    hashed: dict[Any, Any] | None = {}
    for index, (key, item) in enumerate(_pairs(content)):
        pair = (
            _read_at(f".value[{index}][0]", key, read_named, depth),
            _read_at(f".value[{index}][1]", item, read_named, depth),
        )
        pairs.append(pair)
        if hashed is not None and _is_plain_key(pair[0]) and pair[0] not in hashed:
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


def _hashable(element: Any) -> Any:
    """The same element as a set holds it; `NotImplemented` where there is no such form."""
    if isinstance(element, set):
        return frozenset(element)
    if isinstance(element, list):
        element = tuple(map(_hashable, element))
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
    if value not in _SPECIAL:
        raise ValueMappingError('expected "NaN", "Infinity" or "-Infinity"')
    return _SPECIAL[value]


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


class _Writer:
    def __init__(self, types: Mapping[type[Any], NamedType], *, for_people: bool) -> None:
        self._types = types
        self._for_people = for_people
        self._open: dict[int, int] = {}
        self._opened = 0

    def write(self, value: Any, depth: int) -> Any:
        cls = type(value)
        if value is None or cls is bool:
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
        return self._container(value, depth) if scalar is None else scalar

    def _text(self, value: str) -> str:
        if not (value.isascii() or self._for_people):
            refuse_surrogates(value)
        return str.__str__(value)

    def _constant(self, value: Enum) -> Any:
        definition = self._types.get(type(value))
        if isinstance(definition, EnumType):
            return _envelope(definition.name, value.name)
        if self._for_people:
            return value.name
        raise ValueMappingError(f"{type(value).__qualname__} is no enum of the contract")

    def _container(self, value: Any, depth: int) -> Any:
        number = self._open.get(id(value))
        if number is not None:
            if not self._for_people:
                raise ValueMappingError("a value that contains itself has no form in JSON")
            return {"$ref": number}
        if depth > MAX_DEPTH:
            raise ValueMappingError(f"nested deeper than {MAX_DEPTH} levels")
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
            if "class" in value or "$type" in value or not all(map(_is_text, value)):
                return self._envelope("record", self._pairs(value.items(), depth), value.type_name)
            return {"class": value.type_name, **self._object(value.items(), depth, _field)}
        if isinstance(value, Pairs):
            return self._envelope("map", self._pairs(value, depth), value.type_name)
        if isinstance(value, Mapping):
            return self._map(value, depth)
        if isinstance(value, TypedList):
            return self._envelope("list", self._items(value, depth, ".value"), value.type_name)
        if isinstance(value, list | tuple):
            return self._items(value, depth, "")
        if isinstance(value, Set):
            return _envelope("set", self._items(value, depth, ".value"))
        if isinstance(value, BaseException) or dataclasses.is_dataclass(value):
            return self._instance(value, depth)
        raise ValueMappingError(f"{type(value).__qualname__} is no value")

    def _map(self, value: Mapping[Any, Any], depth: int) -> Any:
        name = value.type_name if isinstance(value, TypedMap) else ""
        plain = all(map(_is_text, value))
        if name:
            items = self._object(value.items(), depth, _value_key) if plain else self._pairs(value.items(), depth)
            return self._envelope("map", items, name)
        if plain and not _means_something_else(value):
            return self._object(value.items(), depth, _key)
        return _envelope("map", self._pairs(value.items(), depth))

    def _envelope(self, kind: str, content: Any, name: str) -> dict[str, Any]:
        return {"$type": kind, "class": name, "value": content} if name else _envelope(kind, content)

    def _items(self, items: Iterable[Any], depth: int, place: str) -> list[Any]:
        written: list[Any] = []
        append = written.append
        try:
            for each in items:
                append(self.write(each, depth))
        except ValueMappingError as exc:
            raise exc.within(f"{place}[{len(written)}]") from None
        return written

    def _pairs(self, items: Iterable[tuple[Any, Any]], depth: int) -> list[list[Any]]:
        return [
            [self._at(f"[key {index}]", key, depth), self._at(f"[{key_text(key, index)}]", item, depth)]
            for index, (key, item) in enumerate(items)
        ]

    def _object(self, items: Iterable[tuple[str, Any]], depth: int, place: _Place) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for key, item in items:
            try:
                written[self._text(key)] = self.write(item, depth)
            except ValueMappingError as exc:
                raise exc.within(place(key, len(written))) from None
        return written

    def _at(self, place: str, value: Any, depth: int) -> Any:
        try:
            return self.write(value, depth)
        except ValueMappingError as exc:
            raise exc.within(place) from None

    def _instance(self, value: Any, depth: int) -> dict[str, Any]:
        definition = self._types.get(type(value))
        if isinstance(definition, StructType):
            name = definition.name
            members = [(field.name, getattr(value, field.attribute)) for field in definition.fields]
            message = value.args[0] if definition.is_exception and value.args else None
        elif self._for_people:
            name = type(value).__qualname__
            fields = dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()
            members = [(field.name, getattr(value, field.name)) for field in fields]
            message = str(value) if isinstance(value, BaseException) and value.args else None
        else:
            raise ValueMappingError(f"{type(value).__qualname__} is no class of the contract")
        shown: dict[str, Any] = {"class": name}
        if isinstance(value, BaseException):
            shown["message"] = self._at(".message", message, depth)
        return {**shown, **self._object(members, depth, _field)}


def special_text(value: float) -> str:
    """The text of a float that JSON has no number for."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def refuse_surrogates(text: str) -> None:
    """Raises `ValueMappingError` for a text with a lone surrogate, which UTF-8 has no bytes for."""
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise ValueMappingError(f"the lone surrogate at character {exc.start} has no form in JSON") from None


def key_text(key: Any, index: int) -> str:
    """How a path names the value of a key: by the key, or by its place where the key has no short text."""
    if isinstance(key, str):
        return repr(key) if len(key) <= _SHOWN else str(index)
    return repr(key) if isinstance(key, int) and key.bit_length() <= _SHOWN else str(index)


def _key(key: str, index: int) -> str:
    return f"[{key_text(key, index)}]"


def _value_key(key: str, index: int) -> str:
    return f".value[{key_text(key, index)}]"


def _field(key: str, index: int) -> str:
    return f".{key}" if key.isidentifier() and len(key) <= _SHOWN else _key(key, index)


def _is_text(key: Any) -> bool:
    return isinstance(key, str) and not isinstance(key, Enum)


def _means_something_else(value: Mapping[str, Any]) -> bool:
    """Whether an object with these members would be read as a class or as an envelope."""
    return isinstance(value.get("class"), str) or (
        isinstance(value.get("$type"), str) and value.keys() in (_ENVELOPE, _NAMED_ENVELOPE)
    )


def _envelope(kind: str, content: Any) -> dict[str, Any]:
    return {"$type": kind, "value": content}


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
