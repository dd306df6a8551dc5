"""Media types: whether a body says it is JSON, and whether a caller takes JSON back.

Source: RFC 9110, sections 8.3 and 12.5.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

__all__ = ["JSON", "JSON_RPC", "PROBLEM", "accepts", "body_refusal", "media_type"]

JSON: Final = "application/json"
JSON_RPC: Final = "application/json-rpc"
PROBLEM: Final = "application/problem+json"

_JSON_TYPES: Final = frozenset({JSON, "text/json", JSON_RPC, "application/jsonrequest"})
_CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii"})
_USUAL_BODIES: Final = frozenset(
    {"", JSON, "application/json; charset=utf-8", "application/json;charset=utf-8", JSON_RPC}
)
_USUAL_ACCEPTS: Final = frozenset({"", "*/*"})
_MAX_RANGES: Final = 64


def body_refusal(content_type: str) -> str:
    """Why a body of this Content-Type is not read; empty when it is JSON, or does not say what it is."""
    if content_type in _USUAL_BODIES:
        return ""
    kind, parameters = _split(content_type)
    if kind not in _JSON_TYPES and not (kind.startswith("application/") and kind.endswith("+json")):
        return f"expected {JSON}, found {_shown(kind, 100) or 'no media type'}"
    for name, value in parameters:
        if name == "charset" and value.lower() not in _CHARSETS:
            return f"JSON is UTF-8, and this says charset={_shown(value, 40)}"
    return ""


def accepts(accept: str, *offered: str) -> bool:
    """Whether a caller with this Accept takes at least one of the offered types. One that cannot be read takes all."""
    if accept in _USUAL_ACCEPTS or accept in offered:
        return True
    ranges: dict[str, bool] = {}
    for word in accept.split(",", _MAX_RANGES)[:_MAX_RANGES]:
        kind, parameters = _split(word)
        if kind:
            ranges[kind] = not any(name == "q" and _is_zero(value) for name, value in parameters)
    if not ranges:
        return True
    return any(_wanted(ranges, each) for each in offered)


def media_type(content_type: str) -> str:
    """The type without its parameters, lower case."""
    return _split(content_type)[0]


def _wanted(ranges: dict[str, bool], offered: str) -> bool:
    # The most specific range counts.
    for each in (offered, f"{offered.partition('/')[0]}/*", "*/*"):
        if each in ranges:
            return ranges[each]
    return False


def _split(text: str) -> tuple[str, list[tuple[str, str]]]:
    kind, *parameters = text.split(";")
    return kind.strip().lower(), list(_parameters(parameters))


def _parameters(parameters: list[str]) -> Iterator[tuple[str, str]]:
    for each in parameters:
        name, _, value = each.partition("=")
        yield name.strip().lower(), value.strip().strip('"')


def _is_zero(value: str) -> bool:
    whole, _, rest = value.partition(".")
    return whole == "0" and not rest.strip("0")


def _shown(text: str, most: int) -> str:
    """What a peer wrote, for an error's text: in a log it must not be more than text."""
    return ascii(text[:most])[1:-1]
