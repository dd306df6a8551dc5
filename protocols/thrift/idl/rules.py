"""What Thrift's own words mean for a contract, before any annotation is read.

| Thrift | type | null, default |
| --- | --- | --- |
| bool, byte, i8, i16, i32, i64, double | bool, i8, i8, i16, i32, i64, f64 | |
| string, binary, uuid | string, bytes, uuid | |
| list, set, map | the same | elements, keys and values are never null |
| enum, struct, union, exception, typedef | what they declare | |
| `required` field | | not null, no default |
| `optional` field | | null, which is the default too |
| other field of bool, a number | | not null; absent is false or zero, as generated code has it |
| other field | | null: generated code of many languages leaves out what nobody set |
| field with a value | | not null, the value |
| parameter | | not null; its value is its default |
| result | | not null |

The writer says in annotations what is otherwise, so both go by these rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from gateway.model.contract import MISSING
from gateway.model.errors import ContractError
from gateway.model.typeref import Kind, TypeRef
from protocols.thrift import names
from protocols.thrift.idl.syntax import Type
from protocols.thrift.idl.words import TYPE

__all__ = ["Implied", "field_rule", "hashable", "implied_type", "param_rule", "thrift_type", "written_type"]

_BASE: Final[Mapping[str, TypeRef]] = MappingProxyType(
    {
        "bool": TypeRef(Kind.BOOL),
        "byte": TypeRef(Kind.I8),
        "i8": TypeRef(Kind.I8),
        "i16": TypeRef(Kind.I16),
        "i32": TypeRef(Kind.I32),
        "i64": TypeRef(Kind.I64),
        "double": TypeRef(Kind.F64),
        "string": TypeRef(Kind.STRING),
        "binary": TypeRef(Kind.BYTES),
        "uuid": TypeRef(Kind.UUID, hints=((names.PROTOCOL, "uuid"),)),
    }
)
_ZEROS: Final[Mapping[Kind, Any]] = MappingProxyType(
    {Kind.BOOL: False, Kind.I8: 0, Kind.I16: 0, Kind.I32: 0, Kind.I64: 0, Kind.F64: 0.0, Kind.F32: 0.0}
)
_WORDS: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.NULL: "void",
        Kind.BOOL: "bool",
        Kind.I8: "i8",
        Kind.I16: "i16",
        Kind.I32: "i32",
        Kind.I64: "i64",
        Kind.F32: "double",
        Kind.F64: "double",
        Kind.BYTES: "binary",
        Kind.DATETIME: "i64",
    }
)
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_CONTAINERS: Final = {"list": Kind.LIST, "set": Kind.SET, "map": Kind.MAP}


class Implied(NamedTuple):
    """What follows from the words of a field or parameter. `default`: plain, see `gateway.model.outline`."""

    ref: TypeRef
    default: Any


def field_rule(ref: TypeRef, requiredness: str, value: Any) -> Implied:
    """Of a field of a struct. `value`: MISSING where none is written."""
    if value is not MISSING:
        return Implied(ref, value)
    if requiredness == "required":
        return Implied(ref, MISSING)
    if requiredness == "optional" or ref.kind not in _ZEROS:
        return Implied(ref.optional(), None)
    return Implied(ref, _ZEROS[ref.kind])


def param_rule(ref: TypeRef, value: Any) -> Implied:
    """Of a parameter. Compilers pass over `required` and `optional` there."""
    return Implied(ref, value)


def written_type(ref: TypeRef, name_of: Callable[[TypeRef], str]) -> Type:
    """The words for a type; null and hints are not part of them. `name_of`: of structs, enums and exceptions."""
    if ref.args:
        return Type(ref.kind.value, tuple(written_type(each, name_of) for each in ref.args), 0, _NONE)
    if ref.kind is Kind.UUID and ref.hint(names.PROTOCOL) == "uuid":
        return Type("uuid", (), 0, _NONE)
    return Type(name_of(ref) if ref.name else _WORDS.get(ref.kind, "string"), (), 0, _NONE)


def thrift_type(ref: TypeRef, name_of: Callable[[TypeRef], str]) -> str:
    """As `written_type`, as text."""
    return _text(written_type(ref, name_of))


def _text(written: Type) -> str:
    inner = ", ".join(map(_text, written.args))
    return f"{written.name}<{inner}>" if inner else written.name


def implied_type(written: Type, declared: Callable[[Type], TypeRef], annotated: Callable[[str], TypeRef]) -> TypeRef:
    """The type that words mean.

    Args:
        written: The words.
        declared: The type of a name that is no base type.
        annotated: The type of a text, where a base type or container is annotated with one.
    """
    said = written.annotations.get(TYPE)
    if said is not None:
        return annotated(said)
    if written.name in _CONTAINERS:
        args = [implied_type(each, declared, annotated) for each in written.args]
        if written.name != "list":
            args[0] = hashable(args[0])
        return TypeRef(_CONTAINERS[written.name], tuple(args))
    return _BASE.get(written.name) or declared(written)


def hashable(ref: TypeRef) -> TypeRef:
    """A type whose values can be keys: lists are tuples in Python, sets frozensets. Raises ContractError for maps."""
    if ref.kind is Kind.MAP:
        raise ContractError(f"{ref} cannot be a key or an element of a set")
    if ref.kind not in (Kind.LIST, Kind.SET):
        return ref
    python = "tuple" if ref.kind is Kind.LIST else "frozenset"
    hints = tuple(sorted({**dict(ref.hints), "python": python}.items()))
    return TypeRef(ref.kind, (hashable(ref.args[0]),), "", ref.nullable, hints)
