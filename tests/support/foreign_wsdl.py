"""WSDLs as others write them, of a few lines each; and contracts as lines, to compare them with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from gateway.model.contract import MISSING, EnumType, ServiceContract
from gateway.model.outline import constants_of
from tests.support.memory_document import MemoryDocument

__all__ = ["NAMESPACE", "document", "lines", "one_operation", "wsdl"]

NAMESPACE: Final = "http://shop.acme.com/v1"

_HEAD: Final = (
    '<?xml version="1.0"?><w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" '
    'xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xs="http://www.w3.org/2001/XMLSchema" '
    'xmlns:enc="http://schemas.xmlsoap.org/soap/encoding/" '
    f'xmlns:t="{NAMESPACE}" targetNamespace="{NAMESPACE}">'
)


def document(data: bytes, others: Mapping[str, str] | None = None) -> MemoryDocument:
    """A WSDL as the importer gets it."""
    return MemoryDocument(data, "shop.wsdl", others or {})


def wsdl(
    schema: str,
    messages: str,
    operations: str,
    *,
    style: str = "document",
    use: str = "literal",
    forms: str = 'elementFormDefault="qualified"',
    bound: str = "",
) -> bytes:
    """A WSDL with one port. `operations`: of its port type; all of them are bound, without an action.

    `bound`: the binding's operations, where they say more than that.
    """
    body = f'<s:body use="{use}" namespace="{NAMESPACE}"/>' if style == "rpc" else f'<s:body use="{use}"/>'
    names = [each.partition('"')[0] for each in operations.split('<w:operation name="')[1:]]
    bound = bound or "".join(
        f'<w:operation name="{each}"><s:operation soapAction=""/>'
        f"<w:input>{body}</w:input><w:output>{body}</w:output></w:operation>"
        for each in names
    )
    return (
        f'{_HEAD}<w:types><xs:schema targetNamespace="{NAMESPACE}" {forms}>{schema}</xs:schema></w:types>{messages}'
        f'<w:portType name="Shop">{operations}</w:portType><w:binding name="B" type="t:Shop">'
        f'<s:binding style="{style}" transport="http://schemas.xmlsoap.org/soap/http"/>{bound}</w:binding>'
        '<w:service name="S"><w:port name="P" binding="t:B"><s:address location="http://127.0.0.1:1/shop"/></w:port>'
        "</w:service></w:definitions>"
    ).encode()


def one_operation(
    types: str, request: str, response: str = "", *, forms: str = 'elementFormDefault="qualified"'
) -> bytes:
    """A WSDL with the wrapped operation `Do`. `request`, `response`: what is in the sequences of its elements."""
    schema = "".join(
        f'<xs:element name="{name}"><xs:complexType><xs:sequence>{inside}</xs:sequence></xs:complexType></xs:element>'
        for name, inside in (("Do", request), ("DoResponse", response))
    )
    messages = "".join(
        f'<w:message name="{name}"><w:part name="parameters" element="t:{name}"/></w:message>'
        for name in ("Do", "DoResponse")
    )
    operation = '<w:operation name="Do"><w:input message="t:Do"/><w:output message="t:DoResponse"/></w:operation>'
    return wsdl(types + schema, messages, operation, forms=forms)


def lines(contract: ServiceContract) -> list[str]:
    """Methods, structs and enums, a line each."""
    return list(_lines(contract))


def _lines(contract: ServiceContract) -> Iterator[str]:
    for method in contract.methods:
        params = ", ".join(f"{each.name}: {each.type}" for each in method.params)
        throws = "".join(f" ! {each}" for each in method.throws)
        yield f"{method.attribute}({params}) -> {'oneway' if method.oneway else method.returns}{throws}"
    for name, named in contract.types.items():
        short = name.rpartition(".")[2]
        if isinstance(named, EnumType):
            yield f"enum {short} " + ", ".join(f"{key}={value}" for key, value in constants_of(named).items())
            continue
        fields = (
            f"{each.attribute}: {each.type}" + ("" if each.default is MISSING else f" = {each.default}")
            for each in named.fields
        )
        yield f"{'exception' if named.is_exception else 'struct'} {short} " + ", ".join(fields)
