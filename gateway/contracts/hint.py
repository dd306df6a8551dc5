"""Type hints read as contract types.

| Python | contract type |
| --- | --- |
| `bool`, `str`, `bytes`, `Decimal`, `UUID` | bool, string, bytes, decimal, uuid |
| `int`, `float` | i64, f64; other widths: `I8 I16 I32 I64 BigInt F32 F64` |
| `Char` | char |
| `date`, `time`, `timedelta` | date, time, duration |
| `datetime`, `LocalDateTime` | datetime (an instant, aware), local_datetime (naive) |
| `list[T]`, `Sequence[T]`, `tuple[T, ...]` | list; the last one is hashable and so may be a key |
| `set[T]`, `frozenset[T]`, `collections.abc.Set[T]` | set; a `frozenset` may be a key |
| `dict[K, V]`, `Mapping[K, V]` | map; keys must be hashable by construction |
| a dataclass, an `Enum` | struct, enum |
| `T | None`, `Any` | nullable T, any (which includes null) |
| `Annotated[T, ...]` | T with `Hint`, `JavaType` and `Doc`; other annotations are left alone |
| `NewType`, `type` aliases | what they stand for |
| a class decorated with `service`, as a whole parameter | callback; `Withdrawn[T]` takes it back |

A tuple and a frozenset leave the hint `("python", "tuple")` or `("python", "frozenset")` on their type, so that
decoders build what the class declares; everything else of a `TypeRef` is independent of Python.
"""

from __future__ import annotations

import builtins
import collections.abc
import dataclasses
import enum
import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin
from uuid import UUID

from gateway.contracts.annotation import Doc, Hint, Width, Withdrawal
from gateway.contracts.declaration import ServiceNote, note_of
from gateway.model.fault import ServiceError
from gateway.model.typeref import Kind, TypeRef

__all__ = ["ANY", "CallbackHint", "HintReader", "resolve_hint", "where_defined"]

ANY: Final = TypeRef(Kind.ANY, nullable=True)
"""The type of `Any`; stands in for a type that could not be read, until all problems are reported."""

_SCALARS: Final[Mapping[Any, Kind]] = {
    bool: Kind.BOOL,
    int: Kind.I64,
    float: Kind.F64,
    Decimal: Kind.DECIMAL,
    str: Kind.STRING,
    bytes: Kind.BYTES,
    date: Kind.DATE,
    time: Kind.TIME,
    datetime: Kind.DATETIME,
    timedelta: Kind.DURATION,
    UUID: Kind.UUID,
}

_WIDTHS: Final[Mapping[Kind, frozenset[Kind]]] = {
    Kind.I64: frozenset({Kind.I8, Kind.I16, Kind.I32, Kind.I64, Kind.BIGINT}),
    Kind.F64: frozenset({Kind.F32, Kind.F64}),
    Kind.STRING: frozenset({Kind.CHAR}),
    Kind.DATETIME: frozenset({Kind.LOCAL_DATETIME}),
}

_LISTS: Final = frozenset({list, collections.abc.Sequence, collections.abc.MutableSequence})
_SETS: Final = frozenset({set, frozenset, collections.abc.Set, collections.abc.MutableSet})
_MAPS: Final = frozenset({dict, collections.abc.Mapping, collections.abc.MutableMapping})
_STREAMS: Final = frozenset(
    {
        collections.abc.AsyncGenerator,
        collections.abc.AsyncIterable,
        collections.abc.AsyncIterator,
        collections.abc.Generator,
        collections.abc.Iterable,
        collections.abc.Iterator,
    }
)

_INSTEAD: Final[Mapping[Any, str]] = {
    bytearray: "use bytes",
    memoryview: "use bytes",
    complex: "use a dataclass of two floats",
    object: "use Any",
    tuple: "use tuple[T, ...] for a list that may be a key, a dataclass for a record",
    list: "say what it holds: list[T]",
    collections.abc.Sequence: "say what it holds: Sequence[T]",
    set: "say what it holds: set[T]",
    frozenset: "say what it holds: frozenset[T]",
    dict: "say what it maps: dict[K, V]",
    collections.abc.Mapping: "say what it maps: Mapping[K, V]",
    collections.OrderedDict: "use dict[K, V]; a map has no order",
    collections.defaultdict: "use dict[K, V]",
    collections.Counter: "use dict[K, int]",
    collections.deque: "use list[T]",
    collections.abc.Callable: "functions do not travel",
    type: "classes do not travel",
}


class _Unreadable(Exception):
    """A hint stands for no contract type; the text says why and what to write instead."""


