"""Commands of memcached and answers to them, written by hand.

Source: memcached/memcached: doc/protocol.txt.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

__all__ = ["MemcachedAnswer", "all_answers", "first_answer", "get_call", "run_call", "stored"]


def get_call(name: str, arguments: str = "") -> bytes:
    """`get` of a call. `arguments`: the inside of a JSON array."""
    return f"get {name}({quote(arguments)})\r\n".encode()


def run_call(name: str, *parts: bytes, id: int = 7, more: str = "") -> bytes:
    """A call in the block of a `set` that is not answered, and the `get` of its answer."""
    head = f'{{"sizes": [{", ".join(str(len(each)) for each in parts)}]{more}}}\n'.encode()
    block = head + b"".join(parts)
    return b"set %b#%d 0 0 %d noreply\r\n%b\r\nget %b#%d\r\n" % (
        name.encode(), id, len(block), block, name.encode(), id,
    )  # fmt: skip


def stored(verb: str, key: str, value: bytes, *, flags: int = 0, more: str = "") -> bytes:
    """A command with a data block."""
    return f"{verb} {key} {flags} 0 {len(value)}{more}\r\n".encode() + value + b"\r\n"


@dataclass(frozen=True)
class MemcachedAnswer:
    """One answer. `line`: its first line without CRLF. `data`: of a value, without the line `END`."""

    line: bytes
    data: bytes | None = None

    @property
    def flags(self) -> int:
        """Those of a value."""
        return int(self.line.split(b" ")[2])


def first_answer(data: bytes) -> tuple[MemcachedAnswer, int] | None:
    """The first answer to a command for one key and where it ends; None while it is not complete."""
    end = data.find(b"\r\n")
    if end < 0:
        return None
    line, end = data[:end], end + 2
    if not line.startswith(b"VALUE "):
        return MemcachedAnswer(line), end
    size = int(line.split(b" ")[3])
    close = b"\r\nEND\r\n"
    if len(data) < end + size + len(close):
        return None
    assert data[end + size : end + size + len(close)] == close
    return MemcachedAnswer(line, data[end : end + size]), end + size + len(close)


def all_answers(data: bytes) -> list[MemcachedAnswer]:
    """All answers in `data`, which must end with one."""
    found = []
    while data:
        complete = first_answer(data)
        assert complete is not None, data[:80]
        found.append(complete[0])
        data = data[complete[1] :]
    return found
