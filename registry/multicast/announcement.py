"""The URLs that we announce over multicast, and what others of us see in them that Java does not look at."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint
from gateway.model.errors import RegistryError
from registry.entries import provider_url
from registry.multicast.packet import JAVA_BUFFER, Verb, encode_packet

__all__ = ["announced_consumer", "announced_provider", "lease_s", "plain", "stamp"]

_PREFIX: Final = "polyport."
_SESSION: Final = f"{_PREFIX}session"
"""Milliseconds. Who says so announces again every half of it, so silence means that it is gone."""
_REVISION: Final = f"{_PREFIX}revision"
"""Grows with every announcement that replaces another one, whatever the parameter `timestamp` says: that is when the
provider started, and so stays while its weight changes."""
_OURS: Final = re.compile(r"(?<=[?&])polyport\.(?:session|revision)=[^&]*&?", re.ASCII)
_SPARE: Final = ("methods", "pid", "release", "timestamp")
"""What nobody needs for a call, the most dispensable first. Without the last one nobody sees that it is young."""
_LONGEST_LEASE_S: Final = 3_600.0
_SHORTEST_LEASE_S: Final = 1.0
_MAX_DIGITS: Final = 18


def announced_provider(endpoint: Endpoint, session_s: float, revision: int) -> str:
    """The URL of a provider of ours, always the same text for the same arguments.

    Raises:
        RegistryError: it is longer than what Java reads of a packet, even without what can be spared.
    """
    marked = {**endpoint.parameters, **_marks(session_s, revision)}
    return _fitting(
        marked,
        lambda parameters: provider_url(replace(endpoint, parameters=parameters)),
        f"provider of {endpoint.service}",
    )


def announced_consumer(consumer: Consumer, session_s: float, revision: int) -> str:
    """As `announced_provider`."""
    marked = {**consumer.parameters, **_marks(session_s, revision)}
    return _fitting(
        marked, lambda parameters: replace(consumer, parameters=parameters).url, f"consumer of {consumer.service}"
    )


def lease_s(url: str) -> float | None:
    """Seconds between two announcements, doubled, of one that says so; None for others, which never repeat."""
    millis = _number(url, _SESSION)
    return None if millis is None else min(max(millis / 1000, _SHORTEST_LEASE_S), _LONGEST_LEASE_S)


def stamp(url: str) -> int:
    """Which of two announcements of one provider is the later one: the greater. 0 where it does not say."""
    return _number(url, _REVISION) or _number(url, "timestamp") or 0


def plain(url: str) -> str:
    """The URL without what is said to other registries only."""
    return _OURS.sub("", url) if _PREFIX in url else url


def _marks(session_s: float, revision: int) -> dict[str, str]:
    return {_SESSION: str(round(session_s * 1000)), _REVISION: str(revision)}


def _fitting(parameters: Mapping[str, str], url_of: Callable[[Mapping[str, str]], str], what: str) -> str:
    for count in range(len(_SPARE) + 1):
        url = url_of({key: value for key, value in parameters.items() if key not in _SPARE[:count]})
        # Of the two packets it will be in, the longer one.
        length = len(encode_packet(Verb.UNREGISTER, url))
        if length <= JAVA_BUFFER:
            return url
    raise RegistryError(
        f"the URL of the {what} makes a packet of {length} bytes; Java reads {JAVA_BUFFER} of one, so it "
        "needs fewer parameters, or another registry"
    )


def _number(url: str, key: str) -> int | None:
    # Not by reading all parameters: that takes longer than everything else.
    found = re.search(rf"[?&]{re.escape(key)}=([0-9]{{1,{_MAX_DIGITS}}})(?:&|$)", url)
    return None if found is None else int(found[1])
