"""Contracts apart from their Python classes: what an IDL says, and what two contracts are compared by.

An *outline* is a `ServiceContract` whose structs have no class yet (`python_class` is `Unmade`), whose enums have
one that holds nothing but constants, and whose defaults are plain: containers are tuples, frozensets and dicts,
structs are `StructValue`s, and no field has a `default_factory`. Readers of an IDL give outlines,
`gateway.contracts.source` writes them as Python, and contracts are the same where their outlines are equal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from gateway.model.contract import MISSING, EnumType, Field, NamedType, Param, ServiceContract
from gateway.model.typeref import Kind, TypeRef

__all__ = ["StructValue", "Unmade", "constants_of", "enum_outline", "outline_of", "plain_default"]


class Unmade:
    """Stands where the Python class of a struct will be."""


@dataclass(frozen=True, slots=True)
class StructValue:
    """A default of a struct's type. `values`: contract name and plain value of its fields, in their order."""

    name: str
    values: tuple[tuple[str, Any], ...]


_NAN: Final = math.nan
"""One object for all, so that outlines with it are equal to themselves."""


def enum_outline(
    name: str, constants: Mapping[str, Any], names: Mapping[str, str] | None = None, doc: str = ""
) -> EnumType:
    """An enum by its constants and what they are called by a number or text of another language.

    `constants`: no two values are equal, for Python would take the second for another name of the first.

    Raises:
        ValueError: a name, or two equal values, that enums of Python cannot have.
        TypeError: the same.
    """
    made = _enum_class(name, tuple((constant, type(value), value) for constant, value in constants.items()))
    for constant, member in zip(constants, made, strict=False):
        if member.name != constant:
            raise ValueError(f"{constant!r} is none of its constants in Python")
    if len(made) != len(constants):
        raise ValueError(f"{list(constants)[len(made)]!r} is none of its constants in Python")
    return EnumType(name, made, tuple(constants), MappingProxyType(dict(names or {})), doc)


def constants_of(enum: EnumType) -> Mapping[str, Any]:
    """The constants of an enum with their Python values."""
    return {member.name: member.value for member in enum.python_class}


def outline_of(contract: ServiceContract) -> ServiceContract:
    """The contract without what belongs to its Python classes alone."""
    methods = tuple(
        replace(each, params=tuple(_param(param, contract) for param in each.params)) for each in contract.methods
    )
    types: dict[str, NamedType] = {}
    for name, named in contract.types.items():
        if isinstance(named, EnumType):
            types[name] = enum_outline(name, constants_of(named), named.names, named.doc)
        else:
            fields = tuple(_field(each, contract) for each in named.fields)
            types[name] = replace(named, python_class=Unmade, fields=fields)
    callbacks = {name: outline_of(each) for name, each in contract.callbacks.items()}
    return replace(contract, methods=methods, types=MappingProxyType(types), callbacks=MappingProxyType(callbacks))


def plain_default(value: Any, ref: TypeRef, contract: ServiceContract) -> Any:
    """A value of a type as outlines have it. What is plain already stays as it is."""
    if value is None or isinstance(value, StructValue):
        return value
    match ref.kind:
        case Kind.F32 | Kind.F64 if isinstance(value, float) and math.isnan(value):
            return _NAN
        case Kind.LIST:
            return tuple(plain_default(each, ref.args[0], contract) for each in value)
        case Kind.SET:
            return frozenset(plain_default(each, ref.args[0], contract) for each in value)
        case Kind.MAP:
            key, item = ref.args
            return {plain_default(each, key, contract): plain_default(value[each], item, contract) for each in value}
        case Kind.ENUM:
            return _constant(value, contract.enum(ref))
        case Kind.STRUCT | Kind.EXCEPTION:
            fields = contract.struct(ref).fields
            values = ((each, getattr(value, each.attribute)) for each in fields)
            return StructValue(
                ref.name, tuple((each.name, plain_default(item, each.type, contract)) for each, item in values)
            )
    return value


def _param(param: Param, contract: ServiceContract) -> Param:
    if param.default is MISSING:
        return param
    return replace(param, default=plain_default(param.default, param.type, contract))


def _field(field: Field, contract: ServiceContract) -> Field:
    default = field.default if field.default_factory is None else field.default_factory()
    if default is MISSING:
        return field
    return replace(field, default=plain_default(default, field.type, contract), default_factory=None)


def _constant(member: Any, enum: EnumType) -> Any:
    outlined = enum_outline(enum.name, constants_of(enum))
    return outlined.python_class[member.name]


@lru_cache(maxsize=4096)
def _enum_class(name: str, constants: Sequence[tuple[str, type[Any], Any]]) -> Any:
    """One class for equal enums, so that outlines of one contract are equal. The type tells True from 1."""
    return Enum(name.rpartition(".")[2], [(constant, value) for constant, _, value in constants])
