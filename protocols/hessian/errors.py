"""The one error of this package, and how what comes out of a contract's own code is kept inside it."""

from __future__ import annotations

import struct
from typing import Final

from gateway.model.errors import WireError

__all__ = ["READ_ERRORS", "TRUNCATED", "HessianError", "shorten", "tag_name"]

TRUNCATED: Final = (IndexError, struct.error)
"""What reading past the end of the data raises inside this package; turned into `HessianError` where a read ends."""

_SHOWN_NAME: Final = 80


class HessianError(WireError):
    """Bytes that are no Hessian 2, or do not fit the declared type.

    The message says what was expected and what was found, never what the data says. `offset`: where, in bytes from
    the start of the data; -1 when it cannot be said. `path`: where the value sits (`args[0].tags[3]`), as far out
    as is known.
    """

    def __init__(self, message: str, offset: int = -1, path: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.path = path

    def __str__(self) -> str:
        where = f" at offset {self.offset}" if self.offset >= 0 else ""
        return f"{self.path}: {self.message}{where}" if self.path else f"{self.message}{where}"

    def within(self, outer: str) -> HessianError:
        """The same error seen from one level further out (`outer` is `args[0]` or `.price`)."""
        inner = self.path
        glue = "." if inner and inner[0] not in "[." else ""
        self.path = f"{outer}{glue}{inner}"
        return self


READ_ERRORS: Final = (HessianError, *TRUNCATED)
"""All that reading raises inside this package."""


def shorten(name: str) -> str:
    """A peer's name in a form that is safe in a message: printable ASCII and of bounded length."""
    shown = name if len(name) <= _SHOWN_NAME else name[:_SHOWN_NAME] + "…"
    return "".join(c if " " <= c <= "~" or c == "…" else c.encode("unicode_escape").decode("ascii") for c in shown)


def tag_name(tag: int) -> str:
    """A tag for a message: `0x49 (int)`.

    Source: Hessian 2.0 Serialization Protocol, section "Bytecode map".
    """
    return f"0x{tag:02x} ({_NAMES[tag]})"


def _names() -> tuple[str, ...]:
    names = ["reserved"] * 256
    for first, last, name in (
        (0x00, 0x1F, "string"),
        (0x20, 0x2F, "binary"),
        (0x30, 0x33, "string"),
        (0x34, 0x37, "binary"),
        (0x38, 0x3F, "long"),
        (0x41, 0x42, "binary"),
        (0x43, 0x43, "class definition"),
        (0x44, 0x44, "double"),
        (0x46, 0x46, "false"),
        (0x48, 0x48, "map"),
        (0x49, 0x49, "int"),
        (0x4A, 0x4B, "date"),
        (0x4C, 0x4C, "long"),
        (0x4D, 0x4D, "typed map"),
        (0x4E, 0x4E, "null"),
        (0x4F, 0x4F, "object"),
        (0x51, 0x51, "reference"),
        (0x52, 0x53, "string"),
        (0x54, 0x54, "true"),
        (0x55, 0x58, "list"),
        (0x59, 0x59, "long"),
        (0x5A, 0x5A, "end"),
        (0x5B, 0x5F, "double"),
        (0x60, 0x6F, "object"),
        (0x70, 0x7F, "list"),
        (0x80, 0xD7, "int"),
        (0xD8, 0xFF, "long"),
    ):
        names[first : last + 1] = [name] * (last - first + 1)
    return tuple(names)


_NAMES: Final = _names()
