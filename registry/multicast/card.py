"""The network cards of this machine, and which of them a group is joined on."""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Card", "choose", "system_cards"]

_IF_INET6: Final = Path("/proc/thread-self/net/if_inet6")
"""Of the thread that asks, as sockets are: it may be in another network than the process."""
# Source: linux, include/uapi/linux/sockios.h and if.h.
_GET_FLAGS: Final = 0x8913
_GET_ADDRESS: Final = 0x8915
_UP: Final = 0x1
# Whether another machine has it is being found out, or was. Source: linux, include/uapi/linux/if_addr.h.
_NOT_USABLE: Final = 0x40 | 0x08


@dataclass(frozen=True, slots=True)
class Card:
    """One address of one card. `index`: the system's number of it; 0 leaves the choice to the system."""

    name: str
    index: int
    address: str

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine is behind it."""
        return ipaddress.ip_address(self.address.partition("%")[0]).is_loopback

    def __str__(self) -> str:
        return f"{self.address} ({self.name})" if self.name else self.address


def system_cards(version: int) -> list[Card]:
    """Cards that are up, one address each. `version`: 4 or 6. Empty where it is not Linux, which tells."""
    if not sys.platform.startswith("linux"):
        return []
    return _ipv4_cards() if version == 4 else _ipv6_cards()


def choose(version: int, named: Sequence[str], present: Sequence[Card]) -> list[Card]:
    """The cards to use: the `named` addresses, or all of `present`, the loopback only where there is no other.

    Raises:
        ValueError: no card has a named address; the text says which.
    """
    if named:
        return [_named(version, address, present) for address in named]
    outside = [each for each in present if not each.is_loopback]
    if outside or present:
        return outside or list(present)
    return [Card("", 0, "0.0.0.0" if version == 4 else "::")]


def _named(version: int, address: str, present: Sequence[Card]) -> Card:
    for card in present:
        if card.address == address:
            return card
    if version == 4:
        # A second address of a card is not among them; the system knows it all the same.
        return Card("", 0, address)
    _, _, scope = address.partition("%")
    with suppress(OSError):
        if scope:
            return Card(scope, socket.if_nametoindex(scope), address)
    raise ValueError(f"no network card has the address {address}")


def _ipv4_cards() -> list[Card]:
    import fcntl

    cards = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for index, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            with suppress(OSError):  # It has no address, or went away.
                (flags,) = struct.unpack_from("@H", fcntl.ioctl(asking, _GET_FLAGS, request), 16)
                address = socket.inet_ntoa(fcntl.ioctl(asking, _GET_ADDRESS, request)[20:24])
                if flags & _UP:
                    cards.append(Card(name, index, address))
    return cards


def _ipv6_cards() -> list[Card]:
    """One address of each card, one that others can reach from further away before one of the link alone."""
    try:
        lines = _IF_INET6.read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    best: dict[int, Card] = {}
    for line in lines:
        digits, index_text, _, _, flags, name = line.split()
        if int(flags, 16) & _NOT_USABLE:
            continue
        index, address = int(index_text, 16), ipaddress.IPv6Address(int(digits, 16))
        if address.is_link_local:
            best.setdefault(index, Card(name, index, f"{address}%{name}"))
        elif index not in best or "%" in best[index].address:
            best[index] = Card(name, index, str(address))
    return [best[index] for index in sorted(best)]
