"""The catalog: a service as one would write it, and its implementation in memory."""

# ruff: noqa: D102 - the contract documents what the implementation does

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from typing import Annotated, Protocol

from gateway.contracts import I32, I64, Doc, JavaType, ServiceError, method, service

__all__ = ["Catalog", "DemoCatalog", "Maker", "OutOfStock", "Product", "ProductNotFound", "Status"]


class Status(Enum):
    """Whether a product can be bought."""

    ACTIVE = "active"
    PREORDER = "preorder"
    DISCONTINUED = "discontinued"


@dataclass(slots=True)
class Maker:
    """Who makes a product.

    Attributes:
        name: As printed on the box.
        country: ISO 3166-1 alpha-2 code, null when unknown.
        parent: The company that owns this one, null when nobody does.
    """

    name: str
    country: str | None = None
    parent: Maker | None = None


@dataclass(slots=True)
class Product:
    """One entry of the catalog.

    Attributes:
        id: 0 asks `put` for a new one.
        price: In euros.
        stock: Pieces by warehouse.
    """

    id: I64
    name: str
    price: Decimal
    tags: list[str]
    created_at: dt.datetime
    updated_at: Annotated[dt.datetime | None, JavaType("java.util.Date"), Doc("Null until first changed.")] = None
    stock: dict[str, I32] = field(default_factory=dict)
    status: Status = Status.ACTIVE
    maker: Maker | None = None


class ProductNotFound(ServiceError):
    """There is no such product. `product_id` is 0 where it was asked for by name."""

    product_id: I64


class OutOfStock(ServiceError):
    """The warehouse has fewer pieces than asked for; `missing` says how many fewer."""

    warehouse: str
    missing: I32


@service("demo.Catalog")
class Catalog(Protocol):
    """A catalog of products."""

    @method(throws=(ProductNotFound,), idempotent=True)
    async def find(self, product_id: I64) -> Product:
        """The product with this id."""
        ...

    @method(name="find", throws=(ProductNotFound,), idempotent=True)
    async def find_by_name(self, name: str) -> Product:
        """The product with exactly this name."""
        ...

    @method(idempotent=True)
    async def search(self, text: str, limit: I32 = 10, tags: set[str] | None = None) -> list[Product]:
        """Products whose name contains a text, by id.

        Args:
            text: Upper and lower case are the same; empty finds everything.
            limit: How many to give at most.
            tags: All of these must be there; null means any.
        """
        ...

    async def put(self, product: Product) -> I64:
        """Adds a product, or replaces the one with the same id; gives its id."""
        ...

    @method(idempotent=True)
    async def remove(self, product_id: I64) -> bool:
        """Removes a product; says whether it was there."""
        ...

    @method(throws=(ProductNotFound,), idempotent=True)
    async def price_history(self, product_id: I64) -> dict[dt.date, Decimal]:
        """Prices by the day from which they were valid."""
        ...

    @method(throws=(ProductNotFound, OutOfStock))
    async def reserve(self, product_id: I64, warehouse: str, quantity: I32) -> I32:
        """Takes pieces out of a warehouse; gives how many are left in it."""
        ...

    @method(idempotent=True)
    async def slow(self, millis: I64) -> str:
        """Answers after this many milliseconds."""
        ...

    @method(idempotent=True)
    async def count(self) -> I64:
        """How many products there are."""
        ...

    @method(oneway=True)
    async def touch(self, product_id: I64) -> None:
        """Notes that a product was looked at; does nothing when there is none."""
        ...


_OPENING = dt.datetime(2026, 1, 2, 8, 30, tzinfo=dt.UTC)


class DemoCatalog(Catalog):
    """The catalog in memory, with three products to begin with. It asks no clock: every answer can be predicted."""

    def __init__(self) -> None:
        self._products = {each.id: each for each in _seed()}
        self._prices = {each.id: _seed_prices(each) for each in self._products.values()}

    async def find(self, product_id: I64) -> Product:
        return self._product(product_id)

    async def find_by_name(self, name: str) -> Product:
        for each in self._products.values():
            if each.name == name:
                return each
        raise ProductNotFound(f"no product called {name!r}", product_id=0)

    async def search(self, text: str, limit: I32 = 10, tags: set[str] | None = None) -> list[Product]:
        wanted = text.casefold()
        found = [
            each
            for _, each in sorted(self._products.items())
            if wanted in each.name.casefold() and (tags is None or tags <= set(each.tags))
        ]
        return found[: max(limit, 0)]

    async def put(self, product: Product) -> I64:
        if product.id == 0:
            # The lowest that is free: behind the highest there may be no other I64.
            product = replace(product, id=next(each for each in itertools.count(1) if each not in self._products))
        self._products[product.id] = product
        self._prices.setdefault(product.id, {})[product.created_at.date()] = product.price
        return product.id

    async def remove(self, product_id: I64) -> bool:
        self._prices.pop(product_id, None)
        return self._products.pop(product_id, None) is not None

    async def price_history(self, product_id: I64) -> dict[dt.date, Decimal]:
        self._product(product_id)
        return self._prices[product_id]

    async def reserve(self, product_id: I64, warehouse: str, quantity: I32) -> I32:
        product = self._product(product_id)
        if quantity < 0:
            raise ValueError("quantity is negative")
        available = product.stock.get(warehouse, 0)
        if quantity > available:
            missing = quantity - available
            raise OutOfStock(f"{missing} of {product.name!r} missing", warehouse=warehouse, missing=missing)
        left = available - quantity
        self._products[product_id] = replace(product, stock={**product.stock, warehouse: left})
        return left

    async def slow(self, millis: I64) -> str:
        await asyncio.sleep(millis / 1000)
        return f"slept {millis} ms"

    async def count(self) -> I64:
        return len(self._products)

    async def touch(self, product_id: I64) -> None:
        product = self._products.get(product_id)
        if product is not None:
            before = product.updated_at or product.created_at
            # A java.util.Date has milliseconds only.
            touched = before.replace(microsecond=before.microsecond // 1000 * 1000) + dt.timedelta(milliseconds=1)
            self._products[product_id] = replace(product, updated_at=touched)

    def _product(self, product_id: int) -> Product:
        product = self._products.get(product_id)
        if product is None:
            raise ProductNotFound(f"no product {product_id}", product_id=product_id)
        return product


def _seed() -> list[Product]:
    group = Maker("Northwind Group", "SE")
    return [
        Product(
            id=1,
            name="Desk lamp",
            price=Decimal("49.90"),
            tags=["light", "office"],
            created_at=_OPENING,
            updated_at=_OPENING + dt.timedelta(days=30, milliseconds=250),
            stock={"berlin": 12, "oslo": 0},
            status=Status.ACTIVE,
            maker=Maker("Lumen", "DE", group),
        ),
        Product(
            id=2,
            name="Standing desk",
            price=Decimal("612.00"),
            tags=["furniture", "office"],
            created_at=_OPENING + dt.timedelta(hours=1, microseconds=123_456),
            stock={"berlin": 3},
            status=Status.PREORDER,
            maker=group,
        ),
        Product(
            id=3,
            name="Wandleuchte „Grün“ 🌿",
            price=Decimal("19.5"),
            tags=[],
            created_at=_OPENING + dt.timedelta(days=1),
            status=Status.DISCONTINUED,
        ),
    ]


def _seed_prices(product: Product) -> dict[dt.date, Decimal]:
    opening = product.created_at.date()
    return {opening - dt.timedelta(days=90): product.price + Decimal("5.00"), opening: product.price}
