"""A contract for data mode, and calls of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from gateway.contracts import I64, ServiceError, contract_of, method, service
from gateway.model.call import Fault, Invocation
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.spi.adapter import ClientAdapter, Reference

__all__ = ["SHOP", "Colour", "Item", "NotThere", "Shop", "Versioned", "calling"]


class Colour(Enum):
    RED = 1
    BLUE = 2


@dataclass
class Item:
    name: str
    price: int
    colour: Colour = Colour.RED
    note: str | None = None


@dataclass
class Versioned:
    value: Item
    version: I64


class NotThere(ServiceError):
    sku: str


@service("shop.Items")
class Shop(Protocol):
    async def get(self, key: str) -> Item | None: ...

    async def set(self, key: str, value: Item) -> None: ...

    async def delete(self, key: str) -> bool: ...

    @method(throws=(NotThere,))
    async def find(self, sku: str) -> Item: ...

    async def lend(self, sku: str, item: Item, ttl: dt.timedelta | None) -> bool: ...

    async def several(self, skus: list[str]) -> dict[str, Item]: ...

    async def count(self, page: str, region: str, by: I64 = 1) -> I64: ...

    async def left(self, sku: str) -> dt.timedelta | None: ...

    async def save(self, sku: str, item: Item) -> None: ...

    async def load(self, sku: str) -> Item | None: ...

    async def versioned(self, sku: str) -> Versioned | None: ...

    async def swap(self, sku: str, item: Item, version: I64) -> bool | None: ...

    async def unmapped(self) -> None: ...


SHOP = contract_of(Shop)


class Calls:
    """Calls of one reference, by the attributes of the methods; faults are raised as AssertionError."""

    def __init__(self, invoker: Any) -> None:
        self.invoker = invoker

    async def __call__(self, name: str, *arguments: Any, **attributes: Any) -> Any:
        signature = next(each for each in SHOP.methods if each.attribute == name)
        service = self.invoker.endpoint.service
        result = await self.invoker(Invocation(service, signature.name, arguments, signature=signature, **attributes))
        return result if isinstance(result, Fault) else result.value


@asynccontextmanager
async def calling(
    client: ClientAdapter, protocol: str, port: int, *, timeout_s: float = 5.0, **options: Any
) -> AsyncIterator[Calls]:
    """A reference with these options to a server on this machine."""
    service = ServiceKey("shop.Items")
    reference = Reference(service, SHOP, timeout_s=timeout_s, parameters=options)
    try:
        yield Calls(client.open(Endpoint(protocol, "127.0.0.1", port, service), reference))
    finally:
        await client.aclose()
