"""Elements of type `any`: `xsi:type` says what they are. The table stands in `protocols.soap.any_writer`."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from gateway.jsonform import scalar_text
from gateway.jsonform.generic_reader import hashable
from gateway.model.errors import ValueMappingError
from gateway.model.generic import BigInt, JavaDate, Long, Pairs, Record, TypedList, TypedMap
from gateway.model.key_hash import KeyHashes
from gateway.model.scalar import INTEGER_RANGES
from gateway.model.typeref import Kind
from protocols.soap.document import Document, Frame, shown_name
from protocols.soap.frames import ItemsPlan, LeafPlan, MapPlan, Plan, ScaledPlan, Slot
from protocols.soap.names import SIMPLE_TYPES, XSD, expanded
from protocols.soap.scalar import PARSERS
from protocols.soap.text import BLANKS

__all__ = ["AnyPlan"]

_I32: Final = INTEGER_RANGES[Kind.I32]
_I64: Final = INTEGER_RANGES[Kind.I64]
_CLASS: Final = "class"
_CLASS_ATTRIBUTE: Final = frozenset({_CLASS})
_UNSIGNED: Final = {"unsignedByte": 8, "unsignedShort": 16, "unsignedInt": 32, "unsignedLong": 64}
_SIGNED: Final = {
    "nonNegativeInteger": (0, None),
    "positiveInteger": (1, None),
    "nonPositiveInteger": (None, 0),
    "negativeInteger": (None, -1),
}
_TEXTS: Final = ("string", "normalizedString", "token", "anyURI")


class AnyPlan(Plan):
    """A value that says itself what it is; one that does not is a text. `named`: the types of the contract."""

    __slots__ = ("_named", "_namespace", "_table")

    def __init__(self, namespace: str, named: Callable[[], Mapping[str, Plan]]) -> None:
        super().__init__()
        self._namespace = namespace
        self._named = named
        self._table: dict[str, Plan] | None = None

    def frame(self, slot: Slot, attributes: Mapping[str, str], document: Document) -> Frame:
        """See `Plan.frame`."""
        return _TEXT.frame(slot, attributes, document)

    def as_type(self, name: str) -> Plan:
        """See `Plan.as_type`."""
        if self._table is None:
            self._table = self._make()
        found = self._table.get(name)
        if found is None:
            raise ValueMappingError(f"xsi:type says {shown_name(name)}, which is no type of the schema")
        return found

    def _make(self) -> dict[str, Plan]:
        namespace = self._namespace
        table: dict[str, Plan] = {
            expanded(XSD, name): LeafPlan(parse, frozenset()) for name, parse in _BUILT_IN.items()
        }
        table[expanded(XSD, "anyType")] = self
        item = (self, True)
        own: dict[str, Plan] = {
            **{name: LeafPlan(PARSERS[kind], frozenset()) for kind, name in SIMPLE_TYPES.items()},
            "scaledDecimal": ScaledPlan(frozenset()),
            "javaDate": LeafPlan(_java_date, frozenset()),
            "anyList": _Classed(lambda name: ItemsPlan(namespace, self, True, _list_builder(name), frozenset())),
            "anySet": ItemsPlan(namespace, self, True, _set, frozenset()),
            "anyMap": _Classed(lambda name: MapPlan(namespace, item, item, _map_builder(name), frozenset())),
            "anyRecord": _Classed(lambda name: MapPlan(namespace, item, item, _record_builder(name), frozenset())),
        }
        table |= {expanded(namespace, name): plan for name, plan in own.items()}
        return table | dict(self._named())


class _Classed(Plan):
    """A container that may say the class it has elsewhere. `make`: the plan for a class."""

    __slots__ = ("_make", "_plain")

    def __init__(self, make: Callable[[str], Plan]) -> None:
        super().__init__(attributes=_CLASS_ATTRIBUTE)
        self._make = make
        self._plain = make("")

    def frame(self, slot: Slot, attributes: Mapping[str, str], document: Document) -> Frame:
        """See `Plan.frame`."""
        name = attributes.get(_CLASS, "")
        return (self._make(name) if name else self._plain).frame(slot, attributes, document)


def _integer(text: str) -> Any:
    number = scalar_text.parse_integer(text.strip(BLANKS))
    return number if _I32[0] <= number <= _I32[1] or not _I64[0] <= number <= _I64[1] else Long(number)


def _bounded(low: int | None, high: int | None) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        number = _integer(text)
        if (low is not None and number < low) or (high is not None and number > high):
            raise ValueMappingError("the number does not fit its type")
        return number

    return parse


def _bigint(text: str) -> Any:
    number = scalar_text.parse_integer(text.strip(BLANKS))
    return BigInt(number) if _I64[0] <= number <= _I64[1] else number


def _datetime(text: str) -> datetime:
    stripped = text.strip(BLANKS)
    zoned = stripped.endswith("Z") or "+" in stripped or "-" in stripped[10:]
    parsed: datetime = PARSERS[Kind.DATETIME if zoned else Kind.LOCAL_DATETIME](stripped)
    return parsed


def _java_date(text: str) -> JavaDate:
    moment: datetime = PARSERS[Kind.DATETIME](text)
    if moment.microsecond % 1000:
        raise ValueMappingError("finer than a millisecond, which a java.util.Date is not")
    return JavaDate(
        moment.year,
        moment.month,
        moment.day,
        moment.hour,
        moment.minute,
        moment.second,
        moment.microsecond,
        tzinfo=moment.tzinfo,
    )


def _hex(text: str) -> bytes:
    try:
        return binascii.unhexlify(text.strip(BLANKS))
    except (binascii.Error, ValueError):
        raise ValueMappingError("expected hexadecimal digits") from None


_TEXT: Final = LeafPlan(PARSERS[Kind.STRING], frozenset())
_BUILT_IN: Final[Mapping[str, Callable[[str], Any]]] = {
    "boolean": PARSERS[Kind.BOOL],
    "byte": PARSERS[Kind.I8],
    "short": PARSERS[Kind.I16],
    "int": PARSERS[Kind.I32],
    "long": lambda text: Long(PARSERS[Kind.I64](text)),
    "integer": _bigint,
    **{name: _bounded(0, (1 << bits) - 1) for name, bits in _UNSIGNED.items()},
    **{name: _bounded(low, high) for name, (low, high) in _SIGNED.items()},
    "float": PARSERS[Kind.F32],
    "double": PARSERS[Kind.F64],
    "decimal": PARSERS[Kind.DECIMAL],
    **dict.fromkeys(_TEXTS, PARSERS[Kind.STRING]),
    "base64Binary": PARSERS[Kind.BYTES],
    "hexBinary": _hex,
    "date": PARSERS[Kind.DATE],
    "time": PARSERS[Kind.TIME],
    "dateTime": _datetime,
    "duration": PARSERS[Kind.DURATION],
}
"""By the name of a type of XML Schema."""


def _list_builder(name: str) -> Callable[[list[Any]], Any]:
    return lambda values: TypedList(name, values) if name else values


def _set(values: list[Any]) -> set[Any]:
    found: set[Any] = set()
    hashes = KeyHashes()
    for index, each in enumerate(values):
        element = hashable(each)
        if element is NotImplemented:
            raise ValueMappingError("what cannot be compared cannot be in a set", f"[{index}]")
        if not hashes.admit(element):
            raise ValueMappingError("too many elements have the same hash", f"[{index}]")
        if element in found:
            raise ValueMappingError("the element stands twice", f"[{index}]")
        found.add(element)
    return found


def _map_builder(name: str) -> Callable[[list[tuple[Any, Any]]], Any]:
    def build(pairs: list[tuple[Any, Any]]) -> Any:
        found: dict[Any, Any] = {}
        hashes = KeyHashes()
        for key, value in pairs:
            # What has the hash of too many others stays in pairs, which compare with nothing.
            if not _is_plain_key(key) or not hashes.admit(key) or key in found:
                return Pairs(pairs, name)
            found[key] = value
        return TypedMap(name, found) if name else found

    return build


def _is_plain_key(key: Any) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True


def _record_builder(name: str) -> Callable[[list[tuple[Any, Any]]], Any]:
    def build(pairs: list[tuple[Any, Any]]) -> Any:
        fields: dict[str, Any] = {}
        for index, (key, value) in enumerate(pairs):
            if not isinstance(key, str) or key in fields:
                raise ValueMappingError("the fields of a record have different texts for names", f"[key {index}]")
            fields[key] = value
        if not name:
            raise ValueMappingError("a record says its class")
        return Record(name, fields)

    return build
