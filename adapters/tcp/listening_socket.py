"""Listening sockets for all addresses a host name stands for, all on one port."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Sequence
from typing import Any, Final

from gateway.model.endpoint import format_address

__all__ = ["listen"]

_BACKLOG: Final = 1_024
_PORT_ATTEMPTS: Final = 8
"""How often a port is looked for that is free on all addresses."""
_ABSENT: Final = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})
"""How a machine without IPv6 refuses the IPv6 address of a name that has both kinds."""

_Address = tuple[socket.AddressFamily, socket.SocketKind, int, Any]


async def listen(loop: asyncio.AbstractEventLoop, host: str, port: int) -> list[socket.socket]:
    """Listens without blocking; port 0 takes a free one. Addresses this machine does not have are left out.

    Raises:
        OSError: an address cannot be bound, or none is left; names the address.
    """
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses = list(dict.fromkeys((family, kind, protocol, address) for family, kind, protocol, _, address in found))
    for _ in range(_PORT_ATTEMPTS - 1):
        try:
            return _bind_all(addresses)
        except OSError as exc:
            if port or len(addresses) == 1 or exc.errno != errno.EADDRINUSE:
                raise
            # The port that was free on the first address is taken on another one.
    return _bind_all(addresses)


def _bind_all(addresses: Sequence[_Address]) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    absent: OSError | None = None
    try:
        for family, kind, protocol, address in addresses:
            if sockets and address[1] == 0:
                address = (address[0], sockets[0].getsockname()[1], *address[2:])
            try:
                sockets.append(_bind(family, kind, protocol, address))
            except OSError as exc:
                where = format_address(str(address[0]), int(address[1]))
                named = OSError(exc.errno, f"cannot listen on {where}: {exc.strerror}")
                if exc.errno not in _ABSENT:
                    raise named from None
                absent = named
    except BaseException:
        for each in sockets:
            each.close()
        raise
    if not sockets:
        raise absent or OSError(errno.EADDRNOTAVAIL, "the host name has no address")
    return sockets


def _bind(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # IPv4 gets a socket of its own; both on one would depend on a setting of the machine.
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
        bound.listen(_BACKLOG)
        bound.setblocking(False)
    except BaseException:
        bound.close()
        raise
    return bound
