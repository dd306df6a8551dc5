"""The contract the corpus is written against: `demo.Types`, one echo per type of the model.

It is built by hand from the model, so that a wire can be tested with nothing but `protocols` installed. The class
`gateway.demo.types.Types` describes the same contract with type hints, and a test holds the two together; they differ
in their Python classes alone. Tests of a third-party wire use `CONTRACT` and the classes here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, make_dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from gateway.model.contract import MISSING, EnumType, Field, MethodContract, Param, ServiceContract, StructType
from gateway.model.fault import ServiceError
from gateway.model.typeref import Kind, TypeRef

__all__ = [
    "ANY",
    "CONTRACT",
    "EVERYTHING",
    "FAILURE",
    "MAKER",
    "POINT",
    "STATUS",
    "Everything",
    "Maker",
    "Point",
    "Status",
    "TypesFailure",
    "list_of",
    "map_of",
    "of",
    "set_of",
]


class Status(Enum):
    """An enum; `gateway.demo.catalog.Status` is its twin."""

    ACTIVE = "active"
    PREORDER = "preorder"
    DISCONTINUED = "discontinued"


@dataclass(slots=True)
class Maker:
    """A struct that may contain another of its kind."""

    name: str
    country: str | None = None
    parent: Maker | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A struct that can be a map key."""

    x: int
    y: int


class TypesFailure(ServiceError):
    """The declared exception."""

    code: int
    culprit: Maker | None = None


def of(kind: Kind, *, nullable: bool = False, java: str = "") -> TypeRef:
    """A type without arguments and name."""
    return TypeRef(kind, nullable=nullable, hints=_java(java))


def list_of(element: TypeRef, *, java: str = "") -> TypeRef:
    """A list type; `java`: the Java type where it is not `java.util.List`."""
    return TypeRef(Kind.LIST, (element,), hints=_java(java))


def set_of(element: TypeRef) -> TypeRef:
    """A set type."""
    return TypeRef(Kind.SET, (element,))


def map_of(key: TypeRef, value: TypeRef) -> TypeRef:
    """A map type."""
    return TypeRef(Kind.MAP, (key, value))


def _java(text: str) -> tuple[tuple[str, str], ...]:
    return (("java", text),) if text else ()


STATUS: Final = TypeRef(Kind.ENUM, name="demo.Status")
MAKER: Final = TypeRef(Kind.STRUCT, name="demo.Maker")
POINT: Final = TypeRef(Kind.STRUCT, name="demo.Point")
EVERYTHING: Final = TypeRef(Kind.STRUCT, name="demo.Everything")
FAILURE: Final = TypeRef(Kind.EXCEPTION, name="demo.TypesFailure")
ANY: Final = of(Kind.ANY, nullable=True)

_I32: Final = of(Kind.I32)
_I64: Final = of(Kind.I64)
_STRING: Final = of(Kind.STRING)

# Echo name, name of the field of Everything, type. Fields are nullable unless they have a default below.
_TYPES: Final[Sequence[tuple[str, str, TypeRef]]] = (
    ("bool", "bool", of(Kind.BOOL)),
    ("boxed_bool", "boxed_bool", of(Kind.BOOL, nullable=True)),
    ("i8", "i8", of(Kind.I8)),
    ("i16", "i16", of(Kind.I16)),
    ("i32", "i32", _I32),
    ("i64", "i64", _I64),
    ("boxed_i8", "boxed_i8", of(Kind.I8, nullable=True)),
    ("boxed_i16", "boxed_i16", of(Kind.I16, nullable=True)),
    ("boxed_i32", "boxed_i32", of(Kind.I32, nullable=True)),
    ("boxed_i64", "boxed_i64", of(Kind.I64, nullable=True)),
    ("f32", "f32", of(Kind.F32)),
    ("f64", "f64", of(Kind.F64)),
    ("boxed_f32", "boxed_f32", of(Kind.F32, nullable=True)),
    ("boxed_f64", "boxed_f64", of(Kind.F64, nullable=True)),
    ("bigint", "bigint", of(Kind.BIGINT)),
    ("decimal", "decimal", of(Kind.DECIMAL)),
    ("char", "character", of(Kind.CHAR)),
    ("boxed_char", "boxed_char", of(Kind.CHAR, nullable=True)),
    ("string", "string", _STRING),
    ("bytes", "bytes", of(Kind.BYTES)),
    ("date", "date", of(Kind.DATE)),
    ("time", "time", of(Kind.TIME)),
    ("datetime", "datetime", of(Kind.DATETIME)),
    ("java_date", "java_date", of(Kind.DATETIME, java="java.util.Date")),
    ("local_datetime", "local_datetime", of(Kind.LOCAL_DATETIME)),
    ("duration", "duration", of(Kind.DURATION)),
    ("uuid", "uuid", of(Kind.UUID)),
    ("int_list", "int_list", list_of(_I32)),
    ("long_list", "long_list", list_of(_I64)),
    ("string_list", "string_list", list_of(_STRING)),
    ("nested_list", "nested_list", list_of(list_of(_STRING))),
    ("string_set", "string_set", set_of(_STRING)),
    ("long_set", "long_set", set_of(_I64)),
    ("string_map", "string_map", map_of(_STRING, _I64)),
    ("int_map", "int_map", map_of(_I32, _STRING)),
    ("enum_map", "enum_map", map_of(STATUS, _STRING)),
    ("struct_map", "struct_map", map_of(POINT, _STRING)),
    ("nested_map", "nested_map", map_of(_STRING, list_of(MAKER))),
    ("int_array", "int_array", list_of(_I32, java="int[]")),
    ("long_array", "long_array", list_of(_I64, java="long[]")),
    ("double_array", "double_array", list_of(of(Kind.F64), java="double[]")),
    ("string_array", "string_array", list_of(_STRING, java="java.lang.String[]")),
    ("maker_array", "maker_array", list_of(MAKER, java="demo.Maker[]")),
    ("enum", "enumeration", STATUS),
    ("struct", "struct", MAKER),
    ("any", "any", ANY),
)

