"""A service contract built by hand, so that tests of wires do not depend on the contract builder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from gateway.model.contract import EnumType, Field, MethodContract, NamedType, Param, ServiceContract, StructType
from gateway.model.fault import ServiceError
from gateway.model.typeref import Kind, TypeRef


class Status(Enum):
    ACTIVE = 1
    PREORDER = 2


@dataclass
class Maker:
    name: str
    country: str | None = None
    parent: Maker | None = None


@dataclass(frozen=True)
class Point:
    x: int
    y: int


@dataclass
class Product:
    id: int
    name: str
    price: Decimal
    created_at: datetime
    status: Status
    tags: list[str] = field(default_factory=list)
    stock: dict[str, int] = field(default_factory=dict)
    updated_at: datetime | None = None
    maker: Maker | None = None


class ProductNotFound(ServiceError):
    product_id: int
    hint: str | None = None


def ref(kind: Kind, *args: TypeRef, name: str = "", java: str | None = None, nullable: bool = False) -> TypeRef:
    return TypeRef(kind, args, name, nullable, () if java is None else (("java", java),))


I32, I64, STRING, DECIMAL = ref(Kind.I32), ref(Kind.I64), ref(Kind.STRING), ref(Kind.DECIMAL)
NULL, ANY = ref(Kind.NULL), ref(Kind.ANY)
STATUS = ref(Kind.ENUM, name="shop.Status")
MAKER = ref(Kind.STRUCT, name="shop.Maker")
POINT = ref(Kind.STRUCT, name="shop.Point")
PRODUCT = ref(Kind.STRUCT, name="shop.Product")
NOT_FOUND = ref(Kind.EXCEPTION, name="shop.ProductNotFound")


def plain(name: str, type_: TypeRef, **options: Any) -> Field:
    return Field(name, type_, attribute=name, **options)


def struct(name: str, python_class: type[Any], *fields: Field, **options: Any) -> StructType:
    return StructType(name, python_class, fields, **options)


def service(name: str, *methods: MethodContract, types: Mapping[str, NamedType] | None = None) -> ServiceContract:
    return ServiceContract(name, methods, types or {})


def method(name: str, *types: TypeRef, returns: TypeRef = NULL, attribute: str = "", **options: Any) -> MethodContract:
    params = tuple(Param(f"p{at}", type_) for at, type_ in enumerate(types))
    return MethodContract(name, params, returns, attribute or name, **options)


TYPES: dict[str, NamedType] = {
    "shop.Status": EnumType("shop.Status", Status, ("ACTIVE", "PREORDER")),
    "shop.Maker": struct(
        "shop.Maker",
        Maker,
        plain("name", STRING),
        plain("country", STRING.optional()),
        plain("parent", MAKER.optional()),
    ),
    "shop.Point": struct("shop.Point", Point, plain("x", I32), plain("y", I32)),
    "shop.Product": struct(
        "shop.Product",
        Product,
        plain("id", I64),
        plain("name", STRING),
        plain("price", DECIMAL),
        plain("created_at", ref(Kind.DATETIME)),
        plain("status", STATUS),
        plain("tags", ref(Kind.LIST, STRING), default_factory=list),
        plain("stock", ref(Kind.MAP, STRING, I32), default_factory=dict),
        plain("updated_at", ref(Kind.DATETIME, java="java.util.Date", nullable=True)),
        plain("maker", MAKER.optional()),
        doc="Something for sale.",
    ),
    "shop.ProductNotFound": struct(
        "shop.ProductNotFound",
        ProductNotFound,
        plain("product_id", I64),
        plain("hint", STRING.optional()),
        is_exception=True,
    ),
}

SHOP = service(
    "shop.Catalog",
    method("find", I64, returns=PRODUCT, throws=(NOT_FOUND,)),
    method("find", STRING, returns=PRODUCT, attribute="find_by_name", throws=(NOT_FOUND,)),
    method("search", STRING, I32, ref(Kind.SET, STRING, nullable=True), returns=ref(Kind.LIST, PRODUCT)),
    method("price_history", I64, returns=ref(Kind.MAP, ref(Kind.DATE), DECIMAL)),
    method("put", PRODUCT, returns=I64),
    method("count", returns=I64),
    method("sum", ref(Kind.LIST, I32, java="int[]"), returns=I32),
    types=TYPES,
)
