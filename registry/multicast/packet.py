"""The packets of Dubbo's multicast registry: one line of text each, a verb and a URL.

Source: apache/dubbo: dubbo-registry/dubbo-registry-multicast/.../MulticastRegistry.java (branches 2.7 and 3.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

__all__ = ["JAVA_BUFFER", "MAX_PACKET", "Packet", "Verb", "decode_packet", "encode_packet"]

JAVA_BUFFER: Final = 2_048
"""Bytes of a packet that Java reads; it loses the rest without a word."""
MAX_PACKET: Final = 65_507
"""Bytes that UDP carries over IPv4 in one packet (RFC 768, RFC 791)."""
_BLANK: Final = "".join(map(chr, range(33)))
"""What Java's `String.trim` takes away."""


class Verb(Enum):
    """What a packet says of its URL."""

    REGISTER = "register"
    UNREGISTER = "unregister"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"


_VERBS: Final = {each.value: each for each in Verb}


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. `url`: of a provider or consumer, as text that nobody has looked at."""

    verb: Verb
    url: str


def encode_packet(verb: Verb, url: str) -> bytes:
    """The bytes of a packet."""
    return f"{verb.value} {url}\n".encode()


def decode_packet(data: bytes) -> Packet:
    """Reads a packet as Java does: its first line, without what is blank around it.

    Raises:
        ValueError: it is none of the four; the text says why.
    """
    if len(data) > MAX_PACKET:
        raise ValueError(f"it has {len(data)} bytes; {MAX_PACKET} are read")
    try:
        text = data.decode()
    except UnicodeDecodeError as exc:
        raise ValueError(f"it is not UTF-8 at byte {exc.start}") from None
    line = text.strip(_BLANK).partition("\n")[0].strip(_BLANK)
    word, _, url = line.partition(" ")
    verb = _VERBS.get(word)
    if verb is None:
        raise ValueError("it begins with no verb of this registry")
    url = url.strip(_BLANK)
    if not url:
        raise ValueError(f"it says {word} and no URL")
    return Packet(verb, url)
