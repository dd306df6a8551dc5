"""redis://: hiredis, the parser of Redis' own clients.

Answers have the types of RESP3. Arguments of a command are texts: plain where the contract has one value, JSON where
it has several.
"""

from __future__ import annotations

import json
from typing import Any, Final

import hiredis

from tests.matrix.native.http_json import FORMS, MAKER
from tests.matrix.native.reader import Native

__all__ = ["NATIVE"]


def _messages(data: bytes) -> list[Any]:
    missing = object()
    reader = hiredis.Reader(notEnoughData=missing)
    reader.feed(data)
    return list(iter(reader.gets, missing))


def _argument(sent: bytes, method: str) -> Any:
    *_, name, value = _messages(sent)[-1]
    assert name == f"demo.Types.{method}".encode()
    return json.loads(value) if value[:1] in (b"[", b"{") else value


def _result(received: bytes) -> Any:
    value = _messages(received)[-1]
    # It makes a list of a set too.
    return set(value) if received.startswith(b"~") else value


def _exception(received: bytes) -> Any:
    error = _messages(received)[-1]
    assert isinstance(error, hiredis.ReplyError)
    code, name, fields = str(error).split(" ", 2)
    assert (code, name) == ("FAULT", "demo.TypesFailure")
    return json.loads(fields)


NATIVE: Final = Native(
    _argument,
    _result,
    _exception,
    {
        "struct": {
            b"name": "Zwölf".encode(),
            b"country": b"DE",
            b"parent": {b"name": b"Mutter", b"country": None, b"parent": None},
        },
        "map": {b"alpha": 1 << 40},
        "list": [[b"x"], []],
        "set": {b"one"},
        "enum": b"PREORDER",
        "decimal": b"19.90",
        "instant": b"2026-08-14T09:26:53.589793Z",
        "bytes": b"\0\xffab",
        "bool": True,
        "double": 0.5,
        "null": None,
    },
    {"message": "broken", "code": -7, "culprit": MAKER},
    {name: FORMS[name] for name in ("struct", "map", "list", "set")}
    | {"bool": b"true", "double": b"0.5", "null": b"null"},
)
