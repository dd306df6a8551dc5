"""Simple types: what a text of a foreign schema is in a contract.

| XML Schema | type |
| --- | --- |
| `boolean`; `byte`, `short`, `int`, `long` | bool; i8, i16, i32, i64 |
| `unsignedByte`, `unsignedShort`, `unsignedInt` | i16, i32, i64, which hold them |
| `integer`, `unsignedLong` and what else is derived from it | bigint |
| `decimal`; `float`, `double` | decimal; f32, f64 |
| `base64Binary`, `hexBinary` | bytes |
| `date`, `time`, `dateTime`, `duration` | date, time, datetime, duration |
| all others: `string`, `anyURI`, `QName`, `gYear` … | string |
| a restriction with enumerations | an enum; its values are the texts |
| any other restriction | what it restricts |
| a list | a list |
| a union | what its members are if that is one type, a string otherwise |

Source: XML Schema Part 2, sections 3 and 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gateway.model.contract import EnumType
from gateway.model.outline import enum_outline
from gateway.model.typeref import Kind, TypeRef
from protocols.soap.foreign.description import ENCODING, XS, Description, Schema, fail, local_name, nodes, resolved
from protocols.soap.foreign.naming import TypeNamer, member_name, package_of
from protocols.soap.foreign.shape import Simple
from protocols.soap.foreign.text import documentation
from protocols.soap.names import XSD
from protocols.soap.tree import Node

__all__ = ["SimpleTypes", "built_in"]

_KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "boolean": Kind.BOOL,
        "byte": Kind.I8,
        "short": Kind.I16,
        "int": Kind.I32,
        "long": Kind.I64,
        "unsignedByte": Kind.I16,
        "unsignedShort": Kind.I32,
        "unsignedInt": Kind.I64,
        **dict.fromkeys(
            (
                "integer", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger", "negativeInteger",
                "unsignedLong",
            ),
            Kind.BIGINT,
        ),
        "decimal": Kind.DECIMAL,
        "float": Kind.F32,
        "double": Kind.F64,
        "base64Binary": Kind.BYTES,
        "base64": Kind.BYTES,
        "hexBinary": Kind.BYTES,
        "date": Kind.DATE,
        "time": Kind.TIME,
        "dateTime": Kind.DATETIME,
        "duration": Kind.DURATION,
        "dayTimeDuration": Kind.DURATION,
        **dict.fromkeys(
            (
                "string", "normalizedString", "token", "language", "Name", "NCName", "NMTOKEN", "ID", "IDREF", "ENTITY",
                "anyURI", "QName", "NOTATION", "gYear", "gYearMonth", "gMonth", "gMonthDay", "gDay", "anySimpleType",
                "anyAtomicType", "yearMonthDuration", "dateTimeStamp",
            ),
            Kind.STRING,
        ),
    }
)  # fmt: skip
_LISTS: Final = {"NMTOKENS": "NMTOKEN", "IDREFS": "IDREF", "ENTITIES": "ENTITY"}
_MAX_DEPTH: Final = 64
_TAKEN: Final = frozenset({"mro", "name", "value", "names"})
"""What constants of an enum in Python cannot be called."""


def built_in(expanded: str) -> Simple | None:
    """The type of XML Schema, or of SOAP's encoding, that has this name."""
    namespace, _, local = expanded[1:].rpartition("}")
    if namespace not in (XSD, ENCODING):
        return None
    if local in _LISTS:
        item = Simple(TypeRef(Kind.STRING), _LISTS[local])
        return Simple(TypeRef(Kind.LIST, (item.ref,)), local, item=item, type_name=expanded)
    kind = _KINDS.get(local)
    if kind is None:
        return None
    # What SOAP's encoding has of its own is the type of XML Schema that it derives from.
    return Simple(TypeRef(kind), "base64Binary" if local == "base64" else local, type_name=expanded)


