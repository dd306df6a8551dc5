"""A service that calls its callers back: they watch prices, and are told of changes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Protocol

from gateway.contracts import I32, I64, NO_CALL, Call, ServiceError, Withdrawn, method, service

__all__ = ["Listener", "Listening", "Price", "Prices", "Rejected", "Watching"]


@dataclass(frozen=True)
class Price:
    sku: str
    amount: Decimal


class Rejected(ServiceError):
    """The listener does not want to hear of this."""

    sku: str


@service("test.Listener")
class Listener(Protocol):
    """What a caller can be told."""

    @method(throws=(Rejected,))
    async def changed(self, price: Price) -> I32: ...

    async def ping(self) -> str: ...

    @method(oneway=True)
    async def closed(self, reason: str) -> None: ...


@service("test.Prices")
class Prices(Protocol):
    """Prices that can be watched."""

    async def watch(self, sku: str, listener: Listener) -> str: ...

    async def unwatch(self, listener: Withdrawn[Listener]) -> bool: ...

    @method(throws=(Rejected,))
    async def announce(self, sku: str, amount: Decimal) -> list[I32]: ...

    async def watchers(self) -> I32: ...

    async def count_down(self, listener: Listener, numbers: I64) -> I64: ...

    async def refuse(self, listener: Listener) -> None: ...


class Watching:
    """Keeps listeners by what they watch; tests look inside."""

    instances: ClassVar[list[Watching]] = []

    def __init__(self) -> None:
        self.listeners: list[tuple[str, Listener]] = []
        self.calls: list[Call] = []
        self.instances.append(self)

    async def watch(self, sku: str, listener: Listener, *, call: Call = NO_CALL) -> str:
        self.listeners.append((sku, listener))
        self.calls.append(call)
        return await listener.ping()

    async def unwatch(self, listener: Listener) -> bool:
        before = len(self.listeners)
        self.listeners = [(sku, each) for sku, each in self.listeners if each != listener]
        return len(self.listeners) < before

    async def announce(self, sku: str, amount: Decimal) -> list[int]:
        told = [each for watched, each in self.listeners if watched == sku]
        return list(await asyncio.gather(*(each.changed(Price(sku, amount)) for each in told)))

    async def watchers(self) -> int:
        return len(self.listeners)

    async def count_down(self, listener: Listener, numbers: int) -> int:
        total = 0
        for number in range(numbers, 0, -1):
            total += await listener.changed(Price("step", Decimal(number)))
        return total

    async def refuse(self, listener: Listener) -> None:
        raise LookupError("no")


class Listening:
    """A listener that keeps what it was told. `rejects`: SKUs it does not want; `release`: set lets it answer."""

    def __init__(self, name: str = "one", rejects: str = "") -> None:
        self.name = name
        self.rejects = rejects
        self.told: list[Price] = []
        self.entered = asyncio.Event()
        self.release = asyncio.Event()
        self.release.set()
        self.cancelled = asyncio.Event()
        self.reasons: asyncio.Queue[str] = asyncio.Queue()

    async def changed(self, price: Price) -> int:
        self.entered.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        if price.sku == self.rejects:
            raise Rejected("not this", sku=price.sku)
        self.told.append(price)
        return len(self.told)

    async def ping(self) -> str:
        return self.name

    async def closed(self, reason: str) -> None:
        self.reasons.put_nowait(reason)
