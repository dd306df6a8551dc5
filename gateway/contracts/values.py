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
| callback | a `Callback` of its contract, which clients make of the objects they are given | itself |

A value that already has its form is returned as it is, containers too; what changes is copied, never modified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, Final

from gateway.model.callback import Callback
from gateway.model.contract import MISSING, EnumType, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.instance import new_exception, new_struct
from gateway.model.scalar import SCALAR_CHECKS, mismatch
from gateway.model.typeref import Kind, TypeRef

__all__ = ["Checker", "compile_check"]

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
        if kind in SCALAR_CHECKS:
            return SCALAR_CHECKS[kind]
        if kind is Kind.LIST:
            return _sequence(ref, self._step(ref.args[0]))
        if kind is Kind.SET:
            return _set(ref, self._step(ref.args[0]))
        if kind is Kind.MAP:
            return _map(ref, self._step(ref.args[0]), self._step(ref.args[1]))
        if kind is Kind.ENUM:
            return _enum(self._contract.enum(ref))
        if kind is Kind.CALLBACK:
            return _callback(ref)
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
            raise mismatch(definition.name, value)
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


def _enum(definition: EnumType) -> _Step:
    cls = definition.python_class

    def check(value: Any, active: _Active) -> Any:
        if not isinstance(value, cls):
            raise mismatch(definition.name, value, f"use {cls.__name__}.{definition.constants[0]} and the like")
        return value

    return check


def _callback(ref: TypeRef) -> _Step:
    def check(value: Any, active: _Active) -> Any:
        if not isinstance(value, Callback) or value.contract.name != ref.name:
            raise mismatch(f"a callback {ref.name}", value)
        return value

    return check


def _sequence(ref: TypeRef, element: _Step) -> _Step:
    wanted: type[Any] = tuple if ref.hint("python") == "tuple" else list

    def check(value: Any, active: _Active) -> Any:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes | bytearray | memoryview):
            raise mismatch(str(ref), value)
        checked, changed = _check_each(value, element, active)
        return value if type(value) is wanted and not changed else wanted(checked)

    return check


def _set(ref: TypeRef, element: _Step) -> _Step:
    wanted: type[Any] = frozenset if ref.hint("python") == "frozenset" else set

    def check(value: Any, active: _Active) -> Any:
        if not isinstance(value, Set):
            raise mismatch(str(ref), value)
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
            raise mismatch(str(ref), value)
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
