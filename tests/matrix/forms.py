"""The contract of calls that `demo.Types` has no method for: overloads, a oneway method, defaults, and nullables."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from gateway import F64, I32, I64, contract_of, method, service
from gateway.demo.types import Maker, Status

__all__ = ["FORMS", "OLDER", "Filled", "Forms", "OlderForms"]


@dataclass
class Filled:
    """A struct none of whose fields must be there."""

    name: str | None = None
    number: I64 | None = None
    ratio: F64 | None = None
    sure: bool | None = None
    price: Decimal | None = None
    at: dt.datetime | None = None
    status: Status | None = None
    maker: Maker | None = None
    tags: list[str] | None = None
    stock: dict[str, I64] | None = None
    limit: I32 = 10


@service("demo.Forms")
class Forms(Protocol):
    @method(idempotent=True)
    async def find(self, number: I64) -> str: ...
    @method(name="find", idempotent=True)
    async def find_by_name(self, name: str) -> str: ...
    @method(name="find", idempotent=True)
    async def find_in(self, name: str, country: str) -> str: ...
    @method(oneway=True)
    async def note(self, text: str) -> None: ...
    @method(idempotent=True)
    async def count(self) -> I64: ...
    async def renew(self) -> None: ...
    @method(idempotent=True)
    async def search(
        self, text: str, limit: I32 = 10, ratio: F64 = 0.5, exact: bool = True, country: str | None = None
    ) -> list[str]: ...
    @method(idempotent=True)
    async def fill(
        self,
        name: str | None,
        number: I64 | None,
        price: Decimal | None,
        at: dt.datetime | None,
        status: Status | None,
        maker: Maker | None,
        tags: list[str] | None,
        stock: dict[str, I64] | None,
    ) -> Filled | None: ...
    @method(idempotent=True)
    async def tags(self) -> list[str] | None: ...
    @method(idempotent=True)
    async def stock(self) -> dict[str, I64] | None: ...


@service("demo.Forms")
class OlderForms(Protocol):
    """What a caller has that was written before most parameters were added."""

    @method(idempotent=True)
    async def search(self, text: str) -> list[str]: ...


FORMS: Final = contract_of(Forms)
OLDER: Final = contract_of(OlderForms)
