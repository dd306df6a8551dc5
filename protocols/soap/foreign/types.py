"""Elements and complex types: what they are in a contract, and how a value of it is written.

The fields of a struct are read when it is its turn (`Types.finish`), not when somebody refers to it: types may lead
back to themselves, and chains of them may be long.

| XML Schema | in the contract |
| --- | --- |
| complex type | a struct: fields for elements and attributes |
| `maxOccurs` above 1 | a list |
| `minOccurs="0"`, an attribute that is not required, a branch of a choice | with null, which is the default |
| `nillable="true"` | with null, which is written as `xsi:nil` where the element may not be missing |
| default or fixed value of an attribute | the default of its field |
| a choice | the fields of all branches; a value has those of one |
| a group that may be repeated | a list of structs, one for each time |
| `xs:any`, and elements of XML Schema itself | the XML of each as a text: field `any` |
| simple content | field `value` beside the attributes; without attributes the text alone |
| mixed content | the same, with the XML inside as the text |
| extension | the fields of the base, then its own |
| `ArrayOfX` with nothing but repeated elements | a list |
| arrays of SOAP's encoding | a list |
| `xs:anyType` | any |
| an element that others substitute | a choice between them |

What an answer adds by a derived type in the place of its base is not part of the contract, and passed over.

Source: XML Schema Part 1: Structures (Second Edition), section 3.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

from gateway.model.contract import Field, NamedType, StructType
from gateway.model.errors import ContractError
from gateway.model.outline import Unmade
from gateway.model.python_name import TAKEN_IN_EXCEPTIONS
from gateway.model.typeref import Kind, TypeRef
from protocols.soap.foreign.content import Content, ContentReader
from protocols.soap.foreign.description import (
    ENCODING,
    WSDL,
    XS,
    Component,
    Description,
    Schema,
    fail,
    local_name,
    named,
    nodes,
    resolved,
)
from protocols.soap.foreign.fields import FieldsBuilder
from protocols.soap.foreign.naming import TypeNamer, package_of
from protocols.soap.foreign.shape import ANYTHING, XML, Array, EncodedArray, Layout, Shape, Simple, Struct, Xml
from protocols.soap.foreign.simple import SimpleTypes, built_in
from protocols.soap.foreign.text import documentation
from protocols.soap.tree import Node

__all__ = ["Types"]

_ARRAY: Final = named(ENCODING, "Array")
_ARRAY_TYPE: Final = named(WSDL[1:-1], "arrayType")
_MAX_TYPES: Final = 20_000
_MAX_DEPTH: Final = 32


class _Waiting(NamedTuple):
    """A struct without its fields."""

    name: str
    content: Content
    doc: str
    type_name: str
    abstract: bool


@dataclass(slots=True)
class Types:
    """The types of one description, made when somebody asks for them.

    Attributes:
        simple: The simple ones, with all enums.
        layouts: How structs are written, by contract name.
        failed: Why others cannot be.
    """

    description: Description
    namer: TypeNamer = field(default_factory=TypeNamer)
    layouts: dict[str, Layout] = field(default_factory=dict)
    failed: dict[str, ContractError] = field(default_factory=dict)
    simple: SimpleTypes = field(init=False)
    _shapes: dict[str, Shape | ContractError] = field(default_factory=dict)
    _building: set[str] = field(default_factory=set)
    _elements: dict[str, Shape | ContractError] = field(default_factory=dict)
    _waiting: deque[_Waiting] = field(default_factory=deque)
    _contents: ContentReader = field(init=False)

    def __post_init__(self) -> None:
        self.simple = SimpleTypes(self.description, self.namer)
        self._contents = ContentReader(self.description, self.simple)

    @property
    def named_types(self) -> dict[str, NamedType]:
        """All structs and enums by contract name."""
        structs: dict[str, NamedType] = {name: each.struct for name, each in self.layouts.items()}
        return {**structs, **self.simple.enums}

    def of_type(self, qualified: str, at: Node, schema: Schema) -> Shape:
        """The shape of a named type. Raises `ContractError` where no contract has it."""
        expanded = resolved(qualified, at, schema)
        if expanded == f"{XS}anyType":
            return ANYTHING
        if expanded in (_ARRAY, named(ENCODING, "Struct")):
            return EncodedArray(TypeRef(Kind.LIST, (ANYTHING.ref,)), ANYTHING)
        simple = built_in(expanded)
        if simple is not None:
            return simple
        expanded, component = self.description.find(self.description.tables.types, "type", qualified, at, schema)
        if component.node.tag == f"{XS}simpleType":
            return self.simple.named(qualified, at, schema)
        known = self._shapes.get(expanded)
        if known is None:
            made = partial(self._complex, component, local_name(expanded), expanded)
            known = self._shapes[expanded] = self._guarded(expanded, at, schema, made)
        if isinstance(known, ContractError):
            raise known
        return known

    def of_element(self, node: Node, schema: Schema, owner: str) -> Shape:
        """The shape of a declared element, global or local. `owner`: what a type without a name is called."""
        qualified = node.get("type")
        if qualified is not None:
            return self.of_type(qualified, node, schema)
        for each in nodes(node):
            if each.tag == f"{XS}simpleType":
                return self.simple.declared(each, schema, owner)
            if each.tag == f"{XS}complexType":
                return self._complex(Component(each, schema), owner, "")
        head = node.get("substitutionGroup")
        if head is not None:
            expanded, found = self.description.find(self.description.tables.elements, "element", head, node, schema)
            return self.of_global(expanded, found)
        return ANYTHING

    def of_global(self, expanded: str, component: Component) -> Shape:
        """The shape of a global element; the same for all who refer to it."""
        known = self._elements.get(expanded)
        if known is None:
            node, schema, local = component.node, component.schema, local_name(expanded)
            made = partial(self.of_element, node, schema, f"{local[:1].upper()}{local[1:]}")
            known = self._elements[expanded] = self._guarded(f"element {expanded}", node, schema, made)
        if isinstance(known, ContractError):
            raise known
        return known

    def exception(self, expanded: str, node: Node, schema: Schema) -> Layout:
        """The layout of what an element of a fault holds. Raises `ContractError`."""
        content = self._element_content(node, schema)
        local = local_name(expanded)
        name = self.namer.give(package_of(schema.namespace), f"{local[:1].upper()}{local[1:]}")
        return self._struct(name, content, documentation(node), "", is_exception=True)

    def content_of(self, node: Node, schema: Schema) -> Content | None:
        """What is inside of an element of a complex type; None for one of another type."""
        component = self._complex_type(node, schema)
        return None if component is None else self._contents.read(component.node, component.schema)

    def struct(self, name: str, content: Content, doc: str, type_name: str = "", *, abstract: bool = False) -> Struct:
        """A struct of what is inside of an element, whose fields are read later."""
        self._waiting.append(_Waiting(name, content, doc, type_name, abstract))
        return Struct(TypeRef(Kind.STRUCT, name=name), type_name)

    def finish(self) -> None:
        """Reads the fields of all structs that somebody referred to."""
        while self._waiting:
            each = self._waiting.popleft()
            try:
                self._struct(each.name, each.content, each.doc, each.type_name, abstract=each.abstract)
            except ContractError as exc:
                self.failed[each.name] = exc

    def _guarded(self, key: str, at: Node, schema: Schema, make: Callable[[], Shape]) -> Shape | ContractError:
        """What `make` gives, or why it cannot be made."""
        if key in self._building or len(self._building) > _MAX_DEPTH:
            raise fail(schema, at, f"{local_name(key)} is made of itself, or of too many others")
        self._building.add(key)
        try:
            return make()
        except ContractError as exc:
            return exc
        finally:
            self._building.discard(key)

    def add_result(self, name: str, fields: tuple[Field, ...]) -> None:
        """Makes a struct of the values of a response."""
        self.layouts[name] = Layout(StructType(name, Unmade, fields))

    def _complex_type(self, node: Node, schema: Schema) -> Component | None:
        qualified = node.get("type")
        if qualified is not None:
            found = self.description.tables.types.get(resolved(qualified, node, schema))
            return found if found is not None and found.node.tag == f"{XS}complexType" else None
        inside = next((each for each in nodes(node) if each.tag == f"{XS}complexType"), None)
        return None if inside is None else Component(inside, schema)

    def _element_content(self, node: Node, schema: Schema) -> Content:
        content = self.content_of(node, schema)
        if content is not None:
            return content
        shape = self.of_element(node, schema, local_name(node.get("name", "")))
        if not isinstance(shape, Simple):
            raise fail(schema, node, f"{node.get('name')} has no fields")
        return Content((), (), shape)

    def _complex(self, component: Component, local: str, type_name: str) -> Shape:
        if len(self.layouts) > _MAX_TYPES:
            raise fail(component.schema, component.node, f"more than {_MAX_TYPES} types")
        node, schema = component.node, component.schema
        encoded = self._encoded_array(node, schema, type_name)
        if encoded is not None:
            return encoded
        content = self._contents.read(node, schema)
        if content.mixed and not content.attributes:
            return Xml(type_name=type_name)
        if content.text is not None and not content.attributes:
            text = content.text
            return Simple(text.ref, text.built_in, text.constants, text.item, type_name or text.type_name)
        package = package_of(schema.namespace)
        if local.startswith("ArrayOf") and content.only_element is not None:
            array = self._array(content, local, package, type_name)
            if array is not None:
                return array
        name = self.namer.give(package, local)
        return self.struct(
            name, content, documentation(node), type_name, abstract=node.get("abstract") in ("true", "1")
        )

    def _struct(
        self,
        name: str,
        content: Content,
        doc: str,
        type_name: str,
        *,
        is_exception: bool = False,
        abstract: bool = False,
    ) -> Layout:
        builder = FieldsBuilder(self, name, set(TAKEN_IN_EXCEPTIONS) if is_exception else set())
        attributes = builder.attributes(content)
        inside = XML if content.mixed else content.text
        text = None if inside is None else builder.text(inside)
        particle = None if content.mixed else builder.content(content)
        struct = StructType(name, Unmade, tuple(builder.fields), is_exception, MappingProxyType({}), doc)
        made = Layout(struct, attributes, particle, text, type_name, abstract)
        self.layouts[name] = made
        return made

    def _array(self, content: Content, local: str, package: str, type_name: str) -> Array | None:
        """A type with nothing but one repeated element; None where that has no shape of its own."""
        builder = FieldsBuilder(self, f"{package}.{local}" if package else local, set())
        element = builder.only_element(content)
        if element is None or element.most == 1:
            return None
        item = element.shape.ref.optional() if element.nillable else element.shape.ref
        return Array(TypeRef(Kind.LIST, (item,)), element, type_name)

    def _encoded_array(self, node: Node, schema: Schema, type_name: str) -> EncodedArray | None:
        restriction = node.find(f"{XS}complexContent/{XS}restriction")
        if restriction is None:
            restriction = node.find(f"{XS}complexContent/{XS}extension")
        if not isinstance(restriction, Node) or resolved(restriction.get("base", ""), restriction, schema) != _ARRAY:
            return None
        for each in restriction.iter(f"{XS}attribute"):
            said = each.get(_ARRAY_TYPE)
            if said is not None and isinstance(each, Node):
                return self._array_type(said, each, schema, type_name)
        for each in restriction.iter(f"{XS}element"):
            assert isinstance(each, Node)
            item = self.of_element(each, schema, f"{local_name(type_name)}Item")
            return EncodedArray(TypeRef(Kind.LIST, (item.ref.optional(),)), item, type_name)
        return EncodedArray(TypeRef(Kind.LIST, (ANYTHING.ref,)), ANYTHING, type_name)

    def _array_type(self, said: str, at: Node, schema: Schema, type_name: str) -> EncodedArray:
        """`tns:Item[]`, or `tns:Item[][]` for arrays of arrays."""
        qualified, *sizes = said.split("[")
        if any("," in each for each in sizes):
            raise fail(schema, at, f"{said} has several dimensions")
        shape = self.of_type(qualified, at, schema)
        for depth in range(len(sizes)):
            last = depth == len(sizes) - 1
            shape = EncodedArray(TypeRef(Kind.LIST, (shape.ref.optional(),)), shape, type_name if last else "")
        if not isinstance(shape, EncodedArray):
            raise fail(schema, at, f"{said} is no type of an array")
        return shape
