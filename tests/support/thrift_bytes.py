"""Messages of Thrift put together by hand, right ones and wrong ones; nothing here comes from the code under test.

Sources: apache/thrift: doc/specs/thrift-binary-protocol.md, thrift-compact-protocol.md, HeaderFormat.md.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

__all__ = [
    "CALL",
    "EXCEPTION",
    "I32",
    "I64",
    "LIST",
    "MAP",
    "ONEWAY",
    "REPLY",
    "SET",
    "STRING",
    "STRUCT",
    "ThriftAnswer",
    "answers",
    "call",
    "field",
    "first_answer",
    "framed",
    "header",
    "message",
    "text",
]  # fmt: skip

CALL, REPLY, EXCEPTION, ONEWAY = 1, 2, 3, 4
I32, I64, STRING, STRUCT, MAP, SET, LIST = 8, 10, 11, 12, 13, 14, 15


def text(value: str | bytes) -> bytes:
    """A string of the binary protocol."""
    data = value.encode() if isinstance(value, str) else value
    return struct.pack(">i", len(data)) + data


def field(number: int, id: int, value: bytes) -> bytes:
    """A field with its head."""
    return struct.pack(">bh", number, id) + value


def message(name: str | bytes, *fields: bytes, kind: int = CALL, id: int = 7, version: int = 0x80010000) -> bytes:
    """A message of the binary protocol with a version."""
    return struct.pack(">I", version | kind) + text(name) + struct.pack(">i", id) + b"".join(fields) + b"\0"


def framed(data: bytes, length: int | None = None) -> bytes:
    """A frame. `length`: what it says of its length, where that is not true."""
    return struct.pack(">i", len(data) if length is None else length) + data


def call(name: str, *fields: bytes, kind: int = CALL, id: int = 7) -> bytes:
    """A framed call."""
    return framed(message(name, *fields, kind=kind, id=id))


def header(data: bytes, *, words: int | None = None, head: bytes = b"\0\0\0\0", id: int = 7) -> bytes:
    """A frame of the header transport. `head`: from the protocol id on; `words`: its size, where it says another."""
    size = len(head) // 4 if words is None else words
    return framed(struct.pack(">HHiH", 0x0FFF, 0, id, size) + head + data)


@dataclass(frozen=True)
class ThriftAnswer:
    """An answer in the binary protocol. `text` and `error`: of a `TApplicationException`."""

    name: str
    kind: int
    id: int
    body: bytes

    @property
    def error(self) -> int:
        """The kind of the error; 0 where it is none."""
        return struct.unpack(">i", self._error()[1])[0] if self.kind == EXCEPTION else 0  # type: ignore[no-any-return]

    @property
    def text(self) -> str:
        """The text of the error."""
        return self._error()[0].decode() if self.kind == EXCEPTION else ""

    def _error(self) -> tuple[bytes, bytes]:
        assert self.body[:3] == b"\x0b\0\x01"
        size = struct.unpack(">i", self.body[3:7])[0]
        assert self.body[7 + size : 10 + size] == b"\x08\0\x02"
        return self.body[7 : 7 + size], self.body[10 + size : 14 + size]


def first_answer(data: bytes) -> tuple[ThriftAnswer, int] | None:
    """The first framed answer and where it ends; None while it is not complete."""
    if len(data) < 4:
        return None
    end: int = 4 + struct.unpack(">i", data[:4])[0]
    if len(data) < end:
        return None
    version, kind, size = struct.unpack(">HHi", data[4:12])
    assert version == 0x8001
    id: int = struct.unpack(">i", data[12 + size : 16 + size])[0]
    return ThriftAnswer(data[12 : 12 + size].decode("utf-8", "replace"), kind, id, data[16 + size : end]), end


def answers(data: bytes) -> list[ThriftAnswer]:
    """All framed answers in `data`, which must end with one."""
    found = []
    while data:
        complete = first_answer(data)
        assert complete is not None, data[:80]
        found.append(complete[0])
        data = data[complete[1] :]
    return found
