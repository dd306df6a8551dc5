"""WSDLs as contracts: those of this package as what was exported, all others by `protocols.soap.foreign`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.model.contract import ServiceContract
from gateway.model.document import Document
from gateway.model.errors import ContractError
from protocols.soap.document import XmlError
from protocols.soap.foreign.reader import Services, read_services
from protocols.soap.tree import Node, parse_tree
from protocols.soap.wsdl_reader import read_own_wsdl

__all__ = ["omitted_operations", "read_foreign_wsdl", "read_wsdl"]

_MAX_ELEMENTS: Final = 500_000
_DEFINITIONS: Final = "{http://schemas.xmlsoap.org/wsdl/}definitions"
_WSDL_2: Final = "{http://www.w3.org/ns/wsdl}description"


def read_wsdl(document: Document) -> Sequence[ServiceContract]:
    """The services of a WSDL 1.1 as outlines.

    Raises:
        ContractError: it is none, or nothing in it has a form in a contract.
    """
    root = _root(document)
    own = read_own_wsdl(root)
    return tuple(each.contract for each in read_services(document, root).services) if own is None else (own,)


def read_foreign_wsdl(document: Document) -> Services:
    """The services of a WSDL with how they are called, whoever wrote it. Raises as `read_wsdl`."""
    return read_services(document, _root(document))


def omitted_operations(document: Document) -> Sequence[str]:
    """What `read_wsdl` leaves out, each with its reason. Raises as `read_wsdl`."""
    root = _root(document)
    return () if read_own_wsdl(root) is not None else read_services(document, root).omitted


def _root(document: Document) -> Node:
    try:
        root = parse_tree(document.data, max_elements=_MAX_ELEMENTS)
    except (XmlError, LookupError) as exc:
        raise ContractError(f"{document.location}: {exc.args[0]}") from None
    if root.tag == _WSDL_2:
        raise ContractError(f"{document.location} is a WSDL 2.0; 1.1 is read here")
    if root.tag != _DEFINITIONS:
        raise ContractError(f"{document.location} is no WSDL: it begins with {root.tag[:200]}")
    return root
