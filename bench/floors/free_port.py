"""For servers that cannot choose a port themselves."""

from __future__ import annotations

import contextlib
import socket
import time

HOST = "127.0.0.1"

_START_S = 20.0


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def announce(port: int) -> None:
    """Prints where the server listens, once it does. Raises TimeoutError when it does not."""
    connect_when_up(port).close()
    print(f"LISTENING {HOST}:{port}", flush=True)


def connect_when_up(port: int) -> socket.socket:
    """A connection to a server that may be starting. Raises TimeoutError when it does not."""
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            return socket.create_connection((HOST, port), 1)
        time.sleep(0.02)
    raise TimeoutError(f"nobody listens on {HOST}:{port}")
