"""What stands inside type hints: widths, hints for single protocols, documentation.

    def put(self, product: Product, quantity: I32, tags: Annotated[list[str], JavaType("java.lang.String[]")]) -> I64

`int` alone is a 64-bit integer and `float` alone a 64-bit one; everything else with a width says so. To type
checkers the names below are the plain Python types.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

from gateway.model.typeref import Kind

__all__ = [
    "F32",
    "F64",
    "I8",
    "I16",
    "I32",
    "I64",
    "BigInt",
    "Char",
    "Doc",
    "Hint",
    "JavaType",
    "LocalDateTime",
    "Width",
    "Withdrawal",
    "Withdrawn",
]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Width:
    """Marks which contract type a Python type stands for, where there are several."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Hint:
    """What one protocol wants to know about this use of a type; never changes the set of values.

    `protocol`: who reads it (`java`). `text`: in that protocol's words (`int[]`).
    """

    protocol: str
    text: str


class JavaType(Hint):
    """The Java type, where the usual one is not wanted: `JavaType("int[]")`, `JavaType("java.util.Date")`."""

    __slots__ = ()

    def __init__(self, text: str) -> None:
        super().__init__("java", text)


@dataclass(frozen=True, slots=True)
class Doc:
    """Documents a parameter or field; wins over the docstring."""

    text: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Marks a callback parameter through which callers take back what they offered."""


I8 = Annotated[int, Width(Kind.I8)]
"""-128 … 127."""
I16 = Annotated[int, Width(Kind.I16)]
"""-32768 … 32767."""
I32 = Annotated[int, Width(Kind.I32)]
"""-2^31 … 2^31-1."""
I64 = Annotated[int, Width(Kind.I64)]
"""-2^63 … 2^63-1; what `int` alone means."""
BigInt = Annotated[int, Width(Kind.BIGINT)]
"""An integer of any size."""
F32 = Annotated[float, Width(Kind.F32)]
"""IEEE 754 single; a Python float becomes the nearest one."""
F64 = Annotated[float, Width(Kind.F64)]
"""IEEE 754 double; what `float` alone means."""
Char = Annotated[str, Width(Kind.CHAR)]
"""One UTF-16 code unit: a string of one character up to U+FFFF."""
LocalDateTime = Annotated[datetime, Width(Kind.LOCAL_DATETIME)]
"""Date and time of day without a zone: a naive `datetime`. `datetime` alone is an instant and must be aware."""
Withdrawn = Annotated[_T, Withdrawal()]
"""A callback that the call takes back: `async def unwatch(self, listener: Withdrawn[Listener]) -> None`. The service
gets the object it was given before, and cannot call it any more."""
