"""A document as a stream of elements, each read by the frame that its parent opened for it.

Nothing is kept but what frames keep: an element that has no place where it stands is refused when it opens, so a
message costs the values that the contract has room for. expat reads the text; it is given no document type, no entity
of its own and nothing to fetch.

What it may cost is bounded while it arrives: elements and how deep they are, declared namespaces, and the length of a
tag, which is what could be large without being a value.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.parsers import expat

from gateway.model.errors import ValueMappingError
from protocols.soap.names import SEPARATOR
from protocols.soap.text import BLANKS

__all__ = [
    "DEFAULT_XML_LIMITS",
    "Document",
    "Frame",
    "Skip",
    "XmlError",
    "XmlLimits",
    "check_namespace",
    "shown_name",
    "to_utf8",
]

_PIECE: Final = 65_536
_FIRST_PIECE: Final = 4_096
"""Mostly the whole message; otherwise what is before the operation."""
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARATION: Final = re.compile(rb"<\?xml[ \t\r\n]")
_MAX_DECLARATION: Final = 1_024
"""Bytes of an XML declaration, which has three short values."""
_DECLARED: Final = re.compile(rb"[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*[\"']([^\"'>]*)[\"']")
_ENCODINGS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "windows-1252": "cp1252",
}
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_XML_VERSION: Final = re.compile(r"1\.[0-9]+")
_SHOWN: Final = 60
_MAX_NAMESPACE: Final = 1_024
"""Characters. Every name that is read has its namespace in front, so a long one is paid for with each element."""


class XmlError(Exception):
    """No well-formed document, or one that asks for more than it may. Nothing of it can be used."""


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """Bounds of one document.

    `max_depth`: elements inside each other. A list is one more level, a map two; values nest 64 levels everywhere.
    `max_elements`: all elements, those that hold others charged five, as in `protocols.reader.Limits`.
    `max_token_bytes`: a tag with its attributes, a comment. `max_namespaces`: declarations.
    """

    max_depth: int = 200
    max_elements: int = 300_000
    max_token_bytes: int = 65_536
    max_namespaces: int = 1_000


DEFAULT_XML_LIMITS: Final = XmlLimits()


class Frame:
    """An element that is open.

    `slot`: what its parent gave it so as to know it again. `holds_text`: between its children may be any text.
    """

    __slots__ = ("slot",)
    holds_text = False

    def __init__(self, slot: Any = None) -> None:
        self.slot = slot

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        """The frame of a child. `name`: expanded. Raises for one that has no place here."""
        raise ValueMappingError(f"no element {shown_name(name)} is expected here")

    def take(self, slot: Any, value: Any) -> None:
        """The value of a child that closed."""

    def close(self, text: str) -> Any:
        """What the element is. `text`: behind its last child."""
        if text and text.strip(BLANKS):
            raise ValueMappingError("text where elements are expected")
        return None

    def place(self, child: Frame) -> str:
        """How a path goes on to a child that is open; empty where that is no value."""
        return ""


class Skip(Frame):
    """An element that is nobody's business, with everything in it."""

    __slots__ = ()
    holds_text = True

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        """See `Frame.open`."""
        return self

    def close(self, text: str) -> Any:
        """See `Frame.close`."""
        return None


