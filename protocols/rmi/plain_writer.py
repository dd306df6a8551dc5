"""Contract values into the plain values of `protocols.rmi.mapping`, by functions compiled once per type.

Whatever is written is checked on the way, and has an exact class of Python's own afterwards: a subclass never gets into
a pickle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

from gateway.jsonform.form import Walk, enter, key_text, new_walk
from gateway.model.contract import MISSING, EnumType, Field, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.scalar import INTEGER_RANGES, SCALAR_CHECKS, mismatch
from gateway.model.type_steps import Step, TypeSteps
from gateway.model.typeref import Kind, TypeRef
from protocols.rmi.exact import EXACT_KINDS, exact_scalar
from protocols.rmi.generic_writer import GenericWriter
from protocols.rmi.mapping import CLASS, is_plain_key

__all__ = ["Writers"]


class Writers(TypeSteps[tuple[Field, Step]]):
    """Compiles the writers of one contract; each type is compiled once."""

    def __init__(self, contract: ServiceContract) -> None:
        super().__init__(contract)
        self._classes = {each.python_class: each for each in contract.types.values()}

    def compile(self, ref: TypeRef) -> Callable[[Any], Any]:
        """A function from a contract value to the plain value; it raises `ValueMappingError` with the path inside."""
        step = self.step(ref)

        return lambda value: step(value, new_walk())

    def member(self, definition: StructType, field: Field, step: Step) -> tuple[Field, Step]:
        """See `TypeSteps`."""
        return field, step

    def of_any(self) -> Step:
        """See `TypeSteps`."""
        return GenericWriter(self._classes, self._write_struct)

    def of_scalar(self, ref: TypeRef) -> Step:
        """See `TypeSteps`."""
        return _scalar(ref.kind)

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

    def _write_struct(self, definition: StructType, value: Any, walk: Walk) -> Any:
        return self.struct_step(definition)(value, walk)


def _scalar(kind: Kind) -> Step:
    check = SCALAR_CHECKS[kind]
    if kind in INTEGER_RANGES:
        low, high = INTEGER_RANGES[kind]
        return lambda value, walk: value if type(value) is int and low <= value <= high else check(value, walk)
    if kind is Kind.STRING:
        return lambda value, walk: value if type(value) is str else check(value, walk)
    if kind not in EXACT_KINDS:
        return check
    return lambda value, walk: exact_scalar(kind, check(value, walk))


def _enum(definition: EnumType) -> Step:
    cls = definition.python_class

    def write(value: Any, walk: Walk) -> Any:
        if not isinstance(value, cls):
            raise mismatch(definition.name, value, f"use {cls.__name__}.{definition.constants[0]} and the like")
        return value.name

    return write


def _items(value: Any, element: Step, walk: Walk) -> list[Any]:
    enter(walk, len(value))
    written: list[Any] = []
    append = written.append
    try:
        for each in value:
            append(element(each, walk))
    except ValueMappingError as exc:
        raise exc.within(f"[{len(written)}]") from None
    walk[0] -= 1
    return written


def _list(ref: TypeRef, element: Step) -> Step:
    def write(value: Any, walk: Walk) -> Any:
        if not isinstance(value, list | Sequence) or isinstance(value, str | bytes | bytearray | memoryview):
            raise mismatch(str(ref), value)
        return _items(value, element, walk)

    return write


def _set(ref: TypeRef, element: Step) -> Step:
    hashable = is_plain_key(ref.args[0])

    def write(value: Any, walk: Walk) -> Any:
        if not isinstance(value, Set):
            raise mismatch(str(ref), value)
        items = _items(value, element, walk)
        if not hashable:
            return items
        written = set(items)
        if len(written) != len(items):
            raise ValueMappingError(f"elements of {ref} that differ become the same value")
        return written

    return write


def _map(ref: TypeRef, key_step: Step, value_step: Step) -> Step:
    hashable = is_plain_key(ref.args[0])

    def write(value: Any, walk: Walk) -> Any:
        if not isinstance(value, dict | Mapping):
            raise mismatch(str(ref), value)
        enter(walk, len(value))
        pairs: list[tuple[Any, Any]] = []
        for key, item in value.items():
            try:
                written_key = key_step(key, walk)
            except ValueMappingError as exc:
                raise exc.within(f"[key {len(pairs)}]") from None
            try:
                pairs.append((written_key, value_step(item, walk)))
            except ValueMappingError as exc:
                raise exc.within(f"[{key_text(key, len(pairs))}]") from None
        walk[0] -= 1
        if not hashable:
            return pairs
        written = dict(pairs)
        if len(written) != len(pairs):
            raise ValueMappingError(f"keys of {ref} that differ become the same value")
        return written

    return write


def _struct(definition: StructType, fields: list[tuple[Field, Step]]) -> Step:
    """`fields`: filled after this returns."""
    cls = definition.python_class
    is_exception = definition.is_exception

    def write(value: Any, walk: Walk) -> Any:
        if type(value) is not cls:
            raise mismatch(definition.name, value)
        enter(walk, 0)
        written: dict[str, Any] = {CLASS: definition.name}
        if is_exception:
            message = value.args[0] if value.args else None
            written["message"] = None if message is None else str.__str__(str(message))
        for field, step in fields:
            item = getattr(value, field.attribute, MISSING)
            if item is MISSING:
                item = field.absent()
                if item is MISSING:
                    raise ValueMappingError("the attribute is not set", field.name)
            try:
                written[field.name] = step(item, walk)
            except ValueMappingError as exc:
                raise exc.within(f".{field.name}") from None
        walk[0] -= 1
        return written

    return write
