"""A key-value store: what clients of redis and memcached expect of a server, as a service."""

# ruff: noqa: D102 - the contract documents what the implementation does

from __future__ import annotations

import datetime as dt
import fnmatch
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Protocol

from gateway.contracts import I64, ServiceError, method, service

__all__ = ["DemoStore", "Entry", "NoNumber", "NotStored", "Store"]


@dataclass(slots=True)
class Entry:
    """What is stored under a key.

    Attributes:
        version: Another one after each change, never the same twice.
        flags: What a client keeps beside the value, 0 to 4294967295.
    """

    value: bytes
    version: I64
    flags: I64 = 0


class NotStored(ServiceError):
    """There is nothing under this key."""


class NoNumber(ServiceError):
    """What is stored is no 64-bit integer, or would not be one afterwards."""


@service("demo.Store")
class Store(Protocol):
    """Values by key, which may expire. A time to live of null is for ever; one not above zero is over at once."""

    @method(idempotent=True)
    async def get(self, key: str) -> bytes | None:
        """The value, null when there is none."""
        ...

    @method(idempotent=True)
    async def entry(self, key: str) -> Entry | None:
        """The value with its version and flags, null when there is none."""
        ...

    @method(idempotent=True)
    async def set(self, key: str, value: bytes, ttl: dt.timedelta | None = None, flags: I64 = 0) -> None:
        """Stores a value, whatever was there."""
        ...

    async def add(self, key: str, value: bytes, ttl: dt.timedelta | None = None, flags: I64 = 0) -> bool:
        """Stores a value where there is none; says whether it did."""
        ...

    @method(idempotent=True)
    async def replace(self, key: str, value: bytes, ttl: dt.timedelta | None = None, flags: I64 = 0) -> bool:
        """Stores a value where there is one; says whether it did."""
        ...

    async def swap(
        self, key: str, value: bytes, version: I64, ttl: dt.timedelta | None = None, flags: I64 = 0
    ) -> bool | None:
        """Stores a value where the version is still the same; says whether it did, null when there is none."""
        ...

    async def exchange(self, key: str, value: bytes) -> bytes | None:
        """Stores a value for ever and gives the one that was there, null when there was none."""
        ...

    async def take(self, key: str) -> bytes | None:
        """Removes a value and gives it, null when there was none."""
        ...

    async def append(self, key: str, value: bytes) -> I64 | None:
        """Puts bytes behind those that are there and gives their new number; null when there are none."""
        ...

    async def prepend(self, key: str, value: bytes) -> I64 | None:
        """Puts bytes before those that are there and gives their new number; null when there are none."""
        ...

    async def delete(self, key: str) -> bool:
        """Removes a value; says whether there was one."""
        ...

    @method(throws=(NoNumber,))
    async def increment(self, key: str, delta: I64 = 1) -> I64 | None:
        """Adds to the number that is stored as digits; gives the sum, null when there is none."""
        ...

    @method(throws=(NoNumber,))
    async def count(
        self, key: str, delta: I64 = 1, initial: I64 | None = None, ttl: dt.timedelta | None = None
    ) -> I64 | None:
        """As `increment`, for numbers that are not below 0: a sum that would be is 0.

        Where there is none, `initial` is stored instead, for `ttl`, and is what it gives.
        """
        ...

    @method(idempotent=True)
    async def expire(self, key: str, ttl: dt.timedelta | None) -> bool:
        """Sets the time to live; says whether there was a value."""
        ...

    @method(throws=(NotStored,), idempotent=True)
    async def ttl(self, key: str) -> dt.timedelta | None:
        """The time to live, null for ever."""
        ...

    @method(idempotent=True)
    async def keys(self, pattern: str = "*") -> list[str]:
        """The keys that a glob matches, in order."""
        ...

    @method(idempotent=True)
    async def clear(self) -> None:
        """Removes everything."""
        ...


@dataclass(slots=True)
class _Stored:
    value: bytes
    version: int
    flags: int
    expires: float | None


_LOW, _HIGH = -(2**63), 2**63 - 1


