"""Names on the wire: namespaces, and what operations, types and faults of a contract are called.

| what | name |
| --- | --- |
| target namespace | JAX-WS' rule for packages: `com.acme.shop.Orders` is in `http://shop.acme.com/`; or configured |
| operation, and the element of its request | the method's name under `webservice`, else its name in the contract |
| methods that share a name | the Python attribute of each, which is unique |
| element of the response | the operation's name with `Response` behind it |
| parameter, field | its name in the contract |
| result | `return` |
| struct, enum, exception | what stands behind the last dot; the whole name where two would be called the same |
| list, set, map as a type of its own | `ArrayOfInt`, `SetOfString`, `MapOfStringToLong`, `ArrayOfNullableInt` |
| exception in a fault's detail | an element with the name of its type |
| SOAPAction | namespace and operation |

A name depends on the contract alone, never on the order of declarations. WSDL and codec both take it from here.

Source of the namespace rule: Jakarta XML Web Services 4.0, section 3.2.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.typeref import Kind, TypeRef

__all__ = [
    "ANY_TYPES",
    "CONTEXT",
    "ENTRY",
    "FORMS",
    "ITEM",
    "KEY",
    "MESSAGE",
    "PARAMETERS",
    "PROTOCOL",
    "QUALIFIED",
    "RETURN",
    "SEPARATOR",
    "SIMPLE_TYPES",
    "SOAP_11",
    "SOAP_12",
    "UNQUALIFIED",
    "VALUE",
    "XSD",
    "XSI",
    "TypeNames",
    "action_of",
    "expanded",
    "operation_names",
    "parse_namespace",
    "response_name",
    "target_namespace",
]

PROTOCOL: Final = "webservice"
SOAP_11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12: Final = "http://www.w3.org/2003/05/soap-envelope"
XSD: Final = "http://www.w3.org/2001/XMLSchema"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
CONTEXT: Final = "urn:polyport:soap"
"""Of what this gateway says beside a call and beside a fault; see `protocols.soap.context` and `…fault`."""
SEPARATOR: Final = "\f"
"""Between namespace and local name of an expanded name: a character that no XML document can contain."""

RETURN: Final = "return"
ITEM: Final = "item"
ENTRY: Final = "entry"
KEY: Final = "key"
VALUE: Final = "value"
MESSAGE: Final = "message"
"""The text of an exception, beside its fields."""

QUALIFIED: Final = "qualified"
UNQUALIFIED: Final = "unqualified"
PARAMETERS: Final = "parameters"
FORMS: Final = (QUALIFIED, UNQUALIFIED, PARAMETERS)
"""Which elements inside of operations are in the namespace: all of them, none, or parameters and results alone."""

SIMPLE_TYPES: Final[Mapping[Kind, str]] = {Kind.UUID: "uuid", Kind.LOCAL_DATETIME: "localDateTime"}
"""Types of the model that are simple types of the schema, not of XML Schema itself."""
ANY_TYPES: Final = ("scaledDecimal", "javaDate", "anyList", "anySet", "anyMap", "anyRecord")
"""What else the schema has beside the contract's own types."""

_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[!#-;=?-\[\]_a-z~%]+")
_UNNAMED: Final = "http://unnamed/"
_LABELS: Final[Mapping[Kind, str]] = {
    Kind.BOOL: "Boolean",
    Kind.I8: "Byte",
    Kind.I16: "Short",
    Kind.I32: "Int",
    Kind.I64: "Long",
    Kind.F32: "Float",
    Kind.F64: "Double",
    Kind.BIGINT: "Integer",
    Kind.DECIMAL: "Decimal",
    Kind.CHAR: "Char",
    Kind.STRING: "String",
    Kind.BYTES: "Base64Binary",
    Kind.DATE: "Date",
    Kind.TIME: "Time",
    Kind.DATETIME: "DateTime",
    Kind.LOCAL_DATETIME: "LocalDateTime",
    Kind.DURATION: "Duration",
    Kind.UUID: "Uuid",
    Kind.ANY: "Any",
    Kind.NULL: "Null",
    Kind.CALLBACK: "Callback",
}


def target_namespace(name: str) -> str:
    """The namespace of a contract that says none: its package, backwards."""
    package = name.rpartition(".")[0]
    return f"http://{'.'.join(reversed(package.split('.')))}/" if package else _UNNAMED


def parse_namespace(text: str) -> str:
    """A namespace as somebody wrote it.

    Raises:
        ValueError: it is no absolute URI (Namespaces in XML 1.0, section 2.2, asks for no relative ones).
    """
    if text and _URI.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no absolute URI like http://shop.example/ or urn:shop")
    return text


def expanded(namespace: str, local: str) -> str:
    """A qualified name as the reader has it."""
    return f"{namespace}{SEPARATOR}{local}"


def operation_names(contract: ServiceContract) -> Mapping[str, str]:
    """The operation of each method, by the method's attribute."""
    sharing = Counter(method.name for method in contract.methods)
    return {method.attribute: _operation_name(method, sharing[method.name]) for method in contract.methods}


def _operation_name(method: MethodContract, sharing: int) -> str:
    given = method.names.get(PROTOCOL)
    if given is not None:
        return given
    return method.name if sharing == 1 else method.attribute


def response_name(operation: str) -> str:
    """The element of an operation's response."""
    return f"{operation}Response"


def action_of(namespace: str, operation: str) -> str:
    """The SOAPAction of an operation."""
    return f"{namespace}{'' if namespace.endswith(('/', '#', ':')) else '/'}{operation}"


class TypeNames:
    """What the types of one contract are called in its schema."""

    __slots__ = ("_named", "_taken")

    def __init__(self, contract: ServiceContract) -> None:
        reserved = {*SIMPLE_TYPES.values(), *ANY_TYPES}
        wanted = {
            name: definition.names.get(PROTOCOL) or name.rpartition(".")[2]
            for name, definition in contract.types.items()
        }
        sharing = Counter(wanted.values())
        self._named: Final = {
            name: short if sharing[short] == 1 and short not in reserved else name for name, short in wanted.items()
        }
        self._taken: Final = frozenset(self._named.values())

    def of_named(self, name: str) -> str:
        """A struct, enum or exception, by its contract name."""
        return self._named[name]

    def of_container(self, ref: TypeRef) -> str:
        """A list, set or map that is a type of its own."""
        name = self._label(ref.required())
        while name in self._taken:
            name += "_"
        return name

    def _label(self, ref: TypeRef) -> str:
        nullable = "Nullable" if ref.nullable and ref.kind is not Kind.ANY else ""
        match ref.kind:
            case Kind.LIST:
                return f"{nullable}ArrayOf{self._label(ref.args[0])}"
            case Kind.SET:
                return f"{nullable}SetOf{self._label(ref.args[0])}"
            case Kind.MAP:
                return f"{nullable}MapOf{self._label(ref.args[0])}To{self._label(ref.args[1])}"
        if ref.name:
            short = self._named[ref.name]
            return f"{nullable}{short[:1].upper()}{short[1:]}"
        return f"{nullable}{_LABELS[ref.kind]}"
