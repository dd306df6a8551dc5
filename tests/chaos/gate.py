"""A way between a client and a provider that can be cut without anybody being told."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

from bench.apt import Unavailable, install
from tests.chaos.node import Node

__all__ = ["Gate", "gate_to", "has_own_network"]

_READ_BYTES: Final = 65_536


class Gate(Protocol):
    """`address`: where a client connects. While it is cut, what is sent is lost, in both directions."""

    address: str

    def cut(self) -> None:
        """From now on nothing arrives."""

    def mend(self) -> None:
        """From now on everything does."""


class _PacketFilter:
    """Drops packets, as a broken cable does. Only for a network of our own: rules of the machine are not touched."""

    def __init__(self, node: Node) -> None:
        self.address = node.address
        self._port = str(node.port)

    def cut(self) -> None:
        self._rules("-A")

    def mend(self) -> None:
        self._rules("-D")

    def _rules(self, what: str) -> None:
        for way in ("--dport", "--sport"):
            subprocess.run(["iptables", what, "INPUT", "-p", "tcp", way, self._port, "-j", "DROP"], check=True)


class _Relay:
    """Passes on what it gets, or holds everything back: what can be had where packets cannot be dropped."""

    def __init__(self, node: Node) -> None:
        self.address = ""
        self._target = node.port
        self._open = asyncio.Event()
        self._open.set()
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        self._open.clear()

    def mend(self) -> None:
        self._open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError):
            await self._open.wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(far_writer)
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_READ_BYTES):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    def close(self) -> None:
        self._open.set()
        for writer in self._writers:
            writer.transport.abort()


def has_own_network() -> bool:
    """Whether this process may have a network of its own, and drop packets there. Installs what it takes."""
    try:
        install("unshare:util-linux", "iptables:iptables", "ip:iproute2")
    except Unavailable:
        return False
    tried = ["unshare", "--net", "sh", "-c", "ip link set lo up && iptables -A INPUT -p tcp --dport 1 -j DROP"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


@asynccontextmanager
async def gate_to(node: Node, *, drops_packets: bool) -> AsyncIterator[Gate]:
    """A gate in front of a provider. `drops_packets`: this process is in a network of its own."""
    if drops_packets:
        yield _PacketFilter(node)
        return
    relay = _Relay(node)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    relay.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield relay
    finally:
        server.close()
        relay.close()
