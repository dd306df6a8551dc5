"""The fields of one struct, out of what its type consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from gateway.model.contract import MISSING, Field
from gateway.model.errors import ValueMappingError
from gateway.model.outline import constants_of
from gateway.model.typeref import Kind, TypeRef
from protocols.soap.foreign.content import GROUPS, Content
from protocols.soap.foreign.description import XS, Component, Schema, fail, local_name, named, nodes, resolved
from protocols.soap.foreign.naming import member_name
from protocols.soap.foreign.shape import (
    All,
    AttributeUse,
    Choice,
    ElementUse,
    Particle,
    RepeatedGroup,
    Sequence,
    Shape,
    Simple,
    Wildcard,
    Xml,
)
from protocols.soap.foreign.simple import built_in
from protocols.soap.foreign.text import documentation
from protocols.soap.scalar import PARSERS
from protocols.soap.tree import Node

if TYPE_CHECKING:
    from protocols.soap.foreign.types import Types

__all__ = ["FieldsBuilder"]

_XML_NAMESPACE: Final = "http://www.w3.org/XML/1998/namespace"
_STRING: Final = Simple(TypeRef(Kind.STRING), "string")
_MAX_DEPTH: Final = 64
_MAX_FIELDS: Final = 2_000


class FieldsBuilder:
    """Fields with attributes that no two share. `owner`: contract name, of which those of inner types are made.

    Attributes:
        fields: Those found so far, in order.
    """

    def __init__(self, types: Types, owner: str, taken: set[str]) -> None:
        self.fields: Final[list[Field]] = []
        self._types = types
        self._owner = owner
        self._taken = taken
        self._uses: list[tuple[Any, str]] = []

    def attributes(self, content: Content) -> tuple[AttributeUse, ...]:
        """Fields for attributes."""
        return tuple(made for each in content.attributes if (made := self._attribute(each.node, each.schema)))

    def text(self, shape: Simple | Xml) -> tuple[str, Simple | Xml]:
        """A field for what is inside beside attributes: a text, or XML."""
        return self._add("value", shape.ref, MISSING, ""), shape

    def content(self, content: Content) -> Particle | None:
        """Fields for the elements."""
        parts = tuple(self._group(each.node, each.schema, 0, {}) for each in content.groups)
        found = tuple(each for each in parts if each is not None)
        return found[0] if len(found) == 1 else Sequence(found) if found else None

    def only_element(self, content: Content) -> ElementUse | None:
        """The element that a list consists of."""
        only = content.only_element
        assert only is not None
        found = self._element(only.node, only.schema, {})
        return found if isinstance(found, ElementUse) else None

    def part(self, name: str, expanded: str, shape: Shape, *, nillable: bool, doc: str = "") -> ElementUse:
        """A field for an element that no content model has: a part of a message."""
        ref = shape.ref.optional() if nillable else shape.ref
        return ElementUse(self._add(name, ref, MISSING, doc), expanded, shape, nillable=nillable)

    # Groups

    def _group(self, node: Node, schema: Schema, depth: int, shared: dict[Any, str]) -> Particle | None:
        if depth > _MAX_DEPTH:
            raise fail(schema, node, f"{self._owner}: groups that refer to each other")
        least, most = _occurs(node, schema)
        if most == 0:
            return None
        if node.tag == f"{XS}group":
            table = self._types.description.tables.groups
            _, found = self._types.description.find(table, "group", node.get("ref", ""), node, schema)
            inside = next((each for each in nodes(found.node) if each.tag in GROUPS), None)
            if inside is None:
                return None
            node, schema = inside, found.schema
        if most != 1:
            return self._repeated(node, schema, depth, least, most)
        start = len(self.fields)
        particle = self._parts(node, schema, depth, shared)
        if particle is not None and least == 0:
            self._make_optional(start)
            particle = replace(particle, optional=True)
        return particle

    def _parts(self, node: Node, schema: Schema, depth: int, shared: dict[Any, str]) -> Sequence | All | Choice | None:
        start = len(self.fields)
        if node.tag == f"{XS}choice":
            parts: list[Particle] = []
            others: dict[Any, str] = {}
            for each in _particles(node):
                # What one branch has the others may have too; what is used twice in one of them are two fields.
                mark = len(self._uses)
                made = self._particle(each, schema, depth, {**shared, **others})
                others.update(self._uses[mark:])
                parts += [] if made is None else [made]
            for key in others:
                shared.pop(key, None)
            self._make_optional(start)
            return Choice(tuple(parts)) if parts else None
        found = tuple(
            made for each in _particles(node) if (made := self._particle(each, schema, depth, shared)) is not None
        )
        if not found:
            return None
        return All(found) if node.tag == f"{XS}all" else Sequence(found)

    def _particle(self, node: Node, schema: Schema, depth: int, shared: dict[Any, str]) -> Particle | None:
        self._types.description.spend(schema, node)
        if node.tag == f"{XS}element":
            return self._element(node, schema, shared)
        if node.tag == f"{XS}any":
            least, most = _occurs(node, schema)
            return None if most == 0 else self._wildcard(least, most)
        return self._group(node, schema, depth + 1, shared)

    def _repeated(self, node: Node, schema: Schema, depth: int, least: int, most: int | None) -> Particle | None:
        inside = list(_particles(node))
        if len(inside) == 1 and inside[0].tag == f"{XS}element":
            return self._element(inside[0], schema, {}, least_group=least)
        word = local_name(node.tag).capitalize()
        package, _, local = self._owner.rpartition(".")
        name = self._types.namer.give(package, f"{local}{word}")
        # The group itself, as if it came once.
        once = Node(node.tag, {key: value for key, value in node.attrib.items() if not key.endswith("Occurs")})
        once.line, once.prefixes = node.line, node.prefixes
        once.extend(list(node))
        struct = self._types.struct(name, Content((Component(once, schema),), ()), "")
        ref = TypeRef(Kind.LIST, (struct.ref,))
        return RepeatedGroup(self._add(word.lower(), ref, () if least == 0 else MISSING, ""), name, least, most)

    def _make_optional(self, start: int) -> None:
        for at in range(start, len(self.fields)):
            each = self.fields[at]
            if each.type.kind is Kind.LIST and not each.type.nullable:
                self.fields[at] = replace(each, default=())
            else:
                self.fields[at] = replace(each, type=each.type.optional(), default=None)

    # Elements

    def _element(
        self, node: Node, schema: Schema, shared: dict[Any, str], *, least_group: int | None = None
    ) -> Particle | None:
        """`least_group`: of a group with nothing but this element, that may be repeated."""
        least, most = _occurs(node, schema)
        if most == 0:
            return None
        if least_group is not None:
            least, most = min(least, least_group), None
        declared, owner_schema = node, schema
        reference = node.get("ref")
        if reference is not None:
            expanded = resolved(reference, node, schema)
            if expanded.startswith(XS):
                return self._wildcard(least, most)
            table = self._types.description.tables.elements
            expanded, component = self._types.description.find(table, "element", reference, node, schema)
            choice = self._substitutes(expanded, component, least, most, shared)
            if choice is not None:
                return choice
            declared, owner_schema = component.node, component.schema
            shape = self._types.of_global(expanded, component)
        else:
            local = node.get("name", "")
            qualified = node.get("form", "qualified" if schema.elements else "unqualified") == "qualified"
            expanded = named(schema.namespace, local) if qualified else local
            capital = f"{local[:1].upper()}{local[1:]}"
            shape = self._types.of_element(node, schema, f"{self._owner.rpartition('.')[2]}{capital}")
        nillable = declared.get("nillable") in ("true", "1")
        doc = documentation(node) or documentation(declared)
        return self._use(expanded, shape, least, most, shared, nillable=nillable, doc=doc, at=(node, owner_schema))

    def _use(
        self, expanded: str, shape: Shape, least: int, most: int | None, shared: dict[Any, str], *,
        nillable: bool, doc: str, at: tuple[Node, Schema],
    ) -> ElementUse:  # fmt: skip
        key = (expanded, shape.ref, shape.type_name, most)
        field = shared.pop(key, None)
        if field is None:
            if len(self.fields) >= _MAX_FIELDS:
                raise fail(at[1], at[0], f"{self._owner}: more than {_MAX_FIELDS} fields")
            if most != 1:
                ref = TypeRef(Kind.LIST, (shape.ref.optional() if nillable else shape.ref,))
                default: Any = () if least == 0 else MISSING
            elif least == 0 or nillable:
                ref, default = shape.ref.optional(), None
            else:
                ref, default = shape.ref, None if shape.ref.nullable else MISSING
            field = self._add(local_name(expanded), ref, default, doc)
        self._uses.append((key, field))
        return ElementUse(field, expanded, shape, least, most, nillable)

    def _substitutes(
        self, head: str, component: Component, least: int, most: int | None, shared: dict[Any, str]
    ) -> Particle | None:
        names = self._types.description.substitutes.get(head)
        if not names:
            return None
        tables = self._types.description.tables
        members = [] if component.node.get("abstract") in ("true", "1") else [(head, component)]
        members += [(each, tables.elements[each]) for each in names]
        members = [each for each in members if each[1].node.get("abstract") not in ("true", "1")]
        start = len(self.fields)
        if most != 1:
            raise fail(
                component.schema, component.node, f"{local_name(head)}: a list of elements that stand for another"
            )
        parts = tuple(
            self._use(
                name, self._types.of_global(name, each), 1, 1, shared,
                nillable=each.node.get("nillable") in ("true", "1"), doc=documentation(each.node),
                at=(each.node, each.schema),
            )
            for name, each in members
        )  # fmt: skip
        self._make_optional(start)
        return Choice(parts, optional=least == 0)

    def _wildcard(self, least: int, most: int | None) -> Wildcard:
        ref = TypeRef(Kind.STRING, nullable=least == 0)
        default: Any = None
        if most != 1:
            ref, default = TypeRef(Kind.LIST, (TypeRef(Kind.STRING),)), ()
        default = MISSING if least else default
        return Wildcard(self._add("any", ref, default, "XML of an element of any name."), least, most)

    # Attributes

    def _attribute(self, node: Node, schema: Schema) -> AttributeUse | None:
        if node.get("use") == "prohibited":
            return None
        declared = node
        reference = node.get("ref")
        if reference is not None:
            expanded = resolved(reference, node, schema)
            if expanded.startswith(f"{{{_XML_NAMESPACE}}}"):
                simple = _STRING
            else:
                table = self._types.description.tables.attributes
                expanded, component = self._types.description.find(table, "attribute", reference, node, schema)
                declared, schema = component.node, component.schema
                simple = self._attribute_type(declared, schema)
        else:
            local = node.get("name", "")
            qualified = node.get("form", "qualified" if schema.attributes else "unqualified") == "qualified"
            expanded = named(schema.namespace, local) if qualified else local
            simple = self._attribute_type(node, schema)
        required = node.get("use") == "required"
        said = next(
            (found for each in ("default", "fixed") for at in (node, declared) if (found := at.get(each))), None
        )
        default = MISSING if said is None else self._literal(said, simple)
        ref = simple.ref
        if default is MISSING and not required:
            ref, default = ref.optional(), None
        doc = documentation(node) or documentation(declared)
        field = self._add(local_name(expanded), ref, default, doc)
        return AttributeUse(field, expanded, simple, required)

    def _attribute_type(self, node: Node, schema: Schema) -> Simple:
        qualified = node.get("type")
        if qualified is not None:
            return self._types.simple.named(qualified, node, schema)
        inside = next((each for each in nodes(node) if each.tag == f"{XS}simpleType"), None)
        if inside is None:
            return built_in(f"{XS}string") or _STRING
        local = node.get("name", "")
        owner = f"{self._owner.rpartition('.')[2]}{local[:1].upper()}{local[1:]}"
        return self._types.simple.declared(inside, schema, owner)

    def _literal(self, text: str, simple: Simple) -> Any:
        """The plain value of a text in a schema; MISSING where the contract cannot say it."""
        if simple.constants is not None:
            constant = simple.constants.get(text)
            enum = self._types.simple.enums.get(simple.ref.name)
            if constant is None or enum is None or constant not in constants_of(enum):
                return MISSING
            return enum.python_class[constant]
        parse = PARSERS.get(simple.ref.kind)
        if parse is None or simple.built_in == "hexBinary":
            return MISSING
        try:
            return parse(text)
        except ValueMappingError:
            return MISSING

    def _add(self, name: str, ref: TypeRef, default: Any, doc: str) -> str:
        attribute = member_name(name, self._taken)
        self._taken.add(attribute)
        self.fields.append(Field(attribute, ref, attribute, default, None, _NO_NAMES, doc))
        return attribute


_NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})


def _particles(node: Node) -> list[Node]:
    return [each for each in nodes(node) if each.tag in GROUPS or each.tag in (f"{XS}element", f"{XS}any")]


def _occurs(node: Node, schema: Schema) -> tuple[int, int | None]:
    """The attributes `minOccurs` and `maxOccurs`. Raises `ContractError`."""
    least, most = node.get("minOccurs", "1"), node.get("maxOccurs", "1")
    if not least.isascii() or not least.isdigit() or not (most == "unbounded" or (most.isascii() and most.isdigit())):
        raise fail(schema, node, f"{least} to {most} times")
    number = int(least[:9])
    return min(number, 1) if most == "0" else number, None if most == "unbounded" else int(most[:9])
