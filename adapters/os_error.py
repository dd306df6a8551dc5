"""What the system's errors say to people."""

from __future__ import annotations

import os
import socket
import ssl
from typing import Final

__all__ = ["reason_of"]


def reason_of(error: OSError) -> str:
    """Why it failed, in the system's words: `Connection refused`; never empty.

    asyncio puts a text of its own with the address in their place, which names a socket and not a reason.
    """
    if error.errno and not isinstance(error, _OWN_NUMBERS):
        return os.strerror(error.errno)
    return error.strerror or str(error) or _BY_CLASS.get(type(error), type(error).__name__)


_OWN_NUMBERS: Final = (socket.gaierror, ssl.SSLError)
"""Errors whose numbers are not the system's."""
_BY_CLASS: Final[dict[type[OSError], str]] = {
    ConnectionResetError: "the peer reset the connection",
    ConnectionAbortedError: "the connection was aborted",
    BrokenPipeError: "the connection is closed",
}
"""asyncio raises some without number and text."""
