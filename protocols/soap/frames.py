"""Frames of typed values: each element goes to the place the contract has for it, and closes as a value.

A `Plan` says how a type is read and is made once; a frame is one element that is open. Names count by what they are
called in their namespace or in none, because peers differ in whether they qualify what is inside of an operation; the
order of elements does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar

from gateway.jsonform.form import key_text
from gateway.jsonform.mismatch import did_you_mean
from gateway.model.contract import MISSING
from gateway.model.errors import ValueMappingError
from gateway.model.key_hash import KeyHashes, has_common_hashes, may_collide
from gateway.model.typeref import Kind, TypeRef
from protocols.soap.document import Document, Frame, shown_name
from protocols.soap.names import ENTRY, ITEM, KEY, SEPARATOR, VALUE, XSI, expanded
from protocols.soap.scalar import parse_decimal
from protocols.soap.text import BLANKS

__all__ = [
    "Collect",
    "FieldsPlan",
    "ItemsPlan",
    "LeafPlan",
    "MapPlan",
    "Plan",
    "ScaledPlan",
    "Slot",
    "both_names",
    "collector",
    "map_builder",
    "open_slot",
]

_T = TypeVar("_T")

Collect = Callable[[list[Any]], Any]
"""The collection that a list of values becomes. Raises `ValueMappingError`."""

_NIL: Final = expanded(XSI, "nil")
_TYPE: Final = expanded(XSI, "type")
_LOCATIONS: Final = frozenset({expanded(XSI, "schemaLocation"), expanded(XSI, "noNamespaceSchemaLocation")})
_EXPONENT: Final = "exponent"
_NO_NAMES: Final[frozenset[str]] = frozenset()
_MAX_EXPONENT: Final = 10_000


class Plan:
    """How the elements of one type are read.

    Attributes:
        types: What `xsi:type` may say of them.
        attributes: Of them, besides those of XML Schema itself.
    """

    __slots__ = ("attributes", "types")

    def __init__(self, types: frozenset[str] = _NO_NAMES, attributes: frozenset[str] = _NO_NAMES) -> None:
        self.types = types
        self.attributes = attributes

    def frame(self, slot: Slot, attributes: Mapping[str, str], document: Document) -> Frame:
        """An element that opens."""
        raise NotImplementedError

    def as_type(self, name: str) -> Plan:
        """How an element is read that says what its type is. Raises `ValueMappingError` for another type."""
        if name in self.types:
            return self
        raise ValueMappingError(f"xsi:type says {shown_name(name)}, which is no type that can stand here")


class Slot:
    """A place for elements.

    `index`: among its siblings. `label`: as a path names it. `plain`: the frame of an element without attributes, where
    one can serve for all of them.
    """

    __slots__ = ("index", "label", "name", "nillable", "plain", "plan", "repeated")

    def __init__(self, plan: Plan, name: str, label: str, *, index: int = 0, nillable: bool, repeated: bool) -> None:
        self.plan: Final = plan
        self.name: Final = name
        self.label: Final = label
        self.index: Final = index
        self.nillable: Final = nillable
        self.repeated: Final = repeated
        self.plain: Final = _Leaf(self, plan.parse) if isinstance(plan, LeafPlan) else None


def both_names(namespace: str, local: str, what: _T) -> dict[str, _T]:
    """What is found under a name in the namespace and in none."""
    return {expanded(namespace, local): what, local: what}


def open_slot(slot: Slot, attributes: Mapping[str, str], document: Document) -> Frame:
    """The element of a slot that opens.

    Raises:
        ValueMappingError: an attribute has no place there, or says what cannot be.
    """
    plan = slot.plan
    if not attributes:
        return plan.frame(slot, attributes, document)
    said = attributes.get(_TYPE)
    if said is not None:
        plan = plan.as_type(document.resolve(said))
    is_nil = False
    for name, value in attributes.items():
        if name == _NIL:
            flag = value.strip(BLANKS)
            if flag not in ("true", "1", "false", "0"):
                raise ValueMappingError("xsi:nil is true or false")
            is_nil = flag in ("true", "1")
        elif name != _TYPE and name not in plan.attributes and name not in _LOCATIONS:
            raise ValueMappingError(f"the attribute {shown_name(name)} has no place here{_advice(name)}")
    if not is_nil:
        return plan.frame(slot, attributes, document)
    if not slot.nillable:
        raise ValueMappingError("null where a value is required")
    return _Nil(slot)


def _advice(name: str) -> str:
    return "; SOAP encoding (rpc/encoded) is not read, only document/literal" if _is_encoding(name) else ""


def _is_encoding(name: str) -> bool:
    return name in ("href", "id") or name.endswith((f"{SEPARATOR}encodingStyle", f"{SEPARATOR}ref"))


class _Nil(Frame):
    __slots__ = ()

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        raise ValueMappingError("an element inside of one that is null")

    def close(self, text: str) -> Any:
        if text:
            raise ValueMappingError("text inside of an element that is null")
        return None


class _Leaf(Frame):
    __slots__ = ("parse",)
    holds_text = True

    def __init__(self, slot: Slot, parse: Callable[[str], Any]) -> None:
        self.slot = slot
        self.parse = parse

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        raise ValueMappingError(f"an element {shown_name(name)} inside of text")

    def close(self, text: str) -> Any:
        return self.parse(text)


class LeafPlan(Plan):
    """A scalar. `narrower`: types that are derived from it, and how those are read."""

    __slots__ = ("narrower", "parse")

    def __init__(
        self, parse: Callable[[str], Any], types: frozenset[str], narrower: Mapping[str, Plan] | None = None
    ) -> None:
        super().__init__(types)
        self.parse: Final = parse
        self.narrower: Final = narrower or {}

    def frame(self, slot: Slot, attributes: Mapping[str, str], document: Document) -> Frame:
        """See `Plan.frame`."""
        return _Leaf(slot, self.parse)

    def as_type(self, name: str) -> Plan:
        """See `Plan.as_type`."""
        return self.narrower.get(name) or super().as_type(name)


class ScaledPlan(Plan):
    """A decimal whose digits are written without the exponent that it has: the exponent stands beside them."""

    __slots__ = ()

    def __init__(self, types: frozenset[str]) -> None:
        super().__init__(types, frozenset({_EXPONENT}))

    def frame(self, slot: Slot, attributes: Mapping[str, str], document: Document) -> Frame:
        """See `Plan.frame`."""
        text = attributes.get(_EXPONENT, "").strip(BLANKS)
        if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= _MAX_EXPONENT):
            raise ValueMappingError(f"expected an exponent from 1 to {_MAX_EXPONENT}")
        exponent = int(text)

        def parse(text: str) -> Decimal:
            digits = parse_decimal(text)
            sign, numbers, zero = digits.as_tuple()
            if zero or (numbers != (0,) and any(numbers[len(numbers) - exponent :])):
                raise ValueMappingError("digits that do not have this exponent")
            kept = numbers[: len(numbers) - exponent] if numbers != (0,) else numbers
            return Decimal((sign, kept or (0,), exponent))

        return _Leaf(slot, parse)


class _Fields(Frame):
    __slots__ = ("plan", "values")

    def __init__(self, slot: Any, plan: FieldsPlan) -> None:
        self.slot = slot
        self.plan = plan
        self.values: list[Any] = [MISSING] * len(plan.labels)

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        slot = self.plan.slots.get(name)
        if slot is None:
            local = name.rpartition(SEPARATOR)[2]
            known = [each for each in self.plan.slots if SEPARATOR not in each]
            hint = did_you_mean(local, known) if local not in known else ""
            raise ValueMappingError(f"{self.plan.title} has no element {shown_name(name)}{hint}")
        values = self.values
        found = values[slot.index]
        if slot.repeated:
            if found is MISSING:
                values[slot.index] = []
        elif found is not MISSING:
            raise ValueMappingError("the element stands twice", slot.label)
        if not attributes:
            return slot.plain or slot.plan.frame(slot, attributes, document)
        try:
            return open_slot(slot, attributes, document)
        except ValueMappingError as exc:
            raise exc.within(self._place(slot)) from None

    def take(self, slot: Any, value: Any) -> None:
        if slot.repeated:
            self.values[slot.index].append(value)
        else:
            self.values[slot.index] = value

    def close(self, text: str) -> Any:
        super().close(text)
        return self.plan.build(self.values)

    def place(self, child: Frame) -> str:
        return self._place(child.slot)

    def _place(self, slot: Slot) -> str:
        return f"{slot.label}[{len(self.values[slot.index])}]" if slot.repeated else slot.label


class FieldsPlan(Plan):
    """A struct, or the arguments of a method. `build`: from the values by index, `MISSING` where there is none.

    `slots` (by name) and `labels` (by index) are filled later: a struct may contain itself.
    """

    __slots__ = ("build", "labels", "slots", "title")

    def __init__(self, title: str, types: frozenset[str] = _NO_NAMES) -> None:
        super().__init__(types)
        self.title: Final = title
        self.slots: dict[str, Slot] = {}
        self.labels: list[str] = []
        self.build: Callable[[list[Any]], Any] = tuple

    def frame(self, slot: Any, attributes: Mapping[str, str], document: Document) -> Frame:
        """See `Plan.frame`."""
        document.charge()
        return _Fields(slot, self)


class _Items(Frame):
    __slots__ = ("plan", "values")

    def __init__(self, slot: Slot, plan: ItemsPlan) -> None:
        self.slot = slot
        self.plan = plan
        self.values: list[Any] = []

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        plan = self.plan
        if name not in plan.names:
            raise ValueMappingError(f"the elements of a list are called {ITEM}, not {shown_name(name)}")
        if not attributes:
            return plan.slot.plain or plan.slot.plan.frame(plan.slot, attributes, document)
        try:
            return open_slot(plan.slot, attributes, document)
        except ValueMappingError as exc:
            raise exc.within(f"[{len(self.values)}]") from None

    def take(self, slot: Any, value: Any) -> None:
        self.values.append(value)

    def close(self, text: str) -> Any:
        super().close(text)
        return self.plan.collect(self.values)

    def place(self, child: Frame) -> str:
        return f"[{len(self.values)}]"


class ItemsPlan(Plan):
    """A list or set that is a type of its own."""

    __slots__ = ("collect", "names", "slot")

    def __init__(self, namespace: str, element: Plan, nillable: bool, collect: Collect, types: frozenset[str]) -> None:
        super().__init__(types)
        self.slot: Final = Slot(element, ITEM, "", nillable=nillable, repeated=True)
        self.names: Final = frozenset((expanded(namespace, ITEM), ITEM))
        self.collect: Final = collect

    def frame(self, slot: Slot, attributes: Mapping[str, str], document: Document) -> Frame:
        """See `Plan.frame`."""
        document.charge()
        return _Items(slot, self)


class _Entries(Frame):
    __slots__ = ("pairs", "plan")

    def __init__(self, slot: Slot, plan: MapPlan) -> None:
        self.slot = slot
        self.plan = plan
        self.pairs: list[tuple[Any, Any]] = []

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        if name not in self.plan.names:
            raise ValueMappingError(f"the elements of a map are called {ENTRY}, not {shown_name(name)}")
        return _Entry(open_slot(self.plan.entry, attributes, document), len(self.pairs))

    def take(self, slot: Any, value: Any) -> None:
        self.pairs.append(value)

    def close(self, text: str) -> Any:
        super().close(text)
        return self.plan.build(self.pairs)


class _Entry(Frame):
    """Key and value of one entry; where it is, is said by what it holds."""

    __slots__ = ("fields", "number")

    def __init__(self, fields: Frame, number: int) -> None:
        assert isinstance(fields, _Fields)
        self.slot = fields.slot
        self.fields: Final = fields
        self.number: Final = number

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        try:
            return self.fields.open(name, attributes, document)
        except ValueMappingError as exc:
            if exc.path.startswith((KEY, VALUE)):
                exc.path = self._place(exc.path.startswith(KEY)) + exc.path.removeprefix(KEY).removeprefix(VALUE)
            raise

    def take(self, slot: Any, value: Any) -> None:
        self.fields.take(slot, value)

    def close(self, text: str) -> Any:
        try:
            return self.fields.close(text)
        except ValueMappingError as exc:
            raise exc.within(f"[key {self.number}]") from None

    def place(self, child: Frame) -> str:
        return self._place(child.slot.index == 0)

    def _place(self, of_key: bool) -> str:
        key = self.fields.values[0]
        if of_key or key is MISSING:
            return f"[key {self.number}]" if of_key else f"[{self.number}]"
        return f"[{key_text(key, self.number)}]"


class MapPlan(Plan):
    """A map: entries, each with a key and a value. `build`: from pairs."""

    __slots__ = ("build", "entry", "names")

    def __init__(
        self,
        namespace: str,
        key: tuple[Plan, bool],
        value: tuple[Plan, bool],
        build: Callable[[list[tuple[Any, Any]]], Any],
        types: frozenset[str],
        attributes: frozenset[str] = _NO_NAMES,
    ) -> None:
        super().__init__(types, attributes)
        entry = FieldsPlan("an entry")
        for index, (name, (plan, nillable)) in enumerate(((KEY, key), (VALUE, value))):
            slot = Slot(plan, name, name, index=index, nillable=nillable, repeated=False)
            entry.slots |= both_names(namespace, name, slot)
            entry.labels.append(name)

        def pair(values: list[Any]) -> tuple[Any, Any]:
            # A null that is left out and not written as one, as JAXB does it.
            found = [
                None if each is MISSING and nillable else each
                for each, (_, nillable) in zip(values, (key, value), strict=True)
            ]
            if any(each is MISSING for each in found):
                raise ValueMappingError("an entry needs a key and a value")
            return found[0], found[1]

        entry.build = pair
        self.entry: Final = Slot(entry, ENTRY, "", nillable=False, repeated=True)
        self.names: Final = frozenset((expanded(namespace, ENTRY), ENTRY))
        self.build: Final = build

    def frame(self, slot: Slot, attributes: Mapping[str, str], document: Document) -> Frame:
        """See `Plan.frame`."""
        document.charge()
        return _Entries(slot, self)


def collector(ref: TypeRef) -> Collect | None:
    """What a list of values becomes for a list or set type; None where it is what it is already.

    An element of a set that stands twice is refused, for a set would lose it.
    """
    if ref.kind is Kind.LIST:
        return tuple if ref.hint("python") == "tuple" else None
    cls: type[Any] = frozenset if ref.hint("python") == "frozenset" else set
    guarded = may_collide(ref.args[0])

    def collect(values: list[Any]) -> Any:
        if guarded and has_common_hashes(values):
            raise ValueMappingError(f"too many elements of {ref} have the same hash")
        found = cls(values)
        if len(found) != len(values):
            raise ValueMappingError(f"an element of {ref} stands twice")
        return found

    return collect


def map_builder(ref: TypeRef) -> Callable[[list[tuple[Any, Any]]], dict[Any, Any]]:
    """What the entries of a map type become; a key that stands twice is refused."""
    guarded = may_collide(ref.args[0])

    def build(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        hashes = KeyHashes() if guarded else None
        for key, value in pairs:
            if hashes is not None and not hashes.admit(key):
                raise ValueMappingError(f"too many keys of {ref} have the same hash", f"[key {len(found)}]")
            if key in found:
                raise ValueMappingError("the key stands twice", f"[key {len(found)}]")
            found[key] = value
        return found

    return build
