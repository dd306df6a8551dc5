"""What a check of a cell is, and what most of them need."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.model.call import Fault, Ok
from tests.matrix.bridge import Bridge

__all__ = ["Check", "ok"]


@dataclass(frozen=True, slots=True)
class Check:
    """`run` gives what differs, None when nothing does; it raises when the call was refused.

    `large`: it moves 150 kB and more.
    """

    kind: str
    name: str
    run: Callable[[Bridge], Awaitable[str | None]]
    large: bool = False


def ok(result: Ok | Fault) -> Ok:
    """The answer that is a value. Raises `AssertionError` where it is an exception."""
    if isinstance(result, Ok):
        return result
    found = result.decoded()
    raise AssertionError(f"an exception instead of the value: {found.type_name}: {found.message}")
