"""Guards the building of maps and sets against keys that were made to have one hash.

Python finds equal hashes by comparing one by one, and its hashes of numbers, UUIDs, tuples and structs are no secret: a
message of 2 MB with UUIDs that all have the hash 0 would keep the process busy for a quarter of an hour. Hashes of
text, bytes and dates differ from process to process and need no guard; 64 bits of an integer have no more than a dozen
others with the same hash.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Final

from gateway.model.typeref import Kind, TypeRef

__all__ = ["KeyHashes", "has_common_hashes", "may_collide"]

_MOST_ALIKE: Final = 32
"""Keys beyond the first of each hash in one map or set. Chance gives none; -1 and -2 are one pair that has the same."""

_NARROW: Final = (-(1 << 63), (1 << 63) - 1)
_SAFE_KINDS: Final = frozenset(
    {Kind.NULL, Kind.BOOL, Kind.I8, Kind.I16, Kind.I32, Kind.I64, Kind.F32, Kind.F64, Kind.CHAR, Kind.STRING}
    | {Kind.BYTES, Kind.DATE, Kind.TIME, Kind.DATETIME, Kind.LOCAL_DATETIME, Kind.DURATION, Kind.ENUM}
)


def may_collide(ref: TypeRef) -> bool:
    """Whether a peer can make up any number of values of the type that have the same hash."""
    return ref.kind not in _SAFE_KINDS


def has_common_hashes(keys: Collection[Hashable]) -> bool:
    """Whether too many have the same hash. Raises what hashing raises."""
    return len(keys) > _MOST_ALIKE and len(keys) - len(set(map(hash, keys))) > _MOST_ALIKE


class KeyHashes:
    """The hashes of the keys of one map while it grows."""

    __slots__ = ("_hashes", "_keys")

    def __init__(self) -> None:
        self._keys = 0
        self._hashes: set[int] = set()

    def admit(self, key: Hashable) -> bool:
        """Whether the key may be added: not too many have the same hash. Raises what hashing raises."""
        if type(key) is str or (isinstance(key, int) and _NARROW[0] <= key <= _NARROW[1]):
            return True
        self._keys += 1
        self._hashes.add(hash(key))
        return self._keys - len(self._hashes) <= _MOST_ALIKE
