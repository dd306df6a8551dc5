"""http://: `json.loads`, where the contract says what is text (RFC 8259; RFC 4648 for bytes, RFC 3339 for instants)."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.matrix.native.http_message import last_body
from tests.matrix.native.reader import Native

__all__ = ["FORMS", "MAKER", "NATIVE"]

MAKER: Final = {"name": "Zwölf", "country": "DE", "parent": {"name": "Mutter", "country": None, "parent": None}}
FORMS: Final = {
    "struct": MAKER,
    "map": {"alpha": 1 << 40},
    "list": [["x"], []],
    "set": ["one"],
    "enum": "PREORDER",
    "decimal": "19.90",
    "instant": "2026-08-14T09:26:53.589793Z",
    "bytes": "AP9hYg==",
    "bool": True,
    "double": 0.5,
    "null": None,
}
"""As JSON."""


def _argument(sent: bytes, method: str) -> Any:
    (value,) = json.loads(last_body(sent)).values()
    return value


def _result(received: bytes) -> Any:
    return json.loads(last_body(received))


def _exception(received: bytes) -> Any:
    return json.loads(last_body(received))["exception"]


NATIVE: Final = Native(
    _argument,
    _result,
    _exception,
    FORMS,
    {"class": "demo.TypesFailure", "message": "broken", "code": -7, "culprit": MAKER},
    {},
)
