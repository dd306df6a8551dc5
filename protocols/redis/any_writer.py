"""Values of type `any` as replies. The notation stands in `protocols.redis.mapping`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from enum import Enum
from typing import Any, Final

from gateway.jsonform.form import Walk, enter, key_text
from gateway.jsonform.generic_writer import GenericWriter
from gateway.jsonform.scalar_text import format_integer
from gateway.jsonform.text import format_json
from gateway.model.contract import NamedType, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.generic import BigInt, Long, Pairs, Record, TypedList, TypedMap
from gateway.model.scalar import INTEGER_RANGES
from gateway.model.typeref import Kind
from protocols.redis.resp import bulk, double, header, nil, text, verbatim

__all__ = ["CLASS", "JSON_FORM", "LIST", "MAP", "AnyWriter"]

CLASS: Final = "class"
LIST: Final = "list"
MAP: Final = "map"
"""Keys that no map of values has, since they are simple strings."""
JSON_FORM: Final = b"jsn"
"""Of a verbatim string: JSON as `gateway.jsonform.generic` has it."""
_CLASS: Final = b"+class\r\n"
_I32: Final = INTEGER_RANGES[Kind.I32]
_I64: Final = INTEGER_RANGES[Kind.I64]

PairsOf = Callable[[StructType, Any, Walk], list[tuple[bytes, bytes]]]


def _no_struct(definition: StructType, value: Any, walk: Walk) -> dict[str, Any]:
    raise AssertionError("structs are written before it comes to JSON")


class AnyWriter:
    """Called with a value and the state of the walk. `classes`: of the contract; `pairs_of`: fields of its structs."""

    def __init__(self, proto: int, classes: Mapping[type[Any], NamedType], pairs_of: PairsOf) -> None:
        self._proto = proto
        self._classes = classes
        self._pairs_of = pairs_of
        self._json = GenericWriter(classes, _no_struct)
        self._yes, self._no = (b"#t\r\n", b"#f\r\n") if proto == 3 else (b":1\r\n", b":0\r\n")

    def __call__(self, value: Any, walk: Walk) -> bytes:
        """The reply. Raises `ValueMappingError` with the path of what has no form, or at a limit."""
        if value is None:
            return nil(self._proto)
        if type(value) is bool:
            return self._yes if value else self._no
        if isinstance(value, str) and not isinstance(value, Enum):
            return verbatim(value.encode("utf-8", "surrogatepass"), self._proto)
        if isinstance(value, bytes | bytearray | memoryview):
            return bulk(bytes(value))
        if isinstance(value, int) and not isinstance(value, Enum):
            return self._integer(value, walk)
        if isinstance(value, float) and not isinstance(value, Enum):
            return double(float(value), self._proto)
        if isinstance(value, list | tuple | Set | Mapping) or isinstance(self._classes.get(type(value)), StructType):
            return self._container(value, walk)
        return verbatim(format_json(self._json(value, walk)), self._proto, JSON_FORM)

    def _integer(self, value: int, walk: Walk) -> bytes:
        number = int(value)
        if isinstance(value, BigInt) or not _I64[0] <= number <= _I64[1]:
            said = format_integer(number).encode()
            return b"(%b\r\n" % said if self._proto == 3 else bulk(said)
        if isinstance(value, Long) and _I32[0] <= number <= _I32[1] and self._proto == 3:
            return verbatim(format_json(self._json(value, walk)), 3, JSON_FORM)
        return b":%d\r\n" % number

    def _container(self, value: Any, walk: Walk) -> bytes:
        if isinstance(definition := self._classes.get(type(value)), StructType):
            if any(field.name == CLASS for field in definition.fields):
                raise ValueMappingError(f"{definition.name} has a field 'class', so nothing can say its class")
            pairs = self._pairs_of(definition, value, walk)
            return self._classed(definition.name, pairs)
        enter(walk, len(value))
        written = self._parts(value, walk)
        walk[0] -= 1
        return written

    def _parts(self, value: Any, walk: Walk) -> bytes:
        if isinstance(value, Record):
            fields = [(text(name), self._at(f".{name}", item, walk)) for name, item in value.items()]
            return self._classed(value.type_name, fields)
        if isinstance(value, Pairs | Mapping):
            written = self._map(value if isinstance(value, Pairs) else list(value.items()), walk)
            name = value.type_name if isinstance(value, Pairs | TypedMap) else ""
            return self._typed(MAP, name, written) if name else written
        kind = b"~" if isinstance(value, Set) and self._proto == 3 else b"*"
        items = b"".join([self._at(f"[{index}]", each, walk) for index, each in enumerate(value)])
        written = header(kind, len(value)) + items
        return self._typed(LIST, value.type_name, written) if isinstance(value, TypedList) else written

    def _map(self, pairs: list[tuple[Any, Any]], walk: Walk) -> bytes:
        written = [self._head(len(pairs))]
        for index, (key, item) in enumerate(pairs):
            written.append(self._at(f"[key {index}]", key, walk))
            written.append(self._at(f"[{key_text(key, index)}]", item, walk))
        return b"".join(written)

    def _classed(self, name: str, fields: list[tuple[bytes, bytes]]) -> bytes:
        parts = [each for pair in fields for each in pair]
        return b"".join([self._head(len(fields) + 1), _CLASS, text(name), *parts])

    def _typed(self, kind: str, name: str, written: bytes) -> bytes:
        return b"%b%b%b+%b\r\n%b" % (self._head(2), _CLASS, text(name), kind.encode(), written)

    def _head(self, count: int) -> bytes:
        return b"%%%d\r\n" % count if self._proto == 3 else b"*%d\r\n" % (2 * count)

    def _at(self, place: str, value: Any, walk: Walk) -> bytes:
        try:
            return self(value, walk)
        except ValueMappingError as exc:
            raise exc.within(place) from None
