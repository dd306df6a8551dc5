"""Tells redis:// from other wires by the first bytes of a connection.

| first bytes | answer |
| --- | --- |
| `*` or `$`, and a digit or `-` | YES: RESP, which no other wire begins with |
| a line of printable characters that begins with a letter | MAYBE: an inline command, or another wire's line |
| such a line with `HTTP/` in it, or a method of HTTP and a path | NO |
| such a line that begins as SSH or a header of the PROXY protocol does | NO |
| anything else | NO |

It takes the whole line, or 256 bytes of it. What looks like a request of HTTP stays one, `GET /x` included, whoever
serves HTTP here: a page can make a browser send it, and must not be able to speak to a Redis that way.

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
_MOST_BYTES: Final = 256
_STRANGERS: Final = (b"SSH-", b"PROXY ")
_HTTP: Final = b"HTTP/"


def recognize_redis(data: bytes) -> Recognition:
    """RESP, or a line that may be an inline command."""
    if data.startswith(_RESP):
        if len(data) == 1:
            return Recognition.MORE
        return Recognition.YES if data[1] in _COUNTS else Recognition.NO
    found = _LINE.match(data)
    if found is None or data.startswith(_STRANGERS) or recognize_http(data) is Recognition.YES:
        return Recognition.NO
    line = found[0]
    if not line.endswith(b"\n") and len(line) <= _MOST_BYTES:
        return Recognition.MORE
    return Recognition.NO if _HTTP in line else Recognition.MAYBE
