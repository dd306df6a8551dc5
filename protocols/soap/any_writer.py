"""Values of type `any` as elements whose `xsi:type` says what they are.

| value | `xsi:type` |
| --- | --- |
| null | none, `xsi:nil` |
| bool; text; bytes; float | `xs:boolean`; `xs:string`; `xs:base64Binary`; `xs:double` |
| integer of 32 bits; `Long`, integer of 33 to 64 bits | `xs:int`; `xs:long` |
| `BigInt`, integer beyond 64 bits | `xs:integer` |
| decimal; with a positive exponent | `xs:decimal`; `scaledDecimal` |
| date, time, datetime, duration | `xs:date`, `xs:time`, `xs:dateTime`, `xs:duration` |
| local_datetime, uuid, `JavaDate` | `localDateTime`, `uuid`, `javaDate` |
| struct, enum, exception of the contract | its type |
| list, tuple, `TypedList` | `anyList`, with the class as attribute where there is one |
| set | `anySet` |
| map, `TypedMap`, `Pairs` | `anyMap`, likewise |
| `Record` | `anyRecord`, likewise |

Read are also the other types of XML Schema for integers, binary data and text, `xs:dateTime` without a zone as a
local_datetime, and an element without `xsi:type` as a text. The named types are those of the contract's own namespace.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from gateway.jsonform.form import Walk
from gateway.model.contract import ServiceContract
from gateway.model.errors import ValueMappingError
from gateway.model.generic import BigInt, JavaDate, Long, Pairs, Record, TypedList, TypedMap
from gateway.model.scalar import INTEGER_RANGES
from gateway.model.typeref import Kind, TypeRef
from protocols.soap.elements import Append, Element, write_each, write_entries
from protocols.soap.names import ITEM, KEY, SIMPLE_TYPES, VALUE, TypeNames
from protocols.soap.scalar import BUILT_IN, FORMATS
from protocols.soap.text import escape_attribute

if TYPE_CHECKING:
    from protocols.soap.writer import Writers

__all__ = ["AnyWriter"]

_ANY: Final = TypeRef(Kind.ANY, nullable=True)
_I32: Final = INTEGER_RANGES[Kind.I32]
_I64: Final = INTEGER_RANGES[Kind.I64]


class AnyWriter:
    """A `protocols.soap.writer.Content`; `prefix`: of the contract's namespace."""

    __slots__ = ("_classes", "_names", "_prefix", "_steps", "_writers")

    def __init__(self, writers: Writers, contract: ServiceContract, names: TypeNames, prefix: str) -> None:
        self._writers = writers
        self._classes = {each.python_class: each for each in contract.types.values()}
        self._names = names
        self._prefix = prefix
        self._steps: dict[str, Element] = {}

    def __call__(self, append: Append, value: Any, walk: Walk) -> str:
        """Writes the inside; gives the attributes that say what it is."""
        definition = self._classes.get(type(value))
        if definition is not None:
            attributes = self._writers.named(definition)(append, value, walk)
            return f"{self._own(self._names.of_named(definition.name))}{attributes}"
        kind = _kind_of(value)
        if kind is Kind.DECIMAL:
            scaled = self._writers.scalar(kind)(append, value, walk)
            return scaled or ' xsi:type="xs:decimal"'
        if kind is not None:
            written = value.replace(tzinfo=None) if isinstance(value, JavaDate) else value
            if isinstance(value, JavaDate):
                append(f"{FORMATS[Kind.LOCAL_DATETIME](written)}Z")
                return self._own("javaDate")
            self._writers.scalar(kind)(append, value, walk)
            return self._own(SIMPLE_TYPES[kind]) if kind in SIMPLE_TYPES else f' xsi:type="xs:{BUILT_IN[kind]}"'
        if isinstance(value, Enum):
            raise ValueMappingError(f"{type(value).__qualname__} is no enum of the contract")
        return self._container(append, value, walk)

    def _own(self, name: str) -> str:
        return f' xsi:type="{self._prefix}{name}"'

    def _container(self, append: Append, value: Any, walk: Walk) -> str:
        name = getattr(value, "type_name", "") if isinstance(value, Record | Pairs | TypedList | TypedMap) else ""
        said = f' class="{escape_attribute(name)}"' if name else ""
        if isinstance(value, Record):
            self._entries(append, value.items(), len(value), walk)
            return self._own("anyRecord") + said
        if isinstance(value, Pairs):
            self._entries(append, value, len(value), walk)
            return self._own("anyMap") + said
        if isinstance(value, Mapping):
            self._entries(append, value.items(), len(value), walk)
            return self._own("anyMap") + said
        if isinstance(value, list | tuple | Set):
            self._items(append, value, walk)
            return self._own("anySet" if isinstance(value, Set) else "anyList") + said
        raise ValueMappingError(f"{type(value).__qualname__} is no class of the contract")

    def _items(self, append: Append, values: Any, walk: Walk) -> None:
        write_each(append, values, self._step(ITEM), walk)

    def _entries(self, append: Append, items: Any, size: int, walk: Walk) -> None:
        write_entries(append, items, size, self._step(KEY), self._step(VALUE), walk)

    def _step(self, name: str) -> Element:
        found = self._steps.get(name)
        if found is None:
            found = self._steps[name] = self._writers.element(name, _ANY)
        return found


def _kind_of(value: Any) -> Kind | None:
    """The scalar type that a value has; None for what is no scalar."""
    match value:
        case Enum():
            return None
        case bool():
            return Kind.BOOL
        case str():
            return Kind.STRING
        case int():
            if isinstance(value, BigInt) or not _I64[0] <= value <= _I64[1]:
                return Kind.BIGINT
            return Kind.I64 if isinstance(value, Long) or not _I32[0] <= value <= _I32[1] else Kind.I32
        case float():
            return Kind.F64
        case Decimal():
            return Kind.DECIMAL
        case bytes() | bytearray() | memoryview():
            return Kind.BYTES
        case datetime():
            return Kind.LOCAL_DATETIME if value.utcoffset() is None else Kind.DATETIME
        case date():
            return Kind.DATE
        case time():
            return Kind.TIME
        case timedelta():
            return Kind.DURATION
        case UUID():
            return Kind.UUID
    return None
