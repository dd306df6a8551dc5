"""JSON values into contract values, by functions compiled once per type. The mapping stands in `gateway.jsonform`."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from gateway.jsonform import scalar_text
from gateway.jsonform.bare_text import BARE_KINDS, parser_of_bare_text
from gateway.jsonform.form import MAX_DEPTH, SPECIAL_FLOATS, key_text
from gateway.jsonform.generic_reader import read_generic
from gateway.model.contract import MISSING, EnumType, Field, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.key_hash import KeyHashes, has_common_hashes, may_collide
from gateway.model.scalar import INTEGER_RANGES, round_to_single
from gateway.model.typeref import Kind, TypeRef

__all__ = ["FieldName", "Readers", "compile_reader", "contract_name"]

Step = Callable[[Any, int], Any]
"""From a JSON value, so many levels deep, to the contract value."""

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
_SHOWN: Final = 60
_JAVA_DATE: Final = ("java", "java.util.Date")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INTEGER: Final = frozenset({int})
_set_attribute: Final = object.__setattr__


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


class Readers:
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
        self._contract = contract
        self._epoch_dates = epoch_dates
        self._ignore_unknown = ignore_unknown
        self._field_name = contract_name if field_name is None else field_name
        self._steps: dict[TypeRef, Step] = {}
        self._structs: dict[str, Step] = {}

    def compile(self, ref: TypeRef) -> Callable[[Any], Any]:
        """As `compile_reader`."""
        step = self._step(ref)

        return lambda value: step(value, 0)

    def _step(self, ref: TypeRef) -> Step:
        step = self._steps.get(ref)
        if step is None:
            step = self._compile(ref)
            if ref.nullable and ref.kind is not Kind.ANY:
                step = _nullable(step)
            self._steps[ref] = step
        return step

    def _compile(self, ref: TypeRef) -> Step:
        kind = ref.kind
        if kind in INTEGER_RANGES:
            return _integer(ref)
        if kind is Kind.DATETIME and self._epoch_dates and _JAVA_DATE in ref.hints:
            return _java_date(ref)
        if kind in _TEXTUAL:
            return _textual(ref, _TEXTUAL[kind])
        if kind in _SCALARS:
            return _SCALARS[kind](ref)
        match kind:
            case Kind.ANY:
                return lambda value, depth: read_generic(value, self._read_named, depth)
            case Kind.LIST:
                return _list(ref, self._step(ref.args[0]))
            case Kind.SET:
                return _set(ref, self._step(ref.args[0]))
            case Kind.MAP:
                return _map(ref, self._step(ref.args[0]), self._step(ref.args[1]))
            case Kind.ENUM:
                return _enum(self._contract.enum(ref))
        return self._struct(self._contract.struct(ref))

    def _struct(self, definition: StructType) -> Step:
        found = self._structs.get(definition.name)
        if found is None:
            # Registered before its fields are compiled: they may name it again.
            fields: list[tuple[Field, str, str, Step]] = []
            found = self._structs[definition.name] = _struct(definition, fields, self._ignore_unknown)
            name_of = self._field_name
            fields += [
                (each, name_of(definition, each), each.attribute, self._step(each.type)) for each in definition.fields
            ]
        return found

    def _read_named(self, name: str, members: Mapping[str, Any] | str, depth: int) -> Any:
        definition = self._contract.types.get(name)
        if definition is None:
            return NotImplemented
        if isinstance(definition, EnumType):
            if not isinstance(members, str):
                raise ValueMappingError(f"{name} is an enum; only structs are objects")
            return _enum(definition)(members, depth)
        return NotImplemented if isinstance(members, str) else self._struct(definition)(members, depth)


def _nullable(step: Step) -> Step:
    def read(value: Any, depth: int) -> Any:
        return None if value is None else step(value, depth)

    return read


def _null(ref: TypeRef) -> Step:
    def read(value: Any, depth: int) -> Any:
        if value is not None:
            raise _mismatch(ref, value)

    return read


def _bool(ref: TypeRef) -> Step:
    def read(value: Any, depth: int) -> Any:
        if value is True or value is False:
            return value
        raise _mismatch(ref, value)

    return read


def _string(ref: TypeRef) -> Step:
    def read(value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return value
        raise _mismatch(ref, value)

    return read


def _char(ref: TypeRef) -> Step:
    def read(value: Any, depth: int) -> Any:
        if not isinstance(value, str):
            raise _mismatch(ref, value)
        if len(value) != 1 or value > "\uffff":
            raise ValueMappingError(f"expected one character up to U+FFFF, found a text of {len(value)}")
        return value

    return read


def _textual(ref: TypeRef, parse: Callable[[str], Any]) -> Step:
    def read(value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return parse(value)
        raise _mismatch(ref, value)

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
        raise _mismatch(ref, value)
    exact = Decimal(value)
    if not exact.is_finite() or exact.adjusted() > scalar_text.MAX_DIGITS:
        raise _mismatch(ref, value)
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
        raise _mismatch(ref, value, 'a number, "NaN", "Infinity" or "-Infinity"')

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
            raise _mismatch(ref, value)
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
            raise _mismatch(definition.name, value)
        found = members.get(value)
        if found is None:
            raise ValueMappingError(f"{definition.name} has no constant {_shown(value)}{_did_you_mean(value, members)}")
        return found

    return read


def _elements(ref: TypeRef, element: Step) -> Step:
    """Reads an array as a new list, whatever collection it is to become."""
    item = ref.args[0]
    low, high = INTEGER_RANGES.get(item.kind, (0, 0))
    whole = item.kind in INTEGER_RANGES and not item.nullable

    def read(value: Any, depth: int) -> list[Any]:
        if not isinstance(value, list):
            raise _mismatch(ref, value, "an array")
        if depth > MAX_DEPTH:
            raise _too_deep()
        if whole and set(map(type, value)) == _INTEGER and low <= min(value) and max(value) <= high:
            return value.copy()
        depth += 1
        found: list[Any] = []
        append = found.append
        try:
            for each in value:
                append(element(each, depth))
        except ValueMappingError as exc:
            raise exc.within(f"[{len(found)}]") from None
        return found

    return read


def _list(ref: TypeRef, element: Step) -> Step:
    elements = _elements(ref, element)
    if ref.hint("python") == "tuple":
        return lambda value, depth: tuple(elements(value, depth))
    return elements


def _set(ref: TypeRef, element: Step) -> Step:
    elements = _elements(ref, element)
    cls: type[Any] = frozenset if ref.hint("python") == "frozenset" else set
    guarded = may_collide(ref.args[0])

    def read(value: Any, depth: int) -> Any:
        items = elements(value, depth)
        if guarded and has_common_hashes(items):
            raise ValueMappingError(f"too many elements of {ref} have the same hash")
        found = cls(items)
        if len(found) != len(items):
            raise ValueMappingError(f"an element of {ref} stands twice")
        return found

    return read


def _map(ref: TypeRef, key_step: Step, value_step: Step) -> Step:
    key_kind = ref.args[0].kind
    parse_key = parser_of_bare_text(key_kind)
    guarded = may_collide(ref.args[0])

    def read(value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise _too_deep()
        depth += 1
        found: dict[Any, Any] = {}
        if isinstance(value, dict) and key_kind is Kind.STRING:
            for key, item in value.items():
                try:
                    found[key] = value_step(item, depth)
                except ValueMappingError as exc:
                    raise exc.within(f"[{key_text(key, len(found))}]") from None
            return found
        is_object = isinstance(value, dict)
        hashes = KeyHashes() if guarded else None
        for key, item in _pairs(value, ref):
            try:
                converted = key_step(parse_key(key) if is_object else key, depth)
            except ValueMappingError as exc:
                raise exc.within(f"[key {len(found)}]") from None
            if hashes is not None and not hashes.admit(converted):
                raise ValueMappingError(f"too many keys of {ref} have the same hash", f"[key {len(found)}]")
            if converted in found:
                raise ValueMappingError("the key stands twice", f"[key {len(found)}]")
            try:
                found[converted] = value_step(item, depth)
            except ValueMappingError as exc:
                raise exc.within(f"[{key_text(key, len(found))}]") from None
        return found

    return read


def _pairs(value: Any, ref: TypeRef) -> Iterable[tuple[Any, Any]]:
    if isinstance(value, dict):
        if ref.args[0].kind not in BARE_KINDS and ref.args[0].kind is not Kind.ANY:
            raise ValueMappingError(f"the keys of {ref} are no texts; write [[key, value], …]")
        return value.items()
    if isinstance(value, list) and all(isinstance(each, list | tuple) and len(each) == 2 for each in value):
        return value
    raise _mismatch(ref, value, "an object, or an array of pairs [[key, value], …]")


def _struct(definition: StructType, fields: list[tuple[Field, str, str, Step]], ignore_unknown: bool) -> Step:
    """`fields`: filled after this returns, with the JSON name, the attribute and the reader of each."""
    cls: Any = definition.python_class
    new = cls.__new__
    is_exception = definition.is_exception

    def own_names() -> list[str]:
        return [name for _, name, _, _ in fields]

    def read(value: Any, depth: int) -> Any:
        if not isinstance(value, dict):
            raise _mismatch(definition.name, value, "an object")
        if depth > MAX_DEPTH:
            raise _too_deep()
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
            raise ValueMappingError(f"expected a text, found {_json_name(message)}", ".message")
        _set_attribute(instance, "args", () if message is None else (message,))
        return "message" in value and "message" not in own_names()

    def _refuse_unknown(value: dict[str, Any]) -> None:
        known = own_names()
        for name in value:
            # A struct inside any says its class; saying what is known anyway does no harm elsewhere.
            known_class = name == "class" and value["class"] == definition.name
            if name not in known and not known_class and not (is_exception and name == "message"):
                raise ValueMappingError(f"{definition.name} has no field {_shown(name)}{_did_you_mean(name, known)}")

    return read


def _too_deep() -> ValueMappingError:
    return ValueMappingError(f"nested deeper than {MAX_DEPTH} levels")


def _mismatch(expected: TypeRef | str, value: Any, form: str = "") -> ValueMappingError:
    name = str(expected.required()) if isinstance(expected, TypeRef) else expected
    if value is None:
        return ValueMappingError(f"null where {name} is required")
    return ValueMappingError(f"expected {name}{f' as {form}' if form else ''}, found {_json_name(value)}")


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


def _shown(name: str) -> str:
    return repr(name) if len(name) <= _SHOWN else f"of {len(name)} characters"


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    # Comparing costs the product of the lengths; a long name is no slip of the pen.
    close = difflib.get_close_matches(name, sorted(known), 1) if len(name) <= _SHOWN else []
    return f"; did you mean {close[0]!r}?" if close else ""
