"""Which form a list has: elements of its own in what contains it, or a type of its own.

A list or set that is not null and has no default but the empty one is written as Java's and .NET's classes have it:
one element after the other, none where it is empty. That form cannot tell null, a default and an empty list apart, nor
can lists of lists have it; those are an element of a type like `ArrayOfInt`, with elements `item` inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from gateway.model.contract import MISSING, Param, ServiceContract, StructType
from gateway.model.typeref import Kind, TypeRef

__all__ = ["absent_param", "absent_result", "is_repeated", "own_types"]

_CONTAINERS: Final = frozenset({Kind.LIST, Kind.SET, Kind.MAP})


def is_repeated(ref: TypeRef, absent: Any) -> bool:
    """Whether the element is repeated. `absent`: what it is where it is left out, `MISSING` where it may not be."""
    if ref.kind not in (Kind.LIST, Kind.SET) or ref.nullable:
        return False
    return absent is MISSING or (absent is not None and not absent)


def absent_param(param: Param) -> Any:
    """What a parameter is whose element is left out; `MISSING` where it may not be."""
    return None if param.default is MISSING and param.type.nullable else param.default


def absent_result(ref: TypeRef) -> Any:
    """The same of a result."""
    return None if ref.nullable or ref.kind in (Kind.ANY, Kind.NULL) else MISSING


def own_types(contract: ServiceContract) -> list[TypeRef]:
    """The lists, sets and maps of a contract that are types of their own, each once, outer ones first."""
    found: dict[TypeRef, None] = {}
    for ref, absent in _uses(contract):
        _collect(ref.args[0] if is_repeated(ref, absent) else ref, found)
    return list(found)


def _uses(contract: ServiceContract) -> Iterator[tuple[TypeRef, Any]]:
    for method in contract.methods:
        yield from ((param.type, absent_param(param)) for param in method.params)
        yield method.returns, absent_result(method.returns)
    for definition in contract.types.values():
        if isinstance(definition, StructType):
            yield from ((field.type, field.absent()) for field in definition.fields)


def _collect(ref: TypeRef, found: dict[TypeRef, None]) -> None:
    if ref.kind in _CONTAINERS:
        found[ref.required()] = None
    for each in ref.args:
        _collect(each, found)
