"""Contract values as elements, by functions compiled once per type. The table is in `protocols.soap.mapping`.

Whatever is written is checked on the way: the values accepted for a type are those of `gateway.contracts.values`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from decimal import Decimal
from typing import Any, Final

from gateway.jsonform.form import Walk, enter
from gateway.model.contract import MISSING, EnumType, Field, Param, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.scalar import INTEGER_RANGES, SCALAR_CHECKS, mismatch
from gateway.model.typeref import Kind, TypeRef
from protocols.soap import any_writer
from protocols.soap.elements import Append, Content, Element, write_each, write_entries
from protocols.soap.names import ITEM, KEY, MESSAGE, RETURN, VALUE, TypeNames
from protocols.soap.scalar import FORMATS
from protocols.soap.shape import absent_param, absent_result, is_repeated
from protocols.soap.text import escape

__all__ = ["Readied", "Writers"]

Readied = Callable[[Append, Sequence[Any], Walk], None]
"""Writes the elements of arguments."""

_NIL: Final = ' xsi:nil="true"'


class Writers:
    """Compiles the writers of one contract.

    `prefix`: of the names of types, as the namespace is bound where they are written: `n:`, or empty where it is the
    default. `outer`: of parameters and results. Elements inside of those are written without a prefix, so they are
    qualified where the namespace is the default and unqualified where it is not.
    """

    def __init__(self, contract: ServiceContract, prefix: str = "", outer: str = "") -> None:
        self._contract = contract
        self._names = TypeNames(contract)
        self._prefix = prefix
        self._outer = outer
        self._contents: dict[TypeRef, Content] = {}
        self._structs: dict[str, Content] = {}

    def arguments(self, params: Sequence[Param]) -> Readied:
        """Writes arguments as the elements of a request."""
        steps = [self._place(f"{self._outer}{param.name}", param.type, absent_param(param)) for param in params]

        def write(append: Append, arguments: Sequence[Any], walk: Walk) -> None:
            index = 0
            try:
                for step, value in zip(steps, arguments, strict=True):
                    step(append, value, walk)
                    index += 1
            except ValueMappingError as exc:
                raise exc.within(f"args[{index}]") from None

        return write

    def result(self, ref: TypeRef) -> Element:
        """Writes a result as what is inside of a response."""
        if ref.kind is Kind.NULL:
            check = SCALAR_CHECKS[Kind.NULL]

            def write_nothing(append: Append, value: Any, walk: Walk) -> None:
                try:
                    check(value, walk)
                except ValueMappingError as exc:
                    raise exc.within("result") from None

            return write_nothing
        step = self._place(f"{self._outer}{RETURN}", ref, absent_result(ref))

        def write(append: Append, value: Any, walk: Walk) -> None:
            try:
                step(append, value, walk)
            except ValueMappingError as exc:
                raise exc.within("result") from None

        return write

    def exception(self, name: str) -> Content:
        """Writes the inside of an exception's element. The value is an instance of its class."""
        definition = self._contract.types[name]
        assert isinstance(definition, StructType)
        return self._struct(definition)

    def _place(self, name: str, ref: TypeRef, absent: Any) -> Element:
        """A parameter, field or result. `absent`: what it is where it is left out."""
        if is_repeated(ref, absent):
            return self._repeated(name, ref)
        return self.element(name, ref, omit_null=absent is None)

    def element(self, name: str, ref: TypeRef, *, omit_null: bool = False) -> Element:
        """One element. `omit_null`: a null is no element at all."""
        kind = ref.kind
        nullable = ref.nullable or kind in (Kind.ANY, Kind.NULL)
        null = "" if omit_null else f"<{name}{_NIL}/>"
        if kind in FORMATS and kind is not Kind.DECIMAL:
            return _scalar_element(name, ref, null)
        content = self._content(ref)
        begin, end = f"<{name}>", f"</{name}>"

        def write(append: Append, value: Any, walk: Walk) -> None:
            if value is None:
                if not nullable:
                    raise ValueMappingError(f"null where {ref} is required")
                append(null)
                return
            append(begin)
            content(append, value, walk)
            append(end)

        def write_described(append: Append, value: Any, walk: Walk) -> None:
            if value is None:
                write(append, value, walk)
                return
            # The start tag says what comes behind it, and is known when that is written.
            parts: list[str] = []
            attributes = content(parts.append, value, walk)
            append(f"<{name}{attributes}>" if attributes else begin)
            append("".join(parts))
            append(end)

        return write_described if kind in (Kind.ANY, Kind.DECIMAL) else write

    def _repeated(self, name: str, ref: TypeRef) -> Element:
        step = self.element(name, ref.args[0])
        is_collection = _is_set if ref.kind is Kind.SET else _is_sequence

        def write(append: Append, value: Any, walk: Walk) -> None:
            if not is_collection(value):
                raise ValueMappingError(f"null where {ref} is required") if value is None else mismatch(str(ref), value)
            write_each(append, value, step, walk)

        return write

    def _content(self, ref: TypeRef) -> Content:
        ref = ref.required() if ref.kind is not Kind.ANY else ref
        found = self._contents.get(ref)
        if found is None:
            found = self._contents[ref] = self._compile(ref)
        return found

    def _compile(self, ref: TypeRef) -> Content:
        match ref.kind:
            case Kind.NULL:
                return _no_value
            case Kind.ANY:
                return any_writer.AnyWriter(self, self._contract, self._names, self._prefix)
            case Kind.DECIMAL:
                return _decimal(f' xsi:type="{self._prefix}scaledDecimal"')
            case Kind.LIST | Kind.SET:
                step = self.element(ITEM, ref.args[0])
                is_collection = _is_set if ref.kind is Kind.SET else _is_sequence

                def write(append: Append, value: Any, walk: Walk) -> str:
                    if not is_collection(value):
                        raise mismatch(str(ref), value)
                    write_each(append, value, step, walk)
                    return ""

                return write
            case Kind.MAP:
                return self._map(ref)
            case Kind.ENUM:
                return _enum(self._contract.enum(ref))
        if ref.kind in FORMATS:
            return _scalar_content(ref.kind)
        return self._struct(self._contract.struct(ref))

    def scalar(self, kind: Kind) -> Content:
        """Writes a scalar's text."""
        return self._content(TypeRef(kind))

    def named(self, definition: StructType | EnumType) -> Content:
        """Writes a struct or an enum of the contract."""
        return _enum(definition) if isinstance(definition, EnumType) else self._struct(definition)

    def _map(self, ref: TypeRef) -> Content:
        key_step, value_step = self.element(KEY, ref.args[0]), self.element(VALUE, ref.args[1])

        def write(append: Append, value: Any, walk: Walk) -> str:
            if not isinstance(value, dict | Mapping):
                raise mismatch(str(ref), value)
            write_entries(append, value.items(), len(value), key_step, value_step, walk)
            return ""

        return write

    def _struct(self, definition: StructType) -> Content:
        found = self._structs.get(definition.name)
        if found is None:
            # Registered before its fields are compiled: they may name it again.
            fields: list[tuple[Field, str, Element]] = []
            found = self._structs[definition.name] = _struct(definition, fields)
            fields += [
                (each, each.attribute, self._place(each.name, each.type, each.absent())) for each in definition.fields
            ]
        return found


