"""Contract values as JSON, and back: what the command line reads and prints.

| type | JSON |
| --- | --- |
| null, bool, i8 … i64 | null, true and false, a number (exact) |
| f32, f64 | a number, or the texts `NaN`, `Infinity`, `-Infinity` |
| bigint, decimal | a text; a number is read too |
| char, string | a text |
| bytes, date, time, datetime, local_datetime, duration, uuid | a text, see `gateway.contracts.scalar_text` |
| list, set | an array; a set with an element twice is refused |
| map | an object where keys are strings, else an array of pairs `[[key, value], …]`; read also as the other |
| enum | its constant's name |
| struct | an object by contract field names; unknown fields are refused |
| exception | the same, its text as `message` |
| any | see `gateway.contracts.json_generic` |

JSON here is what `parse_json` gives: a number with a fraction or exponent is a `Decimal`, so that nothing is rounded
before its type is known. What `json.loads` gives is read too.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final

from gateway.contracts import scalar_text
from gateway.contracts.json_generic import read_generic, to_json_generic
from gateway.contracts.values import INTEGER_RANGES, compile_check, round_to_single
from gateway.model.contract import MISSING, EnumType, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.instance import new_exception, new_struct
from gateway.model.typeref import Kind, TypeRef

__all__ = ["from_json", "parse_json", "to_json"]

_MAX_DEPTH: Final = 64
_MAX_DIGITS: Final = 10_000
_SPECIAL: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_TEXTUAL: Final[Mapping[Kind, Callable[[str], Any]]] = {
    Kind.BYTES: scalar_text.parse_bytes,
    Kind.DATE: scalar_text.parse_date,
    Kind.TIME: scalar_text.parse_time,
    Kind.DATETIME: scalar_text.parse_datetime,
    Kind.LOCAL_DATETIME: scalar_text.parse_local_datetime,
    Kind.DURATION: scalar_text.parse_duration,
    Kind.UUID: scalar_text.parse_uuid,
}
_FORMATS: Final[Mapping[Kind, Callable[[Any], Any]]] = {
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


def parse_json(text: str) -> Any:
    """JSON text as values for `from_json`; numbers lose nothing.

    Raises:
        ValueMappingError: not JSON (says where), nested too deeply, a key twice in one object.
    """
    try:
        return json.loads(
            text,
            parse_float=Decimal,
            parse_int=_parse_int,
            parse_constant=_SPECIAL.__getitem__,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as exc:
        raise ValueMappingError(f"not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}") from None
    except RecursionError:
        raise ValueMappingError("the JSON is nested too deeply") from None


def from_json(value: Any, ref: TypeRef, contract: ServiceContract) -> Any:
    """The contract value that a JSON value stands for.

    Raises:
        ValueMappingError: it stands for none of this type; `path` is the place inside the value.
    """
    return _from_json(value, ref, contract, 0)


def to_json(value: Any, ref: TypeRef, contract: ServiceContract) -> Any:
    """A contract value as values `json.dumps` writes.

    Raises:
        ValueMappingError: nested deeper than 64 levels, or containing itself; or not of this type.
    """
    return _to_json(compile_check(ref, contract)(value), ref, contract, 0)


def _parse_int(text: str) -> int | Decimal:
    return Decimal(text) if text == "-0" else scalar_text.parse_integer(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueMappingError(f"the key {twice!r} stands twice in one JSON object")
    return found


def _from_json(value: Any, ref: TypeRef, contract: ServiceContract, depth: int) -> Any:
    kind = ref.kind
    if depth > _MAX_DEPTH:
        raise ValueMappingError(f"nested deeper than {_MAX_DEPTH} levels")
    if kind is Kind.ANY:
        return read_generic(value, partial(_read_class, contract), depth)
    if value is None:
        if ref.nullable or kind is Kind.NULL:
            return None
        raise ValueMappingError(f"null where {ref} is required")
    if kind in INTEGER_RANGES or kind is Kind.BIGINT:
        return _integer(value, kind)
    if kind in (Kind.F32, Kind.F64):
        number = _float(value, kind)
        return round_to_single(number) if kind is Kind.F32 else number
    if kind is Kind.DECIMAL:
        return _decimal(value)
    if kind in _TEXTUAL:
        return _TEXTUAL[kind](_text(value, ref))
    if kind in (Kind.LIST, Kind.SET):
        return _collection(value, ref, contract, depth)
    if kind is Kind.MAP:
        return _map(value, ref, contract, depth)
    if kind in (Kind.STRUCT, Kind.EXCEPTION):
        return _struct(value, contract.struct(ref), contract, depth)
    return _simple(value, ref, contract)


def _simple(value: Any, ref: TypeRef, contract: ServiceContract) -> Any:
    match ref.kind:
        case Kind.BOOL:
            if type(value) is not bool:
                raise _mismatch(ref, value)
            return value
        case Kind.STRING:
            return _text(value, ref)
        case Kind.CHAR:
            text = _text(value, ref)
            if len(text) != 1 or text > "\uffff":
                raise ValueMappingError(f"expected one character up to U+FFFF, found a text of {len(text)}")
            return text
        case Kind.ENUM:
            return _constant(_text(value, ref), contract.enum(ref))
    raise _mismatch(ref, value)


def _text(value: Any, ref: TypeRef) -> str:
    if not isinstance(value, str):
        raise _mismatch(ref, value)
    return value


def _integer(value: Any, kind: Kind) -> int:
    if isinstance(value, str) and kind is Kind.BIGINT:
        number = scalar_text.parse_integer(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float | Decimal):
        number = _integral(value, kind)
    else:
        raise _mismatch(kind.value, value)
    low, high = INTEGER_RANGES.get(kind, (None, None))
    if low is not None and high is not None and not low <= number <= high:
        raise ValueMappingError(f"the number does not fit {kind.value}, which goes from {low} to {high}")
    return number


def _integral(value: float | Decimal, kind: Kind) -> int:
    exact = Decimal(value)
    if not exact.is_finite() or exact.adjusted() > _MAX_DIGITS:
        raise _mismatch(kind.value, value)
    if exact != exact.to_integral_value():
        raise ValueMappingError(f"expected {kind.value}, found a number with a fraction")
    return int(exact)


def _float(value: Any, kind: Kind) -> float:
    if isinstance(value, str) and value in _SPECIAL:
        return _SPECIAL[value]
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _mismatch(kind.value, value, 'a number, "NaN", "Infinity" or "-Infinity"')
    try:
        number = math.nan if isinstance(value, Decimal) and value.is_nan() else float(value)
    except OverflowError:
        number = math.inf
    if math.isinf(number) and not isinstance(value, float):
        raise ValueMappingError(f"the number is beyond the largest {kind.value}")
    return number


def _decimal(value: Any) -> Decimal:
    if isinstance(value, str):
        return scalar_text.parse_decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _mismatch(Kind.DECIMAL.value, value)
    # The shortest text of a float is what stood in the JSON.
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise ValueMappingError(f"expected a finite decimal, found {number}")
    return number


def _constant(name: str, definition: EnumType) -> Any:
    if name not in definition.constants:
        raise ValueMappingError(
            f"{definition.name} has no constant {name!r}{_did_you_mean(name, definition.constants)}"
        )
    return definition.python_class[name]


def _collection(value: Any, ref: TypeRef, contract: ServiceContract, depth: int) -> Any:
    if not isinstance(value, list | tuple):
        raise _mismatch(ref, value, "an array")
    elements = [_at(f"[{index}]", each, ref.args[0], contract, depth) for index, each in enumerate(value)]
    if ref.kind is Kind.LIST:
        return tuple(elements) if ref.hint("python") == "tuple" else elements
    found = frozenset(elements) if ref.hint("python") == "frozenset" else set(elements)
    if len(found) != len(elements):
        raise ValueMappingError(f"an element of {ref} stands twice")
    return found


def _map(value: Any, ref: TypeRef, contract: ServiceContract, depth: int) -> dict[Any, Any]:
    key_type, value_type = ref.args
    found: dict[Any, Any] = {}
    if isinstance(value, Mapping):
        if key_type.kind in (Kind.LIST, Kind.SET, Kind.MAP, Kind.STRUCT, Kind.BOOL, Kind.F32, Kind.F64):
            raise ValueMappingError(f"the keys of {ref} are no texts; write [[key, value], …]")
        pairs = list(value.items())
        if key_type.kind in INTEGER_RANGES:
            pairs = [(scalar_text.parse_integer(key), item) for key, item in pairs]
    elif isinstance(value, list | tuple) and all(isinstance(each, list | tuple) and len(each) == 2 for each in value):
        pairs = [(each[0], each[1]) for each in value]
    else:
        raise _mismatch(ref, value, "an object, or an array of pairs [[key, value], …]")
    for index, (key, item) in enumerate(pairs):
        converted = _at(f"[key {index}]", key, key_type, contract, depth)
        if converted in found:
            raise ValueMappingError("the key stands twice", f"[key {index}]")
        found[converted] = _at(f"[{_key_text(key, index)}]", item, value_type, contract, depth)
    return found


def _struct(value: Any, definition: StructType, contract: ServiceContract, depth: int) -> Any:
    if not isinstance(value, Mapping):
        raise _mismatch(definition.name, value, "an object")
    left = dict(value)
    if left.get("class") == definition.name and all(field.name != "class" for field in definition.fields):
        # Written by to_json_generic; saying what is known anyway does no harm.
        del left["class"]
    message = left.pop("message", None) if definition.is_exception else None
    if not isinstance(message, str | None):
        raise ValueMappingError(f"expected a text, found {_json_name(message)}", ".message")
    values: dict[str, Any] = {}
    for field in definition.fields:
        if field.name in left:
            item = _at(f".{field.name}", left.pop(field.name), field.type, contract, depth)
        else:
            item = field.absent()
        if item is MISSING:
            raise ValueMappingError(f"the field {field.name!r} of {definition.name} is missing")
        values[field.attribute] = item
    if left:
        name = next(iter(left))
        close = _did_you_mean(str(name), [field.name for field in definition.fields])
        raise ValueMappingError(f"{definition.name} has no field {name!r}{close}")
    return new_exception(definition, message, values) if definition.is_exception else new_struct(definition, values)


def _read_class(contract: ServiceContract, name: str, members: Mapping[str, Any], depth: int) -> Any:
    """An object inside `any` that names its class; `NotImplemented` when the contract does not know it."""
    definition = contract.types.get(name)
    if isinstance(definition, EnumType):
        raise ValueMappingError(f"{name} is an enum; only structs are objects")
    return NotImplemented if definition is None else _struct(members, definition, contract, depth)


def _at(place: str, value: Any, ref: TypeRef, contract: ServiceContract, depth: int) -> Any:
    try:
        return _from_json(value, ref, contract, depth + 1)
    except ValueMappingError as exc:
        raise exc.within(place) from None


def _to_json(value: Any, ref: TypeRef, contract: ServiceContract, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise ValueMappingError(f"nested deeper than {_MAX_DEPTH} levels, or containing itself")
    kind = ref.kind
    if kind is Kind.ANY:
        return to_json_generic(value, contract)
    if value is None:
        return None
    if kind in _FORMATS:
        return _FORMATS[kind](value)
    match kind:
        case Kind.F32 | Kind.F64:
            return (
                value
                if math.isfinite(value)
                else next(text for text, each in _SPECIAL.items() if repr(each) == repr(value))
            )
        case Kind.LIST | Kind.SET:
            return [_to_json(each, ref.args[0], contract, depth + 1) for each in value]
        case Kind.MAP:
            return _map_to_json(value, ref, contract, depth)
        case Kind.ENUM:
            return value.name
        case Kind.STRUCT | Kind.EXCEPTION:
            definition = contract.struct(ref)
            shown = {
                field.name: _to_json(getattr(value, field.attribute), field.type, contract, depth + 1)
                for field in definition.fields
            }
            return {"message": value.args[0] if value.args else None, **shown} if definition.is_exception else shown
    return value


def _map_to_json(value: Mapping[Any, Any], ref: TypeRef, contract: ServiceContract, depth: int) -> Any:
    key_type, value_type = ref.args
    if key_type.kind is Kind.STRING and not key_type.nullable:
        return {key: _to_json(item, value_type, contract, depth + 1) for key, item in value.items()}
    return [
        [_to_json(key, key_type, contract, depth + 1), _to_json(item, value_type, contract, depth + 1)]
        for key, item in value.items()
    ]


def _mismatch(expected: object, value: Any, form: str = "") -> ValueMappingError:
    return ValueMappingError(f"expected {expected}{f' as {form}' if form else ''}, found {_json_name(value)}")


def _json_name(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "an object" if isinstance(value, Mapping) else "an array"


def _did_you_mean(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _key_text(key: Any, index: int) -> str:
    return repr(key) if isinstance(key, str | int) and len(str(key)) <= 40 else str(index)
