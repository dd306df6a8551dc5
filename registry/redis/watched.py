"""One interface that is watched: what its hashes hold, for all groups and versions of it that somebody asked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from gateway.model.endpoint import ServiceKey, masked
from gateway.telemetry.logs import shorten
from gateway.telemetry.once_per import OncePer
from registry.entries import CONFIGURATORS, MAX_ENTRY, PROVIDERS, ROUTERS, read_rules
from registry.feed import Feed
from registry.redis.lease import LeaseTable
from registry.redis.presence import Presence
from registry.slice import Slice

__all__ = ["WATCHED_CATEGORIES", "Watched"]

_LOG: Final = logging.getLogger("polyport.registry")
_SAME_SKIP_S: Final = 60.0
WATCHED_CATEGORIES: Final = (PROVIDERS, ROUTERS, CONFIGURATORS)


class Watched:
    """Belongs to one event loop. `session_ms`: as for `LeaseTable`.

    Attributes:
        feeds: By service.
        timer: When it is to be looked at again.
    """

    def __init__(self, interface: str, session_ms: int) -> None:
        self.interface: Final = interface
        self.feeds: Final[dict[ServiceKey, Feed]] = {}
        self.timer: asyncio.TimerHandle | None = None
        self._skips = OncePer(_SAME_SKIP_S)
        self._providers = Presence(session_ms)
        self._rules: Mapping[str, LeaseTable] = {
            category: LeaseTable(session_ms) for category in (ROUTERS, CONFIGURATORS)
        }

    def heard(self, category: str, *, unregistered: bool, now_ms: int) -> None:
        """Somebody wrote, or took back, an entry of a category."""
        if unregistered:
            if category == PROVIDERS:
                self._providers.unregistered(now_ms)
        elif category == PROVIDERS:
            self._providers.leases.announced()
        elif category in self._rules:
            self._rules[category].announced()

    def lose(self) -> None:
        """There is no connection to the server any more."""
        self.stop_timer()
        for table in (self._providers.leases, *self._rules.values()):
            table.forget_looks()
        for feed in self.feeds.values():
            feed.lose()

    def stop_timer(self) -> None:
        """It is not looked at by itself any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    async def read(self, fields: Mapping[str, str], pace: Slice) -> None:
        """Reads what is new among the fields of the providers; takes its time."""
        for field in fields:
            if not self._providers.knows(field):
                reason = self._providers.read(field)
                if reason:
                    self._skipped(PROVIDERS, field, reason)
                await pace.breathe()

    def look(self, hashes: Mapping[str, Mapping[str, str]], now_ms: int) -> float:
        """Takes what the hashes hold now, after `read`, and tells the watchers. Gives when to look again."""
        withdrawn, malformed = self._providers.look(hashes[PROVIDERS], now_ms)
        skipped = [(PROVIDERS, each) for each in malformed]
        for category, table in self._rules.items():
            skipped += [(category, each) for each in table.look(hashes[category], now_ms)[1]]
        for category, field in skipped:
            self._skipped(category, field, "the time of its lease is no number")
        endpoints = self._providers.endpoints(now_ms)
        rules = {category: self._alive_rules(category, table, now_ms) for category, table in self._rules.items()}
        for service, feed in self.feeds.items():
            feed.publish(
                [each for each in endpoints if service.covers(each.service)],
                withdrawn=[each for each in withdrawn if service.covers(each[3])],
                routers=rules[ROUTERS],
                configurators=rules[CONFIGURATORS],
            )
        return min(
            self._providers.next_look_ms(now_ms), *(table.next_look_ms(now_ms) for table in self._rules.values())
        )

    def _alive_rules(self, category: str, table: LeaseTable, now_ms: int) -> list[str]:
        found, skipped = read_rules(sorted(table.alive(now_ms)))
        for each in skipped:
            self._skipped(category, each.entry, each.reason)
        return found

    def _skipped(self, category: str, field: str, reason: str) -> None:
        held_back = self._skips.admit(category)
        if held_back is not None:
            _LOG.warning(
                "registry: an entry of %s/%s is skipped (%d more since the last line): %s: %s",
                shorten(self.interface),
                category,
                held_back,
                shorten(reason),
                shorten(masked(field[:MAX_ENTRY])),
            )
