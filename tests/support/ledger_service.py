"""A service whose providers count what they were called for, and fail when a test tells them to."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, ClassVar, Protocol

from gateway.contracts import I64, ServiceError, method, service
from gateway.model.errors import Overloaded

__all__ = ["Booking", "Ledger", "Refused"]


class Refused(ServiceError):
    """The ledger will not."""

    by: str


@service("test.Ledger")
class Ledger(Protocol):
    """Methods that may run twice, and some that must not."""

    @method(idempotent=True, throws=(Refused,))
    async def read(self) -> str: ...

    async def write(self, amount: I64) -> str: ...

    @method(idempotent=True)
    async def names(self) -> list[str]: ...

    @method(idempotent=True)
    async def total(self) -> I64: ...

    @method(oneway=True)
    async def touch(self, amount: I64) -> None: ...


class Booking:
    """Answers for `label`. The class holds what tests look at and decide, by label.

    `calls`: how often each was called. `behaviour`: `fail` (there is no answer), `hang` (until cancelled) or `refuse`
    (the method throws); nothing to answer. `arrived` and `cancelled`: set when a call comes, and when it is given up.
    """

    calls: ClassVar[Counter[str]] = Counter()
    behaviour: ClassVar[dict[str, str]] = {}
    arrived: ClassVar[dict[str, asyncio.Event]] = {}
    cancelled: ClassVar[dict[str, asyncio.Event]] = {}

    def __init__(self, label: str) -> None:
        self.label = label

    @classmethod
    def reset(cls, *labels: str) -> None:
        """Forgets what earlier tests left."""
        cls.calls.clear()
        cls.behaviour.clear()
        cls.arrived = {label: asyncio.Event() for label in labels}
        cls.cancelled = {label: asyncio.Event() for label in labels}

    async def _answer(self, value: Any) -> Any:
        self.calls[self.label] += 1
        self.arrived[self.label].set()
        behaviour = self.behaviour.get(self.label)
        if behaviour == "fail":
            raise Overloaded(f"{self.label} is busy")
        if behaviour == "refuse":
            raise Refused("no", by=self.label)
        if behaviour == "hang":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled[self.label].set()
                raise
        return value

    async def read(self) -> Any:
        return await self._answer(self.label)

    async def write(self, amount: int) -> Any:
        return await self._answer(self.label)

    async def names(self) -> Any:
        return await self._answer([self.label])

    async def total(self) -> Any:
        return await self._answer(len(self.label))

    async def touch(self, amount: int) -> None:
        await self._answer(None)
