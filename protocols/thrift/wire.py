"""The numbers of Thrift: types, kinds of messages, kinds of `TApplicationException`.

Sources: apache/thrift: doc/specs/thrift-binary-protocol.md, doc/specs/thrift-rpc.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = [
    "BINARY",
    "BOOL",
    "CALL",
    "CONTAINERS",
    "DOUBLE",
    "EXCEPTION",
    "I8",
    "I16",
    "I32",
    "I64",
    "INTERNAL_ERROR",
    "INVALID_MESSAGE_TYPE",
    "INVALID_PROTOCOL",
    "INVALID_TRANSFORM",
    "LIST",
    "MAP",
    "MESSAGE_TYPES",
    "MISSING_RESULT",
    "ONEWAY",
    "PROTOCOL_ERROR",
    "REPLY",
    "SET",
    "STOP",
    "STRUCT",
    "TYPE_NAMES",
    "UNKNOWN",
    "UNKNOWN_METHOD",
    "UUID",
    "type_name",
]

STOP: Final = 0
BOOL: Final = 2
I8: Final = 3
DOUBLE: Final = 4
I16: Final = 6
I32: Final = 8
I64: Final = 10
BINARY: Final = 11
"""`string` and `binary`: the wire makes no difference."""
STRUCT: Final = 12
MAP: Final = 13
SET: Final = 14
LIST: Final = 15
UUID: Final = 16
"""Since Thrift 0.18 or so; older peers do not know it."""

CONTAINERS: Final = frozenset({STRUCT, MAP, SET, LIST})
TYPE_NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {
        BOOL: "bool",
        I8: "i8",
        DOUBLE: "double",
        I16: "i16",
        I32: "i32",
        I64: "i64",
        BINARY: "string",
        STRUCT: "struct",
        MAP: "map",
        SET: "set",
        LIST: "list",
        UUID: "uuid",
    }
)

CALL: Final = 1
REPLY: Final = 2
EXCEPTION: Final = 3
ONEWAY: Final = 4
MESSAGE_TYPES: Final = frozenset({CALL, REPLY, EXCEPTION, ONEWAY})

UNKNOWN: Final = 0
UNKNOWN_METHOD: Final = 1
INVALID_MESSAGE_TYPE: Final = 2
MISSING_RESULT: Final = 5
INTERNAL_ERROR: Final = 6
PROTOCOL_ERROR: Final = 7
INVALID_TRANSFORM: Final = 8
INVALID_PROTOCOL: Final = 9


def type_name(number: int) -> str:
    """A type as messages show it."""
    return TYPE_NAMES.get(number, f"type {number}")
