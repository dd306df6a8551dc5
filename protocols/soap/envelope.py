"""Envelopes of both versions: how they are written, and how one is read up to what is inside of header and body.

| | SOAP 1.1 | SOAP 1.2 |
| --- | --- | --- |
| namespace | `http://schemas.xmlsoap.org/soap/envelope/` | `http://www.w3.org/2003/05/soap-envelope` |
| media type | `text/xml` | `application/soap+xml`, the action as its parameter |
| action | header field `SOAPAction`, between quotes | |
| status of a fault | 500 | 400 where the sender is to blame, else 500 |

Sources: Simple Object Access Protocol (SOAP) 1.1, W3C Note, sections 4 and 6; SOAP Version 1.2 Part 1 (Second Edition),
section 5; Part 2, section 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gateway.model.errors import BadRequest
from protocols.soap.document import Document, Frame, Skip, shown_name
from protocols.soap.names import SEPARATOR, SOAP_11, SOAP_12, XSD, XSI, expanded

__all__ = ["V11", "V12", "VERSIONS", "Envelope", "Refusal", "Version", "Visitor"]

_ROLE_11: Final = "http://schemas.xmlsoap.org/soap/actor/next"
_ROLE_12: Final = f"{SOAP_12}/role/"


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """One of the two. `roles`: in which header blocks are addressed to us. `head`: of an envelope, up to its inside."""

    name: str
    namespace: str
    media_type: str
    role_attribute: str
    roles: frozenset[str]
    head: str

    @property
    def content_type(self) -> str:
        """The media type with its parameters."""
        return f"{self.media_type}; charset=utf-8"


def _head(namespace: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="{namespace}" '
        f'xmlns:xsi="{XSI}" xmlns:xs="{XSD}">'
    )


V11: Final = Version("1.1", SOAP_11, "text/xml", "actor", frozenset(("", _ROLE_11)), _head(SOAP_11))
V12: Final = Version(
    "1.2",
    SOAP_12,
    "application/soap+xml",
    "role",
    frozenset(("", f"{_ROLE_12}next", f"{_ROLE_12}ultimateReceiver")),
    _head(SOAP_12),
)
VERSIONS: Final[Mapping[str, Version]] = {each.name: each for each in (V11, V12)}
_BY_ENVELOPE: Final = {expanded(each.namespace, "Envelope"): each for each in (V11, V12)}


class Refusal(BadRequest):
    """A message that is refused before its body is looked at. `fault`: its code in both versions.

    `blocks`: expanded names of the header blocks that were not understood.
    """

    def __init__(self, fault: str, message: str, blocks: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.fault: Final = fault
        self.blocks: Final = tuple(blocks)


class Visitor(Protocol):
    """Who reads what is inside."""

    def block(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame | None:
        """The frame of a header block that is for us, None for one that is not known."""
        ...

    def operation(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        """The frame of what is in the body."""
        ...

    def settle(self, value: Any) -> None:
        """The value of that frame."""
        ...


class Envelope(Frame):
    """The root of a document that is an envelope.

    Attributes:
        version: None until it is known.
        has_body: Whether there is a body with something in it.
    """

    __slots__ = ("has_body", "unknown", "version", "visitor")

    def __init__(self, visitor: Visitor) -> None:
        super().__init__()
        self.visitor: Final = visitor
        self.version: Version | None = None
        self.has_body = False
        self.unknown: list[str] = []

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        """See `Frame.open`."""
        version = _BY_ENVELOPE.get(name)
        if version is None:
            if name.rpartition(SEPARATOR)[2] == "Envelope":
                raise Refusal("VersionMismatch", "an envelope of neither SOAP 1.1 nor SOAP 1.2")
            raise Refusal("Client", f"no envelope of SOAP, but an element {shown_name(name)}")
        self.version = version
        return _Parts(self, version)


class _Parts(Frame):
    __slots__ = ("envelope", "header", "seen", "version", "whole")

    def __init__(self, envelope: Envelope, version: Version) -> None:
        super().__init__()
        self.envelope: Final = envelope
        self.version: Final = version
        self.header: Final = expanded(version.namespace, "Header")
        self.whole: Final = expanded(version.namespace, "Body")
        self.seen = ""

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        if name == self.header and not self.seen:
            self.seen = name
            return _Header(self.envelope, self.version)
        if name == self.whole and self.seen != self.whole:
            self.seen = name
            if unknown := self.envelope.unknown:
                listed = ", ".join(map(shown_name, unknown[:5]))
                raise Refusal("MustUnderstand", f"header blocks that must be understood and are not: {listed}", unknown)
            return _Body(self.envelope)
        raise Refusal("Client", f"{shown_name(name)} has no place in an envelope of SOAP {self.version.name}")


class _Header(Frame):
    __slots__ = ("envelope", "must", "role", "version")

    def __init__(self, envelope: Envelope, version: Version) -> None:
        super().__init__()
        self.envelope: Final = envelope
        self.version: Final = version
        self.must: Final = expanded(version.namespace, "mustUnderstand")
        self.role: Final = expanded(version.namespace, version.role_attribute)

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        if attributes and attributes.get(self.role, "").strip() not in self.version.roles:
            return Skip()
        frame = self.envelope.visitor.block(name, attributes, document)
        if frame is not None:
            return frame
        if attributes.get(self.must, "").strip() in ("1", "true"):
            self.envelope.unknown.append(name)
        return Skip()


class _Body(Frame):
    __slots__ = ("envelope",)

    def __init__(self, envelope: Envelope) -> None:
        super().__init__()
        self.envelope: Final = envelope

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        if self.envelope.has_body:
            raise Refusal("Client", "a body holds one operation, and this one holds a second element")
        self.envelope.has_body = True
        return self.envelope.visitor.operation(name, attributes, document)

    def take(self, slot: Any, value: Any) -> None:
        self.envelope.visitor.settle(value)
