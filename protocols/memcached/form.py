"""How a value stands in a data block, which the upper 16 bits of its flags say.

The lower 16 bits are 0: clients have meanings of their own for them (python-memcached: 1 is a pickle; php-memcached:
types and compression), and keep the others or pass them over.

| format | flags | the block |
| --- | --- | --- |
| text | 0 | a string in UTF-8, or the text of a scalar |
| JSON | 65536 | JSON in UTF-8; `null` for every null |
| bytes | 131072 | bytes as they are |
| head | 196608 | a line of JSON, then one of these; only for callers that ask for it (`protocols.memcached.block`) |
"""

from __future__ import annotations

from typing import Final

from gateway.model.contract import ServiceContract
from gateway.model.typeref import Kind, TypeRef
from protocols.texts.value import Form, form_of

__all__ = ["BYTES", "HEAD", "JSON", "NULL", "SHIFT", "TEXT", "format_of"]

SHIFT: Final = 16
TEXT: Final = 0
JSON: Final = 1 << SHIFT
BYTES: Final = 2 << SHIFT
HEAD: Final = 3 << SHIFT
NULL: Final = b"null"
"""A null of any type, in JSON."""


def format_of(ref: TypeRef, contract: ServiceContract) -> int:
    """The flags of values of this type that are not null."""
    if ref.kind is Kind.BYTES:
        return BYTES
    return JSON if form_of(ref, contract) is Form.JSON else TEXT
