"""Words of a command line: keys and numbers as memcached reads them, and what it says where they are wrong.

Sources: memcached/memcached: doc/protocol.txt, util.c; and the answers of memcached 1.6.18 to the same lines.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "BAD_FORMAT",
    "ERROR",
    "MAX_KEY_BYTES",
    "is_key",
    "read_expiry",
    "read_i32",
    "read_i64",
    "read_u32",
    "read_u64",
    "words_of",
]

MAX_KEY_BYTES: Final = 250
ERROR: Final = b"ERROR\r\n"
BAD_FORMAT: Final = b"CLIENT_ERROR bad command line format\r\n"

_NUMBER: Final = re.compile(rb"[+-]?[0-9]{1,20}")
_U64: Final = 1 << 64
_I32: Final = 1 << 31
_I64: Final = 1 << 63
_AGES_S: Final = 10.0**10
"""Some 300 years: as good as for ever, and within what services can add to a moment."""
_MONTH_S: Final = 60 * 60 * 24 * 30
"""Expiry times up to here count from now, later ones are moments."""


def words_of(line: bytes) -> list[bytes]:
    """What stands between the spaces of a line; nothing but spaces parts words."""
    return [each for each in line.split(b" ") if each]


def is_key(word: bytes) -> bool:
    """Whether a word can be a key. In memcached a NUL ends the line; here it is refused, as a CR is."""
    return len(word) <= MAX_KEY_BYTES and b"\0" not in word and b"\r" not in word


def read_u64(word: bytes) -> int | None:
    """A number as `strtoull` takes it; None where there is none."""
    if _NUMBER.fullmatch(word) is None:
        return None
    number = int(word)
    return number if 0 <= number < _U64 else None


def read_u32(word: bytes) -> int | None:
    """The same, cut to 32 bits, as memcached cuts flags."""
    number = read_u64(word)
    return None if number is None else number & 0xFFFFFFFF


def read_i32(word: bytes) -> int | None:
    """A number of 32 bits with a sign; None where there is none."""
    if _NUMBER.fullmatch(word) is None:
        return None
    number = int(word)
    return number if -_I32 <= number < _I32 else None


def read_i64(word: bytes) -> int | None:
    """A number of 64 bits with a sign, as expiry times are; None where there is none."""
    if _NUMBER.fullmatch(word) is None:
        return None
    number = int(word)
    return number if -_I64 <= number < _I64 else None


def read_expiry(number: int, moment: float) -> float | None:
    """The time to live in seconds that an expiry time means; None for ever, 0 or less for over at once.

    `moment`: seconds since 1970.
    """
    if number == 0:
        return None
    left = float(number) if number <= _MONTH_S else number - moment
    return min(max(left, -1.0), _AGES_S)
