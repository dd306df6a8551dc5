"""A language that describes services in lines: `use FILE` reads another file too, `service NAME METHOD…` is one."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.document import Document
from gateway.model.errors import ContractError
from gateway.model.typeref import Kind, TypeRef

__all__ = ["read_toy"]


def read_toy(document: Document) -> Sequence[ServiceContract]:
    found: list[ServiceContract] = []
    for number, line in enumerate(document.data.decode().splitlines(), 1):
        word, *rest = line.split()
        if word == "use":
            found += read_toy(document.refer(rest[0]))
        elif word == "service":
            methods = tuple(MethodContract(each, (), TypeRef(Kind.I64), each) for each in rest[1:])
            found.append(ServiceContract(rest[0], methods))
        else:
            raise ContractError(f"{document.location}:{number}: {word!r} means nothing")
    return found
