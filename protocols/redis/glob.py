"""Patterns for keys, as Redis has them: `*`, `?`, `[a-z]`, `[^a]`, and a backslash before what stands for itself.

Source: redis/redis src/util.c, `stringmatchlen`. Other than there, a pattern has a longest length, and takes no more
time than that times the length of the key (CVE-2022-36021).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from protocols.redis.command import Refused

__all__ = ["Glob"]

_MAX_BYTES: Final = 1_024
_MAX_CLASSES: Final = 64
"""`?` and `[…]` in one pattern: what stands between two stars is found at once where it has none of them."""
_ANY: Final = b"."
_NEVER: Final = rb"[^\x00-\xff]"
_Part = tuple[bytes, bool]
"""A byte that stands for itself, or (True) a class of a regular expression."""


class Glob:
    """One pattern. `beginning`: what all that matches begins with. Raises `Refused` for one that is too long."""

    __slots__ = ("_first", "_is_whole", "_last", "_middle", "beginning")

    def __init__(self, pattern: bytes) -> None:
        if len(pattern) > _MAX_BYTES:
            raise Refused(f"the pattern is longer than {_MAX_BYTES} bytes")
        first, *others = _between_stars(pattern)
        if sum(is_class for segment in (first, *others) for _, is_class in segment) > _MAX_CLASSES:
            raise Refused(f"the pattern has more than {_MAX_CLASSES} of ? and []")
        plain = next((at for at, (_, is_class) in enumerate(first) if is_class), len(first))
        self.beginning: Final = b"".join(byte for byte, _ in first[:plain])
        self._is_whole = not others
        self._first = _compiled(first)
        self._middle: Final[Sequence[Callable[[bytes, int, int], int]]] = [
            _finder(each) for each in others[:-1] if each
        ]
        self._last = (_compiled(others[-1]), len(others[-1])) if others else None

    def matches(self, key: bytes) -> bool:
        """Whether the whole key does."""
        begun = self._first.match(key)
        if begun is None:
            return False
        at, end = begun.end(), len(key)
        if self._last is None:
            return at == end
        last, size = self._last
        if end - size < at or last.match(key, end - size) is None:
            return False
        for find in self._middle:
            # The first place is as good as any later one.
            at = find(key, at, end - size)
            if at < 0:
                return False
        return True


def _compiled(segment: Sequence[_Part]) -> re.Pattern[bytes]:
    return re.compile(b"".join(text if is_class else re.escape(text) for text, is_class in segment), re.DOTALL)


def _finder(segment: Sequence[_Part]) -> Callable[[bytes, int, int], int]:
    """What gives the place behind a segment, between two others; below 0 where it is not there."""
    if not any(is_class for _, is_class in segment):
        plain = b"".join(byte for byte, _ in segment)

        def find(key: bytes, at: int, end: int) -> int:
            found = key.find(plain, at, end)
            return found if found < 0 else found + len(plain)

        return find
    pattern = _compiled(segment)

    def search(key: bytes, at: int, end: int) -> int:
        found = pattern.search(key, at, end)
        return -1 if found is None else found.end()

    return search


def _between_stars(pattern: bytes) -> list[list[_Part]]:
    segments: list[list[_Part]] = [[]]
    at = 0
    while at < len(pattern):
        byte = pattern[at]
        if byte == 0x2A:
            segments.append([])
        elif byte == 0x3F:
            segments[-1].append((_ANY, True))
        elif byte == 0x5B:
            at, members = _class(pattern, at + 1)
            segments[-1].append((members, True))
            continue
        else:
            if byte == 0x5C and at + 1 < len(pattern):
                at += 1
            segments[-1].append((pattern[at : at + 1], False))
        at += 1
    return segments


def _class(pattern: bytes, at: int) -> tuple[int, bytes]:
    """A class of bytes, up to its bracket or the end of the pattern: the place behind it, and the class for `re`."""
    negated = pattern[at : at + 1] == b"^"
    at += negated
    members: set[int] = set()
    while at < len(pattern) and pattern[at] != 0x5D:
        byte = pattern[at]
        if byte == 0x5C and at + 1 < len(pattern):
            at += 1
            members.add(pattern[at])
        elif pattern[at + 1 : at + 2] == b"-" and at + 2 < len(pattern):
            low, high = sorted((byte, pattern[at + 2]))
            members.update(range(low, high + 1))
            at += 2
        else:
            members.add(byte)
        at += 1
    if not members:
        return at + 1, _ANY if negated else _NEVER
    return at + 1, b"[%b%b]" % (b"^" if negated else b"", b"".join(b"\\x%02x" % each for each in sorted(members)))