def _scalar_element(name: str, ref: TypeRef, null: str) -> Element:
    kind = ref.kind
    check, form = SCALAR_CHECKS[kind], FORMATS[kind]
    start, end = f"<{name}>", f"</{name}>"
    nullable = ref.nullable

    def write(append: Append, value: Any, walk: Walk) -> None:
        if value is None:
            if not nullable:
                raise ValueMappingError(f"null where {ref} is required")
            append(null)
            return
        append(f"{start}{form(check(value, walk))}{end}")

    if kind in INTEGER_RANGES:
        low, high = INTEGER_RANGES[kind]

        def write_integer(append: Append, value: Any, walk: Walk) -> None:
            if type(value) is int and low <= value <= high:
                append(f"{start}{value}{end}")
            else:
                write(append, value, walk)

        return write_integer
    return write


def _scalar_content(kind: Kind) -> Content:
    check, form = SCALAR_CHECKS[kind], FORMATS[kind]

    def write(append: Append, value: Any, walk: Walk) -> str:
        append(form(check(value, walk)))
        return ""

    return write


def _decimal(scaled: str) -> Content:
    check, form = SCALAR_CHECKS[Kind.DECIMAL], FORMATS[Kind.DECIMAL]

    def write(append: Append, value: Any, walk: Walk) -> str:
        number: Decimal = check(value, walk)
        append(form(number))
        exponent = number.as_tuple().exponent
        assert isinstance(exponent, int)
        return f'{scaled} exponent="{exponent}"' if exponent > 0 else ""

    return write


def _no_value(append: Append, value: Any, walk: Walk) -> str:
    raise mismatch("null", value)


def _enum(definition: EnumType) -> Content:
    cls = definition.python_class

    def write(append: Append, value: Any, walk: Walk) -> str:
        if not isinstance(value, cls):
            raise mismatch(definition.name, value, f"use {cls.__name__}.{definition.constants[0]} and the like")
        append(value.name)
        return ""

    return write


def _is_sequence(value: Any) -> bool:
    return isinstance(value, list | Sequence) and not isinstance(value, str | bytes | bytearray | memoryview)


def _is_set(value: Any) -> bool:
    return isinstance(value, Set)


def _struct(definition: StructType, fields: list[tuple[Field, str, Element]]) -> Content:
    """`fields`: filled after this returns, with the attribute and the writer of each."""
    cls = definition.python_class
    is_exception = definition.is_exception

    def write(append: Append, value: Any, walk: Walk) -> str:
        if type(value) is not cls:
            raise mismatch(definition.name, value)
        enter(walk, 0)
        for field, attribute, step in fields:
            item = getattr(value, attribute, MISSING)
            if item is MISSING:
                item = field.absent()
                if item is MISSING:
                    raise ValueMappingError("the attribute is not set", field.name)
            try:
                step(append, item, walk)
            except ValueMappingError as exc:
                raise exc.within(f".{field.name}") from None
        if is_exception and value.args and value.args[0] is not None:
            append(f"<{MESSAGE}>")
            try:
                append(escape(str(value.args[0])))
            except ValueMappingError as exc:
                raise exc.within(f".{MESSAGE}") from None
            append(f"</{MESSAGE}>")
        walk[0] -= 1
        return ""

    return write
