"""Reads and writes values of declared types: one reader and one writer per type of a contract, compiled once.

| type | read from | written as | refused |
| --- | --- | --- | --- |
| null | null | null | anything else |
| bool | true, false | the same | ints |
| i8, i16, i32 | int, long, integral double, in range | int | beyond the range; bool |
| i64 | the same | long | the same |
| f64 | double; int and long a double holds exactly | shortest double; -0.0 keeps its sign | other integers |
| f32 | the same, rounded to single | double of the nearest single | beyond the largest single |
| bigint | BigInteger, int, long | BigInteger | bool |
| decimal | BigDecimal | BigDecimal, scale kept | NaN, infinities, -0, scales beyond 32 bits |
| char | string of one UTF-16 unit | the same | other lengths |
| string | string | string, CESU-8 | four-byte UTF-8 |
| bytes | binary | binary | lists of numbers |
| date, time | LocalDate, LocalTime | the same | years beyond 1 to 9999, finer than microseconds, zones |
| datetime | Instant, date | Instant; date with the hint `java.util.Date` | naive; finer than µs, as date than ms |
| local_datetime | LocalDateTime | LocalDateTime | aware; finer than microseconds |
| duration, uuid | Duration, UUID | the same | finer than microseconds |
| list | any list | list without a type; arrays and classes named by a hint with their type | other values |
| set | any list | list of `java.util.HashSet`, or of the class named by a hint | equal elements |
| map | any map | map without a type, or of the class named by a hint | equal keys |
| enum | object of its Java class, field `name` | the same | unknown constants |
| struct | object of its Java class; map of field names | object of its Java class | other classes |
| exception | the same; its text from `detailMessage` | the same, with the fields of Throwable | other classes |
| any | what describes itself; objects of contract classes as such | the same | classes outside the contract |

Null is refused where the type is not nullable. Unknown fields of structs are read and dropped, absent ones get their
default. With the hint `("precision", "truncate")` what is too fine is cut off instead of refused. A list, map or
object that occurs again under the same type is shared, also in cycles; one that occurs again under another type is
refused when reading (unless it is empty) and written again when writing. The table is that of dubbo://; what Caucho's
dialect has different says `protocols.hessian.caucho`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from gateway.model.contract import EnumType, ServiceContract
from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind, TypeRef
from protocols.hessian.dialect import LITE, Dialect
from protocols.hessian.errors import READ_ERRORS
from protocols.hessian.reader import Reader
from protocols.hessian.typed_class import ClassPlans, class_reader
from protocols.hessian.typed_containers import (
    list_type,
    list_writer,
    map_reader,
    map_type,
    map_writer,
    sequence_reader,
)
from protocols.hessian.typed_enum import enum_plans, enum_writer
from protocols.hessian.typed_scalars import (
    RANGES,
    SCALAR_READERS,
    SCALAR_WRITERS,
    TypedReader,
    TypedWriter,
    boxed_reader,
    nullable_reader,
    nullable_writer,
)
from protocols.hessian.typed_struct import StructShape, struct_plans, struct_writer
from protocols.hessian.typed_values import VALUE_KINDS, value_reader, value_writer
from protocols.hessian.writer import Writer
from protocols.java import class_name, element, field_name

__all__ = ["TypedCompiler", "TypedReader", "TypedWriter", "compile_reader", "compile_writer"]


_NUMBERS: Final = frozenset({*RANGES, Kind.F32, Kind.F64})


def compile_reader(ref: TypeRef, contract: ServiceContract) -> TypedReader:
    """See `TypedCompiler.compile_reader`; who compiles several types of one contract shares a `TypedCompiler`."""
    return TypedCompiler(contract).compile_reader(ref)


def compile_writer(ref: TypeRef, contract: ServiceContract) -> TypedWriter:
    """See `TypedCompiler.compile_writer`; who compiles several types of one contract shares a `TypedCompiler`."""
    return TypedCompiler(contract).compile_writer(ref)


class TypedCompiler:
    """Compiles the types of one contract, each once. Writers are to be used with a `Writer` of the same dialect."""

    def __init__(self, contract: ServiceContract, dialect: Dialect = LITE) -> None:
        self._contract = contract
        self._dialect = dialect
        self._readers: dict[TypeRef, TypedReader] = {}
        self._writers: dict[TypeRef, TypedWriter] = {}
        self._forms: dict[tuple[TypeRef, str | None], object] = {}
        self._plans: dict[str, ClassPlans] = {}
        self._by_java_name: dict[str, ClassPlans] = {}
        self._by_python_class: dict[type[Any], TypedWriter] = {}
        self._named: list[TypeRef] = []
        for name, named in contract.types.items():
            if isinstance(named, EnumType):
                ref, plans = TypeRef(Kind.ENUM, name=name), enum_plans(named, class_name(named))
            else:
                ref = TypeRef(Kind.EXCEPTION if named.is_exception else Kind.STRUCT, name=name)
                plans = struct_plans(self._shape(name), self._reader, self._read_any)
            self._named.append(ref)
            self._plans[name] = self._by_java_name[class_name(named)] = plans
            self._by_python_class[named.python_class] = self._late_writer(ref)

    def compile_reader(self, ref: TypeRef) -> TypedReader:
        """A function that reads one value of the type.

        It raises HessianError when the value is malformed or not of the type; the error's path starts at the value.
        """
        read = self._reader(ref)

        def read_value(reader: Reader) -> Any:
            try:
                return read(reader)
            except READ_ERRORS as exc:
                raise reader.located(exc, "") from None

        return read_value

    def compile_writer(self, ref: TypeRef) -> TypedWriter:
        """A function that writes one value of the type.

        It raises ValueMappingError when the value is not of the type, with a path that starts at the value, and
        LocalWireError when the message exceeds its limit. What it wrote until then is of no use.
        """
        return self._writer(ref)

    def compile_arguments_reader(self, types: Sequence[TypeRef]) -> Callable[[Reader], tuple[Any, ...]]:
        """A function that reads values of these types, one after the other; paths start with `args[0]`."""
        readers = tuple(map(self._reader, types))

        def read_arguments(reader: Reader) -> tuple[Any, ...]:
            values: list[Any] = []
            try:
                for read in readers:
                    values.append(read(reader))  # noqa: PERF401 - how many there are says which one failed
            except READ_ERRORS as exc:
                raise reader.located(exc, f"args[{len(values)}]") from None
            return tuple(values)

        return read_arguments

    def compile_arguments_writer(self, types: Sequence[TypeRef]) -> Callable[[Writer, Sequence[Any]], None]:
        """A function that writes values of these types, one after the other; paths start with `args[0]`."""
        writers = tuple(map(self._writer, types))

        def write_arguments(writer: Writer, values: Sequence[Any]) -> None:
            index = 0
            try:
                for write in writers:
                    write(writer, values[index])
                    index += 1
            except ValueMappingError as exc:
                raise exc.within(f"args[{index}]") from None

        return write_arguments

    def _reader(self, ref: TypeRef) -> TypedReader:
        """The reader of a type; it may let an IndexError or struct.error escape where the data ends."""
        read = self._readers.get(ref)
        if read is None:
            read = self._make_reader(ref) if ref.kind is Kind.ANY else self._required_reader(ref.required())
            if ref.nullable and ref.kind is not Kind.ANY:
                read = nullable_reader(read)
            self._readers[ref] = read
        return read

    def _required_reader(self, ref: TypeRef) -> TypedReader:
        read = self._readers.get(ref)
        if read is None:
            read = self._readers[ref] = self._make_reader(ref)
        return read

    def _make_reader(self, ref: TypeRef) -> TypedReader:
        kind = ref.kind
        if kind is Kind.ANY:
            return self._read_any
        if kind in SCALAR_READERS:
            read = SCALAR_READERS[kind]
            return boxed_reader(kind, read) if self._dialect.reads_boxes and kind in _NUMBERS else read
        if kind in VALUE_KINDS:
            return value_reader(ref, self._dialect)
        if kind is Kind.LIST:
            return sequence_reader(ref, self._form(ref, None), self._reader(ref.args[0]))
        if kind is Kind.SET:
            return sequence_reader(ref, self._form(ref, None), self._reader(_hashable(ref.args[0])))
        if kind is Kind.MAP:
            key, value = ref.args
            return map_reader(ref, self._form(ref, None), self._reader(_hashable(key)), self._reader(value))
        return class_reader(self._plans[ref.name])

    def _writer(self, ref: TypeRef) -> TypedWriter:
        write = self._writers.get(ref)
        if write is None:
            if ref.nullable and ref.kind is not Kind.ANY:
                write = nullable_writer(self._writer(ref.required()))
            else:
                # A struct may contain itself: until its writer is made, this stands for it.
                self._writers[ref] = self._late_writer(ref)
                write = self._make_writer(ref)
            self._writers[ref] = write
        return write

    def _make_writer(self, ref: TypeRef) -> TypedWriter:
        kind = ref.kind
        if kind is Kind.ANY:
            for known in self._named:
                self._writer(known)  # now, so that nothing is compiled while calls run
            return self._write_any
        if kind in SCALAR_WRITERS:
            return SCALAR_WRITERS[kind]
        if kind in VALUE_KINDS:
            return value_writer(ref)
        if kind is Kind.LIST or kind is Kind.SET:
            return list_writer(ref, self._form(ref, list_type(ref)), self._writer(element(ref)))
        if kind is Kind.MAP:
            key, value = ref.args
            return map_writer(ref, self._form(ref, map_type(ref)), self._writer(key), self._writer(value))
        if kind is Kind.ENUM:
            enum = self._contract.enum(ref)
            return enum_writer(enum, class_name(enum))
        return struct_writer(self._shape(ref.name), self._writer)

    def _late_writer(self, ref: TypeRef) -> TypedWriter:
        """Stands for a writer that is still being made, or that perhaps nobody needs."""
        made: list[TypedWriter] = []

        def write_late(writer: Writer, value: Any) -> None:
            if not made:
                made.append(self._writer(ref))
            made[0](writer, value)

        return write_late

    def _read_any(self, reader: Reader) -> Any:
        reader.known = self._by_java_name
        return reader.next_value()

    def _write_any(self, writer: Writer, value: Any) -> None:
        writer.known = self._by_python_class
        writer.write(value)

    def _shape(self, name: str) -> StructShape:
        struct = self._contract.struct(TypeRef(Kind.STRUCT, name=name))
        return StructShape(struct, class_name(struct), {field.name: field_name(field) for field in struct.fields})

    def _form(self, ref: TypeRef, type_name: str | None) -> object:
        """One object for all uses of a type that make the same values in the same form; None for the generic one."""
        kept = tuple(pair for pair in ref.hints if pair[0] == "python")
        if not (kept or type_name) and ref.kind is not Kind.SET and all(arg.kind is Kind.ANY for arg in ref.args):
            return None  # what the generic reader and writer make
        return self._forms.setdefault((replace(ref, nullable=False, hints=kept), type_name), object())


def _hashable(ref: TypeRef) -> TypeRef:
    """The type of a key or set element, with lists as tuples and sets as frozensets."""
    if ref.kind is Kind.LIST:
        return _with_python(replace(ref, args=(_hashable(ref.args[0]),)), "tuple")
    if ref.kind is Kind.SET:
        return _with_python(ref, "frozenset")
    return ref


def _with_python(ref: TypeRef, class_name: str) -> TypeRef:
    others = tuple(pair for pair in ref.hints if pair[0] != "python")
    return replace(ref, hints=tuple(sorted((*others, ("python", class_name)))))