class DemoStore(Store):
    """The store in memory, for at most `max_keys` keys: beyond them, the one stored first goes.

    `clock`: monotonic seconds.
    """

    def __init__(self, max_keys: int = 100_000, clock: Callable[[], float] = monotonic) -> None:
        self._max_keys = max_keys
        self._clock = clock
        self._stored: dict[str, _Stored] = {}
        self._versions = itertools.count(1)

    async def get(self, key: str) -> bytes | None:
        found = self._find(key)
        return None if found is None else found.value

    async def entry(self, key: str) -> Entry | None:
        found = self._find(key)
        return None if found is None else Entry(found.value, found.version, found.flags)

    async def set(self, key: str, value: bytes, ttl: dt.timedelta | None = None, flags: I64 = 0) -> None:
        self._store(key, value, ttl, flags)

    async def add(self, key: str, value: bytes, ttl: dt.timedelta | None = None, flags: I64 = 0) -> bool:
        if self._find(key) is not None:
            return False
        self._store(key, value, ttl, flags)
        return True

    async def replace(self, key: str, value: bytes, ttl: dt.timedelta | None = None, flags: I64 = 0) -> bool:
        if self._find(key) is None:
            return False
        self._store(key, value, ttl, flags)
        return True

    async def swap(
        self, key: str, value: bytes, version: I64, ttl: dt.timedelta | None = None, flags: I64 = 0
    ) -> bool | None:
        found = self._find(key)
        if found is None:
            return None
        if found.version != version:
            return False
        self._store(key, value, ttl, flags)
        return True

    async def exchange(self, key: str, value: bytes) -> bytes | None:
        found = self._find(key)
        self._store(key, value, None, 0)
        return None if found is None else found.value

    async def take(self, key: str) -> bytes | None:
        found = self._find(key)
        self._stored.pop(key, None)
        return None if found is None else found.value

    async def append(self, key: str, value: bytes) -> I64 | None:
        found = self._find(key)
        return None if found is None else self._change(key, found, found.value + value)

    async def prepend(self, key: str, value: bytes) -> I64 | None:
        found = self._find(key)
        return None if found is None else self._change(key, found, value + found.value)

    async def delete(self, key: str) -> bool:
        return self._find(key) is not None and self._stored.pop(key, None) is not None

    async def increment(self, key: str, delta: I64 = 1) -> I64 | None:
        return self._add(key, delta)

    async def count(
        self, key: str, delta: I64 = 1, initial: I64 | None = None, ttl: dt.timedelta | None = None
    ) -> I64 | None:
        total = self._add(key, delta, stops_at_zero=True)
        if total is None and initial is not None:
            self._store(key, b"%d" % initial, ttl, 0)
            return initial
        return total

    async def expire(self, key: str, ttl: dt.timedelta | None) -> bool:
        found = self._find(key)
        if found is None:
            return False
        self._stored[key] = replace(found, expires=self._expiry(ttl))
        return True

    async def ttl(self, key: str) -> dt.timedelta | None:
        found = self._find(key)
        if found is None:
            raise NotStored(f"nothing is stored under {key!r}")
        return None if found.expires is None else dt.timedelta(seconds=max(0.0, found.expires - self._clock()))

    async def keys(self, pattern: str = "*") -> list[str]:
        return sorted(
            key for key in tuple(self._stored) if self._find(key) is not None and fnmatch.fnmatchcase(key, pattern)
        )

    async def clear(self) -> None:
        self._stored.clear()

    def _find(self, key: str) -> _Stored | None:
        found = self._stored.get(key)
        if found is not None and found.expires is not None and found.expires <= self._clock():
            del self._stored[key]
            return None
        return found

    def _add(self, key: str, delta: int, *, stops_at_zero: bool = False) -> int | None:
        found = self._find(key)
        if found is None:
            return None
        text = found.value
        if not text.removeprefix(b"-").isdigit() or len(text) > 20:
            raise NoNumber(f"what is stored under {key!r} is no integer")
        total = max(0, int(text) + delta) if stops_at_zero else int(text) + delta
        if not _LOW <= total <= _HIGH:
            raise NoNumber(f"{total} is beyond 64 bits")
        self._change(key, found, b"%d" % total)
        return total

    def _store(self, key: str, value: bytes, ttl: dt.timedelta | None, flags: int) -> None:
        # What was stored anew counts as young.
        self._stored.pop(key, None)
        if len(self._stored) >= self._max_keys:
            del self._stored[next(iter(self._stored))]
        self._stored[key] = _Stored(value, next(self._versions), flags, self._expiry(ttl))

    def _change(self, key: str, found: _Stored, value: bytes) -> int:
        self._stored[key] = replace(found, value=value, version=next(self._versions))
        return len(value)

    def _expiry(self, ttl: dt.timedelta | None) -> float | None:
        return None if ttl is None else self._clock() + ttl.total_seconds()
