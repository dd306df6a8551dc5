"""Generic values made into contract values: what arrived in a `$invoke` call, or in the answer to one.

A struct arrives as a map of its properties, with or without the key `class`, or as an object of its class. Classes
only ever select a type of the contract; another class where a struct is declared is refused, naming both. Unknown keys
are ignored, as Java does. An object that is referred to twice is one object here too, cycles included.

Source: apache/dubbo: dubbo-common/src/main/java/org/apache/dubbo/common/utils/PojoUtils.java, realize.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from gateway.model.contract import MISSING, EnumType, Field, NamedType, ServiceContract
from gateway.model.errors import ValueMappingError
from gateway.model.generic import Pairs, Record, TypedList, TypedMap
from gateway.model.instance import new_exception, new_struct
from gateway.model.key_hash import KeyHashes
from gateway.model.typeref import Kind, TypeRef
from protocols.dubbo.generic_scalar import CLASS, is_scalar, mismatch, to_scalar
from protocols.hessian.errors import shorten
from protocols.java import class_name, field_name, property_name
from protocols.reader import DEFAULT_LIMITS

__all__ = ["realize"]

_EMPTY_TEXT_IS_NULL: Final = frozenset({Kind.DATE, Kind.TIME, Kind.LOCAL_DATETIME})
_MESSAGE_KEYS: Final = ("message", "detailMessage")


def realize(value: Any, ref: TypeRef, contract: ServiceContract, *, max_depth: int = DEFAULT_LIMITS.max_depth) -> Any:
    """The contract value for a generic one.

    Raises:
        ValueMappingError: it does not fit the type, or is nested deeper than `max_depth`; says where.
    """
    return _Realizer(contract, max_depth).realize(value, ref)


class _Realizer:
    """One value's way through its type; remembers what became of every container it met."""

    def __init__(self, contract: ServiceContract, max_depth: int) -> None:
        self._contract = contract
        self._depth = max_depth
        self._made: dict[tuple[int, Any], Any] = {}
        self._by_class: dict[str, NamedType] | None = None

    def realize(self, value: Any, ref: TypeRef) -> Any:
        """See `realize`."""
        kind = ref.kind
        if value is None or (value == "" and kind in _EMPTY_TEXT_IS_NULL):
            if ref.nullable or kind in (Kind.ANY, Kind.NULL):
                return None
            raise mismatch(ref, value)
        if is_scalar(ref):
            return to_scalar(value, ref)
        if kind is Kind.ENUM:
            return self._enum(value, self._contract.enum(ref))
        if kind is Kind.NULL:
            raise mismatch(ref, value)
        # The same object under another type is another value: a map may be a struct here and a map there.
        key = (id(value), ref.name or ref.required())
        if key in self._made:
            return self._made[key]
        self._depth -= 1
        if self._depth < 0:
            raise ValueMappingError("nested too deep")
        made = _CONTAINERS[kind](self, value, ref, key)
        self._depth += 1
        return made

    def _list(self, value: Any, ref: TypeRef, key: tuple[int, Any]) -> Any:
        """A list from a list or array, or from a byte[] where the elements are bytes."""
        items: list[Any] = []
        if ref.hint("python") != "tuple":
            self._made[key] = items
        for item in self._elements(self._sequence(value, ref), ref.args[0]):
            items.append(item)  # noqa: PERF402 - an element may refer to the list that is being filled
        if ref.hint("python") != "tuple":
            return items
        made = self._made[key] = tuple(items)
        return made

    def _set(self, value: Any, ref: TypeRef, key: tuple[int, Any]) -> Any:
        """A set from any collection."""
        items: set[Any] = set()
        if ref.hint("python") != "frozenset":
            self._made[key] = items
        hashes = KeyHashes()
        for item in self._elements(self._sequence(value, ref), ref.args[0]):
            _hashed(hashes, items.add, item)
        if ref.hint("python") != "frozenset":
            return items
        made = self._made[key] = frozenset(items)
        return made

    def _map(self, value: Any, ref: TypeRef, key: tuple[int, Any]) -> dict[Any, Any]:
        """A map from any map; what looks like a class name is an entry like others here."""
        entries: dict[Any, Any] = {}
        self._made[key] = entries
        hashes = KeyHashes()
        for at, (each_key, each_value) in enumerate(_entries(value, ref)):
            with_key = self._at(f"[key {at}]", each_key, ref.args[0])
            with_value = self._at(f"[value {at}]", each_value, ref.args[1])
            size = len(entries)
            _hashed(hashes, entries.__setitem__, with_key, with_value)
            if len(entries) == size:
                raise ValueMappingError("expected distinct keys, found two that are equal", f"[key {at}]")
        return entries

    def _struct(self, value: Any, ref: TypeRef, key: tuple[int, Any]) -> Any:
        """A struct or exception from a map of its properties or an object of its class."""
        struct = self._contract.struct(ref)
        if type(value) is struct.python_class:
            return value
        if not isinstance(value, dict):
            raise mismatch(ref, value)
        java_class = class_name(struct)
        for named in _classes(value):
            if named != java_class:
                raise ValueMappingError(f"expected {java_class}, found {shorten(named)}")
        if struct.is_exception:
            message = next((value[each] for each in _MESSAGE_KEYS if isinstance(value.get(each), str)), None)
            made = new_exception(struct, message, {})
        else:
            made = new_struct(struct, {})
        # Known before its fields are, for those that refer back to it.
        self._made[key] = made
        for field in struct.fields:
            # As gateway.model.instance does it: no code of the class runs, and frozen classes are fine.
            object.__setattr__(made, field.attribute, self._field(value, field))
        return made

    def _any(self, value: Any, ref: TypeRef, key: tuple[int, Any]) -> Any:
        """A value that describes itself: types of the contract are recognised, all others stay as they are."""
        if isinstance(value, dict):
            named = next((self._named(each) for each in _classes(value)), None)
            if named is not None:
                if isinstance(named, EnumType):
                    return self._enum(value, named)
                kind = Kind.EXCEPTION if named.is_exception else Kind.STRUCT
                self._depth += 1  # the same value once more, not one level deeper
                made = self.realize(value, TypeRef(kind, name=named.name))
                self._depth -= 1
                return made
        if isinstance(value, Pairs):
            return self._pairs(value, ref, key)
        if isinstance(value, dict):
            return self._dict(value, ref, key)
        if isinstance(value, list):
            items: list[Any] = TypedList(value.type_name) if isinstance(value, TypedList) else []
            self._made[key] = items
            items.extend(self._elements(value, ref))
            return items
        return value

    def _dict(self, value: dict[Any, Any], ref: TypeRef, key: tuple[int, Any]) -> dict[Any, Any]:
        entries: dict[Any, Any] = {}
        if isinstance(value, Record | TypedMap):
            entries = type(value)(value.type_name)
        self._made[key] = entries
        for at, (each_key, each_value) in enumerate(value.items()):
            entries[each_key] = self._at(f"[value {at}]", each_value, ref)
        return entries

    def _pairs(self, value: Pairs, ref: TypeRef, key: tuple[int, Any]) -> Pairs:
        pairs = Pairs((), value.type_name)
        self._made[key] = pairs
        for at, (each_key, each_value) in enumerate(value):
            pairs.append((self._at(f"[key {at}]", each_key, ref), self._at(f"[value {at}]", each_value, ref)))
        return pairs

    def _named(self, java_class: str) -> NamedType | None:
        if self._by_class is None:
            self._by_class = {class_name(each): each for each in self._contract.types.values()}
        return self._by_class.get(java_class)

    def _at(self, where: str, value: Any, ref: TypeRef) -> Any:
        try:
            return self.realize(value, ref)
        except ValueMappingError as exc:
            raise exc.within(where) from None

    def _elements(self, values: Iterable[Any], ref: TypeRef) -> Iterable[Any]:
        for at, each in enumerate(values):
            yield self._at(f"[{at}]", each, ref)

    def _sequence(self, value: Any, ref: TypeRef) -> Iterable[Any]:
        if isinstance(value, list | tuple | set | frozenset) and not isinstance(value, Pairs):
            return value
        if isinstance(value, bytes) and ref.args[0].kind is Kind.I8:
            return [each - 256 if each > 127 else each for each in value]
        raise mismatch(ref, value)

    def _field(self, values: Mapping[Any, Any], field: Field) -> Any:
        found = values.get(field_name(field), MISSING)
        if found is MISSING:
            found = values.get(property_name(field), MISSING)
        # Java leaves a property alone when its entry is null, so it keeps what it starts with.
        if found is MISSING or (found is None and not field.type.nullable):
            absent = field.absent()
            if absent is not MISSING:
                return absent
            if found is MISSING:
                raise ValueMappingError(f"expected {field.type}, found nothing", field.name)
        return self._at(field.name, found, field.type)

    def _enum(self, value: Any, enum: EnumType) -> Any:
        if type(value) is enum.python_class:
            return value
        name = value
        if isinstance(value, dict):
            for named in _classes(value):
                if named != class_name(enum):
                    raise ValueMappingError(f"expected {class_name(enum)}, found {shorten(named)}")
            name = value.get("name")
        if not isinstance(name, str):
            raise mismatch(enum.name, value)
        if name not in enum.constants:
            raise ValueMappingError(f"expected a constant of {enum.name}, found {shorten(name)}")
        return enum.python_class[name]


