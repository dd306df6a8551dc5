"""The line of a meta command, read: its key, and its flags in order."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Final

from protocols.memcached.word import MAX_KEY_BYTES

__all__ = ["INVALID_OR_DUPLICATE", "Asked", "Refused"]

_INVALID: Final = b"CLIENT_ERROR invalid flag\r\n"
_DUPLICATE: Final = b"CLIENT_ERROR duplicate flag\r\n"
INVALID_OR_DUPLICATE: Final = b"CLIENT_ERROR invalid or duplicate flag\r\n"
"""What `ma` says for both."""
_MAX_OPAQUE: Final = 31
_KNOWN: Final = {b"mg": b"bkOqvfscthlT", b"ms": b"bkOqcTFCMvs", b"md": b"bkOq", b"ma": b"bkOqvctDMNJTfs", b"me": b""}


class Refused(Exception):
    """The line is wrong; `line` says so."""

    def __init__(self, line: bytes) -> None:
        super().__init__(line)
        self.line = line


class Asked:
    """A meta command, read. `key`: decoded. `shown`: as it was written. `flags`: by letter, in order."""

    __slots__ = ("flags", "key", "quiet", "shown")

    def __init__(self, verb: bytes, shown: bytes, words: list[bytes]) -> None:
        self.flags: dict[bytes, bytes] = {}
        self.shown = shown
        known = _KNOWN[verb]
        for word in words:
            letter = word[:1]
            if letter in self.flags:
                raise Refused(INVALID_OR_DUPLICATE if verb == b"ma" else _DUPLICATE)
            if letter not in known:
                raise Refused(INVALID_OR_DUPLICATE if verb == b"ma" else _INVALID)
            self.flags[letter] = word[1:]
        if len(self.flags.get(b"O", b"")) > _MAX_OPAQUE - 1:
            raise Refused(b"CLIENT_ERROR opaque token too long\r\n")
        self.key = shown
        if b"b" in self.flags:
            try:
                self.key = b64decode(shown, validate=True)
            except (binascii.Error, ValueError):
                raise Refused(b"CLIENT_ERROR error decoding key\r\n") from None
            if not 0 < len(self.key) <= MAX_KEY_BYTES:
                raise Refused(b"CLIENT_ERROR error decoding key\r\n")
        self.quiet = b"q" in self.flags

    def number(self, letter: bytes, read: Callable[[bytes], int | None], refusal: bytes) -> int | None:
        """The number behind a flag, None without the flag."""
        word = self.flags.get(letter)
        if word is None:
            return None
        number = read(word)
        if number is None:
            raise Refused(refusal)
        return number

    def echo(self, returned: Mapping[bytes, bytes]) -> bytes:
        """The flags that come back. `returned`: what stands behind each that is known besides."""
        parts = []
        for letter, said in self.flags.items():
            if letter == b"k":
                parts.append(b" k%b%b" % (self.shown, b" b" if b"b" in self.flags else b""))
            elif letter == b"O":
                parts.append(b" O" + said)
            elif letter in returned:
                parts.append(b" %b%b" % (letter, returned[letter]))
        return b"".join(parts)
