"""Tells memcached:// from other wires by the first line of a connection, and from Redis, which takes lines as well.

| line | answer | in Redis |
| --- | --- | --- |
| `gets`, `gat`, `gats`, `add`, `replace`, `prepend`, `cas`, `delete` | YES | no such commands |
| `flush_all`, `stats`, `version`, `verbosity`, `mg`, `ms`, `md`, `ma`, `mn`, `me` | YES | no such commands |
| `get` of two keys or more | YES | GET has one |
| `set` or `append`, a key and three numbers | YES | a syntax error |
| `set`, `append` with anything else | NO | commands |
| `set` or `append`, and a key that is too long, before the line has ended | MAYBE | a command |
| `incr` or `decr`, a key and a number | YES | INCR has no number |
| `incr`, `decr` of a key alone | NO | commands |
| `get` of one key | MAYBE | a command |
| `touch`, a key and a number | MAYBE | TOUCH has any number of keys |
| `touch` with anything else | NO | a command |
| `quit`, `shutdown` | MAYBE | commands |
| any other word, and all of these in capitals | NO | |

A word must be complete, and where what follows it matters the line, too; until then the answer is MORE.

Sources: memcached/memcached: doc/protocol.txt; the commands of Redis 7 (redis/redis: src/commands).
"""

from __future__ import annotations

import re
from typing import Final

from gateway.model.recognition import Recognition
from protocols.memcached.word import MAX_KEY_BYTES, words_of

__all__ = ["recognize_memcached"]

_OURS: Final = frozenset(
    b"gets gat gats add replace prepend cas delete flush_all stats version verbosity mg ms md ma mn me".split()
)
_SHARED: Final = frozenset(b"get set append incr decr touch quit shutdown".split())
_WORDS: Final = tuple(_OURS | _SHARED)
_MOST_BYTES: Final = max(map(len, _WORDS))
_NUMBER: Final = re.compile(rb"-?[0-9]{1,20}")
_NUMBERS: Final = {b"set": 3, b"append": 3, b"incr": 1, b"decr": 1, b"touch": 1}
"""Behind the key."""
_NOREPLY: Final = b"noreply"


def recognize_memcached(data: bytes) -> Recognition:
    """A command of the text protocol."""
    line, end, _ = data.partition(b"\n")
    word = line.partition(b" ")[0]
    if not end and len(word) == len(line):
        # It may go on.
        is_beginning = len(word) <= _MOST_BYTES + 1 and any(each.startswith(word.rstrip(b"\r")) for each in _WORDS)
        return Recognition.MORE if is_beginning else Recognition.NO
    verb = word.rstrip(b"\r")
    if verb in _OURS:
        return Recognition.YES
    if verb not in _SHARED:
        return Recognition.NO
    words = words_of(line.rstrip(b"\r"))[1:]
    if verb == b"get":
        return _get(words, bool(end))
    if not end:
        # Nobody has such a key. But data may follow the line, which must not be run as commands of Redis.
        return Recognition.MAYBE if words and len(words[0]) > MAX_KEY_BYTES else Recognition.MORE
    if verb in _NUMBERS:
        return _with_numbers(verb, words)
    return Recognition.NO if words else Recognition.MAYBE


def _get(keys: list[bytes], is_whole: bool) -> Recognition:
    if len(keys) > 1:
        return Recognition.YES
    if keys and len(keys[0]) > MAX_KEY_BYTES:
        return Recognition.NO
    if not is_whole:
        return Recognition.MORE
    return Recognition.MAYBE if keys else Recognition.NO


def _with_numbers(verb: bytes, words: list[bytes]) -> Recognition:
    if words and words[-1] == _NOREPLY:
        del words[-1]
    numbers = words[1:]
    if len(numbers) != _NUMBERS[verb] or not all(map(_NUMBER.fullmatch, numbers)):
        return Recognition.NO
    return Recognition.MAYBE if verb == b"touch" else Recognition.YES
