"""What one registry says of one service, and what to make of providers that it does not name any more.

A provider that withdrew is gone. One that vanished may be dead, or may only have lost the registry, as in a network
split; so it is kept for a while and tried last. When most of them vanish, it is the registry that is doubted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Final

from gateway.config.sections.protection import ProtectionConfig
from gateway.model.endpoint import Endpoint, Identity

__all__ = ["Guard"]

_NEVER: Final = ProtectionConfig(enabled=False)


class Guard:
    """`rules`: None keeps nobody. `clock`: seconds, monotonic."""

    __slots__ = ("_clock", "_missing", "_most", "_named", "_present", "_rules", "endpoints", "in_doubt")

    def __init__(self, rules: ProtectionConfig | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules or _NEVER
        self._clock = clock
        self._named: tuple[Endpoint, ...] = ()
        self._present: dict[Identity, Endpoint] = {}
        self._missing: dict[Identity, tuple[Endpoint, float]] = {}
        """With the time at which each vanished."""
        self._most = 0
        """How many were named at a time since nobody was missing; no more than that are kept."""
        self.endpoints: tuple[Endpoint, ...] = ()
        """Those that the registry names, and those that are kept."""
        self.in_doubt = False
        """So many are missing that the registry is doubted."""

    @property
    def missing(self) -> frozenset[Identity]:
        """Those that are kept although the registry does not name them."""
        return frozenset(self._missing)

    def take(self, endpoints: Sequence[Endpoint], withdrawn: Collection[Identity] = ()) -> None:
        """The registry names these now. `withdrawn`: those that went by their own word."""
        named = tuple(endpoints)
        if named == self._named and not withdrawn and not self._missing:
            # Said again, as when the registry is lost: what follows costs more, for thousands of services at once.
            return
        self._named = named
        before = self._present
        self._present = {each.identity: each for each in endpoints}
        if not self._rules.enabled:
            self.endpoints = named
            return
        now = self._clock()
        for identity in withdrawn:
            before.pop(identity, None)
            self._missing.pop(identity, None)
        for identity in self._present:
            self._missing.pop(identity, None)
        for identity, endpoint in before.items():
            if identity not in self._present:
                self._missing[identity] = (endpoint, now)
        self._most = max(self._most, len(self._present))
        self._settle(now)

    def expire(self) -> bool:
        """Lets those go whose time is over. True when somebody went, or the doubt has ended."""
        was_in_doubt, count = self.in_doubt, len(self._missing)
        self._settle(self._clock())
        return len(self._missing) != count or self.in_doubt != was_in_doubt

    def next_s(self) -> float | None:
        """Seconds until somebody's time is over; None when nobody is kept."""
        if not self._missing:
            return None
        oldest = min(since for _, since in self._missing.values())
        return max(0.0, oldest + self._kept_s() - self._clock())

    def _kept_s(self) -> float:
        return max(self._rules.grace, self._rules.linger) if self.in_doubt else self._rules.linger

    def _settle(self, now: float) -> None:
        known = len(self._present) + len(self._missing)
        # Of those that linger some may go below, which must not end the doubt that the others are in.
        self.in_doubt = bool(self._missing) and (not self._present or len(self._missing) > self._rules.share * known)
        ends = now - self._kept_s()
        self._missing = {key: kept for key, kept in self._missing.items() if kept[1] > ends}
        if len(self._missing) > self._most:
            # Whoever comes and goes under a new address each time must not fill the list.
            newest = sorted(self._missing.items(), key=lambda item: item[1][1])[-self._most :]
            self._missing = dict(newest)
        if not self._missing:
            self.in_doubt = False
            self._most = len(self._present)
        self.endpoints = (*self._present.values(), *(endpoint for endpoint, _ in self._missing.values()))
