"""Who is no client of memcached: a browser that was led here, or a peer of another protocol.

Such a peer is not answered: what it would make of that is not known, and of its lines some might be commands.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.model.errors import RemoteWireError
from protocols.sniff import SNIFF_BYTES, sniff

__all__ = ["HTTP", "alien", "begins_alien", "refuse_alien"]

HTTP: Final = b"HTTP/"
"""How the last word of a line begins that is a request of HTTP."""
_HTTP_NAME: Final = "HTTP"
_TEXTS: Final = ("text", "unknown bytes")
"""What `sniff` says of lines that may be commands."""
_ALIEN: Final = re.compile(rb"[^ \r\n\t]{0,7}[\x00-\x08\x0b\x0c\x0e-\x1f]|[\x7f-\xff]").match
"""A first word with what no command has."""


def begins_alien(data: bytes | bytearray) -> bool:
    """Whether the beginning of a connection is none of a command."""
    return _ALIEN(data) is not None


def alien(data: bytes | bytearray) -> RemoteWireError:
    """Why the connection of somebody who speaks something else is closed."""
    return RemoteWireError(f"this looks like {sniff(bytes(data[:SNIFF_BYTES]))}", reason="bad-magic")


def refuse_alien(line: bytes, words: list[bytes]) -> None:
    """Raises for a first line of another protocol. What looks like text is only a command that there is not."""
    found = sniff(line)
    if found == _HTTP_NAME and not (words and words[-1].startswith(HTTP)):
        return
    if found not in _TEXTS:
        raise alien(line)
