"""What is said about JSON that does not fit the type it is read as."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from gateway.jsonform.form import MAX_DEPTH
from gateway.model.errors import ValueMappingError
from gateway.model.typeref import TypeRef

__all__ = ["NO_CALLBACK", "did_you_mean", "json_name", "mismatch", "shown", "too_deep"]

NO_CALLBACK: Final = "a callback has no form in JSON"
_SHOWN: Final = 60


def too_deep() -> ValueMappingError:
    """Of a value inside of too many others."""
    return ValueMappingError(f"nested deeper than {MAX_DEPTH} levels")


def mismatch(expected: TypeRef | str, value: Any, form: str = "") -> ValueMappingError:
    """Of a value of another kind: `expected` is the type, and `form` the JSON it is read from where that says more."""
    name = str(expected.required()) if isinstance(expected, TypeRef) else expected
    if value is None:
        return ValueMappingError(f"null where {name} is required")
    return ValueMappingError(f"expected {name}{f' as {form}' if form else ''}, found {json_name(value)}")


def json_name(value: Any) -> str:
    """What somebody who wrote the JSON calls the value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "an object" if isinstance(value, Mapping) else "an array"


def shown(name: str) -> str:
    """A name that somebody sent, as a message repeats it: not at any length."""
    return repr(name) if len(name) <= _SHOWN else f"of {len(name)} characters"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """How a message about an unknown name ends."""
    # Comparing costs the product of the lengths; a long name is no slip of the pen.
    close = difflib.get_close_matches(name, sorted(known), 1) if len(name) <= _SHOWN else []
    return f"; did you mean {close[0]!r}?" if close else ""
