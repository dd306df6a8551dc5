"""The sockets of a multicast group: one that hears, and one for each network card that speaks."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from gateway.model.endpoint import format_address
from gateway.model.errors import RegistryError
from registry.multicast.card import Card, choose, system_cards

__all__ = ["Address", "Group"]

_LOG: Final = logging.getLogger("polyport.registry")
_RECEIVE_BUFFER: Final = 1024 * 1024
"""Bytes. Everybody answers at the same time; what the system allows of it is what we get."""
_CLOSE_S: Final = 1.0
# Linux gives a socket all groups that anybody on the machine has joined unless told otherwise, and Python does not name
# these. Source: linux, include/uapi/linux/in.h and in6.h.
_IP_MULTICAST_ALL: Final = 49
_IPV6_MULTICAST_ALL: Final = 29
_ADVICE: Final = (
    "containers and many clouds carry no multicast; name a card that does under `interfaces`, "
    "or use another registry, or `addresses`"
)

Address = tuple[Any, ...]
"""Of a peer, as the socket module has it: host, port, and for IPv6 two more."""


class Group:
    """Life: construct, `open`, use, `aclose`. Belongs to one event loop.

    `host`, `port`: of the group. `interfaces`: addresses of cards, empty for all. `ttl`: how many routers a packet may
    pass, plus one. `received`: gets each packet and its sender, but for those that were sent here.
    """

    def __init__(
        self,
        host: str,
        port: int,
        interfaces: Sequence[str],
        ttl: int,
        received: Callable[[bytes, Address], None],
        echoed: Callable[[bytes, Card], None] = lambda _, __: None,
    ) -> None:
        self._host, self._port, self._interfaces, self._ttl = host, port, tuple(interfaces), ttl
        self._version = ipaddress.ip_address(host).version
        self._received = received
        self._echoed = echoed
        self._speaking: dict[Card, socket.socket] = {}
        self._own: dict[tuple[str, int], Card] = {}
        self._direct: socket.socket | None = None
        self._hearing: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()
        self._here: frozenset[str] = frozenset()
        self.refused: dict[str, str] = {}
        """Cards that could not be used at `open`, and why."""

    def __str__(self) -> str:
        return format_address(self._host, self._port)

    @property
    def cards(self) -> Sequence[Card]:
        """Those in use."""
        return tuple(self._speaking)

    def is_here(self, host: str) -> bool:
        """Whether it is an address of this machine."""
        return host in self._here or ipaddress.ip_address(host.partition("%")[0]).is_loopback

    async def open(self, greeting: bytes) -> None:
        """Joins, and sends `greeting` on each card, since some systems only then say that there is no way.

        Raises:
            RegistryError: a named card cannot be used, or none can, or the port; the text says what to do.
        """
        present = system_cards(self._version)
        self._here = frozenset(each.address for version in (4, 6) for each in system_cards(version))
        try:
            cards = choose(self._version, self._interfaces, present)
        except ValueError as exc:
            raise RegistryError(f"{exc}; correct `interfaces`") from None
        hearing = self._bind()
        try:
            self._join(hearing, cards, greeting)
            loop = asyncio.get_running_loop()
            self._closed = asyncio.Event()
            self._hearing, _ = await loop.create_datagram_endpoint(
                lambda: _Ear(self._heard, self._closed), sock=hearing
            )
        except BaseException:
            hearing.close()
            await self.aclose()
            raise

    def _bind(self) -> socket.socket:
        try:
            hearing = self._socket()
        except OSError as exc:
            raise RegistryError(f"this system has no IPv{self._version}: {exc.strerror}; {_ADVICE}") from exc
        try:
            # Several processes of one machine hear the same group.
            hearing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if hasattr(socket, "SO_REUSEPORT"):
                hearing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            with suppress(OSError):
                hearing.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            if sys.platform.startswith("linux"):
                with suppress(OSError):  # Older kernels lack that of IPv6.
                    option = _IP_MULTICAST_ALL if self._version == 4 else _IPV6_MULTICAST_ALL
                    hearing.setsockopt(self._level, option, 0)
            # Not to the group's address: answers to this host alone come here as well.
            hearing.bind(("", self._port))
        except OSError as exc:
            hearing.close()
            raise RegistryError(
                f"UDP port {self._port} cannot be shared: {exc.strerror}; a program holds it for itself: end it, or "
                "choose another port in `address`, for all members of the group"
            ) from exc
        return hearing

    def _join(self, hearing: socket.socket, cards: Sequence[Card], greeting: bytes) -> None:
        self.refused = {}
        for card in cards:
            try:
                self._join_on(hearing, card)
                speaking = self._speaking_on(card)
                self._speaking[card] = speaking
                self._own[speaking.getsockname()[:2]] = card
                speaking.sendto(greeting, self._group_on(card))
            except OSError as exc:
                with suppress(KeyError):
                    self._speaking.pop(card).close()
                self.refused[str(card)] = exc.strerror or str(exc)
        if self.refused and (self._interfaces or not self._speaking):
            reasons = ", ".join(f"on {card}: {reason}" for card, reason in self.refused.items())
            raise RegistryError(f"the multicast group {self} cannot be used {reasons}; {_ADVICE}")
        for each, reason in self.refused.items():
            _LOG.warning("the multicast group %s cannot be used on %s: %s", self, each, reason)
        direct = self._socket()
        # An answer goes no further than a question came from, so nobody makes us send to other networks.
        if self._version == 4:
            direct.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, max(1, self._ttl))
        else:
            direct.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, max(1, self._ttl))
        self._direct = direct

    def _join_on(self, hearing: socket.socket, card: Card) -> None:
        if self._version == 4:
            membership = socket.inet_aton(self._host) + socket.inet_aton(card.address)
            hearing.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        else:
            membership = socket.inet_pton(socket.AF_INET6, self._host) + struct.pack("@I", card.index)
            hearing.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)

    def _speaking_on(self, card: Card) -> socket.socket:
        """A socket of the card's own address, and a port by which our packets are known when they come back."""
        speaking = self._socket()
        try:
            if self._version == 4:
                speaking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(card.address))
                speaking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, self._ttl)
                speaking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
                speaking.bind((card.address, 0))
            else:
                speaking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, card.index)
                speaking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, self._ttl)
                speaking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 1)
                speaking.bind((card.address.partition("%")[0], 0, 0, card.index if "%" in card.address else 0))
        except BaseException:
            speaking.close()
            raise
        return speaking

    def _socket(self) -> socket.socket:
        made = socket.socket(socket.AF_INET if self._version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
        made.setblocking(False)
        if self._version == 6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        return made

    @property
    def _level(self) -> int:
        return socket.IPPROTO_IP if self._version == 4 else socket.IPPROTO_IPV6

    def _group_on(self, card: Card) -> Address:
        return (self._host, self._port) if self._version == 4 else (self._host, self._port, 0, card.index)

    def send(self, data: bytes) -> bool:
        """Sends to the group on every card; whether any of them took it. A full buffer takes it, and loses it."""
        taken = [self._send(speaking, data, self._group_on(card)) for card, speaking in self._speaking.items()]
        return any(taken)

    def answer(self, data: bytes, peer: Address) -> None:
        """Sends to the host of a peer alone, at the port of the group."""
        if self._direct is not None:
            self._send(self._direct, data, (peer[0], self._port, *peer[2:]))

    @staticmethod
    def _send(speaking: socket.socket, data: bytes, to: Address) -> bool:
        try:
            speaking.sendto(data, to)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError as exc:
            # Too many at once is no reason to believe that the card is gone.
            return exc.errno == errno.ENOBUFS
        return True

    def _heard(self, data: bytes, sender: Address) -> None:
        card = self._own.get((sender[0], sender[1]))
        if card is None:
            self._received(data, sender)
        else:
            self._echoed(data, card)

    async def aclose(self) -> None:
        """Leaves, and closes every socket. `open` may follow."""
        for speaking in self._speaking.values():
            speaking.close()
        self._speaking.clear()
        self._own.clear()
        direct, self._direct = self._direct, None
        if direct is not None:
            direct.close()
        hearing, self._hearing = self._hearing, None
        if hearing is not None:
            hearing.abort()
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await self._closed.wait()


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, heard: Callable[[bytes, Address], None], closed: asyncio.Event) -> None:
        self._heard = heard
        self._closed = closed

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._heard(data, addr)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()
