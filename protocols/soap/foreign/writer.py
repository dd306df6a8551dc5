"""Requests to foreign services: values of a contract, written as the layouts of a WSDL say.

Each element declares the namespace that it needs, so prefixes occur in `xsi:type` alone. Values that the schema has no
place for are refused with their place: two branches of one choice, a list that is too short, null where it is required.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind, TypeRef
from protocols.soap.foreign.description import ENCODING
from protocols.soap.foreign.lexical import format_simple
from protocols.soap.foreign.shape import (
    All,
    Anything,
    Array,
    Choice,
    ElementUse,
    EncodedArray,
    Layout,
    Particle,
    RepeatedGroup,
    Sequence,
    Shape,
    Simple,
    Struct,
    Wildcard,
)
from protocols.soap.foreign.xml_text import inner_text, outer_text, read_inner, read_outer, start_tag
from protocols.soap.names import XSD
from protocols.soap.text import escape, escape_attribute

__all__ = ["ContentWriter"]

_MAX_DEPTH: Final = 100
_Get = Callable[[str], Any]

_ANY_TYPES: Final[tuple[tuple[type, str, Kind], ...]] = (
    (bool, "boolean", Kind.BOOL),
    (int, "integer", Kind.BIGINT),
    (float, "double", Kind.F64),
    (Decimal, "decimal", Kind.DECIMAL),
    (str, "string", Kind.STRING),
    (bytes, "base64Binary", Kind.BYTES),
    (datetime, "dateTime", Kind.DATETIME),
    (date, "date", Kind.DATE),
    (time, "time", Kind.TIME),
    (timedelta, "duration", Kind.DURATION),
)


class ContentWriter:
    """Writes content models. `encoded`: with the types of elements, as section 5 of SOAP 1.1 wants them."""

    def __init__(self, layouts: Mapping[str, Layout], *, encoded: bool) -> None:
        self._layouts = layouts
        self._encoded = encoded

    def content(self, particle: Particle | None, get: _Get, around: str, depth: int = 0) -> Iterator[str]:
        """The elements of a content model. `get`: the value of a field by its attribute.

        Raises:
            ValueMappingError: the model has no place for the values.
        """
        if depth > _MAX_DEPTH:
            raise ValueMappingError(f"values nested deeper than {_MAX_DEPTH} levels")
        match particle:
            case None:
                return
            case ElementUse():
                yield from self._element_use(particle, get(particle.field), around, depth)
            case Wildcard():
                yield from _wildcard(particle, get(particle.field), around)
            case Sequence() | All():
                if not (particle.optional and not any(_given(each, get) for each in particle.parts)):
                    for each in particle.parts:
                        yield from self.content(each, get, around, depth)
            case Choice():
                branch = _branch(particle, get)
                if branch is not None:
                    yield from self.content(branch, get, around, depth)
            case RepeatedGroup():
                values = get(particle.field) or ()
                _check_count(particle.field, len(values), particle.least, particle.most)
                layout = self._layouts[particle.struct]
                for index, value in enumerate(values):
                    inner = _attributes_of(value)
                    try:
                        yield from self.content(layout.content, inner, around, depth + 1)
                    except ValueMappingError as exc:
                        raise exc.within(f"{particle.field}[{index}]") from None

    def _element_use(self, use: ElementUse, value: Any, around: str, depth: int) -> Iterator[str]:
        if use.most != 1:
            values = () if value is None else value
            _check_count(use.field, len(values), use.least, use.most)
            for index, each in enumerate(values):
                try:
                    yield from self.element(use, each, around, depth)
                except ValueMappingError as exc:
                    raise exc.within(f"{use.field}[{index}]") from None
            return
        if value is None and use.least == 0:
            return
        try:
            yield from self.element(use, value, around, depth)
        except ValueMappingError as exc:
            raise exc.within(use.field) from None

    def element(self, use: ElementUse, value: Any, around: str, depth: int) -> Iterator[str]:
        """One element with one value."""
        if value is None and (use.nillable or use.shape.ref.nullable):
            start, end, _ = start_tag(use.name, around, ' xsi:nil="true"')
            yield f"{start}{end}"
            return
        if value is None:
            raise ValueMappingError("null, which the schema has no place for")
        attributes, inside = self._shape(use.shape, value, use.name, depth + 1)
        if self._encoded and not attributes.startswith(" xsi:type") and " xsi:type=" not in attributes:
            attributes += _type_attribute(use.shape.type_name)
        start, end, _ = start_tag(use.name, around, attributes)
        yield start
        yield from inside
        yield end

    def _shape(self, shape: Shape, value: Any, name: str, depth: int) -> tuple[str, Iterator[str]]:
        """The attributes of an element, and what is inside."""
        namespace = name[1:].partition("}")[0] if name.startswith("{") else ""
        match shape:
            case Simple():
                return "", iter((escape(format_simple(shape, value)),))
            case Struct():
                return self.struct(self._layouts[shape.ref.name], _attributes_of(value), namespace, depth)
            case Array():
                return "", self._element_use(shape.element, value, namespace, depth)
            case EncodedArray():
                return self._encoded_array(shape, value, namespace, depth)
            case Anything():
                return _anything(value)
        return "", iter((inner_text(read_inner(value), namespace),))

    def struct(self, layout: Layout, get: _Get, namespace: str, depth: int) -> tuple[str, Iterator[str]]:
        """The attributes of an element with the fields of a struct, and what is inside."""
        if layout.abstract:
            raise ValueMappingError(f"{layout.struct.name} is abstract: no message can have one")
        attributes = []
        for number, use in enumerate(layout.attributes):
            value = get(use.field)
            if value is None:
                if use.required:
                    raise ValueMappingError("null where the attribute is required", use.field)
                continue
            try:
                text = escape_attribute(format_simple(use.shape, value))
            except ValueMappingError as exc:
                raise exc.within(use.field) from None
            attributes.append(_attribute(use.name, text, number))
        if layout.text is not None:
            field, shape = layout.text
            try:
                _, inside = self._shape(shape, get(field), f"{{{namespace}}}", depth)
            except ValueMappingError as exc:
                raise exc.within(field) from None
            return "".join(attributes), inside
        return "".join(attributes), self.content(layout.content, get, namespace, depth)

    def _encoded_array(self, shape: EncodedArray, values: Any, around: str, depth: int) -> tuple[str, Iterator[str]]:
        brackets, item = f"[{len(values)}]", shape.item
        while isinstance(item, EncodedArray):
            brackets, item = f"[]{brackets}", item.item
        namespace, _, local = (item.type_name or f"{{{XSD}}}anyType").rpartition("}")
        attributes = (
            f' xmlns:enc="{ENCODING}" xmlns:i="{escape_attribute(namespace[1:])}" xsi:type="enc:Array" '
            f'enc:arrayType="i:{local}{brackets}"'
        )
        use = ElementUse("item", "item", shape.item, nillable=True)

        def items() -> Iterator[str]:
            for index, each in enumerate(values):
                try:
                    yield from self.element(use, each, around, depth)
                except ValueMappingError as exc:
                    raise exc.within(f"[{index}]") from None

        return attributes, items()


def _attributes_of(value: Any) -> _Get:
    return lambda field: getattr(value, field)


def _attribute(name: str, text: str, number: int) -> str:
    namespace, _, local = name.rpartition("}")
    if not namespace:
        return f' {local}="{text}"'
    if namespace == "{http://www.w3.org/XML/1998/namespace":
        return f' xml:{local}="{text}"'
    return f' xmlns:a{number}="{escape_attribute(namespace[1:])}" a{number}:{local}="{text}"'


def _type_attribute(type_name: str) -> str:
    if not type_name:
        return ""
    namespace, _, local = type_name.rpartition("}")
    if namespace[1:] == XSD:
        return f' xsi:type="xs:{local}"'
    return f' xmlns:t="{escape_attribute(namespace[1:])}" xsi:type="t:{local}"'


def _anything(value: Any) -> tuple[str, Iterator[str]]:
    for cls, local, kind in _ANY_TYPES:
        if isinstance(value, cls) and not (isinstance(value, datetime) and value.tzinfo is None):
            text = format_simple(Simple(TypeRef(kind), local), value)
            return f' xsi:type="xs:{local}"', iter((escape(text),))
    raise ValueMappingError(f"a {type(value).__name__} has no form as xs:anyType of a foreign service")


def _wildcard(wildcard: Wildcard, value: Any, around: str) -> Iterator[str]:
    values = () if value is None else (value,) if wildcard.most == 1 else value
    _check_count(wildcard.field, len(values), wildcard.least, wildcard.most)
    for each in values:
        yield outer_text(read_outer(each), around)


def _check_count(field: str, count: int, least: int, most: int | None) -> None:
    if count < least or (most is not None and count > most):
        raise ValueMappingError(f"{count} values, where {least} to {'any number' if most is None else most} fit", field)


def _fields(particle: Particle) -> Iterator[str]:
    if isinstance(particle, ElementUse | Wildcard | RepeatedGroup):
        yield particle.field
    else:
        for each in particle.parts:
            yield from _fields(each)


def _has(get: _Get, field: str) -> bool:
    value = get(field)
    return value is not None and not (isinstance(value, list | tuple) and not value)


def _given(particle: Particle, get: _Get) -> bool:
    return any(_has(get, field) for field in _fields(particle))


def _complete(particle: Particle, get: _Get) -> bool:
    """Whether nothing that it requires is null."""
    match particle:
        case ElementUse() | Wildcard() | RepeatedGroup():
            return particle.least == 0 or _has(get, particle.field)
        case Choice():
            return particle.optional or any(_complete(each, get) for each in particle.parts)
    if particle.optional and not _given(particle, get):
        return True
    return all(_complete(each, get) for each in particle.parts)


def _branch(choice: Choice, get: _Get) -> Particle | None:
    """The branch that has all values there are; None where there are none."""
    given = {field for field in _fields(choice) if _has(get, field)}
    fitting = [each for each in choice.parts if given <= set(_fields(each))]
    complete = next((each for each in fitting if _complete(each, get)), None)
    if not given:
        if complete is not None or choice.optional:
            return complete
        # The only value may be null itself.
        nillable = (each for each in choice.parts if isinstance(each, ElementUse) and each.nillable)
        found = next(nillable, None)
        if found is None:
            raise ValueMappingError(f"one of {', '.join(dict.fromkeys(_fields(choice)))} is needed")
        return found
    if complete is None and not fitting:
        raise ValueMappingError(f"{', '.join(sorted(given))}: values of different branches of one choice")
    return complete or fitting[0]
