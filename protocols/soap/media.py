"""Media types of SOAP messages, read from Content-Type.

Sources: RFC 7303; SOAP 1.1, section 6; SOAP 1.2 Part 2, section 7.1; RFC 2387 for `multipart/related`.
"""

from __future__ import annotations

from typing import Final

__all__ = ["charset", "is_xml", "refusal"]

_USUAL: Final = frozenset({"text/xml; charset=utf-8", "text/xml;charset=utf-8", "text/xml", ""})
_TYPES: Final = frozenset({"text/xml", "application/xml", "application/soap+xml", ""})
_SHOWN: Final = 100


def _split(content_type: str) -> tuple[str, dict[str, str]]:
    kind, *parameters = content_type.split(";")
    found: dict[str, str] = {}
    for each in parameters:
        name, _, value = each.partition("=")
        found.setdefault(name.strip(" \t").lower(), value.strip(" \t").strip('"'))
    return kind.strip(" \t").lower(), found


def is_xml(content_type: str) -> bool:
    """Whether a body of this type is read as XML."""
    kind = _split(content_type)[0]
    return kind in _TYPES or kind.endswith("+xml")


def refusal(content_type: str) -> str:
    """Why a body of this type is not read; empty when it is."""
    if content_type in _USUAL or is_xml(content_type):
        return ""
    kind = _split(content_type)[0]
    if kind.startswith("multipart/"):
        return "attachments and MTOM are not read here; send bytes as xs:base64Binary in a plain message"
    return f"expected text/xml or application/soap+xml, found {ascii(kind[:_SHOWN])[1:-1]}"


def charset(content_type: str) -> str:
    """The encoding that the type says; empty where it says none."""
    return "" if content_type in ("", "text/xml") else _split(content_type)[1].get("charset", "")
