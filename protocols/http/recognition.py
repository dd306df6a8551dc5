"""Tells HTTP/1 from other wires by the first bytes of a connection."""

from __future__ import annotations

import re
from typing import Final

from gateway.model.recognition import Recognition
from protocols.http.head import ALLOWED_METHODS

__all__ = ["recognize_http"]

_METHODS: Final = (*ALLOWED_METHODS, "TRACE", "CONNECT", "QUERY")
_SPACED: Final = tuple(f"{each} ".encode() for each in _METHODS)
_TARGET: Final = re.compile(rb"[A-Z]+ (?:/|\* HTTP/|https?://|\S+ HTTP/)", re.IGNORECASE)
"""What is behind the method, in the four forms of RFC 9112, section 3.2."""
_METHOD: Final = re.compile(rb"[A-Z-]{1,32}")
_BLANK: Final = re.compile(rb"[\x00-\x20]")
_VERSION: Final = b"HTTP/1."


def recognize_http(data: bytes) -> Recognition:
    """A method that HTTP has, in capitals, and behind it a target: a path, a URL, or whatever precedes a version.

    Of other words in capitals only a whole first line tells; they are methods that are refused, but not by a stranger.
    """
    if data[:2] == b"\r\n":
        # RFC 9112, section 2.2: an empty line before a request is to be ignored.
        data = data[2:]
    if data.startswith(_SPACED) and _TARGET.match(data) is not None:
        return Recognition.YES
    if data in (b"", b"\r"):
        return Recognition.MORE
    method, behind, rest = data.partition(b" ")
    if _METHOD.fullmatch(method) is None:
        return Recognition.NO
    target, behind_target, version = rest.partition(b" ")
    if _BLANK.search(target) is not None:
        return Recognition.NO
    if not (behind and behind_target):
        return Recognition.MORE
    if version.startswith(_VERSION):
        return Recognition.YES
    return Recognition.MORE if _VERSION.startswith(version) else Recognition.NO
