"""How long the WSDL of a large service takes to write; listeners do it once for each service."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from time import process_time
from typing import Final

from gateway.model.contract import EnumType, Field, MethodContract, NamedType, Param, ServiceContract, StructType
from gateway.model.typeref import Kind, TypeRef
from protocols.soap.wsdl import write_wsdl

METHODS: Final = 100
TYPES: Final = 200
WSDL_MS: Final = 50.0

_TEXT: Final = TypeRef(Kind.STRING)
_RUNS: Final = 7


def measure_wsdl(announce: Callable[[str], None]) -> float:
    """Milliseconds of CPU for one document, the best of several."""
    announce(f"WSDL of {METHODS} methods and {TYPES} types")
    contract = _large_contract()
    times = []
    for _ in range(_RUNS):
        began = process_time()
        write_wsdl(contract, "http://shop/")
        times.append(process_time() - began)
    return min(times) * 1_000


def _large_contract() -> ServiceContract:
    """Structs of ten lists; methods with five structs as parameters, and a map of structs as result."""
    constants = tuple(f"C{number}" for number in range(20))
    python_class: type[Enum] = Enum("E", constants)  # type: ignore[misc] # it wants literals
    types: dict[str, NamedType] = {"shop.E": EnumType("shop.E", python_class, constants)}
    for number in range(TYPES - 1):
        fields = tuple(Field(f"f{each}", TypeRef(Kind.LIST, (_TEXT,)), f"f{each}") for each in range(10))
        types[f"shop.T{number}"] = StructType(f"shop.T{number}", object, fields)
    methods = tuple(
        MethodContract(
            f"m{number}",
            tuple(Param(f"p{each}", TypeRef(Kind.STRUCT, name=f"shop.T{number + each}")) for each in range(5)),
            TypeRef(Kind.MAP, (_TEXT, TypeRef(Kind.STRUCT, name=f"shop.T{number}"))),
            f"m{number}",
        )
        for number in range(METHODS)
    )
    return ServiceContract("shop.Large", methods, types=types)
