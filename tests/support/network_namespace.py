"""A network of its own for a test: cards that lead nowhere, beside the loopback, seen by one thread alone."""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import struct
import subprocess
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

from bench.apt import Unavailable, install

__all__ = ["OwnNetwork", "in_own_network"]

_LIMIT_S: Final = 100
# Source: linux, include/uapi/linux/sched.h and if_tun.h.
_NEW_NETWORK: Final = 0x40000000
_SET_CARD: Final = 0x400454CA
_TAP: Final = 0x0002
_NO_PACKET_INFORMATION: Final = 0x1000


class OwnNetwork:
    """The cards of the network that a thread sees."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}

    def plug(self, name: str, *addresses: str) -> None:
        """Adds a card with addresses like `10.1.0.1/24`."""
        try:
            held = self._held[name] = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        except OSError as exc:
            raise Unavailable(f"/dev/net/tun: {exc.strerror}") from None
        # As long as it is open the card has a cable, and nobody at the other end.
        fcntl.ioctl(held, _SET_CARD, struct.pack("16sH22s", name.encode(), _TAP | _NO_PACKET_INFORMATION, b""))
        _ip(f"link set {name} up")
        for address in addresses:
            _ip(f"address add {address} dev {name}" + (" nodad" if ":" in address else ""))

    def unplug(self, name: str) -> None:
        """The card is gone."""
        os.close(self._held.pop(name))

    def close(self) -> None:
        for name in list(self._held):
            self.unplug(name)


def in_own_network(cards: Mapping[str, Sequence[str]], work: Callable[[OwnNetwork], Coroutine[Any, Any, None]]) -> None:
    """Runs `work` in a loop of a thread that sees only the loopback and these cards (`OwnNetwork.plug`). What it starts
    sees the same.

    Raises Unavailable where a process may not have that.
    """
    install("ip:iproute2")
    trouble: list[BaseException] = []

    def run() -> None:
        network = OwnNetwork()
        try:
            _enter()
            for name, addresses in cards.items():
                network.plug(name, *addresses)
            asyncio.run(work(network))
        except BaseException as exc:  # Of another thread, so it is carried over.
            trouble.append(exc)
        finally:
            network.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(_LIMIT_S)
    assert not thread.is_alive(), "the work in the other network does not end"
    if trouble:
        raise trouble[0]


def _enter() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NETWORK):
        raise Unavailable(f"no network namespace: {os.strerror(ctypes.get_errno())}; run as root")
    _ip("link set lo up")


def _ip(arguments: str) -> None:
    subprocess.run(["ip", *arguments.split()], check=True, timeout=10)
