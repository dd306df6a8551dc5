"""The WSDL of a service: document/literal wrapped, with a port for SOAP 1.1 and one for SOAP 1.2, in this order.

Many clients take the first port they can use, so the version that all of them know comes first. The schema stands
inside, so that there is one document to fetch.

Source: Web Services Description Language (WSDL) 1.1, W3C Note; WSDL 1.1 Binding Extension for SOAP 1.2; WS-I Basic
Profile 1.1, section 4.
"""

from __future__ import annotations

from typing import Final

from gateway.model.contract import MethodContract, ServiceContract
from protocols.soap.names import QUALIFIED, TypeNames, action_of, operation_names, response_name
from protocols.soap.schema import documentation, write_schema
from protocols.soap.text import escape_attribute, readable

__all__ = ["ADDRESS", "write_wsdl"]

ADDRESS: Final = "\x00address\x00"
"""Stands for the address of the service; no document can contain it otherwise."""

_WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
_BINDINGS: Final = (
    ("soap", "http://schemas.xmlsoap.org/wsdl/soap/", ""),
    ("soap12", "http://schemas.xmlsoap.org/wsdl/soap12/", "12"),
)
_TRANSPORT: Final = "http://schemas.xmlsoap.org/soap/http"


def write_wsdl(contract: ServiceContract, namespace: str, form: str = QUALIFIED) -> str:
    """The document, for messages of this form; `ADDRESS` stands where the address of the service belongs."""
    local = contract.name.rpartition(".")[2]
    names, types = operation_names(contract), TypeNames(contract)
    tns = escape_attribute(namespace)
    operations = [(method, names[method.attribute]) for method in contract.methods]
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<wsdl:definitions xmlns:wsdl="{_WSDL}" xmlns:tns="{tns}" ',
        *(f'xmlns:{prefix}="{uri}" ' for prefix, uri, _ in _BINDINGS),
        f'name="{local}" targetNamespace="{tns}">',
        documentation(contract.doc, "wsdl:"),
        f"<wsdl:types>{write_schema(contract, namespace, form)}</wsdl:types>",
    ]
    for method, name in operations:
        parts.append(_message(name, "parameters", name))
        if not method.oneway:
            parts.append(_message(response_name(name), "parameters", response_name(name)))
    faults = sorted({types.of_named(each.name) for method in contract.methods for each in method.throws})
    parts += [_message(_fault_message(fault), "fault", fault) for fault in faults]
    parts.append(f'<wsdl:portType name="{local}">')
    parts += [_operation(method, name, types) for method, name in operations]
    parts.append("</wsdl:portType>")
    for prefix, _, suffix in _BINDINGS:
        parts.append(f'<wsdl:binding name="{local}Soap{suffix}" type="tns:{local}">')
        parts.append(f'<{prefix}:binding style="document" transport="{_TRANSPORT}"/>')
        parts += [_bound(method, name, types, namespace, prefix) for method, name in operations]
        parts.append("</wsdl:binding>")
    parts.append(f'<wsdl:service name="{local}Service">')
    for prefix, _, suffix in _BINDINGS:
        port = f'<wsdl:port name="{local}Port{suffix}" binding="tns:{local}Soap{suffix}">'
        parts.append(f'{port}<{prefix}:address location="{ADDRESS}"/></wsdl:port>')
    parts.append("</wsdl:service></wsdl:definitions>\n")
    return "".join(parts)


def _message(name: str, part: str, element: str) -> str:
    return f'<wsdl:message name="{name}"><wsdl:part name="{part}" element="tns:{element}"/></wsdl:message>'


def _fault_message(fault: str) -> str:
    return f"{fault}.fault"


def _operation(method: MethodContract, name: str, types: TypeNames) -> str:
    doc = method.doc
    if method.deprecated is not None:
        doc = f"{doc}\n\nDeprecated: {method.deprecated}".strip()
    lines = [f'<wsdl:operation name="{name}">']
    if doc:
        lines.append(f"<wsdl:documentation>{readable(doc)}</wsdl:documentation>")
    lines.append(f'<wsdl:input message="tns:{name}"/>')
    if not method.oneway:
        lines.append(f'<wsdl:output message="tns:{response_name(name)}"/>')
        lines += [
            f'<wsdl:fault name="{fault}" message="tns:{_fault_message(fault)}"/>' for fault in _faults(method, types)
        ]
    lines.append("</wsdl:operation>")
    return "".join(lines)


def _bound(method: MethodContract, name: str, types: TypeNames, namespace: str, prefix: str) -> str:
    action = escape_attribute(action_of(namespace, name))
    body = f'<{prefix}:body use="literal"/>'
    lines = [
        f'<wsdl:operation name="{name}"><{prefix}:operation soapAction="{action}" style="document"/>',
        f"<wsdl:input>{body}</wsdl:input>",
    ]
    if not method.oneway:
        lines.append(f"<wsdl:output>{body}</wsdl:output>")
        for fault in _faults(method, types):
            said = f'<{prefix}:fault name="{fault}" use="literal"/>'
            lines.append(f'<wsdl:fault name="{fault}">{said}</wsdl:fault>')
    lines.append("</wsdl:operation>")
    return "".join(lines)


def _faults(method: MethodContract, types: TypeNames) -> list[str]:
    return list(dict.fromkeys(types.of_named(each.name) for each in method.throws))
