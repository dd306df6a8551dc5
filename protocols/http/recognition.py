"""Tells HTTP/1 from other wires by the first bytes of a connection."""

from __future__ import annotations

import re
from typing import Final

from gateway.model.recognition import Recognition
from protocols.http.head import ALLOWED_METHODS

__all__ = ["looks_like_request", "recognize_http"]

_METHODS: Final = (*ALLOWED_METHODS, "TRACE", "CONNECT", "QUERY")
_SPACED: Final = tuple(f"{each} ".encode() for each in _METHODS)
_LONGEST: Final = max(map(len, _SPACED))
_TARGET: Final = re.compile(rb"[A-Z]+ (?:/|\* HTTP/|https?://|\S+ HTTP/)", re.IGNORECASE)
"""What is behind the method, in the four forms of RFC 9112, section 3.2."""
_MAX_TARGET_BYTES: Final = 256


def recognize_http(data: bytes) -> Recognition:
    """A method that HTTP has, in capitals, and behind it a target: a path, a URL, or whatever precedes a version."""
    if data[:2] == b"\r\n":
        # RFC 9112, section 2.2: an empty line before a request is to be ignored.
        data = data[2:]
    if data.startswith(_SPACED):
        if _TARGET.match(data) is not None:
            return Recognition.YES
        # Not a path: then it takes the version to know, unless the line ends before.
        return Recognition.NO if b"\n" in data or len(data) > _MAX_TARGET_BYTES else Recognition.MORE
    if len(data) < _LONGEST and (data == b"\r" or any(each.startswith(data) for each in _SPACED)):
        return Recognition.MORE
    return Recognition.NO


def looks_like_request(data: bytes) -> bool:
    """Whether a wire of text must leave this to HTTP, whoever serves that: a page can make a browser send it."""
    return recognize_http(data) is Recognition.YES
