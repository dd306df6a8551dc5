"""What fills the places of a command: functions from a call's arguments, compiled once for each method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from gateway.model.contract import MethodContract, Param, ServiceContract
from gateway.model.errors import ValueMappingError
from gateway.model.scalar import INTEGER_RANGES
from gateway.model.typeref import Kind, TypeRef
from protocols.data.command import Argument
from protocols.data.encoding import Stored, Values
from protocols.data.key import KeyCheck, filled, is_key, key_writer, split_template
from protocols.data.verb import Role

__all__ = ["Fill", "PlaceMisfit", "compile_place", "parameters_of"]

Fill = Callable[[Sequence[Any]], Any]
"""From all arguments of a call to what stands in a place: bytes, a `Stored`, a list of these, a number."""

_INTEGERS: Final = frozenset({*INTEGER_RANGES, Kind.BIGINT})
_NUMBERS: Final = _INTEGERS | {Kind.F32, Kind.F64, Kind.DECIMAL}
_LISTS: Final = frozenset({Kind.LIST, Kind.SET})
_U64: Final = (1 << 64) - 1
_MILLISECOND: Final = timedelta(milliseconds=1)
_MOST_SECONDS: Final = 10**10
"""More than three hundred years; a millisecond of it still fits what servers count with."""


class PlaceMisfit(Exception):
    """An argument does not fit its place; says why."""


def compile_place(
    name: str,
    role: Role,
    argument: Argument,
    method: MethodContract,
    contract: ServiceContract,
    values: Values,
    check_key: KeyCheck,
    prefix: bytes,
) -> Fill:
    """The function for one place. Raises `PlaceMisfit`."""
    if argument.constant is not None:
        return _constant(name, role, argument.constant, method, contract, check_key, prefix)
    position, param = _param(method, argument.parameter)
    convert = _converter(name, role, param, contract, values, check_key, prefix)

    def fill(arguments: Sequence[Any]) -> Any:
        try:
            return convert(arguments[position])
        except ValueMappingError as exc:
            raise exc.within(param.name) from None

    return fill


def _param(method: MethodContract, name: str) -> tuple[int, Param]:
    for position, param in enumerate(method.params):
        if param.name == name:
            return position, param
    known = ", ".join(each.name for each in method.params) or "none"
    raise PlaceMisfit(f"{method.name} has no parameter {name!r}; it has {known}")


def _constant(
    name: str,
    role: Role,
    constant: str | int,
    method: MethodContract,
    contract: ServiceContract,
    check_key: KeyCheck,
    prefix: bytes,
) -> Fill:
    if role in (Role.KEY, Role.FIELD) and isinstance(constant, str):
        return _template(role, constant, method, contract, check_key, prefix)
    if role in (Role.DELTA, Role.AMOUNT, Role.INDEX) and isinstance(constant, int):
        return lambda arguments: constant
    if role is Role.TTL and isinstance(constant, int):
        if not 0 < constant <= _MOST_SECONDS:
            raise PlaceMisfit(f"{name} is more than 0 seconds")
        return lambda arguments: constant * 1_000
    raise PlaceMisfit(f"{name} takes no {'text' if isinstance(constant, str) else 'number'} that stands for itself")


def _template(
    role: Role, text: str, method: MethodContract, contract: ServiceContract, check_key: KeyCheck, prefix: bytes
) -> Fill:
    try:
        texts, names = split_template(text)
    except ValueError as exc:
        raise PlaceMisfit(str(exc)) from None
    parts = [each.encode() for each in texts]
    if role is Role.KEY:
        parts[0] = prefix + parts[0]
    finish: KeyCheck = check_key if role is Role.KEY else bytes
    writers = []
    for each in names:
        position, param = _param(method, each)
        if not is_key(param.type):
            raise PlaceMisfit(f"{each} is {param.type}, and only scalars that are never null make a key")
        writers.append((position, param.name, key_writer(param.type, contract)))

    def fill(arguments: Sequence[Any]) -> bytes:
        made = []
        for position, name, write in writers:
            try:
                made.append(write(arguments[position]))
            except ValueMappingError as exc:
                raise exc.within(name) from None
        return finish(filled(parts, made))

    return fill


def parameters_of(argument: Argument) -> tuple[str, ...]:
    """The parameters that an argument uses; none where its template is wrong, which is said elsewhere."""
    if argument.constant is None:
        return (argument.parameter,)
    if isinstance(argument.constant, int):
        return ()
    try:
        return split_template(argument.constant)[1]
    except ValueError:
        return ()


def _converter(
    name: str,
    role: Role,
    param: Param,
    contract: ServiceContract,
    values: Values,
    check_key: KeyCheck,
    prefix: bytes,
) -> Callable[[Any], Any]:
    ref = param.type
    if role is Role.KEY or role is Role.FIELD:
        return _text(name, param, ref, contract, *((prefix, check_key) if role is Role.KEY else (b"", bytes)))
    if role is Role.KEYS or role is Role.FIELDS:
        own = (prefix, check_key) if role is Role.KEYS else (b"", bytes)
        if ref.kind not in _LISTS:
            one = _text(name, param, ref, contract, *own)
            return lambda value: [one(value)]
        return _list(_text(name, param, ref.args[0], contract, *own))
    if role is Role.VALUE:
        return values.writer(ref)
    if role is Role.VALUES:
        if ref.kind not in _LISTS:
            write = values.writer(ref)
            return lambda value: [write(value)]
        return _list(values.writer(ref.args[0]))
    if role is Role.ENTRIES:
        return _entries(name, param, contract, values, check_key, prefix)
    return _number(name, role, param)


def _text(
    name: str, param: Param, ref: TypeRef, contract: ServiceContract, prefix: bytes, check_key: KeyCheck
) -> Callable[[Any], bytes]:
    if not is_key(ref):
        raise PlaceMisfit(f"{param.name} is {param.type}; {name} takes scalars that are never null")
    write = key_writer(ref, contract)
    return lambda value: check_key(prefix + write(value))


def _list(convert: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def convert_all(items: Any) -> list[Any]:
        made: list[Any] = []
        for index, each in enumerate(items or ()):
            try:
                made.append(convert(each))
            except ValueMappingError as exc:
                raise exc.within(f"[{index}]") from None
        return made

    return convert_all


def _entries(
    name: str, param: Param, contract: ServiceContract, values: Values, check_key: KeyCheck, prefix: bytes
) -> Callable[[Any], list[tuple[bytes, Stored | None]]]:
    """Pairs of key or field and value; None for a field of a struct that is null, which has to go."""
    ref = param.type
    is_fields = name == "fields"
    if ref.kind is Kind.MAP:
        own = (b"", bytes) if is_fields else (prefix, check_key)
        key, write = _text(name, param, ref.args[0], contract, *own), values.writer(ref.args[1])

        def pairs(value: Any) -> list[tuple[bytes, Stored | None]]:
            return [(key(each), write(item)) for each, item in (value or {}).items()]

        return pairs
    if ref.kind is Kind.STRUCT and is_fields:
        members = [
            (field.name.encode(), field.attribute, values.writer(field.type), field.type.nullable, field.name)
            for field in contract.struct(ref).fields
        ]

        def fields(value: Any) -> list[tuple[bytes, Stored | None]]:
            made: list[tuple[bytes, Stored | None]] = []
            for field, attribute, write, nullable, contract_name in members:
                found = getattr(value, attribute)
                try:
                    made.append((field, None if found is None and nullable else write(found)))
                except ValueMappingError as exc:
                    raise exc.within(f".{contract_name}") from None
            return made

        return fields
    raise PlaceMisfit(f"{param.name} is {ref}; {name} takes a map{' or a struct' if is_fields else ''}")


def _number(name: str, role: Role, param: Param) -> Callable[[Any], Any]:
    kind = param.type.kind
    if role is Role.TTL:
        if kind is Kind.DURATION or kind in _NUMBERS:
            return _milliseconds
        raise PlaceMisfit(f"{param.name} is {param.type}; {name} takes seconds or a duration")
    if role is Role.AMOUNT:
        if kind in _NUMBERS and not param.type.nullable:
            return lambda value: value
        raise PlaceMisfit(f"{param.name} is {param.type}; {name} takes a number")
    if kind in _INTEGERS and (role is Role.DELTA or not param.type.nullable):
        # Versions are 64 bits without a sign; an i64 has the same bits with one.
        return (lambda value: value & _U64) if role is Role.VERSION and kind is Kind.I64 else lambda value: value
    raise PlaceMisfit(f"{param.name} is {param.type}; {name} takes an integer")


def _milliseconds(value: Any) -> int | None:
    """Whole milliseconds of a time to live, at least one; None for ever."""
    if value is None:
        return None
    if isinstance(value, timedelta):
        millis = -(-value // _MILLISECOND)
    else:
        if value != value or abs(value) > _MOST_SECONDS:
            raise ValueMappingError(f"{value} seconds are no time to live")
        exact = Decimal(value) * 1_000
        millis = int(exact.to_integral_value(rounding="ROUND_CEILING"))
    if not 0 < millis <= _MOST_SECONDS * 1_000:
        raise ValueMappingError("a time to live is more than 0 seconds, and null for ever")
    return millis
