"""Structs and exceptions: objects of a Java class whose fields are found by name.

Readers and writers are generated: one function per struct and order of fields, with the scalar fields written out.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from keyword import iskeyword
from typing import Any, Final

from gateway.model.contract import MISSING, Field, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind, TypeRef
from protocols.hessian import cost
from protocols.hessian.definition import ClassDefinition
from protocols.hessian.errors import READ_ERRORS, HessianError, shorten
from protocols.hessian.inline import add_read, add_write
from protocols.hessian.java_types import definition_bytes
from protocols.hessian.numbers import encode_int
from protocols.hessian.reader import Reader
from protocols.hessian.source import Source
from protocols.hessian.typed_class import ClassPlans, Plan
from protocols.hessian.typed_scalars import SCALAR_READERS, TypedReader, TypedWriter, nullable_reader, reject
from protocols.hessian.typed_scalars import nullable_writer as nullable
from protocols.hessian.writer import Writer

__all__ = ["StructShape", "struct_plans", "struct_writer"]

_MESSAGE: Final = "detailMessage"
_THROWABLE: Final = ("suppressedExceptions", "stackTrace", "cause", _MESSAGE)
_NO_SUPPRESSED: Final = "java.util.Collections$EmptyList"
_NO_STACK: Final = "[java.lang.StackTraceElement"
_TEXT: Final = TypeRef(Kind.STRING, nullable=True)

# Peers send few orders of fields per class, but a hostile one may send many: from here on no code is generated.
_MAX_GENERATED: Final = 16
# Compiling takes some 20 µs a field, and a definition may have a million of them.
_MAX_UNKNOWN: Final = 64

_set_attribute: Final = object.__setattr__


class StructShape:
    """A struct with its Java names, and how its instances are made.

    `fields`: by Java field name, in contract order.
    """

    __slots__ = ("cls", "fields", "java_name", "new", "struct")

    def __init__(self, struct: StructType, java_name: str, field_names: Mapping[str, str]) -> None:
        """`field_names`: the Java name of each field, by contract name."""
        self.struct = struct
        self.java_name = java_name
        self.cls: Any = struct.python_class
        self.new: Any = self.cls.__new__
        self.fields: dict[str, Field] = {field_names[field.name]: field for field in struct.fields}

    def assignment(self, source: Source, attribute: str, value: str) -> str:
        """Source of setting an attribute of `instance`, past what a frozen class forbids."""
        if self.cls.__setattr__ in (object.__setattr__, BaseException.__setattr__) and _is_plain(attribute):
            return f"instance.{attribute} = {value}"
        return f"{source.bind('set_attribute', _set_attribute)}(instance, {attribute!r}, {value})"

    def absent(self, field: Field) -> Any:
        """The value of a field that the peer left out; raises HessianError where there is none."""
        value = field.absent()
        if value is MISSING:
            raise HessianError(f"expected {field.type}, found no such field", path=field.name)
        return value


def _is_plain(attribute: str) -> bool:
    return attribute.isidentifier() and not iskeyword(attribute)


def struct_plans(shape: StructShape, reader_of: Callable[[TypeRef], TypedReader], read_any: TypedReader) -> ClassPlans:
    """How objects of the struct are read.

    `reader_of` is asked when the first object arrives, so types may contain themselves. Fields that the contract
    does not know are read with `read_any` and dropped; those that the object lacks get their default.
    """
    struct = shape.struct
    generated: dict[tuple[str, ...], Plan] = {}
    most_fields = len(shape.fields) + _MAX_UNKNOWN
    read_text = nullable_reader(SCALAR_READERS[Kind.STRING])

    def make_plan(definition: ClassDefinition) -> Plan:
        plan = generated.get(definition.fields)
        if plan is None:
            if len(generated) >= _MAX_GENERATED or len(definition.fields) > most_fields:
                return named_plan(definition.fields)
            plan = generated[definition.fields] = _generate_plan(
                shape, definition.fields, reader_of, read_text, read_any
            )
        return plan

    def read_field(reader: Reader, instance: Any, name: str, found: set[str]) -> None:
        field = shape.fields.get(name)
        try:
            if field is not None:
                _set_attribute(instance, field.attribute, reader_of(field.type)(reader))
                found.add(name)
            elif name == _MESSAGE and struct.is_exception:
                _set_message(instance, read_text(reader))
            else:
                read_any(reader)
        except READ_ERRORS as exc:
            raise reader.located(exc, name if field is None else field.name) from None

    def complete(instance: Any, found: set[str]) -> Any:
        for name, field in shape.fields.items():
            if name not in found:
                _set_attribute(instance, field.attribute, shape.absent(field))
        return instance

    def named_plan(names: tuple[str, ...]) -> Plan:
        def read_fields(reader: Reader) -> Any:
            reader.enter(max(len(names), len(shape.fields)))
            instance = shape.new(shape.cls)
            reader.register(instance, struct)
            found: set[str] = set()
            for name in names:
                read_field(reader, instance, name, found)
            reader.depth += 1
            return complete(instance, found)

        return read_fields

    def read_map(reader: Reader) -> Any:
        """A map stands for an object: its keys are the names of fields, or `class` for that of the class."""
        reader.enter(len(shape.fields))
        instance = shape.new(shape.cls)
        reader.register(instance, struct)
        found: set[str] = set()
        data = reader.data
        while data[reader.pos] != 0x5A:
            reader.pay(1)
            pos = reader.pos
            name = reader.next_string()
            if name == "class" and name not in shape.fields:
                class_name = read_any(reader)
                if class_name != shape.java_name:
                    shown = shorten(class_name) if isinstance(class_name, str) else "no name"
                    raise HessianError(f"expected {struct.name}, found a map of class {shown}", pos)
            else:
                read_field(reader, instance, name, found)
        reader.pos += 1
        reader.depth += 1
        return complete(instance, found)

    def fits(value: Any, form: Any) -> bool:
        return form is struct

    return ClassPlans(struct.name, (shape.java_name,), fits, make_plan, read_map)


def _set_message(instance: Any, message: str | None) -> None:
    """Sets the text of an exception: `str(instance)` gives it back."""
    _set_attribute(instance, "args", () if message is None else (message,))


def _generate_plan(
    shape: StructShape,
    names: tuple[str, ...],
    reader_of: Callable[[TypeRef], TypedReader],
    read_text: TypedReader,
    read_any: TypedReader,
) -> Plan:
    """A plan for objects with fields of these names in this order."""
    struct = shape.struct
    source = Source("read_fields(reader)")
    steps: list[str] = []
    source.bind("cls", shape.cls)
    source.bind("new", shape.new)
    source.bind("form", struct)
    source.bind("steps", steps)
    source.bind("READ_ERRORS", READ_ERRORS)
    # Fields that the peer leaves out cost memory like those it sends.
    price = cost.CONTAINER + max(len(names), len(shape.fields))
    source.add(
        1,
        f"""
