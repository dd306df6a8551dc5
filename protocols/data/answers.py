"""What an answer of the server becomes: functions from what it said to what a method returns, compiled once.

A server's own kinds of answers are put into few before they come here: bytes and flags (`Stored`), None for nothing
there, whole numbers, lists of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from gateway.model.contract import MISSING, Field, ServiceContract
from gateway.model.errors import ValueMappingError
from gateway.model.instance import new_struct
from gateway.model.scalar import INTEGER_RANGES, SCALAR_CHECKS
from gateway.model.typeref import Kind, TypeRef
from protocols.data.encoding import Stored, Values
from protocols.data.verb import Answer
from protocols.texts.value import TextReaders

__all__ = ["NOTHING", "AnswerMisfit", "AnswerReader", "compile_answer"]

AnswerReader = Callable[[Any, Any], Any]
"""From the answer, and the keys that were asked for where there were several, to the value; `NOTHING` where there is
none and null will not do. Raises `ValueMappingError`, `WireError`."""

NOTHING: Final = object()
"""There is nothing under the key."""

_INTEGERS: Final = frozenset({*INTEGER_RANGES, Kind.BIGINT})
_COLLECTIONS: Final = frozenset({Kind.LIST, Kind.SET})
_NO_EXPIRY: Final = -1
_NO_KEY: Final = -2
"""What PTTL answers (Redis: commands/pttl)."""


class AnswerMisfit(Exception):
    """A method cannot return what the command answers; says why."""


def compile_answer(answer: Answer, ref: TypeRef, contract: ServiceContract, values: Values) -> AnswerReader:
    """The reader for a method that returns `ref`. Raises `AnswerMisfit`."""
    make = _MAKE[answer](ref, contract, values)
    if make is None:
        raise AnswerMisfit(f"it returns {ref}, and the command answers {answer.value}")
    return make


def _absent(ref: TypeRef) -> Any:
    return None if ref.nullable or ref.kind in (Kind.ANY, Kind.NULL) else NOTHING


def _value(ref: TypeRef, contract: ServiceContract, values: Values) -> AnswerReader | None:
    if ref.kind is Kind.NULL:
        return None
    read, absent = values.reader(ref), _absent(ref)

    def read_value(found: Stored | None, _: Any) -> Any:
        return absent if found is None else read(*found)

    return read_value


def _items(ref: TypeRef, contract: ServiceContract, values: Values) -> AnswerReader | None:
    if ref.kind not in _COLLECTIONS:
        return None
    read, cls = values.reader(ref.args[0]), _class_of(ref)

    def read_items(found: Sequence[Stored], _: Any) -> Any:
        return _collected(_each(found, lambda each: read(*each)), cls, ref)

    return read_items


def _texts(ref: TypeRef, contract: ServiceContract, values: Values) -> AnswerReader | None:
    if ref.kind not in _COLLECTIONS:
        return None
    read, cls = TextReaders(contract).compile(ref.args[0]), _class_of(ref)

    def read_texts(found: Sequence[Stored], _: Any) -> Any:
        return _collected(_each(found, lambda each: read(each.data)), cls, ref)

    return read_texts


def _several(ref: TypeRef, contract: ServiceContract, values: Values) -> AnswerReader | None:
    if ref.kind is Kind.LIST:
        read, absent, cls = values.reader(ref.args[0]), _absent(ref.args[0]), _class_of(ref)

        def read_list(found: Sequence[Stored | None], keys: Any) -> Any:
            made = _each(found, lambda each: absent if each is None else read(*each))
            return NOTHING if NOTHING in made else cls(made)

        return read_list
    if ref.kind is Kind.MAP:
        read_one = values.reader(ref.args[1])

        def read_map(found: Sequence[Stored | None], keys: Any) -> Any:
            made = _each(found, lambda each: NOTHING if each is None else read_one(*each))
            return {key: each for key, each in zip(keys, made, strict=True) if each is not NOTHING}

        return read_map
    return None


def _entries(ref: TypeRef, contract: ServiceContract, values: Values) -> AnswerReader | None:
    if ref.kind is Kind.MAP:
        read_key, read = TextReaders(contract).compile(ref.args[0]), values.reader(ref.args[1])
        nullable = ref.nullable

        def read_map(found: Sequence[Stored], _: Any) -> Any:
            if not found and nullable:
                return None
            made: dict[Any, Any] = {}
            for name, each in zip(found[::2], found[1::2], strict=True):
                try:
                    made[read_key(name.data)] = read(*each)
                except ValueMappingError as exc:
                    raise exc.within(f"[{len(made)}]") from None
            return made

        return read_map
    if ref.kind is not Kind.STRUCT:
        return None
    definition, absent = contract.struct(ref), _absent(ref)
    members = [(each, values.reader(each.type)) for each in definition.fields]

    def read_struct(found: Sequence[Stored], _: Any) -> Any:
        if not found:
            return absent
        by_name = {name.data: each for name, each in zip(found[::2], found[1::2], strict=True)}
        made = {}
        for field, read in members:
            stored = by_name.get(field.name.encode())
            try:
                made[field.attribute] = _of_absent_field(field) if stored is None else read(*stored)
            except ValueMappingError as exc:
                raise exc.within(f".{field.name}") from None
        return new_struct(definition, made)

    return read_struct


def _of_absent_field(field: Field) -> Any:
    value = field.absent()
    if value is MISSING:
        raise ValueMappingError(f"expected {field.type}, found no such field")
    return value


def _entry(ref: TypeRef, contract: ServiceContract, values: Values) -> AnswerReader | None:
    if ref.kind is not Kind.STRUCT:
        return None
    definition, absent = contract.struct(ref), _absent(ref)
    by_name = {each.name: each for each in definition.fields}
    value, version = by_name.pop("value", None), by_name.pop("version", None)
    if value is None or version is None or version.type.kind not in (Kind.I64, Kind.BIGINT):
        return None
    if not all(each.optional for each in by_name.values()):
        return None
    read = values.reader(value.type)

    def read_entry(found: tuple[Stored, int] | None, _: Any) -> Any:
        if found is None:
            return absent
        made = {each.attribute: each.absent() for each in by_name.values()}
        made[value.attribute] = read(*found[0])
        # Versions are 64 bits without a sign; an i64 has the same bits with one.
        number = found[1]
        made[version.attribute] = number - (1 << 64) if version.type.kind is Kind.I64 and number >> 63 else number
        return new_struct(definition, made)

    return read_entry


def _done(ref: TypeRef, contract: ServiceContract, values: Values) -> AnswerReader | None:
    if ref.kind is Kind.NULL:
        return lambda found, _: None
    if ref.kind is not Kind.BOOL:
        return None
    nullable = ref.nullable
    # None is "there is nothing to compare with", which only a null can say.
    return lambda found, _: None if found is None and nullable else bool(found)


def _count(ref: TypeRef, contract: ServiceContract, values: Values) -> AnswerReader | None:
    if ref.kind in _INTEGERS:
        return _number(ref, contract, values)
    if ref.kind is Kind.BOOL:
        return lambda found, _: bool(found)
    return (lambda found, _: None) if ref.kind is Kind.NULL else None


def _number(ref: TypeRef, contract: ServiceContract, values: Values) -> AnswerReader | None:
    if ref.kind not in _INTEGERS:
        return None
    check, absent = SCALAR_CHECKS[ref.kind], _absent(ref)
    return lambda found, _: absent if found is None else check(found, None)


def _float(ref: TypeRef, contract: ServiceContract, values: Values) -> AnswerReader | None:
    if ref.kind not in (Kind.F64, Kind.DECIMAL):
        return None
    is_float, absent = ref.kind is Kind.F64, _absent(ref)

    def read(found: Stored | None, _: Any) -> Any:
        if found is None:
            return absent
        text = found.data.decode("ascii", "replace")
        try:
            return float(text) if is_float else SCALAR_CHECKS[Kind.DECIMAL](Decimal(text), None)
        except (ValueError, InvalidOperation):
            raise ValueMappingError("expected a number") from None

    return read


def _ttl(ref: TypeRef, contract: ServiceContract, values: Values) -> AnswerReader | None:
    if not ref.nullable or (ref.kind not in _INTEGERS and ref.kind is not Kind.DURATION):
        return None
    is_duration = ref.kind is Kind.DURATION

    def read(found: int, misses: Any) -> Any:
        if found < 0:
            return NOTHING if found == _NO_KEY and misses else None
        # Rounded up: what has half a second left has not yet expired.
        return timedelta(milliseconds=found) if is_duration else -(-found // 1_000)

    return read


def _class_of(ref: TypeRef) -> type[Any]:
    hint = ref.hint("python")
    if ref.kind is Kind.LIST:
        return tuple if hint == "tuple" else list
    return frozenset if hint == "frozenset" else set


def _collected(items: list[Any], cls: type[Any], ref: TypeRef) -> Any:
    made = cls(items)
    if len(made) != len(items):
        raise ValueMappingError(f"elements of {ref} that differ become the same value")
    return made


def _each(found: Sequence[Any], read: Callable[[Any], Any]) -> list[Any]:
    made: list[Any] = []
    for each in found:
        try:
            made.append(read(each))
        except ValueMappingError as exc:
            raise exc.within(f"[{len(made)}]") from None
    return made


_Make = Callable[[TypeRef, ServiceContract, Values], AnswerReader | None]
_MAKE: Final[dict[Answer, _Make]] = {
    Answer.VALUE: _value,
    Answer.VALUES: _several,
    Answer.ITEMS: _items,
    Answer.TEXTS: _texts,
    Answer.ENTRIES: _entries,
    Answer.ENTRY: _entry,
    Answer.DONE: _done,
    Answer.COUNT: _count,
    Answer.NUMBER: _number,
    Answer.FLOAT: _float,
    Answer.TTL: _ttl,
}
