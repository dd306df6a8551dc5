"""Another machine at a card of this one, as far as networks are concerned."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Final

__all__ = ["Neighbour", "neighbour"]

_OWN: Final = "/proc/self/ns/net"
_BEGUN_S: Final = 10.0


class Neighbour:
    """`card`: the one of this network that leads there. `here`, `there`: the addresses at both ends.

    `wrap`: in front of a command, so that it runs there.
    """

    def __init__(self, pid: int, card: str, here: str, there: str) -> None:
        self.card = card
        self.here = here
        self.there = there
        self.wrap: Sequence[str] = ("nsenter", f"--net=/proc/{pid}/ns/net")


@asynccontextmanager
async def neighbour(card: str, here: str, there: str, prefix: int) -> AsyncIterator[Neighbour]:
    """Both ends have an address each, in a network of so many bits; `card` is gone afterwards.

    For a process in a network of its own, which it changes.
    """
    async with _network() as pid:
        made = Neighbour(pid, card, here, there)
        await _ip(f"link add {card} type veth peer name eth0 netns {pid}")
        try:
            # Whether somebody else has the address takes a second of IPv6, in which it cannot be used.
            more = " nodad" if ":" in here else ""
            await _ip(f"address add {here}/{prefix} dev {card}{more}")
            await _ip(f"link set {card} up")
            await _ip(f"address add {there}/{prefix} dev eth0{more}", made.wrap)
            await _ip("link set eth0 up", made.wrap)
            await _ip("link set lo up", made.wrap)
            yield made
        finally:
            await _ip(f"link delete {card}")


@asynccontextmanager
async def _network() -> AsyncIterator[int]:
    """The process that keeps it."""
    process = await asyncio.create_subprocess_exec("unshare", "--net", "sleep", "infinity")
    try:
        ends = monotonic() + _BEGUN_S
        while os.readlink(Path(f"/proc/{process.pid}/ns/net")) == os.readlink(_OWN):
            if monotonic() > ends:
                raise TimeoutError("no network namespace")
            await asyncio.sleep(0.01)
        yield process.pid
    finally:
        process.kill()
        await process.wait()


async def _ip(arguments: str, wrap: Sequence[str] = ()) -> None:
    """Runs the command of that name. Raises `RuntimeError` with what it says when it fails."""
    process = await asyncio.create_subprocess_exec(*wrap, "ip", *arguments.split(), stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"ip {arguments}: {said.decode().strip()}")
