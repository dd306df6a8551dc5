"""Contracts as Hypothesis makes them up: outlines with any types, names, defaults and notes that a class can have."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from gateway.model.contract import MISSING, EnumType, Field, MethodContract, Param, ServiceContract, StructType
from gateway.model.fault import ServiceError
from gateway.model.outline import StructValue, Unmade, enum_outline
from gateway.model.scalar import INTEGER_RANGES
from gateway.model.typeref import Kind, TypeRef

__all__ = ["contracts"]

# Names that also mean something in Python, in the module that is written, or in its class bodies.
_TRICKY = ("list", "str", "date", "datetime", "field", "method", "struct", "enum", "Enum", "Decimal", "Any", "float",
           "class_", "self_", "value", "type", "name", "gateway", "dataclass", "Protocol", "lambda_", "é")  # fmt: skip
_RESERVED = frozenset(dir(ServiceError))
_LETTERS = "abcdefgh"

_SCALARS: Mapping[Kind, st.SearchStrategy[Any]] = {
    Kind.BOOL: st.booleans(),
    **{kind: st.integers(low, high) for kind, (low, high) in INTEGER_RANGES.items()},
    Kind.F32: st.floats(width=32, allow_nan=False),
    Kind.F64: st.floats(allow_nan=False),
    Kind.BIGINT: st.integers(-(10**30), 10**30),
    Kind.DECIMAL: st.decimals(allow_nan=False, allow_infinity=False, places=4),
    Kind.CHAR: st.characters(max_codepoint=0xFFFF, exclude_categories=("Cs",)),
    Kind.STRING: st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
    Kind.BYTES: st.binary(max_size=4),
    Kind.DATE: st.dates(date(1, 1, 2), date(9999, 12, 30)),
    Kind.TIME: st.times(time.min, time.max),
    Kind.DATETIME: st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
    Kind.LOCAL_DATETIME: st.datetimes(),
    Kind.DURATION: st.timedeltas(timedelta(days=-1000), timedelta(days=1000)),
    Kind.UUID: st.uuids(allow_nil=True).map(lambda each: UUID(int=each.int)),
}


def _identifiers() -> st.SearchStrategy[str]:
    plain = st.text(_LETTERS, min_size=1, max_size=4).filter(lambda each: not keyword.iskeyword(each))
    return plain | st.sampled_from(_TRICKY)


def _docs() -> st.SearchStrategy[str]:
    words = st.text(_LETTERS + " .'\"\\ü", max_size=20).map(lambda each: " ".join(each.split()))
    return words.filter(lambda each: not each.endswith(":"))


def _names() -> st.SearchStrategy[Mapping[str, str]]:
    return st.dictionaries(st.sampled_from(("java", "json")), _identifiers(), max_size=1).map(MappingProxyType)


@st.composite
def contracts(draw: st.DrawFn, kinds: frozenset[Kind] = frozenset(Kind), *, with_any: bool = True) -> ServiceContract:
    """An outline (`gateway.model.outline`) of a service. `kinds`: which types may appear."""
    package = draw(st.sampled_from(("", "demo.", "com.acme.shop.")))
    named = draw(st.lists(_identifiers(), min_size=2, max_size=6, unique=True))
    service, *type_names = (f"{package}{each}" for each in named)
    made = _Types(draw, kinds, with_any=with_any)
    for name in type_names:
        made.add(name)
    methods = made.methods()
    return ServiceContract(service, methods, MappingProxyType(made.types), draw(_names()), draw(_docs()))


class _Types:
    def __init__(self, draw: st.DrawFn, kinds: frozenset[Kind], *, with_any: bool) -> None:
        self._draw = draw
        self._scalars = [each for each in _SCALARS if each in kinds]
        self._with_any = with_any and Kind.ANY in kinds
        self._kinds = kinds
        self.types: dict[str, EnumType | StructType] = {}
        self._hashable: set[str] = set()

    def add(self, name: str) -> None:
        draw = self._draw
        which = draw(st.sampled_from(("enum", "struct", "key", "exception")))
        names, doc = draw(_names()), draw(_docs())
        if which == "enum":
            constants = draw(st.lists(_identifiers(), min_size=1, max_size=4, unique=True))
            numbers = draw(st.booleans())
            values = {each: at if numbers else each.lower() + str(at) for at, each in enumerate(constants)}
            self.types[name] = enum_outline(name, {k: v for k, v in values.items() if k != "mro"}, names, doc)
            self._hashable.add(name)
            return
        attributes = draw(st.lists(_identifiers(), max_size=5, unique=True))
        if which == "exception":
            attributes = [each for each in attributes if each not in _RESERVED]
        fields = tuple(self._field(each, hashable=which == "key") for each in attributes)
        self.types[name] = StructType(name, Unmade, fields, which == "exception", names, doc)
        if which == "key":
            self._hashable.add(name)

    def methods(self) -> tuple[MethodContract, ...]:
        attributes = self._draw(st.lists(_identifiers(), min_size=1, max_size=4, unique=True))
        return tuple(self._method(each) for each in attributes)

    def _method(self, attribute: str) -> MethodContract:
        draw = self._draw
        names = draw(st.lists(_identifiers().filter(lambda each: each != "self"), max_size=4, unique=True))
        params = tuple(self._param(each) for each in names)
        oneway = draw(st.booleans())
        exceptions = [
            each for each, named in self.types.items() if isinstance(named, StructType) and named.is_exception
        ]
        throws = draw(st.lists(st.sampled_from(exceptions), max_size=2, unique=True)) if exceptions else []
        returns = TypeRef(Kind.NULL) if oneway or draw(st.booleans()) else self._ref(2, hashable=False)
        return MethodContract(
            attribute,
            _defaults_last(params),
            returns,
            attribute,
            throws=() if oneway else tuple(TypeRef(Kind.EXCEPTION, name=each) for each in throws),
            oneway=oneway,
            idempotent=draw(st.booleans()),
            deprecated=draw(st.none() | st.just("use another")),
            doc=draw(_docs()),
            names=draw(_names()),
        )

    def _param(self, name: str) -> Param:
        ref = self._ref(2, hashable=False)
        return Param(name, ref, self._default(ref), self._draw(_docs()))

    def _field(self, attribute: str, *, hashable: bool) -> Field:
        ref = self._ref(2, hashable=hashable)
        draw = self._draw
        return Field(
            attribute, ref, attribute, self._default(ref), names=draw(_names()), doc=draw(_docs()),
            deprecated=draw(st.booleans()),
        )  # fmt: skip

    def _ref(self, depth: int, *, hashable: bool) -> TypeRef:
        draw = self._draw
        choices = ["scalar", "named"]
        if depth:
            choices += ["list", "set"] if hashable else ["list", "set", "map", "any"]
        which = draw(st.sampled_from(choices))
        nullable = draw(st.booleans())
        if which == "any" and self._with_any:
            return TypeRef(Kind.ANY, nullable=True)
        if which == "list" and Kind.LIST in self._kinds:
            hints = (("python", "tuple"),) if hashable or draw(st.booleans()) else ()
            return TypeRef(Kind.LIST, (self._ref(depth - 1, hashable=hashable),), nullable=nullable, hints=hints)
        if which == "set" and Kind.SET in self._kinds:
            hints = (("python", "frozenset"),) if hashable or draw(st.booleans()) else ()
            return TypeRef(Kind.SET, (self._ref(depth - 1, hashable=True),), nullable=nullable, hints=hints)
        if which == "map" and Kind.MAP in self._kinds:
            key, item = self._ref(depth - 1, hashable=True), self._ref(depth - 1, hashable=False)
            return TypeRef(Kind.MAP, (key, item), nullable=nullable)
        known = [
            each
            for each, named in self.types.items()
            if not (isinstance(named, StructType) and named.is_exception) and (not hashable or each in self._hashable)
        ]
        if which == "named" and known:
            name = draw(st.sampled_from(known))
            kind = Kind.ENUM if isinstance(self.types[name], EnumType) else Kind.STRUCT
            return TypeRef(kind, name=name, nullable=nullable)
        kind = draw(st.sampled_from(self._scalars))
        hints = draw(st.just(()) | st.just((("java", "demo.Own"),)))
        return TypeRef(kind, nullable=nullable, hints=hints)

    def _default(self, ref: TypeRef) -> Any:
        if not self._draw(st.booleans()):
            return MISSING
        return self._value(ref)

    def _value(self, ref: TypeRef) -> Any:
        draw = self._draw
        if ref.nullable and draw(st.booleans()):
            return None
        match ref.kind:
            case Kind.ANY:
                return None
            case Kind.LIST:
                return tuple(self._value(ref.args[0]) for _ in range(draw(st.integers(0, 2))))
            case Kind.SET:
                return frozenset(self._value(ref.args[0]) for _ in range(draw(st.integers(0, 2))))
            case Kind.MAP:
                return {self._value(ref.args[0]): self._value(ref.args[1]) for _ in range(draw(st.integers(0, 2)))}
            case Kind.ENUM:
                enum = self.types[ref.name]
                assert isinstance(enum, EnumType)
                return enum.python_class[draw(st.sampled_from(enum.constants))]
            case Kind.STRUCT:
                struct = self.types[ref.name]
                assert isinstance(struct, StructType)
                return StructValue(ref.name, tuple((each.name, self._value(each.type)) for each in struct.fields))
        return draw(_SCALARS[ref.kind])


def _defaults_last(params: tuple[Param, ...]) -> tuple[Param, ...]:
    return tuple(sorted(params, key=lambda each: each.default is not MISSING))
