"""Scalars as instances of Python's own classes: a subclass would get into a pickle under its own name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from gateway.model.typeref import Kind

__all__ = ["EXACT_KINDS", "exact_scalar"]


def _exact_datetime(value: dt.datetime) -> dt.datetime:
    clock = (value.hour, value.minute, value.second, value.microsecond)
    return dt.datetime(value.year, value.month, value.day, *clock, tzinfo=value.tzinfo)


_EXACT: Final[Mapping[Kind, tuple[type[Any], Callable[[Any], Any]]]] = MappingProxyType(
    {
        Kind.DECIMAL: (Decimal, Decimal),
        Kind.DATE: (dt.date, lambda value: dt.date(value.year, value.month, value.day)),
        Kind.TIME: (dt.time, lambda value: dt.time(value.hour, value.minute, value.second, value.microsecond)),
        Kind.DATETIME: (dt.datetime, _exact_datetime),
        Kind.LOCAL_DATETIME: (dt.datetime, _exact_datetime),
        Kind.DURATION: (dt.timedelta, lambda value: dt.timedelta(value.days, value.seconds, value.microseconds)),
        Kind.UUID: (UUID, lambda value: UUID(int=value.int)),
    }
)


def exact_scalar(kind: Kind, value: Any) -> Any:
    """The same value as an instance of Python's own class: what a subclass would bring along stays here."""
    if kind not in _EXACT:
        return value
    cls, exact = _EXACT[kind]
    # `fold` goes into the bytes of a pickle, where other implementations take it for a part of the month.
    return value if type(value) is cls and not getattr(value, "fold", 0) else exact(value)


EXACT_KINDS: Final = frozenset(_EXACT)
"""The kinds whose checks let subclasses pass."""
