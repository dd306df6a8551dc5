"""Replies out of a stream, as plain values that still say which type of RESP they were.

| reply | value |
| --- | --- |
| `$`, `!` | `bytes`, `ErrorReply` |
| `+`, `-` | `Simple`, `ErrorReply` |
| `:` `(` | `int`, `Big` |
| `,` `#` `_`, `$-1`, `*-1` | `float`, `bool`, None |
| `=` | `Verbatim` |
| `*` `~` `>` | `list`, `SetReply`, `Push` |
| `%` | `MapReply`: pairs |
| `|` | pairs in front of the reply that they belong to, `Reply.attributes` |

Source: redis/redis-specifications protocol/RESP3.md. Streamed strings and aggregates, which no server sends, are
refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from gateway.jsonform.scalar_text import parse_integer
from gateway.model.errors import RemoteWireError
from protocols.reader import Limits

__all__ = ["Big", "ErrorReply", "MapReply", "Push", "Reply", "ReplyReader", "SetReply", "Simple", "Verbatim"]


class Simple(str):
    """A short text of the protocol itself, such as `OK`."""

    __slots__ = ()


class ErrorReply(bytes):
    """What stands behind the `-`."""

    __slots__ = ()


class Big(int):
    """A number that is not bounded by 64 bits."""

    __slots__ = ()


class Verbatim(NamedTuple):
    """A string that says what it is. `form`: three characters."""

    form: bytes
    data: bytes


class SetReply(list[Any]):
    """The elements of a set."""

    __slots__ = ()


class MapReply(list[Any]):
    """Keys and values of a map in turn, or the pairs of them once it is complete."""

    __slots__ = ()


class Push(list[Any]):
    """What comes unasked."""

    __slots__ = ()


class _Attributes(list[Any]):
    __slots__ = ()


class Reply(NamedTuple):
    """A reply and what stood in front of it."""

    value: Any
    attributes: list[tuple[Any, Any]]


_MAX_LINE: Final = 65_536
_MAX_ERROR: Final = 1 << 23
_SCALARS: Final = frozenset(b":_#,(+-")
_STRINGS: Final = frozenset(b"$!=")
_AGGREGATES: Final[Mapping[int, tuple[type[list[Any]], int]]] = {
    0x2A: (list, 1),
    0x7E: (SetReply, 1),
    0x3E: (Push, 1),
    0x25: (MapReply, 2),
    0x7C: (_Attributes, 2),
}
_INTEGER: Final = re.compile(rb"[+-]?[0-9]{1,19}")
_LENGTH: Final = re.compile(rb"-1|[0-9]{1,10}")
_DOUBLE: Final = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|inf|nan)")
_BIG: Final = re.compile(rb"[+-]?[0-9]{1,10000}")


class ReplyReader:
    """Replies of one connection; made for answers of any size that arrive in pieces: nothing is read twice."""

    __slots__ = ("_attributes", "_charged", "_held", "_limits", "_pos", "_sought", "_stack", "_started", "_wanted")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = bytearray()
        self._pos = 0
        self._wanted = 0
        self._sought = 0
        """Up to where there is no end of the line that is not whole."""
        self._stack: list[tuple[list[Any], int]] = []
        """Aggregates that are open, and how many parts each will have."""
        self._charged = 0
        self._started = 0
        """Bytes of the reply that were read and let go."""
        self._attributes: list[tuple[Any, Any]] = []

    @property
    def is_empty(self) -> bool:
        """Whether everything that was fed has been given."""
        return not self._stack and self._pos >= len(self._held)

    def feed(self, data: bytes) -> None:
        """Takes what arrived."""
        self._held += data

    def next(self) -> Reply | None:
        """The next reply; None where it is not complete.

        Raises:
            RemoteWireError: what arrived is no reply, or exceeds a limit.
        """
        held = self._held
        if len(held) < self._wanted:
            return None
        self._wanted = 0
        while True:
            if self._pos >= len(held):
                self._wait(1)
                return None
            kind = held[self._pos]
            value = self._aggregate(kind) if kind in _AGGREGATES else self._simple(kind)
            if value is _INCOMPLETE:
                return None
            if value is _OPENED:
                continue
            value = self._close(value)
            if value is _OPENED:
                continue
            reply = Reply(value, self._attributes)
            self._attributes = []
            self._charged = self._started = 0
            if self._pos >= len(held):
                self._forget()
                self._started = 0
            return reply

    def _close(self, value: Any) -> Any:
        """Puts a value where it belongs; gives the whole reply, or `_OPENED` while something is missing."""
        stack = self._stack
        while True:
            if type(value) is _Attributes:
                pairs = _paired(value)
                if not stack:
                    self._attributes += pairs
                return _OPENED
            if not stack:
                return value
            parts, count = stack[-1]
            parts.append(value)
            if len(parts) < count:
                return _OPENED
            stack.pop()
            value = MapReply(_paired(parts)) if type(parts) is MapReply else parts

    def _aggregate(self, kind: int) -> Any:
        line = self._line(_MAX_LINE)
        if line is None:
            return _INCOMPLETE
        made, each = _AGGREGATES[kind]
        if _LENGTH.fullmatch(line) is None or (line == b"-1" and kind != 0x2A):
            raise _lost("a length of an aggregate is no number, or negative")
        count = int(line)
        if count < 0:
            return None
        if len(self._stack) >= self._limits.max_depth * 2:
            raise _lost("replies are nested too deeply")
        self._charged += 5 + count * each
        if self._charged > self._limits.max_elements:
            raise _lost(f"a reply of more than {self._limits.max_elements} elements")
        parts = made()
        if not count:
            return parts
        self._stack.append((parts, count * each))
        return _OPENED

    def _simple(self, kind: int) -> Any:
        if kind in _STRINGS:
            return self._string(kind)
        if kind not in _SCALARS:
            raise _lost(f"the byte {kind:#04x} begins no reply")
        line = self._line(_MAX_ERROR if kind in b"+-(" else _MAX_LINE)
        if line is None:
            return _INCOMPLETE
        return _SCALAR_READERS[kind](line)

    def _string(self, kind: int) -> Any:
        start = self._pos
        line = self._line(_MAX_LINE)
        if line is None:
            return _INCOMPLETE
        if _LENGTH.fullmatch(line) is None:
            raise _lost("a length of a string is no number")
        size = int(line)
        if size < 0:
            return None
        if size + self._started > self._limits.max_frame_bytes:
            raise _lost(f"a reply of more than {self._limits.max_frame_bytes} bytes")
        end = self._pos + size
        if end + 2 > len(self._held):
            # The line is read again when all of it is there.
            self._pos = start
            self._wait(end + 2 - start)
            return _INCOMPLETE
        with memoryview(self._held) as view:
            data = bytes(view[self._pos : end])
        if self._held[end : end + 2] != b"\r\n":
            raise _lost("a string does not end where it should")
        self._pos = end + 2
        if kind == 0x24:
            return data
        if kind == 0x21:
            return ErrorReply(data)
        if data[3:4] != b":":
            raise _lost("a verbatim string does not say what it is")
        return Verbatim(data[:3], data[4:])

    def _line(self, most: int) -> bytes | None:
        held, start = self._held, self._pos
        end = held.find(b"\r\n", max(start, self._sought), start + most)
        self._sought = 0
        if end < 0:
            if len(held) - start >= most:
                raise _lost("a line without an end")
            self._wait(len(held) - start + 1)
            self._sought = len(held) - 1
            return None
        self._pos = end + 2
        return bytes(held[start + 1 : end])

    def _wait(self, wanted: int) -> None:
        """Lets go of what was read; there is more to read once so many bytes are held."""
        self._forget()
        if self._started + len(self._held) > self._limits.max_frame_bytes + _MAX_LINE:
            raise _lost(f"a reply of more than {self._limits.max_frame_bytes} bytes")
        self._wanted = wanted

    def _forget(self) -> None:
        self._started += self._pos
        del self._held[: self._pos]
        self._pos = 0


_INCOMPLETE: Final = object()
_OPENED: Final = object()


def _paired(parts: list[Any]) -> list[tuple[Any, Any]]:
    return list(zip(parts[::2], parts[1::2], strict=True))


def _read_integer(line: bytes) -> int:
    if _INTEGER.fullmatch(line) is None:
        raise _lost("an integer is none")
    return int(line)


def _read_null(line: bytes) -> None:
    if line:
        raise _lost("a null with something behind it")


def _read_bool(line: bytes) -> bool:
    if line not in (b"t", b"f"):
        raise _lost("a boolean is neither t nor f")
    return line == b"t"


def _read_double(line: bytes) -> float:
    if _DOUBLE.fullmatch(line) is None:
        raise _lost("a double is no number")
    return float(line)


def _read_big(line: bytes) -> Big:
    if _BIG.fullmatch(line) is None:
        raise _lost("a big number is none")
    return Big(parse_integer(line.decode()))


def _read_simple(line: bytes) -> Simple:
    return Simple(line.decode("utf-8", "replace"))


_SCALAR_READERS: Final[Mapping[int, Callable[[bytes], Any]]] = {
    0x3A: _read_integer,
    0x5F: _read_null,
    0x23: _read_bool,
    0x2C: _read_double,
    0x28: _read_big,
    0x2B: _read_simple,
    0x2D: ErrorReply,
}


def _lost(text: str) -> RemoteWireError:
    return RemoteWireError(text, reason="malformed")
