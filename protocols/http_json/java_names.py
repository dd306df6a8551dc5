"""A contract under the names Java beans use for it, for peers that know no others (Jackson, jsonrpc4j)."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from gateway.model.contract import ServiceContract, StructType
from protocols import java

__all__ = ["java_named"]


def java_named(contract: ServiceContract) -> ServiceContract:
    """The same contract with the fields of its structs, its methods and their parameters under their Java names.

    Names of types stay, and so do all Python classes and attributes: values fit both contracts.
    """
    types = {
        name: replace(each, fields=tuple(replace(field, name=java.property_name(field)) for field in each.fields))
        if isinstance(each, StructType)
        else each
        for name, each in contract.types.items()
    }
    methods = tuple(
        replace(
            method,
            name=java.method_name(method),
            params=tuple(replace(param, name=java.parameter_name(param)) for param in method.params),
        )
        for method in contract.methods
    )
    return replace(contract, methods=methods, types=MappingProxyType(types))
