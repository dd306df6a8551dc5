"""Ports for servers that cannot choose one themselves, or that come back at the one they had."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["free_port"]

_PORTS: Final = (20_900, 32_700)
_SLICE: Final = 100


def free_port() -> int:
    """A port below those that systems give to outgoing connections: nobody takes it while its owner is away.

    No other process that asks here gets it too, nor this one again: measurements and tests run side by side and bind
    it later, again and again, by TCP or UDP.
    """
    for port in _own_ports():
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("too many processes ask for ports")


@functools.cache
def _own_ports() -> Iterator[int]:
    """Ports that are this process's as long as it lives, which locks say."""
    with contextlib.ExitStack() as held:
        for begin in range(*_PORTS, _SLICE):
            lock = held.enter_context(open(Path(tempfile.gettempdir()) / f"polyport-ports-{begin}.lock", "w"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                continue
            yield from range(begin, begin + _SLICE)
