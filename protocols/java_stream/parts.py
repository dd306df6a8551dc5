"""What objects of Java's library mean: their numbers, times, elements and entries, whichever class they are of."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from gateway.model.errors import ValueMappingError
from protocols.hessian.java_types import KNOWN_CLASSES, datetime_from_millis
from protocols.java_stream.grammar import Char, JavaArray, JavaObject

__all__ = [
    "big_decimal",
    "big_integer",
    "elements_of",
    "entries_of",
    "instant_of_date",
    "time_of",
    "unboxed",
    "uuid_of",
]

_BOXES: Final[Mapping[str, Callable[[Any], bool]]] = MappingProxyType(
    {
        "java.lang.Boolean": lambda value: isinstance(value, bool),
        "java.lang.Character": lambda value: isinstance(value, Char),
        **{
            f"java.lang.{name}": lambda value, most=1 << bits - 1: type(value) is int and -most <= value < most  # type: ignore[misc]
            for name, bits in (("Byte", 8), ("Short", 16), ("Integer", 32), ("Long", 64))
        },
        **{f"java.lang.{name}": lambda value: isinstance(value, float) for name in ("Float", "Double")},
    }
)
"""Classes of boxed values to what their field holds: a stream describes its classes itself, also wrongly."""
_SCALES: Final = range(-(1 << 31), 1 << 31)
_MAX_DECIMAL_BITS: Final = 33_220
"""Of the digits of a decimal, some 10,000: to make digits of bits takes quadratic time."""

_UNMODIFIABLE: Final = tuple(f"java.util.Collections${prefix}" for prefix in ("Unmodifiable", "Synchronized"))
_HEADS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "java.util.ArrayList": 4,
        "java.util.LinkedList": 4,
        "java.util.ArrayDeque": 4,
        "java.util.HashSet": 12,
        "java.util.HashMap": 8,
        "java.util.Hashtable": 8,
        "java.util.TreeMap": 4,
        "java.util.TreeSet": 4,
        "java.util.CollSer": 4,
    }
)
"""Class to the bytes of block data in front of its elements; the last four of these are their number, except in a
HashSet and a list, where an ArrayList says its number in a field."""
_SET_OF_NONE: Final = "java.util.Collections$EmptySet"
_SETS: Final = frozenset(
    {"java.util.HashSet", "java.util.LinkedHashSet", "java.util.TreeSet", _SET_OF_NONE}
    | {"java.util.Collections$SingletonSet"}
)
_LISTS: Final = frozenset(
    {"java.util.ArrayList", "java.util.LinkedList", "java.util.ArrayDeque", "java.util.Arrays$ArrayList"}
    | {"java.util.Vector", "java.util.Stack", "java.util.Collections$EmptyList", "java.util.Collections$SingletonList"}
)
_MAPS: Final = frozenset(
    {"java.util.HashMap", "java.util.LinkedHashMap", "java.util.TreeMap", "java.util.Hashtable"}
    | {"java.util.Collections$EmptyMap", "java.util.Collections$SingletonMap"}
)
_COLL_SER: Final = "java.util.CollSer"
"""Stands for what `List.of`, `Set.of` and `Map.of` give; its tag says which."""
_LIST_TAG: Final = 1
_SET_TAG: Final = 2
_MAP_TAG: Final = 3
_MAX_WRAPPERS: Final = 16


def unboxed(node: Any) -> Any:
    """The primitive value in an object of its class; anything else as it is."""
    holds = _BOXES.get(node.type_name) if isinstance(node, JavaObject) else None
    if holds is None:
        return node
    value = node.fields.get("value")
    if not holds(value):
        raise ValueMappingError(f"a {node.type_name} that holds something else")
    return value


def big_integer(node: Any) -> int | None:
    """The value of a `BigInteger`, None where it is none."""
    if not isinstance(node, JavaObject) or node.type_name != "java.math.BigInteger":
        return None
    signum, magnitude = node.fields.get("signum"), node.fields.get("magnitude")
    if type(signum) is not int or not isinstance(magnitude, JavaArray) or type(magnitude.items) is not bytes:
        raise ValueMappingError("a BigInteger without signum and magnitude")
    value = int.from_bytes(magnitude.items, "big")
    if signum not in (-1, 0, 1) or (signum == 0) != (value == 0):
        raise ValueMappingError("signum and magnitude make no number")
    return signum * value


def big_decimal(node: Any) -> Decimal | None:
    """The value of a `BigDecimal`, None where it is none."""
    if not isinstance(node, JavaObject) or node.type_name != "java.math.BigDecimal":
        return None
    unscaled, scale = big_integer(node.fields.get("intVal")), node.fields.get("scale")
    # A class may be described with a field that is wider than in Java.
    if unscaled is None or type(scale) is not int or scale not in _SCALES:
        raise ValueMappingError("a BigDecimal without number and scale")
    if unscaled.bit_length() > _MAX_DECIMAL_BITS:
        raise ValueMappingError(f"a BigDecimal of {unscaled.bit_length()} bits; at most {_MAX_DECIMAL_BITS} are read")
    sign, digits, _ = Decimal(unscaled).as_tuple()
    return Decimal((sign, digits, -scale))


def instant_of_date(node: Any) -> datetime | None:
    """The value of a `java.util.Date`, None where it is none (nor of a subclass, which says more)."""
    if not isinstance(node, JavaObject) or node.type_name != "java.util.Date":
        return None
    written = node.written.get("java.util.Date", [])
    if len(written) != 1 or type(written[0]) is not bytes or len(written[0]) != 8:
        raise ValueMappingError("a Date without its milliseconds")
    found: datetime = _made(datetime_from_millis, int.from_bytes(written[0], "big", signed=True))
    return found


def uuid_of(node: Any) -> UUID | None:
    """The value of a `UUID`, None where it is none."""
    if not isinstance(node, JavaObject) or node.type_name != "java.util.UUID":
        return None
    return _made(KNOWN_CLASSES["java.util.UUID"], node.fields)  # type: ignore[no-any-return]


def time_of(node: Any) -> Any:
    """The value of one of java.time's classes, None where it is none of those that are read."""
    if not isinstance(node, JavaObject) or node.type_name != "java.time.Ser":
        return None
    written = node.written.get("java.time.Ser", [])
    if len(written) != 1 or type(written[0]) is not bytes or not written[0]:
        raise ValueMappingError("a time without its data")
    data = written[0]
    read = _TIMES.get(data[0])
    if read is None:
        raise ValueMappingError(f"a value of java.time of kind {data[0]}, which is not read")
    try:
        return _made(read, data[1:])
    except struct.error:
        raise ValueMappingError("a value of java.time with too few bytes, or too many") from None


