"""Commands out of a stream: arrays of bulk strings, and lines of text.

Limits are checked against what is declared, before anything is kept. Nobody who has not shown credentials may send more
than ten arguments, or one of more than 16 KiB (CVE-2021-32675).

Source: redis/redis src/networking.c, `processInlineBuffer` and `processMultibulkBuffer` (7.0), whose texts these are.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.model.errors import RemoteWireError
from protocols.redis.inline import split_arguments

__all__ = ["RequestReader"]

_MAX_LINE: Final = 65_536
"""Bytes of a line, and of the line that holds a length."""
_MAX_ARGUMENTS: Final = 65_536
"""Of one command; Redis takes sixteen times as many, each of which takes memory beyond its bytes."""
_STRANGER_ARGUMENTS: Final = 10
_STRANGER_BYTES: Final = 16_384
_USUAL_ARGUMENTS: Final = 64
_USUAL_BYTES: Final = 1_024
_COUNTS: Final = {b"*%d" % count: count for count in range(1, _USUAL_ARGUMENTS)}
_SIZES: Final = tuple(b"$%d" % size for size in range(_USUAL_BYTES))
_INTEGER: Final = re.compile(rb"-?[1-9][0-9]{0,18}|0")


class RequestReader:
    """Commands of one connection. `is_limited`: the caller is a stranger still; looked at with each command."""

    __slots__ = (
        "_arguments",
        "_held",
        "_max_bytes",
        "_missing",
        "_pos",
        "_read",
        "_size",
        "_taken",
        "_wanted",
        "is_limited",
    )

    def __init__(self, max_bytes: int, is_limited: bool) -> None:
        self.is_limited = is_limited
        self._max_bytes = max_bytes
        self._held = bytearray()
        self._pos = 0
        """Where the next line or argument begins."""
        self._wanted = 0
        """Bytes that must be held before it is worth looking again."""
        self._arguments: list[bytes] = []
        self._missing = 0
        """Arguments of the command that have not arrived."""
        self._size = -1
        """Bytes of the argument that comes next; -1 where its length has not been read."""
        self._taken = 0
        """Bytes of the command as far as its lengths say."""
        self._read = 0
        """Bytes of it that were read."""

    @property
    def pending_bytes(self) -> int:
        """Bytes of an incomplete command held back."""
        return len(self._held) - self._pos + self._read

    def usual(self, data: bytes) -> list[list[bytes]]:
        """The commands at the beginning of what arrived whose arguments are short and hold no line ends.

        The rest is kept for `next`. Only to be asked where nothing is held, and of whom is no stranger.
        """
        commands: list[list[bytes]] = []
        parts = data.split(b"\r\n")
        # The last is what stands behind the last end of a line.
        at, last = 0, len(parts) - 1
        counts, sizes = _COUNTS, _SIZES
        while at < last:
            count = counts.get(parts[at], 0)
            end = at + 1 + count + count
            if not count or end > last:
                break
            arguments = parts[at + 2 : end : 2]
            try:
                if parts[at + 1 : end : 2] != [sizes[len(each)] for each in arguments]:
                    break
            except IndexError:
                break
            commands.append(arguments)
            at = end
        if at < last or parts[last]:
            self._held += b"\r\n".join(parts[at:]) if at else data
        return commands

    def is_idle(self) -> bool:
        """Whether nothing is held."""
        return not self._held and not self._missing

    def feed(self, data: bytes) -> None:
        """Takes what arrived; `next` gives what it holds."""
        self._held += data

    def next(self) -> list[bytes] | None:
        """The next command, which may have no words; None where it is not complete.

        Raises:
            RemoteWireError: the position in the stream is lost; holds what is answered before the end.
        """
        held = self._held
        if len(held) < self._wanted:
            return None
        self._wanted = 0
        if not self._missing:
            if self._pos >= len(held):
                held.clear()
                self._pos = 0
                return None
            if held[self._pos] != 0x2A:
                return self._inline()
            line = self._line("too big mbulk count string")
            if line is None:
                return None
            self._taken = self._read = len(line) + 2
            count = self._count(line)
            if count <= 0:
                self._read = 0
                return []
            self._missing = count
            self._arguments = []
        return self._bulks()

    def _count(self, line: bytes) -> int:
        said = line[1:]
        count = int(said) if _INTEGER.fullmatch(said) else _MAX_ARGUMENTS + 1
        if count > _MAX_ARGUMENTS:
            raise _lost("invalid multibulk length")
        if count > _STRANGER_ARGUMENTS and self.is_limited:
            raise _lost("unauthenticated multibulk length")
        return count

    def _bulks(self) -> list[bytes] | None:
        held = self._held
        while self._missing:
            if self._size < 0:
                if len(held) > self._pos and held[self._pos] != 0x24:
                    raise _lost(f"expected '$', got '{chr(held[self._pos])}'")
                line = self._line("too big bulk count string")
                if line is None:
                    return None
                self._size = self._bulk_size(line)
                self._read += len(line) + 2
                self._taken += len(line) + 4 + self._size
                if self._taken > self._max_bytes:
                    raise _lost("too big request", "frame-too-large")
            end = self._pos + self._size
            if len(held) < end + 2:
                self._forget_read()
                self._wanted = self._pos + self._size + 2
                return None
            with memoryview(held) as view:
                self._arguments.append(bytes(view[self._pos : end]))
            self._pos = end + 2
            self._read += self._size + 2
            self._size = -1
            self._missing -= 1
        self._read = 0
        arguments, self._arguments = self._arguments, []
        if self._pos >= len(held):
            self._forget_read()
        return arguments

    def _bulk_size(self, line: bytes) -> int:
        said = line[1:]
        size = int(said) if _INTEGER.fullmatch(said) else -1
        if size < 0 or size > self._max_bytes:
            raise _lost("invalid bulk length")
        if size > _STRANGER_BYTES and self.is_limited:
            raise _lost("unauthenticated bulk length")
        return size

    def _line(self, too_big: str) -> bytes | None:
        """What stands before the next end of a line."""
        held, start = self._held, self._pos
        end = held.find(b"\r", start, start + _MAX_LINE + 1)
        if end < 0 or end + 2 > len(held):
            if end < 0 and len(held) - start > _MAX_LINE:
                raise _lost(too_big)
            self._forget_read()
            self._wanted = len(held) + 1
            return None
        self._pos = end + 2
        return bytes(held[start:end])

    def _inline(self) -> list[bytes] | None:
        held, start = self._held, self._pos
        end = held.find(b"\n", start, start + _MAX_LINE + 1)
        if end < 0 or held.find(b"\0", start, end) >= 0:
            if len(held) - start > _MAX_LINE:
                raise _lost("too big inline request")
            self._forget_read()
            self._wanted = len(held) + 1
            return None
        line = bytes(held[start : end - 1 if end > start and held[end - 1] == 0x0D else end])
        words = split_arguments(line)
        if words is None:
            raise _lost("unbalanced quotes in request")
        self._pos = end + 1
        if self._pos >= len(held):
            self._forget_read()
        return words

    def _forget_read(self) -> None:
        """Lets go of what was read: once for each piece that arrives, not for each command."""
        if self._pos:
            del self._held[: self._pos]
            self._pos = 0


def _lost(text: str, reason: str = "malformed") -> RemoteWireError:
    farewell = f"-ERR Protocol error: {text}\r\n".encode("latin-1")
    return RemoteWireError(f"protocol error: {text}", reason=reason, farewell=farewell)
