"""What a Thrift file says, before any name in it is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = [
    "Constant",
    "Enumeration",
    "Function",
    "Member",
    "Named",
    "Pairs",
    "Program",
    "Record",
    "Service",
    "Type",
    "Value",
]

Annotations = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Named:
    """A name in the place of a value: of a constant of the file, or of an enum."""

    name: str


@dataclass(frozen=True, slots=True)
class Type:
    """`name`: of a base type, `list`, `set`, `map`, or of something declared. `args`: element, or key and value."""

    name: str
    args: tuple[Type, ...]
    line: int
    annotations: Annotations


@dataclass(frozen=True, slots=True)
class Pairs:
    """A constant between braces: of a map, or a struct by the names of its fields."""

    items: tuple[tuple[Value, Value], ...]


Value: TypeAlias = "bool | int | float | str | Named | Pairs | tuple[Value, ...]"
"""A constant as it is written; a tuple for what stands between square brackets."""


@dataclass(frozen=True, slots=True)
class Member:
    """A field, parameter or exception of a function. `requiredness`: `required`, `optional` or empty.

    `number`: None where the file has none. `value`: None where there is no default.
    """

    number: int | None
    requiredness: str
    type: Type
    name: str
    value: Value | None
    line: int
    doc: str
    annotations: Annotations


@dataclass(frozen=True, slots=True)
class Function:
    """A method. `returns`: None for void."""

    name: str
    returns: Type | None
    params: tuple[Member, ...]
    throws: tuple[Member, ...]
    oneway: bool
    line: int
    doc: str
    annotations: Annotations


@dataclass(frozen=True, slots=True)
class Record:
    """`kind`: `struct`, `union` or `exception`."""

    kind: str
    name: str
    fields: tuple[Member, ...]
    line: int
    doc: str
    annotations: Annotations


@dataclass(frozen=True, slots=True)
class Constant:
    """One constant of an enum. `number`: None where the file has none."""

    name: str
    number: int | None
    line: int
    annotations: Annotations


@dataclass(frozen=True, slots=True)
class Enumeration:
    """An enum."""

    name: str
    constants: tuple[Constant, ...]
    line: int
    doc: str
    annotations: Annotations


@dataclass(frozen=True, slots=True)
class Service:
    """A service. `base`: the name of the one it extends, empty for none."""

    name: str
    base: str
    functions: tuple[Function, ...]
    line: int
    doc: str
    annotations: Annotations


@dataclass(slots=True)
class Program:
    """One file. `includes`: paths as written, with their lines. `constants`: type and value by name."""

    location: str
    includes: list[tuple[str, int]] = field(default_factory=list)
    namespaces: dict[str, str] = field(default_factory=dict)
    typedefs: dict[str, Type] = field(default_factory=dict)
    constants: dict[str, tuple[Type, Value]] = field(default_factory=dict)
    enums: dict[str, Enumeration] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