def _made(make: Callable[[Any], Any], argument: Any) -> Any:
    try:
        return make(argument)
    except (ValueError, ArithmeticError) as exc:
        raise ValueMappingError(str(exc)) from None


def _seconds_and_nanos(class_name: str) -> Callable[[bytes], Any]:
    make = KNOWN_CLASSES[f"java.time.{class_name}"]

    def read(data: bytes) -> Any:
        seconds, nanos = struct.unpack(">qi", data)
        return make({"seconds": seconds, "nanos": nanos})

    return read


def _local_date(data: bytes) -> date:
    return date(*struct.unpack(">iBB", data))


def _local_time(data: bytes) -> time:
    # Zeros at the end are left out: the last number before them is inverted.
    numbers: list[int] = []
    for number in struct.unpack(f">{min(len(data), 3)}b", data[:3]):
        numbers.append(~number if number < 0 else number)
        if number < 0:
            if len(numbers) != len(data):
                raise ValueError("a time with more than its numbers")
            return _clock(numbers)
    (nanos,) = struct.unpack(">i", data[3:])
    if nanos % 1_000:
        raise ValueError("a time finer than microseconds")
    return _clock(numbers, nanos // 1_000)


def _clock(numbers: list[int], micros: int = 0) -> time:
    hour, minute, second = (*numbers, 0, 0)[:3]
    return time(hour, minute, second, micros)


def _local_date_time(data: bytes) -> datetime:
    return datetime.combine(_local_date(data[:6]), _local_time(data[6:]))


_TIMES: Final[Mapping[int, Callable[[bytes], Any]]] = MappingProxyType(
    {
        1: _seconds_and_nanos("Duration"),
        2: _seconds_and_nanos("Instant"),
        3: _local_date,
        4: _local_time,
        5: _local_date_time,
    }
)


def elements_of(node: Any, *, of_set: bool) -> list[Any] | None:
    """The elements of a list or array, or with `of_set` of a set; None where it is no such thing."""
    node = _wrapped(node)
    if isinstance(node, JavaArray):
        return None if of_set or type(node.items) is bytes else node.items
    if not isinstance(node, JavaObject):
        return None
    name = node.type_name
    if name == _COLL_SER:
        return _after_head(node, _COLL_SER) if _tag(node) == (_SET_TAG if of_set else _LIST_TAG) else None
    if name not in (_SETS if of_set else _LISTS):
        return None
    if "Empty" in name:
        return []
    if "Singleton" in name:
        return [node.fields.get("element")]
    if name in ("java.util.Vector", "java.util.Stack", "java.util.Arrays$ArrayList"):
        items = node.fields.get("elementData", node.fields.get("a"))
        if not isinstance(items, JavaArray) or type(items.items) is not list:
            raise ValueMappingError(f"a {name} without its elements")
        count = node.fields.get("elementCount", len(items.items))
        if type(count) is not int or not 0 <= count <= len(items.items):
            raise ValueMappingError(f"a {name} whose number of elements is none")
        return items.items[:count]
    return _after_head(node, "java.util.HashSet" if name == "java.util.LinkedHashSet" else name)


def entries_of(node: Any) -> list[tuple[Any, Any]] | None:
    """The entries of a map, None where it is none."""
    node = _wrapped(node)
    if not isinstance(node, JavaObject):
        return None
    name = node.type_name
    if name == _COLL_SER:
        if _tag(node) != _MAP_TAG:
            return None
        items = _after_head(node, _COLL_SER)
    elif name not in _MAPS:
        return None
    elif "Empty" in name:
        return []
    elif "Singleton" in name:
        return [(node.fields.get("k"), node.fields.get("v"))]
    else:
        items = _after_head(node, "java.util.HashMap" if name == "java.util.LinkedHashMap" else name, per=2)
    if len(items) % 2:
        raise ValueMappingError(f"a {name} with a key without its value")
    return list(zip(items[::2], items[1::2], strict=True))


def _wrapped(node: Any) -> Any:
    """What a view that only forbids changes, or orders them, stands for."""
    for _ in range(_MAX_WRAPPERS):
        if not isinstance(node, JavaObject) or not node.type_name.startswith(_UNMODIFIABLE):
            break
        node = node.fields.get("c", node.fields.get("m"))
    return node


def _tag(node: JavaObject) -> int:
    tag = node.fields.get("tag")
    return tag & 0xFF if type(tag) is int else 0


def _after_head(node: JavaObject, name: str, per: int = 1) -> list[Any]:
    """The objects that a collection wrote behind its block data. Their number is compared with what it says."""
    written = node.written.get(name, [])
    head = _HEADS[name]
    if name == "java.util.TreeSet" and written and not isinstance(written[0], bytes):
        # The comparator, which orders and is no part of the value.
        written = written[1:]
    if not written or type(written[0]) is not bytes or len(written[0]) != head:
        raise ValueMappingError(f"a {name} without its number of elements")
    items = written[1:]
    if any(type(each) is bytes for each in items):
        raise ValueMappingError(f"a {name} with other things than its elements")
    size = node.fields.get("size") if name == "java.util.ArrayList" else int.from_bytes(written[0][-4:], "big")
    if size != len(items) // per:
        raise ValueMappingError(f"a {name} that says {size} elements and has {len(items) // per}")
    return items
