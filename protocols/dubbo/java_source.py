"""Pieces of Java source: literals, default values, Javadoc. Nothing here knows what they are put into.

Source: The Java Language Specification 17: §3.3 Unicode escapes, §3.10 literals, §6.4.2 obscuring.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from gateway.model.contract import MISSING, Field, ServiceContract
from gateway.model.typeref import Kind, TypeRef
from protocols.java import class_name, element, source_type, type_name

__all__ = ["Scope", "ascii_source", "default_value", "javadoc", "string_literal"]

_MAX_CONSTANT_BYTES: Final = 65_535  # of modified UTF-8 (JVMS §4.4.7)
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
# Factories whose result is known without running code of the service.
_EMPTY: Final[Mapping[Any, Any]] = {factory: factory() for factory in (list, set, frozenset, dict, tuple, str, bytes)}


class Scope:
    """How the body of one class refers to other classes.

    A field hides a package with its name in expressions (JLS §6.4.2): beside a field `org`, the expression
    `org.acme.Color.RED` means the field. Such classes are imported and called by their simple name.
    """

    def __init__(self, fields: Iterable[str]) -> None:
        self._hidden = frozenset(fields)
        self.imports: set[str] = set()

    def static(self, name: str) -> str:
        """The class `name` where a method or constant of it is used: `java.util.Objects`."""
        if name.partition(".")[0] not in self._hidden:
            return name
        self.imports.add(name)
        return name.rpartition(".")[2]


def ascii_source(text: str) -> str:
    """The same source in ASCII, so that it compiles under any `-encoding`."""
    if text.isascii():
        return text
    return "".join(c if c < "\x80" else _unicode_escape(c) for c in text)


def string_literal(text: str) -> str:
    """A Java string literal, still with its characters beyond ASCII."""
    return '"' + "".join(map(_escape, text)) + '"'


def javadoc(text: str, tags: Iterable[tuple[str, str]] = (), indent: str = "") -> list[str]:
    """The lines of a Javadoc comment, none when there is nothing to say.

    `tags`: block tags and their text (`("@param id", "Of the product.")`).
    """
    paragraphs = [[_html(line.strip()) for line in block.split("\n")] for block in _plain(text).split("\n\n")]
    body = [line for lines in paragraphs if any(lines) for line in ("<p>", *filter(None, lines))][1:]
    blocks = [" ".join([tag, *_html(_plain(said)).split()]) for tag, said in tags]
    if body and blocks:
        body.append("")
    lines = [f"{indent} * {line}".rstrip() for line in body + blocks]
    return [f"{indent}/**", *lines, f"{indent} */"] if lines else []


def default_value(field: Field, contract: ServiceContract, scope: Scope) -> str | None:
    """The expression a Java field starts with; None where there is no default or Java cannot say it.

    Factories run code of the service and may answer differently each time, so of these only the constructors of
    empty values count.
    """
    value = field.default
    if field.default_factory is not None:
        value = _EMPTY.get(field.default_factory, MISSING)
    if value is MISSING or value is None:
        return None
    return _expression(value, field.type, contract, scope)


def _unicode_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _escape(character: str) -> str:
    # Octal for other control characters: a Unicode escape of a line end would end the line (JLS §3.3).
    return _ESCAPES.get(character) or (f"\\{ord(character):03o}" if character < " " else character)


def _plain(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c if c >= " " or c == "\n" else " " for c in lines)


def _html(text: str) -> str:
    # A backslash could start a Unicode escape, which Java reads in comments too.
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("@", "&#64;"), ("\\", "&#92;")):
        text = text.replace(plain, entity)
    return text.replace("*/", "*&#47;")


def _expression(value: Any, ref: TypeRef, contract: ServiceContract, scope: Scope) -> str | None:
    if ref.kind in (Kind.LIST, Kind.SET):
        return _collection(value, ref, contract, scope)
    if ref.kind is Kind.MAP:
        return None if value else f"new {_concrete(ref, contract)}()"
    if ref.kind is Kind.ENUM and isinstance(value, Enum):
        return f"{scope.static(class_name(contract.types[ref.name]))}.{value.name}"
    if ref.kind is Kind.DATETIME and ref.hint("java") == "java.util.Date":
        since = value.astimezone(UTC) - _EPOCH
        return None if since % _MILLISECOND else f"new java.util.Date({since // _MILLISECOND}L)"
    speak = _SPOKEN.get(ref.kind)
    return None if speak is None else speak(value, scope)


def _collection(value: Any, ref: TypeRef, contract: ServiceContract, scope: Scope) -> str | None:
    inner = element(ref)
    items = [None if item is None else _expression(item, inner, contract, scope) for item in value]
    if ref.kind is Kind.SET:
        items.sort(key=str)  # sets have no order, exports must
    said = [item for item in items if item is not None]
    if len(said) != len(items):
        return None
    java_type = source_type(ref, contract)
    if java_type.endswith("[]"):
        # There is no expression for an array of a generic type (JLS §15.10.1).
        return None if "<" in java_type else f"new {java_type} {{{', '.join(said)}}}"
    if not said:
        return f"new {_concrete(ref, contract)}()"
    if type_name(inner, contract).endswith("[]"):
        return None  # asList would take a single array for its list of arguments
    return f"new {_concrete(ref, contract)}({scope.static('java.util.Arrays')}.asList({', '.join(said)}))"


def _concrete(ref: TypeRef, contract: ServiceContract) -> str:
    """The class to instantiate for a collection type, with its type arguments."""
    declared = type_name(ref, contract)
    usual = {Kind.LIST: "java.util.ArrayList", Kind.SET: "java.util.HashSet", Kind.MAP: "java.util.HashMap"}[ref.kind]
    chosen = declared if declared in ("java.util.LinkedList", "java.util.LinkedHashMap") else usual
    return f"{chosen}<{', '.join(source_type(arg, contract, boxed=True) for arg in ref.args)}>"


def _string(value: str, _: Scope) -> str | None:
    # Modified UTF-8 spends at most three bytes on a UTF-16 unit.
    too_long = len(value.encode("utf-16-be", "surrogatepass")) // 2 * 3 > _MAX_CONSTANT_BYTES
    return None if too_long else string_literal(value)


def _floating(value: float, scope: Scope, box: str, suffix: str) -> str:
    if math.isnan(value):
        return f"{scope.static(box)}.NaN"
    if math.isinf(value):
        return f"{scope.static(box)}.{'POSITIVE' if value > 0 else 'NEGATIVE'}_INFINITY"
    return f"{value!r}{suffix}"


def _f32(value: float, scope: Scope) -> str | None:
    try:
        (narrow,) = struct.unpack(">f", struct.pack(">f", value))
    except OverflowError:
        return None
    return _floating(narrow, scope, "java.lang.Float", "f")


def _instant(value: datetime, scope: Scope) -> str:
    text = value.astimezone(UTC).replace(tzinfo=None).isoformat()
    return f'{scope.static("java.time.Instant")}.parse("{text}Z")'


def _parsed(box: str) -> Callable[[Any, Scope], str]:
    def speak(value: date | time, scope: Scope) -> str:
        return f'{scope.static(box)}.parse("{value.isoformat()}")'

    return speak


def _duration(value: timedelta, scope: Scope) -> str:
    seconds = value.days * 86_400 + value.seconds
    return f"{scope.static('java.time.Duration')}.ofSeconds({seconds}L, {value.microseconds * 1000}L)"


def _bytes(value: bytes, _: Scope) -> str:
    return f"new byte[] {{{', '.join(str(b - 256 if b > 127 else b) for b in value)}}}"


_SPOKEN: Final[Mapping[Kind, Callable[[Any, Scope], str | None]]] = {
    Kind.BOOL: lambda value, _: "true" if value else "false",
    Kind.I8: lambda value, _: f"(byte) {value}",
    Kind.I16: lambda value, _: f"(short) {value}",
    Kind.I32: lambda value, _: str(value),
    Kind.I64: lambda value, _: f"{value}L",
    Kind.F32: _f32,
    Kind.F64: lambda value, scope: _floating(float(value), scope, "java.lang.Double", ""),
    Kind.BIGINT: lambda value, _: f'new java.math.BigInteger("{value}")',
    Kind.DECIMAL: lambda value, _: f'new java.math.BigDecimal("{value}")' if Decimal(value).is_finite() else None,
    Kind.CHAR: lambda value, _: f"'{_escape(value)}'",
    Kind.STRING: _string,
    Kind.BYTES: _bytes,
    Kind.DATE: _parsed("java.time.LocalDate"),
    Kind.TIME: _parsed("java.time.LocalTime"),
    Kind.DATETIME: _instant,
    Kind.LOCAL_DATETIME: _parsed("java.time.LocalDateTime"),
    Kind.DURATION: _duration,
    Kind.UUID: lambda value, scope: f'{scope.static("java.util.UUID")}.fromString("{value}")',
}
