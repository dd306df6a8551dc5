"""What the fields, parameters and methods of another language are called in Python."""

from __future__ import annotations

import keyword
import unicodedata
from collections.abc import Collection
from typing import Final

from gateway.model.fault import ServiceError

__all__ = ["TAKEN_IN_EXCEPTIONS", "python_name"]

TAKEN_IN_EXCEPTIONS: Final = frozenset(dir(ServiceError)) - frozenset(dir(object))
"""Attributes that every exception has."""
_OF_CLASSES: Final = "mro"
"""Every class has this, so that dataclasses take it for the default of a field of this name."""


def python_name(name: str, taken: Collection[str]) -> str:
    """A name that none of these has, as Python itself would normalize it.

    What begins with underscores loses them: it would be private, or mangled.
    """
    plain = unicodedata.normalize("NFKC", name).lstrip("_") or "value"
    if plain[0].isdigit():
        plain = f"value_{plain}"
    while keyword.iskeyword(plain) or plain in taken or plain == _OF_CLASSES:
        plain = f"{plain}_"
    return plain
