"""The classes of Java's library that are written, with their `serialVersionUID`.

Each UID is either declared by the class, and so part of its serialized form, or given in the same place of Java SE 17's
"Serialized Form". Arrays have one as well, which nobody compares.
"""

from __future__ import annotations

from typing import Final

from protocols.java_stream.grammar import (
    BLOCK_FLAG,
    ENUM_FLAG,
    EXTERNALIZABLE,
    SERIALIZABLE,
    WRITE_METHOD,
    ClassDesc,
    FieldDesc,
)

__all__ = [
    "ARRAY_LIST",
    "BIG_DECIMAL",
    "BIG_INTEGER",
    "BOXES",
    "BYTES",
    "DATE",
    "ENUM",
    "HASH_MAP",
    "HASH_SET",
    "LINKED_HASH_MAP",
    "LINKED_LIST",
    "TIME",
    "TIME_CODES",
    "UUID_CLASS",
    "array_class",
]

_OWN: Final = SERIALIZABLE | WRITE_METHOD


def _signed(uid: int) -> int:
    return uid - (1 << 64) if uid >> 63 else uid


def _library(
    name: str, uid: int, *fields: tuple[str, str, str], flags: int = SERIALIZABLE, parent: ClassDesc | None = None
) -> ClassDesc:
    return ClassDesc(name, _signed(uid), flags, tuple(FieldDesc(*each) for each in fields), parent)


_NUMBER: Final = _library("java.lang.Number", 0x86AC951D0B94E08B)


def _box(name: str, uid: int, code: str, parent: ClassDesc | None = _NUMBER) -> ClassDesc:
    return _library(f"java.lang.{name}", uid, (code, "value", ""), parent=parent)


BOXES: Final = {
    "Z": _box("Boolean", 0xCD207280D59CFAEE, "Z", None),
    "C": _box("Character", 0x348B47D96B1A2678, "C", None),
    "B": _box("Byte", 0x9C4E6084EE50F51C, "B"),
    "S": _box("Short", 0x684D37133460DA52, "S"),
    "I": _box("Integer", 0x12E2A0A4F7818738, "I"),
    "J": _box("Long", 0x3B8BE490CC8F23DF, "J"),
    "F": _box("Float", 0xDAEDC9A2DB3CF0EC, "F"),
    "D": _box("Double", 0x80B3C24A296BFB04, "D"),
}
"""Type code of a primitive type to the class of its objects."""

BIG_INTEGER: Final = _library(
    "java.math.BigInteger",
    0x8CFC9F1FA93BFB1D,
    ("I", "bitCount", ""),
    ("I", "bitLength", ""),
    ("I", "firstNonzeroByteNum", ""),
    ("I", "lowestSetBit", ""),
    ("I", "signum", ""),
    ("[", "magnitude", "[B"),
    flags=_OWN,
    parent=_NUMBER,
)
BIG_DECIMAL: Final = _library(
    "java.math.BigDecimal",
    0x54C71557F981284F,
    ("I", "scale", ""),
    ("L", "intVal", "Ljava/math/BigInteger;"),
    flags=_OWN,
    parent=_NUMBER,
)
DATE: Final = _library("java.util.Date", 0x686A81014B597419, flags=_OWN)
UUID_CLASS: Final = _library("java.util.UUID", 0xBC9903F7986D852F, ("J", "leastSigBits", ""), ("J", "mostSigBits", ""))
ARRAY_LIST: Final = _library("java.util.ArrayList", 0x7881D21D99C7619D, ("I", "size", ""), flags=_OWN)
LINKED_LIST: Final = _library("java.util.LinkedList", 0x0C29535D4A608822, flags=_OWN)
HASH_SET: Final = _library("java.util.HashSet", 0xBA44859596B8B734, flags=_OWN)
HASH_MAP: Final = _library(
    "java.util.HashMap", 0x0507DAC1C31660D1, ("F", "loadFactor", ""), ("I", "threshold", ""), flags=_OWN
)
LINKED_HASH_MAP: Final = _library(
    "java.util.LinkedHashMap", 0x34C04E5C106CC0FB, ("Z", "accessOrder", ""), parent=HASH_MAP
)
ENUM: Final = ClassDesc("java.lang.Enum", 0, SERIALIZABLE | ENUM_FLAG)
TIME: Final = _library("java.time.Ser", 0x955D84BA1B2248B2, flags=EXTERNALIZABLE | BLOCK_FLAG)
"""Stands for the classes of java.time, which say by a byte which they are."""

TIME_CODES: Final = {"Duration": 1, "Instant": 2, "LocalDate": 3, "LocalTime": 4, "LocalDateTime": 5}


def array_class(name: str) -> ClassDesc:
    """The class of an array by its name, `[J` or `[Ljava.lang.String;`."""
    return _library(name, _ARRAYS.get(name, 0))


_ARRAYS: Final = {"[B": 0xACF317F8060854E0, "[I": 0x4DBA602676EAB2A5, "[J": 0x782004B512B17593}
BYTES: Final = array_class("[B")
