"""Patterns for keys, as Redis has them: `*`, `?`, `[a-z]`, `[^a]`, and a backslash before what stands for itself.

Source: redis/redis src/util.c, `stringmatchlen`. Other than there, no pattern takes more time than its length times
that of the key (CVE-2022-36021).
"""

from __future__ import annotations

from typing import Final

__all__ = ["Glob"]

_STAR: Final = None
_ANY: Final = frozenset(range(256))
_Part = frozenset[int] | None


class Glob:
    """One pattern. `beginning`: what all that matches begins with."""

    __slots__ = ("_parts", "beginning")

    def __init__(self, pattern: bytes) -> None:
        self._parts = _parts_of(pattern)
        plain = bytearray()
        for part in self._parts:
            if part is _STAR or len(part) != 1:
                break
            plain += bytes(part)
        self.beginning: Final = bytes(plain)

    def matches(self, key: bytes) -> bool:
        """Whether the whole key does."""
        parts, size = self._parts, len(key)
        at = part = 0
        star, resumed = -1, 0
        while at < size:
            if part < len(parts) and (wanted := parts[part]) is _STAR:
                star, resumed = part, at
                part += 1
            elif part < len(parts) and wanted is not _STAR and key[at] in wanted:
                at += 1
                part += 1
            elif star >= 0:
                # Only the last star need take more: what the ones before took was enough.
                part = star + 1
                resumed += 1
                at = resumed
            else:
                return False
        return all(each is _STAR for each in parts[part:])


def _parts_of(pattern: bytes) -> list[_Part]:
    parts: list[_Part] = []
    at = 0
    while at < len(pattern):
        byte = pattern[at]
        if byte == 0x2A:
            if not parts or parts[-1] is not _STAR:
                parts.append(_STAR)
        elif byte == 0x3F:
            parts.append(_ANY)
        elif byte == 0x5B:
            at = _class(pattern, at + 1, parts)
            continue
        else:
            if byte == 0x5C and at + 1 < len(pattern):
                at += 1
            parts.append(frozenset(pattern[at : at + 1]))
        at += 1
    return parts


def _class(pattern: bytes, at: int, parts: list[_Part]) -> int:
    """A class of bytes, up to its bracket or the end of the pattern; gives the place behind it."""
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
    parts.append(_ANY - members if negated else frozenset(members))
    return at + 1
