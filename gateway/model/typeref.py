"""The closed set of types a contract may use, and their text form.

A `TypeRef` is a value: hashable, comparable, without behaviour of any protocol. Structs, enums and
exceptions are referred to by their contract name; their definitions stand in `ServiceContract.types`, and those of
callbacks in `ServiceContract.callbacks`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

__all__ = ["SCALARS", "Kind", "TypeRef"]


class Kind(Enum):
    """What a value is, before any protocol gives it a form. The value is the name in the text form."""

    NULL = "null"
    """No value: the return type of a method that returns nothing."""
    BOOL = "bool"
    I8 = "i8"
    I16 = "i16"
    I32 = "i32"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"
    BIGINT = "bigint"
    DECIMAL = "decimal"
    CHAR = "char"
    """One UTF-16 code unit, held as a one-character `str`."""
    STRING = "string"
    BYTES = "bytes"
    DATE = "date"
    TIME = "time"
    """Time of day without a zone, microseconds."""
    DATETIME = "datetime"
    """An instant with microseconds: an aware `datetime`, normalised to UTC."""
    LOCAL_DATETIME = "local_datetime"
    """Date and time of day without a zone: a naive `datetime`."""
    DURATION = "duration"
    """A `timedelta`."""
    UUID = "uuid"
    LIST = "list"
    SET = "set"
    MAP = "map"
    ENUM = "enum"
    STRUCT = "struct"
    EXCEPTION = "exception"
    ANY = "any"
    """A value that describes itself; only self-describing wires carry it."""
    CALLBACK = "callback"
    """An object of the caller that can be called (`gateway.model.callback`); a type of whole parameters only."""


_NAMED: Final = frozenset({Kind.ENUM, Kind.STRUCT, Kind.EXCEPTION, Kind.CALLBACK})

_ARGUMENTS: Final = {Kind.LIST: 1, Kind.SET: 1, Kind.MAP: 2}

SCALARS: Final = frozenset(Kind) - _NAMED - {Kind.LIST, Kind.SET, Kind.MAP, Kind.ANY}
"""Kinds that need neither arguments nor a name."""


@dataclass(frozen=True, slots=True)
class TypeRef:
    """The type of one parameter, field, element or return value.

    `args`: the element type of a list or set; key and value type of a map; empty otherwise.
    `name`: contract name of a struct, enum or exception (`demo.Product`), or of a callback's service; empty otherwise.
    `hints`: what single protocols want to know about this use of the type, as sorted `(key, text)` pairs:
    `("java", "java.util.Date")`, `("java", "int[]")`. A hint never changes the set of values.
    `("python", "tuple")` on a list and `("python", "frozenset")` on a set say which class a decoder builds; without
    them it is `list` and `set`. They are what makes a list, a set or a struct with such fields usable as a key.
    """

    kind: Kind
    args: tuple[TypeRef, ...] = ()
    name: str = ""
    nullable: bool = False
    hints: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        expected = _ARGUMENTS.get(self.kind, 0)
        if len(self.args) != expected:
            raise ValueError(f"{self.kind.value} takes {expected} type arguments, got {len(self.args)}")
        if (self.kind in _NAMED) != bool(self.name):
            raise ValueError(f"{self.kind.value} {'needs' if self.kind in _NAMED else 'has no'} name")

    def hint(self, protocol: str) -> str | None:
        """The hint written for `protocol`, or None."""
        for key, text in self.hints:
            if key == protocol:
                return text
        return None

    def required(self) -> TypeRef:
        """The same type without null."""
        return replace(self, nullable=False) if self.nullable else self

    def optional(self) -> TypeRef:
        """The same type with null."""
        return self if self.nullable else replace(self, nullable=True)

    def __str__(self) -> str:
        """The text form: `map<string,demo.Product?>`. Hints are not part of it."""
        if self.args:
            text = f"{self.kind.value}<{','.join(map(str, self.args))}>"
        else:
            text = self.name or self.kind.value
        return text + "?" if self.nullable else text
