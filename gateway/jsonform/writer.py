"""Contract values into JSON values, by functions compiled once per type. The mapping stands in `gateway.jsonform`.

Whatever is written is checked on the way: the values accepted for a type are those of `gateway.contracts.values`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from types import MappingProxyType
from typing import Any, Final

from gateway.jsonform import scalar_text
from gateway.jsonform.bare_text import bare_text_of, is_text_key
from gateway.jsonform.form import Walk, enter, key_text, new_walk, refuse_surrogates, special_text
from gateway.jsonform.generic_writer import GenericWriter
from gateway.jsonform.mismatch import NO_CALLBACK
from gateway.jsonform.reader import FieldName, contract_name
from gateway.model.contract import MISSING, EnumType, Field, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.scalar import INTEGER_RANGES, SCALAR_CHECKS, mismatch
from gateway.model.type_steps import Step, TypeSteps
from gateway.model.typeref import Kind, TypeRef

__all__ = ["Writers", "compile_writer"]

_Member = tuple[Field, str, str, Step]
"""A field, its name in JSON, its attribute, and its writer."""

_FORMATS: Final[Mapping[Kind, Callable[[Any], str]]] = MappingProxyType(
    {
        Kind.BIGINT: scalar_text.format_integer,
        Kind.DECIMAL: scalar_text.format_decimal,
        Kind.BYTES: scalar_text.format_bytes,
        Kind.DATE: str,
        Kind.TIME: scalar_text.format_time,
        Kind.DATETIME: scalar_text.format_datetime,
        Kind.LOCAL_DATETIME: scalar_text.format_local_datetime,
        Kind.DURATION: scalar_text.format_duration,
        Kind.UUID: str,
    }
)
_INTEGER: Final = frozenset({int})
_NO_TEXTS: Final = frozenset({Kind.BOOL, Kind.F32, Kind.F64, *INTEGER_RANGES})


def compile_writer(
    ref: TypeRef, contract: ServiceContract, *, field_name: FieldName | None = None
) -> Callable[[Any], Any]:
    """A function from a contract value to the JSON value it becomes.

    It raises `ValueMappingError` with the path inside the value: not of this type, without a form in JSON, nested
    deeper than 64 levels or containing itself, too large (see `gateway.jsonform.form.enter`).
    `field_name`: None calls fields as the contract does. Who compiles several types of one contract shares a `Writers`.
    """
    return Writers(contract, field_name=field_name).compile(ref)


class Writers(TypeSteps[_Member]):
    """Compiles the writers of one contract; each type is compiled once."""

    def __init__(self, contract: ServiceContract, *, field_name: FieldName | None = None) -> None:
        super().__init__(contract)
        self._field_name = contract_name if field_name is None else field_name
        self._classes = {each.python_class: each for each in contract.types.values()}

    def compile(self, ref: TypeRef) -> Callable[[Any], Any]:
        """As `compile_writer`."""
        step = self.step(ref)

        return lambda value: step(value, new_walk())

    def finished(self, step: Step, ref: TypeRef) -> Step:
        """See `TypeSteps`."""
        return _quick(super().finished(step, ref), ref.kind)

    def member(self, definition: StructType, field: Field, step: Step) -> _Member:
        """See `TypeSteps`."""
        return field, self._field_name(definition, field), field.attribute, step

    def of_any(self) -> Step:
        """See `TypeSteps`."""
        return GenericWriter(self._classes, self._write_struct)

    def of_scalar(self, ref: TypeRef) -> Step:
        """See `TypeSteps`."""
        kind = ref.kind
        if kind in _FORMATS:
            return _formatted(SCALAR_CHECKS[kind], _FORMATS[kind])
        if kind in (Kind.F32, Kind.F64):
            return _float(SCALAR_CHECKS[kind])
        return _text(SCALAR_CHECKS[kind]) if kind in (Kind.STRING, Kind.CHAR) else SCALAR_CHECKS[kind]

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

    def of_struct(self, definition: StructType, members: list[_Member]) -> Step:
        """See `TypeSteps`."""
        return _struct(definition, members)

    def of_callback(self, value: Any, state: Any) -> Any:
        """See `TypeSteps`."""
        raise ValueMappingError(NO_CALLBACK)

    def _write_struct(self, definition: StructType, value: Any, walk: Walk) -> Any:
        return self.struct_step(definition)(value, walk)


def _quick(step: Step, kind: Kind) -> Step:
    """The same step, which knows the most frequent values at a glance."""
    if kind is Kind.STRING:

        def write_ascii(value: Any, walk: Walk) -> Any:
            return value if type(value) is str and value.isascii() else step(value, walk)

        return write_ascii
    if kind in INTEGER_RANGES:
        low, high = INTEGER_RANGES[kind]

        def write_integer(value: Any, walk: Walk) -> Any:
            return value if type(value) is int and low <= value <= high else step(value, walk)

        return write_integer
    return step


def _formatted(check: Step, form: Callable[[Any], str]) -> Step:
    return lambda value, walk: form(check(value, walk))


def _float(check: Step) -> Step:
    def write(value: Any, walk: Walk) -> Any:
        number = check(value, walk)
        return number if math.isfinite(number) else special_text(number)

    return write


def _text(check: Step) -> Step:
    def write(value: Any, walk: Walk) -> Any:
        text = check(value, walk)
        if not text.isascii():
            refuse_surrogates(text)
        return text

    return write


def _enum(definition: EnumType) -> Step:
    cls = definition.python_class

    def write(value: Any, walk: Walk) -> Any:
        if not isinstance(value, cls):
            raise mismatch(definition.name, value, f"use {cls.__name__}.{definition.constants[0]} and the like")
        return value.name

    return write


def _elements(ref: TypeRef, element: Step) -> Step:
    """Writes a sequence or set as a new list."""
    item = ref.args[0]
    low, high = INTEGER_RANGES.get(item.kind, (0, 0))
    whole = item.kind in INTEGER_RANGES and not item.nullable

    def write(value: Any, walk: Walk) -> list[Any]:
        enter(walk, len(value))
        if whole and set(map(type, value)) == _INTEGER and low <= min(value) and max(value) <= high:
            walk[0] -= 1
            return list(value)
        written: list[Any] = []
        append = written.append
        try:
            for each in value:
                append(element(each, walk))
        except ValueMappingError as exc:
            raise exc.within(f"[{len(written)}]") from None
        walk[0] -= 1
        return written

    return write


def _list(ref: TypeRef, element: Step) -> Step:
    elements = _elements(ref, element)

    def write(value: Any, walk: Walk) -> Any:
        if not isinstance(value, list | Sequence) or isinstance(value, str | bytes | bytearray | memoryview):
            raise mismatch(str(ref), value)
        return elements(value, walk)

    return write


def _set(ref: TypeRef, element: Step) -> Step:
    elements = _elements(ref, element)

    def write(value: Any, walk: Walk) -> Any:
        if not isinstance(value, Set):
            raise mismatch(str(ref), value)
        return elements(value, walk)

    return write


def _map(ref: TypeRef, key_step: Step, value_step: Step) -> Step:
    is_object = is_text_key(ref.args[0])
    # Keys that are texts already take no step in between.
    key_text_of = bare_text_of if ref.args[0].kind in _NO_TEXTS else None

    def write(value: Any, walk: Walk) -> Any:
        if not isinstance(value, dict | Mapping):
            raise mismatch(str(ref), value)
        enter(walk, len(value))
        pairs: list[list[Any]] = []
        for key, item in value.items():
            try:
                written_key = key_step(key, walk)
                if is_object and key_text_of is not None:
                    written_key = key_text_of(written_key)
            except ValueMappingError as exc:
                raise exc.within(f"[key {len(pairs)}]") from None
            try:
                pairs.append([written_key, value_step(item, walk)])
            except ValueMappingError as exc:
                raise exc.within(f"[{key_text(key, len(pairs))}]") from None
        walk[0] -= 1
        if not is_object:
            return pairs
        written = dict(pairs)
        if len(written) != len(pairs):
            raise ValueMappingError(f"keys of {ref} that differ have the same text")
        return written

    return write


def _struct(definition: StructType, fields: list[_Member]) -> Step:
    """`fields`: filled after this returns, with the name, the attribute and the writer of each."""
    cls = definition.python_class
    is_exception = definition.is_exception

    def write(value: Any, walk: Walk) -> Any:
        if type(value) is not cls:
            raise mismatch(definition.name, value)
        enter(walk, 0)
        written: dict[str, Any] = {}
        if is_exception:
            written["message"] = _message(value)
        for field, name, attribute, step in fields:
            item = getattr(value, attribute, MISSING)
            if item is MISSING:
                item = field.absent()
                if item is MISSING:
                    raise ValueMappingError("the attribute is not set", name)
            try:
                written[name] = step(item, walk)
            except ValueMappingError as exc:
                raise exc.within(f".{name}") from None
        walk[0] -= 1
        return written

    return write


def _message(value: BaseException) -> str | None:
    message = value.args[0] if value.args else None
    if message is None:
        return None
    try:
        refuse_surrogates(text := str(message))
    except ValueMappingError as exc:
        raise exc.within(".message") from None
    return text
