"""Bindings of WSDL 1.1 to SOAP: which services there are, and how their messages are formed.

Bindings to HTTP's GET and POST and to anything else but SOAP over HTTP are passed over.

Sources: WSDL 1.1, sections 3 and 5; WSDL 1.1 Binding Extension for SOAP 1.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.model.errors import ContractError
from protocols.soap.envelope import V11, V12, Version
from protocols.soap.foreign.description import WSDL, Component, Description, local_name, nodes
from protocols.soap.tree import Node

__all__ = ["Binding", "BoundOperation", "Port", "ports_of", "soap_bodies"]

_SOAP: Final[Mapping[str, Version]] = MappingProxyType(
    {"{http://schemas.xmlsoap.org/wsdl/soap/}": V11, "{http://schemas.xmlsoap.org/wsdl/soap12/}": V12}
)
_TRANSPORTS: Final = frozenset(
    (
        "",
        "http://schemas.xmlsoap.org/soap/http",
        "http://schemas.xmlsoap.org/soap/http/",
        "http://www.w3.org/2003/05/soap/bindings/HTTP",
        "http://www.w3.org/2003/05/soap/bindings/HTTP/",
    )
)
"""Names of HTTP as a transport; .NET and gSOAP have the last ones for SOAP 1.2."""
_MIME: Final = "{http://schemas.xmlsoap.org/wsdl/mime/}"


@dataclass(frozen=True, slots=True)
class BoundOperation:
    """An operation in a binding. `style`: `document` or `rpc`. `node`: of `wsdl:binding/wsdl:operation`."""

    style: str
    action: str
    node: Node


@dataclass(frozen=True, slots=True)
class Binding:
    """A binding to SOAP. `port_type`: with its expanded name. `operations`: by name, several of one in their order."""

    component: Component
    port_type: tuple[str, Component]
    version: Version
    operations: Mapping[str, tuple[BoundOperation, ...]]


@dataclass(frozen=True, slots=True)
class Port:
    """A port. `name`, `service`: as the WSDL calls them, empty for a binding without a port. `address`: its URL."""

    name: str
    service: str
    address: str
    binding: Binding


def ports_of(description: Description) -> tuple[list[Port], list[str]]:
    """All ports to SOAP, or the bindings to it where no service has a port; and what is wrong with others."""
    tables = description.tables
    known: dict[str, Binding | None] = {}

    def binding_of(qualified: str, at: Node, component: Component) -> Binding | None:
        name, found = description.find(tables.bindings, "binding", qualified, at, component.schema)
        if name not in known:
            known[name] = _binding(description, found)
        return known[name]

    ports: list[Port] = []
    wrong: list[str] = []
    for service in description.services:
        for port in nodes(service.node):
            if port.tag != f"{WSDL}port":
                continue
            try:
                binding = binding_of(port.get("binding", ""), port, service)
            except ContractError as exc:
                wrong.append(f"port {port.get('name', '')}: {exc}")
                continue
            if binding is not None:
                address = next((each.get("location", "") for each in port if each.tag.endswith("}address")), "")
                ports.append(Port(port.get("name", ""), service.node.get("name", ""), address, binding))
    if not ports and not wrong:
        for name, each in tables.bindings.items():
            try:
                binding = _binding(description, each)
            except ContractError as exc:
                wrong.append(f"binding {local_name(name)}: {exc}")
                continue
            ports += [] if binding is None else [Port("", "", "", binding)]
    return ports, wrong


def _binding(description: Description, component: Component) -> Binding | None:
    for each in nodes(component.node):
        prefix, _, local = each.tag.rpartition("}")
        version = _SOAP.get(f"{prefix}}}")
        if version is None or local != "binding":
            continue
        if each.get("transport", "") not in _TRANSPORTS:
            return None
        style = each.get("style", "document")
        operations: dict[str, tuple[BoundOperation, ...]] = {}
        for operation in nodes(component.node):
            if operation.tag == f"{WSDL}operation":
                name = operation.get("name", "")
                operations[name] = (*operations.get(name, ()), _operation(operation, style))
        port_types = description.tables.port_types
        qualified = component.node.get("type", "")
        port_type = description.find(port_types, "port type", qualified, component.node, component.schema)
        return Binding(component, port_type, version, MappingProxyType(operations))
    return None


def _operation(node: Node, style: str) -> BoundOperation:
    for each in nodes(node):
        prefix, _, local = each.tag.rpartition("}")
        if f"{prefix}}}" in _SOAP and local == "operation":
            return BoundOperation(each.get("style", style), each.get("soapAction", ""), node)
    return BoundOperation(style, "", node)


def soap_bodies(message: Node) -> Iterator[Node]:
    """The extension elements of SOAP in an input or output of a binding, those inside of MIME's as well."""
    for each in nodes(message):
        prefix, _, _ = each.tag.rpartition("}")
        if f"{prefix}}}" in _SOAP:
            yield each
        elif f"{prefix}}}" == _MIME:
            yield from soap_bodies(each)