@dataclass(slots=True)
class _Extra:
    """What `Annotated` said around a type."""

    kind: Kind | None = None
    hints: dict[str, str] = dataclasses.field(default_factory=dict)
    doc: str = ""
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class CallbackHint:
    """A callback parameter: the class that describes what can be called, and what was said around it."""

    cls: type[Any]
    doc: str
    withdrawn: bool


class HintReader:
    """Reads hints into `TypeRef`s.

    `name_of`: the contract name of a dataclass, enum or exception class, which it also remembers for definition.
    `report`: takes a place and what is wrong there; reading goes on.
    """

    def __init__(self, name_of: Callable[[type[Any], str], str], report: Callable[[str, str], None]) -> None:
        self._name_of = name_of
        self._report = report

    def read(self, hint: Any, where: str) -> tuple[TypeRef, str]:
        """The type a resolved hint stands for, and what `Doc` said; `ANY` after a reported problem."""
        extra = _Extra()
        try:
            ref = self._read_plain(self._unwrap(hint, where, extra), where, extra)
            if extra.kind is not None:
                if extra.kind not in _WIDTHS.get(ref.kind, ()):
                    raise _Unreadable(f"{extra.kind.value} is no width of {ref}")
                ref = dataclasses.replace(ref, kind=extra.kind)
        except _Unreadable as exc:
            self._report(where, str(exc))
            return ANY, extra.doc
        if extra.hints:
            ref = dataclasses.replace(ref, hints=tuple(sorted({**dict(ref.hints), **extra.hints}.items())))
        return ref, extra.doc

    def read_callback(self, hint: Any, where: str) -> CallbackHint | None:
        """What a resolved hint of a parameter says where it is a class decorated with `service`; None otherwise."""
        extra = _Extra()
        # What is wrong with other hints is reported by `read`.
        inner = HintReader(self._name_of, lambda _, __: None)._unwrap(hint, where, extra)
        if not _is_service(inner):
            return None
        return CallbackHint(inner, extra.doc, extra.withdrawn)

    def _unwrap(self, hint: Any, where: str, extra: _Extra) -> Any:
        """Takes `Annotated`, `NewType` and `type` aliases off; collects what they say, outermost first."""
        while True:
            if get_origin(hint) is Annotated:
                for each in reversed(hint.__metadata__):
                    self._collect(each, where, extra)
                hint = hint.__origin__
            elif isinstance(hint, typing.NewType):
                hint = hint.__supertype__
            elif sys.version_info >= (3, 12) and isinstance(hint, typing.TypeAliasType):
                hint = hint.__value__
            else:
                return hint

    def _collect(self, each: Any, where: str, extra: _Extra) -> None:
        if isinstance(each, Width):
            if extra.kind is not None and extra.kind is not each.kind:
                self._report(where, f"two widths, {extra.kind.value} and {each.kind.value}")
            extra.kind = each.kind
        elif isinstance(each, Hint):
            if extra.hints.setdefault(each.protocol, each.text) != each.text:
                self._report(where, f"two hints for {each.protocol}, {extra.hints[each.protocol]!r} and {each.text!r}")
        elif isinstance(each, Withdrawal):
            extra.withdrawn = True
        elif isinstance(each, Doc):
            extra.doc = extra.doc or each.text
        elif isinstance(each, type) and issubclass(each, Hint | Doc):
            self._report(where, f"{each.__name__} needs a text: {each.__name__}('…')")

    def _read_plain(self, hint: Any, where: str, extra: _Extra) -> TypeRef:
        if hint is Any:
            return ANY
        if hint is None or hint is types.NoneType:
            raise _Unreadable("None alone is no type of a value; use T | None")
        scalar = _SCALARS.get(hint) if isinstance(hint, type) else None
        if scalar is not None:
            return TypeRef(scalar)
        origin = get_origin(hint)
        if origin is Union or origin is types.UnionType:
            return self._read_union(hint, where, extra)
        if origin is not None and get_args(hint):
            return self._read_generic(hint, origin, get_args(hint), where)
        if isinstance(hint, type) and origin is None:
            return self._read_class(hint, where)
        raise _refusal(hint, origin)

    def _read_union(self, hint: Any, where: str, extra: _Extra) -> TypeRef:
        members = [each for each in get_args(hint) if each is not types.NoneType]
        if len(members) > 1:
            shown = " | ".join(map(_shown, members))
            raise _Unreadable(f"a union ({shown}) is no type of a contract; use a dataclass or Any")
        ref, doc = self.read(members[0], where)
        extra.doc = extra.doc or doc
        return ref.optional()

    def _read_generic(self, hint: Any, origin: Any, args: tuple[Any, ...], where: str) -> TypeRef:
        if origin in _LISTS:
            return TypeRef(Kind.LIST, (self._element(args[0], f"{where}[]"),))
        if origin is tuple:
            if len(args) != 2 or args[1] is not Ellipsis:
                raise _Unreadable(f"{_shown(hint)} has a fixed length; use tuple[T, ...] or a dataclass")
            return TypeRef(Kind.LIST, (self._element(args[0], f"{where}[]"),), hints=(("python", "tuple"),))
        if origin in _SETS:
            hints = (("python", "frozenset"),) if origin is frozenset else ()
            return TypeRef(Kind.SET, (self._element(args[0], f"{where}[]"),), hints=hints)
        if origin in _MAPS:
            return TypeRef(
                Kind.MAP, (self._element(args[0], f"{where} keys"), self._element(args[1], f"{where} values"))
            )
        raise _refusal(hint, origin)

    def _element(self, hint: Any, where: str) -> TypeRef:
        return self.read(hint, where)[0]

    def _read_class(self, cls: type[Any], where: str) -> TypeRef:
        if cls in _INSTEAD:
            raise _Unreadable(f"{cls.__name__} is no type of a contract; {_INSTEAD[cls]}")
        if _is_service(cls):
            raise _Unreadable(f"{cls.__name__} is a service, so this is a callback; only a whole parameter can be one")
        if issubclass(cls, enum.Flag):
            raise _Unreadable(f"{cls.__name__} is a Flag, whose values have no name; use a set of an Enum")
        if issubclass(cls, enum.Enum):
            return TypeRef(Kind.ENUM, name=self._name_of(cls, where))
        if issubclass(cls, BaseException):
            advice = "name it in throws=" if issubclass(cls, ServiceError) else "derive it from ServiceError, name it"
            raise _Unreadable(f"{cls.__name__} is an exception, not a value; {advice}")
        if getattr(cls, "__parameters__", ()):
            raise _user_generic(cls)
        if dataclasses.is_dataclass(cls):
            return TypeRef(Kind.STRUCT, name=self._name_of(cls, where))
        for base in cls.__mro__[1:-1]:
            if base in _SCALARS and not hasattr(cls, "_fields"):
                raise _Unreadable(f"{cls.__name__} is a subclass of {base.__name__}; use {base.__name__}")
        if typing.is_typeddict(cls) or hasattr(cls, "_fields"):
            raise _Unreadable(f"{cls.__name__} is no dataclass; make it one (frozen, where it is a key)")
        raise _Unreadable(f"{cls.__name__} is no type of a contract; make it a dataclass")


