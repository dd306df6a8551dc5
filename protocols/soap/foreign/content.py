"""What a complex type consists of, with everything that it derives from and refers to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from protocols.soap.foreign.description import XS, Component, Description, Schema, fail, nodes, resolved
from protocols.soap.foreign.shape import Simple
from protocols.soap.foreign.simple import SimpleTypes, built_in
from protocols.soap.tree import Node

__all__ = ["GROUPS", "Content", "ContentReader"]

GROUPS: Final = frozenset(f"{XS}{each}" for each in ("sequence", "choice", "all", "group"))
_MAX_DEPTH: Final = 64
_TRUE: Final = ("true", "1")


@dataclass(frozen=True, slots=True)
class Content:
    """See the module. `groups`: one after the other. `attributes`: `xs:attribute`s. `text`: of simple content."""

    groups: tuple[Component, ...]
    attributes: tuple[Component, ...]
    text: Simple | None = None
    mixed: bool = False

    @property
    def only_element(self) -> Component | None:
        """The element that is all there is."""
        if self.attributes or self.text is not None or len(self.groups) != 1:
            return None
        group = self.groups[0]
        inside = [each for each in nodes(group.node) if each.tag != f"{XS}annotation"]
        if len(inside) != 1 or inside[0].tag != f"{XS}element" or group.node.get("maxOccurs", "1") != "1":
            return None
        return Component(inside[0], group.schema)


class ContentReader:
    """Reads complex types of one description."""

    def __init__(self, description: Description, simple: SimpleTypes) -> None:
        self._description = description
        self._simple = simple

    def read(self, node: Node, schema: Schema, depth: int = 0) -> Content:
        """Of an `xs:complexType`. Raises `ContractError`."""
        if depth > _MAX_DEPTH:
            raise fail(schema, node, "types that derive from each other")
        mixed = node.get("mixed") in _TRUE
        for each in nodes(node):
            if each.tag in (f"{XS}simpleContent", f"{XS}complexContent"):
                inside = next((one for one in nodes(each) if one.tag in (f"{XS}restriction", f"{XS}extension")), None)
                if inside is None:
                    raise fail(schema, each, "a derived type that does not say how")
                mixed = mixed or each.get("mixed") in _TRUE
                if each.tag == f"{XS}simpleContent":
                    return self._simple_content(inside, schema, depth)
                return self._derived(inside, schema, depth, mixed=mixed)
        return Content(self._groups(node, schema), self._attributes(node, schema, 0), None, mixed)

    def _simple_content(self, node: Node, schema: Schema, depth: int) -> Content:
        own = self._attributes(node, schema, 0)
        base = self._base(node, schema)
        if base is None:
            text: Simple | None = self._simple.named(node.get("base", ""), node, schema)
            attributes: tuple[Component, ...] = ()
        else:
            inherited = self.read(base.node, base.schema, depth + 1)
            text, attributes = inherited.text, inherited.attributes
        inside = next((each for each in nodes(node) if each.tag == f"{XS}simpleType"), None)
        if inside is not None:
            text = self._simple.declared(inside, schema, "Value")
        if text is None:
            text = built_in(f"{XS}string")
        return Content((), _overridden(attributes, own), text)

    def _derived(self, node: Node, schema: Schema, depth: int, *, mixed: bool) -> Content:
        base = self._base(node, schema)
        own = Content(self._groups(node, schema), self._attributes(node, schema, 0), None, mixed)
        if base is None:
            return own
        inherited = self.read(base.node, base.schema, depth + 1)
        attributes = _overridden(inherited.attributes, own.attributes)
        mixed = mixed or (inherited.mixed and bool(inherited.groups))
        if node.tag == f"{XS}restriction":
            return Content(own.groups, attributes, None, mixed)
        return Content((*inherited.groups, *own.groups), attributes, inherited.text, mixed)

    def _base(self, node: Node, schema: Schema) -> Component | None:
        """The complex type that one derives from; None for a simple one, or any type."""
        qualified = node.get("base", "")
        expanded = resolved(qualified, node, schema)
        if expanded == f"{XS}anyType" or built_in(expanded) is not None:
            return None
        _, found = self._description.find(self._description.tables.types, "type", qualified, node, schema)
        return found if found.node.tag == f"{XS}complexType" else None

    @staticmethod
    def _groups(node: Node, schema: Schema) -> tuple[Component, ...]:
        return tuple(Component(each, schema) for each in nodes(node) if each.tag in GROUPS)

    def _attributes(self, node: Node, schema: Schema, depth: int) -> tuple[Component, ...]:
        return tuple(self._listed_attributes(node, schema, depth))

    def _listed_attributes(self, node: Node, schema: Schema, depth: int) -> Iterator[Component]:
        if depth > _MAX_DEPTH:
            raise fail(schema, node, "groups of attributes that refer to each other")
        for each in nodes(node):
            self._description.spend(schema, each)
            if each.tag == f"{XS}attribute":
                yield Component(each, schema)
            elif each.tag == f"{XS}attributeGroup" and each.get("ref") is not None:
                table = self._description.tables.attribute_groups
                _, found = self._description.find(table, "group of attributes", each.get("ref", ""), each, schema)
                yield from self._listed_attributes(found.node, found.schema, depth + 1)


def _overridden(inherited: tuple[Component, ...], own: tuple[Component, ...]) -> tuple[Component, ...]:
    """Attributes of base and derived type; what the derived one says again counts."""
    again = {_attribute_name(each) for each in own}
    return (*(each for each in inherited if _attribute_name(each) not in again), *own)


def _attribute_name(component: Component) -> str:
    return component.node.get("name") or component.node.get("ref", "").rpartition(":")[2]
