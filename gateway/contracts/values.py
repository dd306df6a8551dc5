"""Values checked against their contract types: what a Python caller passes becomes the contract value or is refused.

| type | accepted | becomes |
| --- | --- | --- |
| bool | `bool` | itself |
| i8 … i64, bigint | `int` in range, not `bool` | `int` |
| f64 | `float`; `int` that a double holds exactly | `float` |
| f32 | the same, not beyond the largest single | the nearest single, as `float` |
| decimal | finite `Decimal`; `int` | `Decimal` |
| char | `str` of one character up to U+FFFF | itself |
| string | `str` | `str` |
| bytes | `bytes`, `bytearray`, `memoryview` | `bytes` |
| date | `date` that is no `datetime` | itself |
| time | `time` without a zone | itself |
| datetime | aware `datetime` | the same instant in UTC |
| local_datetime | naive `datetime` | itself |
| duration, uuid | `timedelta`, `UUID` | itself |
| list | `list`, `tuple`, any sequence but text and bytes | `list`, or `tuple` where the class says so |
| set | any set | `set`, or `frozenset` where the class says so |
| map | any mapping | `dict` |
| enum, struct, exception | exactly the class of the contract | itself |
| any | anything | itself |

A value that already has its form is returned as it is, containers too; what changes is copied, never modified.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from gateway.model.contract import MISSING, EnumType, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.instance import new_exception, new_struct
from gateway.model.typeref import Kind, TypeRef

__all__ = ["INTEGER_RANGES", "Checker", "compile_check", "round_to_single"]

INTEGER_RANGES: Final[Mapping[Kind, tuple[int, int]]] = {
    Kind.I8: (-(2**7), 2**7 - 1),
    Kind.I16: (-(2**15), 2**15 - 1),
    Kind.I32: (-(2**31), 2**31 - 1),
    Kind.I64: (-(2**63), 2**63 - 1),
}
"""Smallest and largest value of every integer type that has them."""

_SINGLE: Final = struct.Struct(">f")
_SHOWN: Final = 40

# What wires carry by default: a value must not pass here and fail there.
_MAX_DEPTH: Final = 64

_Active = dict[int, bool]
"""Structs being checked, by id; True once one was met again inside itself."""

_Step = Callable[[Any, _Active], Any]


def compile_check(ref: TypeRef, contract: ServiceContract) -> Callable[[Any], Any]:
    """A function from a Python value to its contract value.

    It raises `ValueMappingError` with the path inside the value. Who compiles several types of one contract
    shares a `Checker`.
    """
    return Checker(contract).compile(ref)


class Checker:
    """Compiles the checks of one contract; each type is compiled once."""

    def __init__(self, contract: ServiceContract) -> None:
        self._contract = contract
        self._steps: dict[TypeRef, _Step] = {}
        self._structs: dict[str, _StructStep] = {}

    def compile(self, ref: TypeRef) -> Callable[[Any], Any]:
        """A function from a Python value to its contract value; it raises `ValueMappingError`."""
        step = self._step(ref)

        return lambda value: step(value, {})

    def _step(self, ref: TypeRef) -> _Step:
        step = self._steps.get(ref)
        if step is None:
            step = self._compile(ref.required()) if ref.kind is not Kind.ANY else _accept
            step = _nullable(step) if ref.nullable else _required(step, ref)
            self._steps[ref] = step
        return step

    def _compile(self, ref: TypeRef) -> _Step:
        kind = ref.kind
        if kind in INTEGER_RANGES or kind is Kind.BIGINT:
            return _integer(kind)
        if kind in _SCALARS:
            return _SCALARS[kind]
        if kind is Kind.LIST:
            return _sequence(ref, self._step(ref.args[0]))
        if kind is Kind.SET:
            return _set(ref, self._step(ref.args[0]))
        if kind is Kind.MAP:
            return _map(ref, self._step(ref.args[0]), self._step(ref.args[1]))
        if kind is Kind.ENUM:
            return _enum(self._contract.enum(ref))
        return self._struct(ref)

    def _struct(self, ref: TypeRef) -> _Step:
        found = self._structs.get(ref.name)
        if found is None:
            # Registered before its fields are compiled: they may name it again.
            found = self._structs[ref.name] = _StructStep(self._contract.struct(ref))
            found.fields = tuple((each, self._step(each.type)) for each in found.definition.fields)
        return found


class _StructStep:
    """Checks a struct or exception field by field."""

    __slots__ = ("definition", "fields")

    def __init__(self, definition: StructType) -> None:
        self.definition = definition
        self.fields: tuple[tuple[Any, _Step], ...] = ()

    def __call__(self, value: Any, active: _Active) -> Any:
        definition = self.definition
        if type(value) is not definition.python_class:
            raise _mismatch(definition.name, value)
        identity = id(value)
        if identity in active:
            active[identity] = True
            return value
        if len(active) >= _MAX_DEPTH:
            raise ValueMappingError(f"structs nested deeper than {_MAX_DEPTH} levels")
        active[identity] = False
        changed = False
        checked: dict[str, Any] = {}
        for field, step in self.fields:
            before = getattr(value, field.attribute, MISSING)
            if before is MISSING:
                before = field.absent()
                changed = True
                if before is MISSING:
                    raise ValueMappingError("the attribute is not set", field.name)
            try:
                after = checked[field.attribute] = step(before, active)
            except ValueMappingError as exc:
                raise exc.within(f".{field.name}") from None
            changed = changed or after is not before
        contains_itself = active.pop(identity)
        if not changed:
            return value
        if contains_itself:
            raise ValueMappingError(f"a {definition.name} that contains itself must have exact types; nothing converts")
        if definition.is_exception:
            return new_exception(definition, value.args[0] if value.args else None, checked)
        return new_struct(definition, checked)


def round_to_single(value: float) -> float:
    """The nearest IEEE 754 single. Raises `ValueMappingError` beyond the largest one."""
    try:
        rounded: float = _SINGLE.unpack(_SINGLE.pack(value))[0]
    except OverflowError:
        raise ValueMappingError(f"{value!r} is beyond the largest f32") from None
    return rounded


def _accept(value: Any, active: _Active) -> Any:
    return value


def _nullable(step: _Step) -> _Step:
    def check(value: Any, active: _Active) -> Any:
        return None if value is None else step(value, active)

    return check


def _required(step: _Step, ref: TypeRef) -> _Step:
    if ref.kind is Kind.NULL:
        return step

    def check(value: Any, active: _Active) -> Any:
        if value is None:
            raise ValueMappingError(f"null where {ref} is required")
        return step(value, active)

    return check


def _integer(kind: Kind) -> _Step:
    low, high = INTEGER_RANGES.get(kind, (None, None))

    def check(value: Any, active: _Active) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _mismatch(kind.value, value)
        number = value if type(value) is int else int(value)
        if low is not None and high is not None and not low <= number <= high:
            shown = number if number.bit_length() <= 64 else f"an integer of {number.bit_length()} bits"
            raise ValueMappingError(f"{shown} does not fit {kind.value}, which goes from {low} to {high}")
        return number

    return check


def _check_null(value: Any, active: _Active) -> Any:
    if value is not None:
        raise _mismatch("null", value)


def _check_f64(value: Any, active: _Active) -> Any:
    if type(value) is float:
        return value
    if isinstance(value, float):
        return float(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _mismatch("f64", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if number != value:
        raise ValueMappingError(f"an integer of {value.bit_length()} bits that no f64 holds exactly")
    return number


def _check_f32(value: Any, active: _Active) -> Any:
    number = _check_f64(value, active)
    rounded = round_to_single(number)
    return number if rounded == number or math.isnan(number) else rounded


def _check_decimal(value: Any, active: _Active) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if not isinstance(value, Decimal):
        raise _mismatch("decimal", value, "a float is not exact; use Decimal" if isinstance(value, float) else "")
    if not value.is_finite():
        raise ValueMappingError(f"expected a finite decimal, found {value}")
    return value


def _check_char(value: Any, active: _Active) -> Any:
    if not isinstance(value, str):
        raise _mismatch("char", value)
    if len(value) != 1 or value > "\uffff":
        units = len(value.encode("utf-16-le", "surrogatepass")) // 2
        raise ValueMappingError(f"expected one character up to U+FFFF, found {units} UTF-16 units")
    return _exact_text(value)


def _check_string(value: Any, active: _Active) -> Any:
    if not isinstance(value, str):
        raise _mismatch("string", value, "decode it" if isinstance(value, bytes) else "")
    return _exact_text(value)


def _exact_text(value: str) -> str:
    return value if type(value) is str else str.__str__(value)


def _check_bytes(value: Any, active: _Active) -> Any:
    if type(value) is bytes:
        return value
    if not isinstance(value, bytes | bytearray | memoryview):
        raise _mismatch("bytes", value, "encode it" if isinstance(value, str) else "")
    return bytes(value)


def _check_date(value: Any, active: _Active) -> Any:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _mismatch("date", value, "use .date()" if isinstance(value, datetime) else "")
    return value


def _check_time(value: Any, active: _Active) -> Any:
    if not isinstance(value, time):
        raise _mismatch("time", value)
    if value.tzinfo is not None:
        raise ValueMappingError("expected a time of day without a zone, found one with a zone")
    return value


def _check_datetime(value: Any, active: _Active) -> Any:
    if not isinstance(value, datetime):
        raise _mismatch("datetime", value)
    if value.tzinfo is UTC:
        return value
    if value.utcoffset() is None:
        raise ValueMappingError(
            "expected an instant, found a datetime without a zone; give it one, or use LocalDateTime"
        )
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueMappingError("in UTC the year is not between 1 and 9999") from None


def _check_local_datetime(value: Any, active: _Active) -> Any:
    if not isinstance(value, datetime):
        raise _mismatch("local_datetime", value)
    if value.tzinfo is not None:
        raise ValueMappingError("expected date and time without a zone, found a datetime with one; use datetime")
    return value


def _check_duration(value: Any, active: _Active) -> Any:
    if not isinstance(value, timedelta):
        raise _mismatch("duration", value, "use timedelta(seconds=…)" if isinstance(value, int | float) else "")
    return value


def _check_uuid(value: Any, active: _Active) -> Any:
    if not isinstance(value, UUID):
        raise _mismatch("uuid", value, "use UUID(text)" if isinstance(value, str) else "")
    return value


def _check_bool(value: Any, active: _Active) -> Any:
    if type(value) is not bool:
        raise _mismatch("bool", value)
    return value


_SCALARS: Final[Mapping[Kind, _Step]] = {
    Kind.NULL: _check_null,
    Kind.BOOL: _check_bool,
    Kind.F32: _check_f32,
    Kind.F64: _check_f64,
    Kind.DECIMAL: _check_decimal,
    Kind.CHAR: _check_char,
    Kind.STRING: _check_string,
    Kind.BYTES: _check_bytes,
    Kind.DATE: _check_date,
    Kind.TIME: _check_time,
    Kind.DATETIME: _check_datetime,
    Kind.LOCAL_DATETIME: _check_local_datetime,
    Kind.DURATION: _check_duration,
    Kind.UUID: _check_uuid,
}


def _enum(definition: EnumType) -> _Step:
    cls = definition.python_class

    def check(value: Any, active: _Active) -> Any:
        if not isinstance(value, cls):
            raise _mismatch(definition.name, value, f"use {cls.__name__}.{definition.constants[0]} and the like")
        return value

    return check


def _sequence(ref: TypeRef, element: _Step) -> _Step:
    wanted: type[Any] = tuple if ref.hint("python") == "tuple" else list

    def check(value: Any, active: _Active) -> Any:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes | bytearray | memoryview):
            raise _mismatch(str(ref), value)
        checked, changed = _check_each(value, element, active)
        return value if type(value) is wanted and not changed else wanted(checked)

    return check


def _set(ref: TypeRef, element: _Step) -> _Step:
    wanted: type[Any] = frozenset if ref.hint("python") == "frozenset" else set

    def check(value: Any, active: _Active) -> Any:
        if not isinstance(value, Set):
            raise _mismatch(str(ref), value)
        checked, changed = _check_each(value, element, active)
        if type(value) is wanted and not changed:
            return value
        result = wanted(checked)
        if len(result) != len(value):
            raise ValueMappingError(f"elements of {ref} that differ become the same value")
        return result

    return check


def _check_each(values: Any, element: _Step, active: _Active) -> tuple[list[Any], bool]:
    checked: list[Any] = []
    changed = False
    for index, before in enumerate(values):
        try:
            after = element(before, active)
        except ValueMappingError as exc:
            raise exc.within(f"[{index}]") from None
        changed = changed or after is not before
        checked.append(after)
    return checked, changed


def _map(ref: TypeRef, key_step: _Step, value_step: _Step) -> _Step:
    def check(value: Any, active: _Active) -> Any:
        if not isinstance(value, Mapping):
            raise _mismatch(str(ref), value)
        checked: dict[Any, Any] = {}
        changed = type(value) is not dict
        for index, (key, item) in enumerate(value.items()):
            try:
                after_key = key_step(key, active)
            except ValueMappingError as exc:
                raise exc.within(f"[key {index}]") from None
            try:
                after = value_step(item, active)
            except ValueMappingError as exc:
                raise exc.within(f"[{_short(key)}]") from None
            changed = changed or after_key is not key or after is not item
            checked[after_key] = after
        if len(checked) != len(value):
            raise ValueMappingError(f"keys of {ref} that differ become the same value")
        return checked if changed else value

    return check


def _short(key: Any) -> str:
    shown = repr(key)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"


def _mismatch(expected: str, value: Any, advice: str = "") -> ValueMappingError:
    found = "null" if value is None else type(value).__qualname__
    return ValueMappingError(f"expected {expected}, found {found}{f'; {advice}' if advice else ''}")
