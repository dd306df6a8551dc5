"""Timeouts of blocking sockets that the kernel keeps, so that a socket need not be asked before each operation."""

from __future__ import annotations

import socket
from struct import Struct
from typing import Final

__all__ = ["set_timeouts"]

_TIMEVAL: Final = Struct("@ll")
"""`struct timeval`: socket(7), SO_RCVTIMEO."""


def set_timeouts(sock: socket.socket, seconds: float) -> None:
    """How long `recv`, `send` and `connect` of a blocking socket may wait; then they raise `BlockingIOError`."""
    # Zero would be no limit at all.
    microseconds = max(1, int(seconds * 1_000_000))
    value = _TIMEVAL.pack(*divmod(microseconds, 1_000_000))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)
