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
from gateway.model.typeref import Kind, TypeRef
from protocols.rmi.exact import EXACT_KINDS, exact_scalar
from protocols.rmi.generic_writer import GenericWriter
from protocols.rmi.mapping import CLASS, is_plain_key

__all__ = ["Step", "Writers"]

Step = Callable[[Any, Walk], Any]
"""From a contract value inside of others to the plain value. Raises `ValueMappingError`."""


class Writers:
    """Compiles the writers of one contract; each type is compiled once."""

    def __init__(self, contract: ServiceContract) -> None:
        self._contract = contract
        self._classes = {each.python_class: each for each in contract.types.values()}
        self._steps: dict[TypeRef, Step] = {}
        self._structs: dict[str, Step] = {}

    def compile(self, ref: TypeRef) -> Callable[[Any], Any]:
        """A function from a contract value to the plain value; it raises `ValueMappingError` with the path inside."""
        step = self._step(ref)

        return lambda value: step(value, new_walk())

    def _step(self, ref: TypeRef) -> Step:
        step = self._steps.get(ref)
        if step is None:
            step = self._compile(ref)
            if ref.kind is not Kind.ANY:
                step = _nullable(step) if ref.nullable else _required(step, ref)
            self._steps[ref] = step
        return step

    def _compile(self, ref: TypeRef) -> Step:
        match ref.kind:
            case Kind.ANY:
                return GenericWriter(self._classes, self._write_struct)
            case Kind.LIST:
                return _list(ref, self._step(ref.args[0]))
            case Kind.SET:
                return _set(ref, self._step(ref.args[0]))
            case Kind.MAP:
                return _map(ref, self._step(ref.args[0]), self._step(ref.args[1]))
            case Kind.ENUM:
                return _enum(self._contract.enum(ref))
            case Kind.STRUCT | Kind.EXCEPTION:
                return self._struct(self._contract.struct(ref))
            case Kind.CALLBACK:
                return _refuse_callback
        return _scalar(ref.kind)

    def _struct(self, definition: StructType) -> Step:
        found = self._structs.get(definition.name)
        if found is None:
            # Registered before its fields are compiled: they may name it again.
            fields: list[tuple[Field, Step]] = []
            found = self._structs[definition.name] = _struct(definition, fields)
            fields += [(each, self._step(each.type)) for each in definition.fields]
        return found

    def _write_struct(self, definition: StructType, value: Any, walk: Walk) -> Any:
        return self._struct(definition)(value, walk)


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


def _nullable(step: Step) -> Step:
    return lambda value, walk: None if value is None else step(value, walk)


def _required(step: Step, ref: TypeRef) -> Step:
    if ref.kind is Kind.NULL:
        return step

    def write(value: Any, walk: Walk) -> Any:
        if value is None:
            raise ValueMappingError(f"null where {ref} is required")
        return step(value, walk)

    return write


def _enum(definition: EnumType) -> Step:
    cls = definition.python_class

    def write(value: Any, walk: Walk) -> Any:
        if not isinstance(value, cls):
            raise mismatch(definition.name, value, f"use {cls.__name__}.{definition.constants[0]} and the like")
        return value.name

    return write


def _refuse_callback(value: Any, walk: Walk) -> Any:
    raise ValueMappingError("a callback has no form on rmi://")


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
