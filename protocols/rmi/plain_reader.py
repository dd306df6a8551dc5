"""Plain values of a pickle into contract values, by functions compiled once per type; see `protocols.rmi.mapping`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from gateway.jsonform.form import key_text
from gateway.model.contract import MISSING, EnumType, Field, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.key_hash import KeyHashes, has_common_hashes, may_collide
from gateway.model.scalar import INTEGER_RANGES, SCALAR_CHECKS, mismatch
from gateway.model.type_steps import Step, TypeSteps
from gateway.model.typeref import Kind, TypeRef
from protocols.rmi.generic_reader import GenericReader
from protocols.rmi.mapping import CLASS
from protocols.rmi.reduction import Instance, instance_uuid
from protocols.rmi.walk import LONG, Walk, enter, spend, spend_bytes, words_squared

__all__ = ["Readers"]

_SHOWN: Final = 60
_HASH_ERRORS: Final = (TypeError, AttributeError, RecursionError)
"""What classes of a contract raise whose objects have no hash: one of their fields may be a list."""
_set_attribute: Final = object.__setattr__


class Readers(TypeSteps[tuple[Field, Step]]):
    """Compiles the readers of one contract; each type is compiled once."""

    def compile(self, ref: TypeRef) -> Step:
        """A function from a plain value to the contract value; it raises `ValueMappingError` with the path inside."""
        return self.step(ref)

    def member(self, definition: StructType, field: Field, step: Step) -> tuple[Field, Step]:
        """See `TypeSteps`."""
        return field, step

    def of_any(self) -> Step:
        """See `TypeSteps`."""
        return GenericReader(self._read_named)

    def of_scalar(self, ref: TypeRef) -> Step:
        """See `TypeSteps`."""
        return _uuid if ref.kind is Kind.UUID else _scalar(ref.kind)

    def of_list(self, ref: TypeRef, element: Step) -> Step:
        """See `TypeSteps`."""
        return _list(ref, element)

    def of_set(self, ref: TypeRef, element: Step) -> Step:
        """See `TypeSteps`."""
        return _set(ref, element)

    def of_map(self, ref: TypeRef, key: Step, value: Step) -> Step:
        """See `TypeSteps`."""
        return _map(ref, key, value)

    def of_enum(self, definition: EnumType) -> Step:
        """See `TypeSteps`."""
        return _enum(definition)

    def of_struct(self, definition: StructType, members: list[tuple[Field, Step]]) -> Step:
        """See `TypeSteps`."""
        return _struct(definition, members)

    def of_callback(self, value: Any, state: Any) -> Any:
        """See `TypeSteps`."""
        raise ValueMappingError("a callback has no form on rmi://")

    def _read_named(self, name: str, value: Any, walk: Walk) -> Any:
        definition = self._contract.types.get(name)
        if definition is None:
            return NotImplemented
        step = _enum(definition) if isinstance(definition, EnumType) else self.struct_step(definition)
        return step(value, walk)


def _unwrapped(value: Any) -> Any:
    """The value where it says what it is, as callers without a contract write it."""
    if type(value) is dict and type(value.get(CLASS)) is str and value[CLASS].startswith("$"):
        return value.get("value", value)
    return value


def _scalar(kind: Kind) -> Step:
    plain_check = SCALAR_CHECKS[kind]

    def check(value: Any, walk: Walk) -> Any:
        value = _unwrapped(value)
        _count(value, walk)
        return plain_check(value, walk)

    if kind in INTEGER_RANGES:
        low, high = INTEGER_RANGES[kind]
        return lambda value, walk: value if type(value) is int and low <= value <= high else check(value, walk)
    if kind is Kind.STRING:
        return lambda value, walk: value if type(value) is str and len(value) <= LONG else check(value, walk)
    return check


def _count(value: Any, walk: Walk) -> None:
    """Counts a scalar that may be long."""
    cls = type(value)
    if cls is str or cls is bytes:
        spend_bytes(walk, len(value))
    elif cls is int and value.bit_length() > LONG:
        # It may become a Decimal.
        spend(walk, words_squared(value) >> 4)
        spend_bytes(walk, value.bit_length() >> 1)
    elif cls is Decimal:
        spend_bytes(walk, value.__sizeof__())


def _uuid(value: Any, walk: Walk) -> Any:
    if type(value) is Instance:
        value = instance_uuid(value) or value
    return SCALAR_CHECKS[Kind.UUID](value, walk)


def _enum(definition: EnumType) -> Step:
    members = {name: definition.python_class[name] for name in definition.constants}
    by_value = [(member.value, member) for member in members.values()]

    def read(value: Any, walk: Walk) -> Any:
        if type(value) is Instance and value.title == definition.name and len(value.arguments) == 1:
            # As Python's pickler writes it: the class, and the value of the constant.
            given = value.arguments[0]
            for each, member in by_value:
                if type(each) is type(given) and each == given:
                    return member
            raise ValueMappingError(f"{definition.name} has no constant with this value")
        if type(value) is dict and value.get(CLASS) == definition.name:
            value = value.get("name")
        if type(value) is not str:
            raise mismatch(definition.name, value, "the name of a constant")
        found = members.get(value)
        if found is None:
            shown = repr(value) if len(value) <= _SHOWN else f"of {len(value)} characters"
            raise ValueMappingError(f"{definition.name} has no constant {shown}")
        return found

    return read


def _items(value: Any, element: Step, walk: Walk) -> list[Any]:
    enter(walk, len(value))
    found: list[Any] = []
    append = found.append
    try:
        for each in value:
            append(element(each, walk))
    except ValueMappingError as exc:
        raise exc.within(f"[{len(found)}]") from None
    walk[0] -= 1
    return found


def _list(ref: TypeRef, element: Step) -> Step:
    as_tuple = ref.hint("python") == "tuple"

    def read(value: Any, walk: Walk) -> Any:
        value = _unwrapped(value)
        if type(value) is not list and type(value) is not tuple:
            raise mismatch(str(ref), value)
        items = _items(value, element, walk)
        return tuple(items) if as_tuple else items

    return read


def _set(ref: TypeRef, element: Step) -> Step:
    cls: type[Any] = frozenset if ref.hint("python") == "frozenset" else set
    guarded = may_collide(ref.args[0])

    def read(value: Any, walk: Walk) -> Any:
        value = _unwrapped(value)
        if type(value) not in (set, frozenset, list, tuple):
            raise mismatch(str(ref), value)
        items = _items(value, element, walk)
        try:
            if guarded and has_common_hashes(items):
                raise ValueMappingError(f"too many elements of {ref} have the same hash")
            found = cls(items)
        except _HASH_ERRORS:
            raise ValueMappingError(f"an element of {ref} that cannot be told from others") from None
        if len(found) != len(items):
            raise ValueMappingError(f"an element of {ref} stands twice")
        return found

    return read


def _pairs(value: Any, ref: TypeRef) -> Iterable[tuple[Any, Any]]:
    if type(value) is dict:
        return value.items()
    if type(value) is list and all(type(each) in (tuple, list) and len(each) == 2 for each in value):
        return value
    raise mismatch(str(ref), value, "a dict, or a list of pairs")


def _map(ref: TypeRef, key_step: Step, value_step: Step) -> Step:
    guarded = may_collide(ref.args[0])

    def read(value: Any, walk: Walk) -> Any:
        pairs = _pairs(value, ref)
        enter(walk, len(value))
        hashes = KeyHashes() if guarded else None
        found: dict[Any, Any] = {}
        for key, item in pairs:
            try:
                converted = key_step(key, walk)
            except ValueMappingError as exc:
                raise exc.within(f"[key {len(found)}]") from None
            try:
                if hashes is not None and not hashes.admit(converted):
                    raise ValueMappingError(f"too many keys of {ref} have the same hash", f"[key {len(found)}]")
                if converted in found:
                    raise ValueMappingError("the key stands twice", f"[key {len(found)}]")
            except _HASH_ERRORS:
                raise ValueMappingError(f"cannot be told from other keys of {ref}", f"[key {len(found)}]") from None
            try:
                found[converted] = value_step(item, walk)
            except ValueMappingError as exc:
                raise exc.within(f"[{key_text(key, len(found))}]") from None
        walk[0] -= 1
        return found

    return read


def _members(definition: StructType, value: Any) -> tuple[Mapping[Any, Any], bool]:
    """The fields that were sent, and whether they are called as in Python."""
    if type(value) is dict:
        said = value.get(CLASS, definition.name)
        if said != definition.name:
            shown = f"a {said[:_SHOWN]}" if type(said) is str else "something else"
            raise ValueMappingError(f"expected {definition.name}, found {shown}")
        return value, False
    if type(value) is Instance:
        if value.title != definition.name:
            raise ValueMappingError(f"expected {definition.name}, found a {value.title}")
        state = value.state
        if isinstance(state, list):
            return {each.attribute: item for each, item in zip(definition.fields, state, strict=False)}, True
        return state or {}, True
    raise mismatch(definition.name, value, "a dict of its fields")


def _struct(definition: StructType, fields: list[tuple[Field, Step]]) -> Step:
    """`fields`: filled after this returns. Fields that the contract does not know are left out."""
    cls: Any = definition.python_class
    new = cls.__new__
    is_exception = definition.is_exception

    def read(value: Any, walk: Walk) -> Any:
        members, by_attribute = _members(definition, value)
        enter(walk, 0)
        instance = new(cls)
        for field, step in fields:
            item = members.get(field.attribute if by_attribute else field.name, MISSING)
            if item is not MISSING:
                try:
                    item = step(item, walk)
                except ValueMappingError as exc:
                    raise exc.within(f".{field.name}") from None
            else:
                item = field.absent()
                if item is MISSING:
                    raise ValueMappingError(f"the field {field.name!r} of {definition.name} is missing")
            _set_attribute(instance, field.attribute, item)
        if is_exception:
            _set_attribute(instance, "args", _message(value, members))
        walk[0] -= 1
        return instance

    return read


def _message(value: Any, members: Mapping[Any, Any]) -> tuple[str, ...]:
    message = members.get("message") if type(value) is dict else (value.arguments[0] if value.arguments else None)
    if message is None:
        return ()
    if type(message) is not str:
        raise ValueMappingError("expected a text", ".message")
    return (message,)
