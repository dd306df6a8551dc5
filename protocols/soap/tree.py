"""Whole documents as trees: WSDLs, the schemas they refer to, and answers of services that have a WSDL of their own.

The elements are those of the standard library, with the line where they begin and the prefixes in force there, which
qualified names in values need. As everywhere here no document has a document type, so there are no entities of its own.
"""

from __future__ import annotations

from typing import Any, Final
from xml.etree.ElementTree import Element
from xml.parsers import expat

from gateway.model.errors import ValueMappingError
from protocols.soap.document import XmlError, check_namespace, to_utf8
from protocols.soap.text import BLANKS

__all__ = ["MAX_DEPTH", "Node", "Scope", "parse_tree"]

MAX_DEPTH: Final = 200
"""Elements inside each other."""
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_SEPARATOR: Final = "}"
_MAX_NAME_CHARACTERS: Final = 16 * 2**20
"""Of all different names of a document together. A name has its namespace in it, so few bytes may be a long one."""


class Scope:
    """The prefixes in force in an element: those `declared` there, and those `around`.

    A document may declare many and have many elements in which they count, so elements share what is around them.
    """

    __slots__ = ("_around", "_declared")

    def __init__(self, declared: dict[str, str], around: Scope | None = None) -> None:
        self._declared = declared
        self._around = around

    def get(self, prefix: str) -> str | None:
        """The namespace of a prefix, empty where names have none; None where it is not declared."""
        scope: Scope | None = self
        while scope is not None:
            found = scope._declared.get(prefix)
            if found is not None:
                return found
            scope = scope._around
        return None


class Node(Element):
    """An element of a tree.

    Attributes:
        line: Where it begins, from 1.
        prefixes: Those in force; the namespace of names without one is under the empty prefix.
    """

    line: int
    prefixes: Scope

    def resolve(self, qualified: str) -> str:
        """The expanded name, `{namespace}local`, that a qualified name in a value stands for.

        Raises:
            ValueMappingError: its prefix is not declared.
        """
        prefix, _, local = qualified.strip(BLANKS).rpartition(":")
        namespace = self.prefixes.get(prefix)
        if namespace is None:
            if prefix:
                raise ValueMappingError(f"the prefix {prefix[:60]!r} is not declared")
            return local
        return f"{{{namespace}}}{local}" if namespace else local


def parse_tree(data: bytes, *, max_elements: int, charset: str = "") -> Node:
    """The root of a document.

    Args:
        data: Of any encoding that `to_utf8` reads.
        max_elements: How many it may have.
        charset: Of its media type.

    Raises:
        XmlError: it is not well-formed, has a document type, or is too large; says in which line.
        LookupError: it is in another encoding; the text says in which.
    """
    builder = _Builder(max_elements)
    parser = expat.ParserCreate("utf-8", _SEPARATOR)
    builder.parser = parser
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartNamespaceDeclHandler = builder.declare
    try:
        parser.Parse(to_utf8(data, charset), True)
    except expat.ExpatError as exc:
        raise XmlError(f"no well-formed XML: {expat.ErrorString(exc.code)} in line {exc.lineno}") from None
    except XmlError as exc:
        raise XmlError(f"{exc} in line {parser.CurrentLineNumber}") from None
    assert builder.root is not None
    return builder.root


class _Builder:
    def __init__(self, max_elements: int) -> None:
        self._left = max_elements
        self._max_elements = max_elements
        self._stack: list[Node] = []
        self._declared: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._characters_left = _MAX_NAME_CHARACTERS
        self.parser: Any = None
        self.root: Node | None = None

    def doctype(self, *_: Any) -> None:
        raise XmlError("a document type, which no document may have")

    def declare(self, prefix: str | None, uri: str | None) -> None:
        check_namespace(uri or "")
        self._declared[prefix or ""] = uri or ""

    def start(self, name: str, attributes: list[str]) -> None:
        self._left -= 1
        if self._left < 0:
            raise XmlError(f"more than {self._max_elements} elements")
        if len(self._stack) >= MAX_DEPTH:
            raise XmlError(f"elements nested deeper than {MAX_DEPTH} levels")
        pairs = zip(attributes[::2], attributes[1::2], strict=True)
        node = Node(self._clark(name), {self._clark(key): value for key, value in pairs})
        node.line = self.parser.CurrentLineNumber
        scope = self._stack[-1].prefixes if self._stack else Scope({"xml": _XML})
        if self._declared:
            scope = Scope(self._declared, scope)
            self._declared = {}
        node.prefixes = scope
        if self._stack:
            self._stack[-1].append(node)
        else:
            self.root = node
        self._stack.append(node)

    def end(self, _: str) -> None:
        self._stack.pop()

    def text(self, text: str) -> None:
        node = self._stack[-1]
        if len(node):
            last = node[-1]
            last.tail = (last.tail or "") + text
        else:
            node.text = (node.text or "") + text

    def _clark(self, name: str) -> str:
        """The name as elements of the standard library have it, one text for all that have it."""
        found = self._names.get(name)
        if found is None:
            self._characters_left -= len(name)
            if self._characters_left < 0:
                raise XmlError(f"different names of more than {_MAX_NAME_CHARACTERS} characters together")
            found = self._names[name] = f"{{{name}" if _SEPARATOR in name else name
        return found
