"""A WSDL that `protocols.soap.wsdl` wrote, read back as the contract it describes.

Notes (`protocols.soap.notes`) and the rules they supplement (`protocols.soap.implied`) are all it goes by, so it reads
what this package writes, changed by hand or not; not the many other ways to describe a service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final
from xml.etree.ElementTree import Element

from gateway.jsonform.default import read_default
from gateway.jsonform.text import parse_json
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
from gateway.model.errors import ContractError, ValueMappingError
from gateway.model.outline import Unmade, enum_outline
from gateway.model.python_name import TAKEN_IN_EXCEPTIONS, python_name
from gateway.model.reachable import method_types, reachable
from gateway.model.type_text import parse_type
from gateway.model.typeref import Kind, TypeRef
from protocols.soap.implied import OWN_TYPES, SCHEMA_TYPES, contract_type_name, implied_element, implied_names
from protocols.soap.names import ANY_TYPES, ENTRY, ITEM, KEY, MESSAGE, RETURN, VALUE, XSD
from protocols.soap.notes import NAMESPACE, local_name

__all__ = ["read_own_wsdl"]

_WSDL: Final = "{http://schemas.xmlsoap.org/wsdl/}"
_XS: Final = f"{{{XSD}}}"
_MAX_DEPTH: Final = 64


def read_own_wsdl(root: Element) -> ServiceContract | None:
    """The outline of the contract in a document; None for a WSDL that nobody here wrote.

    Raises:
        ContractError: it was, and no longer describes a contract.
    """
    schemas = root.findall(f"{_WSDL}types/{_XS}schema")
    own = next((each for each in schemas if _note(each, "name")), None)
    return None if own is None else _Reader(root, own).contract()


def _note(element: Element, key: str) -> str:
    return element.get(f"{{{NAMESPACE}}}{local_name(key)}", "")


class _Reader:
    def __init__(self, root: Element, schema: Element) -> None:
        self._root = root
        self._schema = schema
        self._name = _note(schema, "name")
        self._package = self._name.rpartition(".")[0]
        self._declared = {
            each.get("name", ""): each for each in schema if each.tag in (f"{_XS}simpleType", f"{_XS}complexType")
        }
        self._elements = {each.get("name", ""): each for each in schema.findall(f"{_XS}element")}
        self._types: dict[str, NamedType] = {}

    def _is_exception(self, local: str) -> bool:
        """Exceptions alone have an element of their type; a request that is called as a type has one of its own."""
        element = self._elements.get(local)
        return element is not None and element.get("type") is not None

    def contract(self) -> ServiceContract:
        self._declare()
        methods = [self._method(each) for each in self._root.findall(f"{_WSDL}portType/{_WSDL}operation")]
        named = reachable(method_types(methods), self._types)
        for each in _note(self._schema, "types").split():
            if each not in self._types:
                raise ContractError(f"the schema has no type {each}")
            struct = self._types[each]
            fields = struct.fields if isinstance(struct, StructType) else ()
            named |= {each} | reachable((field.type for field in fields), self._types)
        return ServiceContract(
            self._name,
            tuple(methods),
            MappingProxyType({each: self._types[each] for each in self._types if each in named}),
            _names(self._schema, {}),
            _text(self._root.find(f"{_WSDL}documentation")),
        )

    # Types

    def _declare(self) -> None:
        structs: list[tuple[str, Element]] = []
        for local, element in self._declared.items():
            if local in OWN_TYPES or local in ANY_TYPES or _note(element, "container"):
                continue
            name = self._contract_name(local)
            if element.tag == f"{_XS}simpleType":
                self._types[name] = self._enum(name, local, element)
            else:
                structs.append((local, element))
                self._types[name] = StructType(name, Unmade, (), self._is_exception(local))
        # All names are known before the first field is read, all fields before the first default.
        for local, element in structs:
            name = self._contract_name(local)
            self._types[name] = self._struct(name, local, element)
        for local, element in structs:
            name = self._contract_name(local)
            struct = self._outline.struct(TypeRef(Kind.STRUCT, name=name))
            fields = tuple(
                Field(
                    each.name, each.type, each.attribute, self._default(of, each.type, each.default), None, each.names,
                    each.doc, each.deprecated,
                )
                for each, of in zip(struct.fields, _members(element), strict=False)
            )  # fmt: skip
            self._types[name] = StructType(name, Unmade, fields, struct.is_exception, struct.names, struct.doc)

    @property
    def _outline(self) -> ServiceContract:
        return ServiceContract("all", (), self._types)

    def _contract_name(self, local: str) -> str:
        return _note(self._declared[local], "name") or contract_type_name(local, self._package)

    def _usual_names(self, name: str, local: str) -> Mapping[str, str]:
        return implied_names(local, name if local == name else name.rpartition(".")[2])

    def _enum(self, name: str, local: str, element: Element) -> EnumType:
        constants = [each.get("value", "") for each in element.iter(f"{_XS}enumeration")]
        values: Any = _json(_note(element, "values") or "{}", local)
        try:
            return enum_outline(
                name,
                {each: values.get(each, each) for each in constants},
                _names(element, self._usual_names(name, local)),
                _doc(element),
            )
        except (TypeError, ValueError, AttributeError) as exc:
            raise ContractError(f"{local} cannot be an enum: {exc}") from None

    def _struct(self, name: str, local: str, element: Element) -> StructType:
        is_exception = self._is_exception(local)
        taken = set(TAKEN_IN_EXCEPTIONS) if is_exception else set()
        members = _members(element)
        if is_exception and members and members[-1].get("name") == MESSAGE:
            del members[-1]
        fields = tuple(self._field(each, taken) for each in members)
        return StructType(
            name, Unmade, fields, is_exception, _names(element, self._usual_names(name, local)), _doc(element)
        )

    def _field(self, element: Element, taken: set[str]) -> Field:
        """A field; its default is that of the rules, not yet that of a note."""
        ref, default = self._value(element, field=True)
        name = element.get("name", "")
        attribute = _note(element, "attribute") or python_name(name, taken)
        taken.add(attribute)
        doc, deprecated = _doc(element), _note(element, "deprecated") == "true"
        if deprecated:
            doc = doc.removesuffix("Deprecated.").rstrip(" ")
        return Field(name, ref, attribute, default, None, _names(element, {}), doc, deprecated)

    def _value(self, element: Element, *, field: bool) -> tuple[TypeRef, Any]:
        """Type and default of an element inside of another, as rules and notes but that of the default have them."""
        implied = implied_element(
            self._ref(element.get("type", ""), 0),
            nillable=element.get("nillable") in ("true", "1"),
            may_lack=element.get("minOccurs") == "0",
            repeated=element.get("maxOccurs", "1") != "1",
            noted=_note(element, "default") not in ("", "null"),
            field=field,
        )
        ref, default = implied
        if _note(element, "type"):
            ref = parse_type(_note(element, "type"), self._types)
        if _note(element, "required"):
            default = MISSING
        return ref, default

    def _default(self, element: Element, ref: TypeRef, otherwise: Any) -> Any:
        said = _note(element, "default")
        if not said:
            return otherwise
        try:
            return read_default(said, ref, self._outline)
        except ValueMappingError as exc:
            raise ContractError(f"the default of {element.get('name')}: {exc}") from None

    def _ref(self, qualified: str, depth: int) -> TypeRef:
        """The type of a qualified name. Prefixes are those of this package: `xs` and `tns`."""
        prefix, _, local = qualified.rpartition(":")
        if prefix == "xs":
            if local == "anyType":
                return TypeRef(Kind.ANY, nullable=True)
            if local in SCHEMA_TYPES:
                return TypeRef(SCHEMA_TYPES[local])
        elif local in OWN_TYPES:
            return TypeRef(OWN_TYPES[local])
        element = self._declared.get(local)
        if element is None or prefix == "xs" or depth > _MAX_DEPTH:
            raise ContractError(f"there is no type {qualified}")
        container = _note(element, "container")
        if container:
            return self._container(container, element, depth)
        name = self._contract_name(local)
        named = self._types[name]
        if isinstance(named, EnumType):
            return TypeRef(Kind.ENUM, name=name)
        return TypeRef(Kind.EXCEPTION if named.is_exception else Kind.STRUCT, name=name)

    def _container(self, kind: str, element: Element, depth: int) -> TypeRef:
        if kind == "map":
            entry = element.find(f"{_XS}sequence/{_XS}element[@name='{ENTRY}']/{_XS}complexType/{_XS}sequence")
            args = [] if entry is None else [self._member(entry, each, depth) for each in (KEY, VALUE)]
        else:
            inside = element.find(f"{_XS}sequence")
            args = [] if inside is None else [self._member(inside, ITEM, depth)]
        try:
            return TypeRef(Kind(kind), tuple(args))
        except ValueError:
            raise ContractError(f"{element.get('name')} is no {kind}") from None

    def _member(self, inside: Element, name: str, depth: int) -> TypeRef:
        found = inside.find(f"{_XS}element[@name='{name}']")
        if found is None:
            raise ContractError(f"there is no element {name}")
        ref = self._ref(found.get("type", ""), depth + 1)
        return ref.optional() if found.get("nillable") in ("true", "1") else ref

    # Methods

    def _method(self, operation: Element) -> MethodContract:
        operation_name = operation.get("name", "")
        element = self._message(operation.find(f"{_WSDL}input"))
        name = _note(element, "method") or operation_name
        attribute = _note(element, "attribute") or python_name(operation_name, ())
        deprecated = _note(element, "deprecated") or None
        doc = _text(operation.find(f"{_WSDL}documentation"))
        if deprecated is not None:
            doc = doc.removesuffix(f"Deprecated: {deprecated}").rstrip("\n")
        output = operation.find(f"{_WSDL}output")
        returns = TypeRef(Kind.NULL)
        for each in () if output is None else _wrapped(self._message(output)):
            if each.get("name") == RETURN:
                returns = self._value(each, field=False)[0]
        return MethodContract(
            name=name,
            params=tuple(map(self._param, _wrapped(element))),
            returns=returns,
            attribute=attribute,
            throws=tuple(self._ref(self._fault(each), 0) for each in operation.findall(f"{_WSDL}fault")),
            oneway=output is None,
            idempotent=_note(element, "idempotent") == "true",
            deprecated=deprecated,
            doc=doc,
            names=_names(element, self._usual_operation(name, attribute, operation_name)),
            routes=_mapping(_note(element, "routes") or "{}", name),
        )

    def _usual_operation(self, name: str, attribute: str, operation: str) -> Mapping[str, str]:
        """What an operation's name says about a method without any note about names."""
        sharing = sum((_note(each, "method") or local) == name for local, each in self._requests())
        return implied_names(operation, name if sharing == 1 else attribute)

    def _requests(self) -> Iterator[tuple[str, Element]]:
        for operation in self._root.findall(f"{_WSDL}portType/{_WSDL}operation"):
            yield operation.get("name", ""), self._message(operation.find(f"{_WSDL}input"))

    def _param(self, element: Element) -> Param:
        ref, default = self._value(element, field=False)
        return Param(element.get("name", ""), ref, self._default(element, ref, default), _doc(element))

    def _message(self, said: Element | None) -> Element:
        """The element of a message that an operation refers to."""
        wanted = "" if said is None else said.get("message", "").rpartition(":")[2]
        message = self._root.find(f"{_WSDL}message[@name='{wanted}']/{_WSDL}part")
        local = "" if message is None else message.get("element", "").rpartition(":")[2]
        if local not in self._elements:
            raise ContractError(f"there is no element for the message {wanted!r}")
        return self._elements[local]

    def _fault(self, fault: Element) -> str:
        return self._message(fault).get("type", "")


def _members(element: Element) -> list[Element]:
    return element.findall(f"{_XS}sequence/{_XS}element")


def _wrapped(element: Element) -> list[Element]:
    return element.findall(f"{_XS}complexType/{_XS}sequence/{_XS}element")


def _doc(element: Element) -> str:
    return _text(element.find(f"{_XS}annotation/{_XS}documentation"))


def _text(element: Element | None) -> str:
    return "" if element is None else element.text or ""


def _names(element: Element, usual: Mapping[str, str]) -> Mapping[str, str]:
    said = _note(element, "names")
    return _mapping(said, element.get("name", "")) if said else MappingProxyType(dict(usual))


def _mapping(text: str, where: str) -> Mapping[str, str]:
    found = _json(text, where)
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise ContractError(f"{where}: {text} is no JSON object of texts")
    return MappingProxyType(found)


def _json(text: str, where: str) -> Any:
    try:
        return parse_json(text)
    except ValueMappingError as exc:
        raise ContractError(f"{where}: {text!r} is no JSON: {exc}") from None
