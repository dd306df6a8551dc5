"""Which named types a set of types leads to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gateway.model.contract import MethodContract, NamedType, StructType
from gateway.model.typeref import Kind, TypeRef

__all__ = ["key_types", "method_types", "reachable"]


def method_types(methods: Iterable[MethodContract]) -> Iterator[TypeRef]:
    """The types of parameters, results and declared exceptions."""
    for method in methods:
        yield from (method.returns, *method.throws, *(each.type for each in method.params))


def key_types(refs: Iterable[TypeRef]) -> Iterator[TypeRef]:
    """The types among these, and inside them, whose values must be hashable: map keys and elements of sets."""
    for ref in refs:
        if ref.kind in (Kind.MAP, Kind.SET):
            yield ref.args[0]
        yield from key_types(ref.args)


def reachable(refs: Iterable[TypeRef], types: Mapping[str, NamedType]) -> frozenset[str]:
    """The names of all types in these, and in the fields of structs among them."""
    found: set[str] = set()
    waiting = list(refs)
    while waiting:
        ref = waiting.pop()
        waiting += ref.args
        named = types.get(ref.name)
        if named is None or named.name in found:
            continue
        found.add(named.name)
        if isinstance(named, StructType):
            waiting += (each.type for each in named.fields)
    return frozenset(found)
