"""Status lines with the reason phrases of RFC 9110, section 15."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

__all__ = ["BODILESS", "reason_phrase", "status_line"]

BODILESS: Final = frozenset({204, 304})
"""Responses that end with their fields (RFC 9112, section 6.3)."""
_RENAMED: Final = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
"""What RFC 9110 calls differently from the standard library of some Python."""
_PHRASES: Final = {each.value: each.phrase for each in HTTPStatus} | _RENAMED
_LINES: Final = {status: f"HTTP/1.1 {status} {phrase}\r\n".encode("ascii") for status, phrase in _PHRASES.items()}


def reason_phrase(status: int) -> str:
    """The phrase of a status; empty for one that nobody has registered."""
    return _PHRASES.get(status, "")


def status_line(status: int) -> bytes:
    """The first line of a response, with its line end."""
    return _LINES.get(status) or f"HTTP/1.1 {status} \r\n".encode("ascii")
