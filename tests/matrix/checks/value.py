"""Every value of the corpus, as an argument and as a result, and texts that are part of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from gateway.model.call import Ok
from protocols.testing import CORPUS, Case, Maker, Status, difference
from tests.matrix.bridge import Bridge
from tests.matrix.checks.check import Check, ok

__all__ = ["values"]


_TEXTS: Final = {"lone-surrogate": "a\ud800", "nul": "a\0b", "non-character": "\ufffe", "emoji": "😀"}
"""What some wires refuse, and what none does."""


def values() -> Iterator[Check]:
    """One check for each value."""
    yield from map(_value, CORPUS)
    for name, text in _TEXTS.items():
        for where, method, value, other in (
            ("struct", "echo_struct", Maker("x", text, Maker(text)), Maker("x")),
            ("list", "echo_nested_list", [["x"], [text]], []),
            ("set", "echo_string_set", {"x", text}, set()),
            ("map-key", "echo_string_map", {text: 1}, {}),
            ("map-value", "echo_enum_map", {Status.ACTIVE: text}, {}),
            ("any", "echo_any", {"x": [text]}, None),
        ):
            yield _within(f"argument-within/{where}-{name}", method, value, other)
            yield _within(f"result-within/{where}-{name}", method, other, value)


def _within(name: str, method: str, argument: Any, answer: Any) -> Check:
    async def run(bridge: Bridge) -> str | None:
        result = await bridge.call(method, (argument,), Ok(answer))
        (received,) = bridge.received
        return difference((argument,), received.arguments()) or difference(answer, ok(result).value)

    return Check("value", name, run)


def _value(case: Case) -> Check:
    async def run(bridge: Bridge) -> str | None:
        result = await bridge.call(case.method, case.arguments, Ok(case.value))
        (received,) = bridge.received
        return difference(case.arguments, received.arguments()) or difference(case.value, ok(result).value)

    return Check("value", case.name, run, case.large)
