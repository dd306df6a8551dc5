"""Commands of memcached that a method can be. How they are sent is a matter of the client."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gateway.model.contract import ServiceContract
from protocols.data.encoding import EncodingOptions, Values, values_of
from protocols.data.transcoder import Transcoder
from protocols.data.verb import Answer, Role, Verb

__all__ = ["MEMCACHED_VERBS", "expiration", "memcached_values"]

_KEY: Final = (("key", Role.KEY),)
_TTL: Final = ("ttl", Role.TTL)
_STORE: Final = (*_KEY, ("value", Role.VALUE), _TTL)
_JOIN: Final = (*_KEY, ("value", Role.VALUE))
_COUNT: Final = (*_KEY, ("delta", Role.DELTA))
_RELATIVE_S: Final = 2_592_000
"""What is more seconds than 30 days is a time of day for memcached (doc/protocol.txt, "Expiration times")."""

MEMCACHED_VERBS: Final[Mapping[str, Verb]] = MappingProxyType(
    {
        "get": Verb(_KEY, Answer.VALUE, misses=True),
        "gets": Verb(_KEY, Answer.ENTRY, misses=True),
        "gat": Verb((*_KEY, _TTL), Answer.VALUE, 2, misses=True),
        "mget": Verb((("keys", Role.KEYS),), Answer.VALUES, misses=True),
        "set": Verb(_STORE, Answer.DONE, 2, expires=True),
        "add": Verb(_STORE, Answer.DONE, 2, expires=True),
        "replace": Verb(_STORE, Answer.DONE, 2, expires=True),
        "cas": Verb((*_JOIN, ("version", Role.VERSION), _TTL), Answer.DONE, 3, expires=True),
        "append": Verb(_JOIN, Answer.DONE, 2),
        "prepend": Verb(_JOIN, Answer.DONE, 2),
        "delete": Verb(_KEY, Answer.DONE),
        "touch": Verb((*_KEY, _TTL), Answer.DONE, 2),
        "incr": Verb(_COUNT, Answer.NUMBER, misses=True),
        "decr": Verb(_COUNT, Answer.NUMBER, misses=True),
    }
)


def memcached_values(contract: ServiceContract, options: EncodingOptions) -> Values:
    """The encoding by its name, as memcached has it."""
    return Transcoder(contract, options) if options.name == "java" else values_of(contract, options)


def expiration(ttl_ms: int | None, now: float) -> int:
    """The number that says when something expires; 0 for never. `now`: seconds since 1970.

    Whole seconds, rounded up: what is stored for half a second is not gone at once.
    """
    if ttl_ms is None:
        return 0
    seconds = -(-ttl_ms // 1_000)
    return seconds if seconds <= _RELATIVE_S else int(now) + seconds
