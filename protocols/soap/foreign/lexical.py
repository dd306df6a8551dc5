"""Simple values of foreign services as texts.

They are written exactly. What is read is more than `protocols.soap.scalar` takes, because others write it every day:
a fraction of a second finer than a microsecond is cut off (.NET counts in tenths of one), the zone of a time of day
does not count, and an instant without a zone is in the zone that the reference says, if it says one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.model.contract import ServiceContract
from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind
from protocols.soap.foreign.shape import Simple
from protocols.soap.scalar import FORMATS, PARSERS
from protocols.soap.text import BLANKS

__all__ = ["format_simple", "parse_simple"]

_RANGES: Final[Mapping[str, tuple[int | None, int | None]]] = MappingProxyType(
    {
        "unsignedByte": (0, 2**8 - 1),
        "unsignedShort": (0, 2**16 - 1),
        "unsignedInt": (0, 2**32 - 1),
        "unsignedLong": (0, 2**64 - 1),
        "nonNegativeInteger": (0, None),
        "positiveInteger": (1, None),
        "nonPositiveInteger": (None, 0),
        "negativeInteger": (None, -1),
    }
)
"""Of types that are wider in a contract."""
_FINE: Final = re.compile(r"(\.[0-9]{6})[0-9]+")
_ZONE: Final = re.compile(r"(?:Z|[+-][0-9]{2}:[0-9]{2})\Z")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})*")
_MAX_ITEMS: Final = 1_000_000
_MAX_MOMENT: Final = 100


def format_simple(simple: Simple, value: Any) -> str:
    """The text of a checked value, not escaped. Raises `ValueMappingError` where the schema has no place for it."""
    if simple.item is not None:
        items = [format_simple(simple.item, each) for each in value]
        if any(not each or any(blank in each for blank in BLANKS) for each in items):
            raise ValueMappingError("an item of a list is empty or has blanks in it, and blanks separate items")
        return " ".join(items)
    if simple.constants is not None:
        return next(text for text, constant in simple.constants.items() if constant == value.name)
    if isinstance(value, str):
        return value
    if simple.built_in == "hexBinary":
        return bytes(value).hex().upper()
    _check_range(simple, value)
    return FORMATS[simple.ref.kind](value)


def parse_simple(simple: Simple, text: str, contract: ServiceContract, zone: str) -> Any:
    """The value of a text. `zone`: of instants without one, empty where they are refused.

    Raises:
        ValueMappingError: it is none.
    """
    if simple.item is not None:
        items = text.split()
        if len(items) > _MAX_ITEMS:
            raise ValueMappingError(f"a list of more than {_MAX_ITEMS} items")
        return [parse_simple(simple.item, each, contract, zone) for each in items]
    kind = simple.ref.kind
    if simple.constants is not None:
        constant = simple.constants.get(text)
        if constant is None:
            constant = simple.constants.get(" ".join(text.split()))
        if constant is None:
            raise ValueMappingError(f"{text[:60]!r} is no {simple.ref.name}")
        return contract.enum(simple.ref).python_class[constant]
    if kind is Kind.STRING:
        return text
    text = text.strip(BLANKS)
    if simple.built_in == "hexBinary":
        if _HEX.fullmatch(text) is None:
            raise ValueMappingError("expected hexadecimal digits")
        return bytes.fromhex(text)
    if kind in (Kind.DATETIME, Kind.TIME):
        if len(text) > _MAX_MOMENT:
            raise ValueMappingError(f"a moment of {len(text)} characters")
        text = _FINE.sub(r"\1", text)
    if kind is Kind.TIME:
        text = _ZONE.sub("", text)
    elif kind is Kind.DATETIME and _ZONE.search(text) is None:
        if not zone:
            raise ValueMappingError(f"{text!r} has no zone; the option zone says in which instants without one are")
        text += zone
    value = PARSERS[kind](text)
    _check_range(simple, value)
    return value


def _check_range(simple: Simple, value: Any) -> None:
    low, high = _RANGES.get(simple.built_in, (None, None))
    if (low is not None and value < low) or (high is not None and value > high):
        raise ValueMappingError(f"the number is none of xs:{simple.built_in}")
