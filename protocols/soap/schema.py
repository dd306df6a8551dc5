"""The XML Schema of a contract: what its messages look like, for people, generators and validators.

Source: XML Schema Part 1: Structures (Second Edition).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from gateway.jsonform.default import default_text
from gateway.model.contract import (
    MISSING,
    EnumType,
    Field,
    MethodContract,
    NamedType,
    Param,
    ServiceContract,
    StructType,
)
from gateway.model.errors import ValueMappingError
from gateway.model.outline import constants_of, outline_of, plain_default
from gateway.model.python_name import TAKEN_IN_EXCEPTIONS, python_name
from gateway.model.reachable import method_types, reachable
from gateway.model.type_text import format_type
from gateway.model.typeref import Kind, TypeRef
from protocols.soap.implied import contract_type_name, implied_element, implied_names, implied_type
from protocols.soap.names import (
    ENTRY,
    ITEM,
    KEY,
    MESSAGE,
    PARAMETERS,
    QUALIFIED,
    RETURN,
    SIMPLE_TYPES,
    UNQUALIFIED,
    VALUE,
    XSD,
    TypeNames,
    operation_names,
    response_name,
)
from protocols.soap.notes import NAMESPACE, PREFIX, note, notes_text
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


def write_schema(contract: ServiceContract, namespace: str, form: str = QUALIFIED) -> str:
    """The schema, as an element that declares the prefixes it uses. `form`: one of `protocols.soap.names.FORMS`."""
    return _Schema(contract, form).write(namespace)


class _Schema:
    def __init__(self, contract: ServiceContract, form: str) -> None:
        self._contract = contract
        self._form = form
        self._own_form = f' form="{QUALIFIED}"' if form == PARAMETERS else ""
        self._outline = outline_of(contract)
        self._package = contract.name.rpartition(".")[0]
        self._names = TypeNames(contract)
        self._kinds: set[Kind] = set()

    def write(self, namespace: str) -> str:
        parts = [*self._elements(), *self._types()]
        # Types that differ in hints alone are one type here.
        containers = {self._names.of_container(ref): ref for ref in own_types(self._contract)}
        parts += [self._container(name, ref) for name, ref in containers.items()]
        parts += self._own_types()
        form = QUALIFIED if self._form == QUALIFIED else UNQUALIFIED
        return (
            f'<xs:schema xmlns:xs="{XSD}" xmlns:tns="{escape_attribute(namespace)}" '
            f'targetNamespace="{escape_attribute(namespace)}" elementFormDefault="{form}" version="1.0" '
            f'xmlns:{PREFIX}="{NAMESPACE}"{notes_text(self._about_service())}>'
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

    def _about_service(self) -> Mapping[str, Any]:
        contract = self._contract
        named = reachable(method_types(contract.methods), contract.types)
        extra = [each for each in contract.types if each not in named]
        return {"name": contract.name, "names": contract.names, "types": " ".join(extra)}

    def _about_method(self, method: MethodContract, name: str) -> Mapping[str, Any]:
        alone = len(self._contract.overloads(method.name)) == 1
        usual = implied_names(name, method.name if alone else method.attribute)
        return {
            "method": method.name if method.name != name else "",
            "attribute": method.attribute if method.attribute != python_name(name, ()) else "",
            "names": _said_names(method.names, usual),
            "routes": method.routes,
            "idempotent": "true" if method.idempotent else "",
            "deprecated": method.deprecated or "",
        }

    def _about_type(self, definition: NamedType) -> dict[str, Any]:
        local = self._names.of_named(definition.name)
        short = definition.name.rpartition(".")[2]
        usual = implied_names(local, definition.name if local == definition.name else short)
        return {
            "name": definition.name if definition.name != contract_type_name(local, self._package) else "",
            "names": _said_names(definition.names, usual),
        }

    def _about_value(self, ref: TypeRef, default: Any, absent: Any, *, field: bool) -> dict[str, str]:
        """The notes about a parameter, a field or a result. `default`: plain, see `gateway.model.outline`."""
        repeated = is_repeated(ref, absent)
        inner = ref.args[0] if repeated else ref
        implied = implied_element(
            implied_type(inner),
            nillable=_nillable(inner),
            may_lack=repeated or absent is not MISSING,
            repeated=repeated,
            noted=default is not MISSING and default is not None,
            field=field,
        )
        notes = {} if implied.ref == ref else {"type": format_type(ref)}
        if default is MISSING and implied.default is not MISSING:
            notes["required"] = "true"
        elif default is not MISSING and not (default is None and implied.default is None):
            # A default that JSON has no form for is not told; its element may be left out all the same.
            with suppress(ValueMappingError):
                notes["default"] = default_text(default, ref, self._outline)
        return notes

    def _operation(self, method: MethodContract, name: str) -> Iterator[str]:
        children = "".join(self._param(each) for each in method.params)
        yield _wrapper(name, children, notes_text(self._about_method(method, name)))
        if method.oneway:
            return
        result = ""
        if method.returns.kind is not Kind.NULL:
            absent = absent_result(method.returns)
            notes = self._about_value(method.returns, MISSING, absent, field=False)
            result = self._element(RETURN, method.returns, absent, "", self._own_form + notes_text(notes))
        yield _wrapper(response_name(name), result)

    def _param(self, param: Param) -> str:
        absent = absent_param(param)
        default = MISSING if param.default is MISSING else plain_default(param.default, param.type, self._contract)
        notes = self._about_value(param.type, default, absent, field=False)
        return self._element(param.name, param.type, absent, param.doc, self._own_form + notes_text(notes))

    def _element(self, name: str, ref: TypeRef, absent: Any, doc: str, more: str, deprecated: bool = False) -> str:
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
        start = f'<xs:element name="{name}" type="{type_name}"{occurs}{nillable}{more}'
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
                notes = notes_text({**self._about_type(definition), "values": _values(definition)})
                yield f'<xs:simpleType name="{name}"{notes}>{doc}{restriction}</xs:simpleType>'
                continue
            taken = set(TAKEN_IN_EXCEPTIONS) if definition.is_exception else set()
            plain = self._outline.struct(TypeRef(Kind.STRUCT, name=definition.name))
            fields = "".join(self._field(each, taken) for each in plain.fields)
            if definition.is_exception:
                fields += f'<xs:element name="{MESSAGE}" type="xs:string" minOccurs="0" nillable="true"/>'
            notes = notes_text(self._about_type(definition))
            yield f'<xs:complexType name="{name}"{notes}>{doc}{_sequence(fields)}</xs:complexType>'

    def _field(self, field: Field, taken: set[str]) -> str:
        """`field`: of the outline. `taken`: the attributes before it, to be added to."""
        absent = field.absent()
        notes: dict[str, Any] = self._about_value(field.type, field.default, absent, field=True)
        notes["attribute"] = field.attribute if field.attribute != python_name(field.name, taken) else ""
        notes["names"] = field.names
        notes["deprecated"] = "true" if field.deprecated else ""
        taken.add(field.attribute)
        return self._element(field.name, field.type, absent, field.doc, notes_text(notes), field.deprecated)

    def _container(self, name: str, ref: TypeRef) -> str:
        if ref.kind is Kind.MAP:
            key, value = (self._member(each, arg) for each, arg in ((KEY, ref.args[0]), (VALUE, ref.args[1])))
            entry = f"<xs:complexType>{_sequence(key + value)}</xs:complexType>"
            return _container(
                name,
                f'<xs:element name="{ENTRY}" minOccurs="0" maxOccurs="unbounded">{entry}</xs:element>',
                notes=notes_text({"container": "map"}),
            )
        element = ref.args[0]
        nillable = ' nillable="true"' if _nillable(element) else ""
        item = f'<xs:element name="{ITEM}" type="{self._type(element)}" minOccurs="0" maxOccurs="unbounded"{nillable}/>'
        return _container(name, item, notes=notes_text({"container": ref.kind.value}))

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


def _wrapper(name: str, children: str, notes: str = "") -> str:
    return f'<xs:element name="{name}"{notes}><xs:complexType>{_sequence(children)}</xs:complexType></xs:element>'


def _container(name: str, children: str, attributes: str = "", notes: str = "") -> str:
    return f'<xs:complexType name="{name}"{notes}>{_sequence(children)}{attributes}</xs:complexType>'


def _said_names(names: Mapping[str, str], usual: Mapping[str, str]) -> str:
    """The names per protocol where they are not what follows from the schema."""
    return "" if dict(names) == dict(usual) else note(names)


def _values(enum: EnumType) -> str:
    """The Python values of constants, where they are not their names."""
    values = constants_of(enum)
    if all(value == name for name, value in values.items()):
        return ""
    return json.dumps({name: value for name, value in values.items() if isinstance(value, str | int | float | bool)})
