"""What `polyport demo` calls: every method of `demo.Catalog`, directly and through every bridge the configuration has.

Every call is chosen so that its answer is known and repeating it changes nothing; so the answer through a bridge must
equal the direct one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Final

from gateway.demo.catalog import Catalog, OutOfStock, ProductNotFound
from gateway.model.errors import GatewayError
from gateway.model.fault import ServiceError

__all__ = ["CALLS", "Answer", "DemoCall", "Row", "measure"]

_REPEATS: Final = 5


@dataclass(frozen=True, slots=True)
class DemoCall:
    """One line of the table. `text`: as it is shown; `run`: makes the call and gives what is shown of its answer."""

    text: str
    run: Callable[[Catalog], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gave. `seconds`: the fastest of several; `failed`: there was no answer, `text` says why."""

    text: str
    seconds: float = 0.0
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A call over one protocol: the direct answer, and one for each bridge, by the group of its service."""

    protocol: str
    call: str
    direct: Answer
    bridged: Mapping[str, Answer]

    @property
    def lossless(self) -> bool:
        """Whether everything answered, and the same."""
        return not self.direct.failed and not self.different

    @property
    def different(self) -> Mapping[str, Answer]:
        """The bridges that gave another answer, or none."""
        return {group: each for group, each in self.bridged.items() if each.failed or each.text != self.direct.text}


async def measure(call: DemoCall, catalog: Catalog) -> Answer:
    """Makes the call a few times and gives its answer."""
    best = float("inf")
    text = ""
    for _ in range(_REPEATS):
        began = perf_counter()
        try:
            text = await call.run(catalog)
        except (GatewayError, ServiceError) as exc:
            return Answer(f"{type(exc).__name__}: {exc}", failed=True)
        best = min(best, perf_counter() - began)
    return Answer(text, best)


async def _find(catalog: Catalog) -> str:
    product = await catalog.find(1)
    return f"{product.name}, {product.price}, {product.status.name}, {product.created_at:%Y-%m-%d}"


async def _find_by_name(catalog: Catalog) -> str:
    product = await catalog.find_by_name("Desk lamp")
    return f"id {product.id}, made by {product.maker.name if product.maker else 'nobody'}"


async def _search(catalog: Catalog) -> str:
    found = await catalog.search("", 2, {"office"})
    return ", ".join(product.name for product in found)


async def _put(catalog: Catalog) -> str:
    product = await catalog.find(1)
    return f"id {await catalog.put(replace(product))}"


async def _remove(catalog: Catalog) -> str:
    return str(await catalog.remove(999_999))


async def _price_history(catalog: Catalog) -> str:
    history = await catalog.price_history(1)
    return ", ".join(f"{day}: {price}" for day, price in sorted(history.items()))


async def _not_found(catalog: Catalog) -> str:
    return await _raised(catalog.find(999_999), ProductNotFound)


async def _reserve(catalog: Catalog) -> str:
    return await _raised(catalog.reserve(1, "berlin", 1_000_000), OutOfStock)


async def _raised(call: Awaitable[Any], expected: type[ServiceError]) -> str:
    try:
        value = await call
    except expected as exc:
        return repr(exc)
    raise GatewayError(f"expected {expected.__name__}, got the value {value!r}")


async def _slow(catalog: Catalog) -> str:
    return await catalog.slow(20)


async def _count(catalog: Catalog) -> str:
    return str(await catalog.count())


async def _touch(catalog: Catalog) -> str:
    await catalog.touch(1)
    return "sent"


CALLS: Final[Sequence[DemoCall]] = (
    DemoCall("find(1)", _find),
    DemoCall('find("Desk lamp")', _find_by_name),
    DemoCall('search("", 2, {"office"})', _search),
    DemoCall("put(product)", _put),
    DemoCall("remove(999999)", _remove),
    DemoCall("price_history(1)", _price_history),
    DemoCall("find(999999)", _not_found),
    DemoCall('reserve(1, "berlin", 1000000)', _reserve),
    DemoCall("slow(20)", _slow),
    DemoCall("count()", _count),
    DemoCall("touch(1), oneway", _touch),
)
