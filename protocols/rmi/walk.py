"""How much reading a pickle's values may come to: what is used again by a reference is read each time."""

from __future__ import annotations

from typing import Final

from gateway.jsonform.form import MAX_DEPTH, Walk
from gateway.model.errors import ValueMappingError

__all__ = ["Walk", "enter", "read_walk"]

_PER_BYTE: Final = 8
_FREE: Final = 50_000
_CONTAINER: Final = 5


def read_walk(payload_bytes: int, elements: int) -> Walk:
    """The state at the start of reading what a pickle of so many bytes gave.

    What it may come to is measured by the size of the pickle, so that a short one costs little; and by `elements`, of
    all containers together.
    """
    return [0, min(elements, payload_bytes * _PER_BYTE + _FREE)]


def enter(walk: Walk, elements: int) -> None:
    """A reader enters a container of so many elements.

    Raises:
        ValueMappingError: deeper than 64 levels, or more than the walk had left.
    """
    walk[0] += 1
    walk[1] -= _CONTAINER + elements
    if walk[0] > MAX_DEPTH + 1:
        raise ValueMappingError(f"nested deeper than {MAX_DEPTH} levels, or containing itself")
    if walk[1] < 0:
        raise ValueMappingError("more than the pickle's size allows, counting what it uses again each time")