_DEFAULTS: Final = {
    "bool": False,
    "i8": 0,
    "i16": 0,
    "i32": 0,
    "i64": 0,
    "f32": 0.0,
    "f64": 0.0,
    "character": "\0",
}

# What the twin with type hints cannot call by its plain name.
_ATTRIBUTES: Final = {"bool": "bool_", "bytes": "bytes_"}


def _everything_field(name: str, ref: TypeRef) -> Field:
    default = _DEFAULTS.get(name)
    return Field(
        name, ref if default is not None else ref.optional(), attribute=_ATTRIBUTES.get(name, name), default=default
    )


_EVERYTHING_FIELDS: Final = tuple(_everything_field(name, ref) for _, name, ref in _TYPES)

Everything: Final[Any] = make_dataclass(
    "Everything",
    [(each.attribute, Any, field(default=each.default)) for each in _EVERYTHING_FIELDS],
    namespace={"__doc__": "One field of every type, each of which may be left out.", "__module__": __name__},
    slots=True,
)


def _method(name: str, params: tuple[Param, ...], returns: TypeRef, *, declared: bool = False) -> MethodContract:
    is_echo = name.startswith("echo")
    return MethodContract(
        name, params, returns, attribute=name, idempotent=is_echo, throws=(FAILURE,) if declared else ()
    )


_METHODS: Final = (
    *(_method(f"echo_{name}", (Param("value", ref),), ref) for name, _, ref in _TYPES if name != "any"),
    _method("echo_everything", (Param("value", EVERYTHING),), EVERYTHING),
    _method("echo_any", (Param("value", ANY),), ANY),
    _method("echo_nothing", (), of(Kind.NULL)),
    _method("echo_nullable", (Param("value", _STRING.optional()),), _STRING.optional()),
    _method("echo_attachments", (Param("key", _STRING),), _STRING.optional()),
    _method("fail_declared", (Param("message", _STRING),), _STRING, declared=True),
    _method("fail_undeclared", (Param("message", _STRING),), _STRING),
)

_NAMED: Final = (
    EnumType("demo.Status", Status, tuple(each.name for each in Status)),
    StructType("demo.Point", Point, (Field("x", _I32, "x"), Field("y", _I32, "y"))),
    StructType(
        "demo.Maker",
        Maker,
        (
            Field("name", _STRING, "name"),
            Field("country", _STRING.optional(), "country", default=None),
            Field("parent", MAKER.optional(), "parent", default=None),
        ),
    ),
    StructType("demo.Everything", Everything, _EVERYTHING_FIELDS),
    StructType(
        "demo.TypesFailure",
        TypesFailure,
        (Field("code", _I32, "code", default=MISSING), Field("culprit", MAKER.optional(), "culprit", default=None)),
        is_exception=True,
    ),
)

CONTRACT: Final = ServiceContract("demo.Types", _METHODS, MappingProxyType({each.name: each for each in _NAMED}))
"""The contract of every case of the corpus."""
