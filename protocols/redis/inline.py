"""Commands written as a line of text, the way a person types them into telnet.

Source: redis/redis src/sds.c, `sdssplitargs`.
"""

from __future__ import annotations

from typing import Final

__all__ = ["split_arguments"]

_SPACE: Final = frozenset(b" \n\r\t\v\f")
_QUOTE: Final = 0x22
_APOSTROPHE: Final = 0x27
_BACKSLASH: Final = 0x5C
_ESCAPES: Final = {0x6E: 0x0A, 0x72: 0x0D, 0x74: 0x09, 0x62: 0x08, 0x61: 0x07}
_HEX: Final = frozenset(b"0123456789abcdefABCDEF")


def split_arguments(line: bytes) -> list[bytes] | None:
    """The words of a line without its end; None where quotes are not balanced or stand inside a word.

    `"…"` knows the escapes of C and `\\xHH`, `'…'` only `\\'`.
    """
    if b'"' not in line and b"'" not in line:
        return line.split()
    words: list[bytes] = []
    pos, size = 0, len(line)
    while True:
        while pos < size and line[pos] in _SPACE:
            pos += 1
        if pos == size:
            return words
        word = bytearray()
        while pos < size and line[pos] not in _SPACE:
            quote = line[pos]
            pos += 1
            if quote not in (_QUOTE, _APOSTROPHE):
                word.append(quote)
                continue
            pos = _quoted(line, pos, quote, word)
            if pos < 0 or (pos < size and line[pos] not in _SPACE):
                return None
        words.append(bytes(word))


def _quoted(line: bytes, pos: int, quote: int, word: bytearray) -> int:
    """Appends what stands in quotes; gives the place behind them, or -1 where they do not end."""
    size = len(line)
    while pos < size:
        byte = line[pos]
        if byte == quote:
            return pos + 1
        if byte == _BACKSLASH and pos + 1 < size:
            after = line[pos + 1]
            if quote == _APOSTROPHE:
                if after == _APOSTROPHE:
                    byte = after
                    pos += 1
            elif after == 0x78 and pos + 3 < size and line[pos + 2] in _HEX and line[pos + 3] in _HEX:
                byte = int(line[pos + 2 : pos + 4], 16)
                pos += 3
            else:
                byte = _ESCAPES.get(after, after)
                pos += 1
        word.append(byte)
        pos += 1
    return -1
