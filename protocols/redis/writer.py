"""Values of a contract as replies, by functions compiled once per type and version of RESP.

The table stands in `protocols.redis.mapping`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from types import MappingProxyType
from typing import Any, Final

from gateway.jsonform import scalar_text
from gateway.jsonform.form import Walk, enter, key_text, new_walk
from gateway.model.contract import MISSING, EnumType, Field, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.scalar import INTEGER_RANGES, SCALAR_CHECKS, mismatch
from gateway.model.type_steps import Step, TypeSteps
from gateway.model.typeref import Kind, TypeRef
from protocols.redis.any_writer import AnyWriter
from protocols.redis.resp import NIL_ARRAY_2, OK, bulk, double, header, nil, text

__all__ = ["ReplyWriters"]

_TEXTS: Final[Mapping[Kind, Callable[[Any], str]]] = MappingProxyType(
    {
        Kind.DECIMAL: scalar_text.format_decimal,
        Kind.DATE: str,
        Kind.TIME: scalar_text.format_time,
        Kind.DATETIME: scalar_text.format_datetime,
        Kind.LOCAL_DATETIME: scalar_text.format_local_datetime,
        Kind.DURATION: scalar_text.format_duration,
        Kind.UUID: str,
    }
)
_AGGREGATES: Final = frozenset({Kind.LIST, Kind.SET, Kind.MAP, Kind.STRUCT, Kind.EXCEPTION})
_Member = tuple[Field, bytes, Step]


class ReplyWriters(TypeSteps[_Member]):
    """Compiles the writers of one contract for one version of RESP, 2 or 3."""

    def __init__(self, contract: ServiceContract, proto: int) -> None:
        super().__init__(contract)
        self._proto = proto
        self._classes = {each.python_class: each for each in contract.types.values()}
        self._members: dict[str, list[_Member]] = {}

    def compile(self, ref: TypeRef) -> Callable[[Any], bytes]:
        """From what a method returned to its reply; raises `ValueMappingError` with the path inside."""
        if ref.kind is Kind.NULL:
            check = SCALAR_CHECKS[Kind.NULL]
            return lambda value: OK if value is None else check(value, None)
        step = self.step(ref)
        quick = None if ref.nullable else ref.kind
        if quick is Kind.STRING:
            return lambda value: (
                f"${len(value)}\r\n{value}\r\n".encode()
                if type(value) is str and value.isascii()
                else step(value, new_walk())
            )
        if quick in INTEGER_RANGES:
            low, high = INTEGER_RANGES[ref.kind]
            return lambda value: (
                b":%d\r\n" % value if type(value) is int and low <= value <= high else step(value, new_walk())
            )
        return lambda value: step(value, new_walk())

    def finished(self, step: Step, ref: TypeRef) -> Step:
        """See `TypeSteps`."""
        if ref.kind is Kind.ANY:
            return step
        null = NIL_ARRAY_2 if self._proto == 2 and ref.kind in _AGGREGATES else nil(self._proto)
        if ref.nullable:
            return lambda value, walk: null if value is None else step(value, walk)
        if ref.kind is Kind.NULL:
            return step

        def required(value: Any, walk: Walk) -> bytes:
            if value is None:
                raise ValueMappingError(f"null where {ref} is required")
            written: bytes = step(value, walk)
            return written

        return required

    def member(self, definition: StructType, field: Field, step: Step) -> _Member:
        """See `TypeSteps`."""
        return field, text(field.name), step

    def of_any(self) -> Step:
        """See `TypeSteps`."""
        return AnyWriter(self._proto, self._classes, self._pairs_of)

    def _pairs_of(self, definition: StructType, value: Any, walk: Walk) -> list[tuple[bytes, bytes]]:
        self.struct_step(definition)
        return _struct_pairs(definition, self._members[definition.name], value, walk)

    def of_scalar(self, ref: TypeRef) -> Step:
        """See `TypeSteps`."""
        kind, proto = ref.kind, self._proto
        check = SCALAR_CHECKS[kind]
        if kind in _TEXTS:
            form = _TEXTS[kind]
            return lambda value, walk: bulk(form(check(value, walk)).encode())
        if kind in INTEGER_RANGES:
            return lambda value, walk: b":%d\r\n" % check(value, walk)
        if kind is Kind.BOOL:
            yes, no = (b"#t\r\n", b"#f\r\n") if proto == 3 else (b":1\r\n", b":0\r\n")
            return lambda value, walk: yes if check(value, walk) else no
        if kind in (Kind.F32, Kind.F64):
            return lambda value, walk: double(check(value, walk), proto)
        if kind is Kind.BIGINT:
            return lambda value, walk: _big(check(value, walk), proto)
        if kind is Kind.BYTES:
            return lambda value, walk: bulk(check(value, walk))
        if kind is Kind.NULL:
            null = nil(proto)
            return lambda value, walk: null if value is None else check(value, walk)
        return lambda value, walk: text(check(value, walk))

    def of_list(self, ref: TypeRef, element: Step) -> Step:
        """See `TypeSteps`."""

        def write(value: Any, walk: Walk) -> bytes:
            if not isinstance(value, list | Sequence) or isinstance(value, str | bytes | bytearray | memoryview):
                raise mismatch(str(ref), value)
            return header(b"*", len(value)) + _joined(value, element, walk)

        return write

    def of_set(self, ref: TypeRef, element: Step) -> Step:
        """See `TypeSteps`."""
        kind = b"~" if self._proto == 3 else b"*"

        def write(value: Any, walk: Walk) -> bytes:
            if not isinstance(value, Set):
                raise mismatch(str(ref), value)
            return header(kind, len(value)) + _joined(value, element, walk)

        return write

    def of_map(self, ref: TypeRef, key: Step, value: Step) -> Step:
        """See `TypeSteps`."""
        head = self._map_head

        def write(pairs: Any, walk: Walk) -> bytes:
            if not isinstance(pairs, dict | Mapping):
                raise mismatch(str(ref), pairs)
            enter(walk, len(pairs))
            written = [head(len(pairs))]
            for index, (each, item) in enumerate(pairs.items()):
                try:
                    written.append(key(each, walk))
                except ValueMappingError as exc:
                    raise exc.within(f"[key {index}]") from None
                try:
                    written.append(value(item, walk))
                except ValueMappingError as exc:
                    raise exc.within(f"[{key_text(each, index)}]") from None
            walk[0] -= 1
            return b"".join(written)

        return write

    def of_enum(self, definition: EnumType) -> Step:
        """See `TypeSteps`."""
        cls = definition.python_class
        written = {member: text(member.name) for member in cls}

        def write(value: Any, walk: Walk) -> bytes:
            if type(value) is not cls:
                raise mismatch(definition.name, value, f"use {cls.__name__}.{definition.constants[0]} and the like")
            return written.get(value) or text(value.name)

        return write

    def of_struct(self, definition: StructType, members: list[_Member]) -> Step:
        """See `TypeSteps`."""
        self._members[definition.name] = members
        head = self._map_head

        def write(value: Any, walk: Walk) -> bytes:
            pairs = _struct_pairs(definition, members, value, walk)
            return head(len(pairs)) + b"".join([each for pair in pairs for each in pair])

        return write

    def of_callback(self, value: Any, state: Any) -> Any:
        """See `TypeSteps`."""
        raise ValueMappingError("a callback has no form on redis://")

    def _map_head(self, count: int) -> bytes:
        return b"%%%d\r\n" % count if self._proto == 3 else b"*%d\r\n" % (2 * count)


def _big(value: int, proto: int) -> bytes:
    said = scalar_text.format_integer(value).encode()
    return b"(%b\r\n" % said if proto == 3 else bulk(said)


def _joined(items: Any, element: Step, walk: Walk) -> bytes:
    enter(walk, len(items))
    written: list[bytes] = []
    try:
        append = written.append
        for each in items:
            append(element(each, walk))
    except ValueMappingError as exc:
        raise exc.within(f"[{len(written)}]") from None
    walk[0] -= 1
    return b"".join(written)


def _struct_pairs(definition: StructType, members: list[_Member], value: Any, walk: Walk) -> list[tuple[bytes, bytes]]:
    """The fields of a struct, written. Of an exception its text as well, as `message`."""
    if type(value) is not definition.python_class:
        raise mismatch(definition.name, value)
    enter(walk, 0)
    written: list[tuple[bytes, bytes]] = []
    if definition.is_exception and all(field.name != "message" for field, _, _ in members):
        message = value.args[0] if value.args else None
        if message is not None:
            written.append((text("message"), text(str(message))))
    for field, name, step in members:
        item = getattr(value, field.attribute, MISSING)
        if item is MISSING:
            item = field.absent()
            if item is MISSING:
                raise ValueMappingError("the attribute is not set", field.name)
        try:
            written.append((name, step(item, walk)))
        except ValueMappingError as exc:
            raise exc.within(f".{field.name}") from None
    walk[0] -= 1
    return written
