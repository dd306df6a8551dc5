"""Names and values of Dubbo's layout in Redis.

A hash `/dubbo/<interface>/<category>`: field = the URL, value = when its lease ends, in milliseconds since 1970, as
decimal text. The key is also the channel on which `register` and `unregister` are said. No entry has a Redis TTL.
Source: apache/dubbo (2.7): dubbo-registry/dubbo-registry-redis/.../RedisRegistry.java; the same in
apache/dubbo-spi-extensions: dubbo-registry-extensions/dubbo-registry-redis.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "DEFAULT_GROUP",
    "REGISTER",
    "UNREGISTER",
    "Layout",
    "decode",
    "encode",
    "is_lasting",
    "parse_expiry",
    "parse_group",
]

DEFAULT_GROUP: Final = "dubbo"
REGISTER: Final = b"register"
UNREGISTER: Final = b"unregister"
_SPECIAL: Final = re.compile(r"([*?\[\]\\])")
"""What means something in the patterns of SCAN and PSUBSCRIBE (redis/redis: src/util.c, stringmatchlen)."""
_DYNAMIC: Final = re.compile(r"[?&]dynamic=([^&#]*)")
_MAX_DIGITS: Final = 18


class Layout:
    """The keys below one root. `group`: the first part of all of them."""

    def __init__(self, group: str = DEFAULT_GROUP) -> None:
        self.root: Final = f"/{group.strip('/')}/"

    def key(self, interface: str, category: str) -> str:
        """The key, and channel, of one category of a service."""
        return f"{self.root}{interface}/{category}"

    def pattern(self, interface: str) -> str:
        """What all channels of a service match."""
        return f"{_escape(self.root)}{_escape(interface)}/*"

    def pattern_of_all(self, category: str = "") -> str:
        """What all keys match, or all of one category."""
        return f"{_escape(self.root)}*" + (f"/{category}" if category else "")

    def split(self, key: str) -> tuple[str, str] | None:
        """Interface and category of a key; None where it is none of ours."""
        if not key.startswith(self.root):
            return None
        interface, _, category = key[len(self.root) :].rpartition("/")
        return (interface, category) if interface and category else None


def parse_group(text: str) -> str:
    """A group as somebody wrote it. Raises ValueError for what can be no part of a key."""
    if not text.strip("/") or not text.isprintable():
        raise ValueError("the group is the first part of the keys, as in /dubbo/…")
    return text


def is_lasting(url: str) -> bool:
    """Whether an entry stays until it is taken back, whatever its value says (`dynamic=false`)."""
    found = _DYNAMIC.search(url)
    # Everything but "true" is false to java.lang.Boolean.parseBoolean; an empty value is the default.
    return found is not None and found[1] != "" and found[1].lower() != "true"


def parse_expiry(text: str) -> int | None:
    """Milliseconds since 1970; None for what is no such number."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else None


def decode(data: bytes) -> str:
    """Text of the server; what is no UTF-8 stays in it as something that cannot be printed, so no reader takes it."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The opposite of `decode`."""
    return text.encode("utf-8", "surrogateescape")


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
