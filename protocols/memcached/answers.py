"""Answers of calls that nobody has fetched yet: few, small, and not for long."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

__all__ = ["Answers", "Kept"]


class Kept(NamedTuple):
    """An answer as `get` gives it. `trouble`: the line it is instead of a value, or empty. `expires`: monotonic."""

    flags: int
    data: bytes
    trouble: bytes
    expires: float


class Answers:
    """Those of one listener, by who may fetch them. When there are too many, or too large ones, the oldest go.

    `max_count`, `max_bytes`: of all of them. `lifetime_s`: how long one waits.
    """

    __slots__ = ("_bytes", "_kept", "_lifetime_s", "_max_bytes", "_max_count")

    def __init__(self, max_count: int, max_bytes: int, lifetime_s: float) -> None:
        self._max_count: Final = max_count
        self._max_bytes: Final = max_bytes
        self._lifetime_s: Final = lifetime_s
        self._kept: OrderedDict[tuple[str, bytes], Kept] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, owner: str, key: bytes, flags: int, data: bytes, trouble: bytes, now: float) -> None:
        """Keeps an answer; one that was kept under the same key goes."""
        self.expire(now)
        self._drop((owner, key))
        self._kept[(owner, key)] = Kept(flags, data, trouble, now + self._lifetime_s)
        self._bytes += len(data) + len(trouble)
        while len(self._kept) > self._max_count or self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def take(self, owner: str, key: bytes, now: float) -> Kept | None:
        """Gives an answer out, once; None where there is none, or not any more."""
        self.expire(now)
        found = self._kept.get((owner, key))
        self._drop((owner, key))
        return found

    def expire(self, now: float) -> None:
        """Forgets those whose time is over."""
        while self._kept:
            first = next(iter(self._kept))
            if self._kept[first].expires > now:
                break
            self._drop(first)

    def _drop(self, name: tuple[str, bytes]) -> None:
        gone = self._kept.pop(name, None)
        if gone is not None:
            self._bytes -= len(gone.data) + len(gone.trouble)
