"""Which fields of a hash are alive, seen from outside: the server has no leases, only numbers that others write.

The value of a field is the time at which its lease ends, by the clock of whoever wrote it, who writes a later one
before that. Nobody is told of this, so a hash is looked at again when the first lease in it ends. Our clock plays no
part (`ServerClock`). Clocks of others do, and this is what is done about them:

- A lease that ends in the future holds until then.
- A value that lies in the past when it changes between two looks, or that is new since the last look, was written just
  now by a clock that is late. Its field is alive for one session of ours from that look on, and so on while it changes.
  At the first look there is nothing to compare with: such a field appears with its next refresh.
- A clock that is ahead keeps its dead provider alive as much longer. Nothing tells it from a longer session.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from registry.redis.layout import is_lasting, parse_expiry

__all__ = ["FOREVER", "Lease", "LeaseTable"]

FOREVER: Final = math.inf
_SOONEST_MS: Final = 50


class Lease(NamedTuple):
    """One field. `value`: as it stands there; 0 where it plays no part. `until`: to when it is alive, by the clock of
    the server, in milliseconds; `FOREVER` for fields with `dynamic=false`."""

    value: int
    until: float

    def is_alive(self, now_ms: int) -> bool:
        """As in Dubbo, the last millisecond counts."""
        return self.until >= now_ms


class LeaseTable:
    """The fields of one hash. `session_ms`: how long a field is alive whose value says nothing useful."""

    def __init__(self, session_ms: int) -> None:
        self._session_ms = session_ms
        self._looked_ms: int | None = None
        self._announced = False
        self.fields: Mapping[str, Lease] = {}

    def forget_looks(self) -> None:
        """What was seen before is no measure for what is seen next: it may be another server."""
        self._looked_ms = None
        self._announced = False

    def announced(self) -> None:
        """Somebody said just now that there is something new."""
        self._announced = self._looked_ms is not None

    def look(self, values: Mapping[str, str], now_ms: int) -> tuple[Mapping[str, Lease], list[str]]:
        """Takes what the hash holds now. Gives the fields that are gone, as they were, and those with a value that is
        no time, which do not count."""
        is_recent = self._looked_ms is not None and now_ms - self._looked_ms <= self._session_ms
        found: dict[str, Lease] = {}
        malformed = []
        for field, text in values.items():
            value = parse_expiry(text)
            if is_lasting(field):
                found[field] = Lease(value or 0, FOREVER)
            elif value is None:
                malformed.append(field)
            else:
                found[field] = Lease(value, self._until(self.fields.get(field), value, now_ms, is_recent))
        gone = {field: lease for field, lease in self.fields.items() if field not in values}
        self.fields, self._looked_ms, self._announced = found, now_ms, False
        return gone, malformed

    def alive(self, now_ms: int) -> Iterable[str]:
        """The fields that count."""
        return (field for field, lease in self.fields.items() if lease.is_alive(now_ms))

    def next_look_ms(self, now_ms: int) -> float:
        """When the hash is to be looked at again, by the clock of the server; `FOREVER` when nothing of it ends."""
        return min((self._next(lease, now_ms) for lease in self.fields.values()), default=FOREVER)

    def _until(self, former: Lease | None, value: int, now_ms: int, is_recent: bool) -> float:
        if value >= now_ms:
            return value
        if former is None:
            return now_ms + self._session_ms if is_recent or self._announced else value
        if former.value != value and is_recent:
            return now_ms + self._session_ms
        return former.until

    def _next(self, lease: Lease, now_ms: int) -> float:
        if lease.is_alive(now_ms):
            return max(lease.until + 1, now_ms + _SOONEST_MS)
        # Dead, or written by a clock that is late: whether it changes shows at the pace at which it would be refreshed.
        return now_ms + self._session_ms / 2
