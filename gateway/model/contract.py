"""What a service offers: methods, parameters and the closed set of types they use.

Contracts are built by `gateway.contracts` (from Python type hints) or by a wire's IDL import, checked
there, and never change afterwards. Everything here is immutable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from gateway.model.typeref import Kind, TypeRef

__all__ = [
    "MISSING",
    "EnumType",
    "Field",
    "MethodContract",
    "NamedType",
    "Param",
    "ServiceContract",
    "StructType",
]


class _Missing:
    """The type of `MISSING`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""Says that a parameter or field has no default (None is a default like any other)."""

_NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})


def _no_names() -> Mapping[str, str]:
    # Until Python 3.12 a mappingproxy has no hash, and a dataclass takes no such default.
    return _NO_NAMES


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a struct or exception.

    `attribute`: name of the Python attribute; `name`: the contract's name (they differ only where declared).
    `default` / `default_factory`: what an absent field becomes; without one, absent means null where the type
    is nullable and is refused otherwise.
    `names`: names per protocol, where the protocol's own rule is not wanted (`{"java": "createdAt"}`).
    """

    name: str
    type: TypeRef
    attribute: str
    default: Any = MISSING
    default_factory: Callable[[], Any] | None = None
    names: Mapping[str, str] = field(default_factory=_no_names)
    doc: str = ""
    deprecated: bool = False

    @property
    def optional(self) -> bool:
        """Whether a peer may leave the field out."""
        return self.type.nullable or self.default is not MISSING or self.default_factory is not None

    def absent(self) -> Any:
        """The value of a field that the peer left out; `MISSING` when it may not."""
        if self.default_factory is not None:
            return self.default_factory()
        if self.default is not MISSING:
            return self.default
        return None if self.type.nullable else MISSING


@dataclass(frozen=True, slots=True)
class StructType:
    """A record, or an exception (`is_exception`), with its Python class.

    `python_class`: created with `__new__` and filled attribute by attribute by decoders; frozen classes are fine.
    An exception's text is not a field: it is `str(exc)` on this side and the wire's message field on the other.
    """

    name: str
    python_class: type[Any]
    fields: tuple[Field, ...]
    is_exception: bool = False
    names: Mapping[str, str] = field(default_factory=_no_names)
    doc: str = ""


@dataclass(frozen=True, slots=True)
class EnumType:
    """A closed list of constants. Constants travel by name (`member.name`), never by value."""

    name: str
    python_class: type[Any]
    constants: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=_no_names)
    doc: str = ""


NamedType = StructType | EnumType


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter. A caller may omit it when it has a default; every parameter can be given by name.

    `withdrawn`: of a callback: the call takes it back.
    """

    name: str
    type: TypeRef
    default: Any = MISSING
    doc: str = ""
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class MethodContract:
    """One method. Overloads are several `MethodContract`s with one `name` and different `attribute`s.

    `attribute`: the Python method that implements it (`find_by_name` may implement an overload of `find`).
    `idempotent`: repeating it does no harm; not assumed unless declared.
    `deprecated`: the reason, or None.
    `routes`: per protocol that has addresses of its own for methods, the method's (`{"http": "GET /products/{id}"}`).
    """

    name: str
    params: tuple[Param, ...]
    returns: TypeRef
    attribute: str
    throws: tuple[TypeRef, ...] = ()
    oneway: bool = False
    idempotent: bool = False
    deprecated: str | None = None
    doc: str = ""
    names: Mapping[str, str] = field(default_factory=_no_names)
    routes: Mapping[str, str] = field(default_factory=_no_names)
    callbacks: tuple[int, ...] = field(init=False, repr=False, compare=False)
    """Positions of the parameters that are callbacks; looked at in each call."""

    def __post_init__(self) -> None:
        positions = (at for at, param in enumerate(self.params) if param.type.kind is Kind.CALLBACK)
        object.__setattr__(self, "callbacks", tuple(positions))

    @property
    def signature(self) -> str:
        """Text form for messages: `find(i64) -> demo.Product?`."""
        return f"{self.name}({', '.join(str(p.type) for p in self.params)}) -> {self.returns}"


@dataclass(frozen=True, slots=True)
class ServiceContract:
    """A service: its methods and every named type reachable from them.

    `name`: the interface name callers use (`demo.Catalog`). `names`: per protocol, where it differs.
    `methods`: in declaration order. `types`: by contract name; this is the closed type set of every door.
    `callbacks`: the contracts of callback parameters, by contract name; they have no callbacks themselves.
    """

    name: str
    methods: tuple[MethodContract, ...]
    types: Mapping[str, NamedType] = field(default_factory=lambda: MappingProxyType({}))
    names: Mapping[str, str] = field(default_factory=_no_names)
    doc: str = ""
    callbacks: Mapping[str, ServiceContract] = field(default_factory=lambda: MappingProxyType({}))

    def overloads(self, name: str) -> tuple[MethodContract, ...]:
        """All methods called `name`, in declaration order; empty when there is none."""
        return tuple(m for m in self.methods if m.name == name)

    def struct(self, ref: TypeRef) -> StructType:
        """The definition behind a struct or exception reference."""
        found = self.types[ref.name]
        assert isinstance(found, StructType)
        return found

    def enum(self, ref: TypeRef) -> EnumType:
        """The definition behind an enum reference."""
        found = self.types[ref.name]
        assert isinstance(found, EnumType)
        return found
