"""A short text that two sides have in common exactly when they have the same entries."""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["Digest"]


class Digest:
    """Of a set of entries, each with its sequence number; kept up to date one entry at a time, in any order."""

    __slots__ = ("_bits", "count")

    def __init__(self) -> None:
        self._bits = 0
        self.count = 0

    def add(self, client: str, key: str, sequence: int) -> None:
        """The entry is there."""
        self._bits ^= _bits(client, key, sequence)
        self.count += 1

    def discard(self, client: str, key: str, sequence: int) -> None:
        """The entry, which was added before, is there no more."""
        self._bits ^= _bits(client, key, sequence)
        self.count -= 1

    @property
    def text(self) -> str:
        """`<count>-<16 hexadecimal digits>`."""
        return f"{self.count}-{self._bits:016x}"


def _bits(client: str, key: str, sequence: int) -> int:
    # Each entry by itself, so that the digest of many is the sum of theirs, without carry.
    text = f"{client}\0{key}\0{sequence}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest())
