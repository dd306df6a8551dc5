"""zeep as the other side of a WSDL: it reads requests and writes answers, and knows nothing of our importer."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Final

import zeep
from lxml import etree
from zeep import xsd
from zeep.xsd import types
from zeep.xsd.types import builtins

from gateway.model.contract import EnumType, ServiceContract
from gateway.model.instance import new_struct
from gateway.model.typeref import Kind, TypeRef
from protocols.soap.foreign.binding import Port
from protocols.soap.foreign.description import named
from protocols.soap.foreign.reader import ForeignService
from protocols.soap.foreign.shape import (
    Array,
    Choice,
    ElementUse,
    EncodedArray,
    Particle,
    RepeatedGroup,
    Shape,
    Simple,
    Struct,
    Wildcard,
    Xml,
)

__all__ = ["Oracle", "leaves", "sample_arguments"]

_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_MOMENT: Final = datetime(2026, 8, 14, 9, 26, 53, tzinfo=UTC)
_DURATION: Final = timedelta(seconds=90)
_HEX: Final = b"\xab"
_SAMPLES: Final[dict[Kind, Any]] = {
    Kind.BOOL: True,
    Kind.I8: 1,
    Kind.I16: 1,
    Kind.I32: 1,
    Kind.I64: 1,
    Kind.BIGINT: 1,
    Kind.F32: 1.5,
    Kind.F64: 1.5,
    Kind.DECIMAL: Decimal("1.5"),
    Kind.STRING: "text",
    Kind.BYTES: b"bytes",
    Kind.DATE: date(2026, 8, 14),
    Kind.TIME: time(9, 26, 53),
    Kind.DATETIME: _MOMENT,
    Kind.DURATION: _DURATION,
    Kind.ANY: "text",
}
_BY_TYPE: Final = {
    "nonPositiveInteger": -1,
    "negativeInteger": -1,
    "gYear": "2026",
    "gYearMonth": "2026-08",
    "gMonth": "--08",
    "gMonthDay": "--08-14",
    "gDay": "---14",
}
_MAX_DEPTH: Final = 4


class _Files(zeep.Transport):
    """Reads files alone."""

    def load(self, url: str) -> bytes:
        if "://" in url:
            raise FileNotFoundError(url)
        content: bytes = super().load(url)
        return content


class Oracle:
    """One WSDL, read by zeep from a file."""

    def __init__(self, location: str) -> None:
        self._client = zeep.Client(location, transport=_Files())
        _ENUMERATIONS.clear()
        for each in Path(location).parent.rglob("*.[wx]s*d*"):
            _ENUMERATIONS.update(_enumerations(each))

    def knows(self, port: Port, name: str) -> bool:
        """Whether zeep has the operation, with messages of one XML document: it has no MIME in a body."""
        try:
            operation = self._operation(port, name)
        except (LookupError, ValueError):
            return False
        messages = [each for each in (operation.input, operation.output) if each is not None]
        return all(type(each).__name__ in ("DocumentMessage", "RpcMessage") for each in messages)

    def _operation(self, port: Port, name: str) -> Any:
        component = port.binding.component
        wanted = named(component.schema.namespace, component.node.get("name", ""))
        found = dict(self._client.wsdl.bindings)
        for service in self._client.wsdl.services.values():
            found |= {each.binding.name.text: each.binding for each in service.ports.values()}
        return found[wanted].get(name)

    def unread(self, port: Port, name: str, request: bytes) -> list[str]:
        """What zeep cannot read of a request of the operation: it says so in its log, and reads None instead.

        Elements that are not where it looks for them raise one of its errors.
        """
        operation = self._operation(port, name)
        said: list[str] = []
        handler = logging.Handler()
        handler.emit = lambda record: said.append(str(record.exc_info[1] if record.exc_info else record.msg))  # type: ignore[method-assign]
        log = logging.getLogger("zeep")
        log.addHandler(handler)
        try:
            if operation.input.body is not None:
                with self._client.settings(strict=True):
                    operation.input.deserialize(etree.fromstring(request))
        finally:
            log.removeHandler(handler)
        return said

    def answer(self, port: Port, name: str) -> bytes:
        """An envelope with an answer that has a value for everything that may be there."""
        operation = self._operation(port, name)
        message = operation.output
        kind = getattr(message.body, "type", None)
        if isinstance(kind, xsd.ComplexType):
            skipped = _other_branches(kind)
            serialized = message.serialize(
                **{key: sample(each, 0) for key, each in kind.elements if key not in skipped}
            )
        else:
            serialized = message.serialize(*([] if kind is None else [of_type(kind, 0)]))
        content: bytes = etree.tostring(serialized.content)
        return content

    @staticmethod
    def leaves(envelope: bytes) -> Iterator[str]:
        """All texts of elements without others inside, and all attributes, of the body."""
        root = etree.fromstring(envelope)
        (body,) = (each for each in root if etree.QName(each).localname == "Body")
        for each in body.iter():
            for key, value in each.attrib.items():
                if not key.startswith(_XSI) and "encod" not in key:
                    yield value
            if not len(each) and each.text:
                yield each.text


_ENUMERATIONS: Final[dict[str, str]] = {}


def _enumerations(path: Path) -> Iterator[tuple[str, str]]:
    """The first value of each enumeration, which zeep forgets, by the name of what it stands in."""
    try:
        root = etree.parse(path).getroot()
    except etree.XMLSyntaxError:
        return
    for each in root.iter("{*}simpleType"):
        first = each.find("{*}restriction/{*}enumeration")
        if first is not None:
            yield each.get("name") or each.getparent().get("name"), first.get("value")


def sample(element: Any, depth: int) -> Any:
    """A value for an element of zeep's model."""
    if isinstance(element, xsd.Any):
        made = etree.Element("{urn:any}any")
        made.text = "text"
        return [made] if element.accepts_multiple else made
    value = of_type(element.type, depth, element.name or "")
    if value is xsd.SkipValue:
        return value
    return [value] if element.accepts_multiple else value


