"""Reads many hashes at once, with bounds: anybody who can write to the server chooses how large they are."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from redis.exceptions import NoPermissionError, ResponseError

from gateway.telemetry.logs import shorten
from registry.redis.layout import decode
from registry.redis.link import Link
from registry.slice import Slice

__all__ = ["MAX_FIELDS", "read_hashes"]

_LOG: Final = logging.getLogger("polyport.registry")
MAX_FIELDS: Final = 10_000
"""Of one hash; what goes beyond that is not read."""
_PAGE: Final = 1_000


async def read_hashes(link: Link, keys: Sequence[str], pace: Slice) -> dict[str, Mapping[str, str]]:
    """The fields and values of each hash, as text. What is no hash is empty, and what we may not read is left out, with
    a line in the log.

    Raises:
        RedisError: the server cannot be asked.
    """
    found: dict[str, Mapping[str, str]] = {key: {} for key in keys}
    sizes = dict(zip(keys, await link.execute([("HLEN", key) for key in keys]), strict=True))
    whole = []
    for key, size in sizes.items():
        if isinstance(size, ResponseError):
            _LOG.warning("registry: %s is not read: %s", shorten(key), shorten(str(size)))
            if isinstance(size, NoPermissionError):
                del found[key]
        elif isinstance(size, Exception):
            raise size
        elif size > MAX_FIELDS:
            _LOG.warning("registry: %s has %d fields; %d are read", shorten(key), size, MAX_FIELDS)
            found[key] = await _first(link, key, pace)
        elif size:
            whole.append(key)
    if whole:
        for key, answer in zip(whole, await link.execute([("HGETALL", key) for key in whole]), strict=True):
            if isinstance(answer, Exception):
                raise answer
            found[key] = await _text(answer, pace)
    return found


async def _first(link: Link, key: str, pace: Slice) -> Mapping[str, str]:
    found: dict[str, str] = {}
    cursor: int = 0
    while True:
        cursor, page = await link.client.hscan(key, cursor, count=_PAGE)
        found.update(await _text(page, pace))
        if not cursor or len(found) >= MAX_FIELDS:
            return dict(list(found.items())[:MAX_FIELDS])


async def _text(answer: Mapping[Any, Any], pace: Slice) -> Mapping[str, str]:
    await pace.breathe()
    return {decode(field): decode(value) for field, value in answer.items()}
