"""Commands and replies of RESP put together and taken apart by hand; nothing here comes from the code under test.

Source: https://redis.io/docs/latest/develop/reference/protocol-spec/.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["RedisAnswer", "answers", "command", "first_answer"]

_NESTED = {0x2A: 1, 0x7E: 1, 0x3E: 1, 0x25: 2}


@dataclass(frozen=True)
class RedisAnswer:
    """A reply. `kind`: its first character. `value`: bytes of a line or string, or the answers inside, or None."""

    kind: str
    value: Any

    @property
    def text(self) -> str:
        """Of a line or string."""
        return bytes(self.value).decode("utf-8", "replace")


def command(*words: bytes | str) -> bytes:
    """As clients write it."""
    given = [each.encode() if isinstance(each, str) else each for each in words]
    return b"*%d\r\n%b" % (len(given), b"".join(b"$%d\r\n%b\r\n" % (len(each), each) for each in given))


def first_answer(data: bytes) -> tuple[RedisAnswer, int] | None:
    """The first reply and where it ends; None while it is not complete."""
    return _answer(data, 0)


def _answer(data: bytes, start: int) -> tuple[RedisAnswer, int] | None:
    end = data.find(b"\r\n", start)
    if end < 0:
        return None
    kind, line = data[start], data[start + 1 : end]
    end += 2
    if kind in b"$=!":
        if line == b"-1":
            return RedisAnswer(chr(kind), None), end
        stop = end + int(line)
        if len(data) < stop + 2:
            return None
        assert data[stop : stop + 2] == b"\r\n"
        return RedisAnswer(chr(kind), data[end:stop]), stop + 2
    if kind not in _NESTED:
        assert kind in b"+-:_#,(", data[start : start + 80]
        return RedisAnswer(chr(kind), line), end
    if line == b"-1":
        return RedisAnswer(chr(kind), None), end
    found: list[RedisAnswer] = []
    for _ in range(int(line) * _NESTED[kind]):
        inner = _answer(data, end)
        if inner is None:
            return None
        found.append(inner[0])
        end = inner[1]
    return RedisAnswer(chr(kind), found), end


def answers(data: bytes) -> list[RedisAnswer]:
    """All replies in `data`, which must end with one."""
    found, start = [], 0
    while start < len(data):
        complete = _answer(data, start)
        assert complete is not None, data[start : start + 80]
        found.append(complete[0])
        start = complete[1]
    return found
