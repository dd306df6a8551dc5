"""Remembers what may be used once: the nonces of signed calls and of tokens."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from enum import Enum, auto

__all__ = ["Admission", "ReplayGuard"]


class Admission(Enum):
    """Whether a nonce may be used."""

    NEW = auto()
    KNOWN = auto()
    FULL = auto()
    """It may be new or not: no more are remembered."""


class ReplayGuard:
    """Remembers each nonce until its call would be refused for its age.

    `most`: nonces remembered; one more than that is refused rather than an old one forgotten. `lock`: where several
    threads ask.
    """

    def __init__(self, most: int = 1_000_000, lock: AbstractContextManager[object] | None = None) -> None:
        self._most = most
        self._lock = nullcontext() if lock is None else lock
        self._by_second: dict[int, set[bytes]] = {}
        self._count = 0
        self._swept = 0

    def __len__(self) -> int:
        return self._count

    def admit(self, nonce: bytes, until_ms: int, now_ms: int) -> Admission:
        """Whether the nonce is new; then it is remembered until `until_ms`."""
        with self._lock:
            # A clock that was set back sweeps as well: with one that was wrong by an hour nothing would be forgotten.
            if now_ms // 1000 != self._swept:
                self._sweep(now_ms // 1000)
            known = self._by_second.setdefault(until_ms // 1000, set())
            # The time is signed with the nonce: the same call always ends up in the same second.
            if nonce in known:
                return Admission.KNOWN
            if self._count >= self._most:
                return Admission.FULL
            known.add(nonce)
            self._count += 1
            return Admission.NEW

    def _sweep(self, second: int) -> None:
        self._swept = second
        for past in [each for each in self._by_second if each < second]:
            self._count -= len(self._by_second.pop(past))
