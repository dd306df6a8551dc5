"""Values of type `any` out of replies. The notation stands in `protocols.redis.mapping`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gateway.jsonform.form import MAX_DEPTH, key_text
from gateway.jsonform.generic_reader import ReadNamed, hashable, read_generic
from gateway.jsonform.mismatch import too_deep
from gateway.jsonform.text import parse_json
from gateway.model.errors import ValueMappingError
from gateway.model.generic import BigInt, Long, Pairs, Record, TypedList, TypedMap
from gateway.model.key_hash import KeyHashes
from gateway.model.scalar import INTEGER_RANGES
from gateway.model.typeref import Kind
from protocols.redis.any_writer import CLASS, JSON_FORM, LIST, MAP
from protocols.redis.reply import Big, MapReply, SetReply, Simple, Verbatim

__all__ = ["AnyReader", "text_of"]

_I32: Final = INTEGER_RANGES[Kind.I32]
_I64: Final = INTEGER_RANGES[Kind.I64]
ReadStruct = Callable[[str, list[tuple[Any, Any]], int], Any]
"""A struct of the contract out of its fields; `NotImplemented` where the contract has none of that name."""


def text_of(data: bytes) -> str:
    """The text of a string. Raises `ValueMappingError`."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as exc:
        raise ValueMappingError(f"no UTF-8 at byte {exc.start}") from None


class AnyReader:
    """Called with a reply and how deep it is. `read_struct`, `read_named`: what names a type of the contract."""

    def __init__(self, read_struct: ReadStruct, read_named: ReadNamed) -> None:
        self._read_struct = read_struct
        self._read_named = read_named

    def __call__(self, value: Any, depth: int) -> Any:
        """The value. Raises `ValueMappingError` with the path of what is none."""
        if depth > MAX_DEPTH:
            raise too_deep()
        kind = type(value)
        if kind is Verbatim:
            if value.form == JSON_FORM:
                return read_generic(parse_json(value.data), self._read_named, depth)
            return text_of(value.data)
        if kind is Big:
            number = int(value)
            return BigInt(number) if _I64[0] <= number <= _I64[1] else number
        if kind is int:
            return value if _I32[0] <= value <= _I32[1] else Long(value)
        if kind is list:
            return self._items(value, depth)
        if kind is SetReply:
            return self._set(value, depth)
        if kind is MapReply:
            return self._map(value, depth)
        return str(value) if kind is Simple else value

    def _items(self, items: list[Any], depth: int) -> list[Any]:
        found: list[Any] = []
        try:
            append = found.append
            for each in items:
                append(self(each, depth + 1))
        except ValueMappingError as exc:
            raise exc.within(f"[{len(found)}]") from None
        return found

    def _set(self, items: list[Any], depth: int) -> set[Any]:
        found: set[Any] = set()
        hashes = KeyHashes()
        for index, each in enumerate(self._items(items, depth)):
            element = hashable(each)
            if element is NotImplemented or not hashes.admit(element) or element in found:
                raise ValueMappingError("no element of a set, or one that stands twice", f"[{index}]")
            found.add(element)
        return found

    def _map(self, pairs: list[tuple[Any, Any]], depth: int) -> Any:
        if pairs and type(pairs[0][0]) is Simple and pairs[0][0] == CLASS:
            return self._named(pairs, depth)
        read: list[tuple[Any, Any]] = []
        for index, (key, item) in enumerate(pairs):
            read.append((self._at(f"[key {index}]", key, depth), self._at(f"[{key_text(key, index)}]", item, depth)))
        found: dict[Any, Any] = {}
        hashes = KeyHashes()
        for key, item in read:
            try:
                # What has the hash of too many others stays in pairs, which compare with nothing.
                if not hashes.admit(key) or key in found:
                    return Pairs(read)
            except TypeError:
                return Pairs(read)
            found[key] = item
        return found

    def _named(self, pairs: list[tuple[Any, Any]], depth: int) -> Any:
        (_, given), *rest = pairs
        if type(given) is not bytes:
            raise ValueMappingError("a class has a name")
        name = text_of(given)
        if len(rest) == 1 and type(rest[0][0]) is Simple:
            kind, inner = rest[0][0], self(rest[0][1], depth)
            if kind == LIST and isinstance(inner, list):
                return TypedList(name, inner)
            if kind == MAP and isinstance(inner, dict):
                return TypedMap(name, inner)
            if kind == MAP and isinstance(inner, Pairs):
                return Pairs(inner, name)
            raise ValueMappingError("what has a class is a list, a map, or an object")
        known = self._read_struct(name, rest, depth)
        if known is not NotImplemented:
            return known
        record = Record(name)
        for field, item in rest:
            if type(field) is not bytes or (key := text_of(field)) in record:
                raise ValueMappingError("a field has a name, and no other field has it")
            record[key] = self._at(f".{key}", item, depth)
        return record

    def _at(self, place: str, value: Any, depth: int) -> Any:
        try:
            return self(value, depth + 1)
        except ValueMappingError as exc:
            raise exc.within(place) from None