_TEXTS: Final[tuple[tuple[type, Any], ...]] = (
    (builtins.Boolean, True),
    (builtins.Float, 1.5),
    (builtins.Double, 1.5),
    (builtins.NonPositiveInteger, -1),
    (builtins.NegativeInteger, -1),
    (builtins.Integer, 1),
    (builtins.Decimal, Decimal("1.5")),
    (builtins.Base64Binary, b"bytes"),
    (builtins.HexBinary, _HEX.hex()),
    (builtins.DateTime, _MOMENT),
    (builtins.Date, date(2026, 8, 14)),
    (builtins.Time, time(9, 26, 53)),
    (builtins.Duration, _DURATION),
)


def _other_branches(kind: Any) -> frozenset[str]:
    """The elements of a type that are in branches of a choice but the first."""
    found: list[str] = []
    for _, group in kind.elements_nested:
        waiting = [group]
        while waiting:
            each = waiting.pop()
            if isinstance(each, xsd.Choice):
                for branch in list(each)[1:]:
                    found += [branch.name] if isinstance(branch, xsd.Element) else [name for name, _ in branch.elements]
            elif isinstance(each, xsd.Sequence | xsd.All):
                waiting += list(each)
    return frozenset(found)


def of_type(kind: Any, depth: int, name: str = "") -> Any:
    if isinstance(kind, xsd.ComplexType):
        if depth > _MAX_DEPTH:
            return xsd.SkipValue
        values = {}
        skipped = _other_branches(kind)
        for key, element in kind.elements:
            if key not in skipped:
                made = sample(element, depth + 1)
                if made is not xsd.SkipValue:
                    values[key] = made
        for key, attribute in kind.attributes:
            if isinstance(attribute, xsd.Attribute):
                values[key] = of_type(attribute.type, depth, attribute.name or "")
        return kind(**values)
    if isinstance(kind, types.ListType):
        return [of_type(kind.item_type, depth)]
    for listed in (kind.name, name):
        if listed in _ENUMERATIONS:
            return _ENUMERATIONS[listed]
    return next((value for known, value in _TEXTS if isinstance(kind, known)), "text")


