"""From values of a contract to a stream.

Written are the classes that the contract's types have in Java (`protocols.java`): a list is an ArrayList, or what a
hint says (LinkedList, an array), a set a HashSet, a map a HashMap or LinkedHashMap; a datetime an Instant, or by a hint
a `java.util.Date`. A struct is an object of its class, whose `serialVersionUID` must be known: Java takes no
object with another one. Its fields are those of the contract, under their Java names and with their Java types.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from gateway.jsonform.form import enter, key_text, new_walk
from gateway.model.contract import MISSING, EnumType, Field, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.generic import BigInt, JavaDate, Long
from gateway.model.scalar import INTEGER_RANGES, SCALAR_CHECKS
from gateway.model.type_steps import Step, TypeSteps
from gateway.model.typeref import Kind, TypeRef
from protocols.hessian.java_types import (
    Inexact,
    decimal_text,
    millis_from_date,
    split_duration,
    split_instant,
    split_uuid,
)
from protocols.java import class_name, element, field_name, type_name, type_name_to_descriptor
from protocols.java_stream import classes
from protocols.java_stream.grammar import ENUM_FLAG, PRIMITIVES, SERIALIZABLE, ClassDesc, FieldDesc
from protocols.java_stream.writer import StreamWriter

__all__ = ["ToStream"]

_CODES: Final = {
    Kind.BOOL: "Z",
    Kind.CHAR: "C",
    Kind.I8: "B",
    Kind.I16: "S",
    Kind.I32: "I",
    Kind.I64: "J",
    Kind.F32: "F",
    Kind.F64: "D",
}
_LAYOUTS: Final = {code: struct.Struct(layout) for code, layout in PRIMITIVES.items()}
_I32: Final = struct.Struct(">i")
_SIZES: Final = struct.Struct(">ii")
_SET_HEAD: Final = struct.Struct(">ifi")
_LOAD_FACTOR: Final = 0.75
_LEAST_BUCKETS: Final = 16
_DATE: Final = "java.util.Date"
_LINKED_LIST: Final = "java.util.LinkedList"
_LINKED_MAP: Final = "java.util.LinkedHashMap"

_Member = tuple[Field, str, str, Step]
"""A field, its Java name, its descriptor, and what writes it."""


class _Sink(list[int]):
    """The state of writing one value: the depth and the budget of `gateway.jsonform.form`, and the stream."""

    __slots__ = ("out",)

    out: StreamWriter


class ToStream(TypeSteps[_Member]):
    """Compiles the writers of one contract; each type is compiled once.

    `uids`: the `serialVersionUID` of each struct that is written, by contract name.
    """

    def __init__(self, contract: ServiceContract, uids: Mapping[str, int]) -> None:
        super().__init__(contract)
        self._uids = uids
        self._by_python = {each.python_class: each for each in contract.types.values()}
        self._class_descs: dict[str, ClassDesc] = {}

    def compile(self, ref: TypeRef) -> Callable[[Any, StreamWriter], None]:
        """A function that writes one object; raises `ValueMappingError` with the place inside the value."""
        step = self.step(ref)

        def write(value: Any, out: StreamWriter) -> None:
            sink = _Sink(new_walk())
            sink.out = out
            step(value, sink)

        return write

    def finished(self, step: Step, ref: TypeRef) -> Step:
        """See `TypeSteps`."""
        if ref.kind is Kind.ANY:
            return step

        def write(value: Any, sink: Any) -> None:
            if value is not None:
                step(value, sink)
            elif ref.nullable or ref.kind is Kind.NULL:
                sink.out.null()
            else:
                raise ValueMappingError(f"null where {ref} is required")

        return write

    def member(self, definition: StructType, field: Field, step: Step) -> _Member:
        """See `TypeSteps`."""
        descriptor = type_name_to_descriptor(type_name(field.type, self._contract))
        if descriptor in PRIMITIVES:
            step = _primitive(field.type.kind)
        return field, field_name(field), descriptor, step

    def of_any(self) -> Step:
        """See `TypeSteps`."""
        return self._any

    def of_scalar(self, ref: TypeRef) -> Step:
        """See `TypeSteps`."""
        check = SCALAR_CHECKS[ref.kind]
        if ref.kind is Kind.NULL:
            return lambda value, sink: check(value, None)
        if ref.kind in _CODES:
            return _box(check, _CODES[ref.kind])
        write = _WRITE[ref.kind]
        if ref.kind is Kind.DATETIME and ref.hint("java") == _DATE:
            write = _truncated_date if ref.hint("precision") == "truncate" else _date
        return lambda value, sink: write(check(value, None), sink.out)

    def of_list(self, ref: TypeRef, element_step: Step) -> Step:
        """See `TypeSteps`."""
        hint = ref.hint("java")
        if hint is not None and hint.endswith("[]"):
            return self._array(ref, hint)
        is_linked = hint == _LINKED_LIST

        def write(value: Any, sink: Any) -> None:
            if not isinstance(value, list | tuple):
                raise _mismatch(ref, value)
            head = _I32.pack(len(value))
            if is_linked:
                sink.out.open(classes.LINKED_LIST)
            else:
                sink.out.open(classes.ARRAY_LIST).raw(head)
            sink.out.block(head)
            _each(value, element_step, sink)
            sink.out.end()

        return write

    def _array(self, ref: TypeRef, hint: str) -> Step:
        name = type_name_to_descriptor(hint).replace("/", ".")
        desc = classes.array_class(name)
        code = name[1]
        item = element(ref)
        # What stands in an array of a primitive type has neither class nor null.
        step = _primitive(item.kind) if code in PRIMITIVES else self.step(item)

        def write(value: Any, sink: Any) -> None:
            if not isinstance(value, list | tuple):
                raise _mismatch(ref, value)
            sink.out.open_array(desc, len(value))
            _each(value, step, sink)

        return write

    def of_set(self, ref: TypeRef, element_step: Step) -> Step:
        """See `TypeSteps`."""

        def write(value: Any, sink: Any) -> None:
            if not isinstance(value, set | frozenset):
                raise _mismatch(ref, value)
            sink.out.open(classes.HASH_SET).block(_SET_HEAD.pack(_buckets(len(value)), _LOAD_FACTOR, len(value)))
            _each(value, element_step, sink)
            sink.out.end()

        return write

    def of_map(self, ref: TypeRef, key: Step, value_step: Step) -> Step:
        """See `TypeSteps`."""
        is_linked = ref.hint("java") == _LINKED_MAP

        def write(value: Any, sink: Any) -> None:
            if not isinstance(value, Mapping):
                raise _mismatch(ref, value)
            buckets = _buckets(len(value))
            desc = classes.LINKED_HASH_MAP if is_linked else classes.HASH_MAP
            sink.out.open(desc).raw(struct.pack(">fi", _LOAD_FACTOR, int(buckets * _LOAD_FACTOR)))
            sink.out.block(_SIZES.pack(buckets, len(value)))
            enter(sink, 2 * len(value))
            for index, (each, item) in enumerate(value.items()):
                try:
                    key(each, sink)
                except ValueMappingError as exc:
                    raise exc.within(f"[key {index}]") from None
                try:
                    value_step(item, sink)
                except ValueMappingError as exc:
                    raise exc.within(f"[{key_text(each, index)}]") from None
            sink[0] -= 1
            sink.out.end()
            if is_linked:
                sink.out.raw(b"\x00")

        return write

    def of_enum(self, definition: EnumType) -> Step:
        """See `TypeSteps`."""
        desc = ClassDesc(class_name(definition), 0, SERIALIZABLE | ENUM_FLAG, (), classes.ENUM)
        cls = definition.python_class

        def write(value: Any, sink: Any) -> None:
            if not isinstance(value, cls):
                raise ValueMappingError(f"expected {definition.name}, found {type(value).__qualname__}")
            sink.out.enum(desc, value.name)

        return write

    def of_struct(self, definition: StructType, members: list[_Member]) -> Step:
        """See `TypeSteps`."""
        cls = definition.python_class

        def write(value: Any, sink: Any) -> None:
            if not isinstance(value, cls):
                raise ValueMappingError(f"expected {definition.name}, found {type(value).__qualname__}")
            desc = self._class_descs.get(definition.name)
            if desc is None:
                # Primitive types come first, then objects, each in the order of the names: ObjectStreamField.compareTo.
                members.sort(key=lambda each: (each[2] not in PRIMITIVES, each[1]))
                desc = self._class_descs[definition.name] = self._describe(definition, members)
            sink.out.open(desc)
            enter(sink, len(members))
            for field, _, _, step in members:
                found = getattr(value, field.attribute, MISSING)
                try:
                    step(field.absent() if found is MISSING else found, sink)
                except ValueMappingError as exc:
                    raise exc.within(f".{field.name}") from None
            sink[0] -= 1

        return write

    def _describe(self, definition: StructType, members: list[_Member]) -> ClassDesc:
        name = class_name(definition)
        uid = self._uids.get(definition.name)
        if uid is None:
            raise ValueMappingError(f"the serialVersionUID of {name} is not known")
        fields = tuple(
            FieldDesc(descriptor, java_name)
            if descriptor in PRIMITIVES
            else FieldDesc(descriptor[0], java_name, descriptor)
            for _, java_name, descriptor, _ in members
        )
        return ClassDesc(name, uid, SERIALIZABLE, fields)

    def of_callback(self, value: Any, state: Any) -> Any:
        """See `TypeSteps`."""
        raise ValueMappingError("a callback has no serialized form")

    def _any(self, value: Any, sink: Any) -> None:
        if value is None:
            sink.out.null()
            return
        known = self._by_python.get(type(value))
        if isinstance(known, EnumType):
            self.step(TypeRef(Kind.ENUM, name=known.name))(value, sink)
        elif known is not None:
            self.step(TypeRef(Kind.EXCEPTION if known.is_exception else Kind.STRUCT, name=known.name))(value, sink)
        else:
            ref = _ref_of(value)
            if ref is None:
                raise ValueMappingError(f"a {type(value).__qualname__} has no serialized form")
            self.step(ref)(value, sink)


_ANY: Final = TypeRef(Kind.ANY, nullable=True)
_I32_RANGE: Final = INTEGER_RANGES[Kind.I32]
_I64_RANGE: Final = INTEGER_RANGES[Kind.I64]
_BY_CLASS: Final[Mapping[type[Any], TypeRef]] = {
    bool: TypeRef(Kind.BOOL),
    Long: TypeRef(Kind.I64),
    BigInt: TypeRef(Kind.BIGINT),
    float: TypeRef(Kind.F64),
    str: TypeRef(Kind.STRING),
    bytes: TypeRef(Kind.BYTES),
    Decimal: TypeRef(Kind.DECIMAL),
    date: TypeRef(Kind.DATE),
    time: TypeRef(Kind.TIME),
    timedelta: TypeRef(Kind.DURATION),
    UUID: TypeRef(Kind.UUID),
    JavaDate: TypeRef(Kind.DATETIME, hints=(("java", _DATE),)),
    list: TypeRef(Kind.LIST, (_ANY,)),
    tuple: TypeRef(Kind.LIST, (_ANY,)),
    set: TypeRef(Kind.SET, (_ANY,)),
    frozenset: TypeRef(Kind.SET, (_ANY,)),
    dict: TypeRef(Kind.MAP, (_ANY, _ANY)),
}


def _ref_of(value: Any) -> TypeRef | None:
    """The type that a value says it has."""
    if type(value) is int:
        low, high = _I32_RANGE
        if low <= value <= high:
            return TypeRef(Kind.I32)
        low, high = _I64_RANGE
        return TypeRef(Kind.I64 if low <= value <= high else Kind.BIGINT)
    if type(value) is datetime:
        return TypeRef(Kind.LOCAL_DATETIME if value.tzinfo is None else Kind.DATETIME)
    return None if isinstance(value, Enum) else _BY_CLASS.get(type(value))


def _each(values: Any, step: Step, sink: Any) -> None:
    enter(sink, len(values))
    for index, each in enumerate(values):
        try:
            step(each, sink)
        except ValueMappingError as exc:
            raise exc.within(f"[{index}]") from None
    sink[0] -= 1


def _buckets(size: int) -> int:
    buckets = _LEAST_BUCKETS
    while buckets * _LOAD_FACTOR < size:
        buckets *= 2
    return buckets


def _number(code: str, value: Any) -> bytes:
    return _LAYOUTS[code].pack(ord(value) if code == "C" else value)


def _box(check: Callable[[Any, Any], Any], code: str) -> Step:
    desc = classes.BOXES[code]

    def write(value: Any, sink: Any) -> None:
        sink.out.open(desc).raw(_number(code, check(value, None)))

    return write


def _primitive(kind: Kind) -> Step:
    check, code = SCALAR_CHECKS[kind], _CODES[kind]

    def write(value: Any, sink: Any) -> None:
        if value is None:
            raise ValueMappingError(f"null where {kind.value} is required")
        sink.out.raw(_number(code, check(value, None)))

    return write


def _string(value: str, out: StreamWriter) -> None:
    out.text(value)


def _bytes(value: bytes, out: StreamWriter) -> None:
    out.open_array(classes.BYTES, len(value)).raw(value)


def _bigint(value: int, out: StreamWriter) -> None:
    signum = (value > 0) - (value < 0)
    out.open(classes.BIG_INTEGER).raw(struct.pack(">iiiii", -1, -1, -2, -2, signum))
    _bytes(abs(value).to_bytes((value.bit_length() + 7) // 8, "big"), out)
    out.end()


def _decimal(value: Decimal, out: StreamWriter) -> None:
    try:
        decimal_text(value)
    except Inexact as exc:
        raise ValueMappingError(str(exc)) from None
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), "a finite number"
    out.open(classes.BIG_DECIMAL).raw(_I32.pack(-exponent))
    _bigint(int(Decimal((sign, digits, 0))), out)
    out.end()


def _date(value: datetime, out: StreamWriter) -> None:
    if value.microsecond % 1_000:
        raise ValueMappingError("java.util.Date has milliseconds only")
    _truncated_date(value, out)


def _truncated_date(value: datetime, out: StreamWriter) -> None:
    out.open(classes.DATE).block(struct.pack(">q", millis_from_date(value))).end()


def _uuid(value: UUID, out: StreamWriter) -> None:
    high, low = split_uuid(value)
    out.open(classes.UUID_CLASS).raw(struct.pack(">qq", low, high))


def _time_object(name: str, data: bytes, out: StreamWriter) -> None:
    out.open(classes.TIME).block(bytes((classes.TIME_CODES[name],)) + data).end()


def _date_bytes(value: date) -> bytes:
    return struct.pack(">iBB", value.year, value.month, value.day)


def _time_bytes(value: time) -> bytes:
    numbers = [value.hour, value.minute, value.second]
    if value.microsecond:
        return struct.pack(">bbbi", *numbers, value.microsecond * 1_000)
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    if len(numbers) == 3:
        return struct.pack(">bbb", numbers[0], numbers[1], ~numbers[2])
    return struct.pack(f">{len(numbers)}b", *numbers[:-1], ~numbers[-1])


_WRITE: Final[Mapping[Kind, Callable[[Any, StreamWriter], None]]] = {
    Kind.STRING: _string,
    Kind.BYTES: _bytes,
    Kind.BIGINT: _bigint,
    Kind.DECIMAL: _decimal,
    Kind.UUID: _uuid,
    Kind.DATE: lambda value, out: _time_object("LocalDate", _date_bytes(value), out),
    Kind.TIME: lambda value, out: _time_object("LocalTime", _time_bytes(value), out),
    Kind.DATETIME: lambda value, out: _time_object("Instant", struct.pack(">qi", *split_instant(value)), out),
    Kind.DURATION: lambda value, out: _time_object("Duration", struct.pack(">qi", *split_duration(value)), out),
    Kind.LOCAL_DATETIME: lambda value, out: _time_object(
        "LocalDateTime", _date_bytes(value) + _time_bytes(value.time()), out
    ),
}


def _mismatch(ref: TypeRef, value: Any) -> ValueMappingError:
    return ValueMappingError(f"expected {ref}, found {type(value).__qualname__}")
