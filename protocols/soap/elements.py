"""What writing elements has in common: how the parts of writers are called, and how they write collections."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gateway.jsonform.form import Walk, enter, key_text
from gateway.model.errors import ValueMappingError
from protocols.soap.names import ENTRY

__all__ = ["Append", "Content", "Element", "write_each", "write_entries"]

Append = Callable[[str], None]
"""Takes the next part of the document."""

Content = Callable[[Append, Any, Walk], str]
"""Writes what is inside of an element; gives the attributes that its start tag needs because of it, mostly none."""

Element = Callable[[Append, Any, Walk], None]
"""Writes whole elements for a value; none, one or several."""


def write_each(append: Append, values: Any, step: Element, walk: Walk) -> None:
    """Writes the members of a list or set. Raises `ValueMappingError` with the place of the member."""
    enter(walk, len(values))
    index = 0
    try:
        for each in values:
            step(append, each, walk)
            index += 1
    except ValueMappingError as exc:
        raise exc.within(f"[{index}]") from None
    walk[0] -= 1


def write_entries(
    append: Append, items: Iterable[tuple[Any, Any]], size: int, key_step: Element, value_step: Element, walk: Walk
) -> None:
    """Writes the entries of a map. Raises `ValueMappingError` with the place of the key or value."""
    enter(walk, size)
    for index, (key, value) in enumerate(items):
        append(f"<{ENTRY}>")
        try:
            key_step(append, key, walk)
        except ValueMappingError as exc:
            raise exc.within(f"[key {index}]") from None
        try:
            value_step(append, value, walk)
        except ValueMappingError as exc:
            raise exc.within(f"[{key_text(key, index)}]") from None
        append(f"</{ENTRY}>")
    walk[0] -= 1