def leaves(value: Any) -> Iterator[str]:
    """The texts of all scalars in a contract value."""
    if value is None:
        return
    if isinstance(value, list | tuple):
        for each in value:
            yield from leaves(each)
    elif isinstance(value, Enum):
        yield str(value.value)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from leaves(getattr(value, name))
    elif isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, bool):
        yield str(value).lower()
    elif isinstance(value, datetime):
        yield value.isoformat().replace("+00:00", "Z")
    elif isinstance(value, timedelta):
        yield "PT1M30S" if value == _DURATION else str(value)
    elif value == _HEX:
        yield value.hex()
    elif isinstance(value, bytes):
        yield base64.b64encode(value).decode()
    elif isinstance(value, str) and value.startswith("<"):
        yield from etree.fromstring(value).itertext()
    else:
        yield str(value)


def sample_arguments(service: ForeignService, attribute: str, contract: ServiceContract) -> Sequence[Any]:
    """Contract values for all parameters of a method; of a choice those of its first branch."""
    request = service.operations[attribute].request
    values = _Samples(service, contract).content(request.content, 0)
    return [values.get(each.attribute) for each in request.fields]


class _Samples:
    def __init__(self, service: ForeignService, contract: ServiceContract) -> None:
        self._layouts = service.layouts
        self._contract = contract

    def content(self, particle: Particle | None, depth: int) -> dict[str, Any]:
        match particle:
            case None:
                return {}
            case ElementUse():
                if depth > _MAX_DEPTH and particle.least == 0:
                    return {}
                value = self.value(particle.shape, depth)
                return {particle.field: value if particle.most == 1 else [value]}
            case Wildcard():
                text = '<any xmlns="urn:any">text</any>'
                return {particle.field: text if particle.most == 1 else [text]}
            case RepeatedGroup():
                ref = TypeRef(Kind.STRUCT, name=particle.struct)
                return {particle.field: [] if depth > _MAX_DEPTH else [self.struct(ref, depth + 1)]}
            case Choice():
                return self.content(particle.parts[0], depth)
        found: dict[str, Any] = {}
        for each in particle.parts:
            found |= self.content(each, depth)
        return found

    def struct(self, ref: TypeRef, depth: int) -> Any:
        layout = self._layouts[ref.name]
        found = self.content(layout.content, depth)
        for use in layout.attributes:
            found[use.field] = self.value(use.shape, depth)
        if layout.text is not None:
            found[layout.text[0]] = self.value(layout.text[1], depth)
        struct = self._contract.struct(ref)
        values = {
            each.attribute: found.get(each.attribute, [] if each.type.kind is Kind.LIST else None)
            for each in struct.fields
        }
        return new_struct(struct, values)

    def value(self, shape: Shape, depth: int) -> Any:
        match shape:
            case Struct():
                return self.struct(shape.ref, depth + 1)
            case Array():
                return [] if depth > _MAX_DEPTH else [self.value(shape.element.shape, depth + 1)]
            case EncodedArray():
                return [self.value(shape.item, depth + 1)]
            case Xml():
                return "text"
            case Simple() if shape.built_in in _BY_TYPE:
                return _BY_TYPE[shape.built_in]
            case Simple() if shape.item is not None:
                return [self.value(shape.item, depth)]
            case Simple() if shape.constants is not None:
                named = self._contract.types[shape.ref.name]
                assert isinstance(named, EnumType)
                return named.python_class[named.constants[0]]
        return _SAMPLES[shape.ref.kind]
