"""Contract values made into generic values: what the answer to a `$invoke` carries, or the arguments of one sent out.

A struct becomes a map of its properties with its Java class under the key `class`, an enum the name of its constant, a
set a `java.util.HashSet`, and an array of anything but numbers, text, booleans and dates an `Object[]`. An object that
occurs twice occurs twice there as well, cycles included.

Source: apache/dubbo: dubbo-common/src/main/java/org/apache/dubbo/common/utils/PojoUtils.java, generalize. Unlike there
an Instant, Duration or UUID stays what it is: a map of its getters would say less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from gateway.model.contract import NamedType, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.generic import Pairs, Record, TypedList, TypedMap
from gateway.model.typeref import Kind, TypeRef
from protocols.dubbo.generic_scalar import CLASS, from_scalar, is_scalar, mismatch
from protocols.java import class_name, element, property_name, type_name
from protocols.reader import DEFAULT_LIMITS

__all__ = ["generalize"]

_HASH_SET: Final = "java.util.HashSet"
_MESSAGE: Final = "message"

# Arrays of these stay what they are, by Java class; the value is what Hessian calls them in the type of an array.
_KEPT_ELEMENTS: Final[Mapping[str, str]] = {
    **{name: name for name in ("boolean", "byte", "short", "int", "long", "float", "double")},
    **{f"java.lang.{name}": f"java.lang.{name}" for name in ("Boolean", "Byte", "Short", "Integer", "Long")},
    **{f"java.lang.{name}": f"java.lang.{name}" for name in ("Float", "Double", "Character")},
    **{f"java.math.{name}": f"java.math.{name}" for name in ("BigInteger", "BigDecimal")},
    "java.lang.String": "string",
    "java.util.Date": "date",
}
_KEPT_TYPES: Final = frozenset(_KEPT_ELEMENTS.values())
_OBJECTS: Final = "[object"
_STRINGS: Final = "[string"

_SELF_DESCRIBING: Final = (bool, int, float, str, bytes, Decimal, UUID, timedelta)
_DATE: Final = TypeRef(Kind.DATE)
_TIME: Final = TypeRef(Kind.TIME)
_LOCAL_DATETIME: Final = TypeRef(Kind.LOCAL_DATETIME)


def generalize(
    value: Any, ref: TypeRef, contract: ServiceContract, *, max_depth: int = DEFAULT_LIMITS.max_depth
) -> Any:
    """The generic value for a contract value.

    Raises:
        ValueMappingError: it is no value of the type, or is nested deeper than `max_depth`; says where.
    """
    return _Generalizer(contract, max_depth).generalize(value, ref)


class _Generalizer:
    """One value's way through its type; remembers what became of every container it met."""

    def __init__(self, contract: ServiceContract, max_depth: int) -> None:
        self._contract = contract
        self._depth = max_depth
        self._made: dict[tuple[int, Any], Any] = {}
        self._by_class: dict[type[Any], NamedType] | None = None

    def generalize(self, value: Any, ref: TypeRef) -> Any:
        """See `generalize`."""
        kind = ref.kind
        if value is None:
            if ref.nullable or kind in (Kind.ANY, Kind.NULL):
                return None
            raise mismatch(ref, value)
        if is_scalar(ref):
            return from_scalar(value, ref)
        if kind is Kind.ENUM:
            if type(value) is not self._contract.enum(ref).python_class:
                raise mismatch(ref, value)
            return value.name
        if kind is Kind.NULL:
            raise mismatch(ref, value)
        # A list declared as List<Integer> here and as long[] there becomes two.
        key = (id(value), ref.name or ref.required())
        if key in self._made:
            return self._made[key]
        self._depth -= 1
        if self._depth < 0:
            raise ValueMappingError("nested too deep")
        made = _CONTAINERS[kind](self, value, ref, key)
        self._depth += 1
        return made

    def _list(self, value: Any, ref: TypeRef, key: tuple[int, Any]) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise mismatch(ref, value)
        java_type = type_name(ref, self._contract)
        items = self._made[key] = TypedList(self._array_type(ref, java_type)) if java_type.endswith("[]") else []
        self._fill(items, value, element(ref))
        return items

    def _array_type(self, ref: TypeRef, java_type: str) -> str:
        component = java_type.replace("[]", "")
        kept = _KEPT_ELEMENTS.get(component)
        if kept is not None:
            return "[" * java_type.count("[]") + kept
        return _STRINGS if ref.args[0].kind is Kind.ENUM else _OBJECTS

    def _set(self, value: Any, ref: TypeRef, key: tuple[int, Any]) -> list[Any]:
        if not isinstance(value, Set):
            raise mismatch(ref, value)
        items = self._made[key] = TypedList(_HASH_SET)
        self._fill(items, value, ref.args[0])
        return items

    def _map(self, value: Any, ref: TypeRef, key: tuple[int, Any]) -> Any:
        if not isinstance(value, Mapping):
            raise mismatch(ref, value)
        java_type = type_name(ref, self._contract)
        type_of_map = "" if java_type in ("java.util.Map", "java.util.HashMap") else java_type
        return self._entries(value.items(), ref.args[0], ref.args[1], type_of_map, key)

    def _struct(self, value: Any, ref: TypeRef, key: tuple[int, Any]) -> dict[str, Any]:
        struct = self._contract.struct(ref)
        if type(value) is not struct.python_class:
            raise mismatch(ref, value)
        return self._properties(value, struct, key)

    def _properties(self, value: Any, struct: StructType, key: tuple[int, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {CLASS: class_name(struct)}
        self._made[key] = made
        if struct.is_exception:
            made[_MESSAGE] = str(value) if value.args else None
        for field in struct.fields:
            try:
                made[property_name(field)] = self.generalize(getattr(value, field.attribute), field.type)
            except ValueMappingError as exc:
                raise exc.within(field.name) from None
            except AttributeError:
                raise ValueMappingError(f"expected {field.type}, found nothing", field.name) from None
        return made

    def _any(self, value: Any, ref: TypeRef, key: tuple[int, Any]) -> Any:
        named = self._named(type(value))
        if isinstance(named, StructType):
            return self._properties(value, named, key)
        if isinstance(value, Enum):
            return value.name
        if isinstance(value, Record):
            return self._record(value, ref, key)
        if isinstance(value, Pairs):
            return self._entries(value, ref, ref, value.type_name, key)
        if isinstance(value, dict):
            type_of_map = value.type_name if isinstance(value, TypedMap) else ""
            return self._entries(value.items(), ref, ref, type_of_map, key)
        if isinstance(value, list | tuple | Set):
            items = self._made[key] = _like(value)
            self._fill(items, value, ref)
            return items
        return _plain(value)

    def _record(self, value: Record, ref: TypeRef, key: tuple[int, Any]) -> dict[str, Any]:
        # What has a class but no contract is a bean to Java.
        made: dict[str, Any] = {CLASS: value.type_name}
        self._made[key] = made
        for name, each in value.items():
            made[name] = self._at(name, each, ref)
        return made

    def _fill(self, items: list[Any], values: Iterable[Any], ref: TypeRef) -> None:
        for at, each in enumerate(values):
            items.append(self._at(f"[{at}]", each, ref))

    def _entries(
        self,
        entries: Iterable[tuple[Any, Any]],
        key_type: TypeRef,
        value_type: TypeRef,
        type_of_map: str,
        key: tuple[int, Any],
    ) -> Any:
        """A map; pairs where Python cannot hash a generic key, or takes two for one that Java holds apart."""
        keys = [self._at(f"[key {at}]", each, key_type) for at, (each, _) in enumerate(entries)]
        values = [each for _, each in entries]
        if not _distinct(keys):
            pairs = self._made[key] = Pairs((), type_of_map)
            for at, each in enumerate(values):
                pairs.append((keys[at], self._at(f"[value {at}]", each, value_type)))
            return pairs
        made: dict[Any, Any] = TypedMap(type_of_map) if type_of_map else {}
        self._made[key] = made
        for at, each in enumerate(values):
            made[keys[at]] = self._at(f"[value {at}]", each, value_type)
        return made

    def _named(self, python_class: type[Any]) -> NamedType | None:
        if self._by_class is None:
            self._by_class = {each.python_class: each for each in self._contract.types.values()}
        return self._by_class.get(python_class)

    def _at(self, where: str, value: Any, ref: TypeRef) -> Any:
        try:
            return self.generalize(value, ref)
        except ValueMappingError as exc:
            raise exc.within(where) from None


_CONTAINERS: Final[Mapping[Kind, Callable[[_Generalizer, Any, TypeRef, tuple[int, Any]], Any]]] = {
    Kind.LIST: _Generalizer._list,
    Kind.SET: _Generalizer._set,
    Kind.MAP: _Generalizer._map,
    Kind.STRUCT: _Generalizer._struct,
    Kind.EXCEPTION: _Generalizer._struct,
    Kind.ANY: _Generalizer._any,
}


def _distinct(keys: list[Any]) -> bool:
    try:
        return len(set(keys)) == len(keys)
    except TypeError:
        return False


def _like(value: Any) -> list[Any]:
    """An empty collection of the kind that Java makes of a collection."""
    if isinstance(value, Set):
        return TypedList(_HASH_SET)
    if not isinstance(value, TypedList):
        return []
    name = value.type_name
    if name.startswith("["):
        return TypedList(name if name.lstrip("[") in _KEPT_TYPES else _OBJECTS)
    return TypedList(_HASH_SET) if name.endswith("Set") else []


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return from_scalar(value, _LOCAL_DATETIME) if value.tzinfo is None else value
    if isinstance(value, date | time):
        return from_scalar(value, _TIME if isinstance(value, time) else _DATE)
    if isinstance(value, _SELF_DESCRIBING):
        return value
    raise ValueMappingError(f"{type(value).__name__} has no generic form")