class SimpleTypes:
    """The simple types of one description. Enums are added to `enums` by their contract names."""

    def __init__(self, description: Description, namer: TypeNamer) -> None:
        self.enums: Final[dict[str, EnumType]] = {}
        self._description = description
        self._namer = namer
        self._known: dict[str, Simple] = {}

    def named(self, qualified: str, at: Node, schema: Schema, depth: int = 0) -> Simple:
        """The type of a qualified name.

        Raises:
            ContractError: there is none, or it is no simple type.
        """
        expanded = resolved(qualified, at, schema)
        found = built_in(expanded)
        if found is not None:
            return found
        if expanded in self._known:
            return self._known[expanded]
        expanded, component = self._description.find(self._description.tables.types, "type", qualified, at, schema)
        if component.node.tag != f"{XS}simpleType":
            raise fail(schema, at, f"{local_name(expanded)} is no simple type")
        made = self.declared(component.node, component.schema, local_name(expanded), expanded, depth)
        self._known[expanded] = made
        return made

    def declared(self, node: Node, schema: Schema, owner: str, type_name: str = "", depth: int = 0) -> Simple:
        """The type of an `xs:simpleType`. `owner`: what an enum is called. Raises `ContractError`."""
        if depth > _MAX_DEPTH:
            raise fail(schema, node, f"{owner}: types that restrict each other")
        for each in nodes(node):
            if each.tag == f"{XS}restriction":
                base = self._inner(each, "base", schema, owner, depth)
                return self._restricted(base, each, schema, owner, type_name, documentation(node))
            if each.tag == f"{XS}list":
                item = self._inner(each, "itemType", schema, f"{owner}Item", depth)
                if item.item is not None:
                    raise fail(schema, each, f"{owner}: a list of lists")
                return Simple(TypeRef(Kind.LIST, (item.ref,)), "", item=item, type_name=type_name)
            if each.tag == f"{XS}union":
                return self._union(each, schema, owner, type_name, depth)
        raise fail(schema, node, f"{owner}: a simple type without content")

    def _inner(self, node: Node, attribute: str, schema: Schema, owner: str, depth: int) -> Simple:
        """The type that an attribute names, or that stands inside."""
        qualified = node.get(attribute)
        if qualified is not None:
            return self.named(qualified, node, schema, depth + 1)
        for each in nodes(node):
            if each.tag == f"{XS}simpleType":
                return self.declared(each, schema, owner, "", depth + 1)
        raise fail(schema, node, f"{owner}: no {attribute}")

    def _restricted(self, base: Simple, node: Node, schema: Schema, owner: str, type_name: str, doc: str) -> Simple:
        """An `xs:restriction` of a type; with enumerations it is an enum."""
        texts = list(dict.fromkeys(each.get("value", "") for each in nodes(node) if each.tag == f"{XS}enumeration"))
        if not texts or base.item is not None or base.ref.kind not in _ENUMERATED:
            return Simple(base.ref, base.built_in, base.constants, base.item, type_name or base.type_name)
        constants: dict[str, str] = {}
        for text in texts:
            constants[member_name(text, {*constants, *_TAKEN})] = text
        name = self._namer.give(
            package_of(schema.namespace), f"{owner[:1].upper()}{owner[1:]}" if not type_name else owner
        )
        try:
            self.enums[name] = enum_outline(name, constants, doc=doc)
        except (TypeError, ValueError) as exc:
            raise fail(schema, node, f"{owner} cannot be an enum: {exc}") from None
        by_text = MappingProxyType({text: constant for constant, text in constants.items()})
        return Simple(TypeRef(Kind.ENUM, name=name), base.built_in, by_text, None, type_name)

    def _union(self, node: Node, schema: Schema, owner: str, type_name: str, depth: int) -> Simple:
        members = [self.named(each, node, schema, depth + 1) for each in node.get("memberTypes", "").split()]
        inside = (each for each in nodes(node) if each.tag == f"{XS}simpleType")
        # Enumerations of members have no names of their own, as a union of several is a text.
        members += [
            _plain(self.declared(each, schema, f"{owner}{number}", "", depth + 1), self)
            for number, each in enumerate(inside, 1)
        ]
        first = members[0] if members else None
        if first is not None and all((each.ref, each.built_in) == (first.ref, first.built_in) for each in members):
            return Simple(first.ref, first.built_in, first.constants, first.item, type_name)
        return Simple(TypeRef(Kind.STRING), "string", type_name=type_name)


_ENUMERATED: Final = frozenset({Kind.STRING, Kind.ENUM, Kind.I8, Kind.I16, Kind.I32, Kind.I64, Kind.BIGINT})


def _plain(simple: Simple, types: SimpleTypes) -> Simple:
    if simple.constants is None:
        return simple
    types.enums.pop(simple.ref.name, None)
    return Simple(TypeRef(Kind.STRING), "string")