def _is_service(cls: Any) -> bool:
    return isinstance(cls, type) and any(isinstance(note_of(each), ServiceNote) for each in cls.__mro__)


def where_defined(cls: type[Any], name: str) -> type[Any]:
    """The class of the MRO whose body annotates `name`; its module is where the hint must be looked up."""
    for each in cls.__mro__:
        if name in inspect.get_annotations(each):
            return each
    return cls


def resolve_hint(hint: Any, owner: type[Any], module_globals: Mapping[str, Any]) -> Any:
    """A hint as an object, also when it was written as text.

    `owner`: the class in whose body it stands; classes nested in it are found, and itself, but module names win:
    a field `date: date | None = None` means the type.

    Raises:
        NameError: a name in it is not defined in the module.
        Exception: whatever evaluating it raises (`TypeError`, `SyntaxError`, `AttributeError`).
    """
    nested = {
        name: each for name, each in vars(owner).items() if isinstance(each, type) and not hasattr(builtins, name)
    }

    def holder() -> None: ...

    holder.__annotations__ = {"hint": hint}
    names = {owner.__name__: owner, **nested, **module_globals}
    return typing.get_type_hints(holder, globalns=names, include_extras=True)["hint"]


def _refusal(hint: Any, origin: Any) -> _Unreadable:
    if isinstance(hint, TypeVar) or isinstance(origin, TypeVar):
        return _Unreadable(f"{hint} is a type variable; name the type itself")
    if origin is typing.Literal:
        return _Unreadable(f"{_shown(hint)} is no type of a contract; use an Enum")
    if origin in _STREAMS:
        return _Unreadable(f"{_shown(hint)}: there are no streams; use list[T]")
    if isinstance(origin, type) and (dataclasses.is_dataclass(origin) or hasattr(origin, "__orig_bases__")):
        return _user_generic(origin)
    advice = _INSTEAD.get(origin)
    return _Unreadable(f"{_shown(hint)} is no type of a contract{f'; {advice}' if advice else ''}")


def _user_generic(cls: type[Any]) -> _Unreadable:
    return _Unreadable(f"{cls.__name__} is generic; define one dataclass for each type it is used with")


def _shown(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("typing.", "")
