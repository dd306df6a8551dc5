"""What peers with an older or newer version of the contract send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, make_dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from gateway.model.contract import EnumType, Field, NamedType, ServiceContract, StructType
from gateway.model.typeref import Kind, TypeRef
from protocols.corpus.contract import (
    ANY,
    CONTRACT,
    EVERYTHING,
    MAKER,
    POINT,
    STATUS,
    Everything,
    Maker,
    Status,
    map_of,
    of,
)

__all__ = ["EVOLUTION", "REFUSED", "Evolution"]


class _Refused:
    """The type of `REFUSED`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "REFUSED"


REFUSED: Final = _Refused()
"""Says that a value must not be read at all."""


@dataclass(frozen=True, slots=True)
class Evolution:
    """A value written by a peer with another version of the contract.

    `value` is written as `type` of `sent_by` and read as `type` of `read_by`. `expected`: what arrives, or `REFUSED`;
    then the error names `culprit` (a constant, a field).
    """

    name: str
    method: str
    type: TypeRef
    sent_by: ServiceContract
    value: Any
    read_by: ServiceContract
    expected: Any
    culprit: str = ""


def _with(*changed: NamedType) -> ServiceContract:
    """The contract of a peer that knows other versions of some types."""
    return replace(CONTRACT, types=MappingProxyType({**CONTRACT.types, **{each.name: each for each in changed}}))


def _struct_of_peer(name: str, fields: Sequence[Field]) -> StructType:
    cls = make_dataclass(
        name.rpartition(".")[2],
        [(each.attribute, Any) for each in fields],
        namespace={"__module__": __name__},
        frozen=True,
    )
    return StructType(name, cls, tuple(fields))


class _NewerStatus(Enum):
    ACTIVE = "active"
    PREORDER = "preorder"
    DISCONTINUED = "discontinued"
    RETIRED = "retired"


def _evolution() -> Iterator[Evolution]:
    status = EnumType("demo.Status", _NewerStatus, tuple(each.name for each in _NewerStatus))
    newer = _with(status)
    yield Evolution(
        "enum/unknown-constant", "echo_enum", STATUS, newer, _NewerStatus.RETIRED, CONTRACT, REFUSED, "RETIRED"
    )
    enum_map = map_of(STATUS, of(Kind.STRING))
    keyed = {_NewerStatus.RETIRED: "x"}
    yield Evolution("enum/unknown-key", "echo_enum_map", enum_map, newer, keyed, CONTRACT, REFUSED, "RETIRED")
    yield Evolution("enum/known-constant", "echo_enum", STATUS, newer, _NewerStatus.ACTIVE, CONTRACT, Status.ACTIVE)

    text = of(Kind.STRING)
    name, country = Field("name", text, "name"), Field("country", text.optional(), "country")
    older = _struct_of_peer("demo.Maker", [name])
    value: Any = older.python_class("m")
    yield Evolution("struct/absent-nullable", "echo_struct", MAKER, _with(older), value, CONTRACT, Maker("m"))
    newer_maker = _struct_of_peer("demo.Maker", [name, Field("founded", of(Kind.I32), "founded"), country])
    value = newer_maker.python_class("m", 1900, "DE")
    yield Evolution("struct/unknown-field", "echo_struct", MAKER, _with(newer_maker), value, CONTRACT, Maker("m", "DE"))
    reordered = _struct_of_peer("demo.Maker", [country, name])
    value = reordered.python_class("DE", "m")
    yield Evolution("struct/other-order", "echo_struct", MAKER, _with(reordered), value, CONTRACT, Maker("m", "DE"))
    nameless = _struct_of_peer("demo.Maker", [country])
    value = nameless.python_class("DE")
    yield Evolution("struct/absent-required", "echo_struct", MAKER, _with(nameless), value, CONTRACT, REFUSED, "name")
    point = _struct_of_peer("demo.Point", [Field("x", of(Kind.I64), "x"), Field("y", of(Kind.I32), "y")])
    struct_map = map_of(POINT, text)
    value = {point.python_class(1 << 40, 0): "x"}
    yield Evolution("struct/wider-field", "echo_struct_map", struct_map, _with(point), value, CONTRACT, REFUSED, "x")

    fields = [Field("string", text.optional(), "string"), Field("any", ANY, "any")]
    sparse = _struct_of_peer("demo.Everything", fields)
    value = sparse.python_class("text", None)
    expected = Everything(string="text")
    yield Evolution("struct/absent-defaults", "echo_everything", EVERYTHING, _with(sparse), value, CONTRACT, expected)


EVOLUTION: Final[tuple[Evolution, ...]] = tuple(_evolution())
"""What peers with an older or newer contract send."""
