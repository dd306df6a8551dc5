"""Elements of a tree as text, wherever they are put: names that they need are declared where they are needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.model.errors import ValueMappingError
from protocols.soap.document import XmlError
from protocols.soap.text import escape, escape_attribute
from protocols.soap.tree import Node, parse_tree

__all__ = ["inner_text", "outer_text", "read_inner", "read_outer", "start_tag"]

_MAX_ELEMENTS = 100_000
_MAX_CHARACTERS = 16 * 2**20
_XML = "http://www.w3.org/XML/1998/namespace"


def start_tag(name: str, around: str, attributes: str = "") -> tuple[str, str, str]:
    """A start tag, its end tag, and the namespace that names without a prefix have inside.

    `around`: the one they have outside. `attributes`: as text, each with a blank in front.
    """
    namespace, _, local = name.rpartition("}")
    namespace = namespace[1:]
    declared = "" if namespace == around else f' xmlns="{escape_attribute(namespace)}"'
    return f"<{local}{declared}{attributes}>", f"</{local}>", namespace


def outer_text(node: Node, around: str = "", most: int = _MAX_CHARACTERS) -> str:
    """An element as text, in a place where names without a prefix are in the namespace `around`.

    Raises:
        ValueMappingError: it has more than `most` characters.
    """
    return _joined(_parts(node, around), most)


def inner_text(node: Node, around: str = "", most: int = _MAX_CHARACTERS) -> str:
    """What is inside of an element. Raises as `outer_text`."""
    return _joined(_inside(node, around), most)


def read_outer(text: str) -> Node:
    """The element that a text is. Raises `ValueMappingError`."""
    try:
        return parse_tree(text.encode("utf-8", "surrogatepass"), max_elements=_MAX_ELEMENTS)
    except (XmlError, LookupError) as exc:
        raise ValueMappingError(f"expected the XML of an element: {exc}") from None


def read_inner(text: str) -> Node:
    """An element with this content. Raises `ValueMappingError`."""
    return read_outer(f"<x>{text}</x>")


def _joined(parts: Iterable[str], most: int) -> str:
    found: list[str] = []
    for each in parts:
        # Namespaces are declared again and again, so the text may be much longer than what it was read from.
        most -= len(each)
        if most < 0:
            raise ValueMappingError("the XML is too long as a text")
        found.append(each)
    return "".join(found)


def _parts(node: Node, around: str) -> Iterator[str]:
    attributes = []
    for number, (name, value) in enumerate(node.attrib.items()):
        namespace, _, local = name.rpartition("}")
        if not namespace:
            attributes.append(f' {local}="{escape_attribute(value)}"')
        elif namespace[1:] == _XML:
            attributes.append(f' xml:{local}="{escape_attribute(value)}"')
        else:
            prefix = f"a{number}"
            uri = escape_attribute(namespace[1:])
            attributes.append(f' xmlns:{prefix}="{uri}" {prefix}:{local}="{escape_attribute(value)}"')
    start, end, inside = start_tag(node.tag, around, "".join(attributes))
    yield start
    yield from _inside(node, inside)
    yield end


def _inside(node: Node, around: str) -> Iterator[str]:
    yield escape(node.text or "")
    for each in node:
        assert isinstance(each, Node)
        yield from _parts(each, around)
        yield escape(each.tail or "")
