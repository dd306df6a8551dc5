"""Values of contract types read from and written to any encoding, by functions compiled once per type."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from operator import methodcaller
from typing import Any, Final, NamedTuple
from uuid import UUID

from gateway.jsonform import compile_reader, compile_writer, format_json, parse_json
from gateway.jsonform import scalar_text as texts
from gateway.model.contract import EnumType, ServiceContract
from gateway.model.errors import ValueMappingError
from gateway.model.scalar import INTEGER_RANGES, SCALAR_CHECKS, mismatch
from gateway.model.typeref import Kind, TypeRef
from protocols.thrift import names, wire
from protocols.thrift.containers import list_form, map_form, set_form
from protocols.thrift.structs import StructForm

__all__ = ["Form", "Forms"]

_Read = Callable[[Any], Any]
_Write = Callable[[Any, Any], None]


class Form(NamedTuple):
    """How values of one type stand in a message.

    `number`: the type on the wire. `read(reader)` gives a value, `write(writer, value)` writes one that is not null;
    both raise `ValueMappingError` with the path inside the value. `more`: other types that are read as well, and how.
    """

    number: int
    read: _Read
    write: _Write
    more: dict[int, _Read] = {}  # noqa: RUF012 - never changed


class Forms:
    """Compiles the forms of one contract; each type is compiled once."""

    def __init__(self, contract: ServiceContract) -> None:
        self._contract = contract
        self._forms: dict[TypeRef, Form] = {}
        self._structs: dict[str, StructForm] = {}

    def compile(self, ref: TypeRef) -> Form:
        """The form of a type; null is the business of who asks."""
        ref = ref.required()
        form = self._forms.get(ref)
        if form is None:
            form = self._forms[ref] = self._compile(ref)
        return form

    def _compile(self, ref: TypeRef) -> Form:
        kind = ref.kind
        if kind in _INTEGERS:
            return _integer(kind)
        if kind is Kind.UUID and ref.hint(names.PROTOCOL) == "uuid":
            return _UUID
        if kind in _SCALARS:
            return _SCALARS[kind]
        if kind is Kind.LIST:
            return Form(wire.LIST, *list_form(ref, self.compile(ref.args[0])))
        if kind is Kind.SET:
            return Form(wire.SET, *set_form(ref, self.compile(ref.args[0])))
        if kind is Kind.MAP:
            return Form(wire.MAP, *map_form(ref, self.compile(ref.args[0]), self.compile(ref.args[1])))
        if kind is Kind.ENUM:
            return _enum(self._contract.enum(ref))
        if kind is Kind.ANY:
            return _any(self._contract)
        struct = self.struct(ref)
        return Form(wire.STRUCT, struct.read, struct.write)

    def struct(self, ref: TypeRef) -> StructForm:
        """The form of a struct or exception."""
        found = self._structs.get(ref.name)
        if found is None:
            # Registered before its fields are compiled: they may name it again.
            found = self._structs[ref.name] = StructForm(self._contract.struct(ref))
            found.compile_fields(self.compile)
        return found


def _integer(kind: Kind) -> Form:
    low, high = INTEGER_RANGES[kind]
    check = SCALAR_CHECKS[kind]
    step = kind.value

    def write(writer: Any, value: Any) -> None:
        if type(value) is not int or not low <= value <= high:
            value = check(value, None)
        getattr(writer, step)(value)

    return Form(_INTEGERS[kind], methodcaller(step), write)


_INTEGERS: Final = {Kind.I8: wire.I8, Kind.I16: wire.I16, Kind.I32: wire.I32, Kind.I64: wire.I64}


def _write_bool(writer: Any, value: Any) -> None:
    writer.bool(SCALAR_CHECKS[Kind.BOOL](value, None))


def _write_f32(writer: Any, value: Any) -> None:
    writer.double(SCALAR_CHECKS[Kind.F32](value, None))


def _read_f32(reader: Any) -> Any:
    return SCALAR_CHECKS[Kind.F32](reader.double(), None)


def _write_f64(writer: Any, value: Any) -> None:
    writer.double(value if type(value) is float else SCALAR_CHECKS[Kind.F64](value, None))


def _write_string(writer: Any, value: Any) -> None:
    writer.text(value if type(value) is str else SCALAR_CHECKS[Kind.STRING](value, None))


def _write_char(writer: Any, value: Any) -> None:
    writer.text(SCALAR_CHECKS[Kind.CHAR](value, None))


def _read_char(reader: Any) -> Any:
    return SCALAR_CHECKS[Kind.CHAR](reader.text(), None)


def _write_bytes(writer: Any, value: Any) -> None:
    writer.binary(value if type(value) is bytes else SCALAR_CHECKS[Kind.BYTES](value, None))


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_DAY_US: Final = 86_400_000_000


def _write_datetime(writer: Any, value: Any) -> None:
    writer.i64((SCALAR_CHECKS[Kind.DATETIME](value, None) - _EPOCH) // _MICROSECOND)


def _read_datetime(reader: Any) -> datetime:
    microseconds = reader.i64()
    days, rest = divmod(microseconds, _DAY_US)
    try:
        return _EPOCH + timedelta(days=days, microseconds=rest)
    except OverflowError:
        raise ValueMappingError(f"{microseconds} µs since 1970 are not in the years 1 to 9999") from None


def _in_text(kind: Kind, parse: Callable[[str], Any], form: Callable[[Any], str]) -> Form:
    check = SCALAR_CHECKS[kind]
    return Form(
        wire.BINARY,
        lambda reader: parse(reader.text()),
        lambda writer, value: writer.text(form(check(value, None))),
    )


def _write_uuid(writer: Any, value: Any) -> None:
    writer.uuid(SCALAR_CHECKS[Kind.UUID](value, None).bytes)


def _read_uuid(reader: Any) -> UUID:
    return UUID(bytes=bytes(reader.uuid()))


def _write_null(writer: Any, value: Any) -> None:
    raise mismatch("null", value)


def _read_null(reader: Any) -> None:
    raise ValueMappingError("expected no value")


_UUID_TEXT: Final = _in_text(Kind.UUID, texts.parse_uuid, str)
_UUID: Final = Form(wire.UUID, _read_uuid, _write_uuid, {wire.BINARY: _UUID_TEXT.read})
_SCALARS: Final = {
    Kind.NULL: Form(wire.STOP, _read_null, _write_null),
    Kind.BOOL: Form(wire.BOOL, methodcaller("bool"), _write_bool),
    Kind.F32: Form(wire.DOUBLE, _read_f32, _write_f32),
    Kind.F64: Form(wire.DOUBLE, methodcaller("double"), _write_f64),
    Kind.BIGINT: _in_text(Kind.BIGINT, texts.parse_integer, texts.format_integer),
    Kind.DECIMAL: _in_text(Kind.DECIMAL, texts.parse_decimal, texts.format_decimal),
    Kind.CHAR: Form(wire.BINARY, _read_char, _write_char),
    Kind.STRING: Form(wire.BINARY, methodcaller("text"), _write_string),
    Kind.BYTES: Form(wire.BINARY, methodcaller("binary"), _write_bytes),
    Kind.DATE: _in_text(Kind.DATE, texts.parse_date, lambda value: str(value.isoformat())),
    Kind.TIME: _in_text(Kind.TIME, texts.parse_time, texts.format_time),
    Kind.DATETIME: Form(wire.I64, _read_datetime, _write_datetime),
    Kind.LOCAL_DATETIME: _in_text(Kind.LOCAL_DATETIME, texts.parse_local_datetime, texts.format_local_datetime),
    Kind.DURATION: _in_text(Kind.DURATION, texts.parse_duration, texts.format_duration),
    Kind.UUID: _UUID_TEXT._replace(more={wire.UUID: _read_uuid}),
}


def _enum(definition: EnumType) -> Form:
    cls: Any = definition.python_class
    numbers = {cls[name]: number for name, number in names.enum_values(definition).items()}
    members = {number: member for member, number in numbers.items()}

    def read(reader: Any) -> Any:
        number = reader.i32()
        found = members.get(number)
        if found is None:
            raise ValueMappingError(f"{definition.name} has no constant of the number {number}")
        return found

    def write(writer: Any, value: Any) -> None:
        if not isinstance(value, cls):
            raise mismatch(definition.name, value)
        writer.i32(numbers[value])

    return Form(wire.I32, read, write)


def _any(contract: ServiceContract) -> Form:
    ref = TypeRef(Kind.ANY, nullable=True)
    from_json, to_json = compile_reader(ref, contract), compile_writer(ref, contract)
    return Form(
        wire.BINARY,
        lambda reader: from_json(parse_json(reader.text())),
        lambda writer, value: writer.text(format_json(to_json(value)).decode()),
    )