class Document:
    """A document that is being read. `root`: opens the outermost element.

    Attributes:
        position: How much of the data was read.
    """

    __slots__ = ("_budget", "_data", "_limits", "_namespaces", "_parser", "_prefixes", "_stack", "_texts", "position")

    def __init__(self, root: Frame, data: bytes, limits: XmlLimits = DEFAULT_XML_LIMITS) -> None:
        self._data = data
        self._limits = limits
        self._budget = limits.max_elements
        self._namespaces = 0
        self._prefixes: dict[str, list[str]] = {"": [""], "xml": [_XML]}
        self._stack: list[Frame] = [root]
        self._texts: list[str] = []
        self.position = 0
        parser = self._parser = expat.ParserCreate("UTF-8", SEPARATOR)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._texts.append
        parser.StartNamespaceDeclHandler = self._declare
        parser.EndNamespaceDeclHandler = self._undeclare
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.XmlDeclHandler = _check_declaration

    @property
    def at_end(self) -> bool:
        """Whether everything was read."""
        return self.position >= len(self._data)

    def read_some(self) -> None:
        """Reads the next piece. After it raised anything the document cannot be read any further.

        Raises:
            XmlError: see there.
            ValueMappingError: an element is not what is expected; `path` says where.
        """
        data, position, parser = self._data, self.position, self._parser
        size = len(data)
        end = position + (_PIECE if position else _FIRST_PIECE)
        try:
            if end >= size:
                self.position = size
                parser.Parse(data[position:] if position else data, True)
            else:
                self.position = end
                parser.Parse(data[position:end], False)
                behind = parser.CurrentByteIndex
                if behind >= 0 and end - behind > self._limits.max_token_bytes:
                    raise XmlError(f"a tag or comment of more than {self._limits.max_token_bytes} bytes")
        except ValueMappingError as exc:
            raise exc.within(self._path()) if self._path() else exc from None
        except expat.ExpatError as exc:
            raise XmlError(f"no well-formed XML: {_reason(exc)}") from None
        except ValueError as exc:
            # pyexpat's own, for what its caller did; it must not be the peer who brings that about.
            raise XmlError(f"no well-formed XML: {exc}") from None

    def read(self) -> None:
        """Reads all of the rest. Raises like `read_some`."""
        if not self._data:
            self.read_some()
        while not self.at_end:
            self.read_some()

    def resolve(self, name: str) -> str:
        """The expanded name that a qualified name in a value stands for.

        Raises:
            ValueMappingError: its prefix is not declared.
        """
        prefix, colon, local = name.strip(BLANKS).rpartition(":")
        bound = self._prefixes.get(prefix)
        if not bound or (colon and not bound[-1]):
            raise ValueMappingError(f"the prefix {prefix[:_SHOWN]!r} is not declared")
        return f"{bound[-1]}{SEPARATOR}{local}" if bound[-1] else local

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        stack = self._stack
        top = stack[-1]
        texts = self._texts
        if texts:
            if not top.holds_text and "".join(texts).strip(BLANKS):
                raise ValueMappingError("text where elements are expected")
            texts.clear()
        self._budget -= 1
        if self._budget < 0:
            raise XmlError(f"more than {self._limits.max_elements} elements")
        if len(stack) > self._limits.max_depth:
            raise XmlError(f"elements nested deeper than {self._limits.max_depth} levels")
        stack.append(top.open(name, attributes, self))

    def charge(self) -> None:
        """A frame holds others, and so costs more than its element alone says."""
        self._budget -= 4

    def _end(self, name: str) -> None:
        texts = self._texts
        if not texts:
            text = ""
        elif len(texts) == 1:
            text = texts[0]
            texts.clear()
        else:
            text = "".join(texts)
            texts.clear()
        stack = self._stack
        top = stack[-1]
        value = top.close(text)
        stack.pop()
        stack[-1].take(top.slot, value)

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        self._namespaces += 1
        if self._namespaces > self._limits.max_namespaces:
            raise XmlError(f"more than {self._limits.max_namespaces} declared namespaces")
        check_namespace(uri or "")
        self._prefixes.setdefault(prefix or "", []).append(uri or "")

    def _undeclare(self, prefix: str | None) -> None:
        self._prefixes[prefix or ""].pop()

    def _path(self) -> str:
        stack = self._stack
        return "".join(stack[index].place(stack[index + 1]) for index in range(len(stack) - 1))


def check_namespace(uri: str) -> None:
    """Raises `XmlError` for the name of a namespace that is longer than anybody's."""
    if len(uri) > _MAX_NAMESPACE:
        raise XmlError(f"a namespace of {len(uri)} characters; {_MAX_NAMESPACE} are taken")


def to_utf8(data: bytes, charset: str = "") -> bytes:
    """A document as UTF-8. `charset`: of its media type, which counts unless there is a byte order mark (RFC 7303).

    UTF-8, UTF-16, ISO 8859-1 and windows-1252 are read. What the document declares itself counts last.

    Raises:
        LookupError: it is in another encoding; the text says in which.
        XmlError: it is not in the encoding it says, or what says so does not end.
    """
    if charset in ("utf-8", "UTF-8") and data.startswith(b"<"):
        return data
    name = next((name for mark, name in _BOMS if data.startswith(mark)), charset)
    if not name:
        name = "utf-16-le" if data.startswith(b"<\0") else "utf-16-be" if data.startswith(b"\0<") else "utf-8"
        if _DECLARATION.match(data) is not None:
            end = data.find(b"?>", 0, _MAX_DECLARATION)
            if end < 0:
                raise XmlError(f"an XML declaration that does not end within {_MAX_DECLARATION} bytes")
            declared = _DECLARED.search(data, 0, end)
            if declared is not None:
                name = declared[1].decode("latin-1")
    encoding = _ENCODINGS.get(name.lower(), "")
    if not encoding:
        raise LookupError(f"the encoding {name[:_SHOWN]!a} is not read here; UTF-8 is")
    if encoding == "utf-8":
        return data
    if encoding == "utf-16" and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16-le" if data.startswith(b"<\0") else "utf-16-be"
    try:
        return data.decode(encoding).removeprefix("\ufeff").encode()
    except UnicodeError:
        raise XmlError(f"the document is not in {name[:_SHOWN]}") from None


def shown_name(name: str) -> str:
    """An expanded name for people: `{namespace}local`."""
    namespace, _, local = name.rpartition(SEPARATOR)
    text = f"{{{namespace}}}{local}" if namespace else local
    return text if len(text) <= 2 * _SHOWN else f"of {len(text)} characters"


def _check_declaration(version: str, encoding: str | None, standalone: int) -> None:
    # All of them are read as 1.0 (section 2.8); expat would take any text.
    if _XML_VERSION.fullmatch(version) is None:
        raise XmlError("a version of XML that there is not")


def _refuse_doctype(*_: Any) -> None:
    raise XmlError("a document type, which no message may have")


def _reason(exc: expat.ExpatError) -> str:
    return f"{expat.ErrorString(exc.code)} in line {exc.lineno}, column {exc.offset}"
