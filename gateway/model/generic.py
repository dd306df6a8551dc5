"""The few light wrappers that let a value without a contract survive its wire.

A generic call passes values as decoded. Plain Python values say everything except a few things, which these
classes keep: the width of an integer, which of its date classes Java used, the class of a record and the declared
type of a collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

__all__ = ["BigInt", "JavaDate", "Long", "Pairs", "Record", "TypedList", "TypedMap"]


class Long(int):
    """An integer that travelled as 64 bits although 32 would hold it (`java.lang.Long`)."""

    __slots__ = ()


class BigInt(int):
    """An integer of unbounded width that 64 bits would hold (`java.math.BigInteger`)."""

    __slots__ = ()


class JavaDate(datetime):
    """An instant in milliseconds that travelled as `java.util.Date`, not as one of java.time. Always in UTC."""


class Record(dict[str, Any]):
    """An object of a class that no contract describes: fields by name, in the order they arrived.

    Two records are equal when class and fields are; identity carries shared references.
    """

    __slots__ = ("type_name",)

    def __init__(self, type_name: str, fields: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__(fields)
        self.type_name = type_name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self.type_name == other.type_name and dict.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # mutable, like dict

    def __repr__(self) -> str:
        # A record may contain itself: the class and the field names say enough.
        return f"Record({self.type_name!r}, fields={list(self)})"


class TypedList(list[Any]):
    """A list that named its type on the wire (`java.util.HashSet`, `[int`)."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str, items: Iterable[Any] = ()) -> None:
        super().__init__(items)
        self.type_name = type_name


class TypedMap(dict[Any, Any]):
    """A map that named its type on the wire (`java.util.TreeMap`)."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str, items: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = ()) -> None:
        super().__init__(items)
        self.type_name = type_name


class Pairs(list[tuple[Any, Any]]):
    """A map with keys that Python cannot hash, kept as pairs. `type_name` is empty for an untyped map."""

    __slots__ = ("type_name",)

    def __init__(self, items: Iterable[tuple[Any, Any]] = (), type_name: str = "") -> None:
        super().__init__(items)
        self.type_name = type_name
