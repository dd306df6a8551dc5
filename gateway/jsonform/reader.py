"""JSON values into contract values, by functions compiled once per type. The mapping stands in `gateway.jsonform`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from gateway.jsonform import scalar_text
from gateway.jsonform.container_reader import Step, list_reader, map_reader, set_reader
from gateway.jsonform.form import MAX_DEPTH, SPECIAL_FLOATS
from gateway.jsonform.generic_reader import read_generic
from gateway.jsonform.mismatch import NO_CALLBACK, did_you_mean, json_name, mismatch, shown, too_deep
from gateway.model.contract import MISSING, EnumType, Field, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.scalar import INTEGER_RANGES, round_to_single
from gateway.model.type_steps import TypeSteps
from gateway.model.typeref import Kind, TypeRef

__all__ = ["FieldName", "Readers", "compile_reader", "contract_name"]

_TEXTUAL: Final[Mapping[Kind, Callable[[str], Any]]] = MappingProxyType(
    {
        Kind.BYTES: scalar_text.parse_bytes,
        Kind.DATE: scalar_text.parse_date,
        Kind.TIME: scalar_text.parse_time,
        Kind.DATETIME: scalar_text.parse_datetime,
        Kind.LOCAL_DATETIME: scalar_text.parse_local_datetime,
        Kind.DURATION: scalar_text.parse_duration,
        Kind.UUID: scalar_text.parse_uuid,
    }
)
_JAVA_DATE: Final = ("java", "java.util.Date")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_set_attribute: Final = object.__setattr__

_Member = tuple[Field, str, str, Step]
"""A field, its name in JSON, its attribute, and its reader."""

FieldName = Callable[[StructType, Field], str]
"""How a field is called in JSON, where that is not its name in the contract."""


def contract_name(struct: StructType, field: Field) -> str:
    """The name of a field in the contract."""
    return field.name


def compile_reader(
    ref: TypeRef, contract: ServiceContract, *, ignore_unknown: bool = False, field_name: FieldName | None = None
) -> Callable[[Any], Any]:
    """A function from a JSON value to the contract value it stands for.

    It raises `ValueMappingError` when there is none; `path` is the place inside the value. `ignore_unknown`: drop
    members of objects that the struct has no field for, instead of refusing them. `field_name`: None calls fields as
    the contract does. Who compiles several types of one contract shares a `Readers`.
    """
    return Readers(contract, ignore_unknown=ignore_unknown, field_name=field_name).compile(ref)


class Readers(TypeSteps[_Member]):
    """Compiles the readers of one contract; each type is compiled once.

    `epoch_dates`: what a contract says is a java.util.Date is also read from milliseconds since 1970, as Jackson writes
    it unless it is told otherwise.
    """

    def __init__(
        self,
        contract: ServiceContract,
        *,
        ignore_unknown: bool = False,
        field_name: FieldName | None = None,
        epoch_dates: bool = False,
    ) -> None:
        super().__init__(contract)
        self._epoch_dates = epoch_dates
        self._ignore_unknown = ignore_unknown
        self._field_name = contract_name if field_name is None else field_name

    def compile(self, ref: TypeRef) -> Callable[[Any], Any]:
        """As `compile_reader`."""
        step = self.step(ref)

        return lambda value: step(value, 0)

    def finished(self, step: Step, ref: TypeRef) -> Step:
        """See `TypeSteps`. Who reads a null where there must be none says what was expected instead."""
        return _nullable(step) if ref.nullable and ref.kind is not Kind.ANY else step

    def member(self, definition: StructType, field: Field, step: Step) -> _Member:
        """See `TypeSteps`."""
        return field, self._field_name(definition, field), field.attribute, step

    def of_any(self) -> Step:
        """See `TypeSteps`."""
        return lambda value, depth: read_generic(value, self._read_named, depth)

    def of_scalar(self, ref: TypeRef) -> Step:
        """See `TypeSteps`."""
        kind = ref.kind
        if kind in INTEGER_RANGES:
            return _integer(ref)
        if kind is Kind.DATETIME and self._epoch_dates and _JAVA_DATE in ref.hints:
            return _java_date(ref)
        return _textual(ref, _TEXTUAL[kind]) if kind in _TEXTUAL else _SCALARS[kind](ref)

    def of_list(self, ref: TypeRef, element: Step) -> Step:
        """See `TypeSteps`."""
        return list_reader(ref, element)

    def of_set(self, ref: TypeRef, element: Step) -> Step:
        """See `TypeSteps`."""
        return set_reader(ref, element)

    def of_map(self, ref: TypeRef, key: Step, value: Step) -> Step:
        """See `TypeSteps`."""
        return map_reader(ref, key, value)

    def of_enum(self, definition: EnumType) -> Step:
        """See `TypeSteps`."""
        return _enum(definition)

    def of_struct(self, definition: StructType, members: list[_Member]) -> Step:
        """See `TypeSteps`."""
        return _struct(definition, members, self._ignore_unknown)

    def of_callback(self, value: Any, state: Any) -> Any:
        """See `TypeSteps`."""
        raise ValueMappingError(NO_CALLBACK)

    def _read_named(self, name: str, members: Mapping[str, Any] | str, depth: int) -> Any:
        definition = self._contract.types.get(name)
        if definition is None:
            return NotImplemented
        if isinstance(definition, EnumType):
            if not isinstance(members, str):
                raise ValueMappingError(f"{name} is an enum; only structs are objects")
            return _enum(definition)(members, depth)
        return NotImplemented if isinstance(members, str) else self.struct_step(definition)(members, depth)


def _nullable(step: Step) -> Step:
    def read(value: Any, depth: int) -> Any:
        return None if value is None else step(value, depth)

    return read


def _null(ref: TypeRef) -> Step:
    def read(value: Any, depth: int) -> Any:
        if value is not None:
            raise mismatch(ref, value)

    return read


def _bool(ref: TypeRef) -> Step:
    def read(value: Any, depth: int) -> Any:
        if value is True or value is False:
            return value
        raise mismatch(ref, value)

    return read


def _string(ref: TypeRef) -> Step:
    def read(value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return value
        raise mismatch(ref, value)

    return read


def _char(ref: TypeRef) -> Step:
    def read(value: Any, depth: int) -> Any:
        if not isinstance(value, str):
            raise mismatch(ref, value)
        if len(value) != 1 or value > "\uffff":
            raise ValueMappingError(f"expected one character up to U+FFFF, found a text of {len(value)}")
        return value

    return read


def _textual(ref: TypeRef, parse: Callable[[str], Any]) -> Step:
    def read(value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return parse(value)
        raise mismatch(ref, value)

    return read


def _java_date(ref: TypeRef) -> Step:
    read_text = _textual(ref, _TEXTUAL[Kind.DATETIME])

    def read(value: Any, depth: int) -> Any:
        if type(value) is not int:
            return read_text(value, depth)
        try:
            return _EPOCH + timedelta(milliseconds=value)
        except OverflowError:
            raise ValueMappingError(f"{value} milliseconds are beyond the years 1 to 9999") from None

    return read


def _integer(ref: TypeRef) -> Step:
    low, high = INTEGER_RANGES[ref.kind]

    def read(value: Any, depth: int) -> Any:
        number = value if type(value) is int else _whole(value, ref)
        if low <= number <= high:
            return number
        raise ValueMappingError(f"the number does not fit {ref.kind.value}, which goes from {low} to {high}")

    return read


def _bigint(ref: TypeRef) -> Step:
    def read(value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return scalar_text.parse_integer(value)
        return value if type(value) is int else _whole(value, ref)

    return read


def _whole(value: Any, ref: TypeRef) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise mismatch(ref, value)
    exact = Decimal(value)
    if not exact.is_finite() or exact.adjusted() > scalar_text.MAX_DIGITS:
        raise mismatch(ref, value)
    if exact != exact.to_integral_value():
        raise ValueMappingError(f"expected {ref.kind.value}, found a number with a fraction")
    return int(exact)


def _f64(ref: TypeRef) -> Step:
    def read(value: Any, depth: int) -> Any:
        cls = type(value)
        if cls is Decimal or cls is int:
            if cls is Decimal and value.is_nan():
                return math.nan
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if -math.inf < number < math.inf:
                return number
            raise ValueMappingError(f"the number is beyond the largest {ref.kind.value}")
        if cls is float:
            return value
        if isinstance(value, str) and value in SPECIAL_FLOATS:
            return SPECIAL_FLOATS[value]
        raise mismatch(ref, value, 'a number, "NaN", "Infinity" or "-Infinity"')

    return read


def _f32(ref: TypeRef) -> Step:
    read_double = _f64(ref)

    def read(value: Any, depth: int) -> Any:
        return round_to_single(read_double(value, depth))

    return read


def _decimal(ref: TypeRef) -> Step:
    def read(value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return scalar_text.parse_decimal(value)
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise mismatch(ref, value)
        # The shortest text of a float is what stood in the JSON.
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if not number.is_finite():
            raise ValueMappingError(f"expected a finite decimal, found {number}")
        return number

    return read


_SCALARS: Final[Mapping[Kind, Callable[[TypeRef], Step]]] = MappingProxyType(
    {
        Kind.NULL: _null,
        Kind.BOOL: _bool,
        Kind.F32: _f32,
        Kind.F64: _f64,
        Kind.BIGINT: _bigint,
        Kind.DECIMAL: _decimal,
        Kind.CHAR: _char,
        Kind.STRING: _string,
    }
)


def _enum(definition: EnumType) -> Step:
    members = {name: definition.python_class[name] for name in definition.constants}

    def read(value: Any, depth: int) -> Any:
        if not isinstance(value, str):
            raise mismatch(definition.name, value)
        found = members.get(value)
        if found is None:
            raise ValueMappingError(f"{definition.name} has no constant {shown(value)}{did_you_mean(value, members)}")
        return found

    return read


def _struct(definition: StructType, fields: list[_Member], ignore_unknown: bool) -> Step:
    """`fields`: filled after this returns, with the JSON name, the attribute and the reader of each."""
    cls: Any = definition.python_class
    new = cls.__new__
    is_exception = definition.is_exception

    def own_names() -> list[str]:
        return [name for _, name, _, _ in fields]

    def read(value: Any, depth: int) -> Any:
        if not isinstance(value, dict):
            raise mismatch(definition.name, value, "an object")
        if depth > MAX_DEPTH:
            raise too_deep()
        depth += 1
        instance = new(cls)
        used = 0
        for field, name, attribute, step in fields:
            item = value.get(name, MISSING)
            if item is not MISSING:
                used += 1
                try:
                    item = step(item, depth)
                except ValueMappingError as exc:
                    raise exc.within(f".{name}") from None
            else:
                item = field.absent()
                if item is MISSING:
                    raise ValueMappingError(f"the field {name!r} of {definition.name} is missing")
            _set_attribute(instance, attribute, item)
        if is_exception:
            used += _read_message(instance, value)
        if used != len(value) and not ignore_unknown:
            _refuse_unknown(value)
        return instance

    def _read_message(instance: Any, value: dict[str, Any]) -> int:
        message = value.get("message")
        if message is not None and not isinstance(message, str):
            raise ValueMappingError(f"expected a text, found {json_name(message)}", ".message")
        _set_attribute(instance, "args", () if message is None else (message,))
        return "message" in value and "message" not in own_names()

    def _refuse_unknown(value: dict[str, Any]) -> None:
        known = own_names()
        for name in value:
            # A struct inside any says its class; saying what is known anyway does no harm elsewhere.
            known_class = name == "class" and value["class"] == definition.name
            if name not in known and not known_class and not (is_exception and name == "message"):
                raise ValueMappingError(f"{definition.name} has no field {shown(name)}{did_you_mean(name, known)}")

    return read