budget = reader.budget - {price}
depth = reader.depth - 1
reader.budget = budget
reader.depth = depth
if budget < 0 or depth < 0:
    reader.enter(0)
instance = new(cls)
reader.refs.append(instance)
reader.forms.append(form)
data = reader.data
pos = reader.pos
at = 0
try:
""",
    )
    for at, name in enumerate(names):
        field = shape.fields.get(name)
        steps.append(name if field is None else field.name)
        source.add(2, f"at = {at}")
        if field is not None:
            add_read(source, 2, field.type, reader_of(field.type))
            source.add(2, shape.assignment(source, field.attribute, "value"))
        elif name == _MESSAGE and struct.is_exception:
            add_read(source, 2, _TEXT, read_text)
            source.add(2, f"{source.bind('set_message', _set_message)}(instance, value)")
        else:
            add_read(source, 2, TypeRef(Kind.ANY), read_any)
    source.add(2, f"at = {len(names)}")
    for name, field in shape.fields.items():
        if name in names:
            continue
        if field.default_factory is not None or field.absent() is MISSING:
            absent = f"{source.bind('absent', shape.absent)}({source.bind('field', field)})"
        else:
            absent = source.bind("default", field.absent())
        source.add(2, shape.assignment(source, field.attribute, absent))
    steps.append("")
    source.add(
        1,
        """
