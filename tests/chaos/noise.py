"""A host that says again what it hears itself say: `python -m tests.chaos.noise GROUP PORT ADDRESS [TEXT…]`.

Every packet of a multicast group that comes from ADDRESS, its own, is sent there once more at once, and a third time up
to 300 ms later, when others have come in between. Each TEXT is sent twenty times a second. Ends when it is killed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
import socket
import struct
import sys
from typing import Final

__all__ = ["main"]

_LATEST_S: Final = 0.3
_BETWEEN_S: Final = 0.05


class _Echo(asyncio.DatagramProtocol):
    def __init__(self, own: str, speaking: socket.socket, target: tuple[str, int]) -> None:
        self._own = own
        self._speaking = speaking
        self._target = target
        self._random = random.Random(7)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr[0] == self._own and addr[1] != self._speaking.getsockname()[1]:
            self.say(data)
            asyncio.get_running_loop().call_later(self._random.uniform(0, _LATEST_S), self.say, data)

    def say(self, data: bytes) -> None:
        self._speaking.sendto(data, self._target)


def _sockets(group: str, port: int, own: str) -> tuple[socket.socket, socket.socket]:
    """Who hears the group at the card with this address, and who speaks there."""
    family = socket.AF_INET6 if ":" in group else socket.AF_INET
    hearing, speaking = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
    hearing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    hearing.bind(("", port))
    address = ipaddress.ip_address(group).packed
    if family == socket.AF_INET6:
        card = struct.pack("@I", socket.if_nametoindex("eth0"))
        hearing.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, address + card)
        speaking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, card)
    else:
        card = ipaddress.ip_address(own).packed
        hearing.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, address + card)
        speaking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, card)
    speaking.bind((own, 0))
    for each in (hearing, speaking):
        each.setblocking(False)
    return hearing, speaking


async def _run(group: str, port: int, own: str, texts: list[str]) -> None:
    hearing, speaking = _sockets(group, port, own)
    echo = _Echo(own, speaking, (group, port))
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: echo, sock=hearing)
    print("ready", flush=True)
    while True:
        for text in texts:
            echo.say(text.encode())
        await asyncio.sleep(_BETWEEN_S)


def main(arguments: list[str]) -> None:
    """Runs until it is killed."""
    group, port, own, *texts = arguments
    asyncio.run(_run(group, int(port), own, texts))


if __name__ == "__main__":
    main(sys.argv[1:])
