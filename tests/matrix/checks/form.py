"""Forms of calls: overloads, oneway methods, none or few arguments, and null wherever it may stand."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from gateway.demo.types import Maker, Status
from gateway.model.call import Ok
from gateway.model.errors import NoSuchMethod
from protocols.testing import difference
from tests.matrix.bridge import Bridge
from tests.matrix.checks.check import Check, ok
from tests.matrix.forms import Filled

__all__ = ["forms"]

_SOON_S: Final = 5.0
_OVERLOADS: Final[Mapping[str, tuple[str, Sequence[Any]]]] = {
    "number": ("find", (42,)),
    "large-number": ("find", (-(1 << 63),)),
    "text": ("find_by_name", ("Lumen",)),
    "text-that-is-a-number": ("find_by_name", ("42",)),
    "text-that-is-json": ("find_by_name", ('{"a": [null]}',)),
    "empty-text": ("find_by_name", ("",)),
    "two-texts": ("find_in", ("42", "DE")),
}
_MAKER: Final = Maker("Lumen", None, Maker("Holding", "DE"))
_FULL: Final[Sequence[Any]] = (
    "name",
    1 << 40,
    Decimal("19.90"),
    dt.datetime(2026, 8, 14, 9, 26, 53, tzinfo=dt.UTC),
    Status.PREORDER,
    _MAKER,
    ["a", ""],
    {"berlin": 0},
)
_EMPTY: Final[Sequence[Any]] = (
    "",
    0,
    Decimal(0),
    dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
    Status.ACTIVE,
    _MAKER,
    [],
    {},
)


def forms() -> Iterator[Check]:
    """One check for each form."""
    for name, (method, arguments) in _OVERLOADS.items():
        yield _arrives("overload", name, method, arguments, f"by {method}")
    yield Check("oneway", "arrives-unanswered", _oneway)
    yield Check("oneway", "any-method", _any_method_oneway)
    yield _arrives("arguments", "none", "count", (), 1 << 40)
    yield _arrives("arguments", "none-and-no-result", "renew", (), None)
    yield _arrives("arguments", "all", "search", ("茶", -1, 0.25, False, "DE"), ["x"])
    yield _arrives("arguments", "that-are-defaults", "search", ("茶", 10, 0.5, True, None), [])
    yield Check("arguments", "left-out", _left_out)
    yield from _nulls()


def _arrives(kind: str, name: str, method: str, arguments: Sequence[Any], value: Any) -> Check:
    """The call of exactly this method, with these arguments, and its answer."""

    async def run(bridge: Bridge) -> str | None:
        result = await bridge.call(method, arguments, Ok(value))
        (received,) = bridge.received
        assert received.signature is not None, "both sides have the contract"
        return (
            difference(method, received.signature.attribute)
            or difference(tuple(arguments), received.arguments())
            or difference(value, ok(result).value)
        )

    return Check(kind, name, run)


async def _oneway(bridge: Bridge) -> str | None:
    return await _unanswered(bridge, "note")


async def _any_method_oneway(bridge: Bridge) -> str | None:
    return await _unanswered(bridge, "find_by_name")


async def _unanswered(bridge: Bridge, method: str) -> str | None:
    """The caller goes on while the provider still has the call.

    Of a method that is oneway the provider knows that nobody waits. Not every wire can say so of another one.
    """
    try:
        async with asyncio.timeout(_SOON_S):
            result = await bridge.call(method, ("茶",), Ok(None), oneway=True, held=True)
            await bridge.asked.wait()
    finally:
        bridge.may_answer.set()
    (received,) = bridge.received
    assert received.signature is not None, "both sides have the contract"
    if received.signature.oneway and not received.oneway:
        return "the provider was not told that nobody waits"
    return difference(("茶",), received.arguments()) or difference(None, ok(result).value)


async def _left_out(bridge: Bridge) -> str | None:
    """A caller that knows only the first parameter: the others have their defaults.

    Over dubbo:// there is no such caller: a call names the types of all parameters, so it means another method, and
    what its caller must be told is that there is none.
    """
    try:
        result = await bridge.call_with_older_contract("search", ("茶",), Ok(["x"]))
    except NoSuchMethod:
        if bridge.client == "dubbo":
            return None
        raise
    (received,) = bridge.received
    return difference(("茶", 10, 0.5, True, None), received.arguments()) or difference(["x"], ok(result).value)


def _nulls() -> Iterator[Check]:
    none = (None,) * len(_FULL)
    filled = Filled(*_FULL[:2], 0.5, True, *_FULL[2:])  # type: ignore[arg-type]
    empty = Filled(*_EMPTY[:2], 0.0, False, *_EMPTY[2:], limit=0)  # type: ignore[arg-type]
    yield _arrives("null", "nowhere", "fill", _FULL, filled)
    yield _arrives("null", "everywhere", "fill", none, None)
    yield _arrives("null", "fields-left-out", "fill", none, Filled())
    yield _arrives("null", "empty-is-not-null", "fill", _EMPTY, empty)
    for start, name in enumerate(("first", "second")):
        mixed = [None if index % 2 == start else each for index, each in enumerate(_FULL)]
        yield _arrives("null", f"every-{name}", "fill", mixed, Filled(*mixed[:2], None, False, *mixed[2:]))
    for name, value in {"null": None, "empty": [], "filled": ["a", ""]}.items():
        yield _arrives("null", f"list/{name}", "tags", (), value)
    for name, value in {"null": None, "empty": {}, "filled": {"": 0}}.items():
        yield _arrives("null", f"map/{name}", "stock", (), value)
