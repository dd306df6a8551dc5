"""Operations as methods: parameters, result and exceptions of their messages.

| messages | method |
| --- | --- |
| document, wrapped | the elements inside are the parameters, those of the response's element the result |
| document, bare | each part is a parameter, called like its element |
| rpc | each part is a parameter |
| several values in the response | a struct, the operation's name with `Result` behind it |
| no output | oneway |
| a fault's element | an exception: what is inside are its fields |
| header blocks | not part of the contract, and not sent |

Wrapped: the one part is an element that is called like the operation, of a type with a sequence and no attributes. This
rule is that of Jakarta XML Web Services 4.0, section 2.3.1.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.model.contract import MISSING, Field, MethodContract, Param
from gateway.model.errors import ContractError
from gateway.model.typeref import Kind, TypeRef
from protocols.soap.foreign.binding import Binding, BoundOperation, soap_bodies
from protocols.soap.foreign.content import Content
from protocols.soap.foreign.description import WSDL, XS, Component, Schema, fail, local_name, named, nodes, resolved
from protocols.soap.foreign.fields import FieldsBuilder
from protocols.soap.foreign.naming import identifier, member_name, package_of
from protocols.soap.foreign.shape import All, ElementUse, Layout, Particle, Sequence
from protocols.soap.foreign.text import documentation
from protocols.soap.foreign.types import Types
from protocols.soap.tree import Node

__all__ = ["ForeignOperation", "Message", "OperationReader"]


_ATTACHMENT: Final = "{http://schemas.xmlsoap.org/wsdl/mime/}content"


@dataclass(frozen=True, slots=True)
class Message:
    """The body of a request or response.

    `wrapper`: the element around all else, empty where there is none. `content`: what is inside, with the values of
    parameters as fields. `fields`: these, in order.
    """

    wrapper: str
    content: Particle | None
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class ForeignOperation:
    """One method, and how it is called.

    `rpc`: the wrapper is none of the schema. `encoded`: by section 5 of SOAP 1.1. `result`: contract name of the struct
    of a response with several values, empty otherwise. `faults`: exceptions by the element of their detail.
    """

    method: MethodContract
    action: str
    rpc: bool
    encoded: bool
    request: Message
    response: Message | None
    result: str
    faults: Mapping[str, Layout]


class OperationReader:
    """Reads the operations of one binding; `faults` keeps the exceptions of a description, by element."""

    def __init__(self, types: Types, binding: Binding, faults: dict[str, Layout | ContractError]) -> None:
        self._types = types
        self._binding = binding
        self._faults = faults
        self._taken: set[str] = set()
        self._schema: Final[Schema] = binding.component.schema

    def read(self, node: Node, schema: Schema, bound: BoundOperation) -> ForeignOperation:
        """One `wsdl:operation` of the port type. Raises `ContractError` where no method can be made of it."""
        name = node.get("name", "")
        said = {each.tag: each for each in nodes(node) if each.tag in (f"{WSDL}input", f"{WSDL}output")}
        request_node, response_node = said.get(f"{WSDL}input"), said.get(f"{WSDL}output")
        if request_node is None or (response_node is not None and next(iter(said)) == f"{WSDL}output"):
            raise fail(schema, node, "the service calls, not its client")
        if any(each.tag == _ATTACHMENT and each.get("part") for each in bound.node.iter()):
            raise fail(schema, node, "its messages have attachments")
        rpc = bound.style == "rpc"
        ways = {each.tag: each for each in nodes(bound.node)}
        body = _body(ways.get(f"{WSDL}input"))
        encoded = body is not None and body.get("use") == "encoded"
        wrapped = not rpc and self._is_wrapped(request_node, schema, body, name)
        attribute = member_name(name, self._taken)
        request = self._message(request_node, schema, body, name, rpc=rpc, wrapped=wrapped, taken={"self"})
        response, returns, result = None, TypeRef(Kind.NULL), ""
        if response_node is not None:
            body = _body(ways.get(f"{WSDL}output"))
            response = self._message(
                response_node, schema, body, f"{name}Response", rpc=rpc, wrapped=wrapped, taken=set()
            )
            returns, result = self._result(response, name, schema)
        faults = dict(self._declared(node, schema))
        self._taken.add(attribute)
        throws = tuple(dict.fromkeys(TypeRef(Kind.EXCEPTION, name=each.struct.name) for each in faults.values()))
        method = MethodContract(
            name=identifier(name) if identifier(name) not in self._taken - {attribute} else attribute,
            params=tuple(Param(each.name, each.type, MISSING, each.doc) for each in request.fields),
            returns=returns,
            attribute=attribute,
            throws=throws,
            oneway=response_node is None,
            doc=documentation(node),
        )
        return ForeignOperation(method, bound.action, rpc, encoded, request, response, result, MappingProxyType(faults))

    def _parts(self, said: Node, schema: Schema, body: Node | None) -> list[tuple[Node, Schema]]:
        """The parts of a message that are in the body."""
        table = self._types.description.tables.messages
        _, message = self._types.description.find(table, "message", said.get("message", ""), said, schema)
        parts = [each for each in nodes(message.node) if each.tag == f"{WSDL}part"]
        wanted = None if body is None else body.get("parts")
        if wanted is not None:
            parts = [each for each in parts if each.get("name") in wanted.split()]
        else:
            headers = self._header_parts(said)
            parts = [each for each in parts if each.get("name") not in headers]
        return [(each, message.schema) for each in parts]

    def _header_parts(self, said: Node) -> frozenset[str]:
        """The parts of the same message that its binding puts into the header."""
        local = said.get("message", "").rpartition(":")[2]
        return frozenset(
            each.get("part", "")
            for each in self._binding.component.node.iter()
            if each.tag.endswith("}header") and each.get("message", "").rpartition(":")[2] == local
        )

    def _element(self, part: Node, schema: Schema) -> tuple[str, Component]:
        table = self._types.description.tables.elements
        return self._types.description.find(table, "element", part.get("element", ""), part, schema)

    def _is_wrapped(self, said: Node, schema: Schema, body: Node | None, operation: str) -> bool:
        parts = self._parts(said, schema, body)
        if len(parts) != 1 or parts[0][0].get("element") is None:
            return False
        expanded, component = self._element(*parts[0])
        return local_name(expanded) == operation and self._wrapper_content(component) is not None

    def _wrapper_content(self, component: Component) -> Content | None:
        """What is inside of an element that may be a wrapper."""
        content = self._types.content_of(component.node, component.schema)
        if content is None or content.mixed or content.attributes or content.text is not None:
            return None
        plain = all(each.node.tag == f"{XS}sequence" and _once(each.node) for each in content.groups)
        return content if plain else None

    def _message(
        self, said: Node, schema: Schema, body: Node | None, name: str, *, rpc: bool, wrapped: bool, taken: set[str]
    ) -> Message:
        parts = self._parts(said, schema, body)
        package = package_of(self._schema.namespace)
        capital = identifier(f"{name[:1].upper()}{name[1:]}")
        builder = FieldsBuilder(self._types, f"{package}.{capital}" if package else capital, taken)
        if wrapped and len(parts) == 1 and parts[0][0].get("element") is not None:
            expanded, component = self._element(*parts[0])
            content = self._wrapper_content(component)
            if content is not None:
                inside = builder.content(content)
                return Message(expanded, inside, tuple(builder.fields))
        uses = tuple(self._part(each, where, builder, rpc=rpc) for each, where in parts)
        namespace = "" if body is None else body.get("namespace", "")
        wrapper = named(namespace or self._schema.namespace, name) if rpc else ""
        return Message(wrapper, All(uses) if rpc else Sequence(uses), tuple(builder.fields))

    def _part(self, part: Node, schema: Schema, builder: FieldsBuilder, *, rpc: bool) -> ElementUse:
        name = part.get("name", "")
        if part.get("element") is not None:
            expanded, component = self._element(part, schema)
            shape = self._types.of_global(expanded, component)
            if rpc:
                raise fail(schema, part, f"the part {name} of an rpc message has an element")
            nillable = component.node.get("nillable") in ("true", "1")
            return builder.part(local_name(expanded), expanded, shape, nillable=nillable)
        if part.get("type") is None:
            raise fail(schema, part, f"the part {name} has neither type nor element")
        shape = self._types.of_type(part.get("type", ""), part, schema)
        # SOAP's encoding lets every accessor be null.
        return builder.part(name, name, shape, nillable=rpc and shape.ref.kind is not Kind.NULL and self._is_encoded())

    def _is_encoded(self) -> bool:
        return any(each.get("use") == "encoded" for each in self._binding.component.node.iter())

    def _result(self, response: Message, name: str, schema: Schema) -> tuple[TypeRef, str]:
        fields = response.fields
        if not fields:
            return TypeRef(Kind.NULL), ""
        if len(fields) == 1:
            return fields[0].type, ""
        made = self._types.namer.give(
            package_of(self._schema.namespace), identifier(f"{name[:1].upper()}{name[1:]}Result")
        )
        self._types.add_result(made, fields)
        return TypeRef(Kind.STRUCT, name=made), made

    def _declared(self, node: Node, schema: Schema) -> Iterator[tuple[str, Layout]]:
        table = self._types.description.tables.messages
        for fault in nodes(node):
            if fault.tag != f"{WSDL}fault":
                continue
            _, message = self._types.description.find(table, "message", fault.get("message", ""), fault, schema)
            for part in nodes(message.node):
                if part.tag == f"{WSDL}part":
                    yield self._fault(part, message)

    def _fault(self, part: Node, message: Component) -> tuple[str, Layout]:
        qualified = part.get("element")
        if qualified is not None:
            expanded, component = self._element(part, message.schema)
            key = owner = expanded
        else:
            # As an element that is called like the part, which is how rpc messages have it.
            expanded, component = part.get("name", ""), Component(_as_element(part), message.schema)
            key = f"{expanded} {resolved(part.get('type', ''), part, message.schema)}"
            owner = message.node.get("name", expanded)
        known = self._faults.get(key)
        if known is None:
            try:
                known = self._types.exception(owner, component.node, component.schema)
            except ContractError as exc:
                known = exc
            self._faults[key] = known
        if isinstance(known, ContractError):
            raise known
        return expanded, known


def _as_element(part: Node) -> Node:
    made = Node(f"{XS}element", {"name": part.get("name", ""), "type": part.get("type", "")})
    made.line, made.prefixes = part.line, part.prefixes
    return made


def _once(node: Node) -> bool:
    return node.get("maxOccurs", "1") == "1" and node.get("minOccurs", "1") == "1"


def _body(message: Node | None) -> Node | None:
    if message is None:
        return None
    return next((each for each in soap_bodies(message) if each.tag.endswith("}body")), None)
