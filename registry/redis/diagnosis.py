"""Looks for what is wrong with a registry in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import islice
from typing import Any, Final

from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from gateway.spi.registry_ability import Finding
from gateway.telemetry.logs import shorten
from registry.entries import CATEGORIES
from registry.redis.clock import ServerClock
from registry.redis.hashes import read_hashes
from registry.redis.layout import Layout, decode, encode, is_lasting, parse_expiry
from registry.redis.link import TROUBLES, Link
from registry.slice import Slice

__all__ = ["diagnose"]

_MAX_KEYS: Final = 10_000
_KEYS_AT_ONCE: Final = 100
_SKEW_S: Final = 5.0
_PATIENCE: Final = 10
"""Answers that one look may take."""
_SHOWN: Final = 5
_OLDEST: Final = (3, 0)
"""Older ones are not tried; all commands used here exist since 2.8."""


async def diagnose(link: Link, layout: Layout, clock: ServerClock, timeout_s: float) -> list[Finding]:
    """Looks at one peer in turn, and ends the link. Raises nothing."""
    looks: list[Callable[[Link, Layout, ServerClock], Coroutine[Any, Any, list[Finding]]]] = [
        _version,
        _permissions,
        _clock,
        _memory,
        _keys,
    ]
    try:
        reachable = await _reachable(link, timeout_s)
        findings = [reachable]
        if not reachable.is_well:
            return findings
        for look in looks:
            try:
                async with asyncio.timeout(_PATIENCE * timeout_s):
                    findings += await look(link, layout, clock)
            except ResponseError as exc:
                findings.append(_of(link, look.__name__.strip("_"), False, shorten(str(exc)), "grant the command"))
            except TROUBLES as exc:
                what = shorten(str(exc) or type(exc).__name__)
                findings.append(_of(link, look.__name__.strip("_"), False, what, "look at the server and the network"))
                break
        return findings
    finally:
        await link.aclose()


def _of(link: Link, what: str, is_well: bool, detail: str, advice: str = "") -> Finding:
    return Finding(f"{what} of {link.peer}", is_well, detail, "" if is_well else advice)


async def _reachable(link: Link, timeout_s: float) -> Finding:
    what, advice = "address", "start the server, or correct `address`"
    try:
        async with asyncio.timeout(2 * timeout_s):
            await link.client.ping()
        return _of(link, what, True, "it answers")
    except NoPermissionError:
        return _of(link, what, True, "it answers (PING is not allowed)")
    except (AuthenticationError, ResponseError) as exc:
        advice = "correct user and password: `credential`, or in `address`"
        return _of(link, "access", False, shorten(str(exc)), advice)
    except TROUBLES as exc:
        return _of(link, what, False, shorten(str(exc) or type(exc).__name__), advice)


async def _version(link: Link, _: Layout, __: ServerClock) -> list[Finding]:
    info = await link.client.info("server")
    text = str(_one(info).get("redis_version", "unknown"))
    number = tuple(int(each) for each in islice(text.split("."), 2) if each.isdecimal())
    return [_of(link, "version", number >= _OLDEST, f"Redis {text}", "use a newer one")]


async def _permissions(link: Link, layout: Layout, _: ServerClock) -> list[Finding]:
    """Tries what the registry does; nothing of it is ever to be seen by others."""
    key = layout.key("polyport.diagnosis", "probe")
    tried: dict[str, Exception | None] = {}
    for name, command in (
        ("HSET", ("HSET", key, "probe", "0")),
        ("HDEL", ("HDEL", key, "probe")),
        ("HGETALL", ("HGETALL", key)),
        ("PUBLISH", ("PUBLISH", key, "probe")),
        ("TIME", ("TIME",)),
    ):
        (answer,) = await link.execute([command]) if name != "PUBLISH" else [await _publish(link, key)]
        tried[name] = answer if isinstance(answer, Exception) else None
    tried["SCAN"] = await _error(link.client.scan_iter(match=encode(layout.pattern_of_all()), count=1).__anext__())
    tried["PSUBSCRIBE"] = await _error(_subscribe(link, layout))
    refused = {name: error for name, error in tried.items() if error is not None}
    if not refused:
        return [_of(link, "permissions", True, ", ".join(tried))]
    detail = "; ".join(f"{name}: {shorten(str(error))}" for name, error in refused.items())
    rights = "+@hash +@pubsub +@read +time +info +scan"
    advice = f"ACL SETUSER … ~{layout.root}* &{layout.root}* {rights}; a replica takes no writes: name the master"
    return [_of(link, "permissions", False, detail, advice)]


async def _publish(link: Link, channel: str) -> Any:
    try:
        return await link.client.publish(channel, "probe")
    except ResponseError as exc:
        return exc


async def _subscribe(link: Link, layout: Layout) -> None:
    pubsub = link.client.pubsub()
    try:
        await pubsub.psubscribe(encode(layout.pattern("polyport.diagnosis")))
        await pubsub.get_message(timeout=1.0)
    finally:
        await pubsub.aclose()


async def _error(asked: Any) -> Exception | None:
    try:
        with suppress(StopAsyncIteration):
            await asked
    except ResponseError as exc:
        return exc
    return None


async def _clock(link: Link, _: Layout, clock: ServerClock) -> list[Finding]:
    await clock.measure(link.client)
    skew_s = clock.skew_s
    detail = f"our clock is {abs(skew_s):.1f} s {'ahead' if skew_s > 0 else 'behind'}"
    advice = (
        "set both clocks (NTP): Java providers and consumers with another time than each other do not see each other"
    )
    return [_of(link, "clock", abs(skew_s) < _SKEW_S, detail, advice)]


async def _memory(link: Link, _: Layout, __: ServerClock) -> list[Finding]:
    info = _one(await link.client.info("memory"))
    policy, limit = str(info.get("maxmemory_policy", "noeviction")), int(info.get("maxmemory", 0))
    # The others touch keys with a TTL only, and ours have none.
    is_well = not (limit and policy.startswith("allkeys"))
    detail = f"maxmemory {limit or 'unlimited'}, {policy}"
    return [
        _of(
            link,
            "eviction",
            is_well,
            detail,
            "maxmemory-policy noeviction: this one drops services when memory is short",
        )
    ]


async def _keys(link: Link, layout: Layout, clock: ServerClock) -> list[Finding]:
    """What stands below our root: hashes, and in them leases that have ended."""
    keys: list[str] = []
    async for key in link.client.scan_iter(match=encode(layout.pattern_of_all()), count=_KEYS_AT_ONCE):
        keys.append(decode(key))
        if len(keys) == _MAX_KEYS:
            break
    wrong: list[str] = []
    entries = dead = 0
    pace = Slice()
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        part = keys[start : start + _KEYS_AT_ONCE]
        types = await link.execute([("TYPE", each) for each in part])
        wrong += [f"{each} is a {decode(kind)}" for each, kind in zip(part, types, strict=True) if kind != b"hash"]
        hashes = [each for each, kind in zip(part, types, strict=True) if kind == b"hash" and _is_ours(layout, each)]
        for fields in (await read_hashes(link, hashes, pace)).values():
            entries += len(fields)
            dead += sum(1 for field, text in fields.items() if _has_ended(field, text, clock.now_ms))
            await pace.breathe()
    shown = "; ".join(shorten(each) for each in wrong[:_SHOWN])
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    detail = f"{shown}{more}" if wrong else f"{len(keys)} keys below {layout.root}, all of them hashes"
    advice = "remove them, or choose another `group` for the registry"
    left = f"{dead} of {entries} entries have a lease that has ended"
    return [
        _of(link, "keys", not wrong, detail, advice),
        _of(
            link,
            "leases",
            not dead,
            left,
            "their owners died or their clocks are late; a gateway that runs removes them",
        ),
    ]


def _is_ours(layout: Layout, key: str) -> bool:
    place = layout.split(key)
    return place is not None and place[1] in CATEGORIES


def _has_ended(field: str, text: str, now_ms: int) -> bool:
    expiry = parse_expiry(text)
    return expiry is not None and expiry < now_ms and not is_lasting(field)


def _one(info: Any) -> Any:
    """What one node says: a cluster may answer for several."""
    first = next(iter(info.values()), None)
    return first if isinstance(first, dict) and "redis_version" not in info and "maxmemory" not in info else info