except READ_ERRORS as exc:
    raise reader.located(exc, steps[at]) from None
reader.pos = pos
reader.depth = depth + 1
return instance
""",
    )
    return source.build(f"reader of {struct.name}")


def struct_writer(shape: StructShape, writer_of: Callable[[TypeRef], TypedWriter]) -> TypedWriter:
    """How instances of exactly the struct's class are written; None aside.

    An exception gets the fields of Java's Throwable in front of its own: its text, no stack, and itself as its
    cause, which is how Throwable says that there is none (null where it cannot be referred to).
    """
    struct = shape.struct
    throwable = _THROWABLE if struct.is_exception else ()
    source = Source("write_fields(writer, value)")
    steps: list[str] = []
    source.bind("cls", shape.cls)
    source.bind("struct_name", struct.name)
    source.bind("definition", definition_bytes(shape.java_name, (*throwable, *shape.fields)))
    source.bind("steps", steps)
    source.bind("reject", reject)
    source.bind("encode_int", encode_int)
    source.bind("unset", _unset)
    source.bind("ValueMappingError", ValueMappingError)
    source.add(
        1,
        """
if type(value) is not cls:
    raise reject(struct_name, value)
refs = writer.refs
identity = id(value)
slot = refs.get(identity)
out = writer.out
if slot is not None:
    out += b"Q" + encode_int(slot)
    return
forms = writer.forms
slot = refs[identity] = len(forms)
forms.append(None)
depth = writer.depth - 1
writer.depth = depth
if depth < 0:
    writer.enter()
classes = writer.classes
index = classes.get(definition)
if index is None:
    index = classes[definition] = len(classes)
    out += definition
if index < 16:
    out.append(0x60 + index)
else:
    out += b"O" + encode_int(index)
instance = value
at = 0
try:
""",
    )
    if struct.is_exception:
        steps.append("message")
        source.bind("begin_throwable", _begin_throwable)
        source.add(2, "value = begin_throwable(writer, slot, instance)")
        add_write(source, 2, _TEXT, nullable(writer_of(_TEXT.required())))
    for field in shape.fields.values():
        source.add(2, f"at = {len(steps)}")
        steps.append(field.name)
        source.add(2, _getting(source, field.attribute))
        if _is_computed(shape.cls, field.attribute):
            # Nobody else may hold what a property returns; were it freed, its identity would be used again.
            source.add(2, "writer.keep.append(value)")
        add_write(source, 2, field.type, writer_of(field.type))
    source.add(
        1,
        """
    pass
except ValueMappingError as exc:
    raise exc.within(steps[at]) from None
except AttributeError:
    raise unset(instance, steps[at]) from None
writer.depth = depth + 1
""",
    )
    return source.build(f"writer of {struct.name}")


def _begin_throwable(writer: Writer, slot: int, instance: BaseException) -> str | None:
    """Writes what stands before the text of an exception, and returns the text."""
    writer.forms.append(None)
    writer.begin_list(_NO_SUPPRESSED, 0)
    writer.forms.append(None)
    writer.begin_list(_NO_STACK, 0)
    if id(instance) in writer.refs:
        writer.out += b"Q" + encode_int(slot)
    else:
        writer.out.append(0x4E)
    return str(instance) if instance.args else None


def _getting(source: Source, attribute: str) -> str:
    if _is_plain(attribute):
        return f"value = instance.{attribute}"
    return f"value = {source.bind('getattr', getattr)}(instance, {attribute!r})"


def _is_computed(cls: Any, attribute: str) -> bool:
    """Whether getting the attribute may run code, so that the value need not belong to the instance."""
    if cls.__getattribute__ not in (object.__getattribute__, BaseException.__getattribute__):
        return True
    if hasattr(cls, "__getattr__"):
        return True
    found = inspect.getattr_static(cls, attribute, None)
    return hasattr(type(found), "__get__") and not inspect.ismemberdescriptor(found)


def _unset(instance: Any, name: str) -> ValueMappingError:
    return ValueMappingError(f"expected an attribute of {type(instance).__qualname__}, found it unset", name)
