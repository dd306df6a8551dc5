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
        self._ear: socket.socket | None = None
        self._hearing: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()
        self._here: frozenset[str] = frozenset()
        self._failed: set[Card] = set()
        self.refused: dict[Card, str] = {}
        """Cards that cannot be used, and why."""

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
        try:
            cards = self._present()
        except ValueError as exc:
            raise RegistryError(f"{exc}; correct `interfaces`") from None
        hearing = self._bind()
        try:
            for card in cards:
                self._add(hearing, card, greeting)
            if self.refused and (self._interfaces or not self._speaking):
                reasons = ", ".join(f"on {card}: {reason}" for card, reason in self.refused.items())
                raise RegistryError(f"the multicast group {self} cannot be used {reasons}; {_ADVICE}")
            self._direct = self._direct_socket()
            loop = asyncio.get_running_loop()
            self._closed = asyncio.Event()
            self._hearing, _ = await loop.create_datagram_endpoint(
                lambda: _Ear(self._heard, self._closed), sock=hearing
            )
            self._ear = hearing
        except BaseException:
            hearing.close()
            await self.aclose()
            raise

    def refresh(self, greeting: bytes) -> None:
        """Joins on cards that have come, or can be used again, and leaves those that went or failed."""
        if self._ear is None:
            return
        try:
            cards = self._present()
        except ValueError:
            return  # A named card is away for now.
        for card in [each for each in self._speaking if each not in cards or each in self._failed]:
            with suppress(OSError):
                self._change_membership(self._ear, card, joins=False)
            self._forget(card)
        self._failed.clear()
        for card in cards:
            if card not in self._speaking:
                self._add(self._ear, card, greeting)
                if card in self._speaking:
                    _LOG.info("the multicast group %s is used on %s from now on", self, card)

    def _present(self) -> list[Card]:
        self._here = frozenset(each.address for version in (4, 6) for each in system_cards(version))
        cards = choose(self._version, self._interfaces, system_cards(self._version))
        self.refused = {card: reason for card, reason in self.refused.items() if card in cards}
        return cards

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

    def _add(self, hearing: socket.socket, card: Card, greeting: bytes) -> None:
        try:
            self._change_membership(hearing, card, joins=True)
            speaking = self._speaking[card] = self._speaking_on(card)
            self._own[speaking.getsockname()[:2]] = card
            speaking.sendto(greeting, self._group_on(card))
        except OSError as exc:
            with suppress(OSError):
                self._change_membership(hearing, card, joins=False)
            self._forget(card)
            if card not in self.refused and not self._interfaces:
                _LOG.warning("the multicast group %s cannot be used on %s: %s", self, card, exc.strerror)
            self.refused[card] = exc.strerror or str(exc)
        else:
            self.refused.pop(card, None)

    def _forget(self, card: Card) -> None:
        speaking = self._speaking.pop(card, None)
        if speaking is not None:
            speaking.close()
        self._own = {address: each for address, each in self._own.items() if each != card}

    def _change_membership(self, hearing: socket.socket, card: Card, *, joins: bool) -> None:
        if self._version == 4:
            membership = socket.inet_aton(self._host) + socket.inet_aton(card.address)
            option = socket.IP_ADD_MEMBERSHIP if joins else socket.IP_DROP_MEMBERSHIP
        else:
            membership = socket.inet_pton(socket.AF_INET6, self._host) + struct.pack("@I", card.index)
            option = socket.IPV6_JOIN_GROUP if joins else socket.IPV6_LEAVE_GROUP
        hearing.setsockopt(self._level, option, membership)

    def _direct_socket(self) -> socket.socket:
        direct = self._socket()
        # An answer goes no further than a question came from, so nobody makes us send to other networks.
        option = socket.IP_TTL if self._version == 4 else socket.IPV6_UNICAST_HOPS
        direct.setsockopt(self._level, option, max(1, self._ttl))
        return direct

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
        lost = [each for each, by in self._speaking.items() if not self._send(by, data, self._group_on(each))]
        self._failed.update(lost)
        return len(lost) < len(self._speaking)

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
        for card in list(self._speaking):
            self._forget(card)
        self._failed.clear()
        self._ear = None
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
