"""A way between a client and a server that can be cut, whole or in one direction, without anybody being told."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from typing import Final, Protocol

from bench.apt import Unavailable, install

__all__ = ["Gate", "Way", "gate_to", "has_own_network", "slow_way_to"]

_READ_BYTES: Final = 65_536


class Way(Enum):
    """A direction in which nothing arrives."""

    TO = "to the server"
    FROM = "from the server"
    BOTH = "both ways"


class Gate(Protocol):
    """`address`: where a client connects. While it is cut, what is sent that way is lost."""

    address: str

    def cut(self, way: Way = Way.BOTH) -> None:
        """From now on nothing arrives that way. One that is cut is mended before it is cut again."""

    def mend(self) -> None:
        """From now on everything does."""


class _PacketFilter:
    """Drops packets, as a broken cable does. Only for a network of our own: rules of the machine are not touched."""

    def __init__(self, host: str, port: int) -> None:
        self.address = f"{host}:{port}"
        self._rules = {
            Way.TO: ("-p", "tcp", "-d", host, "--dport", str(port), "-j", "DROP"),
            Way.FROM: ("-p", "tcp", "-s", host, "--sport", str(port), "-j", "DROP"),
        }
        self._cut: tuple[Way, ...] = ()

    def cut(self, way: Way = Way.BOTH) -> None:
        self._cut = tuple(self._rules) if way is Way.BOTH else (way,)
        self._change("-A")

    def mend(self) -> None:
        self._change("-D")
        self._cut = ()

    def _change(self, what: str) -> None:
        for way in self._cut:
            subprocess.run(["iptables", what, "INPUT", *self._rules[way]], check=True)


class _Relay:
    """Passes on what it gets, or holds it back: what can be had where packets cannot be dropped."""

    def __init__(self, port: int, delay_s: float = 0.0, piece_bytes: int = _READ_BYTES) -> None:
        self.address = ""
        self._target = port
        self._delay_s = delay_s
        self._piece_bytes = piece_bytes
        self._open = {Way.TO: asyncio.Event(), Way.FROM: asyncio.Event()}
        self._writers: set[asyncio.StreamWriter] = set()
        self.mend()

    def cut(self, way: Way = Way.BOTH) -> None:
        for each, is_open in self._open.items():
            if way in (each, Way.BOTH):
                is_open.clear()

    def mend(self) -> None:
        for is_open in self._open.values():
            is_open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError):
            # No connection comes about where packets are lost in either direction.
            for is_open in self._open.values():
                await is_open.wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(far_writer)
            await asyncio.gather(
                self._pump(reader, far_writer, self._open[Way.TO]), self._pump(far_reader, writer, self._open[Way.FROM])
            )
            far_writer.close()
        writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_open: asyncio.Event) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(self._piece_bytes):
                await is_open.wait()
                await asyncio.sleep(self._delay_s)
                writer.write(data)
                await writer.drain()
            # Where a connection is for one call, the answer is still to come.
            writer.write_eof()

    def close(self) -> None:
        self.mend()
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
async def gate_to(port: int, *, drops_packets: bool, host: str = "127.0.0.1") -> AsyncIterator[Gate]:
    """A gate in front of a server on the loopback. `drops_packets`: this process is in a network of its own.

    `host`: where packets are dropped, the address of the loopback that clients of this gate use. Those of others can
    reach the server at another one, where it listens at all of them.
    """
    if drops_packets:
        yield _PacketFilter(host, port)
        return
    async with _served(_Relay(port)) as relay:
        yield relay


@asynccontextmanager
async def slow_way_to(port: int, delay_s: float, piece_bytes: int) -> AsyncIterator[str]:
    """An address that leads to a server on the loopback, so many bytes at a time, each piece after a delay."""
    async with _served(_Relay(port, delay_s, piece_bytes)) as relay:
        yield relay.address


@asynccontextmanager
async def _served(relay: _Relay) -> AsyncIterator[_Relay]:
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    relay.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield relay
    finally:
        server.close()
        relay.close()
