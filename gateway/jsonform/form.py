"""What the readers and writers of JSON have in common: limits, texts of floats, and how paths name places."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.model.errors import ValueMappingError

__all__ = [
    "MAX_DEPTH",
    "SPECIAL_FLOATS",
    "Place",
    "Walk",
    "enter",
    "field_place",
    "key_place",
    "key_text",
    "new_walk",
    "refuse_surrogates",
    "special_text",
]

MAX_DEPTH: Final = 64
"""How many levels values nest: what wires carry by default."""

SPECIAL_FLOATS: Final[Mapping[str, float]] = MappingProxyType(
    {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
)
"""The texts that stand for floats JSON has no number for."""

Walk = list[int]
"""The state of writing one value: how deep the writer is, and what it may still write."""

_MAX_CONTAINERS: Final = 1_000_000
_ELEMENTS_PER_CONTAINER: Final = 4

Place = Callable[[str, int], str]
"""How a path goes on to a member, from its key and its number."""

_SHOWN: Final = 64


def new_walk() -> Walk:
    """The state at the start of a value."""
    return [0, _MAX_CONTAINERS * _ELEMENTS_PER_CONTAINER]


def enter(walk: Walk, elements: int) -> None:
    """A writer enters a container of so many elements. What is shared is written, and counted, each time.

    Raises:
        ValueMappingError: deeper than 64 levels; altogether more than a million containers, or four million elements.
    """
    walk[0] += 1
    walk[1] -= _ELEMENTS_PER_CONTAINER + elements
    if walk[0] > MAX_DEPTH + 1:
        raise ValueMappingError(f"nested deeper than {MAX_DEPTH} levels, or containing itself")
    if walk[1] < 0:
        limit = f"more than {_MAX_CONTAINERS} lists, maps and objects"
        raise ValueMappingError(f"{limit}, or {_ELEMENTS_PER_CONTAINER} times as many elements")


def special_text(value: float) -> str:
    """The text of a float that JSON has no number for."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def refuse_surrogates(text: str) -> None:
    """Raises `ValueMappingError` for a text with a lone surrogate, which UTF-8 has no bytes for."""
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise ValueMappingError(f"the lone surrogate at character {exc.start} has no form in JSON") from None


def key_text(key: Any, index: int) -> str:
    """How a path names the value of a key: by the key, or by its place where the key has no short text."""
    if isinstance(key, str):
        return repr(key) if len(key) <= _SHOWN else str(index)
    return repr(key) if isinstance(key, int) and key.bit_length() <= _SHOWN else str(index)


def key_place(key: str, index: int) -> str:
    """The member of a map."""
    return f"[{key_text(key, index)}]"


def field_place(key: str, index: int) -> str:
    """The field of an object."""
    return f".{key}" if key.isidentifier() and len(key) <= _SHOWN else key_place(key, index)
