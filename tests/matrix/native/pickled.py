"""rmi://: CPython's own unpickler, which may find no class but those that have no form of their own in pickle."""

from __future__ import annotations

import datetime as dt
import io
import pickle
import pickletools
from decimal import Decimal
from typing import Any, Final

from tests.matrix.native.reader import Native

__all__ = ["NATIVE"]

_HEADER: Final = 36
"""Of a frame."""
_CLASSES: Final = {"decimal.Decimal", "datetime.datetime", "datetime.timezone", "datetime.timedelta"}
_MAKER: Final = {
    "__class__": "demo.Maker",
    "name": "Zwölf",
    "country": "DE",
    "parent": {"__class__": "demo.Maker", "name": "Mutter", "country": None, "parent": None},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        assert f"{module}.{name}" in _CLASSES, f"{module}.{name}"
        return super().find_class(module, name)


def _message(data: bytes) -> dict[str, Any]:
    assert data.startswith(b"PRMI")
    *_, last = pickletools.genops(data[_HEADER:])
    assert last[0].name == "STOP"
    found: dict[str, Any] = _Unpickler(io.BytesIO(data[_HEADER:])).load()
    return found


def _argument(sent: bytes, method: str) -> Any:
    called = _message(sent)
    assert called["method"] == method
    (value,) = called["args"]
    return value


NATIVE: Final = Native(
    _argument,
    lambda received: _message(received)["ok"],
    lambda received: _message(received)["fields"],
    {
        "struct": _MAKER,
        "map": {"alpha": 1 << 40},
        "list": [["x"], []],
        "set": {"one"},
        "enum": "PREORDER",
        "decimal": Decimal("19.90"),
        "instant": dt.datetime(2026, 8, 14, 9, 26, 53, 589_793, tzinfo=dt.UTC),
        "bytes": b"\0\xffab",
        "bool": True,
        "double": 0.5,
        "null": None,
    },
    {"code": -7, "culprit": _MAKER},
    {},
)
