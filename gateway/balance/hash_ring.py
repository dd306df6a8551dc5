"""A hash ring that providers can join and leave cheaply.

Points are those of Ketama as Dubbo has them: MD5 of the address followed by 0, 1, 2 … in decimal, four little-endian
32-bit numbers each. They do not depend on process, platform or the other providers.

Source: apache/dubbo: dubbo-cluster/.../loadbalance/ConsistentHashLoadBalance.java.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from hashlib import md5
from struct import Struct
from typing import Final, Generic, TypeVar

__all__ = ["POINTS_PER_DIGEST", "HashRing", "key_point", "points_of"]

_T = TypeVar("_T")

POINTS_PER_DIGEST: Final = 4
_DIGEST: Final = Struct("<4I")
_PIECE_BITS: Final = 12
_SHIFT: Final = 32 - _PIECE_BITS
_PLACE_BITS: Final = 24
_PLACE: Final = (1 << _PLACE_BITS) - 1


def points_of(address: str, count: int) -> tuple[int, ...]:
    """The first `count` points of an address, a multiple of four."""
    points: list[int] = []
    for number in range(count // POINTS_PER_DIGEST):
        points += _DIGEST.unpack(md5(f"{address}{number}".encode(), usedforsecurity=False).digest())
    return tuple(points)


def key_point(key: bytes) -> int:
    """Where on the ring a key is."""
    return int.from_bytes(md5(key, usedforsecurity=False).digest()[:4], "little")


class HashRing(Generic[_T]):
    """Points and whose they are, in 4096 pieces: adding and removing one of many thousand moves only its piece.

    `rank`: orders owners of the same point, of which the first counts. It must not depend on who came first.
    """

    __slots__ = ("_owners", "_points", "_rank", "_size")

    def __init__(self, rank: Callable[[_T], str]) -> None:
        self._rank = rank
        self._points: list[list[int]] = [[] for _ in range(1 << _PIECE_BITS)]
        self._owners: list[list[_T]] = [[] for _ in range(1 << _PIECE_BITS)]
        self._size = 0

    def __len__(self) -> int:
        """Number of points."""
        return self._size

    def copy(self) -> HashRing[_T]:
        """Another ring with the same points."""
        made = HashRing(self._rank)
        made._points = [piece.copy() for piece in self._points]
        made._owners = [piece.copy() for piece in self._owners]
        made._size = self._size
        return made

    def add(self, owner: _T, points: Sequence[int]) -> None:
        """Adds points of an owner."""
        for point in points:
            piece, owners = self._points[point >> _SHIFT], self._owners[point >> _SHIFT]
            at = bisect_left(piece, point)
            while at < len(piece) and piece[at] == point and self._rank(owners[at]) < self._rank(owner):
                at += 1
            piece.insert(at, point)
            owners.insert(at, owner)
        self._size += len(points)

    def fill(self, owners: Sequence[_T], points: Sequence[Sequence[int]]) -> None:
        """Adds the points of many owners to an empty ring."""
        ranked = sorted(range(len(owners)), key=lambda index: self._rank(owners[index]))
        # One number for point and owner is the fastest to sort by both.
        numbers = [point << _PLACE_BITS | place for place, index in enumerate(ranked) for point in points[index]]
        numbers.sort()
        in_order = [owners[index] for index in ranked]
        all_points = [number >> _PLACE_BITS for number in numbers]
        all_owners = [in_order[number & _PLACE] for number in numbers]
        start = 0
        for piece in range(len(self._points)):
            end = bisect_left(all_points, piece + 1 << _SHIFT, start)
            self._points[piece], self._owners[piece] = all_points[start:end], all_owners[start:end]
            start = end
        self._size += len(numbers)

    def remove(self, owner: _T, points: Sequence[int]) -> None:
        """Takes back points that were added for this owner."""
        for point in points:
            piece, owners = self._points[point >> _SHIFT], self._owners[point >> _SHIFT]
            at = bisect_left(piece, point)
            while owners[at] is not owner:
                at += 1
            del piece[at], owners[at]
        self._size -= len(points)

    def owner(self, point: int) -> _T:
        """Whose the first point at `point` or behind it is, around the end. The ring must not be empty."""
        number = point >> _SHIFT
        piece = self._points[number]
        at = bisect_left(piece, point)
        if at < len(piece):
            return self._owners[number][at]
        return next(self._walk_pieces(number + 1))

    def walk(self, point: int) -> Iterator[_T]:
        """The owners of all points from `point` on, once around; owners come again and again."""
        number = point >> _SHIFT
        at = bisect_left(self._points[number], point)
        yield from self._owners[number][at:]
        yield from self._walk_pieces(number + 1)

    def _walk_pieces(self, first: int) -> Iterator[_T]:
        for number in range(first, first + len(self._owners)):
            yield from self._owners[number % len(self._owners)]
