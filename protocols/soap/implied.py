"""What an element of a schema of ours means for a contract, before any note is read (`protocols.soap.notes`).

| element | type | default |
| --- | --- | --- |
| `maxOccurs="unbounded"` | a list of its type | none |
| `nillable="true"` | with null | null for a field, none for a parameter |
| `minOccurs="0"` with a default in a note | without null | the default |
| `minOccurs="0"` otherwise | with null | null for a field, none for a parameter |
| otherwise | without null | none |

Writer and reader both go by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from gateway.model.contract import MISSING
from gateway.model.typeref import Kind, TypeRef
from protocols.soap.names import PROTOCOL, SIMPLE_TYPES
from protocols.soap.scalar import BUILT_IN

__all__ = [
    "OWN_TYPES",
    "SCHEMA_TYPES",
    "Implied",
    "contract_type_name",
    "implied_element",
    "implied_names",
    "implied_type",
]

SCHEMA_TYPES: Final[Mapping[str, Kind]] = MappingProxyType({name: kind for kind, name in BUILT_IN.items()})
"""Built-in types of XML Schema, as the codec means them."""
OWN_TYPES: Final[Mapping[str, Kind]] = MappingProxyType({name: kind for kind, name in SIMPLE_TYPES.items()})
"""Simple types that every schema of ours may have."""


class Implied(NamedTuple):
    """What follows for a parameter, field or result. `default`: None or MISSING."""

    ref: TypeRef
    default: Any


def implied_element(
    ref: TypeRef, *, nillable: bool, may_lack: bool, repeated: bool, noted: bool, field: bool
) -> Implied:
    """Of an element. `may_lack`: `minOccurs="0"`. `noted`: it has a note about its default."""
    if repeated:
        return Implied(TypeRef(Kind.LIST, (ref.optional() if nillable else ref,)), MISSING)
    if ref.kind is Kind.ANY or nillable or (may_lack and not noted):
        return Implied(ref.optional(), None if field else MISSING)
    return Implied(ref, MISSING)


def implied_type(ref: TypeRef) -> TypeRef:
    """What is left of a type in a schema: no hints, and no null of its own at the top."""
    if not ref.args and not ref.hints and ref.nullable == (ref.kind is Kind.ANY):
        return ref  # as most are, and a large WSDL asks for thousands
    args = tuple(_inner(each) for each in ref.args)
    return TypeRef(ref.kind, args, ref.name, ref.kind is Kind.ANY)


def _inner(ref: TypeRef) -> TypeRef:
    inner = implied_type(ref)
    return inner.optional() if ref.nullable else inner


def contract_type_name(local: str, package: str) -> str:
    """The contract name of a type that has no note about it."""
    return local if "." in local or not package else f"{package}.{local}"


def implied_names(local: str, usual: str) -> Mapping[str, str]:
    """The names per protocol of what is called so in the schema. `usual`: what it would be called without any."""
    return {} if local == usual else {PROTOCOL: local}
