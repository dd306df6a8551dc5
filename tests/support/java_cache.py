"""What Dubbo's redis:// and memcached:// store for the Java program `DataPeer`, as types and values."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Final, Optional, Protocol
from uuid import UUID

from gateway.contracts import F32, I8, I16, I32, I64, BigInt, Char, JavaType, LocalDateTime, contract_of, service
from gateway.model.contract import ServiceContract
from protocols.data.command import Command

__all__ = ["COMMANDS", "CONTRACT", "UIDS", "VALUES", "Colour", "Item"]

JavaDate = Annotated[dt.datetime, JavaType("java.util.Date")]
MOMENT: Final = dt.datetime(2026, 1, 2, 8, 30, tzinfo=dt.UTC)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Item:
    id: I64
    name: str
    stock: I32
    sold: bool
    rating: float | None
    price: Decimal
    added: JavaDate
    colour: Colour
    tags: list[str]
    counts: dict[str, I32]
    data: bytes
    follows: Item | None = None


def _item(number: int, rating: float | None, follows: Item | None) -> Item:
    added = MOMENT.replace(microsecond=250_000)
    return Item(
        number, "tea 茶", 12, True, rating, Decimal("49.90"), added, Colour.BLUE, ["gift", "tea"], {"berlin": 12},
        b"\x01\x02", follows,
    )  # fmt: skip


_TYPES: Final = {
    "text": (str, "hé 茶 😀 \0\r\n"),
    "no_text": (str, ""),
    "long_text": (str, "0123456789" * 7_000),
    "yes": (bool, True),
    "no": (bool, False),
    "byte": (I8, -128),
    "short": (I16, -32768),
    "int": (I32, -2147483648),
    "zero": (I32, 0),
    "long": (I64, -(2**63)),
    "small_long": (I64, 5),
    "float": (F32, 1.5),
    "double": (float, -0.1),
    "nan": (float, math.nan),
    "char": (Char, "茶"),
    "bigint": (BigInt, -123456789012345678901234567890),
    "decimal": (Decimal, Decimal("-12345678901234567890.1200")),
    "bytes": (bytes, b"\x00\xff\r\n"),
    "date": (JavaDate, MOMENT.replace(microsecond=250_000)),
    "uuid": (UUID, UUID(int=0xFFFFFFFFFFFFFFFF_0000000000000002)),
    "day": (dt.date, dt.date(2026, 1, 2)),
    "clock": (dt.time, dt.time(8, 30)),
    "instant": (dt.datetime, MOMENT.replace(microsecond=123_456)),
    "local": (LocalDateTime, dt.datetime(2026, 1, 2, 8, 30, 10, 5)),
    "duration": (dt.timedelta, dt.timedelta(milliseconds=-1_500)),
    "list": (list[I64], [3, 1, 2]),
    "texts": (set[str], {"a", "b"}),
    "map": (dict[str, I32], {"a": 1, "b": 2}),
    "nested": (dict[str, list[str]], {"a": ["x", "y"]}),
    "colour": (Colour, Colour.BLUE),
    "null": (str | None, None),
    "item": (Item, _item(7, 4.5, _item(6, None, None))),
}
"""Name to type and value; the same stand in DataPeer.java."""


def _contract() -> ServiceContract:
    """A pair of methods for each of them: `set_text(key, value)`, `get_text(key)`."""
    methods: dict[str, Any] = {}
    for name, (hint, _) in _TYPES.items():

        async def put(self: Any, key: str, value: Any) -> None: ...

        async def get(self: Any, key: str) -> Any: ...

        put.__annotations__ = {"key": str, "value": hint, "return": None}
        get.__annotations__ = {"key": str, "return": Optional[hint]}  # noqa: UP045 - not every hint here is a class
        for verb, function in (("set", put), ("get", get)):
            function.__name__ = function.__qualname__ = f"{verb}_{name}"
            methods[function.__name__] = function
    return contract_of(service("cache.Store")(type("Store", (Protocol,), {"__module__": __name__, **methods})))


CONTRACT: Final = _contract()
VALUES: Final = {name: value for name, (_, value) in _TYPES.items() if value is not None}
COMMANDS: Final = {each.attribute: Command(each.attribute.partition("_")[0]) for each in CONTRACT.methods}
UIDS: Final = {"cache.Item": 42}
