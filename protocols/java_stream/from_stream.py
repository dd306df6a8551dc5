"""From what a stream holds to values of a contract.

| type | read from |
| --- | --- |
| bool | Boolean |
| i8 … i64, bigint | Byte, Short, Integer, Long, BigInteger in range |
| f32, f64 | Float, Double where a single holds it; whole numbers never |
| decimal | BigDecimal, BigInteger |
| char, string | Character, String |
| bytes | `byte[]` |
| datetime | `java.util.Date`, Instant |
| date, time, local_datetime, duration | LocalDate, LocalTime, LocalDateTime, Duration |
| uuid | UUID |
| list, set, map | lists and arrays, sets, maps of `java.util`, what `List.of` and the like give, and views of them |
| enum | a constant of its class |
| struct | an object of its class; fields it does not know are passed over, as Java does |
| any | all of these; objects and constants of classes that the contract does not know are refused |
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from gateway.jsonform.form import enter, key_text
from gateway.model.contract import MISSING, EnumType, Field, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.generic import BigInt, JavaDate, Long
from gateway.model.instance import new_struct
from gateway.model.key_hash import KeyHashes, has_common_hashes
from gateway.model.scalar import INTEGER_RANGES, round_to_single
from gateway.model.type_steps import Step, TypeSteps
from gateway.model.typeref import Kind, TypeRef
from protocols.java import class_name, field_name
from protocols.java_stream.grammar import Char, JavaArray, JavaEnum, JavaObject
from protocols.java_stream.parts import (
    big_decimal,
    big_integer,
    elements_of,
    entries_of,
    instant_of_date,
    time_of,
    unboxed,
    uuid_of,
)
from protocols.reader import DEFAULT_LIMITS

__all__ = ["FromStream"]

_Member = tuple[Field, str, Step]
_SINGLE: Final = "java.lang.Float"


class FromStream(TypeSteps[_Member]):
    """Compiles the readers of one contract; each type is compiled once.

    `max_elements`: of one value, a container counting four more. What is shared is counted each time.
    """

    def __init__(self, contract: ServiceContract, max_elements: int = DEFAULT_LIMITS.max_elements) -> None:
        super().__init__(contract)
        self._max_elements = max_elements
        self._by_class = {class_name(each): each for each in contract.types.values()}

    def compile(self, ref: TypeRef) -> Callable[[Any], Any]:
        """A function from what `StreamReader.read` gave; raises `ValueMappingError` with the place inside of it."""
        step = self.step(ref)
        return lambda node: step(node, [0, self._max_elements])

    def member(self, definition: StructType, field: Field, step: Step) -> _Member:
        """See `TypeSteps`."""
        return field, field_name(field), step

    def of_any(self) -> Step:
        """See `TypeSteps`."""
        return self._any

    def of_scalar(self, ref: TypeRef) -> Step:
        """See `TypeSteps`."""
        kind = ref.kind
        if kind in INTEGER_RANGES:
            return _integer(kind)
        return _SCALARS[kind]

    def of_list(self, ref: TypeRef, element: Step) -> Step:
        """See `TypeSteps`."""
        wanted: type[Any] = tuple if ref.hint("python") == "tuple" else list

        def read(node: Any, walk: Any) -> Any:
            found = elements_of(node, of_set=False)
            if found is None:
                raise _mismatch(str(ref), node)
            items = _each(found, element, walk)
            return items if wanted is list else wanted(items)

        return read

    def of_set(self, ref: TypeRef, element: Step) -> Step:
        """See `TypeSteps`."""
        wanted: type[Any] = frozenset if ref.hint("python") == "frozenset" else set

        def read(node: Any, walk: Any) -> Any:
            found = elements_of(node, of_set=True)
            if found is None:
                raise _mismatch(str(ref), node)
            return _as_set(_each(found, element, walk), wanted)

        return read

    def of_map(self, ref: TypeRef, key: Step, value: Step) -> Step:
        """See `TypeSteps`."""

        def read(node: Any, walk: Any) -> Any:
            found = entries_of(node)
            if found is None:
                raise _mismatch(str(ref), node)
            return _entries(found, key, value, walk)

        return read

    def of_enum(self, definition: EnumType) -> Step:
        """See `TypeSteps`."""
        name, constants = class_name(definition), definition.python_class.__members__

        def read(node: Any, walk: Any) -> Any:
            if not isinstance(node, JavaEnum) or node.type_name != name:
                raise _mismatch(f"a constant of {name}", node)
            found = constants.get(node.constant)
            if found is None or node.constant not in definition.constants:
                raise ValueMappingError(f"{name} has no constant {node.constant!r}")
            return found

        return read

    def of_struct(self, definition: StructType, members: list[_Member]) -> Step:
        """See `TypeSteps`."""
        name = class_name(definition)

        def read(node: Any, walk: Any) -> Any:
            if not isinstance(node, JavaObject) or node.type_name != name:
                raise _mismatch(f"an object of {name}", node)
            if any(node.written.values()):
                raise ValueMappingError(f"{name} writes itself in a form of its own, which is not read")
            enter(walk, len(members))
            values = {}
            for field, java_name, step in members:
                found = node.fields.get(java_name, MISSING)
                try:
                    values[field.attribute] = _absent(field) if found is MISSING else step(found, walk)
                except ValueMappingError as exc:
                    raise exc.within(f".{field.name}") from None
            walk[0] -= 1
            return new_struct(definition, values)

        return read

    def of_callback(self, value: Any, state: Any) -> Any:
        """See `TypeSteps`."""
        raise ValueMappingError("a callback has no serialized form")

    def _any(self, node: Any, walk: Any) -> Any:
        plain = unboxed(node)
        if plain is None or isinstance(plain, bool | str | float):
            return str(plain) if isinstance(plain, Char) else plain
        if isinstance(plain, int):
            return Long(plain) if isinstance(node, JavaObject) and node.type_name == "java.lang.Long" else plain
        if isinstance(node, JavaArray) and type(node.items) is bytes:
            return node.items
        if isinstance(node, JavaObject | JavaEnum):
            known = self._by_class.get(node.type_name)
            if isinstance(known, EnumType):
                return self.of_enum(known)(node, walk)
            if known is not None:
                return self.struct_step(known)(node, walk)
        return self._library(node, walk)

    def _library(self, node: Any, walk: Any) -> Any:
        number = big_integer(node)
        if number is not None:
            return BigInt(number)
        instant = instant_of_date(node)
        if instant is not None:
            return JavaDate.fromtimestamp(0, UTC) + (instant - datetime.fromtimestamp(0, UTC))
        for read in (big_decimal, time_of, uuid_of):
            found = read(node)
            if found is not None:
                return found
        items = elements_of(node, of_set=False)
        if items is not None:
            found = _each(items, self._any, walk)
            return list(map(Long, found)) if isinstance(node, JavaArray) and node.type_name == "[J" else found
        items = elements_of(node, of_set=True)
        if items is not None:
            try:
                return _as_set(_each(items, self._any, walk), set)
            except TypeError:
                raise ValueMappingError("a set of lists or maps") from None
        pairs = entries_of(node)
        if pairs is not None:
            try:
                return _entries(pairs, self._any, self._any, walk)
            except TypeError:
                raise ValueMappingError("a map with lists or maps as keys") from None
        raise _mismatch("a value of a class that is known here", node)


def _absent(field: Field) -> Any:
    value = field.absent()
    if value is MISSING:
        raise ValueMappingError(f"expected {field.type}, found no such field")
    return value


def _each(nodes: list[Any], step: Step, walk: Any) -> list[Any]:
    enter(walk, len(nodes))
    found: list[Any] = []
    try:
        for each in nodes:
            found.append(step(each, walk))  # noqa: PERF401 - the number of those before is in the error
    except ValueMappingError as exc:
        raise exc.within(f"[{len(found)}]") from None
    walk[0] -= 1
    return found


def _as_set(items: list[Any], wanted: type[Any]) -> Any:
    if has_common_hashes(items):
        raise ValueMappingError("too many elements of a set have the same hash")
    found = wanted(items)
    if len(found) != len(items):
        raise ValueMappingError("elements of a set that differ become the same value")
    return found


def _entries(pairs: list[tuple[Any, Any]], key_step: Step, value_step: Step, walk: Any) -> dict[Any, Any]:
    enter(walk, 2 * len(pairs))
    found: dict[Any, Any] = {}
    hashes = KeyHashes()
    for key_node, node in pairs:
        try:
            key = key_step(key_node, walk)
        except ValueMappingError as exc:
            raise exc.within(f"[key {len(found)}]") from None
        if not hashes.admit(key) or key in found:
            raise ValueMappingError("keys of a map that differ become the same value, or hash alike")
        try:
            found[key] = value_step(node, walk)
        except ValueMappingError as exc:
            raise exc.within(f"[{key_text(key, len(found))}]") from None
    walk[0] -= 1
    return found


def _integer(kind: Kind) -> Step:
    low, high = INTEGER_RANGES[kind]

    def read(node: Any, walk: Any) -> int:
        value = unboxed(node)
        if type(value) is not int:
            value = big_integer(node)
        if value is None:
            raise _mismatch(kind.value, node)
        if not low <= value <= high:
            raise ValueMappingError(f"a number beyond {kind.value}, which goes from {low} to {high}")
        return int(value)

    return read


def _null(node: Any, walk: Any) -> None:
    if node is not None:
        raise _mismatch("null", node)


def _bool(node: Any, walk: Any) -> bool:
    value = unboxed(node)
    if not isinstance(value, bool):
        raise _mismatch("bool", node)
    return value


def _bigint(node: Any, walk: Any) -> int:
    value = unboxed(node)
    if type(value) is int:
        return value
    number = big_integer(node)
    if number is None:
        raise _mismatch("bigint", node)
    return number


def _f64(node: Any, walk: Any) -> float:
    value = unboxed(node)
    if not isinstance(value, float):
        raise _mismatch("f64", node)
    return value


def _f32(node: Any, walk: Any) -> float:
    value = _f64(node, walk)
    if value == value and round_to_single(value) != value:
        raise ValueMappingError("a double that no single holds exactly")
    return value


def _decimal(node: Any, walk: Any) -> Decimal:
    found = big_decimal(node)
    if found is not None:
        return found
    number = big_integer(node)
    if number is None:
        raise _mismatch("decimal", node)
    if number.bit_length() > 33_220:
        raise ValueMappingError(f"a number of {number.bit_length()} bits, which is too long for a decimal")
    return Decimal(number)


def _char(node: Any, walk: Any) -> str:
    value = unboxed(node)
    if not isinstance(value, Char):
        raise _mismatch("char", node)
    return str(value)


def _string(node: Any, walk: Any) -> str:
    if type(node) is not str:
        raise _mismatch("string", node)
    return node


def _bytes(node: Any, walk: Any) -> bytes:
    if not isinstance(node, JavaArray) or type(node.items) is not bytes:
        raise _mismatch("byte[]", node)
    return node.items


def _datetime(node: Any, walk: Any) -> datetime:
    found = instant_of_date(node)
    return _time(datetime, True)(node, walk) if found is None else found


def _time(wanted: type[Any], is_instant: bool | None = None) -> Step:
    def read(node: Any, walk: Any) -> Any:
        found = time_of(node)
        if type(found) is not wanted or (is_instant is not None and (found.tzinfo is not None) is not is_instant):
            raise _mismatch(wanted.__name__, node)
        return found

    return read


def _uuid(node: Any, walk: Any) -> Any:
    found = uuid_of(node)
    if found is None:
        raise _mismatch("uuid", node)
    return found


_SCALARS: Final[dict[Kind, Step]] = {
    Kind.NULL: _null,
    Kind.BOOL: _bool,
    Kind.BIGINT: _bigint,
    Kind.F32: _f32,
    Kind.F64: _f64,
    Kind.DECIMAL: _decimal,
    Kind.CHAR: _char,
    Kind.STRING: _string,
    Kind.BYTES: _bytes,
    Kind.DATE: _time(date),
    Kind.TIME: _time(time),
    Kind.DATETIME: _datetime,
    Kind.LOCAL_DATETIME: _time(datetime, False),
    Kind.DURATION: _time(timedelta),
    Kind.UUID: _uuid,
}


def _mismatch(expected: str, node: Any) -> ValueMappingError:
    return ValueMappingError(f"expected {expected}, found {_shown(node)}")


def _shown(node: Any) -> str:
    if node is None:
        return "null"
    if isinstance(node, JavaObject | JavaArray | JavaEnum):
        return node.type_name if len(node.type_name) <= 80 else f"{node.type_name[:80]}…"
    return {bool: "a boolean", int: "a whole number", float: "a float", Char: "a char"}.get(type(node), "a String")
