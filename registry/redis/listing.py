"""Reads the registry whole, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, masked
from gateway.spi.registry_ability import Listing, Skipped
from gateway.telemetry.logs import shorten
from registry.entries import CONSUMERS, PROVIDERS, read_consumers, read_providers
from registry.redis.clock import ServerClock
from registry.redis.hashes import read_hashes
from registry.redis.layout import Layout, decode, encode, is_lasting, parse_expiry
from registry.redis.link import Link
from registry.slice import Slice

__all__ = ["MAX_KEYS", "read_listing"]

MAX_KEYS: Final = 20_000
_KEYS_AT_ONCE: Final = 50
_PAGE: Final = 500


async def read_listing(link: Link, layout: Layout, clock: ServerClock) -> Listing:
    """Everything that is alive, and why the rest is not shown; at most `MAX_KEYS` keys.

    Raises:
        RedisError: the server cannot be asked.
    """
    keys: list[str] = []
    async for key in link.client.scan_iter(match=encode(layout.pattern_of_all()), count=_PAGE):
        place = layout.split(decode(key))
        if place is not None and place[1] in (PROVIDERS, CONSUMERS):
            keys.append(decode(key))
            if len(keys) == MAX_KEYS:
                break
    keys.sort()
    endpoints: list[Endpoint] = []
    consumers: list[Consumer] = []
    skipped: list[Skipped] = []
    pace = Slice()
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        hashes = await read_hashes(link, keys[start : start + _KEYS_AT_ONCE], pace)
        for key, fields in hashes.items():
            alive = _alive(fields, clock.now_ms, skipped)
            if key.endswith(f"/{PROVIDERS}"):
                found, wrong = read_providers(alive, None)
                endpoints += found
            else:
                callers, wrong = read_consumers(alive)
                consumers += callers
            skipped += wrong
            await pace.breathe()
    return Listing(endpoints, consumers, skipped)


def _alive(fields: Mapping[str, str], now_ms: int, skipped: list[Skipped]) -> list[str]:
    alive = []
    for field, text in sorted(fields.items()):
        expiry = parse_expiry(text)
        if is_lasting(field) or (expiry is not None and expiry >= now_ms):
            alive.append(field)
            continue
        reason = (
            "the time of its lease is no number"
            if expiry is None
            else f"its lease ended {(now_ms - expiry) / 1000:.0f} s ago"
        )
        skipped.append(Skipped(shorten(masked(field)), reason))
    return alive
