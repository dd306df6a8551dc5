"""webservice://: lxml; an element is its text, or its child elements as pairs of name and content."""

from __future__ import annotations

from typing import Any, Final

from lxml import etree

from tests.matrix.native.http_message import last_body
from tests.matrix.native.reader import Native

__all__ = ["NATIVE"]

_BODY: Final = "{http://schemas.xmlsoap.org/soap/envelope/}Body"
_SERVICE: Final = "{http://demo/}"


def _content(element: Any) -> Any:
    children = [(etree.QName(child).localname, _content(child)) for child in element]
    return children or element.text or ""


def _values(data: bytes, name: str) -> list[Any]:
    """The contents of what is in the element of a call or an answer."""
    (found,) = etree.fromstring(last_body(data)).iterfind(f"{_BODY}/{_SERVICE}{name}")
    return [_content(each) for each in found]


def _argument(sent: bytes, method: str) -> Any:
    return _values(sent, method)


def _result(received: bytes) -> Any:
    (answer,) = etree.fromstring(last_body(received)).find(_BODY)
    assert answer.tag.startswith(_SERVICE)
    assert answer.tag.endswith("Response")
    return [_content(each) for each in answer]


def _exception(received: bytes) -> Any:
    (found,) = etree.fromstring(last_body(received)).iter("detail")
    return _content(found)


_MAKER: Final = [("name", "Zwölf"), ("country", "DE"), ("parent", [("name", "Mutter")])]
NATIVE: Final = Native(
    _argument,
    _result,
    _exception,
    {
        "struct": [_MAKER],
        "map": [[("entry", [("key", "alpha"), ("value", str(1 << 40))])]],
        "list": [[("item", "x")], ""],
        "set": ["one"],
        "enum": ["PREORDER"],
        "decimal": ["19.90"],
        "instant": ["2026-08-14T09:26:53.589793Z"],
        "bytes": ["AP9hYg=="],
        "bool": ["true"],
        "double": ["0.5"],
        "null": [],
    },
    [("TypesFailure", [("code", "-7"), ("culprit", _MAKER), ("message", "broken")])],
    {},
)
