"""The XML Schema of a contract: what its messages look like, for people, generators and validators.

Source: XML Schema Part 1: Structures (Second Edition).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from gateway.model.contract import MISSING, EnumType, Field, MethodContract, Param, ServiceContract, StructType
from gateway.model.typeref import Kind, TypeRef
from protocols.soap.names import (
    ENTRY,
    ITEM,
    KEY,
    MESSAGE,
    RETURN,
    SIMPLE_TYPES,
    VALUE,
    XSD,
    TypeNames,
    operation_names,
    response_name,
)
from protocols.soap.scalar import BUILT_IN, UUID_PATTERN, ZONELESS_PATTERN
from protocols.soap.shape import absent_param, absent_result, is_repeated, own_types
from protocols.soap.text import escape_attribute, readable

__all__ = ["documentation", "write_schema"]

_SIMPLE: Final = {
    Kind.UUID: ("xs:string", UUID_PATTERN),
    Kind.LOCAL_DATETIME: ("xs:dateTime", ZONELESS_PATTERN),
}


def documentation(text: str, prefix: str) -> str:
    """A documentation element, empty where there is nothing to say. `prefix`: `wsdl:` or `xs:`."""
    if not text:
        return ""
    element = f"<{prefix}documentation>{readable(text)}</{prefix}documentation>"
    return f"<{prefix}annotation>{element}</{prefix}annotation>" if prefix == "xs:" else element


def write_schema(contract: ServiceContract, namespace: str, qualified: bool = True) -> str:
    """The schema, as an element that declares the prefixes it uses. `qualified`: so are elements inside of others."""
    return _Schema(contract).write(namespace, qualified)


class _Schema:
    def __init__(self, contract: ServiceContract) -> None:
        self._contract = contract
        self._names = TypeNames(contract)
        self._kinds: set[Kind] = set()

    def write(self, namespace: str, qualified: bool) -> str:
        parts = [*self._elements(), *self._types()]
        # Types that differ in hints alone are one type here.
        containers = {self._names.of_container(ref): ref for ref in own_types(self._contract)}
        parts += [self._container(name, ref) for name, ref in containers.items()]
        parts += self._own_types()
        form = "qualified" if qualified else "unqualified"
        return (
            f'<xs:schema xmlns:xs="{XSD}" xmlns:tns="{escape_attribute(namespace)}" '
            f'targetNamespace="{escape_attribute(namespace)}" elementFormDefault="{form}" version="1.0">'
            f"{''.join(parts)}</xs:schema>"
        )

    def _elements(self) -> Iterator[str]:
        names = operation_names(self._contract)
        for method in self._contract.methods:
            yield from self._operation(method, names[method.attribute])
        for definition in self._contract.types.values():
            if isinstance(definition, StructType) and definition.is_exception:
                name = self._names.of_named(definition.name)
                yield f'<xs:element name="{name}" type="tns:{name}"/>'

    def _operation(self, method: MethodContract, name: str) -> Iterator[str]:
        children = "".join(self._param(each) for each in method.params)
        yield _wrapper(name, children)
        if method.oneway:
            return
        result = ""
        if method.returns.kind is not Kind.NULL:
            result = self._element(RETURN, method.returns, absent_result(method.returns), "")
        yield _wrapper(response_name(name), result)

    def _param(self, param: Param) -> str:
        return self._element(param.name, param.type, absent_param(param), param.doc)

    def _element(self, name: str, ref: TypeRef, absent: Any, doc: str, deprecated: bool = False) -> str:
        if is_repeated(ref, absent):
            element = ref.args[0]
            nillable = ' nillable="true"' if _nillable(element) else ""
            occurs = ' minOccurs="0" maxOccurs="unbounded"'
            type_name = self._type(element)
        else:
            nillable = ' nillable="true"' if _nillable(ref) else ""
            occurs = ' minOccurs="0"' if absent is not MISSING else ""
            type_name = self._type(ref)
        if deprecated:
            doc = f"{doc} Deprecated.".strip()
        start = f'<xs:element name="{name}" type="{type_name}"{occurs}{nillable}'
        return f"{start}>{documentation(doc, 'xs:')}</xs:element>" if doc else f"{start}/>"

    def _type(self, ref: TypeRef) -> str:
        kind = ref.kind
        self._kinds.add(kind)
        if kind in BUILT_IN:
            return f"xs:{BUILT_IN[kind]}"
        if kind in SIMPLE_TYPES:
            return f"tns:{SIMPLE_TYPES[kind]}"
        if kind is Kind.ANY or kind is Kind.NULL:
            return "xs:anyType"
        if kind in (Kind.LIST, Kind.SET, Kind.MAP):
            return f"tns:{self._names.of_container(ref)}"
        return f"tns:{self._names.of_named(ref.name)}"

    def _types(self) -> Iterator[str]:
        for definition in self._contract.types.values():
            name = self._names.of_named(definition.name)
            doc = documentation(definition.doc, "xs:")
            if isinstance(definition, EnumType):
                constants = "".join(f'<xs:enumeration value="{each}"/>' for each in definition.constants)
                restriction = f'<xs:restriction base="xs:string">{constants}</xs:restriction>'
                yield f'<xs:simpleType name="{name}">{doc}{restriction}</xs:simpleType>'
                continue
            fields = "".join(self._field(each) for each in definition.fields)
            if definition.is_exception:
                fields += f'<xs:element name="{MESSAGE}" type="xs:string" minOccurs="0" nillable="true"/>'
            yield f'<xs:complexType name="{name}">{doc}{_sequence(fields)}</xs:complexType>'

    def _field(self, field: Field) -> str:
        return self._element(field.name, field.type, field.absent(), field.doc, field.deprecated)

    def _container(self, name: str, ref: TypeRef) -> str:
        if ref.kind is Kind.MAP:
            key, value = (self._member(each, arg) for each, arg in ((KEY, ref.args[0]), (VALUE, ref.args[1])))
            entry = f"<xs:complexType>{_sequence(key + value)}</xs:complexType>"
            return _container(
                name, f'<xs:element name="{ENTRY}" minOccurs="0" maxOccurs="unbounded">{entry}</xs:element>'
            )
        element = ref.args[0]
        nillable = ' nillable="true"' if _nillable(element) else ""
        item = f'<xs:element name="{ITEM}" type="{self._type(element)}" minOccurs="0" maxOccurs="unbounded"{nillable}/>'
        return _container(name, item)

    def _member(self, name: str, ref: TypeRef) -> str:
        null = ' minOccurs="0" nillable="true"' if _nillable(ref) else ""
        return f'<xs:element name="{name}" type="{self._type(ref)}"{null}/>'

    def _own_types(self) -> Iterator[str]:
        has_any = Kind.ANY in self._kinds
        for kind, name in SIMPLE_TYPES.items():
            if kind in self._kinds or has_any:
                base, pattern = _SIMPLE[kind]
                restriction = f'<xs:restriction base="{base}"><xs:pattern value="{pattern}"/></xs:restriction>'
                yield f'<xs:simpleType name="{name}">{restriction}</xs:simpleType>'
        if Kind.DECIMAL in self._kinds or has_any:
            yield (
                '<xs:complexType name="scaledDecimal">'
                + documentation("A decimal whose digits, as they stand here, were shortened by an exponent.", "xs:")
                + '<xs:simpleContent><xs:extension base="xs:decimal">'
                '<xs:attribute name="exponent" type="xs:unsignedShort" use="required"/>'
                "</xs:extension></xs:simpleContent></xs:complexType>"
            )
        if has_any:
            yield '<xs:simpleType name="javaDate"><xs:restriction base="xs:dateTime"/></xs:simpleType>'
            item = f'<xs:element name="{ITEM}" type="xs:anyType" minOccurs="0" maxOccurs="unbounded" nillable="true"/>'
            sides = "".join(
                f'<xs:element name="{each}" type="xs:anyType" minOccurs="0" nillable="true"/>' for each in (KEY, VALUE)
            )
            entry = (
                f'<xs:element name="{ENTRY}" minOccurs="0" maxOccurs="unbounded">'
                f"<xs:complexType>{_sequence(sides)}</xs:complexType></xs:element>"
            )
            said = '<xs:attribute name="class" type="xs:string"/>'
            named = '<xs:attribute name="class" type="xs:string" use="required"/>'
            yield _container("anyList", item, said)
            yield _container("anySet", item)
            yield _container("anyMap", entry, said)
            yield _container("anyRecord", entry, named)


def _nillable(ref: TypeRef) -> bool:
    return ref.nullable or ref.kind in (Kind.ANY, Kind.NULL)


def _sequence(children: str) -> str:
    return f"<xs:sequence>{children}</xs:sequence>"


def _wrapper(name: str, children: str) -> str:
    return f'<xs:element name="{name}"><xs:complexType>{_sequence(children)}</xs:complexType></xs:element>'


def _container(name: str, children: str, attributes: str = "") -> str:
    return f'<xs:complexType name="{name}">{_sequence(children)}{attributes}</xs:complexType>'
