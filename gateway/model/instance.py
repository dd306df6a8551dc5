"""Instances of contract classes, built without running any code of theirs.

What a peer sends must not reach constructors: an instance is created empty and filled attribute by attribute, as
`StructType.python_class` promises. Everybody who builds values from data uses these functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.model.contract import StructType

__all__ = ["new_exception", "new_struct"]

_set_attribute = object.__setattr__


def new_struct(struct: StructType, values: Mapping[str, Any]) -> Any:
    """An instance of the struct's class. `values`: by attribute name; works for frozen and slotted classes too."""
    cls: Any = struct.python_class
    instance = cls.__new__(cls)
    for attribute, value in values.items():
        _set_attribute(instance, attribute, value)
    return instance


def new_exception(struct: StructType, message: str | None, values: Mapping[str, Any]) -> Any:
    """An instance of an exception's class. `message`: what `str()` of it gives, None for no text."""
    instance = new_struct(struct, values)
    _set_attribute(instance, "args", () if message is None else (message,))
    return instance
