"""Types of a contract as plans that read elements, each compiled once. The table is in `protocols.soap.mapping`.

What a plan takes is what the schema of `protocols.soap.schema` allows, once names are qualified and elements are in the
schema's order; beyond that it refuses what would change when it is read (`protocols.soap.scalar`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from gateway.jsonform.mismatch import did_you_mean, shown
from gateway.model.contract import MISSING, EnumType, Field, Param, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.scalar import INTEGER_RANGES
from gateway.model.typeref import Kind, TypeRef
from protocols.soap import any_reader
from protocols.soap.frames import (
    FieldsPlan,
    ItemsPlan,
    LeafPlan,
    MapPlan,
    Plan,
    ScaledPlan,
    Slot,
    both_names,
    collector,
    map_builder,
)
from protocols.soap.names import MESSAGE, RETURN, SIMPLE_TYPES, XSD, TypeNames, expanded
from protocols.soap.scalar import BUILT_IN, PARSERS
from protocols.soap.shape import absent_param, absent_result, is_repeated, own_types
from protocols.soap.text import BLANKS

__all__ = ["Readers"]

_set_attribute: Final = object.__setattr__
_INTEGERS: Final = (Kind.BIGINT, Kind.I64, Kind.I32, Kind.I16, Kind.I8)
"""Each is derived from the one before it."""


class Readers:
    """Compiles the readers of one contract. `namespace`: of everything that is its own."""

    def __init__(self, contract: ServiceContract, namespace: str) -> None:
        self._contract = contract
        self._namespace = namespace
        self._names = TypeNames(contract)
        self._plans: dict[TypeRef, Plan] = {}
        self._structs: dict[str, FieldsPlan] = {}

    def arguments(self, title: str, params: Sequence[Param]) -> FieldsPlan:
        """Reads the element of a request as a tuple of arguments, defaults filled in."""
        plan = FieldsPlan(title)
        absents: list[Callable[[], Any]] = []
        for index, param in enumerate(params):
            default = absent_param(param)
            label = f"args[{index}]"
            repeated = is_repeated(param.type, default)
            self._add(
                plan, Slot(*self._element(param.type, repeated), param.name, label, **_how(index, param.type, repeated))
            )
            absents.append(_absent_param(param, default, repeated, label))
        collects = [collector(param.type) if is_repeated(param.type, absent_param(param)) else None for param in params]
        plan.build = _arguments_builder(absents, collects)
        return plan

    def result(self, title: str, ref: TypeRef) -> FieldsPlan:
        """Reads the element of a response as the result."""
        plan = FieldsPlan(title)
        if ref.kind is Kind.NULL:
            plan.build = lambda values: None
            return plan
        repeated = is_repeated(ref, absent_result(ref))
        self._add(plan, Slot(*self._element(ref, repeated), RETURN, "result", **_how(0, ref, repeated)))
        collect = collector(ref) if repeated else None

        def build(values: list[Any]) -> Any:
            (value,) = values
            if value is MISSING:
                if repeated:
                    value = []
                elif ref.nullable or ref.kind is Kind.ANY:
                    return None
                else:
                    raise ValueMappingError(f"the element {RETURN!r} is missing", "result")
            return value if collect is None else _collected(collect, value, "result")

        plan.build = build
        return plan

    def plan(self, ref: TypeRef) -> Plan:
        """How elements of the type are read, null apart."""
        # Where null may stand is up to the place.
        ref = ref.required() if ref.kind is not Kind.ANY else ref
        found = self._plans.get(ref)
        if found is None:
            found = self._plans[ref] = self._compile(ref)
        return found

    def struct(self, name: str) -> FieldsPlan:
        """A struct or exception by its contract name; built as an instance of its class."""
        found = self._structs.get(name)
        if found is None:
            definition = self._contract.types[name]
            assert isinstance(definition, StructType)
            # Registered before its fields are compiled: they may name it again.
            found = self._structs[name] = FieldsPlan(name, self._own(self._names.of_named(name)))
            self._fill(found, definition)
        return found

    def by_type(self) -> Mapping[str, Plan]:
        """The plans of all types of the contract that an `xsi:type` may name, by expanded name."""
        found: dict[str, Plan] = {}
        for name, definition in self._contract.types.items():
            kind = Kind.ENUM if isinstance(definition, EnumType) else Kind.STRUCT
            plan = self.plan(TypeRef(kind, name=name)) if kind is Kind.ENUM else self.struct(name)
            found[expanded(self._namespace, self._names.of_named(name))] = plan
        for ref in own_types(self._contract):
            found[expanded(self._namespace, self._names.of_container(ref))] = self.plan(ref)
        return found

    def _own(self, local: str) -> frozenset[str]:
        return frozenset((expanded(self._namespace, local),))

    def _element(self, ref: TypeRef, repeated: bool) -> tuple[Plan]:
        return (self.plan(ref.args[0] if repeated else ref),)

    def _add(self, plan: FieldsPlan, slot: Slot) -> None:
        plan.slots |= both_names(self._namespace, slot.name, slot)
        plan.labels.append(slot.label)

    def _compile(self, ref: TypeRef) -> Plan:
        kind = ref.kind
        if kind in PARSERS:
            return self._scalar(kind)
        match kind:
            case Kind.NULL:
                return LeafPlan(_parse_null, frozenset())
            case Kind.ANY:
                return any_reader.AnyPlan(self._namespace, self.by_type)
            case Kind.LIST | Kind.SET:
                element = ref.args[0]
                collect = collector(ref) or _same
                own = self._own(self._names.of_container(ref))
                return ItemsPlan(self._namespace, self.plan(element), _nillable(element), collect, own)
            case Kind.MAP:
                key, value = ((self.plan(each), _nillable(each)) for each in ref.args)
                own = self._own(self._names.of_container(ref))
                return MapPlan(self._namespace, key, value, map_builder(ref), own)
            case Kind.ENUM:
                return self._enum(self._contract.enum(ref))
        return self.struct(ref.name)

    def _scalar(self, kind: Kind) -> LeafPlan:
        if kind in SIMPLE_TYPES:
            return LeafPlan(PARSERS[kind], self._own(SIMPLE_TYPES[kind]))
        narrower: dict[str, Plan] = {}
        if kind in _INTEGERS or kind is Kind.DECIMAL:
            begin = _INTEGERS.index(kind) + 1 if kind in _INTEGERS else 0
            for each in _INTEGERS[begin:]:
                parse = PARSERS[each] if kind is not Kind.DECIMAL else _decimal_of(PARSERS[each])
                own = frozenset((expanded(XSD, BUILT_IN[each]),))
                narrower[expanded(XSD, BUILT_IN[each])] = LeafPlan(parse, own)
        if kind is Kind.DECIMAL:
            scaled = self._own("scaledDecimal")
            narrower |= {name: ScaledPlan(scaled) for name in scaled}
        return LeafPlan(PARSERS[kind], frozenset((expanded(XSD, BUILT_IN[kind]),)), narrower)

    def _enum(self, definition: EnumType) -> LeafPlan:
        members = {name: definition.python_class[name] for name in definition.constants}

        def parse(text: str) -> Any:
            found = members.get(text)
            if found is None:
                raise ValueMappingError(f"{definition.name} has no constant {shown(text)}{did_you_mean(text, members)}")
            return found

        return LeafPlan(parse, self._own(self._names.of_named(definition.name)))

    def _fill(self, plan: FieldsPlan, definition: StructType) -> None:
        fields: list[tuple[Field, Callable[[list[Any]], Any] | None, bool]] = []
        for index, field in enumerate(definition.fields):
            repeated = is_repeated(field.type, field.absent())
            how = _how(index, field.type, repeated)
            self._add(plan, Slot(*self._element(field.type, repeated), field.name, f".{field.name}", **how))
            fields.append((field, collector(field.type) if repeated else None, repeated))
        is_exception = definition.is_exception
        if is_exception:
            text = LeafPlan(PARSERS[Kind.STRING], frozenset((expanded(XSD, "string"),)))
            index = len(fields)
            self._add(plan, Slot(text, MESSAGE, f".{MESSAGE}", index=index, nillable=True, repeated=False))
        cls: Any = definition.python_class
        new = cls.__new__
        name = definition.name

        def build(values: list[Any]) -> Any:
            instance = new(cls)
            for (field, collect, repeated), value in zip(fields, values, strict=False):
                if value is MISSING:
                    if repeated:
                        value = []
                    else:
                        value = field.absent()
                        if value is MISSING:
                            raise ValueMappingError(f"the element {field.name!r} of {name} is missing")
                        _set_attribute(instance, field.attribute, value)
                        continue
                if collect is not None:
                    value = _collected(collect, value, f".{field.name}")
                _set_attribute(instance, field.attribute, value)
            if is_exception:
                message = values[-1]
                _set_attribute(instance, "args", () if message is MISSING or message is None else (message,))
            return instance

        plan.build = build


def _nillable(ref: TypeRef) -> bool:
    return ref.nullable or ref.kind in (Kind.ANY, Kind.NULL)


def _how(index: int, ref: TypeRef, repeated: bool) -> dict[str, Any]:
    return {"index": index, "nillable": _nillable(ref.args[0] if repeated else ref), "repeated": repeated}


def _absent_param(param: Param, default: Any, repeated: bool, label: str) -> Callable[[], Any]:
    def absent() -> Any:
        if repeated:
            return []
        if default is MISSING:
            raise ValueMappingError(f"the element {param.name!r} is missing", label)
        return default

    return absent


def _arguments_builder(
    absents: Sequence[Callable[[], Any]], collects: Sequence[Callable[[list[Any]], Any] | None]
) -> Callable[[list[Any]], Any]:
    plain = not any(collects)

    def build(values: list[Any]) -> Any:
        for index, value in enumerate(values):
            if value is MISSING:
                values[index] = absents[index]()
        if not plain:
            for index, collect in enumerate(collects):
                if collect is not None:
                    values[index] = _collected(collect, values[index], f"args[{index}]")
        return tuple(values)

    return build


def _collected(collect: Callable[[list[Any]], Any], values: list[Any], place: str) -> Any:
    try:
        return collect(values)
    except ValueMappingError as exc:
        raise exc.within(place) from None


def _decimal_of(parse: Callable[[str], int]) -> Callable[[str], Decimal]:
    return lambda text: Decimal(parse(text))


def _parse_null(text: str) -> None:
    if text.strip(BLANKS):
        raise ValueMappingError("a value where nothing but null can stand")


def _same(values: list[Any]) -> Any:
    return values


assert set(INTEGER_RANGES) < set(_INTEGERS)
