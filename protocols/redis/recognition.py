"""Tells redis:// from other wires by the first bytes of a connection.

| first bytes | answer |
| --- | --- |
| `*` or `$`, and a digit or `-` | YES: RESP, which no other wire begins with |
| a letter, and only printable characters up to the end of the line | MAYBE: an inline command, or another wire's line |
| a request of HTTP, and what begins HTTP/2, rmi://, Java's RMI or SSH | NO, although it is such a line |
| anything else | NO |

A line that is a request of HTTP stays one, `GET /x` included, whoever serves HTTP here: a page can make a browser send
it, and must not be able to speak to a Redis that way.

Source: redis/redis-doc: docs/reference/protocol-spec.md, "Inline commands".
"""

from __future__ import annotations

import re
from typing import Final

from gateway.model.recognition import Recognition
from protocols.http.recognition import recognize_http

__all__ = ["recognize_redis"]

_RESP: Final = (b"*", b"$")
_COUNTS: Final = frozenset(b"0123456789-")
_LINE: Final = re.compile(rb"[A-Za-z][ -~\t]*+(?:\r?\Z|\r?\n)")
_STRANGERS: Final = (b"PRI * HTTP/2", b"PRMI", b"JRMI", b"SSH-")


def recognize_redis(data: bytes) -> Recognition:
    """RESP, or a line that may be an inline command."""
    if data.startswith(_RESP):
        if len(data) == 1:
            return Recognition.MORE
        return Recognition.YES if data[1] in _COUNTS else Recognition.NO
    if _LINE.match(data) is None or data.startswith(_STRANGERS):
        return Recognition.NO
    if any(each.startswith(data) for each in _STRANGERS):
        return Recognition.MORE
    as_http = recognize_http(data)
    if as_http is Recognition.YES:
        return Recognition.NO
    return Recognition.MORE if as_http is Recognition.MORE else Recognition.MAYBE
