"""Lists, sets and maps in any encoding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, Final

from gateway.jsonform.form import key_text
from gateway.model.errors import ValueMappingError
from gateway.model.key_hash import KeyHashes, has_common_hashes, may_collide
from gateway.model.scalar import mismatch
from gateway.model.typeref import Kind, TypeRef
from protocols.thrift import wire

__all__ = ["list_form", "map_form", "set_form"]

_Read = Callable[[Any], Any]
_Write = Callable[[Any, Any], None]
_HASH_ERRORS: Final = (TypeError, AttributeError, RecursionError)
"""What classes of a contract raise whose objects have no hash: one of their fields may be a list."""


def list_form(ref: TypeRef, element: Any) -> tuple[_Read, _Write]:
    """`element`: the form of its elements."""
    read_items, write_items = _items(ref, element)
    as_tuple = ref.hint("python") == "tuple"

    def write(writer: Any, value: Any) -> None:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes | bytearray | memoryview):
            raise mismatch(str(ref), value)
        write_items(writer, value)

    if as_tuple:
        return lambda reader: tuple(read_items(reader)), write
    return read_items, write


def set_form(ref: TypeRef, element: Any) -> tuple[_Read, _Write]:
    """`element`: the form of its elements."""
    read_items, write_items = _items(ref, element)
    cls: type[Any] = frozenset if ref.hint("python") == "frozenset" else set
    guarded = may_collide(ref.args[0])

    def read(reader: Any) -> Any:
        items = read_items(reader)
        try:
            if guarded and has_common_hashes(items):
                raise ValueMappingError(f"too many elements of {ref} have the same hash")
            found = cls(items)
        except _HASH_ERRORS:
            raise ValueMappingError(f"an element of {ref} that cannot be told from others") from None
        if len(found) != len(items):
            raise ValueMappingError(f"an element of {ref} stands twice")
        return found

    def write(writer: Any, value: Any) -> None:
        if not isinstance(value, Set):
            raise mismatch(str(ref), value)
        write_items(writer, value)

    return read, write


def _items(ref: TypeRef, element: Any) -> tuple[_Read, _Write]:
    number, read_one, write_one, more = element
    null = _null_text(ref.args[0])

    def read(reader: Any) -> Any:
        said, count = reader.list()
        step = read_one
        if said != number and count:
            if said not in more:
                raise _other_type(number, said)
            step = more[said]
        found: list[Any] = []
        append = found.append
        try:
            for _ in range(count):
                append(step(reader))
        except ValueMappingError as exc:
            raise exc.within(f"[{len(found)}]") from None
        reader.end()
        return found

    def write(writer: Any, values: Any) -> None:
        writer.list(number, len(values))
        at = 0
        try:
            for each in values:
                if each is None and null:
                    raise ValueMappingError(null)
                write_one(writer, each)
                at += 1
        except ValueMappingError as exc:
            raise exc.within(f"[{at}]") from None
        writer.end()

    return read, write


def _null_text(ref: TypeRef) -> str:
    """Why there is no null among values of the type; empty where there is."""
    if ref.kind is Kind.ANY:
        return ""
    if ref.nullable:
        return "null has no form in a list, set or map of Thrift"
    return f"null where {ref} is required"


def _other_type(number: int, said: int) -> ValueMappingError:
    return ValueMappingError(f"expected {wire.type_name(number)}, found {wire.type_name(said)}")


def map_form(ref: TypeRef, key: Any, item: Any) -> tuple[_Read, _Write]:
    """`key`, `item`: the forms of its keys and values."""
    key_number, read_key, write_key, more_keys = key
    item_number, read_item, write_item, more_items = item
    null_key, null_item = map(_null_text, ref.args)
    guarded = may_collide(ref.args[0])

    def read(reader: Any) -> Any:
        said_key, said_item, count = reader.map()
        key_step, item_step = read_key, read_item
        if count:
            if said_key != key_number:
                if said_key not in more_keys:
                    raise _other_type(key_number, said_key).within("[key 0]")
                key_step = more_keys[said_key]
            if said_item != item_number:
                if said_item not in more_items:
                    raise _other_type(item_number, said_item).within("[0]")
                item_step = more_items[said_item]
        hashes = KeyHashes() if guarded else None
        found: dict[Any, Any] = {}
        for at in range(count):
            try:
                converted = key_step(reader)
                if hashes is not None and not hashes.admit(converted):
                    raise ValueMappingError(f"too many keys of {ref} have the same hash")
                if converted in found:
                    raise ValueMappingError("the key stands twice")
            except ValueMappingError as exc:
                raise exc.within(f"[key {at}]") from None
            except _HASH_ERRORS:
                raise ValueMappingError(f"cannot be told from other keys of {ref}", f"[key {at}]") from None
            try:
                found[converted] = item_step(reader)
            except ValueMappingError as exc:
                raise exc.within(f"[{key_text(converted, at)}]") from None
        reader.end()
        return found

    def write(writer: Any, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise mismatch(str(ref), value)
        writer.map(key_number, item_number, len(value))
        for at, (each, inner) in enumerate(value.items()):
            try:
                if each is None and null_key:
                    raise ValueMappingError(null_key)
                write_key(writer, each)
            except ValueMappingError as exc:
                raise exc.within(f"[key {at}]") from None
            try:
                if inner is None and null_item:
                    raise ValueMappingError(null_item)
                write_item(writer, inner)
            except ValueMappingError as exc:
                raise exc.within(f"[{key_text(each, at)}]") from None
        writer.end()

    return read, write
