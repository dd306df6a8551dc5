"""A WSDL with all documents that it leads to, as tables of what they declare.

Documents are found by `Document.refer`, which decides what may be read. A document is read once, however many refer to
it, so circles end. One that cannot be read is missed only where something of it is needed: what is then left out says
why. Schemas of SOAP and of XML itself are known, and never read.

Sources: WSDL 1.1, section 2.1; XML Schema Part 1, section 4.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from gateway.model.document import Document
from gateway.model.errors import ContractError, ValueMappingError
from protocols.soap.document import XmlError
from protocols.soap.names import SOAP_11, SOAP_12, XSD
from protocols.soap.tree import Node, parse_tree

__all__ = ["ENCODING", "WSDL", "XS", "Component", "Description", "Schema", "fail", "local_name", "named"]

WSDL: Final = "{http://schemas.xmlsoap.org/wsdl/}"
XS: Final = f"{{{XSD}}}"
ENCODING: Final = "http://schemas.xmlsoap.org/soap/encoding/"
_KNOWN: Final = frozenset(
    (
        XSD,
        ENCODING,
        SOAP_11,
        SOAP_12,
        WSDL[1:-1],
        "http://www.w3.org/XML/1998/namespace",
        f"{SOAP_12[:-13]}soap-encoding",
    )
)
_MAX_ELEMENTS: Final = 500_000
_MAX_BYTES: Final = 64 * 2**20
_MAX_STEPS: Final = 100_000
_MAX_REFERENCES: Final = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """What holds for everything that one schema declares. `namespace`: its target, empty for none.

    `elements`, `attributes`: whether the local ones are qualified unless they say otherwise.
    """

    location: str
    namespace: str
    elements: bool
    attributes: bool


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """A global declaration, and the schema it stands in."""

    node: Node
    schema: Schema


def named(namespace: str, local: str) -> str:
    """An expanded name, `{namespace}local`."""
    return f"{{{namespace}}}{local}" if namespace else local


def local_name(expanded: str) -> str:
    """What is behind the namespace."""
    return expanded.rpartition("}")[2]


def fail(schema: Schema, node: Node, text: str) -> ContractError:
    """The error for something at a place."""
    return ContractError(f"{schema.location}:{node.line}: {text}")


@dataclass(slots=True)
class Tables:
    """Declarations by expanded name."""

    types: dict[str, Component] = field(default_factory=dict)
    elements: dict[str, Component] = field(default_factory=dict)
    groups: dict[str, Component] = field(default_factory=dict)
    attributes: dict[str, Component] = field(default_factory=dict)
    attribute_groups: dict[str, Component] = field(default_factory=dict)
    messages: dict[str, Component] = field(default_factory=dict)
    port_types: dict[str, Component] = field(default_factory=dict)
    bindings: dict[str, Component] = field(default_factory=dict)


_SCHEMA_TABLES: Final = {
    f"{XS}complexType": "types",
    f"{XS}simpleType": "types",
    f"{XS}element": "elements",
    f"{XS}group": "groups",
    f"{XS}attribute": "attributes",
    f"{XS}attributeGroup": "attribute_groups",
}
_WSDL_TABLES: Final = {
    f"{WSDL}message": "messages",
    f"{WSDL}portType": "port_types",
    f"{WSDL}binding": "bindings",
}


class Description:
    """See the module.

    Attributes:
        tables: What is declared.
        services: The `wsdl:service`s in their order.
        namespace: The target namespace of the WSDL itself.
        substitutes: The elements that may stand for another one, by its expanded name.
    """

    def __init__(self, document: Document, root: Node) -> None:
        self.tables: Final = Tables()
        self.services: Final[list[Component]] = []
        self.namespace: Final = root.get("targetNamespace", "")
        self.substitutes: Final[dict[str, list[str]]] = {}
        self._unread: dict[str, list[str]] = {}
        self._seen: set[tuple[str, str]] = set()
        self._referred: dict[tuple[str, str], Document | ContractError] = {}
        self._trees: dict[str, Node] = {document.location: root}
        self._bytes = len(document.data)
        self._elements = 0
        self._declared = 0
        self._steps = _MAX_STEPS
        self._count(document, root)
        # A queue and no recursion: a chain of documents may be long.
        self._waiting: list[tuple[Document, Node, str]] = [(document, root, "")]
        while self._waiting:
            self._read(*self._waiting.pop(0))
        self._find_substitutes()

    def missing(self, expanded: str) -> str:
        """Why there may be no declaration of a name, for behind `there is no …`."""
        namespace = expanded[1:].partition("}")[0] if expanded.startswith("{") else ""
        reasons = self._unread.get(namespace) or [each for found in self._unread.values() for each in found]
        return f" ({'; '.join(dict.fromkeys(reasons[:3]))})" if reasons else ""

    def spend(self, schema: Schema, node: Node) -> None:
        """Counts one step of what is said once and meant often: groups in groups multiply.

        Raises:
            ContractError: there were too many.
        """
        self._steps -= 1
        if self._steps < 0:
            raise fail(schema, node, f"more than {_MAX_STEPS} elements and attributes, each counted where it is meant")

    def find(
        self, table: dict[str, Component], what: str, qualified: str, at: Node, schema: Schema
    ) -> tuple[str, Component]:
        """What a qualified name means, with its expanded name.

        Raises:
            ContractError: nothing.
        """
        expanded = resolved(qualified, at, schema)
        found = table.get(expanded)
        if found is None and not expanded.startswith("{") and schema.namespace:
            # A schema without a namespace that was included by one with it refers to its own names so.
            expanded = named(schema.namespace, expanded)
            found = table.get(expanded)
        if found is None:
            raise fail(schema, at, f"there is no {what} {expanded}{self.missing(expanded)}")
        return expanded, found

    def _count(self, document: Document, root: Node) -> None:
        self._elements += sum(1 for _ in root.iter())
        if self._elements > _MAX_ELEMENTS or self._bytes > _MAX_BYTES:
            raise ContractError(f"{document.location}: the description and what it refers to are too large")

    def _read(self, document: Document, root: Node, namespace: str) -> None:
        """`namespace`: that of the schema that includes this one."""
        if (document.location, namespace) in self._seen:
            return
        self._seen.add((document.location, namespace))
        if root.tag == f"{WSDL}definitions":
            self._read_definitions(document, root)
        elif root.tag == f"{XS}schema":
            self._read_schema(document, root, namespace)
        else:
            self._unread.setdefault(namespace, []).append(f"{document.location} is neither a WSDL nor a schema")

    def _read_definitions(self, document: Document, root: Node) -> None:
        target = root.get("targetNamespace", "")
        context = Schema(document.location, target, False, False)
        for each in nodes(root):
            if each.tag == f"{WSDL}import":
                self._refer(document, each, each.get("location", ""), each.get("namespace", ""), "")
            elif each.tag == f"{WSDL}types":
                for schema in nodes(each):
                    if schema.tag == f"{XS}schema":
                        self._read_schema(document, schema, "")
            elif each.tag == f"{WSDL}service":
                self.services.append(Component(each, context))
            elif each.tag in _WSDL_TABLES:
                table = getattr(self.tables, _WSDL_TABLES[each.tag])
                table.setdefault(named(target, each.get("name", "")), Component(each, context))

    def _read_schema(self, document: Document, root: Node, including: str) -> None:
        target = root.get("targetNamespace", including)
        schema = Schema(
            document.location,
            target,
            root.get("elementFormDefault") == "qualified",
            root.get("attributeFormDefault") == "qualified",
        )
        # A schema without a namespace is read once for each that includes it.
        self._declared += len(root)
        if self._declared > _MAX_ELEMENTS:
            raise ContractError(f"{document.location}: more than {_MAX_ELEMENTS} declarations")
        for each in nodes(root):
            if each.tag == f"{XS}import":
                self._refer(document, each, each.get("schemaLocation", ""), each.get("namespace", ""), "")
            elif each.tag in (f"{XS}include", f"{XS}redefine"):
                self._refer(document, each, each.get("schemaLocation", ""), target, target)
                if each.tag == f"{XS}redefine" and any(child.tag in _SCHEMA_TABLES for child in each):
                    raise fail(schema, each, "a redefinition, which is not read here")
            elif each.tag in _SCHEMA_TABLES:
                table = getattr(self.tables, _SCHEMA_TABLES[each.tag])
                table.setdefault(named(target, each.get("name", "")), Component(each, schema))

    def _refer(self, document: Document, at: Node, reference: str, namespace: str, including: str) -> None:
        if not reference or namespace in _KNOWN:
            return
        key = (document.location, reference)
        if key not in self._referred:
            if len(self._referred) >= _MAX_REFERENCES:
                raise ContractError(f"{document.location}: more than {_MAX_REFERENCES} references to other documents")
            try:
                self._referred[key] = self._open(document, reference)
            except ContractError as exc:
                self._referred[key] = exc
        found = self._referred[key]
        if isinstance(found, ContractError):
            self._unread.setdefault(namespace, []).append(f"line {at.line}: {found}")
        else:
            self._waiting.append((found, self._trees[found.location], including))

    def _open(self, document: Document, reference: str) -> Document:
        found = document.refer(reference)
        if found.location not in self._trees:
            self._bytes += len(found.data)
            try:
                root = parse_tree(found.data, max_elements=_MAX_ELEMENTS)
            except (XmlError, LookupError) as exc:
                raise ContractError(f"{found.location}: {exc.args[0]}") from None
            self._trees[found.location] = root
            self._count(found, root)
        return found

    def _find_substitutes(self) -> None:
        heads: dict[str, list[str]] = {}
        for name, each in self.tables.elements.items():
            head = each.node.get("substitutionGroup", "")
            if head:
                heads.setdefault(resolved(head, each.node, each.schema), []).append(name)
        for head in heads:
            found: dict[str, None] = {}
            waiting = [head]
            while waiting:
                for name in heads.get(waiting.pop(0), ()):
                    if name not in found and name != head:
                        found[name] = None
                        waiting.append(name)
            self.substitutes[head] = list(found)


def resolved(qualified: str, at: Node, schema: Schema) -> str:
    """The expanded name of a qualified one. Raises `ContractError`."""
    try:
        return at.resolve(qualified)
    except ValueMappingError as exc:
        raise fail(schema, at, str(exc)) from None


def nodes(parent: Node) -> Iterator[Node]:
    """The elements inside of one."""
    for each in parent:
        assert isinstance(each, Node)
        yield each
