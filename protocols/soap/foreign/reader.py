"""A foreign WSDL as contracts: one for each port type that is bound to SOAP over HTTP.

What has no form in a contract is left out with the operations that need it, and `Services.omitted` says so; a
description of which nothing is left is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gateway.model.contract import EnumType, ServiceContract
from gateway.model.document import Document
from gateway.model.errors import ContractError
from gateway.model.reachable import method_types, reachable
from gateway.model.typeref import TypeRef
from protocols.soap.foreign.binding import Binding, Port, ports_of
from protocols.soap.foreign.description import WSDL, Description, local_name, nodes
from protocols.soap.foreign.naming import TypeNamer, package_of
from protocols.soap.foreign.operation import ForeignOperation, OperationReader
from protocols.soap.foreign.shape import Layout
from protocols.soap.foreign.text import documentation
from protocols.soap.foreign.types import Types
from protocols.soap.tree import Node

__all__ = ["ForeignService", "Services", "read_services"]


@dataclass(frozen=True, slots=True)
class ForeignService:
    """One contract, with how it is called.

    `ports`: where it is offered. `operations`: by the attribute of the method. `layouts`: of structs, by contract name.
    """

    contract: ServiceContract
    ports: tuple[Port, ...]
    operations: Mapping[str, ForeignOperation]
    layouts: Mapping[str, Layout]


@dataclass(frozen=True, slots=True, eq=False)
class Services:
    """The services of a description; a key as what it is, not by what is in it.

    `omitted`: operations that are none of a contract, each with the reason.
    """

    services: tuple[ForeignService, ...]
    omitted: tuple[str, ...]


def read_services(document: Document, root: Node) -> Services:
    """The services of a WSDL.

    Raises:
        ContractError: it cannot be read, or no operation has a form in a contract.
    """
    try:
        return _read_services(document, root)
    except RecursionError:
        raise ContractError(f"{document.location}: types that are nested too deep") from None


def _read_services(document: Document, root: Node) -> Services:
    description = Description(document, root)
    ports, omitted = ports_of(description)
    if not ports and not omitted:
        raise ContractError(f"{document.location} has no binding to SOAP")
    types, names = Types(description), TypeNamer()
    faults: dict[str, Layout | ContractError] = {}
    found: list[ForeignService] = []
    by_port_type: dict[str, list[Port]] = {}
    for port in ports:
        by_port_type.setdefault(port.binding.port_type[0], []).append(port)
    for name, offered in by_port_type.items():
        service = _service(
            names.give(package_of(name[1:].partition("}")[0]), local_name(name)), offered, types, faults, omitted
        )
        if service is not None:
            found.append(service)
    if not found:
        listed = "".join(f"\n  {each}" for each in omitted)
        raise ContractError(f"{document.location} has no operation for a contract{':' if listed else ''}{listed}")
    return Services(tuple(found), tuple(omitted))


def _service(
    name: str, ports: Sequence[Port], types: Types, faults: dict[str, Layout | ContractError], omitted: list[str]
) -> ForeignService | None:
    # The messages are those of the first port; others of the same port type only say another place or version.
    binding = ports[0].binding
    reader = OperationReader(types, binding, faults)
    port_type = binding.port_type[1]
    operations: dict[str, ForeignOperation] = {}
    seen: dict[str, int] = {}
    for node in nodes(port_type.node):
        if node.tag != f"{WSDL}operation":
            continue
        operation = node.get("name", "")
        at = seen[operation] = seen.get(operation, -1) + 1
        bound = binding.operations.get(operation, ())
        try:
            if at >= len(bound):
                raise ContractError(f"{port_type.schema.location}:{node.line}: the binding does not have it")
            made = reader.read(node, port_type.schema, bound[at])
            types.finish()
            _check_whole(made, types)
        except ContractError as exc:
            omitted.append(f"{name}.{operation}: {exc}")
        else:
            operations[made.method.attribute] = made
    if not operations:
        return None
    methods = tuple(each.method for each in operations.values())
    named = types.named_types
    used = reachable(method_types(methods), named)
    chosen = {each: named[each] for each in named if each in used}
    contract = ServiceContract(
        name, methods, MappingProxyType(chosen), MappingProxyType({}), documentation(port_type.node)
    )
    layouts = {each: types.layouts[each] for each in used if each in types.layouts}
    same = tuple(each for each in ports if _alike(each.binding, binding))
    return ForeignService(contract, same, MappingProxyType(operations), MappingProxyType(layouts))


def _alike(other: Binding, binding: Binding) -> bool:
    """Whether the messages of two bindings are formed in one way."""
    if other is binding:
        return True
    return all(
        [each.style for each in other.operations.get(name, ())] == [each.style for each in bound]
        for name, bound in binding.operations.items()
    )


def _check_whole(operation: ForeignOperation, types: Types) -> None:
    """That all types it leads to could be made; a type may have failed after another one referred to it."""
    seen: set[str] = set()
    waiting: list[TypeRef] = list(method_types([operation.method]))
    named = types.named_types
    while waiting:
        ref = waiting.pop()
        waiting += ref.args
        if not ref.name or ref.name in seen:
            continue
        seen.add(ref.name)
        found = named.get(ref.name)
        if found is None:
            reason = types.failed.get(ref.name)
            raise reason or ContractError(f"its type {ref.name} has no form in a contract")
        if not isinstance(found, EnumType):
            waiting += (each.type for each in found.fields)
