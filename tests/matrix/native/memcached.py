"""memcached://: the text protocol by its own specification, values plain or as JSON (memcached: doc/protocol.txt).

A value is `set KEY FLAGS EXPTIME BYTES noreply` or `VALUE KEY FLAGS BYTES`, the line ends, and so many bytes. That of a
call begins with a line of JSON that says how long each argument is.
"""

from __future__ import annotations

import json
from typing import Any, Final

from tests.matrix.native.http_json import FORMS, MAKER
from tests.matrix.native.reader import Native

__all__ = ["NATIVE"]

_JSON: Final = 1 << 16
"""Of the flags: the value is JSON."""
_ERROR: Final = b"SERVER_ERROR FAULT demo.TypesFailure "


def _argument(sent: bytes, method: str) -> Any:
    line, _, rest = sent.partition(b"\r\n")
    verb, key, _, _, size, _ = line.split(b" ")
    assert (verb, key.partition(b"#")[0]) == (b"set", f"demo.Types.{method}".encode())
    told, _, value = rest[: int(size)].partition(b"\n")
    assert json.loads(told)["sizes"] == [len(value)]
    return json.loads(value) if value[:1] in (b"[", b"{") else value


def _result(received: bytes) -> Any:
    line, _, rest = received.partition(b"\r\n")
    verb, _, flags, size = line.split(b" ")
    value, end = rest[: int(size)], rest[int(size) :]
    assert (verb, end) == (b"VALUE", b"\r\nEND\r\n")
    return json.loads(value) if int(flags) & _JSON else value


def _exception(received: bytes) -> Any:
    assert received.startswith(_ERROR)
    return json.loads(received.removeprefix(_ERROR))


_PLAIN: Final = {
    "enum": b"PREORDER",
    "decimal": b"19.90",
    "instant": b"2026-08-14T09:26:53.589793Z",
    "bytes": b"\0\xffab",
    "bool": b"true",
    "double": b"0.5",
}
NATIVE: Final = Native(
    _argument,
    _result,
    _exception,
    FORMS | _PLAIN,
    {"message": "broken", "code": -7, "culprit": MAKER},
    {"null": b"null"},
)
