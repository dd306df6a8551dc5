"""The decorators that say what type hints cannot: names, promises, what a method throws.

They only leave a note on what they decorate. Nothing is checked before `contract_of` reads the class, because the
types it uses may be defined further down in the module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypeVar

from gateway.model.fault import ServiceError

__all__ = ["MethodNote", "ServiceNote", "TypeNote", "enum", "method", "note_of", "service", "struct"]

_C = TypeVar("_C", bound=type[Any])
_F = TypeVar("_F", bound=Callable[..., Any])

# `isinstance` with a runtime-checkable Protocol asks for every attribute of the class but those called `_abc_…`
# (python/cpython: Lib/typing.py, _get_protocol_attrs); the note must not become part of anybody's interface.
_NOTE: Final = "_abc_polyport_note"
_NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ServiceNote:
    """What `service` was told."""

    name: str
    names: Mapping[str, str]
    doc: str | None
    types: tuple[type[Any], ...]


@dataclass(frozen=True, slots=True)
class MethodNote:
    """What `method` was told; `name` is empty where the Python name is meant."""

    name: str = ""
    idempotent: bool = False
    oneway: bool = False
    throws: tuple[Any, ...] = ()
    deprecated: Any = None
    names: Mapping[str, str] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TypeNote:
    """What `struct` or `enum` was told; `name` is empty where the usual one is meant."""

    name: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    doc: str | None = None


def service(
    name: str,
    *,
    names: Mapping[str, str] = _NO_NAMES,
    doc: str | None = None,
    types: Sequence[type[Any]] = (),
) -> Callable[[_C], _C]:
    """Makes a class the contract of a service: its public methods are the service's methods.

    The class may be plain, abstract or a `typing.Protocol`; method bodies do not matter, methods may be `def` or
    `async def`. An implementation need not inherit from it.

    Args:
        name: The interface name callers use, with a package: `demo.Catalog`.
        names: Interface name per protocol, where it differs: `{"java": "com.acme.Catalog"}`.
        doc: Documentation; the class's docstring otherwise.
        types: Dataclasses, enums and exceptions that `Any` values may hold although no method names them.
    """
    return _noting(ServiceNote(name, names, doc, tuple(types)))


def method(
    *,
    name: str = "",
    idempotent: bool = False,
    oneway: bool = False,
    throws: Sequence[type[ServiceError]] = (),
    deprecated: str | None = None,
    names: Mapping[str, str] = _NO_NAMES,
    routes: Mapping[str, str] = _NO_NAMES,
) -> Callable[[_F], _F]:
    """Says about a method what its signature cannot.

    Args:
        name: Contract name, where several Python methods are overloads of one (`find`).
        idempotent: Repeating the call does no harm, so that it may be sent again after a lost connection.
        oneway: The caller does not wait; the method returns None.
        throws: The `ServiceError` classes the method may raise; others reach the caller as `RemoteError`.
        deprecated: The reason, for callers.
        names: Method name per protocol, where the protocol's own rule is not wanted.
        routes: Address of the method on protocols where methods have one: `{"http": "GET /products/{id}"}`.
    """
    return _noting(MethodNote(name, idempotent, oneway, tuple(throws), deprecated, names, routes))


def struct(*, name: str = "", names: Mapping[str, str] = _NO_NAMES, doc: str | None = None) -> Callable[[_C], _C]:
    """Names a dataclass or a `ServiceError`; without it the name is `<package of the service>.<class name>`.

    `names`: per protocol, where it differs: `{"java": "com.acme.Product"}`. Fields take `metadata=` with the keys
    `name`, `names`, `doc` and `deprecated`.
    """
    return _noting(TypeNote(name, names, doc))


def enum(*, name: str = "", names: Mapping[str, str] = _NO_NAMES, doc: str | None = None) -> Callable[[_C], _C]:
    """Names an `Enum`; without it the name is `<package of the service>.<class name>`."""
    return _noting(TypeNote(name, names, doc))


def note_of(decorated: object) -> ServiceNote | MethodNote | TypeNote | None:
    """What a decorator of this module left on exactly this class or function; base classes do not count."""
    note = vars(decorated).get(_NOTE)
    return note if isinstance(note, ServiceNote | MethodNote | TypeNote) else None


def _noting(note: ServiceNote | MethodNote | TypeNote) -> Callable[[Any], Any]:
    def leave(decorated: Any) -> Any:
        setattr(decorated, _NOTE, note)
        return decorated

    return leave
