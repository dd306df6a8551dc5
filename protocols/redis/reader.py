"""Replies of RESP3 into values of a contract, by functions compiled once per type.

The steps are those of JSON, given what they take; the table stands in `protocols.redis.mapping`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gateway.jsonform.mismatch import mismatch
from gateway.jsonform.reader import Readers
from gateway.model.contract import EnumType, Field, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.type_steps import Step
from gateway.model.typeref import Kind, TypeRef
from protocols.redis.any_reader import AnyReader, text_of
from protocols.redis.reply import MapReply, SetReply, Simple, Verbatim

__all__ = ["ReplyReaders"]

_Member = tuple[Field, str, str, Step]
_NUMBERS: Final = frozenset({Kind.BOOL, Kind.I8, Kind.I16, Kind.I32, Kind.I64, Kind.F32, Kind.F64, Kind.NULL})


class ReplyReaders(Readers):
    """Compiles the readers of one contract. Fields that a struct does not have are passed over."""

    def __init__(self, contract: ServiceContract) -> None:
        super().__init__(contract, ignore_unknown=True)

    def compile(self, ref: TypeRef) -> Callable[[Any], Any]:
        """From a reply (`protocols.redis.reply`) to what the method returned; raises `ValueMappingError`."""
        if ref.kind is Kind.NULL:
            return _read_nothing
        return super().compile(ref)

    def of_any(self) -> Step:
        """See `TypeSteps`."""
        return AnyReader(self._read_struct, self._read_named)

    def of_scalar(self, ref: TypeRef) -> Step:
        """See `TypeSteps`."""
        if ref.kind is Kind.BYTES:
            return _bytes
        step = super().of_scalar(ref)
        if ref.kind in _NUMBERS:
            return step
        return lambda value, depth: step(_as_text(value), depth)

    def of_list(self, ref: TypeRef, element: Step) -> Step:
        """See `TypeSteps`."""
        return _only(list, super().of_list(ref, element), ref)

    def of_set(self, ref: TypeRef, element: Step) -> Step:
        """See `TypeSteps`."""
        return _only(SetReply, super().of_set(ref, element), ref)

    def of_map(self, ref: TypeRef, key: Step, value: Step) -> Step:
        """See `TypeSteps`."""
        return _only(MapReply, super().of_map(ref, key, value), ref)

    def of_enum(self, definition: EnumType) -> Step:
        """See `TypeSteps`."""
        step = super().of_enum(definition)
        return lambda value, depth: step(_as_text(value), depth)

    def of_struct(self, definition: StructType, members: list[_Member]) -> Step:
        """See `TypeSteps`."""
        step = super().of_struct(definition, members)

        def read(value: Any, depth: int) -> Any:
            if type(value) is not MapReply:
                raise mismatch(definition.name, value, "a map")
            fields = {_as_text(name): item for name, item in value}
            message = fields.get("message")
            if definition.is_exception and all(field.name != "message" for field, _, _, _ in members):
                fields["message"] = _as_text(message)
            return step(fields, depth)

        return read

    def _read_struct(self, name: str, pairs: list[tuple[Any, Any]], depth: int) -> Any:
        definition = self._contract.types.get(name)
        if not isinstance(definition, StructType):
            return NotImplemented
        return self.struct_step(definition)(MapReply(pairs), depth)


def _only(kind: type[list[Any]], step: Step, ref: TypeRef) -> Step:
    def read(value: Any, depth: int) -> Any:
        if type(value) is not kind:
            raise mismatch(ref, value)
        return step(value, depth)

    return read


def _as_text(value: Any) -> Any:
    if type(value) is bytes:
        return text_of(value)
    if type(value) is Verbatim:
        return text_of(value.data)
    return str(value) if type(value) is Simple else value


def _bytes(value: Any, depth: int) -> Any:
    if type(value) is not bytes:
        raise ValueMappingError("expected bytes")
    return value


def _read_nothing(value: Any) -> None:
    if value is not None and value != "OK":
        raise ValueMappingError("expected nothing but OK")
