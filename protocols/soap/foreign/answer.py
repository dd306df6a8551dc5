"""Answers of foreign services: elements, read as the layouts of a WSDL say.

What the schema requires is required, and what it does not know is refused; only whether an element is qualified does
not count, because servers differ in it. Elements of an element that says by `xsi:type` that it is more than what is
declared are passed over. In encoded messages an element may be elsewhere (`href`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.model.contract import MISSING, Field, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.instance import new_struct
from gateway.model.typeref import Kind, TypeRef
from protocols.soap.foreign.description import ENCODING, local_name
from protocols.soap.foreign.lexical import parse_simple
from protocols.soap.foreign.shape import (
    All,
    Anything,
    Array,
    Choice,
    ElementUse,
    EncodedArray,
    Layout,
    Particle,
    RepeatedGroup,
    Sequence,
    Shape,
    Simple,
    Struct,
    Wildcard,
)
from protocols.soap.foreign.simple import built_in
from protocols.soap.foreign.xml_text import inner_text, outer_text
from protocols.soap.names import XSI
from protocols.soap.tree import Node

__all__ = ["AnswerReader"]

_NIL: Final = f"{{{XSI}}}nil"
_TYPE: Final = f"{{{XSI}}}type"
_MAX_DEPTH: Final = 60
_MAX_VALUES: Final = 1_000_000
_MOST_TIMES: Final = 8
_MIN_CHARACTERS: Final = 1_048_576


class AnswerReader:
    """Reads one answer.

    `ids`: elements that others refer to. `zone`: of instants without one. `size`: of the answer in bytes, which bounds
    the texts made of it: what is referred to is read each time.
    """

    def __init__(
        self, layouts: Mapping[str, Layout], contract: ServiceContract, ids: Mapping[str, Node], zone: str, size: int
    ) -> None:
        self._layouts = layouts
        self._contract = contract
        self._ids = ids
        self._zone = zone
        self._left = _MAX_VALUES
        self._characters_left = size * _MOST_TIMES + _MIN_CHARACTERS

    def fields(
        self, particle: Particle | None, nodes: list[Node], fields: tuple[Field, ...], depth: int = 0
    ) -> dict[str, Any]:
        """The values of fields, by attribute, out of the elements inside of one. Raises `ValueMappingError`."""
        found: dict[str, Any] = {}
        rest = self._particle(particle, _Cursor(nodes), found, depth)
        if rest.node is not None:
            raise ValueMappingError(f"{local_name(rest.node.tag)[:60]!r} has no place here")
        return self._completed(found, fields)

    def struct(self, layout: Layout, node: Node, depth: int = 0) -> dict[str, Any]:
        """The values of the fields of a struct, by attribute."""
        if depth > _MAX_DEPTH:
            raise ValueMappingError(f"elements nested deeper than {_MAX_DEPTH} levels")
        found: dict[str, Any] = {}
        for use in layout.attributes:
            text = node.get(use.name)
            if text is not None:
                found[use.field] = self._within(use.field, use.shape, text)
        if layout.text is not None:
            field, shape = layout.text
            if isinstance(shape, Simple):
                found[field] = self._within(field, shape, self._text(node))
            else:
                found[field] = self._charged(inner_text(node, most=self._characters_left))
        else:
            rest = self._particle(layout.content, _Cursor(_children(node)), found, depth)
            said = node.get(_TYPE)
            derived = said is not None and node.resolve(said) != layout.type_name
            if rest.node is not None and not derived:
                raise ValueMappingError(f"{local_name(rest.node.tag)[:60]!r} has no place here")
        return self._completed(found, self._fields_of(layout.struct.name))

    def _within(self, field: str, simple: Simple, text: str) -> Any:
        try:
            return parse_simple(simple, text, self._contract, self._zone)
        except ValueMappingError as exc:
            raise exc.within(field) from None

    def _completed(self, found: dict[str, Any], fields: tuple[Field, ...]) -> dict[str, Any]:
        for each in fields:
            if found.get(each.attribute, MISSING) is not MISSING:
                continue
            if each.type.kind is Kind.LIST and not each.type.nullable:
                found[each.attribute] = []
                continue
            absent = each.absent()
            if absent is MISSING:
                raise ValueMappingError("it is missing", each.attribute)
            found[each.attribute] = absent
        return found

    # Content models

    def _particle(self, particle: Particle | None, at: _Cursor, found: dict[str, Any], depth: int) -> _Cursor:
        match particle:
            case ElementUse():
                self._element_use(particle, at, found, depth)
            case Wildcard():
                self._wildcard(particle, at, found, ())
            case Sequence():
                if not particle.optional or self._may_start(particle, at.node):
                    for index, each in enumerate(particle.parts):
                        if isinstance(each, Wildcard):
                            self._wildcard(each, at, found, particle.parts[index + 1 :])
                        else:
                            self._particle(each, at, found, depth)
            case All():
                self._all(particle, at, found, depth)
            case Choice():
                branch = next((each for each in particle.parts if self._may_start(each, at.node)), None)
                if branch is not None:
                    self._particle(branch, at, found, depth)
                elif not particle.optional and not any(_may_lack(each) for each in particle.parts):
                    raise ValueMappingError(f"expected one of {', '.join(dict.fromkeys(_names(particle)))}{at.shown}")
            case RepeatedGroup():
                self._repeated(particle, at, found, depth)
        return at

    def _element_use(self, use: ElementUse, at: _Cursor, found: dict[str, Any], depth: int) -> None:
        values: list[Any] = []
        while (use.most is None or len(values) < use.most) and at.node is not None and _is(use.name, at.node):
            try:
                values.append(self.value(use.shape, at.node, depth, nillable=use.nillable))
            except ValueMappingError as exc:
                raise exc.within(use.field if use.most == 1 else f"{use.field}[{len(values)}]") from None
            at.step()
        if len(values) < use.least and not (use.nillable and use.most == 1):
            raise ValueMappingError(f"expected {local_name(use.name)}{at.shown}")
        if use.most != 1:
            found[use.field] = values
        elif values:
            found[use.field] = values[0]

    def _wildcard(self, wildcard: Wildcard, at: _Cursor, found: dict[str, Any], behind: tuple[Particle, ...]) -> None:
        """`behind`: what may follow; an element of it is none of the wildcard."""
        values: list[str] = []
        while (wildcard.most is None or len(values) < wildcard.most) and at.node is not None:
            if len(values) >= wildcard.least and any(self._may_start(each, at.node) for each in behind):
                break
            values.append(self._charged(outer_text(at.node, most=self._characters_left)))
            at.step()
        if len(values) < wildcard.least:
            raise ValueMappingError("expected an element of any name, found nothing")
        if wildcard.most != 1:
            found[wildcard.field] = values
        elif values:
            found[wildcard.field] = values[0]

    def _all(self, particle: All, at: _Cursor, found: dict[str, Any], depth: int) -> None:
        parts = list(particle.parts)
        while (one := next((each for each in parts if self._may_start(each, at.node)), None)) is not None:
            parts.remove(one)
            self._particle(one, at, found, depth)
        missing = [name for each in parts if not _may_lack(each) for name in _names(each)]
        if missing and not (particle.optional and len(parts) == len(particle.parts)):
            raise ValueMappingError(f"expected {missing[0]}{at.shown}")

    def _repeated(self, group: RepeatedGroup, at: _Cursor, found: dict[str, Any], depth: int) -> None:
        layout = self._layouts[group.struct]
        struct = self._contract.struct(TypeRef(Kind.STRUCT, name=group.struct))
        values: list[Any] = []
        while (group.most is None or len(values) < group.most) and layout.content is not None:
            if not self._may_start(layout.content, at.node):
                break
            inner: dict[str, Any] = {}
            before = at.index
            try:
                self._particle(layout.content, at, inner, depth + 1)
                values.append(new_struct(struct, self._completed(inner, struct.fields)))
            except ValueMappingError as exc:
                raise exc.within(f"{group.field}[{len(values)}]") from None
            if at.index == before:
                break
        if len(values) < group.least:
            raise ValueMappingError(f"expected {group.least} groups, found {len(values)}", group.field)
        found[group.field] = values

    def _may_start(self, particle: Particle | None, node: Node | None) -> bool:
        """Whether an element can be the first of a content model."""
        if node is None:
            return False
        match particle:
            case ElementUse():
                return _is(particle.name, node)
            case Wildcard():
                return True
            case RepeatedGroup():
                return self._may_start(self._layouts[particle.struct].content, node)
            case Sequence():
                for each in particle.parts:
                    if self._may_start(each, node):
                        return True
                    if not _may_lack(each):
                        return False
                return False
            case Choice() | All():
                return any(self._may_start(each, node) for each in particle.parts)
        return False

    def _fields_of(self, name: str) -> tuple[Field, ...]:
        struct = self._contract.types[name]
        assert isinstance(struct, StructType)
        return struct.fields

    # Values

    def value(self, shape: Shape, node: Node, depth: int, *, nillable: bool) -> Any:
        """The value of one element."""
        self._left -= 1
        if self._left < 0 or depth > _MAX_DEPTH:
            raise ValueMappingError(f"more than {_MAX_VALUES} values, or deeper than {_MAX_DEPTH} levels")
        node = self._referred(node)
        if node.get(_NIL, "").strip() in ("true", "1"):
            if nillable or shape.ref.nullable:
                return None
            raise ValueMappingError("null, which the schema has no place for")
        match shape:
            case Simple():
                return parse_simple(shape, self._text(node), self._contract, self._zone)
            case Struct():
                layout = self._layouts[shape.ref.name]
                return new_struct(self._contract.struct(shape.ref), self.struct(layout, node, depth + 1))
            case Array():
                found: dict[str, Any] = {}
                rest = self._particle(shape.element, _Cursor(_children(node)), found, depth + 1)
                if rest.node is not None:
                    raise ValueMappingError(f"{local_name(rest.node.tag)[:60]!r} has no place here")
                return found[shape.element.field]
            case EncodedArray():
                return self._items(shape, node, depth)
            case Anything():
                return self._anything(node, depth)
        return self._charged(inner_text(node, most=self._characters_left))

    def _referred(self, node: Node) -> Node:
        reference = node.get("href", "") if not len(node) else ""
        if not reference.startswith("#"):
            return node
        found = self._ids.get(reference[1:])
        if found is None:
            raise ValueMappingError(f"{reference[:60]!r} is no element of the answer")
        return found

    def _items(self, shape: EncodedArray, node: Node, depth: int) -> list[Any]:
        if node.get(f"{{{ENCODING}}}offset") is not None:
            raise ValueMappingError("a part of an array")
        values: list[Any] = []
        for each in _children(node):
            try:
                values.append(self.value(shape.item, each, depth + 1, nillable=True))
            except ValueMappingError as exc:
                raise exc.within(f"[{len(values)}]") from None
        return values

    def _anything(self, node: Node, depth: int) -> Any:
        """What an element of any type says itself: a scalar by its type, a map by its elements, else a text."""
        said = node.get(_TYPE)
        simple = None if said is None else built_in(node.resolve(said))
        if simple is not None:
            return parse_simple(simple, self._text(node), self._contract, self._zone)
        if not len(node):
            return self._text(node)
        found: dict[str, Any] = {}
        for each in _children(node):
            name = local_name(each.tag)
            if name in found:
                # Several elements of one name: the whole as it stands, rather than a part of it.
                return self._charged(inner_text(node, most=self._characters_left))
            found[name] = self.value(Anything(), each, depth + 1, nillable=True)
        return found

    def _text(self, node: Node) -> str:
        if len(node):
            raise ValueMappingError("elements where a text is expected")
        return self._charged(node.text or "")

    def _charged(self, text: str) -> str:
        self._characters_left -= len(text)
        if self._characters_left < 0:
            raise ValueMappingError("texts that are referred to too often")
        return text


class _Cursor:
    """A place between elements. `shown`: for messages, what is there."""

    __slots__ = ("_nodes", "index")

    def __init__(self, nodes: list[Node]) -> None:
        self._nodes = nodes
        self.index = 0

    @property
    def node(self) -> Node | None:
        return self._nodes[self.index] if self.index < len(self._nodes) else None

    @property
    def shown(self) -> str:
        node = self.node
        return ", found nothing" if node is None else f", found {local_name(node.tag)[:60]!r}"

    def step(self) -> None:
        self.index += 1


def _children(node: Node) -> list[Node]:
    return [each for each in node if isinstance(each, Node)]


def _is(name: str, node: Node) -> bool:
    if node.tag == name:
        return True
    qualified = (name.startswith("{"), node.tag.startswith("{"))
    return qualified != (True, True) and local_name(name) == local_name(node.tag)


def _names(particle: Particle) -> Iterator[str]:
    if isinstance(particle, ElementUse):
        yield local_name(particle.name)
    elif isinstance(particle, Wildcard | RepeatedGroup):
        yield particle.field
    else:
        for each in particle.parts:
            yield from _names(each)


def _may_lack(particle: Particle) -> bool:
    match particle:
        case ElementUse() | Wildcard() | RepeatedGroup():
            return particle.least == 0
        case Choice():
            return particle.optional or any(map(_may_lack, particle.parts))
    return particle.optional or all(map(_may_lack, particle.parts))
