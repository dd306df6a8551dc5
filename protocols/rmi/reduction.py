"""The closed set of names that a pickle may speak of, each with what it stands for. None of them is ever imported.

A pickle says "call this with these arguments" also for plain values: `decimal.Decimal("1.10")`. The reader knows a few
such forms, builds the value itself, and refuses every other name when it meets it.

| name | arguments | value |
| --- | --- | --- |
| `decimal.Decimal` | a text | Decimal |
| `datetime.date` | 4 bytes, or year, month, day | date |
| `datetime.time` | 6 bytes, or hour, minute, second, microsecond | time without a zone |
| `datetime.datetime` | 10 bytes, or seven numbers; then a zone or nothing | datetime |
| `datetime.timedelta` | days, seconds, microseconds | timedelta |
| `datetime.timezone` | a timedelta | a fixed zone |
| `pytz._UTC`, `pytz.UTC` | nothing | UTC |
| `uuid.UUID` | a text; or made empty and given its state | UUID |
| `collections.OrderedDict` | nothing, or pairs | dict |
| `builtins.set`, `.frozenset`, `.list`, `.tuple` | a list | set, frozenset, list, tuple |
| `builtins.bytearray`, `.bytes` | bytes; a text and `latin-1`; nothing | bytes |
| `_codecs.encode` | a text and `latin1` | bytes |
| `array.array` | a type code and a list | list |

`builtins` is called `__builtin__` by Python 2 and by most implementations in other languages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

__all__ = ["BUILD_ERRORS", "REDUCTIONS", "UUID_NAME", "Instance", "Name", "PickleRefused", "instance_uuid"]

_MAX_DECIMAL_TEXT: Final = 20_000
_LATIN: Final = frozenset({"latin1", "latin-1"})
_ARRAYS: Final = frozenset("bBhHiIlLqQfdu")


class PickleRefused(ValueError):
    """Bytes that are no pickle, or one of something that may not stand here. The text never repeats much of it."""


class Name:
    """A name of the closed set, where a pickle speaks of it.

    `title`: the name, or what the contract calls the type. `build`: what a call of it stands for. `collect`: makes a
    collection of a list. Both are None for classes of a contract.
    """

    __slots__ = ("build", "collect", "title")

    def __init__(
        self,
        title: str,
        build: Callable[[tuple[Any, ...]], Any] | None = None,
        collect: Callable[[list[Any]], Any] | None = None,
    ) -> None:
        self.title: Final = title
        self.build: Final = build
        self.collect: Final = collect


class Instance:
    """An object of a class of the contract, as data: `title` is the contract's name for it.

    `arguments`: what it was made with (an enum's value). `state`: its attributes by name, or in their order where it is
    a dataclass with slots; None where it was given none.
    """

    __slots__ = ("arguments", "state", "title")

    def __init__(self, title: str, arguments: tuple[Any, ...]) -> None:
        self.title: Final = title
        self.arguments: Final = arguments
        self.state: dict[str, Any] | list[Any] | None = None


def _integers(values: tuple[Any, ...]) -> bool:
    return all(type(each) is int for each in values)


def _decimal(arguments: tuple[Any, ...]) -> Decimal:
    (text,) = arguments
    if type(text) is not str or len(text) > _MAX_DECIMAL_TEXT:
        raise ValueError
    return Decimal(text)


def _raw(value: Any, size: int) -> bytes | None:
    """What Python packs a date into; a text where the pickle is one of Python 2."""
    if type(value) is str:
        value = value.encode("latin-1")
    return value if type(value) is bytes and len(value) == size else None


def _date(arguments: tuple[Any, ...]) -> date:
    if len(arguments) == 3 and _integers(arguments):
        return date(*arguments)
    (packed,) = arguments
    raw = _raw(packed, 4)
    if raw is None:
        raise ValueError
    return date(raw[0] << 8 | raw[1], raw[2], raw[3])


def _time(arguments: tuple[Any, ...]) -> time:
    if 2 <= len(arguments) <= 4 and _integers(arguments):
        return time(*arguments)
    (packed,) = arguments
    raw = _raw(packed, 6)
    if raw is None:
        raise ValueError
    # The highest bit of the hour says which of two equal times at the end of summer is meant; without a zone neither.
    return time(raw[0] & 0x7F, raw[1], raw[2], raw[3] << 16 | raw[4] << 8 | raw[5])


def _datetime(arguments: tuple[Any, ...]) -> datetime:
    zone: timezone | None = None
    if arguments and isinstance(arguments[-1], timezone):
        zone, arguments = arguments[-1], arguments[:-1]
    if 3 <= len(arguments) <= 7 and _integers(arguments):
        return datetime(*arguments).replace(tzinfo=zone)
    (packed,) = arguments
    raw = _raw(packed, 10)
    if raw is None:
        raise ValueError
    year, microsecond = raw[0] << 8 | raw[1], raw[7] << 16 | raw[8] << 8 | raw[9]
    return datetime(year, raw[2] & 0x7F, raw[3], raw[4], raw[5], raw[6], microsecond, tzinfo=zone)


def _timedelta(arguments: tuple[Any, ...]) -> timedelta:
    if len(arguments) > 3 or not _integers(arguments):
        raise ValueError
    return timedelta(*arguments)


def _timezone(arguments: tuple[Any, ...]) -> timezone:
    offset = arguments[0]
    if not 1 <= len(arguments) <= 2 or type(offset) is not timedelta:
        raise ValueError
    return UTC if not offset else timezone(offset)


def _utc(arguments: tuple[Any, ...]) -> timezone:
    if arguments:
        raise ValueError
    return UTC


def _uuid(arguments: tuple[Any, ...]) -> UUID:
    (text,) = arguments
    if type(text) is not str or len(text) > 45:
        raise ValueError
    return UUID(text)


def _bytes(arguments: tuple[Any, ...]) -> bytes:
    if not arguments:
        return b""
    first = arguments[0]
    if type(first) is bytes and len(arguments) == 1:
        return first
    # Nothing but a text is looked up: hashing tuples inside each other takes the stack of the process.
    if type(first) is str and len(arguments) == 2 and type(arguments[1]) is str and arguments[1] in _LATIN:
        return first.encode("latin-1")
    raise ValueError


def _array(arguments: tuple[Any, ...]) -> list[Any]:
    code, items = arguments
    if type(code) is not str or code not in _ARRAYS or type(items) is not list:
        raise ValueError
    return items


UUID_NAME: Final = Name("uuid.UUID", _uuid)

_BUILTINS: Final = ("builtins", "__builtin__")


def _reductions() -> dict[tuple[str, str], Name]:
    def named(module: str, name: str, build: Callable[[tuple[Any, ...]], Any]) -> tuple[tuple[str, str], Name]:
        return (module, name), Name(f"{module}.{name}", build)

    return dict(
        (
            named("decimal", "Decimal", _decimal),
            named("datetime", "date", _date),
            named("datetime", "time", _time),
            named("datetime", "datetime", _datetime),
            named("datetime", "timedelta", _timedelta),
            named("datetime", "timezone", _timezone),
            named("pytz", "_UTC", _utc),
            named("pytz", "UTC", _utc),
            (("uuid", "UUID"), UUID_NAME),
            named("_codecs", "encode", _bytes),
            named("array", "array", _array),
            (("collections", "OrderedDict"), Name("OrderedDict", collect=dict)),
            *(named(module, name, _bytes) for module in _BUILTINS for name in ("bytes", "bytearray")),
            *(
                ((module, cls.__name__), Name(cls.__name__, collect=cls))
                for module in _BUILTINS
                for cls in (set, frozenset, list, tuple)
            ),
        )
    )


REDUCTIONS: Final[Mapping[tuple[str, str], Name]] = MappingProxyType(_reductions())
"""Module and name to what stands there."""

BUILD_ERRORS: Final = (ValueError, TypeError, OverflowError, InvalidOperation, LookupError)
"""What the functions above raise for arguments that fit nothing."""


def instance_uuid(instance: Instance) -> UUID | None:
    """The UUID that Python's own pickler wrote as an object with a state; None for anything else."""
    number = instance.state.get("int") if type(instance.state) is dict else None
    if instance.title != UUID_NAME.title or type(number) is not int or not 0 <= number < 1 << 128:
        return None
    return UUID(int=number)
