"""Every value of the corpus, as an argument and as a result."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.model.call import Ok
from protocols.testing import CORPUS, Case, difference
from tests.matrix.bridge import Bridge
from tests.matrix.checks.check import Check, ok

__all__ = ["values"]


def values() -> Iterator[Check]:
    """One check for each value."""
    yield from map(_value, CORPUS)


def _value(case: Case) -> Check:
    async def run(bridge: Bridge) -> str | None:
        result = await bridge.call(case.method, case.arguments, Ok(case.value))
        (received,) = bridge.received
        return difference(case.arguments, received.arguments()) or difference(case.value, ok(result).value)

    return Check("value", case.name, run)
