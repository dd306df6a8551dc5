"""Enums: objects with the one field `name`, as Java writes them."""

from __future__ import annotations

from typing import Any, Final

from gateway.model.contract import EnumType
from protocols.hessian.definition import ClassDefinition
from protocols.hessian.errors import HessianError, shorten
from protocols.hessian.java_types import definition_bytes
from protocols.hessian.reader import Reader
from protocols.hessian.text import encode_text
from protocols.hessian.typed_class import ClassPlans, Plan
from protocols.hessian.typed_scalars import TypedWriter, reject
from protocols.hessian.writer import Writer

__all__ = ["enum_plans", "enum_writer"]

_FIELD: Final = "name"


def enum_plans(enum: EnumType, java_name: str) -> ClassPlans:
    """How constants of the enum are read: by name, in an object of its class. Unknown names are refused."""
    cls: Any = enum.python_class
    members = {name: cls[name] for name in enum.constants}
    by_bytes = {encode_text(name): member for name, member in members.items()}

    def make_plan(definition: ClassDefinition) -> Plan:
        fields = definition.fields
        if _FIELD not in fields:
            raise HessianError(f"expected {enum.name} with a field name, found an object without")

        def read_constant(reader: Reader) -> Any:
            reader.charge(len(fields))
            reader.refs.append(None)
            reader.forms.append(enum)
            slot = len(reader.refs) - 1
            member: Any = None
            for field in fields:
                if field == _FIELD:
                    data, pos = reader.data, reader.pos
                    end = pos + 1 + data[pos]
                    member = by_bytes.get(data[pos:end])
                    if member is not None:
                        reader.pos = end
                    else:
                        member = _constant(reader)
                else:
                    reader.next_value()
            reader.refs[slot] = member
            return member

        return read_constant

    def _constant(reader: Reader) -> Any:
        pos = reader.pos
        name = reader.next_string()
        if name not in members:
            raise HessianError(f"expected a constant of {enum.name}, found {shorten(name)}", pos)
        return members[name]

    def fits(value: Any, form: Any) -> bool:
        return form is enum and value is not None

    return ClassPlans(enum.name, (java_name,), fits, make_plan)


def enum_writer(enum: EnumType, java_name: str) -> TypedWriter:
    """How constants of the enum are written; None aside."""
    cls: Any = enum.python_class
    definition = definition_bytes(java_name, (_FIELD,))
    # By identity: hashing a member runs Python code. The members live as long as the class that this refers to.
    names = {id(cls[name]): encode_text(name) for name in enum.constants}

    def write_constant(writer: Writer, value: Any) -> None:
        name = names.get(id(value))
        if name is None or not isinstance(value, cls):
            raise reject(enum.name, value)
        if not writer.refer(value):
            writer.begin_object(definition)
            writer.out += name

    return write_constant
