"""Which form a list has: elements of its own in what contains it, or a type of its own.

A list or set that is not null and has no default but the empty one is written as Java's and .NET's classes have it:
one element after the other, none where it is empty. That form cannot tell null, a default and an empty list apart, nor
can lists of lists have it; those are an element of a type like `ArrayOfInt`, with elements `item` inside.
"""

from __future__ import annotations

from typing import Any

from gateway.model.contract import MISSING
from gateway.model.typeref import Kind, TypeRef

__all__ = ["is_repeated"]


def is_repeated(ref: TypeRef, absent: Any) -> bool:
    """Whether the element is repeated. `absent`: what it is where it is left out, `MISSING` where it may not be."""
    if ref.kind not in (Kind.LIST, Kind.SET) or ref.nullable:
        return False
    return absent is MISSING or (absent is not None and not absent)