_CONTAINERS: Final[Mapping[Kind, Callable[[_Realizer, Any, TypeRef, tuple[int, Any]], Any]]] = {
    Kind.LIST: _Realizer._list,
    Kind.SET: _Realizer._set,
    Kind.MAP: _Realizer._map,
    Kind.STRUCT: _Realizer._struct,
    Kind.EXCEPTION: _Realizer._struct,
    Kind.ANY: _Realizer._any,
}


def _classes(value: dict[Any, Any]) -> Iterable[str]:
    """The classes a map or object says it is of; maps of the JDK's own classes are just maps."""
    if isinstance(value, Record):
        yield value.type_name
        return
    if isinstance(value, TypedMap) and not value.type_name.startswith("java."):
        yield value.type_name
    if isinstance(named := value.get(CLASS), str):
        yield named


def _entries(value: Any, ref: TypeRef) -> Iterable[tuple[Any, Any]]:
    if isinstance(value, Pairs):
        return value
    if isinstance(value, dict) and not isinstance(value, Record):
        return value.items()
    raise mismatch(ref, value)


def _hashed(hashes: KeyHashes, add: Callable[..., None], key: Any, *more: Any) -> None:
    """Calls `add`, which hashes a key made here: a struct that contains itself may not have all its fields yet."""
    try:
        if not hashes.admit(key):
            raise ValueMappingError("expected keys or elements with different hashes, found many with the same")
        add(key, *more)
    except (TypeError, AttributeError, RecursionError):
        raise ValueMappingError("expected a hashable value as key or in a set") from None
