"""shop.Orders as Dubbo's webservice:// makes it of a Java interface without annotations, and an implementation.

CXF calls parameters arg0, arg1, …; fields are called as Java calls them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Protocol

from gateway import I32, I64, ServiceError, method, service

__all__ = ["FIRST", "MemoryOrders", "Order", "OrderNotFound", "Orders", "State"]


class State(Enum):
    OPEN = "open"
    PAID = "paid"


@dataclass
class Order:
    id: I64
    customer: str | None = None
    total: Decimal | None = None
    placedAt: dt.datetime | None = None
    discount: I32 | None = None
    state: State | None = None
    tags: list[str] = field(default_factory=list)
    stock: dict[str, I32] = field(default_factory=dict)
    follows: Order | None = None


class OrderNotFound(ServiceError):
    orderId: I64


@service("shop.Orders")
class Orders(Protocol):
    @method(throws=(OrderNotFound,), idempotent=True)
    async def find(self, arg0: I64) -> Order: ...
    @method(idempotent=True)
    async def search(
        self, arg0: str | None = None, arg1: I32 | None = None, arg2: set[str] = frozenset()
    ) -> list[Order]: ...
    @method(idempotent=True)
    async def sum(self, arg0: list[Decimal]) -> Decimal: ...
    @method(idempotent=True)
    async def state(self, arg0: State) -> State: ...
    async def put(self, arg0: Order) -> I64: ...
    @method(idempotent=True)
    async def cancel(self, arg0: I64) -> None: ...
    async def fail(self, arg0: str) -> str: ...


FIRST = Order(
    1,
    "Ann",
    Decimal("49.90"),
    dt.datetime(2026, 1, 2, 8, 30, 0, 250_000, dt.UTC),
    state=State.PAID,
    tags=["gift"],
    stock={"berlin": 12},
)


class MemoryOrders:
    def __init__(self) -> None:
        self._orders = {1: FIRST, 2: Order(2, "茶 😀", follows=FIRST, discount=10)}

    async def find(self, arg0: int) -> Order:
        if arg0 not in self._orders:
            raise OrderNotFound(f"no order {arg0}", orderId=arg0)
        return self._orders[arg0]

    async def search(self, arg0: str | None, arg1: int | None, arg2: set[str]) -> list[Order]:
        found = [
            each for each in self._orders.values() if (arg0 or "") in (each.customer or "") and arg2 <= set(each.tags)
        ]
        return found[:arg1]

    async def sum(self, arg0: list[Decimal]) -> Decimal:
        return sum(arg0, Decimal(0))

    async def state(self, arg0: State) -> State:
        return arg0

    async def put(self, arg0: Order) -> int:
        arg0.id = arg0.id or max(self._orders) + 1
        self._orders[arg0.id] = arg0
        return arg0.id

    async def cancel(self, arg0: int) -> None:
        self._orders.pop(arg0, None)

    async def fail(self, arg0: str) -> str:
        raise ValueError(arg0)
