"""Scalars as bare texts, where JSON cannot stand: keys of objects, queries, paths and headers."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

from gateway.jsonform.form import SPECIAL_FLOATS
from gateway.jsonform.scalar_text import format_integer, parse_decimal, parse_integer
from gateway.model.errors import ValueMappingError
from gateway.model.scalar import INTEGER_RANGES
from gateway.model.typeref import SCALARS, Kind, TypeRef

__all__ = ["BARE_KINDS", "bare_text_of", "is_text_key", "parser_of_bare_text"]

BARE_KINDS: Final = (SCALARS | {Kind.ENUM}) - {Kind.NULL}
"""The kinds that have a bare text."""

_BOOLS: Final = MappingProxyType({"true": True, "false": False})


def is_text_key(ref: TypeRef) -> bool:
    """Whether a map with keys of this type is an object in JSON."""
    return ref.kind in BARE_KINDS and not ref.nullable


def parser_of_bare_text(kind: Kind) -> Callable[[str], Any]:
    """A function from a bare text to the JSON value that readers of the kind take; raises `ValueMappingError`."""
    if kind is Kind.BOOL:
        return _parse_bool
    if kind in INTEGER_RANGES:
        return parse_integer
    if kind in (Kind.F32, Kind.F64):
        return lambda text: text if text in SPECIAL_FLOATS else parse_decimal(text)
    return lambda text: text


def bare_text_of(value: Any) -> str:
    """The text of the JSON value that the writer of a scalar gave."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return format_integer(value) if isinstance(value, int) else repr(value)


def _parse_bool(text: str) -> bool:
    found = _BOOLS.get(text)
    if found is None:
        raise ValueMappingError("expected true or false")
    return found
