"""The codes of a stream, and what it is made of once it is read.

Source: Java Object Serialization Specification 17, section 6.4 (grammar of the stream) and 4.6 (stream unique
identifiers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from gateway.model.errors import WireError

__all__ = [
    "ARRAY",
    "BASE_HANDLE",
    "BLOCK",
    "BLOCK_FLAG",
    "CLASS",
    "CLASS_DESC",
    "END_BLOCK",
    "ENUM",
    "ENUM_FLAG",
    "EXCEPTION",
    "EXTERNALIZABLE",
    "HEADER",
    "LONG_BLOCK",
    "LONG_STRING",
    "NULL",
    "OBJECT",
    "PRIMITIVES",
    "PROXY",
    "REFERENCE",
    "RESET",
    "SERIALIZABLE",
    "STRING",
    "WRITE_METHOD",
    "Char",
    "ClassDesc",
    "FieldDesc",
    "JavaArray",
    "JavaEnum",
    "JavaObject",
    "StreamError",
]

HEADER: Final = b"\xac\xed\x00\x05"
BASE_HANDLE: Final = 0x7E0000

NULL: Final = 0x70
REFERENCE: Final = 0x71
CLASS_DESC: Final = 0x72
OBJECT: Final = 0x73
STRING: Final = 0x74
ARRAY: Final = 0x75
CLASS: Final = 0x76
BLOCK: Final = 0x77
END_BLOCK: Final = 0x78
RESET: Final = 0x79
LONG_BLOCK: Final = 0x7A
EXCEPTION: Final = 0x7B
LONG_STRING: Final = 0x7C
PROXY: Final = 0x7D
ENUM: Final = 0x7E

WRITE_METHOD: Final = 0x01
SERIALIZABLE: Final = 0x02
EXTERNALIZABLE: Final = 0x04
BLOCK_FLAG: Final = 0x08
ENUM_FLAG: Final = 0x10

PRIMITIVES: Final = {"B": ">b", "C": ">H", "D": ">d", "F": ">f", "I": ">i", "J": ">q", "S": ">h", "Z": ">?"}
"""Type code to its layout; everything is big-endian."""


class StreamError(WireError):
    """The bytes are no serialization stream, or one that is not read. Says at which byte."""


class Char(str):
    """A `char`: one UTF-16 code unit."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class FieldDesc:
    """A field of a class: its type code, its name, and for `L` and `[` the descriptor of its type."""

    code: str
    name: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class ClassDesc:
    """A class as a stream describes it. `uid`: its `serialVersionUID`, signed. `parent`: the superclass."""

    name: str
    uid: int
    flags: int
    fields: tuple[FieldDesc, ...] = ()
    parent: ClassDesc | None = None


@dataclass(slots=True, eq=False)
class JavaObject:
    """An object that was read: the values of its fields by name, those of superclasses among them, and what the
    `writeObject` of each class wrote: objects, and block data as `bytes`."""

    type_name: str
    fields: dict[str, Any]
    written: dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class JavaEnum:
    """A constant of an enum."""

    type_name: str
    constant: str


@dataclass(slots=True, eq=False)
class JavaArray:
    """An array. `type_name`: as `Class.getName` has it, `[I`. `items`: `bytes` where it is `[B`."""

    type_name: str
    items: Any
