"""Structs and exceptions in any encoding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.model.contract import MISSING, Field, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.scalar import mismatch
from gateway.model.typeref import TypeRef
from protocols.thrift import names, wire

__all__ = ["Slot", "StructForm", "read_message", "write_slot"]

_set_attribute: Final = object.__setattr__


class Slot:
    """One field of a struct, of arguments or of a result.

    `name`: the contract's, for paths. `default`: what it is when it is absent; MISSING when it may not be.
    """

    __slots__ = ("id", "more", "name", "null", "number", "read", "write")

    def __init__(self, id: int, name: str, ref: TypeRef, form: Any, default: Any) -> None:
        self.id: Final = id
        self.name: Final = name
        self.number, self.read, self.write, self.more = form
        self.null = ""
        """Why it cannot be null; empty when it can: absent is null, unless absent means something else."""
        if not ref.nullable:
            self.null = f"null where {ref} is required"
        elif default is not None:
            self.null = "null has no form here: absent means the default"

    def read_as(self, reader: Any, said: int) -> Any:
        """The value, which says to be of the type `said`. Raises `ValueMappingError` with the path inside the value."""
        if said == self.number:
            return self.read(reader)
        other = self.more.get(said)
        if other is None:
            raise ValueMappingError(f"expected {wire.type_name(self.number)}, found {wire.type_name(said)}")
        return other(reader)


def write_slot(slot: Slot, writer: Any, value: Any) -> None:
    """A field with its head; nothing for null. Raises `ValueMappingError` with the path inside the value."""
    if value is None:
        if slot.null:
            raise ValueMappingError(slot.null)
        return
    writer.field(slot.number, slot.id)
    slot.write(writer, value)


class StructForm:
    """How one struct or exception is read and written. `compile_fields` comes before anything else."""

    __slots__ = ("_by_id", "_fields", "_is_union", "_message_id", "definition")

    def __init__(self, definition: StructType) -> None:
        self.definition: Final = definition
        self._message_id = names.message_id(definition) if definition.is_exception else 0
        self._is_union = names.is_union(definition)
        self._fields: list[tuple[Slot, Field]] = []
        self._by_id: dict[int, tuple[Slot, str]] = {}

    def compile_fields(self, compile_type: Callable[[TypeRef], Any]) -> None:
        """`compile_type`: gives the form of a type."""
        for id, field in zip(names.field_ids(self.definition), self.definition.fields, strict=True):
            absent = field.absent()
            slot = Slot(id, field.name, field.type, compile_type(field.type), absent)
            self._fields.append((slot, field))
            self._by_id[id] = (slot, field.attribute)

    def read_fields(self, reader: Any) -> tuple[dict[str, Any], str | None]:
        """The fields by attribute, defaults filled in, and the text of an exception."""
        reader.struct()
        by_id = self._by_id
        values: dict[str, Any] = {}
        message: str | None = None
        while True:
            number, id = reader.field()
            if number == wire.STOP:
                break
            known = by_id.get(id)
            if known is None:
                if id == self._message_id and id:
                    message = read_message(reader, number)
                else:
                    reader.skip(number)
                continue
            slot, attribute = known
            try:
                if attribute in values:
                    raise ValueMappingError("the field stands twice")
                values[attribute] = slot.read(reader) if number == slot.number else slot.read_as(reader, number)
            except ValueMappingError as exc:
                raise exc.within(f".{slot.name}") from None
        reader.end()
        if self._is_union:
            self._check_union(len(values))
        if len(values) < len(self._fields):
            self._fill(values)
        return values, message

    def _fill(self, values: dict[str, Any]) -> None:
        for _, field in self._fields:
            if field.attribute not in values:
                absent = field.absent()
                if absent is MISSING:
                    raise ValueMappingError(f"the field {field.name!r} of {self.definition.name} is missing")
                values[field.attribute] = absent

    def read(self, reader: Any) -> Any:
        """An instance of the contract's class, made without running any code of it."""
        values, message = self.read_fields(reader)
        definition = self.definition
        cls: Any = definition.python_class
        instance = cls.__new__(cls)
        for attribute, value in values.items():
            _set_attribute(instance, attribute, value)
        if definition.is_exception:
            _set_attribute(instance, "args", () if message is None else (message,))
        return instance

    def write(self, writer: Any, value: Any) -> None:
        """An instance of the contract's class."""
        definition = self.definition
        if type(value) is not definition.python_class:
            raise mismatch(definition.name, value)
        writer.struct()
        if definition.is_exception:
            self._write_message(writer, value.args[0] if value.args else None)
        if self._is_union:
            items = (getattr(value, field.attribute, None) for _, field in self._fields)
            self._check_union(sum(item is not None for item in items))
        for slot, field in self._fields:
            item = getattr(value, field.attribute, MISSING)
            if item is MISSING:
                item = field.absent()
                if item is MISSING:
                    raise ValueMappingError("the attribute is not set", field.name)
            try:
                write_slot(slot, writer, item)
            except ValueMappingError as exc:
                raise exc.within(f".{slot.name}") from None
        writer.stop()

    def _check_union(self, count: int) -> None:
        if count != 1:
            raise ValueMappingError(f"the union {self.definition.name} has exactly one field, found {count}")

    def _write_message(self, writer: Any, message: Any) -> None:
        if message is None:
            return
        text = message if type(message) is str else str(message)
        if not self._message_id:
            return
        writer.field(wire.BINARY, self._message_id)
        writer.text(text)

    def read_exception(self, reader: Any) -> tuple[str | None, Mapping[str, Any]]:
        """The text of an exception, and its fields by contract name."""
        values, message = self.read_fields(reader)
        return message, {field.name: values[field.attribute] for _, field in self._fields}

    def write_exception(self, writer: Any, message: str | None, fields: Mapping[str, Any]) -> None:
        """The same the other way."""
        writer.struct()
        self._write_message(writer, message)
        for slot, field in self._fields:
            value = fields.get(field.name, MISSING)
            if value is MISSING:
                value = field.absent()
                if value is MISSING:
                    raise ValueMappingError("the exception has no value for it", f"fields.{field.name}")
            try:
                write_slot(slot, writer, value)
            except ValueMappingError as exc:
                raise exc.within(f"fields.{field.name}") from None
        writer.stop()


def read_message(reader: Any, number: int) -> str:
    """The text of an exception. Raises `ValueMappingError`."""
    try:
        if number != wire.BINARY:
            raise ValueMappingError(f"expected string, found {wire.type_name(number)}")
        text: str = reader.text()
    except ValueMappingError as exc:
        raise exc.within(".message") from None
    return text
