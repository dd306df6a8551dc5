"""The requests of redis and memcached that are sent, written by hand, and the replies they must get.

Source: https://redis.io/docs/latest/develop/reference/protocol-spec/ and memcached/memcached: doc/protocol.txt.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.cases import Payload
from bench.request import Request, WrongReply

__all__ = ["KEY_PREFIX", "build_text_request", "stored_text"]

KEY_PREFIX = "bench:"
"""Of keys; behind it stands how many characters are stored under them."""

_METHOD = b"bench.Echo.echo"
_TEXT = "The quick brown fox jumps over the lazy dog, and the gateway answers. "


def stored_text(size: int) -> bytes:
    """What is stored under the key for this size."""
    return (_TEXT * (size // len(_TEXT) + 1))[:size].encode()


def build_text_request(payload: Payload, size: int) -> Request:
    """The request for the text of this size."""
    text, key = stored_text(size), f"{KEY_PREFIX}{size}".encode()
    if payload is Payload.MEMCACHED_GET:
        frame, reply = b"get %b\r\n" % key, b"VALUE %b 0 %d\r\n%b\r\nEND\r\n" % (key, len(text), text)
    else:
        command = (b"GET", key) if payload is Payload.REDIS_GET else (_METHOD, text)
        frame, reply = b"*%d\r\n%b" % (len(command), b"".join(map(_bulk, command))), _bulk(text)
    return Request(frame, payload, _check(reply), reply)


def _bulk(text: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(text), text)


def _check(expected: bytes) -> Callable[[bytes], None]:
    def check(reply: bytes) -> None:
        if reply != expected:
            raise WrongReply(f"expected {expected[:60]!r}, found {reply[:300]!r}")

    return check
