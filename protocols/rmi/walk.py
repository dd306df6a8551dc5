"""How much reading a pickle's values may come to: what is used again by a reference is read each time."""

from __future__ import annotations

from typing import Any, Final

from gateway.jsonform.form import MAX_DEPTH, Walk
from gateway.model.errors import ValueMappingError

__all__ = ["LONG", "Walk", "enter", "read_walk", "spend", "spend_bytes", "spend_key", "words_squared"]

_PER_BYTE: Final = 8
_FREE: Final = 50_000
_CONTAINER: Final = 5
_FREE_BYTES: Final = 1 << 24
_TOO_MUCH: Final = "more than the pickle's size allows, counting what it uses again each time"
LONG: Final = 64
"""Bytes or characters; what is shorter counts as an element only."""


def read_walk(payload_bytes: int, elements: int) -> Walk:
    """The state at the start of reading what a pickle of so many bytes gave.

    What it may come to is measured by the size of the pickle, so that a short one costs little; and by `elements`, of
    all containers together. Its third member is the bytes of what is long, which is written again each time by
    whoever sends the values on.
    """
    return [0, min(elements, payload_bytes * _PER_BYTE + _FREE), payload_bytes * _PER_BYTE + _FREE_BYTES]


def enter(walk: Walk, elements: int) -> None:
    """A reader enters a container of so many elements.

    Raises:
        ValueMappingError: deeper than 64 levels, or more than the walk had left.
    """
    walk[0] += 1
    if walk[0] > MAX_DEPTH + 1:
        raise ValueMappingError(f"nested deeper than {MAX_DEPTH} levels, or containing itself")
    spend(walk, _CONTAINER + elements)


def spend(walk: Walk, elements: int) -> None:
    """Counts elements. Raises as `enter`."""
    walk[1] -= elements
    if walk[1] < 0:
        raise ValueMappingError(_TOO_MUCH)


def spend_bytes(walk: Walk, size: int) -> None:
    """Counts the bytes of something long. Raises as `enter`."""
    walk[2] -= size
    if walk[2] < 0:
        raise ValueMappingError(_TOO_MUCH)


def spend_key(walk: Walk, key: Any) -> None:
    """Counts what a key costs that may be compared with a Decimal. Raises as `enter`."""
    if isinstance(key, int) and key.bit_length() > LONG:
        spend(walk, words_squared(key) >> 1)


def words_squared(number: int) -> int:
    """In what proportion it takes time to turn the number into decimal digits."""
    words = number.bit_length() >> 6
    return words * words
