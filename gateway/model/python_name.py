"""What the fields, parameters and methods of another language are called in Python."""

from __future__ import annotations

import keyword
from collections.abc import Collection
from typing import Final

from gateway.model.fault import ServiceError

__all__ = ["TAKEN_IN_EXCEPTIONS", "python_name"]

TAKEN_IN_EXCEPTIONS: Final = frozenset(dir(ServiceError)) - frozenset(dir(object))
"""Attributes that every exception has."""


def python_name(name: str, taken: Collection[str]) -> str:
    """A name that none of these has. What begins with underscores loses them: it would be private, or mangled."""
    plain = name.lstrip("_") or "value"
    while keyword.iskeyword(plain) or plain in taken:
        plain = f"{plain}_"
    return plain
